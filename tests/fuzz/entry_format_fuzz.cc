// SPDX-License-Identifier: Apache-2.0
//
// The first byte says which format the rest is; entries with odd metadata are written in it.
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "cli/entry_format.h"

namespace {

using trawl::cli::EntryFormat;

std::unique_ptr<EntryFormat> make(std::uint8_t which, std::string_view text) {
  switch (which % 4) {
    case 0:
      return trawl::cli::make_field_format(text, '\n');
    case 1:
      return trawl::cli::make_stat_format(text, false);
    case 2:
      return trawl::cli::make_stat_format(text, true);
    default:
      return trawl::cli::make_json_format(trawl::Fields::all);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  // Widths are allowed up to 65536 each; many of them would only take time.
  if (text.size() > 200) {
    return 0;
  }
  std::unique_ptr<EntryFormat> format;
  try {
    format = make(data[0], text);
  } catch (const trawl::cli::UnknownWord& unknown) {
    if (unknown.message.empty()) {
      std::abort();
    }
    return 0;
  }
  trawl::Metadata odd;
  odd.valid = trawl::Fields::all;
  odd.mode = 0127777;
  odd.uid = 0;
  odd.size = UINT64_MAX;
  odd.device = UINT64_MAX;
  odd.device_major = odd.device_minor = UINT32_MAX;
  odd.mtime = {INT64_MIN, 999'999'999};
  odd.atime = {INT64_MAX, 1};
  odd.ctime = {-1, 1};
  trawl::Metadata nothing;
  for (const trawl::Metadata* metadata : {&odd, &nothing}) {
    // %m asks the system about the path.
    const trawl::cli::EntryLine entry{.path = data[0] % 4 == 3 ? text : std::string_view("."),
                                      .name = ".",
                                      .depth = -1,
                                      .type = metadata->type(),
                                      .metadata = metadata,
                                      .target = "\xFF\n'"};
    std::string out;
    format->append(entry, out);
    std::string again;
    format->append(entry, again);
    if (out != again) {
      std::abort();
    }
    if (data[0] % 4 == 3 && !nlohmann::json::accept(out)) {
      std::abort();
    }
  }
  return 0;
}
