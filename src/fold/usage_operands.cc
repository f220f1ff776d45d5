// SPDX-License-Identifier: Apache-2.0
#include "fold/usage_operands.h"

#include <string_view>
#include <unordered_set>

namespace trawl::fold {

namespace {

// Notes the roots' identities; enters nothing.
class Look final : public Visitor {
 public:
  explicit Look(std::vector<std::optional<FileIdentity>>& out) : out_(out) {}
  Verdict entries(Directory&, std::span<Entry> batch) override {
    for (const Entry& entry : batch) {
      if (entry.metadata != nullptr && entry.error == 0) {
        out_[entry.position] = entry.metadata->identity();
      }
    }
    return Verdict::proceed;
  }

 private:
  std::vector<std::optional<FileIdentity>>& out_;
};

// Without what does not change where a path leads: "." and doubled slashes. ".." stays.
std::string plain_path(std::string_view path) {
  std::string out = path.starts_with('/') ? "/" : "";
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (!name.empty() && name != ".") {
      out += name;
      out += '/';
    }
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return out;
}

}  // namespace

UsageOperands::UsageOperands(std::span<const std::string> roots, const UsageOptions& options)
    : roots_(roots), identities_(roots.size()) {
  Options look = options.walk;
  look.fields = Fields::identity;
  look.max_depth = -1;
  look.threads = 1;
  look.progress_entries = nullptr;
  look.max_errors = 0;
  Look visitor(identities_);
  walk(roots, look, [&visitor](unsigned) -> Visitor& { return visitor; });
  for (std::size_t i = 0; i < roots.size(); ++i) {
    if (identities_[i]) {
      first_.try_emplace(*identities_[i], i);
    }
  }
}

std::size_t UsageOperands::end_of_run(std::size_t begin) const {
  std::unordered_set<FileIdentity> files;
  std::unordered_set<std::string> paths;
  std::size_t end = begin;
  for (; end < roots_.size(); ++end) {
    if (identities_[end] && !files.insert(*identities_[end]).second) {
      break;
    }
    const std::string path = plain_path(roots_[end]);
    // "" is the current directory, above all that is relative.
    bool nested = !path.starts_with('/') && paths.contains("");
    for (std::size_t slash = path.find('/'); slash != std::string::npos && !nested;
         slash = path.find('/', slash + 1)) {
      nested = paths.contains(path.substr(0, slash + 1));
    }
    if (nested) {
      break;
    }
    paths.insert(path);
  }
  return end;
}

}  // namespace trawl::fold
