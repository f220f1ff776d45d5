// SPDX-License-Identifier: Apache-2.0
//
// Which command: `du` by that name or as the first word, another that commands.cc lists, `help`,
// else the picture. Directories of these names are `./du`, `./list` and so on.
#include <algorithm>
#include <clocale>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "cli/commands.h"
#include "cli/du.h"
#include "cli/quote.h"

namespace {

using trawl::cli::CommandEntry;
using trawl::cli::subcommands;

// Messages of getopt_long, which writes to no argument, begin with argv[0].
int run_command(const CommandEntry& command, int argc, char** argv) {
  argv[0] = const_cast<char*>(command.table->program);
  return command.main(argc, argv);
}

// Null: none has this name.
const CommandEntry* find_command(std::string_view name) {
  const auto found = std::ranges::find(subcommands(), name,
                                       [](const CommandEntry& each) { return each.table->name(); });
  return found != subcommands().end() ? &*found : nullptr;
}

// The words behind `help`.
int run_help(int count, char** words) {
  const CommandEntry picture = trawl::cli::picture_command();
  const CommandEntry* command = count == 0 ? &picture : find_command(words[0]);
  if (count > 1 || command == nullptr) {
    std::string all = "`trawl help`";
    for (const CommandEntry& each : subcommands()) {
      all += &each == &subcommands().back() ? " or " : ", ";
      all += "`trawl help " + std::string(each.table->name()) + '`';
    }
    std::fprintf(stderr, "trawl: no help on %s; try %s\n",
                 trawl::cli::quote_word(words[count - 1]).c_str(), all.c_str());
    return 2;
  }
  char help[] = "--help";
  char* argv[] = {nullptr, help, nullptr};
  return run_command(*command, 2, argv);
}

int run(int argc, char** argv) {
  const std::string_view program = argv[0];
  if (program.substr(program.rfind('/') + 1) == "du") {
    return trawl::cli::du_main(argc, argv);
  }
  const std::string_view word = argc > 1 ? argv[1] : "";
  if (const CommandEntry* command = find_command(word)) {
    return run_command(*command, argc - 1, argv + 1);
  }
  if (word == "help") {
    return run_help(argc - 2, argv + 2);
  }
  return run_command(trawl::cli::picture_command(), argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
  std::setlocale(LC_ALL, "");
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("trawl: memory exhausted\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "trawl: %s\n", error.what());
  }
  return 1;
}
