// SPDX-License-Identifier: Apache-2.0
//
// The least that a user of the library does: includes the whole API, walks, prints.

#include <trawl/trawl.h>

#include <cstdio>
#include <span>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  const std::vector<std::string> roots(argv + 1, argv + argc);
  const trawl::UsageTree tree = trawl::measure_usage(roots, {});
  const std::string version(trawl::version());
  std::printf("trawl %s: %llu inodes\n", version.c_str(),
              static_cast<unsigned long long>(tree.result.total.inodes));
  return tree.result.walk.complete() ? 0 : 1;
}
