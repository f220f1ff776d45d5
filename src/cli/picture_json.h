// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/picture_options.h"

#include <trawl/usage.h>

#include <chrono>
#include <cstddef>
#include <string>

namespace trawl::cli {

// Nodes in the document unless --top says otherwise. It must not depend on a terminal.
inline constexpr std::size_t kJsonNodes = 100;

// The document that docs/picture.schema.json describes, with a newline.
std::string to_document(const UsageTree& tree, const PictureOptions& options,
                        std::chrono::duration<double> elapsed);

}  // namespace trawl::cli
