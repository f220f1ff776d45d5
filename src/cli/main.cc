// SPDX-License-Identifier: Apache-2.0
//
// Which command: `du` by that name or as the first word, `help`, else the picture. Directories of
// these names are `./du` and `./help`.
#include "cli/du.h"
#include "cli/picture.h"
#include "cli/quote.h"

#include <clocale>
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>

namespace {

// Messages of getopt_long begin with argv[0].
char g_trawl[] = "trawl";
char g_trawl_du[] = "trawl du";
char g_help[] = "--help";

// The words behind `help`.
int run_help(int count, char** words) {
  const bool of_du = count > 0;
  if (count > 1 || (of_du && std::string_view(words[0]) != "du")) {
    std::fprintf(stderr, "trawl: no help on %s; try `trawl help` or `trawl help du`\n",
                 trawl::cli::quote_word(words[count - 1]).c_str());
    return 2;
  }
  char* argv[] = {of_du ? g_trawl_du : g_trawl, g_help, nullptr};
  return of_du ? trawl::cli::du_main(2, argv) : trawl::cli::picture_main(2, argv);
}

int run(int argc, char** argv) {
  const std::string_view program = argv[0];
  if (program.substr(program.rfind('/') + 1) == "du") {
    return trawl::cli::du_main(argc, argv);
  }
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "du") {
    argv[1] = g_trawl_du;
    return trawl::cli::du_main(argc - 1, argv + 1);
  }
  if (command == "help") {
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
