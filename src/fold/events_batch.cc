// SPDX-License-Identifier: Apache-2.0
#include "fold/events_batch.h"

#include <algorithm>
#include <string>

namespace trawl {

std::string WalkEvent::path() const {
  std::string out;
  append_path(out);
  return out;
}

void WalkEvent::append_path(std::string& out) const {
  out.reserve(out.size() + directory.size() + name.size() + 1);
  out += directory;
  if (!directory.empty() && directory.back() != '/') {
    out += '/';
  }
  out += name;
}

EventBatch::EventBatch() noexcept = default;
EventBatch::EventBatch(std::unique_ptr<Storage> storage) noexcept : storage_(std::move(storage)) {}
EventBatch::EventBatch(EventBatch&&) noexcept = default;
EventBatch& EventBatch::operator=(EventBatch&&) noexcept = default;
EventBatch::~EventBatch() = default;

std::span<const WalkEvent> EventBatch::events() const {
  return storage_ != nullptr ? storage_->events() : std::span<const WalkEvent>();
}

std::unique_ptr<EventBatch::Storage> EventBatch::release() noexcept { return std::move(storage_); }

void EventBatch::Storage::prepare(std::size_t batch) {
  // A batch of a million is not what is usually filled.
  constexpr std::size_t kMostEvents = std::size_t{1} << 16;
  batch_ = std::clamp<std::size_t>(batch, 1, kMostEvents);
  events_.clear();
  events_.reserve(batch_);
  metadata_.clear();
  metadata_.reserve(batch_);
  errors_.clear();
  if (blocks_.size() > 1) {
    blocks_.resize(1);
  }
  free_ = blocks_.empty() ? nullptr : blocks_.front().get();
  left_ = blocks_.empty() ? 0 : kBlock;
  bytes_ = 0;
}

std::size_t EventBatch::Storage::weight() const {
  return std::max(events_.size(), bytes_ / kUsualPath);
}

void EventBatch::Storage::add_block(std::size_t least) {
  const std::size_t size = blocks_.empty() ? kBlock : std::max(kBlock, least);
  blocks_.push_back(std::unique_ptr<char[]>(new char[size]));
  free_ = blocks_.back().get();
  left_ = size;
  if (size < least) {
    add_block(least);
  }
}

}  // namespace trawl
