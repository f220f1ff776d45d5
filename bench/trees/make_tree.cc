// SPDX-License-Identifier: Apache-2.0
//
// Generates the trees that are measured: make_tree NAME DIRECTORY SEED; --list says which there
// are. The same seed gives the same names, sizes and links; whoever changes what a seed gives
// counts kVersion up. Files are sparse but for every sixteenth, so that a million of them takes
// seconds and little room.
//
// `mixed` has the shape of a Debian 12 /usr with compilers and documentation (155,453 entries in
// 17,193 directories), measured like this:
//
//   directories              11.06 % of the entries
//   their depth              kDepths, per mille; mean 6.5
//   subdirectories, of those that have any (38 %)
//                            1 for at least half, at most 2 for 75 %, 4 for 90 %, 6 for 95 %, 23
//                            for 99 %; mean 2.6. Here log-normal (0, 1.25), rounded, at least 1
//   other entries            none in 11.8 %; quantiles 3 (half), 5 (75 %), 10 (90 %), 19 (95 %), 80
//                            (99 %), 424 (99.9 %), 17,882 at most; mean 8.0. Here log-normal
//                            (1.10, 0.85) for 95 of 100, Pareto (19, 1.2) for the rest, whose tail
//                            the log-normal lacks
//   symbolic links           4.2 % of the other entries
//   length of names          log-normal (2.72, 0.68): mean 19, at most 97
//
// Log-normal (m, s): the natural logarithm has mean m and deviation s. Of hard links /usr has next
// to none; here 1 file in 500 has one, since counting them is part of the work.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "ignored_trees.h"
#include "place.h"

