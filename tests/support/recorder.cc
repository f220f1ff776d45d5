// SPDX-License-Identifier: Apache-2.0
#include "support/recorder.h"

#include <algorithm>
#include <atomic>
#include <list>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <sstream>
#include <tuple>

#include "base/fts_order.h"
#include "walk/engine.h"

namespace trawl::testing {

namespace {

enum class Stage : std::uint8_t { begun, entered, listed, left };

// Of every live directory. Zeroed memory is a valid one.
struct Slot {
  std::atomic<Stage> stage;
  std::atomic<int> callers;              // of enter, listed and leave
  std::atomic<int> batches;              // entries() that run at the moment
  std::atomic<std::uint64_t> seen;       // by select()
  std::atomic<std::uint64_t> counted;    // by the engine, when it said that all is listed
  std::atomic<std::uint64_t> descended;  // directories of them that stay to be entered
  std::atomic<std::uint64_t> children_left;
  std::atomic<std::uint64_t> children_begun;
};
static_assert(std::is_trivially_destructible_v<Slot>);

bool is_zero(const Slot& slot) {
  return slot.stage == Stage::begun && slot.callers == 0 && slot.batches == 0 && slot.seen == 0 &&
         slot.counted == 0 && slot.descended == 0 && slot.children_left == 0 &&
         slot.children_begun == 0;
}

struct Shared {
  const Options& options;
  const Answers& answers;
  std::mutex mutex;
  std::vector<std::string> violations;
  std::atomic<bool> over = false;  // the origin was left
  std::optional<Left> origin;
  // By path and depth: directories that were listed in ranges.
  std::map<std::pair<std::string, int>, base::FtsOrder> in_ranges;
};

std::string path_of(const Directory& directory) {
  std::string path;
  directory.append_path(path);
  return path;
}

std::string path_of(const Directory& directory, std::string_view name) {
  std::string path = path_of(directory);
  if (!path.empty() && path.back() != '/') path += '/';
  return path.append(name);
}

class Recorder final : public Visitor {
 public:
  explicit Recorder(Shared& shared) : shared_(shared) {}

  std::vector<Reported> reported;
  std::vector<Left> left;

  bool is_filtered() const { return shared_.options.filter != nullptr; }

  Verdict enter(Directory& directory) override {
    Slot& slot = slot_of(directory);
    expect(is_zero(slot), directory, "slot not zeroed");
    expect(reinterpret_cast<std::uintptr_t>(&slot) % 16 == 0, directory, "slot not aligned");
    const Exclusive exclusive(*this, directory, "enter");
    step(directory, Stage::begun, Stage::entered, "enter");
    expect(directory.state() == State::open, directory, "state in enter()");
    expect(directory.entry_count() == 0, directory, "entry_count in enter()");
    begin(directory);
    if (!directory.is_origin()) {
      const bool known = shared_.options.fields != Fields::none;
      expect(!known || has(directory.metadata().valid, Fields::identity), directory,
             "no metadata in enter()");
      expect(!known || directory.metadata().is_directory(), directory, "not a directory");
    }
    return shared_.answers.enter ? shared_.answers.enter(directory) : Verdict::proceed;
  }

  void select(Directory& directory, std::span<Entry> batch) override {
    Slot& slot = slot_of(directory);
    expect(slot.stage == Stage::entered, directory, "select() outside of enter() and listed()");
    expect(!batch.empty(), directory, "empty batch");
    slot.seen += batch.size();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const Entry& entry = batch[i];
      expect(!entry.skip && !entry.descend && entry.error == 0 && entry.metadata == nullptr,
             directory, "entry in select() is not fresh");
      expect(i == 0 || (is_filtered() ? entry.position > batch[i - 1].position
                                      : entry.position == batch[i - 1].position + 1),
             directory, "gap in a batch");
      expect(directory.is_origin() ||
                 (!entry.name.empty() && entry.name.data()[entry.name.size()] == 0),
             directory, "name without NUL");
    }
    if (shared_.answers.select) shared_.answers.select(directory, batch);
    selected_.clear();
    for (const Entry& entry : batch) {
      if (!entry.skip) selected_.push_back(entry.position);
    }
  }

