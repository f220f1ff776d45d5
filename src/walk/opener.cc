// SPDX-License-Identifier: Apache-2.0
#include "walk/opener.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

namespace trawl::engine {

namespace {

bool out_of_descriptors(int error) { return error == EMFILE || error == ENFILE; }

}  // namespace

void DescriptorQueue::join(const Opener& opener) {
  std::lock_guard lock(openers_mutex_);
  openers_.push_back(&opener);
}

void DescriptorQueue::leave(const Opener& opener) {
  std::lock_guard lock(openers_mutex_);
  std::erase(openers_, &opener);
}

unsigned Opener::held_by_others() const {
  std::lock_guard lock(queue_.openers_mutex_);
  unsigned held = 0;
  for (const Opener* opener : queue_.openers_) {
    held += opener != this ? opener->held() : 0;
  }
  return held;
}

template <class Call>
int Opener::with_descriptors(Call call) {
  int error = 0;
  if (queue_.is_empty()) {
    error = call();
    if (!out_of_descriptors(error)) {
      return error;
    }
  }
  queue_.waiting_.fetch_add(1);
  release();
  {
    std::lock_guard turn(queue_.turn_);
    for (int patience = queue_.patience_;;) {
      error = call();
      if (!out_of_descriptors(error)) {
        queue_.patience_ = DescriptorQueue::kPatience;
        break;
      }
      release();
      if (held_by_others() == 0 && patience-- <= 0) {
        queue_.patience_ /= 2;
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  queue_.waiting_.fetch_sub(1);
  return error;
}

Opener::Cached* Opener::find(std::uint64_t anchor_id) {
  for (Cached& cached : cache_) {
    if (cached.handle.fd >= 0 && cached.anchor_id == anchor_id) {
      if (filesystem_.is_lost(cached.handle)) {
        forget(cached);
        return nullptr;
      }
      cached.used = ++clock_;
      return &cached;
    }
  }
  return nullptr;
}

void Opener::forget(Cached& cached) {
  if (cached.handle.fd >= 0) {
    close(cached.handle);
    cached.anchor_id = 0;
  }
}

void Opener::release() {
  for (Cached& cached : cache_) {
    forget(cached);
  }
}

void Opener::remember(std::uint64_t anchor_id, sys::DirectoryHandle handle) {
  Cached* oldest = &cache_[0];
  for (Cached& cached : cache_) {
    if (cached.handle.fd < 0) {
      oldest = &cached;
      break;
    }
    if (cached.used < oldest->used) {
      oldest = &cached;
    }
  }
  forget(*oldest);
  *oldest = {anchor_id, ++clock_, handle};
}

const char* Opener::path_from_anchor(const Node& node) {
  path_.resize(node.path_from_anchor);
  std::size_t end = path_.size();
  for (const Node* at = &node;; at = at->parent_node()) {
    const std::string_view name = at->name();
    end -= name.size();
    std::memcpy(path_.data() + end, name.data(), name.size());
    if (end == 0) {
      return path_.c_str();
    }
    path_[--end] = '/';
  }
}

int Opener::open_at(int base, const char* path, sys::OpenHow how, sys::DirectoryHandle& out,
                    std::uint64_t keep) {
  const auto open = [&] {
    count(calls_.open);
    return retry_interrupted([&] { return filesystem_.open_directory(base, path, how, out); });
  };
  int error = open();
  if (out_of_descriptors(error)) {
    for (Cached& cached : cache_) {
      if (cached.anchor_id != keep) {
        forget(cached);
      }
    }
    error = open();
  }
  if (error == 0) {
    held_.store(held() + 1, std::memory_order_relaxed);
  }
  return error;
}

void Opener::close(sys::DirectoryHandle& handle) {
  filesystem_.close(handle);
  count(calls_.close);
  held_.store(held() - 1, std::memory_order_relaxed);
}

int Opener::open_anchor(const Node& anchor, int& fd) {
  // Anchors on the way that are not at hand, the wanted one first.
  std::vector<const Node*> missing;
  int base = base_;
  std::uint64_t base_id = 0;
  for (const Node* at = &anchor; at != nullptr; at = at->anchor) {
    if (const Cached* cached = find(at->anchor_id)) {
      base = cached->handle.fd;
      base_id = cached->anchor_id;
      break;
    }
    missing.push_back(at);
  }
  while (!missing.empty()) {
    const Node& next = *missing.back();
    missing.pop_back();
    sys::DirectoryHandle handle;
    const bool is_root = next.anchor == nullptr;
    if (const int error = open_at(base, is_root ? next.name().data() : path_from_anchor(next),
                                  {.follow = is_root || next.followed}, handle, base_id)) {
      return error;
    }
    // The path may lead elsewhere by now. Anchors are opened anew seldom enough to make sure.
    if (has(next.metadata().valid, Fields::identity)) {
      Metadata now;
      count(calls_.stat);
      const int error =
          retry_interrupted([&] { return filesystem_.stat_handle(handle, Fields::identity, now); });
      if (error != 0 || now.identity() != next.metadata().identity()) {
        close(handle);
        return error != 0 ? error : ENOENT;
      }
    }
    remember(next.anchor_id, handle);
    base = handle.fd;
    base_id = next.anchor_id;
  }
  fd = base;
  return 0;
}

int Opener::locate(const Node& node, int& base, const char*& path) {
  if (node.anchor == nullptr) {
    base = base_;
    path = node.name().data();  // an operand: NUL-terminated
    return 0;
  }
  if (const int error = open_anchor(*node.anchor, base)) {
    return error;
  }
  path = path_from_anchor(node);
  return 0;
}

int Opener::open(const Node& node, sys::OpenHow how, sys::DirectoryHandle& out) {
  return with_descriptors([&] {
    int base;
    const char* path;
    if (const int error = locate(node, base, path)) {
      return error;
    }
    const bool is_root = node.anchor == nullptr;
    how.follow = is_root || node.followed;
    how.stay_on_mount = how.stay_on_mount && !is_root;
    return open_at(base, path, how, out, is_root ? 0 : node.anchor->anchor_id);
  });
}

int Opener::open_again(const sys::DirectoryHandle& handle, sys::DirectoryHandle& out) {
  if (!queue_.is_empty()) {
    return EMFILE;
  }
  count(calls_.open);
  const int error =
      retry_interrupted([&] { return filesystem_.open_directory(handle.fd, ".", {}, out); });
  if (error == 0) {
    held_.store(held() + 1, std::memory_order_relaxed);
  }
  return error;
}

int Opener::stat(const Node& node, Fields fields, Metadata& out) {
  return with_descriptors([&] {
    int base;
    const char* path;
    if (const int error = locate(node, base, path)) {
      return error;
    }
    count(calls_.stat);
    return retry_interrupted(
        [&] { return filesystem_.stat_at(base, path, fields, node.followed, out); });
  });
}

void Opener::close(const Node& node, sys::DirectoryHandle& handle) {
  if (node.anchor_id != 0) {
    remember(node.anchor_id, handle);
    handle = {};
    return;
  }
  close(handle);
}

}  // namespace trawl::engine
