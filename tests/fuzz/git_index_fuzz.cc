// SPDX-License-Identifier: Apache-2.0
//
// Git's index. The first byte chooses: the rest is an index of SHA-1 or SHA-256, which must be read
// or refused; or it is lines of paths, which are written as an index of each version and must be
// found in it again, with the directories that they are in.
#include <trawl/tracked_paths.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using trawl::TrackedPaths;
using Paths = std::set<std::string>;

void append_number(std::string& out, std::size_t value, int bytes) {
  while (bytes-- > 0) out += static_cast<char>(value >> (8 * bytes) & 0xFF);
}

// Each byte but the first adds one, so that there is one way to write it.
std::string offset(std::size_t value) {
  std::string out(1, static_cast<char>(value & 0x7F));
  while ((value >>= 7) != 0) {
    --value;
    out.insert(out.begin(), static_cast<char>(0x80 | (value & 0x7F)));
  }
  return out;
}

std::string index_of(const Paths& paths, unsigned version, std::size_t hash_size) {
  std::string out = "DIRC";
  append_number(out, version, 4);
  append_number(out, paths.size(), 4);
  std::string before;
  for (const std::string& path : paths) {
    const std::size_t begin = out.size();
    const bool is_extended = version > 2 && path.size() % 2 == 0;
    out.append(24, 't');
    append_number(out, 0100644, 4);
    out.append(12 + hash_size, 'h');
    append_number(out, std::min<std::size_t>(path.size(), 0xFFF) | (is_extended ? 0x4000U : 0U), 2);
    out.append(is_extended ? 2 : 0, '\0');
    if (version == 4) {
      const auto same = static_cast<std::size_t>(
          std::mismatch(before.begin(), before.end(), path.begin(), path.end()).first -
          before.begin());
      out += offset(before.size() - same) + path.substr(same) + '\0';
      before = path;
    } else {
      out += path;
      do out += '\0';
      while ((out.size() - begin) % 8 != 0);
    }
  }
  return out.append(hash_size, 's');
}

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const Paths& paths, const TrackedPaths& tracked) {
  require(tracked.size() == paths.size());
  for (const std::string& path : paths) {
    require(tracked.contains(path));
    require(tracked.submodule_of(path).empty());
    for (std::size_t slash = path.find('/'); slash != path.npos;
         slash = path.find('/', slash + 1)) {
      if (slash == 0) continue;
      require(tracked.contains(path.substr(0, slash)));
      require(tracked.contains(path.substr(0, slash + 1)));
    }
    const std::string other = path + '\x01';
    const auto below = paths.lower_bound(other + '/');
    require(tracked.contains(other) ==
            (paths.count(other) != 0 || (below != paths.end() && below->starts_with(other + '/'))));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t hash_size = (data[0] & 1) != 0 ? 32 : 20;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  if ((data[0] & 2) == 0) {
    try {
      const TrackedPaths tracked = TrackedPaths::parse(text, hash_size);
      tracked.contains(text);
      tracked.submodule_of(text);
    } catch (const std::runtime_error&) {
    }
    return 0;
  }
  Paths paths;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string path = text.substr(begin, end - begin);
    if (!path.empty() && path.find('\0') == path.npos) paths.insert(path);
    begin = end + 1;
  }
  for (const unsigned version : {2U, 3U, 4U}) {
    check(paths, TrackedPaths::parse(index_of(paths, version, hash_size), hash_size));
  }
  return 0;
}