  Verdict entries(Directory& directory, std::span<Entry> batch) override {
    Slot& slot = slot_of(directory);
    ++slot.batches;
    expect(slot.stage == Stage::entered, directory, "entries() outside of enter() and listed()");
    expect(slot.callers == 0, directory, "entries() during enter(), listed() or leave()");
    expect(batch.size() <= selected_.size(), directory, "more entries than were selected");
    auto selected = selected_.begin();
    for (const Entry& entry : batch) {
      // A filter may leave out more when it knows the types.
      selected = is_filtered() ? std::find(selected, selected_.end(), entry.position) : selected;
      expect(selected != selected_.end() && entry.position == *selected, directory,
             "not the entries that were selected");
      if (selected == selected_.end()) break;
      ++selected;
      expect(entry.type != FileType::unknown || entry.error != 0, directory, "unknown type");
      expect(!entry.descend || (entry.type == FileType::directory && entry.error == 0), directory,
             "descend into what is no directory");
      expect(entry.metadata == nullptr || has(entry.metadata->valid, Fields::identity), directory,
             "metadata without identity");
    }
    const Verdict verdict =
        shared_.answers.entries ? shared_.answers.entries(directory, batch) : Verdict::proceed;
    for (const Entry& entry : batch) {
      Reported copy{.path = path_of(directory, entry.name),
                    .depth = directory.depth() + 1,
                    .position = entry.position,
                    .inode = entry.inode,
                    .type = entry.type,
                    .error = entry.error,
                    .metadata = {},
                    .followed = entry.followed,
                    .descend = entry.descend};
      if (entry.metadata != nullptr) copy.metadata = *entry.metadata;
      if (entry.descend && verdict == Verdict::proceed) ++slot.descended;
      reported.push_back(std::move(copy));
    }
    --slot.batches;
    return verdict;
  }

  void listed(Directory& directory) override {
    Slot& slot = slot_of(directory);
    const Exclusive exclusive(*this, directory, "listed");
    step(directory, Stage::entered, Stage::listed, "listed");
    expect(slot.batches == 0, directory, "listed() during entries()");
    slot.counted = directory.entry_count();
    if (shared_.answers.listed) shared_.answers.listed(directory);
  }

  void leave(Directory& directory) override {
    Slot& slot = slot_of(directory);
    const Exclusive exclusive(*this, directory, "leave");
    const Stage before = slot.stage.exchange(Stage::left);
    const State state = directory.state();
    const bool entered = before != Stage::begun;
    expect(!shared_.over, directory, "leave() after the origin's");
    expect(before != Stage::left, directory, "left twice");
    expect(state != State::open, directory, "left open");
    switch (before) {
      case Stage::begun:
        begin(directory);
        expect(state == State::unreadable || state == State::vanished ||
                   state == State::other_device || state == State::cycle || state == State::visited,
               directory, "left without being entered, for no reason");
        break;
      case Stage::entered:
        expect(state == State::pruned || state == State::cancelled, directory,
               "left without being listed, for no reason");
        break;
      case Stage::listed:
      case Stage::left:
        break;
    }
    expect((directory.error() != 0) == (state == State::unreadable || state == State::vanished ||
                                        state == State::partially_read),
           directory, "error and state do not agree");
    if (state == State::complete) {
      expect(slot.children_left == slot.descended, directory, "left before its children");
      expect(is_filtered() ? slot.seen <= directory.entry_count()
                           : slot.seen == directory.entry_count(),
             directory, "entries not selected from");
    }
    expect(slot.children_left == slot.children_begun, directory, "left with children in it");
    expect(slot.counted == directory.entry_count(), directory,
           "entry_count changed after listed()");
    if (directory.ranges() != nullptr) note_ranges(directory);
    Left copy{.path = path_of(directory),
              .depth = directory.depth(),
              .state = state,
              .error = directory.error(),
              .operation = directory.operation(),
              .metadata = directory.metadata(),
              .entry_count = directory.entry_count(),
              .entered = entered};
    if (directory.is_origin()) {
      shared_.over = true;
      shared_.origin = copy;
    } else {
      ++slot_of(*directory.parent()).children_left;
      left.push_back(std::move(copy));
    }
    if (shared_.answers.leave) shared_.answers.leave(directory);
  }

 private:
  // enter, listed and leave never run at the same time.
  class Exclusive {
   public:
    Exclusive(Recorder& recorder, Directory& directory, const char* what)
        : callers_(slot_of(directory).callers) {
      recorder.expect(callers_++ == 0, directory, std::string("two calls at once, one is ") + what);
    }
    ~Exclusive() { --callers_; }
    Exclusive(const Exclusive&) = delete;
    Exclusive& operator=(const Exclusive&) = delete;

   private:
    std::atomic<int>& callers_;
  };

  static Slot& slot_of(Directory& directory) { return directory.slot<Slot>(); }

  void begin(Directory& directory) {
    if (directory.is_origin()) {
      expect(directory.parent() == nullptr && directory.depth() == -1, directory, "bad origin");
      return;
    }
    Directory* const parent = directory.parent();
    expect(parent != nullptr && parent->depth() + 1 == directory.depth(), directory, "bad depth");
    expect(parent->is_origin() == (directory.depth() == 0), directory, "bad root");
    expect(slot_of(*parent).stage != Stage::left, directory, "begun after its parent was left");
    ++slot_of(*parent).children_begun;
  }

