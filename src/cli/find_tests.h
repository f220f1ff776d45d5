// SPDX-License-Identifier: Apache-2.0
//
// The tests of `trawl find`, from options to predicates.
#pragma once

#include <trawl/predicate.h>

#include <optional>
#include <string>
#include <vector>

namespace trawl::cli {

class FindTests {
 public:
  // Each returns whether the argument could be read; if not, complaint() says why.
  bool add_type(const char* word);
  bool add_size(const char* argument);
  bool set_owner(const char* argument);
  bool set_permissions(const char* argument);
  bool set_links(const char* argument);
  void add_extension(const char* extension) { extensions_.emplace_back(extension); }

  // Read by add_to().
  std::optional<std::string> changed_within, changed_before, newer_than;

  // Appends all of them; times are measured from now. False as above.
  bool add_to(std::vector<Predicate>& all);

  const std::string& complaint() const { return complaint_; }

 private:
  std::optional<Predicate> types() const;
  bool add_times(std::vector<Predicate>& all);

  std::string complaint_;
  std::vector<FileType> types_;
  bool executable_ = false, empty_ = false;
  std::vector<std::string> extensions_;
  std::vector<Interval> sizes_;
  std::optional<Predicate> owner_, permissions_;
  std::optional<Interval> links_;
};

}  // namespace trawl::cli
