// SPDX-License-Identifier: Apache-2.0
#include <trawl/entry_table.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include "fold/arrow_export.h"
#include "fold/entry_table_chunk.h"
#include "fold/entry_table_pipe.h"
#include "fold/entry_table_visitor.h"

namespace trawl {

namespace {

// A worker's chunks, which nobody asks for before the walk is done.
class ChunkCollector final : public fold::RowSink {
 public:
  using RowSink::RowSink;
  std::unique_lock<std::mutex> lock() override { return {}; }
  void take(EntryChunk chunk) override { chunks_.push_back(std::move(chunk)); }
  bool rest() override { return true; }

  void move_to(std::vector<EntryChunk>& out) {
    if (builder().rows() != 0) {
      take(builder().seal());
    }
    std::move(chunks_.begin(), chunks_.end(), std::back_inserter(out));
  }

 private:
  std::vector<EntryChunk> chunks_;
};

struct Collection {
  Collection(const TableOptions& options, std::size_t number)
      : collector(options), visitor(options, number, collector) {}
  ChunkCollector collector;
  fold::TableVisitor visitor;
};

}  // namespace

void EntryChunk::export_array(ArrowArray* out) const { fold::export_chunk(storage_, out); }

EntryTable::EntryTable(Fields fields, bool link_targets, std::vector<EntryChunk> chunks,
                       Result result)
    : fields_(fields),
      link_targets_(link_targets),
      chunks_(std::move(chunks)),
      result_(std::move(result)) {
  for (const EntryChunk& chunk : chunks_) {
    rows_ += chunk.rows();
  }
}

std::size_t EntryTable::memory_use() const {
  std::size_t sum = chunks_.capacity() * sizeof(EntryChunk);
  for (const EntryChunk& chunk : chunks_) {
    sum += chunk.memory_use();
  }
  return sum;
}

void EntryTable::export_schema(ArrowSchema* out) const {
  export_entry_schema(fields_, link_targets_, out);
}

void EntryTable::export_stream(ArrowArrayStream* out) const {
  fold::export_stream(fields_, link_targets_, chunks_, out);
}

void export_entry_schema(Fields fields, bool link_targets, ArrowSchema* out) {
  fold::export_schema(fields, link_targets, out);
}

EntryTable scan_table(std::span<const std::string> roots, const TableOptions& options) {
  std::vector<std::unique_ptr<Collection>> collections;
  Result result = walk(roots, fold::walk_options(options), [&](unsigned) -> Visitor& {
    return collections.emplace_back(std::make_unique<Collection>(options, collections.size()))
        ->visitor;
  });
  std::vector<EntryChunk> chunks;
  for (const std::unique_ptr<Collection>& each : collections) {
    each->collector.move_to(chunks);
  }
  return {options.walk.fields, options.link_targets, std::move(chunks), std::move(result)};
}

std::vector<EntryChunk> make_chunks(std::span<const FileListEntry> entries, Fields fields,
                                    bool link_targets,
                                    std::optional<std::string_view> relative_root) {
  fold::ChunkBuilder builder(fields, link_targets, entries.size());
  std::vector<EntryChunk> chunks;
  std::string path;
  for (const FileListEntry& entry : entries) {
    path.clear();
    if (!relative_root) {
      entry.append_full_path(path);
    } else if (entry.is_root()) {
      path = *relative_root;
    } else {
      entry.append_relative_path(path);
    }
    Metadata metadata;
    if (fields != Fields::none) {
      metadata = entry.metadata();
    }
    const fold::TableRow row{
        .name = path,
        .depth = entry.depth(),
        .type = entry.type(),
        .metadata = &metadata,
        .link_target = link_targets ? entry.link_target() : std::string_view()};
    if (!builder.has_room_for(row)) {
      chunks.push_back(builder.seal());
    }
    builder.add(row);
  }
  if (builder.rows() != 0) {
    chunks.push_back(builder.seal());
  }
  return chunks;
}

EntryTable make_table(const FileList& list, Fields fields, bool link_targets,
                      std::size_t chunk_rows) {
  std::vector<EntryChunk> chunks;
  std::vector<FileListEntry> entries;
  chunk_rows = std::max<std::size_t>(1, chunk_rows);
  for (std::size_t i = 0; i < list.size();) {
    entries.clear();
    for (const std::size_t end = i + std::min(chunk_rows, list.size() - i); i < end; ++i) {
      entries.push_back(list[i]);
    }
    std::vector<EntryChunk> made = make_chunks(entries, fields, link_targets);
    std::move(made.begin(), made.end(), std::back_inserter(chunks));
  }
  return {fields, link_targets, std::move(chunks), list.result()};
}

EntryTable make_table(std::span<const std::string> paths, std::span<const StatResult> results,
                      Fields fields, std::size_t chunk_rows) {
  fold::ChunkBuilder builder(fields, false, chunk_rows, chunk_rows);
  std::vector<EntryChunk> chunks;
  for (std::size_t i = 0; i < paths.size() && i < results.size(); ++i) {
    const StatResult& answer = results[i];
    const fold::TableRow row{.name = paths[i],
                             .type = answer ? answer.metadata.type() : FileType::unknown,
                             .error = answer.error,
                             .metadata = answer ? &answer.metadata : nullptr};
    if (!builder.has_room_for(row)) {
      chunks.push_back(builder.seal());
    }
    builder.add(row);
  }
  if (builder.rows() != 0) {
    chunks.push_back(builder.seal());
  }
  return {fields, false, std::move(chunks), Result{}};
}

struct EntryTableStream::Implementation {
  Implementation(std::vector<std::string> given_roots, TableOptions given)
      : roots(std::move(given_roots)), options(std::move(given)), pipe(options) {
    if (options.walk.cancel == nullptr) {
      options.walk.cancel = &token;
    }
    thread = std::thread([this] { run(); });
  }
  ~Implementation() {
    cancel();
    wait();
  }

