// SPDX-License-Identifier: Apache-2.0
//
// Which command: `du` by that name or as the first word, `help`, else the picture. Directories of
// these names are `./du` and `./help`.
#include "cli/du.h"
#include "cli/picture.h"

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

int run_help(std::string_view command) {
  const bool of_du = command == "du";
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
  if (command == "help" && argc <= 3) {
    return run_help(argc == 3 ? argv[2] : "");
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
