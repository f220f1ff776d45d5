// SPDX-License-Identifier: Apache-2.0
//
// A walk as a stream of events, for programs that work on entries while the walk goes on.
//
//   workers of the walk ── batches of up to 128 events ──> bounded channel ──> processors
//
// When the channel is full, the walk waits; nothing is dropped. A consumer that returns false,
// throws, or whose stream is destroyed ends the walk; nobody is left waiting.
//
// Each entry that the walk meets gives exactly one event of kind enter_dir, file or error, and each
// directory that was entered one exit_dir. Entries that are gone before they could be looked at
// give none. A walk that ended early leaves out what it did not come to, and the exit_dir of each
// directory of which something is missing.
//
// Order. In the stream every directory's enter_dir comes before all that is in it, its exit_dir
// after it. The stream is one sequence: who takes the first batch has the first events. Several
// processors work on several batches at once.
//
// When. What the walk found is at hand some milliseconds later, if anybody waits for it, also when
// no batch is full.
#pragma once

#include <trawl/error.h>
#include <trawl/types.h>
#include <trawl/walk.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trawl {

// Plain data. What it points to belongs to its batch: the path of a directory is there once for all
// that is in it.
struct WalkEvent {
  enum class Kind : std::uint8_t {
    enter_dir,  // a directory, before all that is in it
    file,  // anything else; also a directory that is not entered (max_depth, another device, …)
    exit_dir,  // after all that is below it
    error,     // what could not be had; see `state`
  };
  Kind kind = Kind::file;
  FileType type = FileType::unknown;
  // Of exit_dir: complete, partially_read or vanished (removed while it was listed).
  // Of a directory that is not entered: other_device, cycle, visited; open at max_depth.
  // Of error: unreadable (a directory that could not be entered; it has no other event),
  // partially_read (a directory, between its enter_dir and exit_dir), open (an entry that could not
  // be stat'ed, or a root that could not be found; it has no other event).
  State state = State::open;
  bool followed = false;   // of file: the type and metadata are those of a symbolic link's target
  std::int32_t depth = 0;  // root 0
  std::string_view directory = {};  // path of the directory that it is in; of a root: empty
  std::string_view name = {};       // of a root: as given
  // As asked for; null where it could not be had, and of exit_dir. An unreadable directory may have
  // it.
  const Metadata* metadata = nullptr;
  const Error* failure = nullptr;     // of error
  std::string_view link_target = {};  // with Options::link_targets: of a symbolic link not followed

  std::string path() const;
  void append_path(std::string& out) const;
};

// Events, with all that they point to. A range of const WalkEvent.
class EventBatch {
 public:
  struct Storage;

  EventBatch() noexcept;
  explicit EventBatch(std::unique_ptr<Storage> storage) noexcept;
  EventBatch(EventBatch&&) noexcept;
  EventBatch& operator=(EventBatch&&) noexcept;
  ~EventBatch();

  std::span<const WalkEvent> events() const;
  const WalkEvent* begin() const { return events().data(); }
  const WalkEvent* end() const { return begin() + size(); }
  std::size_t size() const { return events().size(); }
  bool empty() const { return size() == 0; }
  const WalkEvent& operator[](std::size_t index) const { return events()[index]; }

  // Takes the memory out, to be used again.
  std::unique_ptr<Storage> release() noexcept;

 private:
  std::unique_ptr<Storage> storage_;
};

struct EventOptions {
  // Of it slot_bytes is not heeded; all else is.
  Options walk;
  // Events in the channel, from 1; a batch that is larger passes when it is empty. An event whose
  // path is longer than 4 KiB counts as several.
  std::size_t capacity = 10'000;
  std::size_t batch = 128;  // events sent at a time, from 1; less when somebody waits for them
  unsigned processors = 1;  // threads that call the consumer, from 1
  // The stream is the same for any number of workers: depth first, roots as given, names ascending
  // (bytes) in each directory, files and directories alike; nothing else lies between an enter_dir
  // and its exit_dir. What was found ahead of this order waits in memory outside the channel: as
  // much as the order of the listings differs from that of the names, at the most the whole tree.
  // While the channel is half full, not more than `capacity` entries wait before directories are
  // entered.
  bool ordered = false;
};

// Called on a processor's thread, several at once if there are several. False ends the walk. The
// batch may be moved away; else its memory is used again.
using EventConsumer = std::function<bool(EventBatch& batch)>;

// Walks, on the caller's thread and others, and gives all events to `consumer`. Blocks until every
// event was taken or the walk was ended. An exception of the consumer ends the walk and comes out
// of here. Result::ending is `stopped` if the consumer ended it. Thread-safe.
//
// Cost, against visitors that do the same: about a tenth more processor time, in order a third.
Result walk_events(std::span<const std::string> roots, const EventOptions& options,
                   const EventConsumer& consumer);

// The same, pulled: for a consumer that has a thread of its own. The walk has one, too, and begins
// at once. EventOptions::processors is not heeded: who pulls processes.
class EventStream {
 public:
  EventStream(std::vector<std::string> roots, EventOptions options);
  ~EventStream();  // ends the walk; no other thread may be in a call of it
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // Puts the next events, at least one, into `batch`, whose memory is used again. False, and an
  // empty batch, at the end. Waits. Several threads may pull at once, with a batch each. What the
  // walk threw comes out of here, after the last events.
  bool next(EventBatch& batch);
  // Ends the walk; what is in the channel is dropped, and next() returns false. Thread-safe.
  void cancel();
  // Waits for the end: of use after next() returned false, or cancel().
  const Result& result();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// The hierarchy, rebuilt from events by any number of threads at once, and in any order.
class DirectoryTree {
 public:
  struct Sums {
    std::uint64_t files = 0;        // directories that were not entered included
    std::uint64_t directories = 0;  // that were entered
    std::uint64_t errors = 0;
    std::uint64_t bytes = 0;       // apparent sizes of the files
    std::uint64_t disk_usage = 0;  // of the files and the directory itself

    Sums& operator+=(const Sums& other);
    friend bool operator==(const Sums&, const Sums&) = default;
  };
  struct Node : Sums {  // of what is in it
    std::string path;
    int depth = 0;
    Metadata metadata;
    bool complete = false;              // exit_dir was seen
    std::vector<std::string> children;  // paths of its directories, ascending
    Sums total;                         // with all that is below it
  };

  DirectoryTree();
  ~DirectoryTree();
  DirectoryTree(const DirectoryTree&) = delete;
  DirectoryTree& operator=(const DirectoryTree&) = delete;

  // Thread-safe. A directory that is walked twice under one path is one node, and counts twice.
  void add(std::span<const WalkEvent> events);

  // Thread-safe as well; while events are added they tell of what was added so far.
  std::size_t size() const;                               // directories that were entered
  std::optional<Node> find(std::string_view path) const;  // as long as the subtree is large
  std::vector<std::string> roots() const;                 // that are directories, ascending
  // Roots that are not directories, and errors of roots.
  Sums outside() const;
  // Depth first, roots and children ascending; false from `visit` leaves out what is below.
  void for_each(const std::function<bool(const Node&)>& visit) const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace trawl
