// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace trawl::cli {

// `trawl ignored`: which paths the ignore rules leave out. Returns the exit status.
int ignored_main(int argc, char** argv);

}  // namespace trawl::cli
