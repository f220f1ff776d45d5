// SPDX-License-Identifier: Apache-2.0
//
// An object a line, as docs/list.schema.json describes it. Written by hand: through objects of the
// JSON library an entry would take some microseconds.
#include "cli/entry_format.h"
#include "cli/entry_text.h"
#include "cli/json.h"
#include "cli/owner_names.h"

namespace trawl::cli {

namespace {

class JsonFormat final : public EntryFormat {
 public:
  JsonFormat(Fields fields, bool depth) : fields_(fields), depth_(depth) {}
  Fields fields() const override { return fields_; }
  bool needs_target() const override { return fields_ != Fields::none; }

  void append(const EntryLine& entry, std::string& out) const override {
    out += '{';
    append_json_member(out, "path", entry.path);
    if (depth_) {
      add(out, "depth", entry.depth);
    }
    if (entry.error == 0 || entry.type != FileType::unknown) {
      out += ",\"type\":\"";
      out += to_word(entry.type);
      out += '"';
    }
    if (entry.error != 0) {
      add_error(out, entry.error);
    } else {
      if (entry.type == FileType::symlink && !entry.target.empty()) {
        out += ',';
        append_json_member(out, "target", entry.target);
      }
      add_metadata(out, entry.metadata);
    }
    out += "}\n";
  }

 private:
  static void key(std::string& out, std::string_view name) {
    out += ",\"";
    out += name;
    out += "\":";
  }

  template <class T>
  static void add(std::string& out, std::string_view name, T value) {
    key(out, name);
    append_number(out, value);
  }

  static void add_name_of(std::string& out, std::string_view key_name, const std::string* name) {
    if (name == nullptr) {
      key(out, key_name);
      out += "null";
    } else {
      out += ',';
      append_json_member(out, key_name, *name);
    }
  }

  static void add_nulls(std::string& out, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
      key(out, name);
      out += "null";
    }
  }

  static void add_error(std::string& out, int code) {
    Error error;
    error.code = code;
    const Json whole = to_json(error);
    Json part;
    for (const char* member : {"errno", "errno_name", "message"}) {
      if (whole.contains(member)) {
        part[member] = whole[member];
      }
    }
    key(out, "error");
    out += part.dump();
  }

  void add_metadata(std::string& out, const Metadata* data) const {
    if (has(fields_, Fields::mode)) {
      if (is_valid(data, Fields::mode)) {
        key(out, "mode");
        out += '"';
        append_mode(out, data->mode);
        out += '"';
      } else {
        add_nulls(out, {"mode"});
      }
    }
    if (has(fields_, Fields::links)) {
      if (is_valid(data, Fields::links)) {
        add(out, "links", data->links);
      } else {
        add_nulls(out, {"links"});
      }
    }
    if (has(fields_, Fields::owner)) {
      if (is_valid(data, Fields::owner)) {
        add(out, "uid", data->uid);
        add(out, "gid", data->gid);
        add_name_of(out, "user", user_name(data->uid));
        add_name_of(out, "group", group_name(data->gid));
      } else {
        add_nulls(out, {"uid", "gid", "user", "group"});
      }
    }
    if (has(fields_, Fields::identity)) {
      if (is_valid(data, Fields::identity)) {
        add(out, "device", data->device);
        add(out, "inode", data->inode);
      } else {
        add_nulls(out, {"device", "inode"});
      }
    }
    if (has(fields_, Fields::size)) {
      if (is_valid(data, Fields::size)) {
        add(out, "size", data->size);
      } else {
        add_nulls(out, {"size"});
      }
    }
    if (has(fields_, Fields::blocks)) {
      if (is_valid(data, Fields::blocks)) {
        add(out, "blocks", data->blocks);
        add(out, "disk_usage", data->disk_usage());
        add(out, "block_size", data->block_size);
      } else {
        add_nulls(out, {"blocks", "disk_usage", "block_size"});
      }
    }
    if (data != nullptr &&
        (data->type() == FileType::block_device || data->type() == FileType::character_device)) {
      add(out, "rdev_major", data->device_major);
      add(out, "rdev_minor", data->device_minor);
    }
    add_time(out, "atime", Fields::atime, data, &Metadata::atime);
    add_time(out, "mtime", Fields::mtime, data, &Metadata::mtime);
    add_time(out, "ctime", Fields::ctime, data, &Metadata::ctime);
    add_time(out, "btime", Fields::btime, data, &Metadata::btime);
  }

  void add_time(std::string& out, std::string_view name, Fields field, const Metadata* data,
                Timestamp Metadata::*time) const {
    if (!has(fields_, field)) {
      return;
    }
    if (!is_valid(data, field)) {
      add_nulls(out, {name});
      return;
    }
    key(out, name);
    out += "{\"seconds\":";
    append_number(out, (data->*time).seconds);
    out += ",\"nanoseconds\":";
    append_number(out, (data->*time).nanoseconds);
    out += '}';
  }

  const Fields fields_;
  const bool depth_;
};

}  // namespace

std::unique_ptr<EntryFormat> make_json_format(Fields fields, bool depth) {
  return std::make_unique<JsonFormat>(fields, depth);
}

}  // namespace trawl::cli
