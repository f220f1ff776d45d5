// SPDX-License-Identifier: Apache-2.0
//
// The walk runs in a thread of its own (and the engine's workers), the reader goes through the
// blocks in order and frees what it leaves behind. Both meet under one mutex, once per directory:
//
//   worker   publish()            a directory is known; wakes the reader if it waits for that one
//   worker   before_directory()   waits while more than `look_ahead` entries are published and not
//   read reader   advance()            waits for the directory that comes next
//
// Nobody waits for ever: workers do what is in their deques in the order of the list and steal what
// comes next, so whoever has the directory that the reader waits for comes to it before anything
// else, and passes. Should that ever fail, or the system not run that worker, then after a moment
// in which nothing was listed one that is held back passes: it costs look-ahead instead of standing
// still.
//
// With bytes and rsync28 that order is not the reader's: it needs "a" before "a-", but what is
// below "a-" comes first. There one that is held back passes at once when the reader waits and
// nothing is listed.
#include <trawl/file_list.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "fold/file_list_build.h"

namespace trawl {

using detail::FileListStorage;
using detail::ListedDirectory;

namespace {

// Any order is as good as none, but workers need one to stay near the reader.
ListOptions in_some_order(ListOptions options) {
  options.order = options.order == Order::unordered ? Order::component : options.order;
  return options;
}

}  // namespace

struct FileListWalker::Work final : fold::ListObserver {
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kMoment{20};

  Work(std::string root, const ListOptions& with, std::size_t most_ahead)
      : options(in_some_order(with)),
        look_ahead(static_cast<std::int64_t>(std::min<std::size_t>(most_ahead, INT64_MAX))),
        storage(std::move(root), options),
        work(storage, options, this),
        thread([this] { run(); }) {}

  ~Work() override {
    stop();
    release();
    if (cursor) {
      fold::free_blocks(*cursor);
    } else if (work.origin != nullptr) {
      fold::ListCursor all(work.origin);
      fold::free_blocks(all);
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      work.stop.store(true);
      worker_wake.notify_all();
    }
    if (thread.joinable()) {
      thread.join();
    }
  }

  // --- workers

  // Waiting for the lock is none for the filesystem.
  std::unique_lock<std::mutex> lock_on_worker() {
    std::unique_lock lock(mutex, std::try_to_lock);
    if (!lock) {
      const WorkerPause pause;
      lock.lock();
    }
    return lock;
  }

  // What the reader waits for may come after what is held back.
  bool is_out_of_order() const {
    return wanted != nullptr && listing == 0 && fold::splits_directories(options.order);
  }

  void before_directory(const std::byte* record) override {
    std::unique_lock lock = lock_on_worker();
    const auto may_pass = [&] {
      return ahead <= look_ahead || wanted == record || work.stop.load() || is_out_of_order();
    };
    std::optional<WorkerPause> pause;
    while (!may_pass()) {
      if (!pause) {
        pause.emplace();
      }
      const bool woken = worker_wake.wait_for(lock, kMoment) == std::cv_status::no_timeout;
      const bool stuck = wanted != nullptr && listing == 0 && Clock::now() - last_pass >= kMoment;
      if (!woken && stuck) {
        break;
      }
    }
    last_pass = Clock::now();
    ++listing;
  }

  void publish(std::byte* at, std::uint64_t link, std::uint64_t entries, bool was_listed) override {
    const std::unique_lock lock = lock_on_worker();
    std::memcpy(at, &link, sizeof link);
    ahead += static_cast<std::int64_t>(entries);
    listing -= was_listed ? 1 : 0;
    if (is_out_of_order()) {
      worker_wake.notify_one();
    }
    if (awaited == at) {
      reader_wake.notify_one();
    }
  }

