// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace trawl::cli {

// `trawl list`: every entry below the given paths, a line each. argv[0] begins every message.
// Returns the exit status.
int list_main(int argc, char** argv);

}  // namespace trawl::cli
