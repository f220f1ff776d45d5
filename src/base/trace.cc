// SPDX-License-Identifier: Apache-2.0
#include "base/trace.h"

#ifdef TRAWL_TRACE

#include <charconv>
#include <new>

namespace trawl::base {

namespace {

constexpr std::string_view kHead = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n";
constexpr std::string_view kTail = "\n]}\n";

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// Microseconds, as the format wants them.
void append_time(std::string& out, TraceClock::duration time) {
  const auto nanoseconds = static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
  append_number(out, nanoseconds / 1000);
  const std::uint64_t rest = nanoseconds % 1000;
  out += '.';
  out += static_cast<char>('0' + rest / 100);
  out += static_cast<char>('0' + rest / 10 % 10);
  out += static_cast<char>('0' + rest % 10);
}

// Names are bytes: what is not printable ASCII is shown as \xNN.
void append_string(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e) {
      out += "\\\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c == '"' || c == '\\' ? "\\" : "";
      out += c;
    }
  }
  out += '"';
}

// Up to the end of the fields that each event has.
void append_head(std::string& out, char phase, std::string_view name, unsigned track) {
  out += out.ends_with('\n') ? "{\"ph\":\"" : ",\n{\"ph\":\"";
  out += phase;
  out += "\",\"pid\":1,\"tid\":";
  append_number(out, track + 1);  // no thread has number 0
  out += ",\"name\":";
  append_string(out, name);
}

void append_metadata(std::string& out, std::string_view name, unsigned track,
                     std::string_view value) {
  append_head(out, 'M', name, track);
  out += ",\"args\":{\"name\":";
  append_string(out, value);
  out += "}}";
}

void append_event(std::string& out, const TraceEvent& event, unsigned track) {
  const TraceType& type = *event.type;
  constexpr char kPhases[] = {'X', 'i', 'C'};
  append_head(out, kPhases[static_cast<std::size_t>(type.kind)], type.name, track);
  out += ",\"ts\":";
  append_time(out, event.begin.time_since_epoch());
  if (type.kind == TraceKind::span) {
    out += ",\"dur\":";
    append_time(out, event.duration);
  } else if (type.kind == TraceKind::instant) {
    out += ",\"s\":\"t\"";  // of the thread
  }
  out += ",\"args\":{";
  const auto append_key = [&out](const char* key) {
    out += out.ends_with('{') ? "" : ",";
    append_string(out, key);
    out += ':';
  };
  if (type.text != nullptr) {
    append_key(type.text);
    const std::string_view text(event.text, sizeof event.text);
    append_string(out, text.substr(0, text.find('\0')));
  }
  for (std::size_t i = 0; i < 2 && type.numbers[i] != nullptr; ++i) {
    append_key(type.numbers[i]);
    append_number(out, event.numbers[i]);
  }
  out += "}}";
}

}  // namespace

TraceTrack::~TraceTrack() {
  while (first_ != nullptr) {  // one by one: a chain of destructors could be deep
    first_ = std::move(first_->next);
  }
}

// False: there is no more room.
bool TraceTrack::grow() {
  std::size_t left = chunks_left_->load(std::memory_order_relaxed);
  do {
    if (left == 0) {
      return false;
    }
  } while (!chunks_left_->compare_exchange_weak(left, left - 1, std::memory_order_relaxed));
  TraceChunk* const chunk = new (std::nothrow) TraceChunk;
  if (chunk == nullptr) {
    return false;
  }
  (last_ != nullptr ? last_->next : first_).reset(chunk);
  last_ = chunk;
  used_ = 0;
  return true;
}

Tracer::Tracer(bool enabled, unsigned workers, std::size_t most_events)
    : workers_(workers), chunks_left_(most_events / TraceChunk::kEvents) {
  if (enabled) {
    tracks_ = std::make_unique<TraceTrack[]>(workers + 1);
    for (unsigned i = 0; i <= workers; ++i) {
      tracks_[i].chunks_left_ = &chunks_left_;
    }
  }
}

void Tracer::write(std::string& document) const {
  if (tracks_ == nullptr) {
    return;
  }
  if (document.empty()) {
    document = kHead;
    append_metadata(document, "process_name", 0, "trawl");
  } else {
    document.resize(document.size() - kTail.size());
  }
  for (unsigned i = 0; i <= workers_; ++i) {
    const TraceTrack& track = tracks_[i];
    if (track.last_ == nullptr && track.dropped_ == 0) {
      continue;  // never started
    }
    append_metadata(document, "thread_name", i,
                    i < workers_ ? "worker " + std::to_string(i) : "monitor");
    for (const TraceChunk* chunk = track.first_.get(); chunk != nullptr;
         chunk = chunk->next.get()) {
      const std::size_t count = chunk == track.last_ ? track.used_ : TraceChunk::kEvents;
      for (std::size_t at = 0; at < count; ++at) {
        append_event(document, chunk->events[at], i);
      }
    }
    if (track.dropped_ > 0) {
      append_event(document,
                   {.type = &kTraceDropped,
                    .begin = TraceClock::now(),
                    .duration = {},
                    .numbers = {track.dropped_, 0},
                    .text = {}},
                   i);
    }
  }
  document += kTail;
}

}  // namespace trawl::base

#endif  // TRAWL_TRACE
