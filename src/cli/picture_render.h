// SPDX-License-Identifier: Apache-2.0
//
// Draws the tree of the biggest: a line per node with its size, its share, a bar, and its name in the
// tree. Pure: the same tree, options and terminal give the same text.
#pragma once

#include "cli/ls_colors.h"
#include "cli/picture_options.h"
#include "cli/terminal.h"

#include <trawl/usage.h>

#include <chrono>
#include <string>

namespace trawl::cli {

// How many nodes to ask for, so that the picture and its summary fit.
std::size_t nodes_that_fit(const PictureOptions& options, const Terminal& terminal);

// The picture, without the summary.
std::string render_tree(const UsageTree& tree, const PictureOptions& options,
                        const Terminal& terminal, const LsColors& colors);

// Totals, speed, and what must be known about them.
std::string render_summary(const UsageTree& tree, const PictureOptions& options,
                           const Terminal& terminal, std::chrono::duration<double> elapsed);

}  // namespace trawl::cli
