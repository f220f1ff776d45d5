// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace trawl::cli {

// `trawl profile`: what a directory consists of, as a report, a JSON document or a page.
int profile_main(int argc, char** argv);

}  // namespace trawl::cli
