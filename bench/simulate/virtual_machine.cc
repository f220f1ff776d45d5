// SPDX-License-Identifier: Apache-2.0
#include "virtual_machine.h"

#include <linux/futex.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <queue>
#include <unordered_map>

#include "sys/limits.h"
#include "sys/thread_time.h"

namespace trawl::simulate {

namespace {

constexpr std::size_t kStack = std::size_t{256} << 10;
// The clock does not begin at zero: the scheduler takes zero for "never".
constexpr double kEpoch = 1e9;

Machine* g_machine = nullptr;

}  // namespace

struct Machine::Thread {
  std::size_t number = 0;
  double now = 0;
  double cpu = 0;
  double waited = 0;
  void* (*main)(void*) = nullptr;
  void* argument = nullptr;
  void* stack = nullptr;
  ucontext_t begin;
  jmp_buf here;
  bool begun = false;
  bool asleep = false;
  bool ended = false;
  bool is_monitor = false;
  bool timed_out = false;
  const void* waits_for = nullptr;
  std::uint64_t ticket = 0;  // of the one entry in the queue that counts
};

struct Machine::State {
  struct Entry {
    double at;
    std::uint64_t ticket;
    std::size_t thread;
    bool operator>(const Entry& other) const {
      return at != other.at ? at > other.at : ticket > other.ticket;
    }
  };
  std::vector<std::unique_ptr<Thread>> threads;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
  std::unordered_map<const void*, std::deque<Thread*>> sleepers;
  Thread* self = nullptr;
  Thread* timeout_of = nullptr;
  std::uint64_t tickets = 0;
  int running = 0;
  Times times;
  const std::function<void()>* work = nullptr;
  jmp_buf outside;

  void enqueue(Thread& thread, double at) {
    thread.ticket = ++tickets;
    queue.push({at, thread.ticket, thread.number});
  }

  void count_running(const Thread& thread, double at, int change) {
    if (!thread.is_monitor) {
      running += change;
      times.running.emplace_back(at - kEpoch, change);
    }
  }

  static void enter() {
    Thread& self = *g_machine->state().self;
    self.main(self.argument);
    g_machine->state().end();
  }

  void end() {
    self->ended = true;
    count_running(*self, self->now, -1);
    wake(self, INT_MAX, self->now);
    next();
  }

  // Goes on with whoever is furthest behind.
  [[noreturn]] void next() {
    for (;;) {
      if (queue.empty()) {
        _longjmp(outside, 1);
      }
      const Entry entry = queue.top();
      queue.pop();
      Thread& thread = *threads[entry.thread];
      if (thread.ended || entry.ticket != thread.ticket) {
        continue;  // was woken before its time
      }
      thread.ticket = 0;
      if (thread.asleep) {  // its time has come
        thread.asleep = false;
        thread.timed_out = true;
        std::erase(sleepers[thread.waits_for], &thread);
        count_running(thread, entry.at, 1);
      }
      thread.now = std::max(thread.now, entry.at);
      self = &thread;
      if (thread.begun) {
        _longjmp(thread.here, 1);
      }
      thread.begun = true;
      setcontext(&thread.begin);
    }
  }

  void switch_away() {
    if (_setjmp(self->here) == 0) {
      next();
    }
  }

  // Until woken, or `until`; false: it was not woken.
  bool sleep(const void* address, double until = 0) {
    self->asleep = true;
    self->timed_out = false;
    self->waits_for = address;
    self->ticket = 0;
    sleepers[address].push_back(self);
    count_running(*self, self->now, -1);
    if (until > 0) {
      enqueue(*self, until);
    }
    switch_away();
    return !self->timed_out;
  }

  int wake(const void* address, int most, double at) {
    const auto found = sleepers.find(address);
    if (found == sleepers.end()) {
      return 0;
    }
    int woken = 0;
    for (; woken < most && !found->second.empty(); ++woken) {
      Thread& thread = *found->second.front();
      found->second.pop_front();
      thread.asleep = false;
      count_running(thread, at, 1);
      enqueue(thread, at);
    }
    return woken;
  }

