// SPDX-License-Identifier: Apache-2.0
//
// Runs the commands of `trawl find -x` and -X for paths that workers of a walk find.
//
//   Executor executor(settings, deadline, progress);
//   executor.add(path);                 // on any worker; false: no more are wanted
//   executor.finish(drop);              // when the walk is over
//
// Threads of its own take paths from a bounded queue, so that the walk is never far ahead of the
// commands; a worker that waits for room counts as asleep. -x: a path's commands one after another
// until one fails, those of `jobs` paths at once. What they write is kept until the last has ended
// and comes out in one piece; once that is kKept, its thread takes the floor: it alone writes until
// its commands have ended. With one job they have our own input and output. -X: one thread collects
// arguments and runs each command when it has no more room, or at the end.
//
// When a signal has come nothing more is started; what runs has the signal from the terminal too,
// and is waited for.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cli/find_command.h"
#include "cli/find_process.h"
#include "cli/output.h"
#include "cli/progress.h"

namespace trawl::cli {

struct ExecSettings {
  std::vector<CommandTemplate> commands;
  bool batches = false;  // -X
  std::size_t most = 0;  // --batch-size
  unsigned jobs = 1;     // of -x, at once
};

class Executor {
 public:
  Executor(const ExecSettings& settings, Deadline deadline, Progress& progress);
  ~Executor() { finish(true); }
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  bool add(std::string_view path);
  // Waits for all that is to be run; what is still in the queue is dropped, or run.
  void finish(bool drop);

  // After finish(): every command ran and succeeded.
  bool succeeded() const { return !failed_.load(); }
  // After finish(): --timeout came before the last command was begun.
  bool timed_out() const { return timed_out_.load(); }
  // Standard output, as far as it was not the commands' own.
  const Output& output() const { return output_; }

 private:
  class Turn;

  void run();
  void run_for(const std::string& path);
  void run_batches();
  void add_to_batch(CommandBatch& batch, const CommandTemplate& command, const std::string& path);
  void run_batch(const CommandBatch& batch, const CommandTemplate& command,
                 std::span<const std::string> arguments);
  std::optional<std::string> next();
  // What is to be said about a run, if anything.
  std::string judge(const CommandTemplate& command, std::string_view program,
                    const ChildResult& result);
  void close(bool drop);
  void write(Output& output, std::string_view text);

  static constexpr std::size_t kQueued = 1024;
  static constexpr std::size_t kKept = std::size_t{1} << 20;

  const ExecSettings& settings_;
  const Deadline deadline_;

  std::mutex mutex_;  // of the queue
  std::condition_variable work_, room_;
  std::deque<std::string> queue_;
  bool closed_ = false;
  std::size_t idle_ = 0;  // threads
  std::vector<std::thread> threads_;

  std::mutex floor_;  // of what is written
  Output output_, error_;
  std::atomic<bool> failed_{false};
  std::atomic<bool> timed_out_{false};
  std::atomic<bool> unread_{false};  // nobody reads what commands write
  std::atomic<bool> missing_{false};  // a command that was not found has been named
};

}  // namespace trawl::cli
