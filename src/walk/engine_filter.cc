// SPDX-License-Identifier: Apache-2.0
//
// The engine leaves out what Options::filter leaves out.
//
// A directory's ignore files are looked for in the first buffer of its listing, before the first
// entry is reported. Nearly always that is the whole listing; of a directory that is larger, they
// are asked for by name.
#include <cerrno>
#include <cstring>

#include "sys/dirent.h"
#include "walk/engine_worker.h"
#include "walk/path_filter_context.h"

namespace trawl::engine {

namespace {

// Appends the path from the root to the directory, with a slash at its end; of a root, nothing.
void append_below_root(const Node& node, std::string& out) {
  std::size_t size = 0;
  for (const Node* at = &node; at->depth() > 0; at = at->parent_node()) {
    size += at->name().size() + 1;
  }
  out.resize(out.size() + size);
  std::size_t end = out.size();
  for (const Node* at = &node; at->depth() > 0; at = at->parent_node()) {
    out[--end] = '/';
    end -= at->name().size();
    std::memcpy(out.data() + end, at->name().data(), at->name().size());
  }
}

// The directory as the visitor will see it, with a slash at its end; of the origin, nothing.
void set_shown_path(const Node& node, std::string& out) {
  out.clear();
  node.append_path(out);
  if (!node.is_origin() && !out.ends_with('/')) {
    out += '/';
  }
}

}  // namespace

// Reads until the listing ends or the buffer is full, whichever is first. Where the first read did
// not tell the end, that is the read that finds nothing, only earlier. An error is that of what
// comes behind.
int Engine::read_on(Worker& worker, sys::DirectoryHandle& handle, std::span<std::byte> buffer,
                    std::size_t& size, bool& end) {
  while (!end && size != 0 && buffer.size() - size >= sys::kMaxDirentLength) {
    std::size_t more = 0;
    count(worker.calls.read);
    const int error = retry_interrupted(
        [&] { return filesystem_.read_directory(handle, buffer.subspan(size), more, end); });
    if (error != 0) {
      return error;
    }
    size += more;
    end = end || more == 0;
  }
  return 0;
}

// `records`: the beginning of its listing, or all of it.
void Engine::begin_filter(Worker& worker, Node& node, const sys::DirectoryHandle& handle,
                          std::span<const std::byte> records, bool is_all) {
  const PathFilter::Context& filter = options_.filter->context();
  if (node.root == &node) {
    const std::string operand(node.name());
    node.filter_root =
        filter.begin(filesystem_, options_.base_descriptor, operand.c_str(), operand);
    node.level = &node.filter_root->top();
  }
  if (!filter.reads_files()) {
    return;
  }
  PathFilter::Context::Found found = is_all ? 0 : PathFilter::Context::kAll;
  if (is_all) {
    sys::DirentReader reader(records);
    for (sys::Dirent dirent; reader.next(dirent);) {
      found |= filter.found(dirent.name);
    }
  }
  if (found == 0) {
    return;
  }
  std::string& shown = worker.custom_path;
  set_shown_path(node, shown);
  std::string& path = worker.filter_path;
  path = node.root->filter_root->prefix;
  append_below_root(node, path);
  node.own_level = filter.enter(filesystem_, handle.fd, "", shown, found, path.size(), *node.level);
  if (node.own_level != nullptr) {
    node.level = node.own_level.get();
  }
}

// Marks what is left out. Where the listing does not tell the type of an entry, or a link is to be
// followed, and rules depend on it, is_left_out() is asked again later.
void Engine::filter_batch(Worker& worker, Node& node, std::span<Entry> batch) {
  const bool has_custom = static_cast<bool>(options_.filter->options().custom);
  if (node.is_origin()) {
    for (Entry& entry : batch) {
      entry.skip = has_custom && custom_leaves_out(node, entry.name.data());
    }
    return;
  }
  if (!has_custom && !node.level->rules.has_rules() && !node.level->is_cache &&
      !options_.filter->options().hidden) {
    return;
  }
  if (node.level->rules.needs_path()) {
    worker.filter_path = node.root->filter_root->prefix;
    append_below_root(node, worker.filter_path);
  } else {
    worker.filter_path.clear();
  }
  if (has_custom) {
    set_shown_path(node, worker.custom_path);
  }
  for (Entry& entry : batch) {
    const bool is_known = entry.type != FileType::unknown &&
                          (entry.type != FileType::symlink || options_.follow != Follow::all);
    entry.skip = is_left_out(worker, node, entry, entry.type == FileType::directory) &&
                 (is_known || is_left_out(worker, node, entry, entry.type != FileType::directory));
  }
}

// What it throws ends the walk, as what a visitor throws does. It may be slow, so it is not asked for
// the rest of a batch when the walk is to end.
bool Engine::custom_leaves_out(Node& node, const char* path) {
  if (stopping()) {
    node.mark_cut_short();
    return true;
  }
  bool left_out = true;
  visit([&] {
    left_out = options_.filter->options().custom(path);
    return Verdict::proceed;
  });
  return left_out;
}

bool Engine::is_left_out(Worker& worker, Node& node, const Entry& entry, bool is_directory) {
  const PathFilter::Context& filter = options_.filter->context();
  const std::size_t begin = worker.filter_path.size();
  std::string_view path = entry.name;
  if (begin != 0) {
    path = worker.filter_path += entry.name;
  }
  bool left_out = filter.judge(*node.level, {path, begin, is_directory}).ignored();
  worker.filter_path.resize(begin);
  if (!left_out && options_.filter->options().custom) {
    const std::size_t shown = worker.custom_path.size();
    worker.custom_path += entry.name;
    left_out = custom_leaves_out(node, worker.custom_path.c_str());
    worker.custom_path.resize(shown);
  }
  return left_out;
}

}  // namespace trawl::engine
