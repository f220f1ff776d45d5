// SPDX-License-Identifier: Apache-2.0
//
// A timeline of what each worker did, for chrome://tracing and Perfetto, in builds with
// TRAWL_TRACE. In others this header is one macro that makes every hook vanish before it is
// compiled; tests/trace/test_off.py compares the object code.
//
// A thread that is to be recorded has a track (`t_track`), which it alone writes to. Events go into
// chunks that a track takes from what all of them may have together; once that is used up, events
// are only counted. The document is written when all threads have ended.
#pragma once

#ifndef TRAWL_TRACE
#define TRAWL_IF_TRACE(...)
#else
#define TRAWL_IF_TRACE(...) __VA_ARGS__

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace trawl::base {

enum class TraceKind : std::uint8_t { span, instant, counter };

// What an event says: its name, and those of its numbers and its text (null: has none).
struct TraceType {
  TraceKind kind;
  const char* name;
  const char* numbers[2] = {nullptr, nullptr};
  const char* text = nullptr;
};

inline constexpr TraceType kTraceOpen{TraceKind::span, "open", {}, "name"};
inline constexpr TraceType kTraceDirectory{TraceKind::span, "directory", {"entries"}, "name"};
inline constexpr TraceType kTraceRange{TraceKind::span, "range", {"entries"}, "name"};
inline constexpr TraceType kTraceRead{TraceKind::span, "read", {"bytes"}};
inline constexpr TraceType kTracePiece{TraceKind::span, "piece", {"entries"}};
inline constexpr TraceType kTraceRoots{TraceKind::span, "roots", {"entries"}};
inline constexpr TraceType kTraceShare{TraceKind::instant, "share", {"entries", "unit"}};
inline constexpr TraceType kTraceSplit{TraceKind::instant, "split"};
inline constexpr TraceType kTraceSteal{TraceKind::instant, "steal", {"units", "victim"}};
inline constexpr TraceType kTraceParked{TraceKind::span, "parked"};
inline constexpr TraceType kTraceBench{TraceKind::span, "bench"};
inline constexpr TraceType kTraceWorkers{TraceKind::counter, "workers", {"at most"}};
inline constexpr TraceType kTraceCalls{TraceKind::counter, "calls per second", {"calls"}};
inline constexpr TraceType kTraceDropped{TraceKind::instant, "dropped events", {"events"}};

using TraceClock = std::chrono::steady_clock;

struct TraceEvent {
  const TraceType* type;
  TraceClock::time_point begin;
  TraceClock::duration duration;
  std::uint64_t numbers[2];
  char text[24];  // NUL follows, unless it is full
};
static_assert(sizeof(TraceEvent) == 64);

struct TraceChunk {
  static constexpr std::size_t kEvents = 512;
  std::unique_ptr<TraceChunk> next;
  TraceEvent events[kEvents];
};

class alignas(64) TraceTrack {
 public:
  TraceTrack() = default;
  TraceTrack(const TraceTrack&) = delete;
  TraceTrack& operator=(const TraceTrack&) = delete;
  ~TraceTrack();

  void add(const TraceEvent& event) {
    if (used_ < TraceChunk::kEvents || grow()) {
      last_->events[used_++] = event;
    } else {
      ++dropped_;
    }
  }

 private:
  friend class Tracer;
  bool grow();

  std::atomic<std::size_t>* chunks_left_ = nullptr;  // of all tracks
  std::unique_ptr<TraceChunk> first_;
  TraceChunk* last_ = nullptr;
  std::size_t used_ = TraceChunk::kEvents;  // of the last chunk
  std::uint64_t dropped_ = 0;
};

// Null: nothing is recorded on this thread.
inline thread_local constinit TraceTrack* t_track = nullptr;

inline void trace(const TraceType& type, std::uint64_t number = 0, std::uint64_t second = 0) {
  if (t_track != nullptr) {
    t_track->add({.type = &type,
                  .begin = TraceClock::now(),
                  .duration = {},
                  .numbers = {number, second},
                  .text = {}});
  }
}

// From here to end(), or to the end of the scope.
class TraceSpan {
 public:
  explicit TraceSpan(const TraceType& type, std::string_view text = {}) : track_(t_track) {
    if (track_ != nullptr) {
      event_.type = &type;
      event_.text[text.copy(event_.text, sizeof event_.text - 1)] = '\0';
      event_.begin = TraceClock::now();
    }
  }
  ~TraceSpan() { end(); }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;

  void end(std::uint64_t number = 0) {
    if (track_ != nullptr) {
      event_.duration = TraceClock::now() - event_.begin;
      event_.numbers[0] = number;
      event_.numbers[1] = 0;
      track_->add(event_);
      track_ = nullptr;
    }
  }

 private:
  TraceTrack* track_;
  TraceEvent event_;  // uninitialised where nothing is recorded
};

// Records on this thread while it lives, and what was recorded before again after that: a visitor
// may walk something itself.
class TraceScope {
 public:
  explicit TraceScope(TraceTrack* track) : outer_(t_track) { t_track = track; }
  ~TraceScope() { t_track = outer_; }
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;

 private:
  TraceTrack* const outer_;
};

// The tracks of one walk: of each worker, and of the monitor.
class Tracer {
 public:
  static constexpr std::size_t kMostEvents = std::size_t{1} << 20;  // 64 MB

  // Not `enabled`: there are no tracks.
  Tracer(bool enabled, unsigned workers, std::size_t most_events = kMostEvents);

  TraceTrack* of_worker(unsigned index) const {
    return tracks_ != nullptr ? &tracks_[index] : nullptr;
  }
  TraceTrack* of_monitor() const { return of_worker(workers_); }

  // Makes a document of what was recorded, or adds it to one that another tracer made. The threads
  // have ended, or record nothing any more.
  void write(std::string& document) const;

 private:
  const unsigned workers_;
  std::atomic<std::size_t> chunks_left_;
  std::unique_ptr<TraceTrack[]> tracks_;  // the monitor's is the last
};

}  // namespace trawl::base

#endif  // TRAWL_TRACE
