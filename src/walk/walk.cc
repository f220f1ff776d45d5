// SPDX-License-Identifier: Apache-2.0
#include <trawl/walk.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "sys/filesystem.h"
#include "sys/mounts.h"
#include "sys/stall_guard.h"
#include "walk/backend.h"
#include "walk/engine.h"
#include "walk/tuning.h"

namespace trawl {

namespace {

const char* verb_of(Operation operation) {
  switch (operation) {
    case Operation::open: return "open";
    case Operation::read: return "read";
    case Operation::stat: return "access";
    case Operation::descend: return "enter";
  }
  return "";
}

}  // namespace

std::string Error::message() const {
  return std::string("cannot ") + verb_of(operation) + " '" + path +
         "': " + error_text(code);
}

std::string error_text(int code) {
  return code == ETIME ? "stalled: no answer in time" : std::generic_category().message(code);
}

Statistics& Statistics::operator+=(const Statistics& other) {
  entries += other.entries;
  directories += other.directories;
  errors += other.errors;
  vanished += other.vanished;
  open_calls += other.open_calls;
  read_calls += other.read_calls;
  stat_calls += other.stat_calls;
  close_calls += other.close_calls;
  steals += other.steals;
  stolen_tasks += other.stolen_tasks;
  splits += other.splits;
  range_splits += other.range_splits;
  parks += other.parks;
  run_time += other.run_time;
  cpu_time += other.cpu_time;
  workers += other.workers;
  most_live_directories = std::max(most_live_directories, other.most_live_directories);
  return *this;
}

Result& Result::operator+=(Result&& next) {
  ending = ending == Ending::complete ? next.ending : ending;
  statistics += next.statistics;
  std::move(next.workers.begin(), next.workers.end(), std::back_inserter(workers));
  std::move(next.concurrency.begin(), next.concurrency.end(), std::back_inserter(concurrency));
  std::move(next.errors.begin(), next.errors.end(), std::back_inserter(errors));
  return *this;
}

void Directory::append_path(std::string& out) const {
  if (is_origin()) {
    return;
  }
  // Sizes first, then names from the last to the first: one pass each, one allocation at the most.
  std::size_t size = name_.size();
  const Directory* root = this;
  for (; root->depth_ > 0; root = root->parent_) {
    size += root->parent_->name_.size() + 1;
  }
  const bool has_slash = root != this && root->name_.ends_with('/');
  size -= has_slash ? 1 : 0;
  const std::size_t begin = out.size();
  out.resize(begin + size);
  std::size_t end = out.size();
  for (const Directory* at = this;; at = at->parent_) {
    end -= at->name_.size();
    std::memcpy(out.data() + end, at->name_.data(), at->name_.size());
    if (at->depth_ == 0) {
      return;
    }
    if (at->depth_ > 1 || !has_slash) {
      out[--end] = '/';
    }
  }
}

void Directory::lock() {
  constexpr int kSpins = 64;
  for (int i = 0; i < kSpins; ++i) {
    if (lock_.load(std::memory_order_relaxed) == 0 &&
        lock_.exchange(1, std::memory_order_acquire) == 0) {
      return;
    }
  }
  while (lock_.exchange(2, std::memory_order_acquire) != 0) {
    lock_.wait(2, std::memory_order_relaxed);
  }
}

void Directory::unlock() {
  if (lock_.exchange(0, std::memory_order_release) == 2) {
    lock_.notify_one();
  }
}

Result walk(std::span<const std::string> roots, const Options& options,
            const VisitorFactory& factory) {
  if (options.private_descriptors && options.base_descriptor != kCurrentDirectory) {
    throw std::invalid_argument("base_descriptor is of no use with private_descriptors");
  }
  const engine::Tuning tuning = engine::Tuning::from_environment();
  sys::FileSystem& filesystem = engine::filesystem_of(options.backend, tuning);
  if (options.stall_timeout > std::chrono::nanoseconds(0)) {
    if (options.backend == Backend::posix) {
      throw std::invalid_argument("stall_timeout needs the Linux backend");
    }
    sys::StallGuard guard(
        filesystem, options.stall_timeout, sys::StallGuard::Trust::local, options.base_descriptor,
        [&] {
          return (options.cancel != nullptr && options.cancel->cancelled()) ||
                 (options.deadline && std::chrono::steady_clock::now() >= *options.deadline);
        });
    return engine::Engine(guard, roots, options, factory, tuning).run();
  }
  return engine::Engine(filesystem, roots, options, factory, tuning).run();
}

bool can_trace() {
#ifdef TRAWL_TRACE
  return true;
#else
  return false;
#endif
}

Repeats repeats_by_mounts(std::chrono::nanoseconds stall_timeout) {
  // Type and number of what is mounted never change: no server has to be asked for them. But one is
  // asked about the path to it (or on network filesystems about its age), so this is guarded, too.
  sys::FileSystem* filesystem = &sys::linux_filesystem_unsynchronized();
  std::optional<sys::StallGuard> guard;
  if (stall_timeout > std::chrono::nanoseconds(0)) {
    filesystem = &guard.emplace(*filesystem, stall_timeout);
  }
  std::vector<sys::Mount> mounts = sys::read_mounts();
  sys::mark_file_mounts(mounts, *filesystem);
  Repeats repeats;
  repeats.directories = mounts.empty() || sys::same_directory_may_appear_twice(mounts);
  for (const std::string& path : sys::file_mount_points(mounts)) {
    Metadata metadata;
    if (filesystem->stat_at(sys::kWorkingDirectory, path.c_str(), Fields::identity, false,
                            metadata) == 0) {
      repeats.files.push_back(metadata.identity());
    }
  }
  return repeats;
}

}  // namespace trawl
