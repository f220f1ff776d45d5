// SPDX-License-Identifier: Apache-2.0
//
// `trawl list --arrow`: the entries as a table, written chunk by chunk while the walk goes on.
// Built only where FlatBuffers is.
#pragma once

#include <trawl/walk.h>

#include <string>

#include "cli/list_context.h"
#include "cli/output.h"

namespace trawl::cli {

// A file that is made, or standard output. Closed at the end at the latest.
class ArrowTarget {
 public:
  explicit ArrowTarget(const std::string& name);
  ~ArrowTarget() { close(); }
  ArrowTarget(const ArrowTarget&) = delete;
  ArrowTarget& operator=(const ArrowTarget&) = delete;

  bool is_standard_output() const { return standard_output_; }
  int descriptor() const { return descriptor_; }
  int error() const { return error_; }  // errno of what failed first, or 0
  void close();

 private:
  const bool standard_output_;
  int descriptor_;
  int error_ = 0;
};

// In the streaming format if it is for standard output, which may be a pipe. What fails is in
// Output::error(); then the rest is not walked.
Result list_to_arrow(const ListContext& context, const ArrowTarget& target, Output& output);

}  // namespace trawl::cli
