// SPDX-License-Identifier: Apache-2.0
//
// Generates the trees that are measured: make_tree NAME DIRECTORY SEED. The same seed gives the
// same names, sizes and links; whoever changes what a seed gives counts kVersion up. Files are
// sparse but for every sixteenth, so that a million of them takes seconds and little room.
//
//   mixed     1,000,000 entries, 34,000 directories, 1 in 500 files hard-linked, 1 in 100 a symlink
//   dirs125k  1,000,000 entries, 125,000 directories
//   wide      one directory of 1,000,000 files
//   deep      500 chains of 200 directories, each with one file
//   empty     one directory of 1,000,000 empty directories (4 GB on ext4)
//   small     30 entries
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr int kVersion = 1;  // printed by --version; a tree of another version is made anew

std::mt19937_64 g_random;

std::uint64_t below(std::uint64_t limit) { return g_random() % limit; }

void check(bool ok, const std::string& what) {
  if (!ok) {
    std::perror(what.c_str());
    std::exit(1);
  }
}

void make_file(int directory, const char* name) {
  const int fd = openat(directory, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  check(fd >= 0, name);
  const std::uint64_t size = std::uint64_t{1} << below(21);
  if (below(16) == 0) {
    static const std::vector<char> data(8192, 'x');
    check(write(fd, data.data(), std::min<std::size_t>(size, data.size())) > 0, name);
  } else {
    check(ftruncate(fd, static_cast<off_t>(size)) == 0, name);
  }
  close(fd);
}

// `directories` directories at random below one another, the rest of `entries` files in them.
void make_random(const std::string& root, std::uint64_t entries, std::uint64_t directories) {
  std::vector<std::string> paths{root};
  std::vector<unsigned> depths{0};
  std::vector<std::uint64_t> files(1, 0);
  for (std::uint64_t i = 1; i < directories; ++i) {
    // Rather below recent ones: a few levels deep, as source trees are, but no deeper than twelve.
    std::uint64_t parent =
        below(4) == 0 ? below(paths.size())
                      : paths.size() - 1 - below(std::min<std::uint64_t>(paths.size(), 200));
    while (depths[parent] >= 12) {
      parent = below(paths.size());
    }
    paths.push_back(paths[parent] + "/directory" + std::to_string(i));
    depths.push_back(depths[parent] + 1);
    files.push_back(0);
    check(mkdir(paths.back().c_str(), 0755) == 0, paths.back());
  }
  // Most directories hold few files, some hold many.
  for (std::uint64_t i = 0; i < entries - directories + 1; ++i) {
    std::uint64_t at = below(directories);
    if (below(2) == 0) {
      at = at * at / directories;
    }
    ++files[at];
  }
  std::string last_file;
  std::uint64_t number = 0;
  for (std::uint64_t i = 0; i < directories; ++i) {
    const int fd = open(paths[i].c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check(fd >= 0, paths[i]);
    for (std::uint64_t j = 0; j < files[i]; ++j) {
      const std::string name = "file-" + std::to_string(number++) + (below(3) == 0 ? ".txt" : ".c");
      const std::uint64_t kind = below(500);
      if (kind == 0 && !last_file.empty()) {
        check(linkat(AT_FDCWD, last_file.c_str(), fd, name.c_str(), 0) == 0, name);
      } else if (kind < 6) {
        check(symlinkat("../somewhere/else", fd, name.c_str()) == 0, name);
      } else {
        make_file(fd, name.c_str());
        if (below(100) == 0) {
          last_file = paths[i] + '/' + name;
        }
      }
    }
    close(fd);
  }
}

void make_wide(const std::string& root) {
  const int fd = open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  check(fd >= 0, root);
  for (int i = 0; i < 1'000'000; ++i) {
    make_file(fd, ("file" + std::to_string(i)).c_str());
  }
  close(fd);
}

void make_deep(const std::string& root) {
  for (int i = 0; i < 500; ++i) {
    std::string path = root + "/chain" + std::to_string(i);
    for (int level = 0; level < 200; ++level) {
      if (level > 0) {
        path += "/level" + std::to_string(level);
      }
      check(mkdir(path.c_str(), 0755) == 0, path);
      const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      check(fd >= 0, path);
      make_file(fd, "file");
      close(fd);
    }
  }
}

void make_empty(const std::string& root) {
  for (int i = 0; i < 1'000'000; ++i) {
    const std::string path = root + "/directory" + std::to_string(i);
    check(mkdir(path.c_str(), 0755) == 0, path);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::printf("%d\n", kVersion);
    return 0;
  }
  if (argc != 4) {
    std::fprintf(stderr, "usage: make_tree NAME DIRECTORY SEED, or --version\n");
    return 2;
  }
  const std::string name = argv[1];
  const std::string root = argv[2];
  g_random.seed(std::strtoull(argv[3], nullptr, 10));
  check(mkdir(root.c_str(), 0755) == 0, root);
  if (name == "mixed") {
    make_random(root, 1'000'000, 34'000);
  } else if (name == "dirs125k") {
    make_random(root, 1'000'000, 125'000);
  } else if (name == "wide") {
    make_wide(root);
  } else if (name == "deep") {
    make_deep(root);
  } else if (name == "empty") {
    make_empty(root);
  } else if (name == "small") {
    make_random(root, 30, 5);
  } else {
    std::fprintf(stderr, "make_tree: no tree is called %s\n", name.c_str());
    return 2;
  }
}
