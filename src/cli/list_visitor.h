// SPDX-License-Identifier: Apache-2.0
//
// `trawl list` without an order: workers write the lines of what they find, each into a buffer of
// its own.
//
// A directory's line comes before those of what is in it, though others may list that: who enters a
// directory finds in its parent's slot who wrote the lines of the parent's entries, and has them
// written out if they are not yet. Where several did (huge directories), who ends the listing does
// that for all.
#pragma once

#include <trawl/walk.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cli/list_options.h"
#include "cli/list_output.h"

namespace trawl::cli {

// What is listed of an entry. A root that is a directory is a dot among relative paths, another its
// last name, as rsync has them.
std::string_view last_name(std::string_view path);

class ListVisitor final : public Visitor {
 public:
  // Directory::slot(): who wrote the lines of its entries.
  struct Slot {
    std::atomic<LineBuffer*> writer;
    std::atomic<std::uint64_t> writes;  // of that, before
  };

  ListVisitor(const ListArguments& arguments, LineOutput& output)
      : arguments_(arguments), output_(output), buffer_(output.add_buffer()) {}

  Verdict enter(Directory& directory) override;
  Verdict entries(Directory& directory, std::span<Entry> batch) override;
  void listed(Directory& directory) override;

 private:
  void set_prefix(const Directory& directory);
  bool is_wanted(const Entry& entry) const;
  void append_paths(std::span<const Entry> batch, char end);
  void append_lines(std::span<const Entry> batch, int depth);
  EntryLine line_of(const Entry& entry, int depth) const;
  void sign(Slot& slot, std::span<const Entry> batch);

  const ListArguments& arguments_;
  LineOutput& output_;
  LineBuffer& buffer_;
  std::string path_;  // of the batch's directory, up to where names begin
};

}  // namespace trawl::cli