  void step(Directory& directory, Stage from, Stage to, const char* what) {
    Stage expected = from;
    expect(slot_of(directory).stage.compare_exchange_strong(expected, to), directory,
           std::string(what) + " in stage " + std::to_string(static_cast<int>(expected)));
  }

  void note_ranges(const Directory& directory) {
    std::uint64_t end = 0;
    std::uint64_t count = 0;
    for (const ListedRange& range : *directory.ranges()) {
      expect(range.position >= end, directory, "ranges overlap");
      end = range.position + range.count;
      count += range.count;
    }
    expect(count == directory.entry_count(), directory, "ranges hold another number of entries");
    const std::lock_guard lock(shared_.mutex);
    shared_.in_ranges.insert_or_assign({path_of(directory), directory.depth()},
                                       base::FtsOrder::of(directory));
  }

  void expect(bool holds, const Directory& directory, const std::string& otherwise) {
    if (holds) return;
    const std::lock_guard lock(shared_.mutex);
    shared_.violations.push_back(path_of(directory) + ": " + otherwise);
  }

  Shared& shared_;
  std::vector<std::uint64_t> selected_;
};

template <class Walk>
Recording record_with(Options& options, const Answers& answers, Walk walk) {
  options.slot_bytes = sizeof(Slot);
  Shared shared{.options = options,
                .answers = answers,
                .mutex = {},
                .violations = {},
                .origin = {},
                .in_ranges = {}};
  std::list<Recorder> recorders;
  Recording recording;
  std::set<unsigned> workers;
  recording.result = walk([&](unsigned worker) -> Visitor& {
    const std::lock_guard lock(shared.mutex);
    if (workers.empty() && worker != 0) shared.violations.push_back("worker 0 is not the first");
    if (!workers.insert(worker).second) shared.violations.push_back("a worker started twice");
    return recorders.emplace_back(shared);
  });
  recording.visitors = static_cast<unsigned>(workers.size());
  for (Recorder& recorder : recorders) {
    std::move(recorder.reported.begin(), recorder.reported.end(),
              std::back_inserter(recording.entries));
    std::move(recorder.left.begin(), recorder.left.end(),
              std::back_inserter(recording.directories));
  }
  if (!shared.in_ranges.empty()) {
    for (Reported& entry : recording.entries) {
      const auto parent = entry.path.substr(0, entry.path.rfind('/'));
      const auto order = shared.in_ranges.find({parent, entry.depth - 1});
      if (order != shared.in_ranges.end()) entry.position = order->second.place(entry.position);
    }
  }
  recording.origin = shared.origin;
  recording.violations = std::move(shared.violations);
  if (!shared.over) recording.violations.push_back("the origin was not left");
  if (recording.result.statistics.workers != recording.visitors ||
      *workers.rbegin() + 1 != recording.visitors) {
    recording.violations.push_back("workers counted wrongly");
  }
  if (recording.result.statistics.entries != recording.entries.size()) {
    recording.violations.push_back("entries counted wrongly");
  }
  return recording;
}

bool is_directory_stat(const Options& options) {
  return options.fields != Fields::none || options.one_file_system || options.follow == Follow::all;
}

class Differences {
 public:
  void add(const std::string& path, const std::string& what) {
    constexpr int kShown = 10;
    if (count_++ < kShown) text_ += "'" + path + "': " + what + "\n";
  }
  std::string text() const {
    return count_ == 0 ? "" : text_ + "(" + std::to_string(count_) + " differences)";
  }

