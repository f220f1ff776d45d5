// SPDX-License-Identifier: Apache-2.0
//
// Which nodes of the tree of the biggest get a line of the picture, and in which order.
//
// The biggest get one, whatever their depth, until the lines are used up. A directory that is
// practically one thing shares its line with it ("a/b/c"). What a directory has beside its lines is
// summed in one more line where that says something: where it is no smaller than what is shown.
#pragma once

#include "cli/picture_options.h"

#include <trawl/usage.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace trawl::cli {

struct PictureLine {
  std::size_t level = 0;  // of indentation; roots 0
  // The directory whose size is shown, those that it is practically all of, and the last of them.
  std::vector<const UsageNode*> chain;  // empty: what was left out of the directory above
  std::uint64_t left_out = 0;           // then, how many entries that is
  std::uint64_t value = 0;
  std::uint64_t parent_value = 0;  // of the directory that it is in; of a root, the total
};

struct PictureLimits {
  std::size_t lines = 40;
  std::size_t levels = SIZE_MAX;  // what is deeper does not fit the width
};

// The sum of the roots, which all shares are shares of.
std::uint64_t total_of(const UsageTree& tree, Measure measure);

// Is it big enough for --min-share?
bool is_big_enough(std::uint64_t value, std::uint64_t total, const PictureOptions& options);

// In the order of --sort and --reverse.
std::vector<const UsageNode*> in_order(const std::vector<UsageNode>& nodes,
                                       const PictureOptions& options);

std::vector<PictureLine> lay_out(const UsageTree& tree, const PictureOptions& options,
                                 const PictureLimits& limits);

}  // namespace trawl::cli
