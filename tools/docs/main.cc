// SPDX-License-Identifier: Apache-2.0
//
// trawl-docs [--check] ROOT: writes the completions, and the options in the manual pages, below
// ROOT, a checkout of trawl; or says which of them are not what the tables of options would give.
#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "docs.h"

namespace {

using trawl::docs::Command;

constexpr std::string_view kBegin =
    ".\\\" From here on from the table of options in src/cli; `./dev docs` writes it.\n";
constexpr std::string_view kEnd = ".\\\" Up to here.\n";

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::runtime_error("cannot read " + path);
  }
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// The page with its options written anew.
std::string manual(const std::string& path, const Command& command) {
  std::string page = read_file(path);
  const std::size_t begin = page.find(kBegin);
  const std::size_t end = page.find(kEnd);
  if (begin == page.npos || end == page.npos || end < begin) {
    throw std::runtime_error(path + " has no place for options; it is between these lines:\n" +
                             std::string(kBegin) + std::string(kEnd));
  }
  const std::size_t at = begin + kBegin.size();
  return page.replace(at, end - at, trawl::docs::manual_options(command));
}

class Tree {
 public:
  Tree(std::string root, bool check) : root_(std::move(root)), check_(check) {}

  void put(const std::string& name, const std::string& content) {
    const std::string path = root_ + '/' + name;
    if (!check_) {
      std::ofstream file(path, std::ios::binary);
      if (!(file << content).flush()) {
        throw std::runtime_error("cannot write " + path);
      }
    } else if (read_file(path) != content) {
      std::fprintf(stderr, "%s is not what the tables of options in src/cli give\n", name.c_str());
      differs_ = true;
    }
  }

  const std::string& root() const { return root_; }
  bool differs() const { return differs_; }

 private:
  std::string root_;
  bool check_;
  bool differs_ = false;
};

int run(const std::string& root, bool check) {
  Tree tree(root, check);
  tree.put("completions/trawl.bash", trawl::docs::bash_completion());
  tree.put("completions/_trawl", trawl::docs::zsh_completion());
  tree.put("completions/trawl.fish", trawl::docs::fish_completion());
  for (const Command* command : trawl::docs::commands()) {
    const std::string suffix = command->name().empty() ? "" : '-' + std::string(command->name());
    const std::string name = "docs/man/trawl" + suffix + ".1";
    tree.put(name, manual(root + '/' + name, *command));
  }
  if (tree.differs()) {
    std::fputs("`./dev docs` writes them anew\n", stderr);
  }
  return tree.differs() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bool check = argc == 3 && std::string_view(argv[1]) == "--check";
  if (argc != 2 && !check) {
    std::fputs("Usage: trawl-docs [--check] ROOT\n", stderr);
    return 2;
  }
  try {
    return run(argv[argc - 1], check);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "trawl-docs: %s\n", error.what());
    return 1;
  }
}
