// SPDX-License-Identifier: Apache-2.0
//
// Several roots of which one may hold another, or be the same. What is met twice counts where a serial
// walk meets it first, so walking it again is for nothing: here is decided what need not be walked.
//
// Roots are walked in runs. A root whose name says that it lies below one of the same run, or that is
// the same file, ends the run: after it the sequencer knows for certain whether it was met. And in a
// root that is walked, what is itself an earlier root is left out (UsageVisitor::enter()). Neither
// decides what counts, the sequencer does; roots that hide what they are cost time, not truth.
#pragma once

#include <trawl/usage.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace trawl::fold {

class UsageOperands {
 public:
  // Looks at each root: one system call.
  UsageOperands(std::span<const std::string> roots, const UsageOptions& options);

  // None: it can't be stat'ed.
  const std::optional<FileIdentity>& identity(std::size_t index) const { return identities_[index]; }

  // The first root that is this file, and is not left out.
  const std::unordered_map<FileIdentity, std::size_t>& first() const { return first_; }

  // The end of the run that begins there.
  std::size_t end_of_run(std::size_t begin) const;

 private:
  const std::span<const std::string> roots_;
  std::vector<std::optional<FileIdentity>> identities_;
  std::unordered_map<FileIdentity, std::size_t> first_;
};

}  // namespace trawl::fold
