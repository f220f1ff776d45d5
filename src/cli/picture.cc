// SPDX-License-Identifier: Apache-2.0
#include "cli/picture.h"

#include "cli/interrupt.h"
#include "cli/ls_colors.h"
#include "cli/output.h"
#include "cli/picture_json.h"
#include "cli/picture_options.h"
#include "cli/picture_render.h"
#include "cli/progress.h"
#include "cli/quote.h"
#include "cli/statistics.h"
#include "cli/terminal.h"
#include "cli/trace_file.h"

#include <trawl/usage.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace trawl::cli {

namespace {

constexpr int kUsage = 2;

std::string message_of(const Error& error) {
  const char* verb = error.operation == Operation::stat ? "access " : "read directory ";
  return std::string("trawl: cannot ") + verb + quote_always(error.path) + ": " +
         error_text(error.code) + '\n';
}

UsageTree measure(const PictureOptions& options, const Terminal& terminal,
                  const PathFilter* filter, const Deadline& deadline, std::string* trace) {
  CancelToken token;
  UsageTreeOptions wanted;
  wanted.measure = options.measure;
  wanted.max_depth = options.depth;
  wanted.max_nodes = options.json ? options.top.value_or(kJsonNodes + options.paths.size())
                                  : nodes_for_picture(options, terminal);
  Options& walk = wanted.usage.walk;
  walk.threads = options.threads;
  walk.follow = options.follow ? Follow::all : Follow::roots;
  walk.one_file_system = options.one_file_system;
  walk.private_descriptors = true;
  walk.cancel = &token;
  walk.trace = trace;
  if (options.list_errors || options.json) {
    walk.max_errors = SIZE_MAX;
  }
  walk.deadline = deadline;
  walk.stall_timeout = options.stall_timeout.value_or(std::chrono::nanoseconds(0));
  walk.filter = filter;
  const Interrupt interrupt(token);
  Progress progress(options.progress);
  walk.progress_entries = progress.entries();
  UsageTree tree = measure_usage(options.paths, wanted);
  std::vector<Error>& errors = tree.result.walk.errors;
  std::sort(errors.begin(), errors.end(), [](const Error& a, const Error& b) {
    return std::tie(a.path, a.operation) < std::tie(b.path, b.operation);
  });
  return tree;
}

int run(const PictureOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const Terminal terminal = look_at_terminal(options.color);
  const Deadline deadline = options.timeout ? Deadline(begin + *options.timeout) : std::nullopt;
  TraceFile trace;
  if (options.trace && !trace.open(*options.trace)) {
    std::fprintf(stderr, "trawl: %s\n", trace.error().c_str());
    return kUsage;
  }
  const std::unique_ptr<PathFilter> filter = options.filter.make();
  const UsageTree tree = measure(options, terminal, filter.get(), deadline, trace.document());
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  const Result& walk = tree.result.walk;

  Output output(STDOUT_FILENO, deadline);
  if (options.json) {
    output.buffer() = to_document(tree, options, elapsed);
  } else if (!tree.roots.empty() || walk.ending != Ending::complete) {
    output.buffer() =
        render_picture(tree, options, terminal, LsColors::from_environment(), elapsed);
  }
  output.flush();
  Output messages(STDERR_FILENO, deadline);
  // What the user named is always worth a message.
  for (const Error& error : walk.errors) {
    if (options.list_errors || error.depth == 0) {
      messages.buffer() += message_of(error);
      messages.added();
    }
  }
  const std::vector<std::string> unread = messages_of(filter.get());
  for (const std::string& message : unread) {
    messages.buffer() += "trawl: " + message + '\n';
    messages.added();
  }
  if (options.stats != StatsFormat::none) {
    messages.buffer() += describe(walk, elapsed, options.stats);
  }
  const bool traced = trace.write(deadline);
  if (!traced) {
    messages.buffer() += "trawl: " + trace.error() + '\n';
  }
  if (output.error() != 0) {
    messages.buffer() += "trawl: write error: " + output.reason() + '\n';
  }
  messages.flush();
  if (Interrupt::status() != 0) {
    return Interrupt::status();
  }
  return walk.complete() && unread.empty() && output.error() == 0 && traced ? 0 : 1;
}

}  // namespace

int picture_main(int argc, char** argv) {
  const PictureCommand command = parse_picture_options(argc, argv);
  if (!command.status) {
    return run(command.options);
  }
  return print_and_exit_status(command.out, "trawl", *command.status);
}

}  // namespace trawl::cli
