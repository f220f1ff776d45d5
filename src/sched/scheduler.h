// SPDX-License-Identifier: Apache-2.0
//
// Workers that share tasks by stealing. Knows nothing about files.
//
// The caller of run() is worker 0; other workers are threads that are started one at a time, only
// when there is work to steal: a small tree ends before a thread (20-60 µs) would pay. So the first
// worker looks at the time with each push and, while it is alone, before each task. A worker
// without work looks at every other deque, then parks. Who makes work stealable wakes or starts one
// worker, and each successful thief wakes the next if there is more (so waking costs nobody more
// than one call). The end is not detected here: the client knows when its last task is done and
// calls finish().
//
// How many workers may run is the limit, which the client decides from what a monitor observes: a
// thread that adds up every few milliseconds what the workers did. A worker whose index is not
// below the limit ends its task and goes to the bench, where it sleeps until the limit grows; what
// it has in its deque is left to thieves.
//
// Client:
//   void start_worker(unsigned)         on its own thread, before its first task; must not throw
//   void run_task(unsigned, Task)       may push(); must not throw
//   void idle(unsigned)                 about to sleep: give back what others may need
//   void end_worker(unsigned)           on its own thread, after its last task
//   Decision first_decision()           asked once, before a second worker starts; may be slow
//   bool has_nodes()                    the same: is memory nearer to some processors than to
//   others? unsigned node(unsigned)             if so, the node that the worker, on its own thread,
//   runs on WorkDone work_done(unsigned count)  of the first workers, as far as is_ready(); on the
//   monitor Decision decide(const Observation&) on the monitor
#pragma once

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "base/trace.h"
#include "sched/controller.h"
#include "sched/deque.h"
#include "sched/parking.h"
#include "sched/victims.h"

namespace trawl::sched {

struct WorkerCounters {
  std::uint64_t steals = 0;
  std::uint64_t stolen_units = 0;
  std::uint64_t parks = 0;
  std::chrono::nanoseconds run_time{0};  // from start to end, less the time asleep
};

// By several workers since they started.
struct WorkDone {
  std::uint64_t calls = 0;             // system calls that returned
  std::uint64_t calls_to_share = 0;    // of these: which only more workers made necessary
  std::chrono::nanoseconds cpu{0};     // processor time
  std::chrono::nanoseconds waited{0};  // for a processor
};

// What was decided, and on what.
struct LimitChange {
  std::chrono::nanoseconds at{0};  // since the start
  unsigned limit = 0;
  double calls_per_second = 0;  // before
  double cpu_share = 0;         // processor time per worker and time, before
};

template <class Task, class Client>
class Scheduler {
 public:
  // Enough for a task's frames and libc's name resolution; ulimit -s must not decide.
  static constexpr std::size_t kStackSize = std::size_t{256} << 10;

  // At most `max_workers` (>= 1) workers, the caller of run() included. `in_order`: thieves take
  // what its owner would do next.
  Scheduler(Client& client, unsigned max_workers, bool in_order = false,
            std::size_t stack_size = kStackSize)
      : client_(client),
        workers_(max_workers),
        stack_size_(stack_size),
        in_order_(in_order),
        most_(max_workers),
        expanded_(max_workers == 1) {
    workers_[0] = std::make_unique<Worker>(*this, 0);
  }

  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Runs `first` and all that it leads to; returns after finish(), all threads joined.
  void run(Task first) {
    started_at_ = Clock::now();
    client_.start_worker(0);
    workers_[0]->begin = started_at_;
    workers_[0]->ready.store(true);
    workers_[0]->deque.push(std::move(first));
    work(0);
    if (has_monitor_) {
      {
        std::lock_guard lock(monitor_mutex_);
        monitor_wake_.notify_one();
      }
      pthread_join(monitor_, nullptr);
    }
    // Now only a running worker starts another, so this sees every one that there will ever be.
    for (unsigned i = 1; i < started_.load(); ++i) {
      pthread_join(workers_[i]->thread, nullptr);
    }
  }

