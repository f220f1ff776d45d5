// SPDX-License-Identifier: Apache-2.0
#include "cli/entry_format.h"

namespace trawl::cli {

namespace {

class PathFormat final : public EntryFormat {
 public:
  explicit PathFormat(char end) : end_(end) {}
  Fields fields() const override { return Fields::none; }
  void append(const EntryLine& entry, std::string& out) const override {
    out += entry.path;
    out += end_;
  }

 private:
  const char end_;
};

}  // namespace

std::unique_ptr<EntryFormat> make_path_format(char end) {
  return std::make_unique<PathFormat>(end);
}

}  // namespace trawl::cli
