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
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace trawl::engine {

// System calls by one worker; others may look at any time.
struct CallCounters {
  std::atomic<std::uint64_t> open{0}, read{0}, stat{0}, close{0};
  // Those of the above that are made only because a listing is shared; its closing included.
  std::atomic<std::uint64_t> to_share{0};

  std::uint64_t sum() const {
    return open.load(std::memory_order_relaxed) + read.load(std::memory_order_relaxed) +
           stat.load(std::memory_order_relaxed) + close.load(std::memory_order_relaxed);
  }
};

// By the counter's only writer.
inline void count(std::atomic<std::uint64_t>& counter, std::uint64_t more = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

// Repeats a call of sys::FileSystem while a signal interrupts it.
template <class Call>
int retry_interrupted(Call call) {
  int error;
  do {
    error = call();
  } while (error == EINTR);
  return error;
}

class Opener;

// Where the workers of a walk meet when descriptors run out. Each gives back what it caches; one at a
// time waits for those that the others list directories with, and no other opens anything meanwhile.
// So there is always one that gets on, with as few as two descriptors.
class DescriptorQueue {
 public:
  void join(const Opener& opener);
  void leave(const Opener& opener);
  bool is_empty() const { return waiting_.load(std::memory_order_relaxed) == 0; }

 private:
  friend class Opener;
  // How often it is tried again, 1 ms apart, when nobody holds any: then the process has used them up,
  // or the system has, and may give some back. Less often if that was in vain before.
  static constexpr int kPatience = 200;

  std::atomic<unsigned> waiting_{0};
  std::mutex turn_;
  int patience_ = kPatience;  // of who has the turn
  std::mutex openers_mutex_;
  std::vector<const Opener*> openers_;
};

class Opener {
 public:
  // `base`: the descriptor that roots are relative to.
  Opener(sys::FileSystem& filesystem, int base, CallCounters& calls, DescriptorQueue& queue)
      : filesystem_(filesystem), base_(base), calls_(calls), queue_(queue) {
    queue_.join(*this);
  }
  ~Opener() {
    release();
    queue_.leave(*this);
  }
  Opener(const Opener&) = delete;
  Opener& operator=(const Opener&) = delete;

  // A path longer than this makes its directory an anchor for those below it. Together with one name
  // it stays far below PATH_MAX; short ones keep the kernel's work per open low.
  static constexpr std::uint32_t kMaxPath = 512;

  // Opens a node, `how.follow` excepted; 0 or errno. Out of descriptors it waits for other workers' (see
  // DescriptorQueue).
  int open(const Node& node, sys::OpenHow how, sys::DirectoryHandle& out);

  // Opens a directory once more that is open; 0 or errno. Never waits for descriptors.
  int open_again(const sys::DirectoryHandle& handle, sys::DirectoryHandle& out);

  // Metadata of a node by name, its link not followed unless it was reached by one.
  int stat(const Node& node, Fields fields, Metadata& out);

  // Takes over a node's open handle: kept if it is an anchor, else closed.
  void close(const Node& node, sys::DirectoryHandle& handle);

  // Closes a handle that is not to be kept.
  void close(sys::DirectoryHandle& handle);

  // Closes all cached descriptors.
  void release();

  // Descriptors that it has open at the moment, the caller's included.
  unsigned held() const { return held_.load(std::memory_order_relaxed); }

 private:
  struct Cached {
    std::uint64_t anchor_id = 0;
    std::uint64_t used = 0;
    sys::DirectoryHandle handle;
  };

  // Descriptor and relative path that lead to `node`.
  int locate(const Node& node, int& base, const char*& path);
  int open_anchor(const Node& anchor, int& fd);
  int open_at(int base, const char* path, sys::OpenHow how, sys::DirectoryHandle& out,
              std::uint64_t keep);
  // Makes a call that needs descriptors until they are to be had.
  template <class Call>
  int with_descriptors(Call call);
  unsigned held_by_others() const;
  const char* path_from_anchor(const Node& node);
  Cached* find(std::uint64_t anchor_id);
  void remember(std::uint64_t anchor_id, sys::DirectoryHandle handle);
  void forget(Cached& cached);

  sys::FileSystem& filesystem_;
  const int base_;
  CallCounters& calls_;
  DescriptorQueue& queue_;
  std::atomic<unsigned> held_{0};  // written by its own worker only
  std::array<Cached, 3> cache_;
  std::uint64_t clock_ = 0;
  std::string path_;
};

}  // namespace trawl::engine
