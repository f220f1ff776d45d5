// SPDX-License-Identifier: Apache-2.0
//
// What the engine keeps for each worker, and what all of its sources need.
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sys/thread_time.h"
#include "walk/engine.h"

namespace trawl::engine {

// Of this thread's worker, or null. See sched::Scheduler::slept().
extern thread_local std::atomic<std::chrono::steady_clock::duration>* t_slept;

inline bool means_vanished(int error) { return error == ENOENT; }

struct alignas(64) Engine::Worker {
  Worker(unsigned worker_index, sys::FileSystem& filesystem, int base, DescriptorQueue& queue,
         std::size_t listing_buffer)
      : index(worker_index),
        opener(filesystem, base, calls, queue),
        listing(new std::byte[listing_buffer]) {}

  unsigned index;
  // Of a walk from whose visitor this one was called.
  std::atomic<std::chrono::steady_clock::duration>* outer_slept = nullptr;
  Visitor nobody;  // stands in for a visitor that could not be made
  Visitor* visitor = &nobody;
  Statistics statistics;
  CallCounters calls;
  sys::ThreadTime time;
  std::chrono::nanoseconds cpu_begin{0};
  // On its own thread.
  std::chrono::nanoseconds cpu_time() const { return sys::own_processor_time() - cpu_begin; }
  Opener opener;
  // The directory that pieces of a slice are being reported of.
  std::uint64_t slice_id = 0;
  sys::DirectoryHandle slice_handle;
  int slice_error = 0;
  std::unique_ptr<std::byte[]> listing;
  std::array<Entry, kBatch> batch;
  std::array<Metadata, kBatch> metadata;
  // What links of the batch lead to: room for a longest one each, of which only what is written to
  // takes memory. Made for the first link.
  std::unique_ptr<char[]> links;
  std::size_t links_size = 0;
  std::string filter_path;   // of the directory whose entries are filtered, as rules want it
  std::string custom_path;   // and as the visitor will see it, for FilterOptions::custom
  // Nodes made and freed; the monitor looks at them.
  std::atomic<std::uint64_t> nodes_made{0};
  std::atomic<std::uint64_t> nodes_freed{0};
  std::vector<Node*> free_nodes;
  std::vector<Children*> free_children;
  std::vector<Error> errors;
};

template <class Call>
Verdict Engine::visit(Call call) {
  Verdict verdict = Verdict::stop;
  try {
    verdict = call();
  } catch (...) {
    fail(std::current_exception());
  }
  if (verdict == Verdict::stop) {
    stop(Ending::stopped);
  }
  return verdict;
}

}  // namespace trawl::engine
