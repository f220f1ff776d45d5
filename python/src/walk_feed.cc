// SPDX-License-Identifier: Apache-2.0
#include "walk_feed.h"

#include <trawl/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <span>
#include <utility>

namespace trawl::python {

// Of a directory that was entered.
struct WalkFeed::Folder {
  WalkTriple triple;
  bool failed = false;  // has no triple
  bool pushed = false;  // so what is below it need not wait
  bool left = false;
  std::vector<Folder*> waiting;  // directories in it, for its being pushed
  std::list<Folder>::iterator self;
};

namespace {

struct Slot {
  void* folder;  // null: not entered
};

std::string path_of(const Directory& directory, std::string_view name) {
  std::string path;
  directory.append_path(path);
  if (!name.empty() && !path.empty() && path.back() != '/') {
    path += '/';
  }
  return path += name;
}

// Which entries are symbolic links to directories.
std::vector<bool> links_to_directories(const Directory& directory, std::span<const Entry> batch) {
  std::vector<bool> found(batch.size());
  std::vector<std::size_t> links;
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].type == FileType::symlink) {
      links.push_back(i);
      paths.push_back(path_of(directory, batch[i].name));
    }
  }
  if (!links.empty()) {
    const auto answers = stat_paths(paths, {.fields = Fields::type, .follow = true, .threads = 1});
    for (std::size_t i = 0; i < links.size(); ++i) {
      found[links[i]] = answers[i] && answers[i].metadata.is_directory();
    }
  }
  return found;
}

}  // namespace

class WalkFeed::Worker : public Visitor {
 public:
  explicit Worker(WalkFeed& feed) : feed_(feed) {}

  Verdict enter(Directory& directory) override {
    if (!directory.is_origin()) {
      Folder& folder = feed_.add_folder();
      directory.append_path(folder.triple.path);
      directory.slot<Slot>().folder = &folder;
    }
    return Verdict::proceed;
  }

  Verdict entries(Directory& directory, std::span<Entry> batch) override {
    if (directory.is_origin()) {
      for (const Entry& root : batch) {
        if (!root.descend) {
          feed_.add_error({.operation = root.error != 0 ? Operation::stat : Operation::open,
                           .code = root.error != 0 ? root.error : ENOTDIR,
                           .depth = 0,
                           .path = std::string(root.name)});
        }
      }
      return Verdict::proceed;
    }
    const std::vector<bool> links = links_to_directories(directory, batch);
    WalkTriple& triple = folder_of(directory)->triple;
    const std::lock_guard lock(directory);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const Entry& entry = batch[i];
      const bool failed = entry.error != 0 && entry.metadata == nullptr;
      if (failed && entry.error == ENOENT) {
        continue;  // vanished
      }
      if (failed) {
        feed_.add_error({.operation = Operation::stat,
                         .code = entry.error,
                         .depth = directory.depth() + 1,
                         .path = path_of(directory, entry.name)});
      }
      triple.names.push_back({.position = entry.position,
                              .begin = triple.bytes.size(),
                              .size = static_cast<std::uint32_t>(entry.name.size()),
                              .directory = entry.type == FileType::directory || links[i]});
      triple.bytes += entry.name;
    }
    return Verdict::proceed;
  }

  void listed(Directory& directory) override {
    if (directory.is_origin()) {
      return;
    }
    Folder& folder = *folder_of(directory);
    folder.failed = directory.state() != State::open && directory.state() != State::complete;
    // Several workers may have listed it.
    const auto earlier = [](const WalkTriple::Name& a, const WalkTriple::Name& b) {
      return a.position < b.position;
    };
    if (!std::is_sorted(folder.triple.names.begin(), folder.triple.names.end(), earlier)) {
      std::sort(folder.triple.names.begin(), folder.triple.names.end(), earlier);
    }
    if (feed_.topdown_) {
      feed_.deliver(folder, folder_of(*directory.parent()));
    }
  }

  void leave(Directory& directory) override {
    if (directory.is_origin()) {
      return;
    }
    Folder* const folder = folder_of(directory);
    const State state = directory.state();
    if (state == State::unreadable || state == State::partially_read) {
      feed_.add_error({.operation = directory.operation(),
                       .code = directory.error(),
                       .depth = directory.depth(),
                       .path = path_of(directory, {})});
    }
    if (folder != nullptr) {
      folder->failed = state != State::complete;
      if (!feed_.topdown_) {
        feed_.deliver(*folder, nullptr);
      }
      feed_.release(*folder);
    }
  }

 private:
  static Folder* folder_of(Directory& directory) {
    return directory.is_origin() ? nullptr : static_cast<Folder*>(directory.slot<Slot>().folder);
  }

  WalkFeed& feed_;
};

