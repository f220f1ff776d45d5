// SPDX-License-Identifier: Apache-2.0
//
// What `trawl list` knows when it begins to walk, and what it asks of the walk.
#pragma once

#include <trawl/file_list.h>
#include <trawl/walk.h>

#include <atomic>
#include <chrono>
#include <cstdint>

#include "cli/list_options.h"
#include "cli/output.h"

namespace trawl::cli {

struct ListContext {
  const ListArguments& arguments;
  const Deadline deadline;
  const CancelToken& cancel;
  std::atomic<std::uint64_t>* const progress;
  const PathFilter* const filter;
};

// Of entries as they are found, and in order. What is not asked for is the front door's to set.
Options walk_options(const ListContext& context);
ListOptions list_options(const ListContext& context, bool link_targets);

}  // namespace trawl::cli
