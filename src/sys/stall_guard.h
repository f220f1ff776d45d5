// SPDX-License-Identifier: Apache-2.0
//
// A filesystem whose calls end in time: one that did not return by then answers ETIME.
//
// Who waits in the kernel for a dead server can't be called back. Not even by killing it: a process
// one of whose threads waits for a FUSE server that has taken its request can't end. So calls that
// may have to wait for a server are made by a child process, a *proxy*, one for each thread that
// calls. It opens directories in a descriptor table of its own, and answers through shared memory.
// When the time is over, the caller kills it and leaves it to its fate, with all that it has open;
// the next call gets another proxy. Handles of a proxy that was left behind are lost: what is asked
// of them is answered with ETIME at once, and is_lost() says so. When 256 that were left behind still
// wait, no more are started: what would need one has ETIME at once.
//
// Local filesystems, by their type in the mount table, do not wait for servers: they are asked
// directly, so that a guarded walk is as fast there. A call is direct if it stays on a mount that
// is known to be local: names below its directories but for those of mount points that are not, no
// link followed, no mount crossed (which takes openat2). A proxy costs two switches of processes
// per call, 10 to 20 µs, and to start it half a millisecond.
//
// A call is given up before its time, with ECANCELED, when the caller says that all is over.
//
// Linux only, and only for a FileSystem that does not allocate, nor lock. Thread-safe; handles are
// used by the thread that opened them. Closing a directly opened handle is not guarded.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "sys/filesystem.h"

namespace trawl::sys {

class StallGuard final : public FileSystem {
 public:
  enum class Trust : std::uint8_t { local, nobody };  // nobody: for tests

  // Reads the mount table. `base`: a directory that the caller opened, of which it is not known
  // whether it is local. `is_over` is asked by any thread, ten times a second while it waits.
  StallGuard(FileSystem& real, std::chrono::nanoseconds timeout, Trust trust = Trust::local,
             int base = kWorkingDirectory, std::function<bool()> is_over = {});
  ~StallGuard() override;

  int open_directory(int base, const char* path, OpenHow how, DirectoryHandle& out) override;
  bool stays_on_mount() const override { return real_.stays_on_mount(); }
  int read_directory(DirectoryHandle& handle, std::span<std::byte> buffer, std::size_t& size,
                     bool& end) override;
  int seek_directory(DirectoryHandle& handle, std::int64_t offset) override;
  int stat_handle(const DirectoryHandle& handle, Fields fields, Metadata& out) override;
  int stat_at(int base, const char* path, Fields fields, bool follow, Metadata& out) override;
  int read_link(int base, const char* path, std::span<char> out, std::size_t& size) override;
  int read_file(int base, const char* path, bool follow, std::uint64_t offset,
                std::span<std::byte> out, std::size_t& size) override;
  int real_path(int base, const char* path, std::span<char> out, std::size_t& size) override;
  void close(DirectoryHandle& handle) override;
  bool is_lost(const DirectoryHandle& handle) override;
  bool make_descriptors_private() override { return real_.make_descriptors_private(); }
  bool listed_inodes_are_exact(const DirectoryHandle& handle) override;
  bool inode_order_helps(const DirectoryHandle& handle) override;
  bool last_offset_marks_end(const DirectoryHandle& handle) override;
  bool offsets_ascend(const DirectoryHandle& handle) override;

 private:
  struct Call;
  class Proxy;
  struct Caller;

  bool is_own(int fd) const;
  bool is_local_name(int base, const char* path) const;
  Caller& caller();
  int ask_proxy(Call& call);
  int ask_bytes(Call& call, void* out, std::size_t& size);
  bool ask(bool (FileSystem::*question)(const DirectoryHandle&), const DirectoryHandle& handle);

  FileSystem& real_;
  const std::chrono::nanoseconds timeout_;
  const int base_;
  const std::function<bool()> is_over_;
  const std::uint64_t id_;  // unlike that of any other guard
  std::set<std::uint64_t> local_devices_;
  std::set<std::string, std::less<>> foreign_names_;  // last names of other filesystems' mounts
};

}  // namespace trawl::sys
