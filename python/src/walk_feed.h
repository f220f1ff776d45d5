// SPDX-License-Identifier: Apache-2.0
//
// A walk as os.walk's triples: of each directory its path, and the names in it, in the order of the
// listing. No Python here.
//
//   workers of the walk ── triples ──> bounded queue ──> one reader or several
//
// Top-down, a directory's triple goes into the queue when all of it is listed and its parent's is
// in; until then it waits at its parent, beyond the queue's capacity (a worker that waited there
// might be the one that the parent waits for). Bottom-up it goes in when the directory is left. Who
// finds the queue full waits; a triple that is larger than the queue passes when that is empty.
#pragma once

#include <trawl/error.h>
#include <trawl/walk.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace trawl::python {

struct WalkTriple {
  struct Name {
    std::uint64_t position;  // in the listing
    std::size_t begin;       // in `bytes`, to that of the next as they were added
    std::uint32_t size;
    bool directory;  // or, as os.walk has it, a symbolic link to one
  };
  std::string path;
  std::string bytes;
  std::vector<Name> names;
  std::string_view text(const Name& name) const {
    return std::string_view(bytes).substr(name.begin, name.size);
  }
};

class WalkFeed {
 public:
  // Of `options` slot_bytes, cancel and visit_once are set here. The walk begins at once.
  WalkFeed(std::string root, Options options, bool topdown, std::size_t capacity);
  ~WalkFeed();  // ends the walk
  WalkFeed(const WalkFeed&) = delete;
  WalkFeed& operator=(const WalkFeed&) = delete;

  // Waits until take() has something to give, or the end is there. False: not within `at_most`.
  bool wait(std::chrono::nanoseconds at_most);
  // All triples that are there. None, after wait(): the end; then what the walk threw comes out.
  std::deque<WalkTriple> take();
  // Ends the walk and drops what is in the queue. Does not wait. Thread-safe.
  void cancel();
  void join();  // waits for the end, after cancel(). Thread-safe
  // Those that were not given before.
  std::vector<Error> take_errors();

 private:
  struct Folder;
  class Worker;

  void run();
  Folder& add_folder();
  void deliver(Folder& folder, Folder* parent);
  void push(std::unique_lock<std::mutex>& lock, WalkTriple&& triple);
  void release(Folder& folder);
  void add_error(Error error);

  const std::vector<std::string> roots_;
  const bool topdown_;
  const std::size_t capacity_;
  Options options_;
  CancelToken token_;
  std::vector<std::unique_ptr<Visitor>> workers_;

  std::mutex mutex_;  // of all that follows
  std::condition_variable room_, ready_;
  std::list<Folder> folders_;  // live, or waiting for their parent
  std::deque<WalkTriple> queue_;
  std::size_t queued_ = 0;  // names, and one for each triple
  std::vector<Error> errors_;
  bool closed_ = false;
  std::exception_ptr failure_;

  std::mutex join_mutex_;
  std::thread thread_;
};

}  // namespace trawl::python
