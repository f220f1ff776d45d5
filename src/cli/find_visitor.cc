// SPDX-License-Identifier: Apache-2.0
#include "cli/find_visitor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <mutex>

namespace trawl::cli {

namespace {

// Whether there is something by this name, at the end of links if it is one; also where the path is
// longer than the kernel takes.
bool exists(std::string_view path) {
  int from = AT_FDCWD;
  std::string piece(path);
  bool found = true;
  while (found && piece.size() >= PATH_MAX) {
    const std::size_t slash = piece.rfind('/', PATH_MAX - 2);
    const std::string first = piece.substr(0, slash);
    const int next = ::openat(from, first.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (from != AT_FDCWD) {
      ::close(from);
    }
    from = next;
    found = next >= 0;
    piece.erase(0, piece.find_first_not_of('/', slash));
  }
  struct stat status {};
  found = found && ::fstatat(from, piece.c_str(), &status, 0) == 0;
  if (from >= 0) {
    ::close(from);
  }
  return found;
}

bool is_plain_list(const FindContext& context) {
  const FindArguments& arguments = context.arguments;
  return context.output != nullptr && arguments.lines.is_plain() && !arguments.prune &&
         arguments.ignore_contain.empty() && arguments.max_results == UINT64_MAX;
}

}  // namespace

int FindContext::walk_depth() const {
  const int depth = arguments.max_depth;
  return depth == INT_MAX || (listing_decides() && depth > 0) ? depth : depth - 1;
}

FindVisitor::FindVisitor(FindContext& context)
    : context_(context),
      arguments_(context.arguments),
      buffer_(context.output != nullptr ? &context.output->add_buffer() : nullptr),
      ranked_(context.arguments.ranking),
      may_append_plain_(is_plain_list(context)) {}

bool FindVisitor::is_over() const {
  return context_.found.load(std::memory_order_relaxed) >= arguments_.max_results || gone_ ||
         (context_.output != nullptr && context_.output->failed());
}

// One more may be shown.
bool FindVisitor::claim() {
  return arguments_.max_results == UINT64_MAX ||
         context_.found.fetch_add(1) < arguments_.max_results;
}

void FindVisitor::set_path_of(const Directory& directory) {
  path_.clear();
  directory.append_path(path_);
  if (!context_.base.empty()) {
    full_path_.clear();
    if (!path_.starts_with('/')) {
      full_path_ = context_.base;
    }
    const bool dot = path_ == "." || path_.starts_with("./");
    full_path_.append(path_, dot ? std::min<std::size_t>(2, path_.size()) : 0);
  }
}

void FindVisitor::set_path(const Directory& directory) {
  set_path_of(directory);
  for (std::string* each : {&path_, &full_path_}) {
    if (!each->empty() && !each->ends_with('/')) {
      *each += '/';
    }
  }
  full_size_ = full_path_.size();
  arguments_.paths.apply(path_);
}

// But for what is known of it.
Subject FindVisitor::subject_of(std::string_view name, int depth) {
  Subject subject{.name = name, .depth = depth};
  if (!context_.base.empty()) {
    full_path_.resize(full_size_);
    full_path_ += name;
    subject.path = full_path_;
  }
  return subject;
}

void FindVisitor::select(Directory& directory, std::span<Entry> batch) {
  const int depth = directory.depth() + 1;
  const bool shallow = depth < arguments_.min_depth;
  if (directory.is_origin() || (!arguments_.plan && !shallow)) {
    return;
  }
  if (depth > arguments_.max_depth) {
    for (Entry& entry : batch) {
      entry.skip = true;
    }
    return;
  }
  if (!context_.base.empty()) {
    set_path(directory);
  }
  const bool is_entered = depth <= context_.walk_depth();
  const bool stat_is_for_plan = context_.shown_fields() == Fields::none;
  for (Entry& entry : batch) {
    const bool is_link =
        arguments_.follow == Follow::all && entry.type == FileType::symlink;  // to what, who knows
    Answer answer = Answer::no;
    if (!shallow) {
      Subject subject = subject_of(entry.name, depth);
      subject.type = is_link ? FileType::unknown : entry.type;
      answer = arguments_.plan->judge(subject);
    }
    const bool may_be_entered = is_entered && (entry.type == FileType::directory ||
                                               entry.type == FileType::unknown || is_link);
    switch (answer) {
      case Answer::no:
        entry.skip = !may_be_entered;
        entry.no_metadata = true;
        entry.tag = kPassed;
        break;
      case Answer::yes:
        entry.no_metadata = stat_is_for_plan;
        entry.tag = kFound;
        break;
      case Answer::needs_metadata:
      case Answer::needs_listing:
        entry.tag = kOpen;
        break;
    }
  }
}

bool FindVisitor::is_found(const Entry& entry, int depth) {
  if (entry.error != 0 && entry.metadata == nullptr) {
    // The engine has noted it, if it is not gone. What matches without its metadata is found all
    // the same, though it can't be coloured.
    return entry.tag == kFound && entry.error != ENOENT && entry.type != FileType::unknown &&
           depth >= arguments_.min_depth;
  }
  if (entry.tag == kOpen) {
    Subject subject = subject_of(entry.name, depth);
    subject.type = entry.type;
    subject.metadata = entry.metadata;
    return arguments_.plan->judge(subject) == Answer::yes;
  }
  return entry.tag == kFound && depth >= arguments_.min_depth;
}

// --ignore-contain
bool FindVisitor::leaves_out(const Entry& entry) {
  if (entry.type != FileType::directory) {
    return false;
  }
  const std::size_t size = path_.size();
  path_ += entry.name;
  path_ += '/';
  const std::size_t named = path_.size();
  const bool contains = std::any_of(arguments_.ignore_contain.begin(),
                                    arguments_.ignore_contain.end(), [&](const std::string& name) {
                                      path_.resize(named);
                                      path_ += name;
                                      return exists(path_);
                                    });
  path_.resize(size);
  return contains;
}

Verdict FindVisitor::entries(Directory& directory, std::span<Entry> batch) {
  if (is_over()) {
    return Verdict::stop;
  }
  const int depth = directory.depth() + 1;
  if (directory.is_origin()) {
    path_.clear();
    for (Entry& entry : batch) {
      entry.descend = entry.descend && !leaves_out(entry);
    }
    return Verdict::proceed;
  }
  set_path(directory);
  if (may_append_plain_) {
    const std::lock_guard lock(*buffer_);
    append_plain(batch, depth);
    buffer_->added();
    return Verdict::proceed;
  }
  for (Entry& entry : batch) {
    if (leaves_out(entry)) {
      entry.descend = false;
      continue;
    }
    if (!is_found(entry, depth)) {
      continue;
    }
    if (arguments_.prune) {
      entry.descend = false;
    }
    if (!claim()) {
      return Verdict::stop;
    }
    const std::size_t size = path_.size();
    path_ += entry.name;
    show({.path = path_,
          .name = size,
          .depth = depth,
          .type = entry.type,
          .metadata = entry.metadata,
          .target = entry.link_target});
    path_.resize(size);
    if (is_over()) {
      return Verdict::stop;
    }
  }
  return Verdict::proceed;
}

// Next to all of the time of the command's own goes here.
void FindVisitor::append_plain(std::span<const Entry> batch, int depth) {
  std::string& text = buffer_->text();
  const std::size_t size = text.size();
  std::size_t room = size;
  for (const Entry& entry : batch) {
    room += path_.size() + entry.name.size() + 2;
  }
  text.resize(room);
  char* at = text.data() + size;
  for (const Entry& entry : batch) {
    if (!is_found(entry, depth)) {
      continue;
    }
    std::memcpy(at, path_.data(), path_.size());
    at += path_.size();
    std::memcpy(at, entry.name.data(), entry.name.size());
    at += entry.name.size();
    if (entry.type == FileType::directory) {
      *at++ = '/';
    }
    *at++ = arguments_.lines.end;
  }
  text.resize(static_cast<std::size_t>(at - text.data()));
}

void FindVisitor::show(const Finding& finding) {
  if (context_.is_ranked()) {
    ranked_.add(finding);
  } else if (context_.executor != nullptr) {
    gone_ = !context_.executor->add(finding.path);
  } else if (buffer_ != nullptr) {
    const std::lock_guard lock(*buffer_);
    arguments_.lines.append(buffer_->text(), finding);
    buffer_->added();
  }
}

void FindVisitor::listed(Directory& directory) {
  const int depth = directory.depth();
  if (!context_.listing_decides() || directory.entry_count() != 0 || directory.error() != 0 ||
      depth < std::max(1, arguments_.min_depth) || depth > arguments_.max_depth || is_over()) {
    return;
  }
  set_path_of(directory);
  full_size_ = full_path_.size() - directory.name().size();
  Subject subject = subject_of(std::string(directory.name()), depth);
  subject.type = FileType::directory;
  if (directory.metadata().valid != Fields::none) {
    subject.metadata = &directory.metadata();
  }
  if (arguments_.plan->judge(subject) != Answer::needs_listing) {
    return;  // shown already, or never
  }
  subject.is_empty_directory = true;
  if (arguments_.plan->judge(subject) == Answer::yes && claim()) {
    arguments_.paths.apply(path_);
    show({.path = path_,
          .name = path_.size() - directory.name().size(),
          .depth = depth,
          .type = FileType::directory,
          .metadata = subject.metadata});
  }
}

}  // namespace trawl::cli
