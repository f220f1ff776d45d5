// SPDX-License-Identifier: Apache-2.0
//
// Events in the order of a serial walk that takes names ascending.
//
// Each directory has a record, in which workers collect its entries; once it is listed, the record
// is sorted and does not change, and its subdirectories' records are hung into it as they are
// begun. Protocol: the sequence has no thread. It is run by whichever worker publishes what it
// waits for
// (`awaited_`, under `mutex_`), and it belongs to that worker until it waits for something else. It
// frees records behind itself.
#pragma once

#include <trawl/events.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fold/events_pipe.h"

namespace trawl::fold {

class EventSequence {
 public:
  EventSequence(EventPipe& pipe, std::size_t most_ahead)
      : pipe_(pipe), producer_(pipe.add_producer()), most_ahead_(most_ahead) {}
  ~EventSequence();
  EventSequence(const EventSequence&) = delete;
  EventSequence& operator=(const EventSequence&) = delete;

  static std::size_t slot_bytes() { return sizeof(Record*); }

  // As a visitor's, from any worker.
  void enter(Directory& directory);
  void entries(Directory& directory, std::span<Entry> batch);
  void listed(Directory& directory);
  void leave(Directory& directory);
  // After the walk: what was not published will not come.
  void finish();

 private:
  struct Item;
  struct Record;
  struct Frame {
    Record* record;
    std::size_t next = 0;  // item
    bool is_listed = false;
  };

  void throttle();
  void begin(Directory& directory, bool entered);
  template <class Publish>
  void publish(const void* what, Publish publish);
  template <class IsHere>
  bool await(const void* what, IsHere is_here);
  void run();
  bool step();
  void add_items(Frame& frame);
  void add_item(const Record& record, const Item& item);
  void begin_record(Record& record);
  void end_record(const Record& record);
  void add_own(const Record& record, WalkEvent::Kind kind, State state);
  std::string_view path_in_batch(const Record& record);

  EventPipe& pipe_;
  EventPipe::Producer& producer_;
  const std::size_t most_ahead_;
  std::atomic<std::size_t> ahead_{0};
  std::mutex mutex_;
  const void* awaited_ = nullptr;  // null: it is run by somebody
  bool final_ = false;
  // Of who runs it.
  std::vector<Frame> stack_;
  std::uint64_t ids_ = 0;
};

class OrderedVisitor final : public Visitor {
 public:
  OrderedVisitor(EventPipe& pipe, EventSequence& sequence) : pipe_(pipe), sequence_(sequence) {}

  Verdict enter(Directory& directory) override {
    sequence_.enter(directory);
    return verdict();
  }
  Verdict entries(Directory& directory, std::span<Entry> batch) override {
    sequence_.entries(directory, batch);
    return verdict();
  }
  void listed(Directory& directory) override { sequence_.listed(directory); }
  void leave(Directory& directory) override { sequence_.leave(directory); }

 private:
  Verdict verdict() const { return pipe_.is_cancelled() ? Verdict::stop : Verdict::proceed; }

  EventPipe& pipe_;
  EventSequence& sequence_;
};

}  // namespace trawl::fold
