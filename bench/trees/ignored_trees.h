// SPDX-License-Identifier: Apache-2.0
//
// Repositories of which ignore rules leave a part. Each comes also as its *rest*: without what is
// ignored, which is what a walk that heeds the rules has to visit.
#pragma once

#include <cstdint>
#include <string>

#include "place.h"

// As far as git, fd and ripgrep ask whether this is a repository.
inline void make_dot_git(const Place& top) {
  const Place git = top.make(".git");
  git.write("HEAD", "ref: refs/heads/main\n", 0);
  git.write("config", "[core]\n\tbare = false\n", 0);
  git.mkdir("objects");
  git.mkdir("refs");
}

// Files of nothing: what they hold is not looked at.
inline void make_empty_files(const Place& place, std::uint64_t count, const std::string& stem,
                             const std::string& ending) {
  for (std::uint64_t i = 0; i < count; ++i) {
    place.write(stem + std::to_string(i) + ending, "", 0);
  }
}

inline constexpr int kPackages = 500;

// A package of 2,000 entries, 400 of which are not ignored: by name, suffix, prefix, place, glob.
inline void make_ignored_package(const Place& place, int number, bool with_ignored) {
  place.write(".gitignore",
              "# what is built\n/dist/\n/out\nnode_modules/\n*.log\n*.map\n*.min.js\n!keep.log\n"
              "coverage/\n.cache/\n*.tmp\n*~\n.env.*\n/generated/**/*.pb.ts\nreports/*.xml\n"
              "src/**/snapshots/\n[Bb]uild/\ntmp-*\n.DS_Store\n*.swp\npackage" +
                  std::to_string(number) + ".lock\n",
              0);
  const Place source = place.make("src");
  for (int i = 0; i < 19; ++i) {
    const Place part = source.make("part" + std::to_string(i));
    make_empty_files(part, 19, "unit", ".ts");
    if (with_ignored) {
      make_empty_files(part, 1, i % 2 == 0 ? "unit" : "tmp-", i % 2 == 0 ? ".log" : ".ts");
    }
  }
  make_empty_files(place, 18, "page", ".md");
  if (!with_ignored) {
    return;
  }
  make_empty_files(place.make("dist"), 381, "chunk", ".js");
  const Place modules = place.make("node_modules");
  for (int i = 0; i < 100; ++i) {
    const Place module = modules.make("module" + std::to_string(i));
    make_empty_files(module, 3, "index", ".js");
    make_empty_files(module.make("lib"), 6, "file", ".js");
  }
}

inline void make_ignored(const std::string& root, int packages, bool with_ignored) {
  const Place top(root);
  make_dot_git(top);
  top.write(".gitignore", "*.pyc\n__pycache__/\n.idea/\n/local/\n", 0);
  for (int group = 0; group < packages / 25; ++group) {
    const Place place = top.make("group" + std::to_string(group));
    for (int i = 0; i < 25; ++i) {
      const int number = group * 25 + i;
      make_ignored_package(place.make("package" + std::to_string(number)), number, with_ignored);
    }
  }
}

// 8,000 files for each part: sources, tests and documents, caches beside them, a virtual
// environment.
inline void make_project(const std::string& root, int parts, bool with_ignored) {
  const Place top(root);
  make_dot_git(top);
  top.write(".gitignore",
            "# Python\n__pycache__/\n*.py[cod]\n*$py.class\n*.so\n.Python\nbuild/\ndist/\n"
            "*.egg-info/\n.installed.cfg\n*.egg\npip-log.txt\nhtmlcov/\n.tox/\n.coverage\n"
            ".coverage.*\n.cache\nnosetests.xml\ncoverage.xml\n*.mo\n*.log\n/site\n.venv\n"
            "venv/\n.mypy_cache/\n.pytest_cache/\n/docs/_build/\n!docs/examples/*.log\n",
            0);
  for (int p = 0; p < parts; ++p) {
    const Place part = top.make("part" + std::to_string(p));
    for (const char* kind : {"src", "tests", "docs"}) {
      const Place place = part.make(kind);
      for (int i = 0; i < 35; ++i) {
        const Place package = place.make("package" + std::to_string(i));
        make_empty_files(package, 20, "module", ".py");
        if (with_ignored) {
          make_empty_files(package.make("__pycache__"), 20, "module", ".cpython-311.pyc");
          make_empty_files(package, 1, "run", ".log");
        }
      }
    }
    if (with_ignored) {
      const Place environment = part.make(".venv").make("lib");
      for (int i = 0; i < 120; ++i) {
        make_empty_files(environment.make("library" + std::to_string(i)), 30, "file", ".py");
      }
    }
  }
}

// The same 200,000 files, most of them kept, whatever the number of rules: plain names, suffixes,
// places and globs in turn.
inline void make_rules(const std::string& root, int count) {
  const Place top(root);
  make_dot_git(top);
  std::string rules;
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    switch (i % 5) {
      case 0:
        rules += "unwanted" + number + "\n";
        break;
      case 1:
        rules += "*.suffix" + number + "\n";
        break;
      case 2:
        rules += "/group" + number + "/place" + number + "\n";
        break;
      case 3:
        rules += "temporary" + number + "-*.dat\n";
        break;
      default:
        rules += "**/cache" + number + "/*.bin\n";
        break;
    }
  }
  top.write(".gitignore", rules, 0);
  for (int group = 0; group < 100; ++group) {
    const Place place = top.make("group" + std::to_string(group));
    for (int i = 0; i < 20; ++i) {
      make_empty_files(place.make("directory" + std::to_string(i)), 99, "some_file", ".txt");
    }
  }
}
