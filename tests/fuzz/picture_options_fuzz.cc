// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_options.h"

#include "words.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  trawl::testing::Words words("trawl", data, size);
  trawl::testing::silence_standard_error();
  const trawl::cli::PictureCommand command =
      trawl::cli::parse_picture_options(words.argc(), words.argv());
  if (!command.status &&
      (command.options.paths.empty() || command.options.threads > 1024 ||
       !(command.options.min_share >= 0) || command.options.depth < 0)) {
    std::abort();
  }
  return 0;
}
