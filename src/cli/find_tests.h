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

  std::optional<std::string> changed_within, changed_before, newer_than;

  // All of them, in any order; times are measured from now. False as above.
  bool add_to(std::vector<Predicate>& all);

  const std::string& complaint() const { return complaint_; }

 private:
  bool complain(std::string complaint);

  std::string complaint_;
  std::vector<std::string> extensions_;
};

}  // namespace trawl::cli
