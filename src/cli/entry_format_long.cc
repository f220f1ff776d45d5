// SPDX-License-Identifier: Apache-2.0
//
// Lines as those of ls -l, with the time of the last change of contents as `--time-style=long-iso`
// has it. Columns are as wide as what came so far needs, and never narrower than a start that suits
// most trees; they are kept in atomics, and it does no harm if a thread misses another's latest.
#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>

#include "cli/entry_format.h"
#include "cli/entry_text.h"
#include "cli/owner_names.h"
#include "cli/quoting_style.h"

namespace trawl::cli {

namespace {

enum Column : std::size_t { kLinks, kUser, kGroup, kSize, kColumns };
constexpr std::array<std::size_t, kColumns> kLeast = {2, 4, 4, 9};
// An odd name does not push everything to the right for good.
constexpr std::size_t kWidest = 32;
constexpr std::size_t kTimeSize = 16;

std::size_t digits_of(std::uint64_t value) {
  std::size_t digits = 1;
  for (; value >= 10; value /= 10) {
    ++digits;
  }
  return digits;
}

bool is_device(FileType type) {
  return type == FileType::block_device || type == FileType::character_device;
}

class LongFormat final : public EntryFormat {
 public:
  LongFormat(char end, bool quote) : end_(end), quote_(quote) {
    for (std::size_t i = 0; i < kColumns; ++i) {
      widths_[i].store(kLeast[i], std::memory_order_relaxed);
    }
    ::tzset();
  }

  Fields fields() const override {
    return Fields::type | Fields::mode | Fields::links | Fields::owner | Fields::size |
           Fields::mtime;
  }
  bool needs_target() const override { return true; }
  bool is_aligned() const override { return true; }

  void measure(const EntryLine& entry) const override {
    const Metadata* data = entry.metadata;
    if (data == nullptr) {
      return;
    }
    widen(kLinks, digits_of(data->links));
    widen(kUser, size_of(user_name(data->uid), data->uid));
    widen(kGroup, size_of(group_name(data->gid), data->gid));
    widen(kSize, is_device(entry.type)
                     ? digits_of(data->device_major) + 2 + digits_of(data->device_minor)
                     : digits_of(data->size));
  }

  void append(const EntryLine& entry, std::string& out) const override {
    measure(entry);
    const Metadata* data = entry.metadata;
    if (is_valid(data, Fields::type | Fields::mode)) {
      append_permissions(out, data->mode);
    } else {
      append_unknown_permissions(out, entry.type);
    }
    std::size_t cell = begin(out);
    if (is_valid(data, Fields::links)) {
      append_number(out, data->links);
    }
    align_right(out, cell, width_of(kLinks));
    const bool owned = is_valid(data, Fields::owner);
    append_name(out, kUser, owned, owned ? user_name(data->uid) : nullptr, owned ? data->uid : 0);
    append_name(out, kGroup, owned, owned ? group_name(data->gid) : nullptr, owned ? data->gid : 0);
    cell = begin(out);
    if (data != nullptr && is_device(entry.type)) {
      append_number(out, data->device_major);
      out += ", ";
      append_number(out, data->device_minor);
    } else if (is_valid(data, Fields::size)) {
      append_number(out, data->size);
    }
    align_right(out, cell, width_of(kSize));
    cell = begin(out);
    if (is_valid(data, Fields::mtime) && !append_local_minutes(out, data->mtime)) {
      append_number(out, data->mtime.seconds);
    }
    align_right(out, cell, kTimeSize);
    out += ' ';
    append_path(out, entry.path);
    if (entry.type == FileType::symlink && !entry.target.empty()) {
      out += " -> ";
      append_path(out, entry.target);
    }
    out += end_;
  }

 private:
  static std::size_t size_of(const std::string* name, std::uint32_t id) {
    return name != nullptr ? name->size() : digits_of(id);
  }

  void widen(Column column, std::size_t size) const {
    std::atomic<std::size_t>& width = widths_[column];
    size = std::min(size, kWidest);
    std::size_t now = width.load(std::memory_order_relaxed);
    while (now < size && !width.compare_exchange_weak(now, size, std::memory_order_relaxed)) {
    }
  }

  std::size_t width_of(Column column) const {
    return widths_[column].load(std::memory_order_relaxed);
  }

  // Where the next cell begins. What is appended then is the cell; if it is nothing, it is unknown.
  static std::size_t begin(std::string& out) {
    out += ' ';
    return out.size();
  }
  static void align_right(std::string& out, std::size_t cell, std::size_t width) {
    if (out.size() == cell) {
      out += '?';
    }
    const std::size_t size = out.size() - cell;
    if (size < width) {
      out.insert(cell, width - size, ' ');
    }
  }

  void append_name(std::string& out, Column column, bool known, const std::string* name,
                   std::uint32_t id) const {
    const std::size_t cell = begin(out);
    if (!known) {
      out += '?';
    } else if (name != nullptr) {
      out += *name;
    } else {
      append_number(out, id);
    }
    const std::size_t size = out.size() - cell;
    const std::size_t width = width_of(column);
    out.append(size < width ? width - size : 0, ' ');
  }

  static void append_unknown_permissions(std::string& out, FileType type) {
    constexpr char kLetters[] = "?-dlbcps";  // in the order of FileType
    out += kLetters[static_cast<std::size_t>(type)];
    out.append(kPermissionsSize - 1, '?');
  }

  void append_path(std::string& out, std::string_view path) const {
    if (quote_) {
      out += quoted(path, QuotingStyle::shell_escape);
    } else {
      out += path;
    }
  }

  const char end_;
  const bool quote_;
  mutable std::array<std::atomic<std::size_t>, kColumns> widths_;
};

}  // namespace

std::unique_ptr<EntryFormat> make_long_format(char end, bool quote) {
  return std::make_unique<LongFormat>(end, quote);
}

}  // namespace trawl::cli
