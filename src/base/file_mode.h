// SPDX-License-Identifier: Apache-2.0
//
// The other way round from type_of_mode() of trawl/types.h.
#pragma once

#include <trawl/types.h>

#include <cstdint>

namespace trawl::base {

// The type bits of a POSIX st_mode.
constexpr std::uint32_t mode_of_type(FileType type) {
  switch (type) {
    case FileType::regular:
      return 0100000;
    case FileType::directory:
      return 0040000;
    case FileType::symlink:
      return 0120000;
    case FileType::block_device:
      return 0060000;
    case FileType::character_device:
      return 0020000;
    case FileType::fifo:
      return 0010000;
    case FileType::socket:
      return 0140000;
    case FileType::unknown:
      break;
  }
  return 0;
}

}  // namespace trawl::base
