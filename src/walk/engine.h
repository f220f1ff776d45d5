// SPDX-License-Identifier: Apache-2.0
//
// One walk in progress: expands directories, reports to the visitors, spawns tasks, and ends when
// the origin is complete. walk() in trawl/walk.h is the only user.
//
// Roots are reported like the entries of a directory. The first ones tell how long a call takes;
// the rest is one task, of which others take the back half: so a list of paths is stat'ed by all
// workers.
//
// Expanding a directory (one unit of work): open, stat by descriptor, enter, then for each batch of
// the listing: select, stat by name, entries; then listed. Its subdirectories become one task, a
// range. When other workers lack work, the lister shares what it has read but not reported yet, if
// that is worth more than a few pieces: a slice, which others take in pieces, stat and report. A
// piece is what takes long enough to pay for being shared: a hundred entries that are cached, four
// where each is asked of a server. The listing of a huge directory itself is shared, too, where its
// offsets allow it (engine_listing.cc). The last one done finishes the listing.
//
// Sources: engine.cc (workers, completion, memory, the end), engine_directories.cc,
// engine_listing.cc, engine_filter.cc, engine_entries.cc.
//
// Stopping (verdict, cancellation, deadline, exception) turns every remaining task into
// bookkeeping: children are counted off unopened, live directories are left with State::cancelled.
#pragma once

#include <trawl/walk.h>

#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/shared_identity_set.h"
#include "base/trace.h"
#include "sched/scheduler.h"
#include "sys/dirent.h"
#include "sys/filesystem.h"
#include "walk/concurrency.h"
#include "walk/node.h"
#include "walk/opener.h"
#include "walk/tuning.h"

namespace trawl::engine {

class Engine {
 public:
  Engine(sys::FileSystem& filesystem, std::span<const std::string> roots, const Options& options,
         const VisitorFactory& factory, const Tuning& tuning = {});
  ~Engine();

  Result run();

  // For sched::Scheduler.
  void start_worker(unsigned index);
  void run_task(unsigned index, Task task);
  void idle(unsigned index);
  sched::Decision first_decision();
  bool has_nodes();
  unsigned node(unsigned index);
  sched::Decision decide(const sched::Observation& observation);
  void end_worker(unsigned index);
  sched::WorkDone work_done(unsigned workers);

 private:
  static constexpr std::size_t kListingBuffer = std::size_t{64} << 10;
  static constexpr std::size_t kBatch = 256;
  // Looking at the time that a worker waited for a processor costs a few microseconds.
  static constexpr unsigned kSampledWorkers = 4;

  struct Worker;
  // One directory's listing, or the part of it that one worker reports.
  struct Part {
    Node& node;
    const sys::DirectoryHandle& handle;
    int handle_error;  // if not 0, there is no handle: the error of every entry
    Children* children = nullptr;
    bool lost = false;  // the handle, to a dead server
  };

