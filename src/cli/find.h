// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace trawl::cli {

// `trawl find`: what matches a pattern and tests below the given paths. argv[0] begins every
// message. Returns the exit status.
int find_main(int argc, char** argv);

}  // namespace trawl::cli
