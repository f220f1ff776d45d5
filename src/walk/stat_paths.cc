// SPDX-License-Identifier: Apache-2.0
//
// stat_paths() and DirectoryStatBatch: a walk whose roots are the paths, and that enters none.
//
// A few paths that are answered at once are asked for without a walk, which takes 10 µs to set up.
// Paths longer than PATH_MAX are walked in steps by the worker that has their turn.
#include <trawl/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "sys/filesystem.h"
#include "sys/stall_guard.h"
#include "walk/backend.h"
#include "walk/long_path.h"
#include "walk/opener.h"
#include "walk/tuning.h"

namespace trawl {

namespace {

constexpr std::chrono::microseconds kWithoutWalk{20};

// Names in one directory, or paths.
enum class Kind : std::uint8_t { paths, names };

// 0, or why it can't be asked for.
int check(std::string_view path, Kind kind) {
  if (path.find('\0') != std::string_view::npos) {
    return EINVAL;
  }
  const bool is_name =
      !path.empty() && path != "." && path != ".." && path.find('/') == std::string_view::npos;
  return kind == Kind::paths || is_name ? 0 : EINVAL;
}

// What the walk asks for, too.
Fields wanted(Fields fields) { return fields | Fields::type | Fields::identity; }

class Request {
 public:
  Request(std::span<const std::string> paths, Kind kind, int base, const StatOptions& options)
      : paths_(paths),
        kind_(kind),
        base_(base),
        options_(options),
        filesystem_(engine::filesystem_of(Backend::automatic, engine::Tuning::from_environment())),
        results_(paths.size(), StatResult{.error = ECANCELED, .metadata = {}}) {}

  std::vector<StatResult> run() && {
    if (!is_guarded()) {
      run_without_walk();
    }
    if (begin_ < paths_.size()) {
      run_walk();
    }
    return std::move(results_);
  }

 private:
  class Look final : public Visitor {
   public:
    explicit Look(Request& request) : request_(request) {}
    void select(Directory&, std::span<Entry> batch) override {
      for (Entry& entry : batch) {
        const int error = check(entry.name, request_.kind_);
        if (error != 0) {
          request_.result(entry).error = error;
          entry.skip = true;
        }
      }
    }
    Verdict entries(Directory&, std::span<Entry> batch) override {
      for (const Entry& entry : batch) {
        StatResult& result = request_.result(entry);
        if (entry.error == ENAMETOOLONG && entry.name.size() >= engine::kLongPath) {
          request_.answer_long(entry.name, result);
          continue;
        }
        result.error = entry.error;
        if (entry.error == 0) {
          result.metadata = *entry.metadata;
        }
      }
      return Verdict::proceed;
    }

   private:
    Request& request_;
  };

  bool is_guarded() const { return options_.stall_timeout > std::chrono::nanoseconds(0); }
  StatResult& result(const Entry& entry) { return results_[begin_ + entry.position]; }

  void run_without_walk() {
    const auto end = std::chrono::steady_clock::now() + kWithoutWalk;
    while (begin_ < paths_.size() &&
           (options_.cancel == nullptr || !options_.cancel->cancelled())) {
      const std::string& path = paths_[begin_];
      StatResult& result = results_[begin_++];
      result.error = check(path, kind_);
      if (result.error == 0) {
        result.error = engine::stat_in_steps(filesystem_, base_, path, wanted(options_.fields),
                                             options_.follow, result.metadata);
      }
      if (std::chrono::steady_clock::now() >= end) {
        return;
      }
    }
  }

  void run_walk() {
    Options options;
    options.fields = options_.fields;
    options.follow = options_.follow ? Follow::roots : Follow::never;
    options.max_depth = -1;
    options.threads = options_.threads;
    options.base_descriptor = base_;
    options.cancel = options_.cancel;
    options.stall_timeout = options_.stall_timeout;
    options.max_errors = 0;
    Look visitor(*this);  // has no data of its own, so one serves all workers
    walk(paths_.subspan(begin_), options, [&visitor](unsigned) -> Visitor& { return visitor; });
  }

  // On any worker.
  void answer_long(std::string_view path, StatResult& result) {
    sys::FileSystem* filesystem = &filesystem_;
    if (is_guarded()) {
      std::call_once(guard_once_, [this] {
        guard_.emplace(filesystem_, options_.stall_timeout, sys::StallGuard::Trust::local, base_);
      });
      filesystem = &*guard_;
    }
    result.error = engine::stat_in_steps(*filesystem, base_, path, wanted(options_.fields),
                                         options_.follow, result.metadata);
  }

  const std::span<const std::string> paths_;
  const Kind kind_;
  const int base_;
  const StatOptions& options_;
  sys::FileSystem& filesystem_;
  std::vector<StatResult> results_;
  std::size_t begin_ = 0;  // those before it are answered; the walk's first root
  std::once_flag guard_once_;
  std::optional<sys::StallGuard> guard_;
};

}  // namespace

std::vector<StatResult> stat_paths(std::span<const std::string> paths, const StatOptions& options) {
  return Request(paths, Kind::paths, kCurrentDirectory, options).run();
}

std::optional<DirectoryStatBatch> DirectoryStatBatch::open(const std::string& directory,
                                                           int& error) {
  sys::DirectoryHandle handle;
  error = check(directory, Kind::paths);
  if (error == 0) {
    error = engine::open_in_steps(sys::linux_filesystem(), kCurrentDirectory, directory,
                                  {.follow = true, .path_only = true}, handle);
  }
  if (error != 0) {
    return std::nullopt;
  }
  return DirectoryStatBatch(handle.fd);
}

DirectoryStatBatch::DirectoryStatBatch(DirectoryStatBatch&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

DirectoryStatBatch& DirectoryStatBatch::operator=(DirectoryStatBatch&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

DirectoryStatBatch::~DirectoryStatBatch() {
  sys::DirectoryHandle handle{.fd = descriptor_};
  sys::linux_filesystem().close(handle);
}

StatResult DirectoryStatBatch::stat_relative(const std::string& name, bool follow,
                                             Fields fields) const {
  StatResult result{.error = check(name, Kind::names), .metadata = {}};
  if (result.error == 0) {
    result.error = engine::retry_interrupted([&] {
      return sys::linux_filesystem().stat_at(descriptor_, name.c_str(), wanted(fields), follow,
                                             result.metadata);
    });
  }
  return result;
}

std::vector<StatResult> DirectoryStatBatch::stat_batch_relative(std::span<const std::string> names,
                                                                bool follow,
                                                                const StatOptions& options) const {
  StatOptions asked = options;
  asked.follow = follow;
  return Request(names, Kind::names, descriptor_, asked).run();
}

}  // namespace trawl
