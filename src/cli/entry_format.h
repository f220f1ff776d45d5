// SPDX-License-Identifier: Apache-2.0
//
// How `trawl list` and `trawl stat` write an entry. One object per run, made from the options; its
// append() may be called by several threads at once.
#pragma once

#include <trawl/types.h>

#include <memory>
#include <string>
#include <string_view>

namespace trawl::cli {

struct EntryLine {
  std::string_view path;  // as it is to be written
  std::string_view name;  // last component
  int depth = 0;
  FileType type = FileType::unknown;
  const Metadata* metadata = nullptr;  // null: not asked for, or not available
  std::string_view target;             // of a symbolic link, if needs_target()
  int error = 0;                       // of JSON lines of `trawl stat` for paths that failed
};

class EntryFormat {
 public:
  virtual ~EntryFormat() = default;
  virtual Fields fields() const = 0;  // what metadata it writes; none: paths and types only
  virtual bool needs_target() const { return false; }
  virtual std::string header() const { return {}; }  // CSV's first line
  // Makes room for the entry in the columns of the lines that follow. Who knows many entries before
  // they are written may call it for them; append() does it for each that was not seen here.
  virtual void measure(const EntryLine&) const {}
  virtual bool is_aligned() const { return false; }  // measure() does something
  virtual void append(const EntryLine& entry, std::string& out) const = 0;
};

// Throws UnknownWord, whose what() is the message that lists the words there are, for a field or
// directive that does not exist.
struct UnknownWord {
  std::string message;
};

// For an entry without metadata: the path and the type, and whatever the form has for "unknown".
// For a field that the filesystem did not answer, the same.
std::unique_ptr<EntryFormat> make_path_format(char end);  // '\n' or NUL
// Like ls -l. `quote`: names as a shell needs them, for terminals.
std::unique_ptr<EntryFormat> make_long_format(char end, bool quote = false);
std::unique_ptr<EntryFormat> make_field_format(std::string_view format,
                                               char end);  // {path} {size} …
// `depth`: whether that is a member, or a column.
std::unique_ptr<EntryFormat> make_json_format(Fields fields,
                                              bool depth = true);                // an object a line
std::unique_ptr<EntryFormat> make_csv_format(Fields fields, bool depth = true);  // RFC 4180
// GNU stat -c FORMAT, which ends each entry with `end`, and --printf FORMAT.
std::unique_ptr<EntryFormat> make_stat_format(std::string_view format, bool printf_escapes,
                                              char end = '\n');

}  // namespace trawl::cli
