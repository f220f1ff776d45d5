// SPDX-License-Identifier: Apache-2.0
//
// Counts records in the order of a serial walk: decides which name of a hard-linked file, and which of
// several ways to a directory, comes first, adds up, and calls the listener.
//
// Protocol. The sequencer has no thread. It runs on whichever worker publishes what it waits for, its
// owner; owning it orders everything else. `awaited_` tells who that is:
//   null          somebody owns it and runs
//   address | 1   its owner is about to wait for what is at the address, and looks once more
//   address       nobody owns it; who publishes what is at the address takes it (to null) and runs it
// A worker publishes first and then reads `awaited_`; the owner writes `awaited_` first and then looks
// whether the thing has come. Both are sequentially consistent, so one of them sees the other. The
// owner touches no record after it has let go: who takes over may free it.
#pragma once

#include "base/identity_set.h"
#include "fold/usage_record.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace trawl::fold {

class UsageSequencer {
 public:
  UsageSequencer(const UsageOptions& options, bool check_directories, UsageListener& listener)
      : options_(options), check_directories_(check_directories), listener_(listener) {}
  ~UsageSequencer();

  // Before each walk: the record of its origin, owned from now on, and the index of its first root; and
  // when the origin is listed.
  void start(Record* origin, std::size_t first_root);
  void origin_listed(Record* origin) { awaited_may_be_here(origin); }

  // Makes a directory's record visible: in listed() if it may have items, at the latest in leave().
  void publish(Item& item, Record* record);
  // In leave(): its sums are final.
  void complete(Record& record);
  // After each walk: whatever was not published will not come.
  void finish();

  // Between walks: was this file counted?
  bool has_met(const FileIdentity& identity) const { return met_.contains(identity); }

  // The listener wants no more.
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

  const UsageSums& total() const { return total_; }
  std::uint64_t repeated_links() const { return repeated_links_; }

 private:
  struct Frame {
    Record* record;
    std::size_t next = 0;       // item
    // In the bag.
    std::size_t next_operand = 0;
    std::size_t next_error = 0;
    bool bag_sorted = false;
    std::size_t path_size = 0;  // before its name
    UsageSums links{};          // of links charged to this directory itself
    UsageSums below{};          // of subdirectories
    bool dropped = false;       // met before: nothing in it counts
    bool incomplete = false;
  };

  void awaited_may_be_here(const void* what);
  void run();
  bool step();  // false: something is awaited
  template <class IsHere>
  bool await(const void* what, IsHere is_here);
  void begin_item(const Record& record, const Item& item);
  void enter(Record* record);
  void count_file(Frame& frame, const FileItem& file);
  void report(Frame& frame, const ErrorItem& error);
  bool step_in_bag(Frame& frame, Bag& bag);
  void count_bag(Frame& frame, Bag& bag);
  void leave();
  void file_line(const Frame& frame, const FileItem& file);
  void line(const UsageLine& line);

  const UsageOptions& options_;
  const bool check_directories_;
  UsageListener& listener_;
  std::atomic<std::uintptr_t> awaited_{0};
  std::atomic<bool> stopped_{false};
  bool final_ = false;
  std::size_t first_root_ = 0;
  // What follows belongs to who owns the sequencer.
  std::vector<Frame> stack_;
  std::string path_;
  base::IdentitySet met_;
  UsageSums total_;
  std::uint64_t repeated_links_ = 0;
};

}  // namespace trawl::fold
