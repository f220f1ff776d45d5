// SPDX-License-Identifier: Apache-2.0
//
// Stands in for libFuzzer where a fuzz target is built without it: feeds the target each file that is
// named, and each file of each directory that is named. Arguments that begin with '-' are libFuzzer's
// options and ignored, so that one command line serves both.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void replay(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  in.exceptions(std::ios::badbit | std::ios::failbit);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  // A copy of exactly the right size lets AddressSanitizer see a read past its end.
  std::vector<std::uint8_t> input(bytes.size());
  std::transform(bytes.begin(), bytes.end(), input.begin(),
                 [](char byte) { return static_cast<std::uint8_t>(byte); });
  // Named first, so that a crash names its input.
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  int inputs = 0;
  try {
    for (int i = 1; i < argc; ++i) {
      if (std::string_view(argv[i]).starts_with('-')) continue;
      const std::filesystem::path path(argv[i]);
      if (!std::filesystem::is_directory(path)) {
        replay(path);
        ++inputs;
        continue;
      }
      for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
        if (!entry.is_regular_file()) continue;
        replay(entry.path());
        ++inputs;
      }
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  std::printf("%d inputs\n", inputs);
  return inputs == 0 ? 1 : 0;  // an empty corpus tests nothing
}
