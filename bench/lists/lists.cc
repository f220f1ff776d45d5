// SPDX-License-Identifier: Apache-2.0
//
// One way of making a complete list of a tree with metadata, once: for the `lists` regime.
//
//   lists [--order ORDER] [--fields some|basic|all|none] [--threads N] WAY PATH
//
//   collect      collect_with_batched_stats
//   walker       FileListWalker
//   chunked      collect_chunked, 10,000 at a time
//   lazy         collect_lazy_parallel, then resolve_metadata_parallel of all
//   iterator     serial: recursive_directory_iterator, lstat, sort by path components
//   fts          serial: fts, which stats, sorted within each directory
//
// Prints the number of entries, and of collect the bytes held for each.
#include <fts.h>
#include <sys/stat.h>
#include <trawl/file_list.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Listed {
  std::filesystem::path path;
  struct stat info;
};

std::size_t by_iterator(const std::string& root) {
  namespace fs = std::filesystem;
  std::vector<Listed> list;
  const auto add = [&list](const fs::path& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0) {
      list.push_back({path, info});
    }
  };
  add(root);
  std::error_code error;
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto at = fs::recursive_directory_iterator(root, options, error);
       at != fs::recursive_directory_iterator(); at.increment(error)) {
    add(at->path());
  }
  std::sort(list.begin(), list.end(),
            [](const Listed& a, const Listed& b) { return a.path < b.path; });
  return list.size();
}

std::size_t by_fts(std::string root) {
  char* roots[] = {root.data(), nullptr};
  FTS* fts = ::fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, [](const FTSENT** a, const FTSENT** b) {
    return std::strcmp((*a)->fts_name, (*b)->fts_name);
  });
  std::vector<std::pair<std::string, struct stat>> list;
  while (FTSENT* entry = ::fts_read(fts)) {
    if (entry->fts_info != FTS_DP && entry->fts_info != FTS_NS) {
      list.emplace_back(entry->fts_path, *entry->fts_statp);
    }
  }
  ::fts_close(fts);
  return list.size();
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, trawl::Order> orders = {{"unordered", trawl::Order::unordered},
                                                      {"component", trawl::Order::component},
                                                      {"bytes", trawl::Order::bytes},
                                                      {"rsync", trawl::Order::rsync},
                                                      {"rsync28", trawl::Order::rsync28}};
  const std::map<std::string, trawl::Fields> fields = {
      {"none", trawl::Fields::none},
      {"some", trawl::Fields::size | trawl::Fields::mtime | trawl::Fields::type},
      {"basic", trawl::Fields::basic},
      {"all", trawl::Fields::all}};
  trawl::ListOptions options;
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--order" && i + 1 < argc) {
      options.order = orders.at(argv[++i]);
    } else if (word == "--fields" && i + 1 < argc) {
      options.fields = fields.at(argv[++i]);
    } else if (word == "--threads" && i + 1 < argc) {
      options.threads = static_cast<unsigned>(std::atoi(argv[++i]));
    } else {
      words.push_back(word);
    }
  }
  if (words.size() != 2) {
    std::fputs("usage: lists [--order O] [--fields F] [--threads N] WAY PATH\n", stderr);
    return 2;
  }
  const std::string& way = words[0];
  const std::string& root = words[1];
  std::size_t count = 0;
  if (way == "collect") {
    const trawl::FileList list = trawl::collect_with_batched_stats(root, options);
    count = list.size();
    std::printf("%.1f bytes an entry\n", static_cast<double>(list.memory_use()) /
                                             static_cast<double>(std::max<std::size_t>(1, count)));
  } else if (way == "walker") {
    trawl::FileListWalker walker(root, options);
    for (const trawl::FileListEntry& entry : walker) {
      count += entry.depth() >= 0 ? 1 : 0;
    }
  } else if (way == "chunked") {
    trawl::collect_chunked(root, options, 10'000, [&](auto chunk) {
      count += chunk.size();
      return true;
    });
  } else if (way == "lazy") {
    trawl::LazyFileList list = trawl::collect_lazy_parallel(root, options);
    trawl::resolve_metadata_parallel(list.entries);
    count = list.entries.size();
  } else if (way == "iterator") {
    count = by_iterator(root);
  } else if (way == "fts") {
    count = by_fts(root);
  } else {
    std::fprintf(stderr, "lists: no way %s\n", way.c_str());
    return 2;
  }
  std::printf("%zu entries\n", count);
  return 0;
}
