// SPDX-License-Identifier: Apache-2.0
//
// Opens directories for one worker, by path relative to an anchor: a root, a followed link's target,
// or a directory deep enough that paths from the last anchor grow long. So paths stay below PATH_MAX
// at any depth, no path runs through a link, and no directory stays open for its descendants' sake
// but a few anchors, cached per worker and found again by path when they were evicted.
#pragma once

#include "sys/filesystem.h"
#include "walk/node.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

namespace trawl::engine {

// Repeats a call of sys::FileSystem while a signal interrupts it.
template <class Call>
int retry_interrupted(Call call) {
  int error;
  do {
    error = call();
  } while (error == EINTR);
  return error;
}

class Opener {
 public:
  Opener(sys::FileSystem& filesystem, Statistics& statistics)
      : filesystem_(filesystem), statistics_(statistics) {}
  ~Opener() { release(); }
  Opener(const Opener&) = delete;
  Opener& operator=(const Opener&) = delete;

  // A path longer than this makes its directory an anchor for those below it. Together with one name
  // it stays far below PATH_MAX; short ones keep the kernel's work per open low.
  static constexpr std::uint32_t kMaxPath = 512;

  // Opens a node; 0 or errno. Out of descriptors, cached ones are given back first, and if other
  // workers hold the rest it waits for them a little (at most kPatience).
  int open(const Node& node, bool stay_on_mount, sys::DirectoryHandle& out);

  // Metadata of a node by name, its link not followed unless it was reached by one.
  int stat(const Node& node, Fields fields, Metadata& out);

  // Takes over a node's open handle: kept if it is an anchor, else closed.
  void close(const Node& node, sys::DirectoryHandle& handle);

  // Closes all cached descriptors.
  void release();

 private:
  struct Cached {
    std::uint64_t anchor_id = 0;
    std::uint64_t used = 0;
    sys::DirectoryHandle handle;
  };

  // Descriptor and relative path that lead to `node`.
  int locate(const Node& node, int& base, const char*& path);
  int open_anchor(const Node& anchor, int& fd);
  int open_retrying(int base, const char* path, sys::OpenHow how, sys::DirectoryHandle& out,
                    std::uint64_t keep);
  const char* path_from_anchor(const Node& node);
  Cached* find(std::uint64_t anchor_id);
  void remember(std::uint64_t anchor_id, sys::DirectoryHandle handle);
  void forget(Cached& cached);

  sys::FileSystem& filesystem_;
  Statistics& statistics_;
  std::array<Cached, 3> cache_;
  std::uint64_t clock_ = 0;
  std::string path_;
};

}  // namespace trawl::engine
