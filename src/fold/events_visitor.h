// SPDX-License-Identifier: Apache-2.0
//
// Visitors that make events of what they are told, each in a batch of its own.
//
// That a directory's events enclose those of what is in it is given on one worker. Between workers:
// who is about to add an event first sends what must come before it, if that is in another worker's
// batch still. For what is in a directory, that is the batch with its enter_dir; for its exit_dir,
// all batches of the workers that did something in it. This happens where work was stolen, thus
// rarely.
#pragma once

#include <trawl/events.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "fold/events_pipe.h"

namespace trawl::fold {

// What becomes of an entry that is not entered.
bool is_vanished(const Directory& parent, const Entry& entry);
bool is_failure(const Entry& entry);
Error failure_of(const Directory& parent, const Entry& entry);
// The size of the path of the directory that it is in, given its own path: without the '/' unless
// it is that of a root.
std::size_t parent_path_size(const Directory& directory, std::string_view path);

class EventVisitor final : public Visitor {
 public:
  explicit EventVisitor(EventPipe& pipe)
      : pipe_(pipe), number_(pipe.producers()), producer_(pipe.add_producer()) {}

  static std::size_t slot_bytes();

  Verdict enter(Directory& directory) override;
  Verdict entries(Directory& directory, std::span<Entry> batch) override;
  void leave(Directory& directory) override;

 private:
  struct Slot;

  void require_enter(Directory& directory);
  void touch(Directory& directory);
  void flush_who_touched(Directory& directory);
  std::string_view path_in_batch(Directory& directory);
  WalkEvent& add(WalkEvent::Kind kind, Directory& directory);
  void add_failure(Directory& directory, State state);
  Verdict verdict() const { return pipe_.is_cancelled() ? Verdict::stop : Verdict::proceed; }

  EventPipe& pipe_;
  const std::size_t number_;
  EventPipe::Producer& producer_;
  std::uint64_t ids_ = 0;
  std::string path_;
};

}  // namespace trawl::fold