 private:
  std::string text_;
  int count_ = 0;
};

void compare_entry(const Reported& found, const OracleEntry& expected, const Options& options,
                   Differences& differences) {
  const auto differ = [&](const std::string& what) { differences.add(expected.path, what); };
  if (found.depth != expected.depth) differ("depth " + std::to_string(found.depth));
  if (found.position != expected.position) differ("position " + std::to_string(found.position));
  if (expected.info && found.inode != expected.inode) differ("inode as listed");
  if (found.error != expected.error) differ("error " + std::to_string(found.error));
  if (expected.info && found.type != expected.type) differ("type");
  if (expected.depth > 0 && found.followed != expected.followed) differ("followed");
  if (found.descend != expected.descend) differ("descend");
  const bool wanted = options.fields != Fields::none && expected.info &&
                      (!expected.descend || expected.depth == 0 || expected.followed ||
                       options.directory_metadata_in_batch);
  if (wanted && !found.metadata) differ("no metadata");
  if (found.metadata && expected.info && options.fields != Fields::none) {
    if (const std::string field = difference(*found.metadata, *expected.info); !field.empty()) {
      differ("metadata: " + field);
    }
  }
}

void compare_directory(const Left& found, const OracleDirectory& expected, const Options& options,
                       Differences& differences) {
  const auto differ = [&](const std::string& what) { differences.add(expected.path + "/", what); };
  if (found.depth != expected.depth) differ("depth " + std::to_string(found.depth));
  if (found.state != expected.state) {
    differ("state " + std::to_string(static_cast<int>(found.state)));
  }
  if (found.error != expected.error) differ("error " + std::to_string(found.error));
  if (found.entry_count != expected.entry_count) {
    differ("entry_count " + std::to_string(found.entry_count));
  }
  if (found.entered != (expected.state == State::complete)) differ("entered");
  if (options.fields != Fields::none && expected.info) {
    if (const std::string field = difference(found.metadata, *expected.info); !field.empty()) {
      differ("metadata: " + field);
    }
  } else if (is_directory_stat(options) && expected.state == State::complete) {
    if (found.metadata.identity() != identity_of(*expected.info)) differ("identity");
  }
}

// Calls `both` for what is in both, by path and position, and adds what is in one only.
template <class Found, class Expected, class Key, class Both>
void join(std::vector<const Found*> found, std::vector<const Expected*> expected, Key key,
          Both both, Differences& differences) {
  const auto before = [&key](const auto* a, const auto* b) { return key(*a) < key(*b); };
  std::sort(found.begin(), found.end(), before);
  std::sort(expected.begin(), expected.end(), before);
  auto f = found.begin();
  auto e = expected.begin();
  while (f != found.end() || e != expected.end()) {
    if (e == expected.end() || (f != found.end() && key(**f) < key(**e))) {
      differences.add((*f++)->path, "found, not expected");
    } else if (f == found.end() || key(**e) < key(**f)) {
      differences.add((*e++)->path, "expected, not found");
    } else {
      both(**f++, **e++);
    }
  }
}

template <class T>
std::vector<const T*> pointers(const std::vector<T>& values) {
  std::vector<const T*> result;
  for (const T& value : values) result.push_back(&value);
  return result;
}

// By which paths directories are entered is open; what is reached is not.
void compare_reached(const Recording& recording, const Oracle& oracle, Differences& differences) {
  std::set<FileIdentity> expected;
  for (const OracleDirectory& directory : oracle.directories) {
    if (directory.state == State::complete) expected.insert(identity_of(*directory.info));
  }
  std::set<FileIdentity> found;
  for (const Left& directory : recording.directories) {
    if (!directory.entered) continue;
    if (!found.insert(directory.metadata.identity()).second) {
      differences.add(directory.path, "entered twice");
    }
    if (expected.count(directory.metadata.identity()) == 0) {
      differences.add(directory.path, "should not be reached");
    }
  }
  if (found.size() != expected.size()) differences.add("", "not all directories were reached");
  if (recording.entries.size() != oracle.entries.size()) {
    differences.add("", "another number of entries");
  }
}

}  // namespace

Recording record(std::span<const std::string> roots, Options options, const Answers& answers) {
  return record_with(options, answers,
                     [&](const VisitorFactory& factory) { return walk(roots, options, factory); });
}

Recording record(sys::FileSystem& filesystem, std::span<const std::string> roots, Options options,
                 const Answers& answers, const engine::Tuning& tuning) {
  return record_with(options, answers, [&](const VisitorFactory& factory) {
    return engine::Engine(filesystem, roots, options, factory, tuning).run();
  });
}

std::string compare(const Recording& recording, const Oracle& oracle, const Options& options) {
  Differences differences;
  for (const std::string& violation : recording.violations) differences.add("contract", violation);
  if (recording.result.ending != Ending::complete) differences.add("", "not complete");
  if (options.follow == Follow::all && options.visit_once &&
      recording.result.statistics.workers > 1) {
    compare_reached(recording, oracle, differences);
    return differences.text();
  }
  const auto key = [](const auto& value) { return std::tie(value.path, value.depth); };
  join(
      pointers(recording.entries), pointers(oracle.entries),
      [](const auto& entry) { return std::tie(entry.path, entry.depth, entry.position); },
      [&](const Reported& found, const OracleEntry& expected) {
        compare_entry(found, expected, options, differences);
      },
      differences);
  join(
      pointers(recording.directories), pointers(oracle.directories), key,
      [&](const Left& found, const OracleDirectory& expected) {
        compare_directory(found, expected, options, differences);
      },
      differences);
  return differences.text();
}

std::string describe(const Options& options) {
  std::ostringstream text;
  text << "threads " << options.threads << ", backend "
       << (options.backend == Backend::posix ? "posix" : "linux") << ", fields "
       << static_cast<unsigned>(options.fields) << ", follow " << static_cast<int>(options.follow)
       << (options.visit_once ? "" : " every path") << ", max_depth " << options.max_depth
       << (options.one_file_system ? ", one file system" : "")
       << (options.directory_metadata_in_batch ? ", metadata in batch" : "")
       << (options.private_descriptors ? ", private descriptors" : "");
  return text.str();
}

}  // namespace trawl::testing
