// SPDX-License-Identifier: Apache-2.0
//
// Workers that share tasks by stealing. Knows nothing about files.
//
// The caller of run() is worker 0; other workers are threads that are started one at a time, only
// when there is work to steal: a small tree ends before a thread (20-60 µs) would pay. So the first
// worker looks at the time with each push and, while it is alone, before each task. A worker without
// work looks at every other deque, then parks. Who makes work stealable wakes or starts one worker, and
// each successful thief wakes the next if there is more (so waking costs nobody more than one call).
// The end is not detected here: the client knows when its last task is done and calls finish().
//
// Client:
//   void start_worker(unsigned worker)      on the worker's thread, before its first task; must not throw
//   void run_task(unsigned worker, Task)    may push(); must not throw
//   void idle(unsigned worker)              about to park, or to end: give back what others may need,
//                                           and what is bound to the thread
//   unsigned allowed_workers()              asked once, before a second worker is started; may be slow
#pragma once

#include "sched/deque.h"
#include "sched/parking.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace trawl::sched {

struct WorkerCounters {
  std::uint64_t steals = 0;
  std::uint64_t stolen_units = 0;
  std::uint64_t parks = 0;
};

template <class Task, class Client>
class Scheduler {
 public:
  // At most `max_workers` (>= 1) workers, the caller of run() included.
  Scheduler(Client& client, unsigned max_workers)
      : client_(client), max_workers_(max_workers), workers_(new Worker[max_workers]) {}

  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Runs `first` and all that it leads to; returns after finish(), all threads joined.
  void run(Task first) {
    started_at_ = std::chrono::steady_clock::now();
    client_.start_worker(0);
    workers_[0].deque.push(std::move(first));
    work(0);
    // Only a running worker starts another, so this sees every one that there will ever be.
    for (unsigned i = 1; i < started_.load(); ++i) {
      pthread_join(workers_[i].thread, nullptr);
    }
  }

  // Adds a task to a worker's own deque; called on that worker.
  void push(unsigned worker, Task task) {
    Deque<Task>& deque = workers_[worker].deque;
    deque.push(std::move(task));
    if (deque.units() > 1) {  // the owner takes one itself
      call_for_help();
    }
  }

  // True if a further worker would come for work: a reason to split what could also be done alone.
  bool wants_work() const {
    return parking_.has_sleepers() ||
           (started_.load(std::memory_order_relaxed) < max_workers_.load(std::memory_order_relaxed) &&
            old_enough());
  }

  // Wakes or starts one more worker, if there is one to be had.
  void call_for_help() {
    if (parking_.has_sleepers()) {
      parking_.unpark_one();
    } else if (started_.load(std::memory_order_relaxed) <
                   max_workers_.load(std::memory_order_relaxed) &&
               old_enough()) {
      start_one();
    }
  }

  void finish() {
    finished_.store(true);
    parking_.unpark_all();
  }

  unsigned started_workers() const { return started_.load(); }
  const WorkerCounters& counters(unsigned worker) const { return workers_[worker].counters; }

 private:
  // Tasks within this time of the start are done by the first worker alone.
  static constexpr std::chrono::microseconds kAloneFor{100};
  // Enough for a task's frames and libc's name resolution; ulimit -s must not decide.
  static constexpr std::size_t kStackSize = std::size_t{256} << 10;

  struct alignas(64) Worker {
    Deque<Task> deque;
    WorkerCounters counters;
    pthread_t thread{};
    Scheduler* scheduler = nullptr;
    unsigned index = 0;
  };

  bool old_enough() const {
    return started_.load(std::memory_order_relaxed) > 1 ||
           std::chrono::steady_clock::now() - started_at_ >= kAloneFor;
  }

  void start_one() {
    if (starting_.exchange(true)) {
      return;  // somebody else is at it
    }
    const unsigned index = started_.load();
    if (index == 1 && !limited_) {
      limited_ = true;
      max_workers_.store(std::min(max_workers_.load(), std::max(1U, client_.allowed_workers())));
    }
    if (index < max_workers_.load() && !finished_.load()) {
      Worker& worker = workers_[index];
      worker.scheduler = this;
      worker.index = index;
      pthread_attr_t attributes;
      pthread_attr_init(&attributes);
      pthread_attr_setstacksize(&attributes, kStackSize);
      if (pthread_create(&worker.thread, &attributes, &Scheduler::thread_main, &worker) == 0) {
        started_.store(index + 1);
      } else {
        max_workers_.store(index);  // no more to be had (RLIMIT_NPROC, memory): go on with these
      }
      pthread_attr_destroy(&attributes);
    }
    starting_.store(false);
  }

  static void* thread_main(void* argument) {
    Worker& worker = *static_cast<Worker*>(argument);
    worker.scheduler->client_.start_worker(worker.index);
    worker.scheduler->work(worker.index);
    return nullptr;
  }

  void work(unsigned index) {
    Worker& self = workers_[index];
    while (!finished_.load(std::memory_order_acquire)) {
      if (auto task = self.deque.pop()) {
        // What was pushed too early for a thread may have turned out to be worth one.
        if (started_.load(std::memory_order_relaxed) == 1 && self.deque.units() != 0) {
          call_for_help();
        }
        client_.run_task(index, *std::move(task));
      } else if (!steal(index)) {
        client_.idle(index);
        const Parking::Ticket ticket = parking_.prepare();
        if (finished_.load() || anything_to_steal()) {
          parking_.cancel();
        } else {
          ++self.counters.parks;
          parking_.park(ticket);
        }
      }
    }
    client_.idle(index);
  }

  bool anything_to_steal() const {
    const unsigned count = started_.load();
    for (unsigned i = 0; i < count; ++i) {
      if (workers_[i].deque.units() != 0) {
        return true;
      }
    }
    return false;
  }

  // Moves stolen work into the thief's own deque. Victims are looked at in turn from the thief's
  // neighbour on, so that thieves spread.
  bool steal(unsigned thief) {
    const unsigned count = started_.load();
    for (unsigned i = 1; i < count; ++i) {
      Worker& victim = workers_[(thief + i) % count];
      if (auto loot = victim.deque.steal()) {
        WorkerCounters& counters = workers_[thief].counters;
        ++counters.steals;
        counters.stolen_units += loot->units();
        const bool more = victim.deque.units() != 0;
        push(thief, *std::move(loot));
        if (more) {
          call_for_help();
        }
        return true;
      }
    }
    return false;
  }

  Client& client_;
  std::atomic<unsigned> max_workers_;
  std::unique_ptr<Worker[]> workers_;
  Parking parking_;
  std::atomic<bool> finished_{false};
  std::atomic<unsigned> started_{1};
  std::atomic<bool> starting_{false};  // guards what follows
  bool limited_ = false;
  std::chrono::steady_clock::time_point started_at_;
};

}  // namespace trawl::sched
