// SPDX-License-Identifier: Apache-2.0
#include "cli/ls_colors.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const trawl::cli::LsColors colors(text);
  for (const auto type : {trawl::FileType::regular, trawl::FileType::directory,
                          trawl::FileType::symlink, trawl::FileType::fifo}) {
    for (const std::uint32_t mode : {0644U, 0755U, 04755U, 02755U, 01777U}) {
      for (const char c : colors.of("name.txt", type, mode)) {
        if (c != ';' && c != ':' && (c < '0' || c > '9')) {
          std::abort();  // the environment must not write to the terminal
        }
      }
    }
  }
  return 0;
}
