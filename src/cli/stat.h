// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace trawl::cli {

// The command `trawl stat`. Returns the exit status.
int stat_main(int argc, char** argv);

}  // namespace trawl::cli