  void run() {
    try {
      result = walk(roots, fold::walk_options(options), [this](unsigned) -> Visitor& {
        return *visitors.emplace_back(
            std::make_unique<fold::TableVisitor>(options, visitors.size(), pipe.add_producer()));
      });
    } catch (...) {
      failure = std::current_exception();
    }
    pipe.close();
  }

  void cancel() {
    token.cancel();  // of the walk, unless the caller gave it another
    pipe.cancel();
  }

  // The walk's end.
  void wait() {
    const std::lock_guard lock(mutex);
    if (thread.joinable()) {
      thread.join();
      if (pipe.is_cut_short() && result.ending != Ending::timed_out) {
        result.ending = Ending::cancelled;
      }
    }
  }

  void rethrow() const {
    if (failure != nullptr) {
      std::rethrow_exception(failure);
    }
  }

  const std::vector<std::string> roots;
  TableOptions options;
  CancelToken token;
  fold::ChunkPipe pipe;
  std::vector<std::unique_ptr<fold::TableVisitor>> visitors;
  Result result;
  std::exception_ptr failure;
  std::atomic<bool> finished{false};
  std::mutex mutex;
  std::thread thread;
};

EntryTableStream::EntryTableStream(std::vector<std::string> roots, TableOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(roots), std::move(options))) {}

EntryTableStream::~EntryTableStream() = default;

std::optional<EntryChunk> EntryTableStream::next(std::optional<std::chrono::nanoseconds> timeout) {
  fold::ChunkPipe::Deadline deadline;
  if (timeout) {
    deadline = std::chrono::steady_clock::now() + *timeout;
  }
  bool ended = false;
  std::optional<EntryChunk> chunk = implementation_->pipe.pop(deadline, ended);
  if (ended) {
    implementation_->finished.store(true);
    if (!implementation_->pipe.is_cancelled()) {
      implementation_->wait();
      implementation_->rethrow();
    }
  }
  return chunk;
}

bool EntryTableStream::finished() const { return implementation_->finished.load(); }

void EntryTableStream::cancel() { implementation_->cancel(); }

const Result& EntryTableStream::result() {
  implementation_->wait();
  implementation_->rethrow();
  return implementation_->result;
}

}  // namespace trawl