WalkFeed::WalkFeed(std::string root, Options options, bool topdown, std::size_t capacity)
    : roots_{std::move(root)},
      topdown_(topdown),
      capacity_(capacity),
      options_(std::move(options)) {
  options_.slot_bytes = sizeof(Slot);
  options_.cancel = &token_;
  options_.visit_once = false;  // os.walk takes every path, too
  thread_ = std::thread([this] { run(); });
}

WalkFeed::~WalkFeed() {
  cancel();
  join();
}

void WalkFeed::run() {
  std::exception_ptr failure;
  try {
    walk(roots_, options_, [this](unsigned) -> Visitor& {
      return *workers_.emplace_back(std::make_unique<Worker>(*this));
    });
  } catch (...) {
    failure = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  failure_ = std::move(failure);
  closed_ = true;
  ready_.notify_all();
}

WalkFeed::Folder& WalkFeed::add_folder() {
  const std::lock_guard lock(mutex_);
  Folder& folder = folders_.emplace_back();
  folder.self = std::prev(folders_.end());
  return folder;
}

// Its triple, and those that waited for it, go into the queue, or wait for the parent's.
void WalkFeed::deliver(Folder& first, Folder* parent) {
  std::unique_lock lock(mutex_);
  if (parent != nullptr && !parent->pushed) {
    parent->waiting.push_back(&first);
    return;
  }
  std::vector<Folder*> next{&first};
  while (!next.empty()) {
    Folder& folder = *next.back();
    next.pop_back();
    if (!folder.failed) {
      push(lock, std::move(folder.triple));
    }
    folder.pushed = true;
    // The first in the listing last, so that it is next.
    next.insert(next.end(), folder.waiting.rbegin(), folder.waiting.rend());
    folder.waiting.clear();
    if (folder.left) {
      folders_.erase(folder.self);
    }
  }
}

void WalkFeed::push(std::unique_lock<std::mutex>& lock, WalkTriple&& triple) {
  const std::size_t weight = triple.names.size() + 1;
  const auto fits = [&] {
    return token_.cancelled() || queued_ == 0 || queued_ + weight <= capacity_;
  };
  if (!fits()) {
    const WorkerPause pause;
    room_.wait(lock, fits);
  }
  if (token_.cancelled()) {
    return;
  }
  queued_ += weight;
  queue_.push_back(std::move(triple));
  if (queue_.size() == 1) {
    ready_.notify_all();
  }
}

void WalkFeed::release(Folder& folder) {
  const std::lock_guard lock(mutex_);
  folder.left = true;
  if (folder.pushed) {
    folders_.erase(folder.self);
  }
}

void WalkFeed::add_error(Error error) {
  const std::lock_guard lock(mutex_);
  errors_.push_back(std::move(error));
}

bool WalkFeed::wait(std::chrono::nanoseconds at_most) {
  std::unique_lock lock(mutex_);
  return ready_.wait_for(lock, at_most, [this] { return closed_ || !queue_.empty(); });
}

std::deque<WalkTriple> WalkFeed::take() {
  const std::lock_guard lock(mutex_);
  if (queue_.empty() && failure_ != nullptr) {
    std::rethrow_exception(std::exchange(failure_, nullptr));
  }
  queued_ = 0;
  room_.notify_all();
  return std::exchange(queue_, {});
}

void WalkFeed::cancel() {
  token_.cancel();
  const std::lock_guard lock(mutex_);
  queue_.clear();
  queued_ = 0;
  room_.notify_all();
}

void WalkFeed::join() {
  const std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) {
    thread_.join();
  }
}

std::vector<Error> WalkFeed::take_errors() {
  const std::lock_guard lock(mutex_);
  return std::exchange(errors_, {});
}

}  // namespace trawl::python
