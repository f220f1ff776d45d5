// SPDX-License-Identifier: Apache-2.0
//
// Comma-separated values as RFC 4180 has them: lines end in CR LF, the first one has the names of
// the columns, and a cell with a comma, a quote or a line's end is in quotes. Cells have the bytes
// of names as they are; what is not known is empty.
#include "cli/entry_format.h"
#include "cli/entry_text.h"
#include "cli/json.h"
#include "cli/owner_names.h"

namespace trawl::cli {

namespace {

void append_cell(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') {
      out += '"';
    }
    out += c;
  }
  out += '"';
}

class CsvFormat final : public EntryFormat {
 public:
  CsvFormat(Fields fields, bool depth) : fields_(fields), depth_(depth) {}
  Fields fields() const override { return fields_; }
  bool needs_target() const override { return fields_ != Fields::none; }

  std::string header() const override {
    std::string out = depth_ ? "path,depth,type" : "path,type";
    const auto add = [&](Fields field, std::string_view names) {
      if (has(fields_, field)) {
        out += names;
      }
    };
    if (needs_target()) {
      out += ",target";
    }
    add(Fields::mode, ",mode");
    add(Fields::links, ",links");
    add(Fields::owner, ",uid,gid,user,group");
    add(Fields::identity, ",device,inode");
    add(Fields::size, ",size");
    add(Fields::blocks, ",blocks,disk_usage,block_size");
    if (needs_target()) {
      out += ",rdev_major,rdev_minor";
    }
    add(Fields::atime, ",atime");
    add(Fields::mtime, ",mtime");
    add(Fields::ctime, ",ctime");
    add(Fields::btime, ",btime");
    return out + "\r\n";
  }

  void append(const EntryLine& entry, std::string& out) const override {
    append_cell(out, entry.path);
    if (depth_) {
      out += ',';
      append_number(out, entry.depth);
    }
    out += ',';
    out += to_word(entry.type);
    if (needs_target()) {
      out += ',';
      append_cell(out, entry.target);
      append_metadata(entry, out);
    }
    out += "\r\n";
  }

 private:
  void append_metadata(const EntryLine& entry, std::string& out) const {
    const Metadata* data = entry.metadata;
    const auto number = [&](bool known, std::uint64_t value) {
      out += ',';
      if (known) {
        append_number(out, value);
      }
    };
    if (has(fields_, Fields::mode)) {
      out += ',';
      if (is_valid(data, Fields::mode)) {
        append_mode(out, data->mode);
      }
    }
    if (has(fields_, Fields::links)) {
      const bool known = is_valid(data, Fields::links);
      number(known, known ? data->links : 0);
    }
    if (has(fields_, Fields::owner)) {
      const bool known = is_valid(data, Fields::owner);
      number(known, known ? data->uid : 0);
      number(known, known ? data->gid : 0);
      out += ',';
      append_owner(out, known ? user_name(data->uid) : nullptr);
      out += ',';
      append_owner(out, known ? group_name(data->gid) : nullptr);
    }
    if (has(fields_, Fields::identity)) {
      const bool known = is_valid(data, Fields::identity);
      number(known, known ? data->device : 0);
      number(known, known ? data->inode : 0);
    }
    if (has(fields_, Fields::size)) {
      const bool known = is_valid(data, Fields::size);
      number(known, known ? data->size : 0);
    }
    if (has(fields_, Fields::blocks)) {
      const bool known = is_valid(data, Fields::blocks);
      number(known, known ? data->blocks : 0);
      number(known, known ? data->disk_usage() : 0);
      number(known, known ? data->block_size : 0);
    }
    const bool device = data != nullptr && (data->type() == FileType::block_device ||
                                            data->type() == FileType::character_device);
    number(device, device ? data->device_major : 0);
    number(device, device ? data->device_minor : 0);
    append_time(out, Fields::atime, data, &Metadata::atime);
    append_time(out, Fields::mtime, data, &Metadata::mtime);
    append_time(out, Fields::ctime, data, &Metadata::ctime);
    append_time(out, Fields::btime, data, &Metadata::btime);
  }

  static void append_owner(std::string& out, const std::string* name) {
    if (name != nullptr) {
      append_cell(out, *name);
    }
  }

  void append_time(std::string& out, Fields field, const Metadata* data,
                   Timestamp Metadata::*time) const {
    if (has(fields_, field)) {
      out += ',';
      if (is_valid(data, field)) {
        append_utc(out, data->*time);
      }
    }
  }

  const Fields fields_;
  const bool depth_;
};

}  // namespace

std::unique_ptr<EntryFormat> make_csv_format(Fields fields, bool depth) {
  return std::make_unique<CsvFormat>(fields, depth);
}

}  // namespace trawl::cli