  void run(Worker& worker, Task& task);
  void list_origin(Worker& worker, Node& origin);
  void report_roots(Worker& worker, Task& task);
  void report_roots(Worker& worker, Part& part, std::uint64_t begin, std::uint64_t count);
  void expand(Worker& worker, Node& parent, Children& block, const Child& child);
  bool open(Worker& worker, Node& node, sys::DirectoryHandle& handle);
  int open_and_stat(Worker& worker, Node& node, sys::DirectoryHandle& handle, Operation& operation);
  bool may_enter(Worker& worker, Node& node, const sys::DirectoryHandle& handle);
  void list(Worker& worker, Node& node, sys::DirectoryHandle& handle);
  void list_range(Worker& worker, Task& task);
  void read_range(Worker& worker, Part& part, sys::DirectoryHandle& handle, Range range);
  bool split(Worker& worker, Part& part, const sys::DirectoryHandle& handle, std::int64_t next,
             Range& range);
  int read_on(Worker& worker, sys::DirectoryHandle& handle, std::span<std::byte> buffer,
              std::size_t& size, bool& end);
  void begin_filter(Worker& worker, Node& node, const sys::DirectoryHandle& handle,
                    std::span<const std::byte> records, bool is_all);
  void filter_batch(Worker& worker, Node& node, std::span<Entry> batch);
  bool custom_leaves_out(Node& node, const char* path);
  bool is_left_out(Worker& worker, Node& node, const Entry& entry, bool is_directory);
  int read_two(Worker& worker, sys::DirectoryHandle& handle, std::int64_t offset,
               std::span<std::byte> buffer, std::array<sys::Dirent, 2>& found, std::size_t& count);
  std::optional<std::int64_t> find_middle(Worker& worker, sys::DirectoryHandle& probe,
                                          std::int64_t next, Range& range);
  bool is_first_at(Worker& worker, sys::DirectoryHandle& handle, std::int64_t offset,
                   std::span<const std::byte> records);
  int open_part(Worker& worker, const Node& node, sys::OpenHow how, const FileIdentity* identity,
                sys::DirectoryHandle& handle);
  void fail_listing(Worker& worker, Node& node, bool began, Operation operation, int error);
  void report_records(Worker& worker, Part& part, std::span<const std::byte> records,
                      std::uint64_t& position);
  std::uint32_t piece() const;
  std::chrono::nanoseconds mean_call_time() const;
  bool share(Worker& worker, Node& node, std::span<const std::byte> records, std::uint32_t unit,
             std::uint64_t& position);
  void report_piece(Worker& worker, Task& task);
  int open_slice(Worker& worker, Node& node, const Slice& slice);
  void close_slice(Worker& worker);
  std::size_t stat_batch(Worker& worker, Part& part, std::span<Entry> batch);
  void report_batch(Worker& worker, Part& part, std::span<Entry> batch);
  void stat_entry(Worker& worker, Part& part, Entry& entry, Metadata& metadata);
  void read_link(Worker& worker, const Part& part, Entry& entry);
  void add_children(Node& node, Children* children);
  void finish_part(Worker& worker, Node& node);
  void sort_children(Node& node);
  void child_done(Worker& worker, Node& parent, std::uint64_t count);
  void leave(Worker& worker, Node& node);

  std::chrono::nanoseconds sample_waiting(unsigned index, std::chrono::nanoseconds elapsed);
  Statistics statistics_of(const Worker& worker) const;
  Node* make_node(Worker& worker);
  void free_node(Worker& worker, Node* node);
  Children* make_children(Worker& worker);

  // True once the walk is to end.
  bool stopping();
  void stop(Ending ending);
  void fail(std::exception_ptr exception);
  template <class Call>
  Verdict visit(Call call);
  void note_error(Worker& worker, const Directory& directory, std::string_view name,
                  Operation operation, int code, int depth);

  sys::FileSystem& filesystem_;
  const std::span<const std::string> roots_;
  const Options options_;
  const VisitorFactory& factory_;
  const Tuning tuning_;
  const std::size_t listing_buffer_;
  Concurrency concurrency_;  // the monitor's, when it runs
  const unsigned max_workers_;
  TRAWL_IF_TRACE(base::Tracer tracer_{options_.trace != nullptr, max_workers_};)
  const bool stat_directories_;  // by descriptor, when they are opened
  const std::size_t slot_offset_;
  DescriptorQueue descriptors_;
  std::vector<std::unique_ptr<Worker>> workers_;
  sched::Scheduler<Task, Engine> scheduler_;
  base::SharedIdentitySet visited_;
  const std::chrono::steady_clock::time_point started_at_ = std::chrono::steady_clock::now();
  // The monitor's, when it runs.
  std::uint64_t most_live_directories_ = 0;
  struct Waiting {
    std::chrono::nanoseconds used{0}, told{0};
    std::chrono::nanoseconds ahead{0};  // counted, but not told as yet
  };
  std::array<Waiting, kSampledWorkers> waiting_{};
  std::chrono::steady_clock::time_point last_sample_ = started_at_;
  std::chrono::nanoseconds waited_sum_{0};
  std::atomic<std::uint64_t> next_anchor_id_{1};
  std::atomic<std::uint64_t> next_slice_id_{1};
  std::atomic<std::uint64_t> roots_unreported_{0};  // who brings it to zero has listed the origin
  std::atomic<std::uint64_t> errors_kept_{0};
  std::atomic<bool> stop_{false};
  std::mutex factory_mutex_;
  std::mutex ending_mutex_;  // of what follows
  Ending ending_ = Ending::complete;
  std::exception_ptr exception_;
};

}  // namespace trawl::engine
