// SPDX-License-Identifier: Apache-2.0
#include "cli/find_exec.h"

#include <sys/wait.h>
#include <trawl/walk.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

#include "cli/interrupt.h"
#include "cli/quote.h"

namespace trawl::cli {

namespace {

// Who ignores it has no exit status to wait for.
void heed_children() {
  struct sigaction action {};
  sigaction(SIGCHLD, nullptr, &action);
  if (action.sa_handler == SIG_IGN) {
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, nullptr);
  }
}

}  // namespace

// What the commands of one path write.
class Executor::Turn {
 public:
  explicit Turn(Executor& executor) : executor_(executor) {}
  ~Turn() { release(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  void take(Stream stream, std::string_view text) {
    if (floor_.owns_lock()) {
      executor_.write(stream == Stream::output ? executor_.output_ : executor_.error_, text);
      return;
    }
    kept_[static_cast<std::size_t>(stream)] += text;
    if (kept_[0].size() + kept_[1].size() >= kKept) {
      release();
    }
  }

 private:
  // Says what was kept, and keeps the floor.
  void release() {
    if (kept_[0].empty() && kept_[1].empty()) {
      return;
    }
    floor_ = std::unique_lock(executor_.floor_);
    executor_.write(executor_.output_, kept_[0]);
    executor_.write(executor_.error_, kept_[1]);
    kept_ = {};
  }

  Executor& executor_;
  std::array<std::string, 2> kept_;
  std::unique_lock<std::mutex> floor_;
};

Executor::Executor(const ExecSettings& settings, Deadline deadline, Progress& progress)
    : settings_(settings),
      deadline_(deadline),
      output_(STDOUT_FILENO, deadline, &progress),
      error_(STDERR_FILENO, deadline, &progress) {
  heed_children();
}

bool Executor::add(std::string_view path) {
  std::unique_lock lock(mutex_);
  if (queue_.size() >= kQueued && !closed_) {
    const WorkerPause pause;
    room_.wait(lock, [this] { return queue_.size() < kQueued || closed_; });
  }
  if (closed_) {
    return false;
  }
  queue_.emplace_back(path);
  if (queue_.size() > idle_ && threads_.size() < (settings_.batches ? 1 : settings_.jobs)) {
    try {
      threads_.emplace_back([this] { settings_.batches ? run_batches() : run(); });
    } catch (const std::system_error&) {
      if (threads_.empty()) {
        throw;
      }
    }
  }
  work_.notify_one();
  return true;
}

void Executor::close(bool drop) {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  if (drop) {
    queue_.clear();
  }
  work_.notify_all();
  room_.notify_all();
}

void Executor::finish(bool drop) {
  close(drop);
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

// None: there will be no more.
std::optional<std::string> Executor::next() {
  if (Interrupt::status() != 0) {
    close(true);
    return std::nullopt;
  }
  std::unique_lock lock(mutex_);
  ++idle_;
  work_.wait(lock, [this] { return !queue_.empty() || closed_; });
  --idle_;
  if (queue_.empty()) {
    return std::nullopt;
  }
  if (deadline_ && std::chrono::steady_clock::now() >= *deadline_) {
    timed_out_.store(true);
    lock.unlock();
    close(true);
    return std::nullopt;
  }
  std::string path = std::move(queue_.front());
  queue_.pop_front();
  room_.notify_one();
  return path;
}

void Executor::run() {
  while (const auto path = next()) {
    run_for(*path);
  }
}

void Executor::run_for(const std::string& path) {
  Turn turn(*this);
  const auto take = [&turn](Stream stream, std::string_view text) { turn.take(stream, text); };
  for (const CommandTemplate& command : settings_.commands) {
    const Arguments arguments = command.for_path(path);
    const ChildResult result =
        settings_.jobs == 1 ? run_child(arguments) : run_child(arguments, take);
    take(Stream::error, judge(command, arguments.front(), result));
    if (!result.succeeded()) {
      return;
    }
  }
}

void Executor::run_batches() {
  const ArgumentLimits limits = ArgumentLimits::of_system();
  std::deque<CommandBatch> batches;
  for (const CommandTemplate& command : settings_.commands) {
    batches.emplace_back(command, settings_.most, limits);
  }
  while (const auto path = next()) {
    for (std::size_t i = 0; i < batches.size(); ++i) {
      add_to_batch(batches[i], settings_.commands[i], *path);
    }
  }
  for (std::size_t i = 0; i < batches.size(); ++i) {
    run_batch(batches[i], settings_.commands[i], batches[i].take());
  }
}

void Executor::add_to_batch(CommandBatch& batch, const CommandTemplate& command,
                            const std::string& path) {
  std::string argument = batch.argument_of(path);
  switch (batch.room_for(argument)) {
    case CommandBatch::Room::never:
      write(error_, judge(command, command.program(), {.error = E2BIG, .status = 0}));
      return;
    case CommandBatch::Room::none_left:
      run_batch(batch, command, batch.take());
      break;
    case CommandBatch::Room::enough:
      break;
  }
  batch.add(std::move(argument));
}

void Executor::run_batch(const CommandBatch& batch, const CommandTemplate& command,
                         std::span<const std::string> arguments) {
  if (arguments.empty() || unread_.load() || Interrupt::status() != 0) {
    return;
  }
  const ChildResult result = run_child(batch.command_for(arguments));
  if (result.error == E2BIG && arguments.size() > 1) {
    const std::size_t half = arguments.size() / 2;
    run_batch(batch, command, arguments.first(half));
    run_batch(batch, command, arguments.subspan(half));
    return;
  }
  write(error_, judge(command, command.program(), result));
}

std::string Executor::judge(const CommandTemplate& command, std::string_view program,
                            const ChildResult& result) {
  if (result.succeeded()) {
    return {};
  }
  failed_.store(true);
  const std::string begin = "trawl find: ";
  if (result.error == ENOENT) {
    // It is so for all paths, which need not be told of each.
    if (command.has_fixed_program()) {
      close(true);
      if (missing_.exchange(true)) {
        return {};
      }
    }
    return begin + "command not found: " + quote_always(program) + '\n';
  }
  if (result.error != 0) {
    return begin + "cannot run " + quote_always(program) + ": " + std::strerror(result.error) +
           '\n';
  }
  if (WIFSIGNALED(result.status) && WTERMSIG(result.status) == SIGINT) {
    close(true);  // a terminal's, which may be still on its way to us
    return {};
  }
  if (WIFSIGNALED(result.status) && WTERMSIG(result.status) == SIGPIPE &&
      (settings_.batches || settings_.jobs == 1)) {
    unread_.store(true);  // the output was ours
    close(true);
    return {};
  }
  if (WIFSIGNALED(result.status)) {
    return begin + quote_always(program) + " was killed: " + ::strsignal(WTERMSIG(result.status)) +
           '\n';
  }
  return {};
}

// Has the floor, or is the only thread that writes.
void Executor::write(Output& output, std::string_view text) {
  if (text.empty()) {
    return;
  }
  output.buffer() += text;
  output.flush();
  if (output_.error() != 0) {
    close(true);
  }
}

}  // namespace trawl::cli
