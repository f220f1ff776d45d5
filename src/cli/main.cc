// SPDX-License-Identifier: Apache-2.0
//
// Which command: `du` by that name or as the first word, `list`, `stat`, `find`, `help`, else the
// picture. Directories of these names are `./du`, `./list`, `./stat`, `./find` and `./help`.
#include <algorithm>
#include <clocale>
#include <cstdio>
#include <exception>
#include <iterator>
#include <new>
#include <string>
#include <string_view>

#include "cli/du.h"
#include "cli/find.h"
#include "cli/list.h"
#include "cli/picture.h"
#include "cli/quote.h"
#include "cli/stat.h"

namespace {

// Messages of getopt_long begin with argv[0].
char g_trawl[] = "trawl";
char g_trawl_du[] = "trawl du";
char g_trawl_list[] = "trawl list";
char g_trawl_find[] = "trawl find";
char g_trawl_stat[] = "trawl stat";
char g_help[] = "--help";

struct Command {
  std::string_view name;
  char* program;
  int (*main)(int argc, char** argv);
};
constexpr Command kCommands[] = {
    {"du", g_trawl_du, trawl::cli::du_main},
    {"list", g_trawl_list, trawl::cli::list_main},
    {"stat", g_trawl_stat, trawl::cli::stat_main},
    {"find", g_trawl_find, trawl::cli::find_main},
};
constexpr Command kPicture = {"", g_trawl, trawl::cli::picture_main};

// Null: none has this name.
const Command* find_command(std::string_view name) {
  const auto* found = std::find_if(std::begin(kCommands), std::end(kCommands),
                                   [name](const Command& each) { return each.name == name; });
  return found != std::end(kCommands) ? found : nullptr;
}

// The words behind `help`.
int run_help(int count, char** words) {
  const Command* command = count == 0 ? &kPicture : find_command(words[0]);
  if (count > 1 || command == nullptr) {
    std::string all = "`trawl help`";
    for (const Command& each : kCommands) {
      all += &each == std::end(kCommands) - 1 ? " or " : ", ";
      all += "`trawl help " + std::string(each.name) + '`';
    }
    std::fprintf(stderr, "trawl: no help on %s; try %s\n",
                 trawl::cli::quote_word(words[count - 1]).c_str(), all.c_str());
    return 2;
  }
  char* argv[] = {command->program, g_help, nullptr};
  return command->main(2, argv);
}

int run(int argc, char** argv) {
  const std::string_view program = argv[0];
  if (program.substr(program.rfind('/') + 1) == "du") {
    return trawl::cli::du_main(argc, argv);
  }
  const std::string_view word = argc > 1 ? argv[1] : "";
  if (const Command* command = find_command(word)) {
    argv[1] = command->program;
    return command->main(argc - 1, argv + 1);
  }
  if (word == "help") {
    return run_help(argc - 2, argv + 2);
  }
  argv[0] = g_trawl;
  return trawl::cli::picture_main(argc, argv);
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
