// SPDX-License-Identifier: Apache-2.0
//
// The usage fold's side of the walk: one visitor per worker fills records and hands them to the
// sequencer. See usage_record.h for what is kept, usage_sequencer.h for how it is counted.
#pragma once

#include "base/shared_identity_set.h"
#include "fold/usage_record.h"
#include "fold/usage_sequencer.h"

#include <trawl/usage.h>
#include <trawl/walk.h>

#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace trawl::fold {

// What the visitors of one walk share. Constant while it runs, but for what is thread-safe.
struct UsageShared {
  const UsageOptions& options;
  UsageSequencer& sequencer;
  Record* origin;
  int keep_depth;  // directories up to here have records
  // Several operands, or links are followed: any entry may be met twice, not only hard links. Then
  // operands are looked out for, and where that is not enough every entry is checked.
  bool any_may_repeat = false;
  bool check_all = false;
  // One operand and nothing kept below it: links can be counted at once, in whatever order.
  bool count_links_at_once = false;

  std::size_t first_root = 0;  // of this run; see usage_operands.h
  // Files that may be met twice without a second link, with the first root that each is; SIZE_MAX if
  // it is none.
  std::unordered_map<FileIdentity, std::size_t> operands;
  base::SharedIdentitySet links_counted;
  std::atomic<std::uint64_t> repeated_links{0};
};

class UsageVisitor final : public Visitor {
 public:
  explicit UsageVisitor(UsageShared& shared) : shared_(shared), options_(shared.options) {}

  static std::size_t slot_bytes();

  Verdict enter(Directory& directory) override;
  Verdict entries(Directory& directory, std::span<Entry> batch) override;
  void listed(Directory& directory) override;
  void leave(Directory& directory) override;

 private:
  struct Slot;

  Slot& begin(Directory& directory);
  void add_item(const Directory& directory, Record& record, const Entry& entry);
  void add_to_bag(const Directory& directory, Bag& bag, const Entry& entry, UsageSums& counted);
  void add_bag_error(const Directory& directory, const Entry* entry, Bag& bag,
                     UsageError::Kind kind, int code);
  bool must_check(const Entry& entry) const;
  bool leaves_file_system(const Directory& directory, const Metadata& metadata) const;
  bool is_operand(const Metadata& metadata) const;
  bool is_earlier_root(const Directory& directory) const;
  bool has_line(const Record& record, const UsageSums& sums) const;
  UsageSums sums_of(const Metadata& metadata) const;
  std::string path_of(const Directory& directory, std::string_view name) const;
  static Place place_of(const Directory& directory);

  UsageShared& shared_;
  const UsageOptions& options_;
};

}  // namespace trawl::fold
