// SPDX-License-Identifier: Apache-2.0
//
// The library as a lister: counts every entry below PATH, stats nothing.
//
//   names [--threads N] PATH
#include <trawl/trawl.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

namespace {

struct Counter : trawl::Visitor {
  std::uint64_t entries_ = 0;
  trawl::Verdict entries(trawl::Directory&, std::span<trawl::Entry> batch) override {
    entries_ += batch.size();
    return trawl::Verdict::proceed;
  }
};

}  // namespace

int main(int argc, char** argv) {
  trawl::Options options;
  options.private_descriptors = true;
  std::string root = ".";
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
      options.threads = static_cast<unsigned>(std::atoi(argv[++i]));
    } else {
      root = argv[i];
    }
  }
  const auto [result, counters] = trawl::walk<Counter>(std::span(&root, 1), options);
  std::uint64_t entries = 0;
  for (const auto& counter : counters) {
    entries += counter->entries_;
  }
  std::printf("%ju entries\n", static_cast<std::uintmax_t>(entries - 1));  // the root is one
  return result.complete() ? 0 : 1;
}
