// SPDX-License-Identifier: Apache-2.0
//
// list_usage(): the walk, its visitors and the sequencer put together.
#include <trawl/usage.h>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "fold/usage_operands.h"
#include "fold/usage_record.h"
#include "fold/usage_sequencer.h"
#include "fold/usage_visitor.h"

namespace trawl {

UsageResult list_usage(std::span<const std::string> roots, const UsageOptions& options,
                       UsageListener& listener) {
  // A second way to the same file is possible without a second link where there are several
  // operands or where links are followed. (With count_links nobody minds.)
  const bool follow_all = options.walk.follow == Follow::all;
  const bool any_may_repeat =
      !options.count_links && (roots.size() > 1 || follow_all || options.once_despite_mounts);
  // A bind mount below the operands shows directories twice without any operand's help; and the
  // sums of separated directories can't be taken apart once they are collapsed.
  const Repeats repeats =
      any_may_repeat ? repeats_by_mounts(options.walk.stall_timeout) : Repeats{};
  const bool check_all = any_may_repeat && (follow_all || repeats.directories);
  const bool keep_all = check_all || options.separate_directories;
  const int keep_depth = keep_all ? INT32_MAX : options.max_depth;

  fold::UsageSequencer sequencer(options, any_may_repeat, listener);
  fold::UsageShared shared{.options = options,
                           .sequencer = sequencer,
                           .origin = nullptr,
                           .keep_depth = keep_depth,
                           .any_may_repeat = any_may_repeat,
                           .check_all = check_all,
                           .count_links_at_once = !any_may_repeat && keep_depth == 0,
                           .first_root = 0,
                           .operands = {},
                           .links_counted = {}};
  std::optional<fold::UsageOperands> operands;
  if (any_may_repeat) {
    operands.emplace(roots, options);
    shared.operands = operands->first();
    for (const FileIdentity& file : repeats.files) {
      shared.operands.try_emplace(file, SIZE_MAX);
    }
  }

  Options walk_options = options.walk;
  walk_options.fields = Fields::type | Fields::mode | Fields::links | Fields::identity |
                        Fields::size | Fields::blocks;
  switch (options.time) {
    case UsageTime::none:
      break;
    case UsageTime::mtime:
      walk_options.fields = walk_options.fields | Fields::mtime;
      break;
    case UsageTime::atime:
      walk_options.fields = walk_options.fields | Fields::atime;
      break;
    case UsageTime::ctime:
      walk_options.fields = walk_options.fields | Fields::ctime;
      break;
  }
  walk_options.slot_bytes = fold::UsageVisitor::slot_bytes();
  walk_options.fts_order = true;
  walk_options.visit_once = !options.count_links;
  if (follow_all && !options.count_links) {
    // Which of several links leads into a directory is decided by the walk, when it gets there: one
    // worker, in serial order.
    walk_options.threads = 1;
  }

  UsageResult result;
  for (std::size_t begin = 0; begin < roots.size();) {
    if (operands && operands->identity(begin) && sequencer.has_met(*operands->identity(begin))) {
      ++begin;
      continue;
    }
    const std::size_t end = operands ? operands->end_of_run(begin) : roots.size();
    auto origin = std::make_unique<fold::Record>();
    origin->ordered = true;
    origin->counted = true;
    shared.origin = origin.get();
    shared.first_root = begin;
    sequencer.start(origin.release(), begin);
    std::list<fold::UsageVisitor> visitors;
    const auto factory = [&](unsigned) -> Visitor& { return visitors.emplace_back(shared); };
    walk_options.max_errors = options.walk.max_errors - result.walk.errors.size();
    result.walk += walk(roots.subspan(begin, end - begin), walk_options, factory);
    sequencer.finish();
    begin = end;
    if (result.walk.ending != Ending::complete) {
      break;
    }
  }
  result.total = sequencer.total();
  result.repeated_links = sequencer.repeated_links() + shared.repeated_links.load();
  return result;
}

}  // namespace trawl
