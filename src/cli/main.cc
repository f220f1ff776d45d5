// SPDX-License-Identifier: Apache-2.0
//
// Which command: `du` by that name or as the first word, else the picture. A directory called du is
// `./du`.
#include "cli/du.h"
#include "cli/picture.h"

#include <clocale>
#include <cstring>
#include <string>

int main(int argc, char** argv) {
  std::setlocale(LC_ALL, "");
  const char* slash = std::strrchr(argv[0], '/');
  const std::string name = slash != nullptr ? slash + 1 : argv[0];
  if (name == "du") {
    return trawl::cli::du_main(argc, argv);
  }
  if (argc > 1 && std::strcmp(argv[1], "du") == 0) {
    std::string program = "trawl du";
    argv[1] = program.data();
    return trawl::cli::du_main(argc - 1, argv + 1);
  }
  return trawl::cli::picture_main(argc, argv);
}
