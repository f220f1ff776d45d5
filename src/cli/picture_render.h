// SPDX-License-Identifier: Apache-2.0
//
// Draws the tree of the biggest: a line per node with its size, its share of the total, its name in
// the tree and a bar, then the summary. Pure: the same arguments give the same text.
#pragma once

#include "cli/ls_colors.h"
#include "cli/picture_options.h"
#include "cli/terminal.h"

#include <trawl/usage.h>

#include <chrono>
#include <cstddef>
#include <string>

namespace trawl::cli {

// How many nodes to ask for. More than there are lines, as some will share one, and roots are kept
// however small they are.
std::size_t nodes_for_picture(const PictureOptions& options, const Terminal& terminal);

std::string render_picture(const UsageTree& tree, const PictureOptions& options,
                           const Terminal& terminal, const LsColors& colors,
                           std::chrono::duration<double> elapsed);

}  // namespace trawl::cli
