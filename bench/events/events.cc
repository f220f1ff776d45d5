// SPDX-License-Identifier: Apache-2.0
//
// What the event stream costs: counts the entries below PATH and adds up their sizes, by visitors
// or from events.
//
//   events MODE [--threads N] [--processors N] [--capacity N] [--batch N] [--names] [--slow NS]
//   PATH
//
// MODE: direct, stream (unordered), ordered, pull (EventStream), tree (DirectoryTree). --slow: the
// consumer takes so many nanoseconds per event, asleep. Prints what it counted and the workers
// used.
#include <trawl/events.h>
#include <trawl/trawl.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <thread>

namespace {

struct Counter : trawl::Visitor {
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
  trawl::Verdict enter(trawl::Directory& directory) override {
    bytes_ += directory.metadata().size;
    return trawl::Verdict::proceed;
  }
  trawl::Verdict entries(trawl::Directory&, std::span<trawl::Entry> batch) override {
    entries_ += batch.size();
    for (const trawl::Entry& entry : batch) {
      bytes_ += entry.metadata != nullptr ? entry.metadata->size : 0;
    }
    return trawl::Verdict::proceed;
  }
};

}  // namespace

int main(int argc, char** argv) {
  trawl::EventOptions options;
  options.walk.private_descriptors = true;
  options.walk.fields = trawl::Fields::basic;
  std::string mode = argc > 1 ? argv[1] : "";
  std::string root = ".";
  std::chrono::nanoseconds slow{0};
  for (int i = 2; i < argc; ++i) {
    const auto number = [&] { return std::strtoul(argv[++i], nullptr, 10); };
    if (std::strcmp(argv[i], "--names") == 0) {
      options.walk.fields = trawl::Fields::none;
    } else if (i + 1 == argc) {
      root = argv[i];
    } else if (std::strcmp(argv[i], "--threads") == 0) {
      options.walk.threads = static_cast<unsigned>(number());
    } else if (std::strcmp(argv[i], "--processors") == 0) {
      options.processors = static_cast<unsigned>(number());
    } else if (std::strcmp(argv[i], "--capacity") == 0) {
      options.capacity = number();
    } else if (std::strcmp(argv[i], "--batch") == 0) {
      options.batch = number();
    } else if (std::strcmp(argv[i], "--slow") == 0) {
      slow = std::chrono::nanoseconds(number());
    }
  }
  const std::span roots(&root, 1);
  std::atomic<std::uint64_t> entries = 0;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> batches = 0;
  trawl::DirectoryTree tree;
  const auto consume = [&](trawl::EventBatch& batch) {
    std::uint64_t some_entries = 0;
    std::uint64_t some_bytes = 0;
    for (const trawl::WalkEvent& event : batch) {
      some_entries += event.kind != trawl::WalkEvent::Kind::exit_dir ? 1 : 0;
      some_bytes += event.metadata != nullptr ? event.metadata->size : 0;
    }
    entries += some_entries;
    bytes += some_bytes;
    ++batches;
    if (mode == "tree") {
      tree.add(batch.events());
    }
    if (slow.count() > 0) {
      std::this_thread::sleep_for(slow * batch.size());
    }
    return true;
  };
  trawl::Result result;
  if (mode == "direct") {
    auto [ended, counters] = trawl::walk<Counter>(roots, options.walk);
    result = std::move(ended);
    for (const auto& counter : counters) {
      entries += counter->entries_;
      bytes += counter->bytes_;
    }
  } else if (mode == "pull") {
    trawl::EventStream stream({root}, options);
    for (trawl::EventBatch batch; stream.next(batch);) {
      consume(batch);
    }
    result = stream.result();
  } else if (mode == "stream" || mode == "ordered" || mode == "tree") {
    options.ordered = mode == "ordered";
    result = trawl::walk_events(roots, options, consume);
  } else {
    std::fprintf(stderr, "events direct|stream|ordered|pull|tree [OPTION…] PATH\n");
    return 2;
  }
  unsigned most = 0;
  for (const trawl::ConcurrencyChange& change : result.concurrency) {
    most = change.workers > most ? change.workers : most;
  }
  std::printf("%ju entries, %ju bytes, %ju batches, %u workers started, limit at most %u\n",
              static_cast<std::uintmax_t>(entries.load()),
              static_cast<std::uintmax_t>(bytes.load()),
              static_cast<std::uintmax_t>(batches.load()), result.statistics.workers, most);
  return result.complete() ? 0 : 1;
}