namespace {

constexpr int kVersion = 2;  // printed by --version; a tree of another version is made anew

// Made of letters, of a length as in /usr; the number makes it unique.
std::string some_name(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  const std::size_t length = std::min<std::size_t>(
      97,
      std::max<std::size_t>(digits.size() + 1, static_cast<std::size_t>(log_normal(2.72, 0.68))));
  std::string name(length - digits.size(), ' ');
  std::uint64_t bits = 0;
  for (char& letter : name) {
    bits = bits < 26 ? g_random() : bits / 26;
    letter = static_cast<char>('a' + bits % 26);
  }
  return name + digits;
}

// --- trees
// -----------------------------------------------------------------------------------------

constexpr unsigned kDepths[] = {0,   1,  15, 81, 78, 113, 166, 232,
                                180, 75, 33, 12, 9,  3,   2};  // per mille, depth 0 is the root

// `directories`, and how many entries each has beside them.
struct Shape {
  std::vector<std::string> paths;
  std::vector<std::uint64_t> others;
};

Shape shape_of_usr(const std::string& root, std::uint64_t entries) {
  const std::uint64_t directories = entries * 1106 / 10000;
  Shape shape{{root}, {}};
  std::size_t above = 0;  // where the last level begins
  for (std::size_t depth = 1; depth < std::size(kDepths); ++depth) {
    const std::size_t end_above = shape.paths.size();
    const std::uint64_t wanted =
        depth + 1 == std::size(kDepths)
            ? directories + 1 - std::min(directories + 1, end_above)
            : std::max<std::uint64_t>(1, directories * kDepths[depth] / 1000);
    for (std::uint64_t made = 0; made < wanted;) {
      const std::size_t parent = above + below(end_above - above);
      for (auto more = std::max<std::int64_t>(1, std::lround(log_normal(0, 1.25)));
           more > 0 && made < wanted; --more, ++made) {
        shape.paths.push_back(shape.paths[parent] + '/' + some_name(shape.paths.size()));
      }
    }
    above = end_above;
  }
  std::vector<double> drawn(shape.paths.size());
  double sum = 0;
  for (double& each : drawn) {
    each = one_in(20)          ? std::min(pareto(19, 1.2), 20'000.0)
           : uniform() < 0.124 ? 0
                               : std::max(1.0, log_normal(1.10, 0.85));
    sum += each;
  }
  // Scaled to the number that is wanted; what rounding leaves goes to the next one that has any.
  const double scale = static_cast<double>(entries + 1 - shape.paths.size()) / sum;
  double rest = 0.5;
  for (const double each : drawn) {
    rest += each * scale;
    shape.others.push_back(each == 0 ? 0 : static_cast<std::uint64_t>(rest));
    rest -= static_cast<double>(shape.others.back());
  }
  return shape;
}

// `directories` directories at random below one another, the rest of `entries` files in them.
Shape random_shape(const std::string& root, std::uint64_t entries, std::uint64_t directories) {
  Shape shape{{root}, std::vector<std::uint64_t>(directories, 0)};
  std::vector<std::string>& paths = shape.paths;
  std::vector<unsigned> depths{0};
  for (std::uint64_t i = 1; i < directories; ++i) {
    // Rather below recent ones: a few levels deep, as source trees are, but no deeper than twelve.
    std::uint64_t parent =
        one_in(4) ? below(paths.size())
                  : paths.size() - 1 - below(std::min<std::uint64_t>(paths.size(), 200));
    while (depths[parent] >= 12) {
      parent = below(paths.size());
    }
    paths.push_back(paths[parent] + "/directory" + std::to_string(i));
    depths.push_back(depths[parent] + 1);
  }
  // Most directories hold few files, some hold many.
  for (std::uint64_t i = 0; i < entries - directories + 1; ++i) {
    std::uint64_t at = below(directories);
    if (one_in(2)) {
      at = at * at / directories;
    }
    ++shape.others[at];
  }
  return shape;
}

// Files, symbolic links, hard links to files before.
void fill(const Shape& shape) {
  Place linked(shape.paths[0]);
  std::string linked_name;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < shape.paths.size(); ++i) {
    if (i > 0) {
      check(mkdir(shape.paths[i].c_str(), 0755) == 0, shape.paths[i]);
    }
  }
  for (std::size_t i = 0; i < shape.paths.size(); ++i) {
    Place place(shape.paths[i]);
    for (std::uint64_t j = 0; j < shape.others[i]; ++j) {
      const std::string name = some_name(number++) + (one_in(3) ? ".txt" : ".c");
      const std::uint64_t kind = below(500);
      if (kind == 0 && !linked_name.empty()) {
        place.link(linked, linked_name, name);
      } else if (kind < 22) {
        place.symlink("../somewhere/else", name);
      } else {
        place.file(name);
        if (one_in(100)) {
          linked = Place(shape.paths[i]);
          linked_name = name;
        }
      }
    }
  }
}

void make_mixed(const std::string& root) { fill(shape_of_usr(root, 1'000'000)); }
void make_dirs125k(const std::string& root) { fill(random_shape(root, 1'000'000, 125'000)); }
void make_small(const std::string& root) { fill(random_shape(root, 30, 5)); }

void make_wide(const std::string& root) {
  const Place place(root);
  for (int i = 0; i < 1'000'000; ++i) {
    place.file("file" + std::to_string(i));
  }
}

void make_wide10m(const std::string& root) {
  const Place place(root);
  for (int i = 0; i < 10'000'000; ++i) {
    place.node("file" + std::to_string(i), S_IFREG);
  }
}

void make_deep(const std::string& root) {
  const Place top(root);
  for (int chain = 0; chain < 16; ++chain) {
    Place place = top.make("chain" + std::to_string(chain));
    for (int level = 1; level <= 4000; ++level) {
      place.file("file");
      place = place.make("level" + std::to_string(level));
    }
  }
}

void make_empty(const std::string& root) {
  const Place place(root);
  for (int i = 0; i < 1'000'000; ++i) {
    place.mkdir("directory" + std::to_string(i));
  }
}

// As rotating backup tools leave them: what did not change is a link to the snapshot before.
void make_backups(const std::string& root) {
  const Place top(root);
  std::vector<std::vector<std::string>> names(1500);
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    names[below(names.size())].push_back(some_name(i));
  }
  for (int snapshot = 0; snapshot < 7; ++snapshot) {
    const Place now = top.make("daily." + std::to_string(snapshot));
    const Place before(top, "daily." + std::to_string(std::max(0, snapshot - 1)));
    for (std::size_t i = 0; i < names.size(); ++i) {
      // Thirty directories with fifty each, of which one is the parent itself.
      const std::string group = "group" + std::to_string(i / 50);
      const std::string path = i % 50 == 0 ? group : group + "/directory" + std::to_string(i);
      const Place place = now.make(path);
      const Place old(before, path);
      for (const std::string& name : names[i]) {
        if (snapshot == 0 || one_in(200)) {
          place.file(name);
        } else {
          place.link(old, name, name);
        }
      }
    }
  }
}

// --- a monorepo
// ------------------------------------------------------------------------------------

void make_files(const Place& place, std::uint64_t count, const std::string& stem,
                const std::string& ending) {
  for (std::uint64_t i = 0; i < count; ++i) {
    place.file(stem + std::to_string(i) + ending);
  }
}

void make_dependency(const Place& modules, const std::string& name, bool nested) {
  const Place place = modules.make(name);
  for (const char* each : {"package.json", "README.md", "LICENSE"}) {
    place.file(each);
  }
  const Place library = place.make("lib");
  make_files(library, 2 + static_cast<std::uint64_t>(log_normal(2, 1)), "module", ".js");
  const Place built = place.make("dist");
  make_files(built, 2 + below(12), "chunk", ".js");
  make_files(built, 2 + below(12), "chunk", ".js.map");
  if (one_in(10)) {
    place.write(".gitignore", "/coverage\n*.tgz\n", 0);
  }
  if (nested && one_in(8)) {
    const Place inner = place.make("node_modules");
    for (std::uint64_t i = below(4) + 1; i > 0; --i) {
      make_dependency(inner, "inner" + std::to_string(i), false);
    }
  }
}

void make_package(const Place& place) {
  place.write(".gitignore", "dist/\ncoverage/\n*.map\n!src/**/*.map\n/local.*\n", 0);
  place.file("package.json");
  place.file("local.settings");
  const Place source = place.make("src");
  for (std::uint64_t i = 0, parts = 3 + below(12); i < parts; ++i) {
    const Place part = source.make("part" + std::to_string(i));
    make_files(part, 1 + static_cast<std::uint64_t>(log_normal(1.5, 0.8)), "unit", ".ts");
    part.file("index.ts.map");  // re-included
  }
  const Place built = place.make("dist");
  make_files(built, 10 + below(60), "bundle", ".js");
  const Place logs = place.make("logs");
  make_files(logs, below(5), "run", ".log");
  logs.file("keep.log");

  const Place modules = place.make("node_modules");
  const Place programs = modules.make(".bin");
  const Place scope = modules.make("@scope");
  for (std::uint64_t i = 0, count = 15 + below(50); i < count; ++i) {
    const std::string name = "dependency" + std::to_string(i);
    make_dependency(one_in(5) ? scope : modules, name, true);
    if (one_in(3)) {
      programs.symlink("../" + name + "/lib/module0.js", name);
    }
  }
}

void make_monorepo(const std::string& root) {
  const Place top(root);
  top.write(".gitignore",
            "# what is built and what is fetched\nnode_modules/\n*.log\n!keep.log\n.env*\n/build\n"
            "**/*.tmp\ncache[0-9]\n",
            0);
  top.write(".ignore", "/docs/archive\n", 0);
  top.file(".env.local");
  const Place git = top.make(".git");
  git.write("HEAD", "ref: refs/heads/main\n", 0);
  git.write("config", "[core]\n\tbare = false\n", 0);
  git.mkdir("refs");
  const Place objects = git.make("objects");
  for (int i = 0; i < 256; ++i) {
    char name[3];
    std::snprintf(name, sizeof name, "%02x", i);
    make_files(objects.make(name), 20, "0123456789abcdef0123456789abcdef", "");
  }
  make_files(top.make("build"), 500, "object", ".o");
  const Place docs = top.make("docs");
  make_files(docs, 50, "page", ".md");
  make_files(docs.make("archive"), 200, "page", ".md");
  const Place packages = top.make("packages");
  for (int i = 0; i < 120; ++i) {
    make_package(packages.make("package" + std::to_string(i)));
  }
}

// --- odd names, sparse files
// -----------------------------------------------------------------------

std::string odd_name(std::uint64_t number) {
  static constexpr std::string_view kPieces[] = {"-",
                                                 " ",
                                                 "\n",
                                                 "\t",
                                                 "*",
                                                 "?",
                                                 "[a]",
                                                 "\\",
                                                 "\"",
                                                 "'",
                                                 "$(x)",
                                                 "`",
                                                 "&",
                                                 "|",
                                                 ";",
                                                 "#",
                                                 "~",
                                                 "!",
                                                 ":",
                                                 "%s",
                                                 "\x01",
                                                 "\x7f",
                                                 "..",
                                                 ".",
                                                 "\x1b[31m",
                                                 "\xff",
                                                 "\xc3(",
                                                 "\xc3\xa9" /* é in one code point */,
                                                 "e\xcc\x81" /* and in two */,
                                                 "\xe5\x90\x8d\xe5\x89\x8d" /* wide letters */,
                                                 "\xf0\x9f\x99\x82" /* emoji */,
                                                 "\xe2\x80\xae" /* right to left */,
                                                 "\xed\xa0\x80" /* half a surrogate pair */};
  std::string name;
  for (std::uint64_t i = 1 + below(4); i > 0; --i) {
    name += kPieces[below(std::size(kPieces))];
  }
  name += std::to_string(number);
  while (one_in(20) || (name.size() > 100 && name.size() < 255)) {
    name += std::string(std::min<std::size_t>(101, 255 - name.size()), 'n');
  }
  return name;
}

// With a hole before, between and after what it holds.
void make_sparse(const Place& place, const std::string& name) {
  const auto size = static_cast<off_t>(std::uint64_t{1} << (20 + below(21)));  // 1 MiB to 1 TiB
  place.write(name, "", size);
  for (std::uint64_t i = below(4); i > 0; --i) {
    place.write(name, "data", 0, static_cast<off_t>(below(static_cast<std::uint64_t>(size))));
  }
}

void make_odd(const std::string& root) {
  std::uint64_t number = 0;
  const Place top(root);
  for (int i = 0; i < 1000; ++i) {
    Place place = top.make(odd_name(number++));
    for (int depth = static_cast<int>(below(4)); depth > 0; --depth) {
      place = place.make(odd_name(number++));
    }
    for (int j = 0; j < 50; ++j) {
      const std::string name = odd_name(number++);
      switch (below(16)) {
        case 0:
          place.node(name, S_IFIFO);
          break;
        case 1:
          place.node(name, S_IFSOCK);
          break;
        case 2:
          place.symlink(name, name);
          break;
        case 3:
          place.symlink(one_in(2) ? ".." : "/nowhere\n", name);
          break;
        case 4:
        case 5:
        case 6:
          make_sparse(place, name);
          break;
        default:
          place.file(name);
      }
    }
  }
}

constexpr struct {
  const char* name;
  void (*make)(const std::string&);
  const char* what;
} kTrees[] = {
    {"mixed", make_mixed, "1,000,000 entries in the shape of /usr, 110,600 directories"},
    {"files1k", [](const std::string& root) { fill(shape_of_usr(root, 1'130)); },
     "1,000 files in the shape of /usr"},
    {"files10k", [](const std::string& root) { fill(shape_of_usr(root, 11'300)); }, "10,000"},
    {"files100k", [](const std::string& root) { fill(shape_of_usr(root, 113'000)); }, "100,000"},
    {"dirs125k", make_dirs125k, "1,000,000 entries, 125,000 directories"},
    {"wide", make_wide, "1,000,000 files in one directory"},
    {"wide10m", make_wide10m, "10,000,000 empty files in one directory (3 GB on ext4)"},
    {"deep", make_deep,
     "16 chains of 4,000 nested directories, each with a file (too deep for the floor)"},
    {"empty", make_empty, "1,000,000 empty directories in one (4 GB on ext4)"},
    {"backups", make_backups, "7 snapshots of the same 20,000 files, hard-linked but for 1 in 200"},
    {"monorepo", make_monorepo, "120 packages with node_modules, .git and .gitignore files"},
    {"ignored", [](const std::string& root) { make_ignored(root, kPackages, true); },
     "1,000,000 entries, of which the rules of 500 ignore files leave 200,000"},
    {"ignored-rest", [](const std::string& root) { make_ignored(root, kPackages, false); },
     "what is left of `ignored`"},
    {"project8k", [](const std::string& root) { make_project(root, 1, true); },
     "a Python project: 8,000 files, some 2,200 of them not ignored"},
    {"project8k-rest", [](const std::string& root) { make_project(root, 1, false); },
     "what is left of `project8k`"},
    {"project81k", [](const std::string& root) { make_project(root, 10, true); }, "ten times that"},
    {"project81k-rest", [](const std::string& root) { make_project(root, 10, false); },
     "what is left of `project81k`"},
    {"rules10", [](const std::string& root) { make_rules(root, 10); },
     "200,000 files below an ignore file of 10 rules"},
    {"rules10k", [](const std::string& root) { make_rules(root, 10'000); }, "of 10,000 rules"},
    {"odd", make_odd,
     "50,000 entries with odd names, sparse files up to 1 TiB, pipes, sockets, loops"},
    {"small", make_small, "30 entries"},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::printf("%d\n", kVersion);
    return 0;
  }
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    for (const auto& tree : kTrees) {
      std::printf("%-9s %s\n", tree.name, tree.what);
    }
    return 0;
  }
  if (argc != 4) {
    std::fprintf(stderr, "usage: make_tree NAME DIRECTORY SEED, or --list, or --version\n");
    return 2;
  }
  const std::string name = argv[1];
  const std::string root = argv[2];
  g_random.seed(std::strtoull(argv[3], nullptr, 10));
  for (const auto& tree : kTrees) {
    if (tree.name == name) {
      check(mkdir(root.c_str(), 0755) == 0, root);
      tree.make(root);
      return 0;
    }
  }
  std::fprintf(stderr, "make_tree: no tree is called %s\n", name.c_str());
  return 2;
}
