// SPDX-License-Identifier: Apache-2.0
//
// `trawl du`: GNU du.
#pragma once

namespace trawl::cli {

// argv[0] is the name that messages start with ("trawl du", or "du" under that name). Returns the exit
// status: GNU du's, or 130 after an interruption.
int du_main(int argc, char** argv);

}  // namespace trawl::cli