  // Adds a task to a worker's own deque; called on that worker.
  void push(unsigned worker, Task task) {
    Deque<Task>& deque = workers_[worker]->deque;
    deque.push(std::move(task));
    if (deque.units() > 1) {  // the owner takes one itself
      call_for_help();
    }
  }

  // True if a further worker would come for work: a reason to split what could also be done alone.
  bool wants_work() const { return parking_.has_sleepers() || may_start(); }

  // Wakes or starts one more worker, if there is one to be had.
  void call_for_help() {
    if (parking_.has_sleepers()) {
      parking_.unpark_one();
    } else if (may_start()) {
      start_one();
    }
  }

  void finish() {
    finished_.store(true);
    parking_.unpark_all();
    bench_.unpark_all();
  }

  // What a worker takes for one system call, on average of late. 0 while the first worker is alone.
  std::chrono::nanoseconds call_time() const {
    return std::chrono::nanoseconds(call_time_.load(std::memory_order_relaxed));
  }

  unsigned started_workers() const { return started_.load(); }
  // True once the client knows the worker, and what it wrote in start_worker() can be read.
  bool is_ready(unsigned worker) const {
    return workers_[worker]->ready.load(std::memory_order_acquire);
  }
  const WorkerCounters& counters(unsigned worker) const { return workers_[worker]->counters; }
  // The time that a worker slept; while it does, less the time when that began, so negative. Who
  // lets a worker sleep in a task, on its own thread, keeps to this.
  std::atomic<std::chrono::steady_clock::duration>& slept(unsigned worker) {
    return workers_[worker]->slept;
  }
  // After run().
  const std::vector<LimitChange>& limit_changes() const { return limit_changes_; }

 private:
  using Clock = std::chrono::steady_clock;

  // Tasks within this time of the start are done by the first worker alone.
  static constexpr std::chrono::microseconds kAloneFor{100};
  static constexpr std::size_t kMaxChanges = 256;

  struct alignas(64) Worker {
    Worker(Scheduler& owner, unsigned number) : scheduler(owner), index(number) {}
    Deque<Task> deque;
    WorkerCounters counters;
    Scheduler& scheduler;
    const unsigned index;
    pthread_t thread{};
    std::atomic<bool> ready{false};  // start_worker() has returned, and `begin` is set
    Clock::time_point begin;
    std::atomic<unsigned> node{0};  // when it last looked for work, if there are several
    std::atomic<Clock::duration> slept{};

    Clock::duration run_time(Clock::time_point now) const {
      const Clock::duration value = slept.load(std::memory_order_relaxed);
      return now - begin - value - (value.count() < 0 ? now.time_since_epoch() : Clock::duration{});
    }
  };

  bool may_start() const {
    return expanded_.load(std::memory_order_relaxed)
               ? started_.load(std::memory_order_relaxed) < limit_.load(std::memory_order_relaxed)
               : Clock::now() - started_at_ >= kAloneFor;
  }

  void start_one() {
    if (starting_.exchange(true)) {
      return;  // somebody else is at it
    }
    const unsigned index = started_.load();
    try {
      if (!expanded_.load()) {
        expand();
      }
      if (index < limit_.load() && !finished_.load()) {
        workers_[index] = std::make_unique<Worker>(*this, index);
        if (!start_thread(workers_[index]->thread, &Scheduler::worker_main,
                          workers_[index].get())) {
          throw std::bad_alloc();
        }
        started_.store(index + 1);
      }
    } catch (const std::bad_alloc&) {  // no more to be had (RLIMIT_NPROC, memory): go on with these
      most_.store(index);
      limit_.store(index);
      expanded_.store(true);
    }
    starting_.store(false);
  }

