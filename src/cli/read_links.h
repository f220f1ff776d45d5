// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace trawl::cli {

// Where the symbolic links among `paths` lead to: result[i] is the target of paths[links[i]], empty
// if it can't be read. One after another where that is fast; where each waits for a server, many at
// once.
std::vector<std::string> read_links(std::span<const std::string> paths,
                                    std::span<const std::size_t> links);

}  // namespace trawl::cli
