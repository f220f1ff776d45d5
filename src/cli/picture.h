// SPDX-License-Identifier: Apache-2.0
//
// `trawl [PATH…]`: the picture of what is big.
#pragma once

namespace trawl::cli {

// Returns the exit status: 0 complete, 1 partial, 2 usage, 130 interrupted.
int picture_main(int argc, char** argv);

}  // namespace trawl::cli
