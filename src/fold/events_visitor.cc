// SPDX-License-Identifier: Apache-2.0
#include "fold/events_visitor.h"

#include <atomic>
#include <cerrno>
#include <mutex>
#include <new>
#include <span>
#include <utility>

namespace trawl::fold {

namespace {

constexpr unsigned kBits = 64;

}  // namespace

// Of every live directory.
struct EventVisitor::Slot {
  std::uint64_t id;  // 0: not entered
  // Where its enter_dir is.
  std::uint64_t serial;
  std::size_t visitor;
  std::atomic<std::uint64_t> touched;  // by the visitors with these numbers, modulo kBits
};

bool is_failure(const Entry& entry) {
  return entry.error != 0 && entry.metadata == nullptr;  // with it: a dangling link, itself
}

bool is_vanished(const Directory& parent, const Entry& entry) {
  return is_failure(entry) && entry.error == ENOENT && !parent.is_origin();
}

Error failure_of(const Directory& parent, const Entry& entry) {
  Error failure{
      .operation = Operation::stat, .code = entry.error, .depth = parent.depth() + 1, .path = {}};
  parent.append_path(failure.path);
  if (!failure.path.empty() && failure.path.back() != '/') {
    failure.path += '/';
  }
  failure.path += entry.name;
  return failure;
}

std::size_t parent_path_size(const Directory& directory, std::string_view path) {
  if (directory.depth() == 0) {
    return 0;
  }
  const bool below_slash = directory.depth() == 1 && directory.parent()->name().ends_with('/');
  return path.size() - directory.name().size() - (below_slash ? 0 : 1);
}

std::size_t EventVisitor::slot_bytes() { return sizeof(Slot); }

// Before adding what is in a directory.
void EventVisitor::require_enter(Directory& directory) {
  if (!directory.is_origin()) {
    const Slot& slot = directory.slot<Slot>();
    if (slot.visitor != number_) {
      pipe_.flush(pipe_.producer(slot.visitor), slot.serial);
    }
  }
}

// Before the engine knows that this is done.
void EventVisitor::touch(Directory& directory) {
  if (!directory.is_origin()) {
    std::atomic<std::uint64_t>& touched = directory.slot<Slot>().touched;
    const std::uint64_t bit = std::uint64_t{1} << (number_ % kBits);
    if ((touched.load(std::memory_order_relaxed) & bit) == 0) {
      touched.fetch_or(bit, std::memory_order_relaxed);
    }
  }
}

void EventVisitor::flush_who_touched(Directory& directory) {
  const std::uint64_t touched = directory.slot<Slot>().touched.load(std::memory_order_relaxed);
  for (std::size_t bit = 0; bit < kBits; ++bit) {
    if ((touched >> bit & 1) != 0) {
      for (std::size_t i = bit; i < pipe_.producers(); i += kBits) {
        if (i != number_) {
          pipe_.flush(pipe_.producer(i));
        }
      }
    }
  }
}

std::string_view EventVisitor::path_in_batch(Directory& directory) {
  const std::uint64_t id = directory.slot<Slot>().id;
  std::string_view path = id != 0 ? producer_.known_path(id) : std::string_view();
  if (path.empty()) {
    path_.clear();
    directory.append_path(path_);
    path = producer_.batch().keep(path_);
    if (id != 0) {
      producer_.know_path(id, path);
    }
  }
  return path;
}

// An event of the directory itself.
WalkEvent& EventVisitor::add(WalkEvent::Kind kind, Directory& directory) {
  WalkEvent& event = producer_.batch().add(kind, FileType::directory, directory.depth());
  const std::string_view path = path_in_batch(directory);
  event.directory = path.substr(0, parent_path_size(directory, path));
  event.name = path.substr(path.size() - directory.name().size());
  if (kind != WalkEvent::Kind::exit_dir && directory.metadata().valid != Fields::none) {
    event.metadata = producer_.batch().keep(directory.metadata());
  }
  return event;
}

void EventVisitor::add_failure(Directory& directory, State state) {
  WalkEvent& event = add(WalkEvent::Kind::error, directory);
  event.state = state;
  event.failure = producer_.batch().keep({.operation = directory.operation(),
                                          .code = directory.error(),
                                          .depth = directory.depth(),
                                          .path = event.path()});
  pipe_.added(producer_);
}

Verdict EventVisitor::enter(Directory& directory) {
  Slot& slot = *new (&directory.slot<Slot>()) Slot{};
  if (directory.is_origin()) {
    return verdict();
  }
  require_enter(*directory.parent());
  touch(directory);
  const std::unique_lock lock = pipe_.lock(producer_);
  slot.id = static_cast<std::uint64_t>(number_ + 1) << 48 | ++ids_;
  slot.visitor = number_;
  slot.serial = producer_.serial();
  add(WalkEvent::Kind::enter_dir, directory);
  pipe_.added(producer_);
  pipe_.rest(producer_);
  return verdict();
}

Verdict EventVisitor::entries(Directory& directory, std::span<Entry> batch) {
  require_enter(directory);
  touch(directory);
  const std::unique_lock lock = pipe_.lock(producer_);
  for (const Entry& entry : batch) {
    if (entry.descend || is_vanished(directory, entry)) {
      continue;
    }
    EventPipe::Storage& out = producer_.batch();
    const bool failed = is_failure(entry);
    WalkEvent& event = out.add(failed ? WalkEvent::Kind::error : WalkEvent::Kind::file, entry.type,
                               directory.depth() + 1);
    if (!directory.is_origin()) {
      event.directory = path_in_batch(directory);
    }
    event.name = out.keep(entry.name);
    event.followed = entry.followed;
    if (entry.metadata != nullptr) {
      event.metadata = out.keep(*entry.metadata);
    }
    if (!entry.link_target.empty()) {
      event.link_target = out.keep(entry.link_target);
    }
    if (failed) {
      event.failure = out.keep(failure_of(directory, entry));
    }
    pipe_.added(producer_);
  }
  pipe_.rest(producer_);
  return verdict();
}

void EventVisitor::leave(Directory& directory) {
  if (directory.is_origin()) {
    return;
  }
  const State state = directory.state();
  const bool entered = directory.slot<Slot>().id != 0;
  if (state == State::cancelled || (!entered && state == State::vanished)) {
    return;
  }
  if (entered) {
    flush_who_touched(directory);
  } else {
    require_enter(*directory.parent());
  }
  touch(*directory.parent());
  const std::unique_lock lock = pipe_.lock(producer_);
  if (!entered && state != State::unreadable) {
    add(WalkEvent::Kind::file, directory).state = state;
    pipe_.added(producer_);
  } else if (!entered) {
    add_failure(directory, state);
  } else {
    if (state == State::unreadable || state == State::partially_read) {
      add_failure(directory, State::partially_read);
    }
    add(WalkEvent::Kind::exit_dir, directory).state =
        state == State::unreadable ? State::partially_read : state;
    pipe_.added(producer_);
  }
  pipe_.rest(producer_);
}

}  // namespace trawl::fold