  // The first worker was alone until now.
  void expand() {
    limit_changes_.reserve(kMaxChanges);
    const Decision decision = client_.first_decision();
    limit_.store(std::clamp(decision.limit, 1U, most_.load()));
    TRAWL_IF_TRACE(base::trace(base::kTraceWorkers, limit_.load()));
    interval_ = decision.interval;
    last_look_ = started_at_;
    has_nodes_ = client_.has_nodes();
    if (has_nodes_) {
      note_node(0);
    }
    call_time_.store(decision.call_time.count(), std::memory_order_relaxed);
    has_monitor_ = start_thread(monitor_, &Scheduler::monitor_main, this);
    expanded_.store(true);
  }

  bool start_thread(pthread_t& thread, void* (*main)(void*), void* argument) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_size_);
    const bool started = pthread_create(&thread, &attributes, main, argument) == 0;
    pthread_attr_destroy(&attributes);
    return started;
  }

  static void* worker_main(void* argument) {
    Worker& worker = *static_cast<Worker*>(argument);
    worker.begin = Clock::now();
    worker.scheduler.client_.start_worker(worker.index);
    worker.ready.store(true, std::memory_order_release);
    worker.scheduler.work(worker.index);
    return nullptr;
  }

  void work(unsigned index) {
    Worker& self = *workers_[index];
    while (!finished_.load(std::memory_order_acquire)) {
      // In order, nobody else may come for what is left behind: it comes first.
      if (index >= limit_.load(std::memory_order_relaxed) &&
          !(in_order_ && self.deque.units() != 0)) {
        sit_out(index);
      } else if (auto task = self.deque.pop()) {
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
          TRAWL_IF_TRACE(const base::TraceSpan span(base::kTraceParked));
          sleep(self, [&] { parking_.park(ticket); });
        }
      }
    }
    client_.end_worker(index);
    self.counters.run_time = self.run_time(Clock::now());
  }

  template <class Sleep>
  static void sleep(Worker& self, Sleep sleep) {
    const Clock::duration awake = self.slept.load(std::memory_order_relaxed);
    const Clock::duration asleep = awake - Clock::now().time_since_epoch();
    self.slept.store(asleep, std::memory_order_relaxed);
    sleep();
    self.slept.store(asleep + Clock::now().time_since_epoch(), std::memory_order_relaxed);
  }

  // Above the limit. The call that woke this worker, if one did, is passed on.
  void sit_out(unsigned index) {
    client_.idle(index);
    if (anything_to_steal()) {
      call_for_help();
    }
    const Parking::Ticket ticket = bench_.prepare();
    if (finished_.load() || index < limit_.load()) {
      bench_.cancel();
    } else {
      TRAWL_IF_TRACE(const base::TraceSpan span(base::kTraceBench));
      sleep(*workers_[index], [&] { bench_.park(ticket); });
    }
  }

  bool anything_to_steal() const {
    const unsigned count = started_.load();
    for (unsigned i = 0; i < count; ++i) {
      if (workers_[i]->deque.units() != 0) {
        return true;
      }
    }
    return false;
  }

  unsigned note_node(unsigned worker) {
    const unsigned node = client_.node(worker);
    workers_[worker]->node.store(node, std::memory_order_relaxed);
    return node;
  }

  bool steal(unsigned thief) {
    const unsigned count = started_.load();
    const auto look = [&](unsigned victim) { return steal_from(*workers_[victim], thief); };
    // Worker 0 wrote this, and to look at others it must have started them.
    if (count == 1 || !has_nodes_) {
      return look_at_victims(thief, count, look);
    }
    const unsigned node = note_node(thief);
    return look_at_victims(
        thief, count,
        [&](unsigned victim) {
          return workers_[victim]->node.load(std::memory_order_relaxed) == node;
        },
        look);
  }

  // Moves stolen work into the thief's own deque.
  bool steal_from(Worker& victim, unsigned thief) {
    auto loot = in_order_ ? victim.deque.steal_newest() : victim.deque.steal();
    if (!loot) {
      return false;
    }
    WorkerCounters& counters = workers_[thief]->counters;
    ++counters.steals;
    counters.stolen_units += loot->units();
    TRAWL_IF_TRACE(base::trace(base::kTraceSteal, loot->units(), victim.index));
    const bool more = victim.deque.units() != 0;
    push(thief, *std::move(loot));
    if (more) {
      call_for_help();
    }
    return true;
  }

  // --- the monitor

  static void* monitor_main(void* argument) {
    static_cast<Scheduler*>(argument)->watch();
    return nullptr;
  }

  void watch() {
    std::unique_lock lock(monitor_mutex_);
    while (!monitor_wake_.wait_for(lock, interval_, [this] { return finished_.load(); })) {
      try {
        observe();
      } catch (const std::bad_alloc&) {
        return;  // the limit stays; who needs the memory will say so
      }
    }
  }

  void observe() {
    const unsigned started = started_.load();
    const unsigned starved = parking_.sleepers();
    const WorkDone done = client_.work_done(started);
    const Clock::time_point now = Clock::now();
    Clock::duration run_time{};
    for (unsigned i = 0; i < started; ++i) {
      run_time += is_ready(i) ? workers_[i]->run_time(now) : Clock::duration{};
    }
    const Observation observation{
        .elapsed = now - last_look_,
        .run_time = std::max(Clock::duration{}, run_time - last_run_time_),
        .calls = done.calls - last_done_.calls,
        .calls_to_share = done.calls_to_share - last_done_.calls_to_share,
        .cpu = done.cpu - last_done_.cpu,
        .waited = done.waited - last_done_.waited,
        .starved = starved > 0};
    last_look_ = now;
    last_run_time_ = run_time;
    last_done_ = done;
    const Decision decision = client_.decide(observation);
    interval_ = decision.interval;
    if (decision.call_time.count() > 0) {
      call_time_.store(decision.call_time.count(), std::memory_order_relaxed);
    }
    set_limit(std::clamp(decision.limit, 1U, most_.load()), now, observation);
  }

  void set_limit(unsigned limit, Clock::time_point now, const Observation& observation) {
    const unsigned before = limit_.load();
    if (limit == before) {
      return;
    }
    if (limit_changes_.size() < kMaxChanges) {
      using Seconds = std::chrono::duration<double>;
      limit_changes_.push_back({.at = now - started_at_,
                                .limit = limit,
                                .calls_per_second = static_cast<double>(observation.calls) /
                                                    Seconds(observation.elapsed).count(),
                                .cpu_share = observation.run_time.count() > 0
                                                 ? Seconds(observation.cpu + observation.waited) /
                                                       Seconds(observation.run_time)
                                                 : 0.0});
    }
    limit_.store(limit);
    TRAWL_IF_TRACE(base::trace(base::kTraceWorkers, limit));
    if (limit > before) {
      bench_.unpark_all();
      if (anything_to_steal()) {
        call_for_help();
      }
    } else {
      parking_.unpark_all();  // who sleeps above the limit shall not count as willing
    }
  }

  Client& client_;
  std::vector<std::unique_ptr<Worker>> workers_;  // the first started_ are there
  const std::size_t stack_size_;
  const bool in_order_;
  Parking parking_;
  Parking bench_;
  std::atomic<unsigned> limit_{1};
  std::atomic<unsigned> most_;  // that the limit can be
  std::atomic<bool> expanded_;  // the first worker need not be alone any more
  std::atomic<bool> finished_{false};
  std::atomic<unsigned> started_{1};
  std::atomic<std::int64_t> call_time_{0};  // ns
  std::atomic<bool> starting_{false};       // guards the start of threads
  Clock::time_point started_at_;
  bool has_nodes_ = false;
  bool has_monitor_ = false;
  pthread_t monitor_{};
  std::mutex monitor_mutex_;
  std::condition_variable monitor_wake_;
  // The monitor's, once it runs.
  std::chrono::nanoseconds interval_{0};
  Clock::time_point last_look_;
  Clock::duration last_run_time_{};
  WorkDone last_done_;
  std::vector<LimitChange> limit_changes_;
};

}  // namespace trawl::sched
