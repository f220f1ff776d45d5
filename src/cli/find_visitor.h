// SPDX-License-Identifier: Apache-2.0
//
// What each worker of `trawl find` does with entries: the plan's cheap tests before any stat, the
// others with metadata; what was found goes to the output's lines, to commands, or is kept to be
// put in order.
//
// A directory that must be read to know whether it is empty is judged again when it was listed. For
// that, those at the greatest depth are listed too (FindContext::walk_depth()), and what is in them
// is passed over.
#pragma once

#include <trawl/walk.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include "cli/find_exec.h"
#include "cli/find_options.h"
#include "cli/find_output.h"
#include "cli/list_output.h"

namespace trawl::cli {

// What the workers have in common.
struct FindContext {
  explicit FindContext(const FindArguments& asked) : arguments(asked) {}

  const FindArguments& arguments;
  LineOutput* output = nullptr;  // lines, unless they are kept or for commands
  Executor* executor = nullptr;
  std::string base = {};  // --full-path: the current directory, with '/'
  std::atomic<std::uint64_t> found{0};

  bool listing_decides() const { return arguments.plan && arguments.plan->needs_listing(); }
  // Options::max_depth.
  int walk_depth() const;
  // Of entries that match, whatever the plan asks.
  Fields shown_fields() const { return arguments.lines.fields() | arguments.ranking.fields(); }
  bool is_ranked() const { return arguments.ranking.by != RankBy::nothing; }
};

class FindVisitor final : public Visitor {
 public:
  explicit FindVisitor(FindContext& context);

  void select(Directory& directory, std::span<Entry> batch) override;
  Verdict entries(Directory& directory, std::span<Entry> batch) override;
  void listed(Directory& directory) override;

  // After the walk.
  Ranked& ranked() { return ranked_; }

 private:
  enum Tag : std::uint32_t { kFound, kPassed, kOpen };  // in Entry::tag; open: not known as yet

  void set_path(const Directory& directory);
  void set_path_of(const Directory& directory);
  Subject subject_of(std::string_view name, int depth);
  bool is_found(const Entry& entry, int depth);
  bool leaves_out(const Entry& entry);
  void append_plain(std::span<const Entry> batch, int depth);
  void show(const Finding& finding);
  bool claim();
  bool is_over() const;

  FindContext& context_;
  const FindArguments& arguments_;
  LineBuffer* const buffer_;
  Ranked ranked_;
  const bool may_append_plain_;
  bool gone_ = false;  // commands take no more
  // Of the batch's directory, up to where names begin: as it is shown, and for --full-path. Names
  // come and go behind that.
  std::string path_;
  std::string full_path_;
  std::size_t full_size_ = 0;
};

}  // namespace trawl::cli