  void run() {
    Result done;
    std::exception_ptr thrown;
    std::vector<std::unique_ptr<fold::ListVisitor>> visitors;
    try {
      const std::string roots[] = {storage.root};
      Options how = fold::walk_options(options);
      how.descent = fold::descent_of(options.order);
      done = walk(roots, how, [&](unsigned) -> Visitor& {
        return *visitors.emplace_back(std::make_unique<fold::ListVisitor>(work));
      });
    } catch (...) {
      thrown = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    result = std::move(done);
    exception = thrown;
    ended = true;
    reader_wake.notify_one();
  }

  // --- the reader

  bool next(FileListEntry& entry) {
    if (!cursor) {
      const auto* at = reinterpret_cast<const std::byte*>(&work.origin);
      wait_for(at, nullptr);
      const std::uint64_t origin = fold::link_of(at);
      if (origin == 0) {
        return at_end();
      }
      cursor.emplace(reinterpret_cast<const ListedDirectory*>(origin));
    }
    for (;;) {
      switch (cursor->next([this](const std::byte* at) { return load_link(at); })) {
        case fold::ListCursor::Step::entry:
          ++read;
          if (options.include_root || cursor->block()->parent != nullptr ||
              fold::header_of(cursor->record()).type != FileType::directory) {
            entry = ListedDirectory::entry(cursor->block(), cursor->record());
            return true;
          }
          break;
        case fold::ListCursor::Step::wait: {
          const std::byte* record = cursor->record();
          wait_for(record + storage.layout.link_at(fold::header_of(record)), record);
          break;
        }
        case fold::ListCursor::Step::leave:
          left.push_back(cursor->block());
          break;
        case fold::ListCursor::Step::end:
          return at_end();
      }
    }
  }

  // Entries that were returned so far are not looked at any more.
  void release() {
    for (const ListedDirectory* block : left) {
      fold::free_block(block);
    }
    left.clear();
  }

  std::uint64_t load_link(const std::byte* at) {
    const std::lock_guard lock(mutex);
    account();
    return ended ? fold::final_link(at) : fold::link_of(at);
  }

  // Under the mutex. Workers that wait are woken when there is room for some more directories.
  void account() {
    const bool was_full = ahead > look_ahead;
    ahead -= std::exchange(read, 0);
    if (was_full && ahead <= look_ahead) {
      worker_wake.notify_all();
    }
  }

  // Until there is a link, or there will be none any more.
  void wait_for(const std::byte* link, const std::byte* record) {
    std::unique_lock lock(mutex);
    account();
    awaited = link;
    wanted = record;
    worker_wake.notify_all();  // the one that has it may be held back
    reader_wake.wait(lock, [&] { return ended || fold::link_of(link) != 0; });
    awaited = nullptr;
    wanted = nullptr;
  }

  bool at_end() {
    stop();
    if (exception) {
      std::rethrow_exception(std::exchange(exception, nullptr));
    }
    return false;
  }

  const ListOptions options;
  const std::int64_t look_ahead;
  std::optional<fold::ListCursor> cursor;    // the reader's
  std::vector<const ListedDirectory*> left;  // blocks
  std::int64_t read = 0;                     // entries, not yet subtracted from `ahead`

  std::mutex mutex;  // of what follows, and of links
  std::condition_variable worker_wake, reader_wake;
  std::int64_t ahead = 0;  // entries published and not read
  int listing = 0;         // directories that passed before_directory() and are not published
  Clock::time_point last_pass;
  const std::byte* awaited = nullptr;  // the link that the reader waits for
  const std::byte* wanted = nullptr;   // and its record; null: the reader does not wait
  bool ended = false;                  // the walk
  Result result;
  std::exception_ptr exception;

  FileListStorage storage;
  fold::ListWork work;
  std::thread thread;  // last: it uses the others
};

FileListWalker::FileListWalker(std::string root, const ListOptions& options, std::size_t look_ahead)
    : work_(std::make_unique<Work>(std::move(root), options, look_ahead)) {}
FileListWalker::~FileListWalker() = default;

FileListWalker::Iterator FileListWalker::begin() {
  advance();
  return Iterator(this);
}

void FileListWalker::advance() {
  if (!at_end_) {
    at_end_ = true;  // also if this throws
    work_->release();
    at_end_ = !work_->next(current_);
  }
}

const Result& FileListWalker::result() {
  work_->stop();
  return work_->result;
}

Result collect_chunked(const std::string& root, const ListOptions& options, std::size_t chunk_size,
                       const std::function<bool(std::span<const FileListEntry>)>& callback) {
  FileListWalker walker(root, options);
  FileListWalker::Work& work = *walker.work_;
  std::vector<FileListEntry> chunk;
  chunk_size = std::max<std::size_t>(1, chunk_size);
  chunk.reserve(std::min(chunk_size, FileListWalker::kLookAhead));
  FileListEntry entry;
  for (bool more = true; more;) {
    more = work.next(entry);
    if (more) {
      chunk.push_back(entry);
    }
    if (chunk.size() == chunk_size || (!more && !chunk.empty())) {
      if (!callback(chunk)) {
        break;
      }
      chunk.clear();
      work.release();
    }
  }
  return walker.result();
}

}  // namespace trawl
