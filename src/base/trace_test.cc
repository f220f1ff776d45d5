// SPDX-License-Identifier: Apache-2.0
#include "base/trace.h"

#ifdef TRAWL_TRACE

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace trawl::base {
namespace {

std::size_t count(const std::string& text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    ++count;
  }
  return count;
}

TEST(Trace, NothingIsRecordedWithoutATrack) {
  trace(kTraceSplit);
  const TraceSpan span(kTraceRead);
  EXPECT_EQ(t_track, nullptr);
}

TEST(Trace, ADisabledTracerWritesNothing) {
  const Tracer tracer(false, 4);
  EXPECT_EQ(tracer.of_worker(0), nullptr);
  EXPECT_EQ(tracer.of_monitor(), nullptr);
  std::string document;
  tracer.write(document);
  EXPECT_EQ(document, "");
}

TEST(Trace, WritesWhatWasRecordedOfEachThread) {
  const Tracer tracer(true, 3);
  {
    const TraceScope scope(tracer.of_worker(0));
    TraceSpan span(kTraceDirectory, "na\"m\\e\n\xff");
    trace(kTraceSteal, 7, 2);
    span.end(12);
  }
  std::thread([&] {
    const TraceScope scope(tracer.of_monitor());
    trace(kTraceWorkers, 16);
  }).join();
  std::string document;
  tracer.write(document);
  EXPECT_NE(document.find(R"("name":"steal","ts":)"), document.npos) << document;
  EXPECT_NE(document.find(R"("s":"t","args":{"units":7,"victim":2}})"), document.npos) << document;
  EXPECT_NE(document.find(R"("args":{"name":"na\"m\\e\\x0a\\xff","entries":12}})"), document.npos)
      << document;
  EXPECT_NE(document.find(R"({"ph":"C","pid":1,"tid":4,"name":"workers")"), document.npos);
  EXPECT_NE(document.find(R"({"at most":16})"), document.npos);
  EXPECT_EQ(count(document, "thread_name"), 2U);  // two workers never started
  EXPECT_EQ(count(document, "\"dur\":"), 1U);
}

TEST(Trace, ASpanEndsOnce) {
  const Tracer tracer(true, 1);
  {
    const TraceScope scope(tracer.of_worker(0));
    TraceSpan span(kTracePiece);
    span.end(1);
    span.end(2);
  }
  std::string document;
  tracer.write(document);
  EXPECT_EQ(count(document, "piece"), 1U);
  EXPECT_EQ(count(document, R"("entries":1)"), 1U);
}

TEST(Trace, LongNamesAreCut) {
  const Tracer tracer(true, 1);
  {
    const TraceScope scope(tracer.of_worker(0));
    const TraceSpan span(kTraceOpen, std::string(100, 'x'));
  }
  std::string document;
  tracer.write(document);
  EXPECT_EQ(count(document, "x"), 23U);
}

TEST(Trace, AnInnerWalkHasItsOwnTracks) {
  const Tracer outer(true, 1);
  const Tracer untraced(false, 1);
  const TraceScope scope(outer.of_worker(0));
  {
    const TraceScope inner(untraced.of_worker(0));
    trace(kTraceSplit);
  }
  trace(kTraceSteal);
  std::string document;
  outer.write(document);
  EXPECT_EQ(count(document, "split"), 0U);
  EXPECT_EQ(count(document, "steal"), 1U);
}

TEST(Trace, FurtherWalksAreAddedToTheDocument) {
  std::string document;
  for (int i = 0; i < 3; ++i) {
    const Tracer tracer(true, 1);
    const TraceScope scope(tracer.of_worker(0));
    trace(kTraceSplit);
    tracer.write(document);
  }
  EXPECT_EQ(count(document, "split"), 3U);
  EXPECT_EQ(count(document, "traceEvents"), 1U);
  EXPECT_EQ(count(document, "\n]}\n"), 1U);
  EXPECT_EQ(count(document, "}},\n{"), 6U);  // process; thread, split; thread, split; …
}

TEST(Trace, WhatFindsNoRoomIsCounted) {
  constexpr unsigned kThreads = 4;
  constexpr std::size_t kEach = 3 * TraceChunk::kEvents / 2;
  constexpr std::size_t kRoom = 3 * TraceChunk::kEvents;
  const Tracer tracer(true, kThreads, kRoom);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&tracer, i] {
      const TraceScope scope(tracer.of_worker(i));
      for (std::size_t at = 0; at < kEach; ++at) {
        trace(kTraceSplit);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::string document;
  tracer.write(document);
  const std::size_t kept = count(document, "\"split\"");
  std::size_t dropped = 0;
  for (std::size_t at = document.find("{\"events\":"); at != document.npos;
       at = document.find("{\"events\":", at + 1)) {
    dropped += std::stoul(document.substr(at + 10));
  }
  EXPECT_GT(kept, 0U);
  EXPECT_LE(kept, kRoom);
  EXPECT_EQ(kept + dropped, kThreads * kEach);
}

}  // namespace
}  // namespace trawl::base

#endif  // TRAWL_TRACE
