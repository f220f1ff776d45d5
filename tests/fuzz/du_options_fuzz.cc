// SPDX-License-Identifier: Apache-2.0
//
// The command line of `trawl du`: words separated by NUL, before the first of them a byte that sets
// the environment. Files are not read: -X and --files0-from name none that exists.
#include "cli/du_options.h"

#include "words.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  trawl::testing::Words words("trawl du", data, size);
  trawl::testing::silence_standard_error();
  setenv("DU_BLOCK_SIZE", words.first(), 1);
  setenv("TIME_STYLE", words.first(), 1);
  const trawl::cli::DuCommand command = trawl::cli::parse_du_options(words.argc(), words.argv());
  if (!command.status && command.options.size_format.block == 0) {
    std::abort();  // sizes are divided by it
  }
  if (!command.status) {
    std::string out;
    trawl::cli::append_size(out, 123456789, command.options.size_format);
    (void)command.options.filter.excludes.matches("some/path of/files");
  }
  return 0;
}
