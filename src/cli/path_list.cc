// SPDX-License-Identifier: Apache-2.0
#include "cli/path_list.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace trawl::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBuffer = std::size_t{256} << 10;
// Nothing came for so long: what there is goes on its way. A writer that works produces a path in
// microseconds.
constexpr int kMomentMilliseconds = 2;
constexpr std::chrono::milliseconds kPatience{50};  // for one that lets them trickle
constexpr int kLookMilliseconds = 100;              // at the token
constexpr std::size_t kShown = 200;                 // bytes of an item that is too long

}  // namespace

PathList::PathList(int descriptor, char end, const CancelToken& cancel)
    : descriptor_(descriptor), end_(end), cancel_(cancel), buffer_(kBuffer) {}

PathList::Input PathList::wait(int milliseconds) {
  pollfd ready{.fd = descriptor_, .events = POLLIN, .revents = 0};
  const int count = ::poll(&ready, 1, milliseconds);
  // An error shows when it is read.
  return count > 0 || (count < 0 && errno != EINTR) ? Input::ready : Input::none;
}

// Patient: until there is something.
PathList::Input PathList::fill(bool patient) {
  for (;;) {
    if (ended_ || cancel_.cancelled()) {
      ended_ = true;
      return Input::ended;
    }
    if (wait(patient ? kLookMilliseconds : kMomentMilliseconds) == Input::none) {
      if (patient) {
        continue;
      }
      return Input::none;
    }
    const ssize_t size = ::read(descriptor_, buffer_.data(), buffer_.size());
    if (size > 0) {
      rest_ = {buffer_.data(), static_cast<std::size_t>(size)};
      return Input::ready;
    }
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) {
      continue;
    }
    error_ = size < 0 ? errno : 0;
    ended_ = true;
  }
}

// `piece` goes on with what was begun.
void PathList::take(PathChunk& out, std::string_view piece, bool complete) {
  if (!too_long_ && begun_.size() + piece.size() > kLongestItem) {
    begun_ += piece.substr(0, kShown);
    begun_.resize(kShown);
    begun_.shrink_to_fit();
    too_long_ = true;
  }
  if (!complete) {
    if (!too_long_) {
      begun_ += piece;
    }
    return;
  }
  if (too_long_) {
    out.refused.push_back({out.paths.size(), begun_ + "...", ENAMETOOLONG});
    out.paths.emplace_back();
    too_long_ = false;
    begun_.clear();
  } else if (begun_.empty()) {
    out.paths.emplace_back(piece);
  } else {
    begun_ += piece;
    out.paths.push_back(std::move(begun_));
    begun_.clear();
  }
}

bool PathList::read(PathChunk& out) {
  out.first = number_;
  std::size_t bytes = 0;
  Clock::time_point begin;
  // Nothing would mean that the list is over: an item may be longer than a chunk.
  while (out.paths.empty() || (out.paths.size() < kMostPaths && bytes < kMostBytes)) {
    if (rest_.empty()) {
      const bool some = !out.paths.empty();
      if (some && Clock::now() - begin > kPatience) {
        break;
      }
      if (fill(!some) != Input::ready) {
        break;
      }
    }
    if (out.paths.empty()) {
      begin = Clock::now();
    }
    const std::size_t size = rest_.find(end_);
    const bool complete = size != std::string_view::npos;
    const std::string_view piece = rest_.substr(0, size);
    rest_.remove_prefix(complete ? size + 1 : rest_.size());
    bytes += piece.size();
    take(out, piece, complete);
  }
  if (ended_ && error_ == 0 && rest_.empty() && !cancel_.cancelled() &&
      (!begun_.empty() || too_long_)) {
    const bool whole = end_ == '\n' || too_long_;
    if (!whole) {
      out.refused.push_back({out.paths.size(), std::move(begun_), EINVAL, true});
      out.paths.emplace_back();
    } else {
      take(out, {}, true);
    }
    begun_.clear();
  }
  number_ += out.paths.size();
  return !out.paths.empty();
}

}  // namespace trawl::cli
