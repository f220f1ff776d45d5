// SPDX-License-Identifier: Apache-2.0
//
// The memory of a batch of events. Whatever events point to stays where it is until clear().
#pragma once

#include <trawl/events.h>

#include <cstddef>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace trawl {

struct EventBatch::Storage {
 public:
  // Empties it, and makes room for so many events.
  void prepare(std::size_t batch);

  bool empty() const { return events_.empty(); }
  bool full() const { return events_.size() >= batch_ || bytes_ >= kMostBytes; }
  // What it takes of the channel's capacity.
  std::size_t weight() const;
  std::span<const WalkEvent> events() const { return events_; }

  // Not to a full one.
  WalkEvent& add(WalkEvent::Kind kind, FileType type, int depth) {
    WalkEvent& event = events_.emplace_back();
    event.kind = kind;
    event.type = type;
    event.depth = depth;
    return event;
  }
  // For the event that was added last; one each.
  const Metadata* keep(const Metadata& metadata) { return &metadata_.emplace_back(metadata); }
  const Error* keep(Error error) { return &errors_.emplace_back(std::move(error)); }

  std::string_view keep(std::string_view text) {
    if (text.size() > left_) {
      add_block(text.size());
    }
    if (!text.empty()) {
      std::memcpy(free_, text.data(), text.size());
    }
    const std::string_view kept(free_, text.size());
    free_ += text.size();
    left_ -= text.size();
    bytes_ += text.size();
    return kept;
  }

 private:
  static constexpr std::size_t kBlock = std::size_t{16} << 10;
  static constexpr std::size_t kMostBytes = std::size_t{256} << 10;
  static constexpr std::size_t kUsualPath = 4096;

  void add_block(std::size_t least);

  std::size_t batch_ = 0;
  std::vector<WalkEvent> events_;
  std::vector<Metadata> metadata_;  // never more than was reserved
  std::deque<Error> errors_;
  std::vector<std::unique_ptr<char[]>> blocks_;  // the first is of the usual size
  char* free_ = nullptr;
  std::size_t left_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace trawl
