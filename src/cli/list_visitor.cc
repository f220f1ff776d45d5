// SPDX-License-Identifier: Apache-2.0
#include "cli/list_visitor.h"

#include <algorithm>
#include <cstring>
#include <mutex>

namespace trawl::cli {

namespace {

// In place of one writer.
LineBuffer* several_writers() {
  static char mark;
  return reinterpret_cast<LineBuffer*>(&mark);
}

}  // namespace

std::string_view last_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.remove_suffix(1);
  }
  return path.size() > 1 ? path.substr(path.rfind('/') + 1) : path;
}

Verdict ListVisitor::enter(Directory& directory) {
  if (!directory.is_origin()) {
    const Slot& slot = directory.parent()->slot<Slot>();
    LineBuffer* const writer = slot.writer.load(std::memory_order_relaxed);
    if (writer != &buffer_ && writer != nullptr && writer != several_writers() &&
        writer->writes() == slot.writes.load(std::memory_order_relaxed)) {
      writer->flush();
    }
  }
  return Verdict::proceed;
}

Verdict ListVisitor::entries(Directory& directory, std::span<Entry> batch) {
  if (output_.failed()) {
    return Verdict::stop;
  }
  const int depth = directory.depth() + 1;
  const std::lock_guard lock(buffer_);
  if (depth >= arguments_.min_depth) {
    set_prefix(directory);
    const bool dots = arguments_.relative && directory.is_origin();
    if (arguments_.path_end && !dots) {
      append_paths(batch, *arguments_.path_end);
    } else {
      append_lines(batch, depth);
    }
  }
  sign(directory.slot<Slot>(), batch);
  buffer_.added();
  return Verdict::proceed;
}

void ListVisitor::listed(Directory& directory) {
  if (directory.slot<Slot>().writer.load(std::memory_order_relaxed) == several_writers()) {
    output_.flush();
  }
}

void ListVisitor::set_prefix(const Directory& directory) {
  path_.clear();
  directory.append_path(path_);
  if (!directory.is_origin() && !path_.ends_with('/')) {
    path_ += '/';
  }
  if (arguments_.relative && !directory.is_origin()) {
    const Directory* root = &directory;
    while (root->depth() > 0) {
      root = root->parent();
    }
    path_.erase(0, root->name().size() + (root->name().ends_with('/') ? 0 : 1));
  }
}

bool ListVisitor::is_wanted(const Entry& entry) const {
  const bool unknown = entry.error != 0 && entry.metadata == nullptr;
  return !unknown && arguments_.lists(entry.type);
}

// Next to all of the time of the command's own goes here.
void ListVisitor::append_paths(std::span<const Entry> batch, char end) {
  std::string& text = buffer_.text();
  std::size_t size = text.size();
  std::size_t room = size;
  for (const Entry& entry : batch) {
    room += path_.size() + entry.name.size() + 1;
  }
  text.resize(room);
  char* at = text.data() + size;
  for (const Entry& entry : batch) {
    if (is_wanted(entry)) {
      std::memcpy(at, path_.data(), path_.size());
      at += path_.size();
      std::memcpy(at, entry.name.data(), entry.name.size());
      at += entry.name.size();
      *at++ = end;
    }
  }
  text.resize(static_cast<std::size_t>(at - text.data()));
}

// All but its path.
EntryLine ListVisitor::line_of(const Entry& entry, int depth) const {
  return {.path = {},
          .name = depth == 0 ? last_name(entry.name) : entry.name,
          .depth = depth,
          .type = entry.type,
          // Of a PATH the engine always knows some.
          .metadata = arguments_.fields != Fields::none ? entry.metadata : nullptr,
          .target = entry.link_target};
}

void ListVisitor::append_lines(std::span<const Entry> batch, int depth) {
  const EntryFormat& format = *arguments_.format;
  if (format.is_aligned()) {
    for (const Entry& entry : batch) {
      if (is_wanted(entry)) {
        format.measure(line_of(entry, depth));
      }
    }
  }
  const std::size_t prefix = path_.size();
  for (const Entry& entry : batch) {
    if (!is_wanted(entry)) {
      continue;
    }
    EntryLine line = line_of(entry, depth);
    if (depth == 0 && arguments_.relative) {
      line.path = entry.type == FileType::directory ? "." : line.name;
    } else {
      path_.resize(prefix);
      path_ += entry.name;
      line.path = path_;
    }
    format.append(line, buffer_.text());
  }
}

// Only the lines of directories that are entered matter.
void ListVisitor::sign(Slot& slot, std::span<const Entry> batch) {
  if (std::none_of(batch.begin(), batch.end(), [](const Entry& e) { return e.descend; })) {
    return;
  }
  LineBuffer* writer = nullptr;
  if (!slot.writer.compare_exchange_strong(writer, &buffer_) && writer != &buffer_) {
    slot.writer.store(several_writers());
  }
  slot.writes.store(buffer_.writes(), std::memory_order_relaxed);
}

}  // namespace trawl::cli