  Thread& start(void* (*main)(void*), void* argument, double at) {
    Thread& thread = *threads.emplace_back(std::make_unique<Thread>());
    thread.number = threads.size() - 1;
    thread.now = at;
    thread.main = main;
    thread.argument = argument;
    thread.stack =
        mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (thread.stack == MAP_FAILED) {
      std::perror("mmap");
      std::exit(1);
    }
    getcontext(&thread.begin);
    thread.begin.uc_stack.ss_sp = thread.stack;
    thread.begin.uc_stack.ss_size = kStack;
    thread.begin.uc_link = nullptr;
    makecontext(&thread.begin, &State::enter, 0);
    enqueue(thread, at);
    return thread;
  }
};

Machine::Machine(unsigned cores, const ThreadCosts& costs, Slowdown slowdown, unsigned nodes,
                 bool tells_nodes)
    : cores_(cores),
      costs_(costs),
      slowdown_(std::move(slowdown)),
      nodes_(nodes),
      tells_nodes_(tells_nodes),
      state_(new State) {}

Machine::~Machine() {
  for (const auto& thread : state_->threads) {
    munmap(thread->stack, kStack);
  }
  delete state_;
}

Machine* Machine::current() { return g_machine; }

Times Machine::run(const std::function<void()>& work) {
  g_machine = this;
  State& state = *state_;
  state.work = &work;
  const auto main = [](void* argument) -> void* {
    (*static_cast<const std::function<void()>*>(argument))();
    Machine& machine = *g_machine;
    machine.state_->times.wall = machine.state_->self->now - kEpoch;
    return nullptr;
  };
  Thread& first = state.start(main, const_cast<void*>(static_cast<const void*>(&work)), kEpoch);
  state.count_running(first, kEpoch, 1);
  state.times.started.push_back(0);
  if (_setjmp(state.outside) == 0) {
    state.next();
  }
  g_machine = nullptr;
  return std::move(state_->times);
}

double Machine::slowdown() const { return slowdown_(std::min<double>(state_->running, cores_)); }

// Threads that are more than the cores share them evenly.
void Machine::spend(double time, Use use) {
  State& state = *state_;
  Thread& self = *state.self;
  const double share = std::max(1.0, static_cast<double>(state.running) / cores_);
  self.cpu += time;
  self.waited += time * (share - 1);
  self.now += time * share;
  if (!self.is_monitor) {
    state.times.used[static_cast<int>(use)] += time;
  }
}

void Machine::sync() {
  State& state = *state_;
  if (!state.queue.empty() && state.queue.top().at < state.self->now) {
    state.enqueue(*state.self, state.self->now);
    state.switch_away();
  }
}

namespace {

using State = Machine::State;

// Laid over a pthread_mutex_t, which is all zero at first.
struct Mutex {
  double free_at;
  std::uint32_t last_owner;  // its number + 1
  std::uint32_t is_locked;
};
static_assert(sizeof(Mutex) <= sizeof(pthread_mutex_t));

Mutex& over(pthread_mutex_t* mutex) { return *reinterpret_cast<Mutex*>(mutex); }

double seconds_to_time(const timespec& time) {
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

void lock(pthread_mutex_t* pthread_mutex) {
  Machine& machine = *g_machine;
  State& state = machine.state();
  Mutex& mutex = over(pthread_mutex);
  machine.sync();
  while (mutex.is_locked != 0) {
    state.sleep(pthread_mutex);
  }
  mutex.is_locked = 1;
  Machine::Thread& self = *state.self;
  const auto number = static_cast<std::uint32_t>(self.number + 1);
  if (mutex.free_at > self.now) {
    machine.spend(mutex.free_at - self.now, Use::sharing);
  }
  const ThreadCosts& costs = machine.costs();
  const bool is_own = mutex.last_owner == number || mutex.last_owner == 0;
  const bool is_near = mutex.last_owner % machine.nodes() == number % machine.nodes();
  machine.spend(is_own    ? costs.lock
                : is_near ? costs.lock_of_other
                          : costs.lock_of_far,
                Use::sharing);
  mutex.last_owner = number;
}

void unlock(pthread_mutex_t* pthread_mutex) {
  Mutex& mutex = over(pthread_mutex);
  State& state = g_machine->state();
  mutex.is_locked = 0;
  mutex.free_at = state.self->now;
  state.wake(pthread_mutex, 1, state.self->now);
}

}  // namespace

}  // namespace trawl::simulate

// --- what the linker takes instead of libc's, libstdc++'s and trawl's own
// -------------------------

using trawl::simulate::g_machine;
using trawl::simulate::Machine;
using trawl::simulate::Use;

extern "C" {

int pthread_create(pthread_t* thread, const pthread_attr_t*, void* (*main)(void*), void* argument) {
  Machine::State& state = g_machine->state();
  g_machine->spend(g_machine->costs().start_thread, Use::sharing);
  g_machine->sync();
  const double begins =
      state.self->now - g_machine->costs().start_thread +
      std::max(g_machine->costs().start_thread, g_machine->costs().until_thread_begins);
  Machine::Thread& started = state.start(main, argument, begins);
  *thread = started.number;
  // The first that is started is the monitor.
  started.is_monitor = started.number == 1;
  state.count_running(started, begins, 1);
  if (!started.is_monitor) {
    state.times.started.push_back(begins - trawl::simulate::kEpoch);
  }
  return 0;
}

int pthread_join(pthread_t thread, void**) {
  Machine::State& state = g_machine->state();
  Machine::Thread& other = *state.threads[thread];
  g_machine->sync();
  while (!other.ended) {
    state.sleep(&other);
  }
  return 0;
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  if (g_machine != nullptr) {
    trawl::simulate::lock(mutex);
  }
  return 0;
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  if (g_machine != nullptr) {
    trawl::simulate::unlock(mutex);
  }
  return 0;
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t,
                           const timespec* until) {
  Machine::State& state = g_machine->state();
  trawl::simulate::unlock(mutex);
  g_machine->sync();
  const bool woken = state.sleep(condition, trawl::simulate::seconds_to_time(*until));
  trawl::simulate::lock(mutex);
  return woken ? 0 : ETIMEDOUT;
}

int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  Machine::State& state = g_machine->state();
  g_machine->sync();
  if (state.wake(condition, 1, state.self->now + g_machine->costs().until_awake) != 0) {
    g_machine->spend(g_machine->costs().wake, Use::sharing);
  }
  return 0;
}

int sched_yield() noexcept { return 0; }

// Futexes only.
long syscall(long number, ...) noexcept {
  if (number != SYS_futex) {
    errno = ENOSYS;
    return -1;
  }
  va_list arguments;
  va_start(arguments, number);
  const int* const word = va_arg(arguments, const int*);
  const int operation = va_arg(arguments, int) & ~FUTEX_PRIVATE_FLAG;
  const int value = va_arg(arguments, int);
  va_end(arguments);
  Machine::State& state = g_machine->state();
  if (operation == FUTEX_WAIT) {
    // Who sleeps has looked at every deque twice.
    g_machine->spend(2 * g_machine->costs().look * static_cast<double>(state.times.started.size()),
                     Use::sharing);
    g_machine->sync();
    if (*word != value) {
      errno = EAGAIN;
      return -1;
    }
    state.sleep(word);
    return 0;
  }
  g_machine->sync();
  const int woken = state.wake(word, value, state.self->now + g_machine->costs().until_awake);
  g_machine->spend(g_machine->costs().wake * std::max(1, woken), Use::sharing);
  return woken;
}

}  // extern "C"

