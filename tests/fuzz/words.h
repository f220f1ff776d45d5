// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace trawl::testing {

// A command line out of bytes: words that end with NUL.
class Words {
 public:
  Words(const char* program, const std::uint8_t* data, std::size_t size) : words_{program} {
    std::string word;
    for (std::size_t i = 0; i < size; ++i) {
      if (data[i] == 0) {
        words_.push_back(word);
        word.clear();
      } else {
        word += static_cast<char>(data[i]);
      }
    }
    words_.push_back(word);
    // No word may name a file that is there, or block on standard input.
    for (std::size_t i = 1; i < words_.size(); ++i) {
      for (char& c : words_[i]) {
        c = c == '/' ? '\\' : c;
      }
      if (words_[i] == "-" || words_[i].ends_with("X-") || words_[i].ends_with("=-")) {
        words_[i] += 'x';
      }
    }
    for (std::string& each : words_) {
      pointers_.push_back(each.data());
    }
    pointers_.push_back(nullptr);
  }

  int argc() const { return static_cast<int>(words_.size()); }
  char** argv() { return pointers_.data(); }
  const char* first() const { return words_[1].c_str(); }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

// Messages are not what is tested.
inline void silence_standard_error() {
  static const bool done = std::freopen("/dev/null", "w", stderr) != nullptr;
  (void)done;
}

}  // namespace trawl::testing