std::chrono::steady_clock::time_point std::chrono::steady_clock::now() noexcept {
  const double now = g_machine == nullptr ? 0 : g_machine->state().self->now;
  return time_point(nanoseconds(static_cast<std::int64_t>(now)));
}

namespace trawl::sys {

namespace {

std::chrono::nanoseconds whole(double time) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(time));
}

}  // namespace

void ThreadTime::attach() { id_ = static_cast<pid_t>(g_machine->state().self->number); }

std::chrono::nanoseconds ThreadTime::used() const {
  g_machine->spend(300, Use::sharing);
  return whole(g_machine->state().threads[static_cast<std::size_t>(id_)]->cpu);
}

// Each thread has a core.
bool ThreadTime::is_ready_to_run() const { return false; }

std::chrono::nanoseconds ThreadTime::waited() const {
  g_machine->spend(4000, Use::sharing);
  return whole(g_machine->state().threads[static_cast<std::size_t>(id_)]->waited);
}

std::chrono::nanoseconds own_processor_time() { return whole(g_machine->state().self->cpu); }

unsigned usable_cores() {
  g_machine->spend(g_machine->costs().find_cores, Use::sharing);
  g_machine->state().times.expanded_at = g_machine->state().self->now - simulate::kEpoch;
  return g_machine->cores();
}

unsigned usable_nodes() { return g_machine->tells_nodes() ? g_machine->nodes() : 1; }

unsigned current_node() {
  g_machine->spend(20, Use::sharing);
  return static_cast<unsigned>((g_machine->state().self->number + 1) % g_machine->nodes());
}

bool is_on_rotating_disk(int, const char*) { return false; }

unsigned thread_limit() { return kNoLimit; }

}  // namespace trawl::sys
