// SPDX-License-Identifier: Apache-2.0
//
// `trawl list`: lines of entries, or a table of them, as they are found or in order; messages at
// the end.
#include "cli/list.h"

#include <trawl/file_list.h>
#include <trawl/walk.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/interrupt.h"
#include "cli/list_arrow.h"
#include "cli/list_context.h"
#include "cli/list_options.h"
#include "cli/list_output.h"
#include "cli/list_visitor.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/quote.h"
#include "cli/statistics.h"
#include "cli/walk_errors.h"

namespace trawl::cli {

namespace {

std::chrono::nanoseconds stall_timeout(const ListArguments& arguments) {
  return arguments.stall_timeout.value_or(std::chrono::nanoseconds(0));
}

Result list_as_found(const ListContext& context, LineOutput& output) {
  const ListArguments& arguments = context.arguments;
  Options options = walk_options(context);
  options.directory_metadata_in_batch = true;
  options.link_targets = arguments.format->needs_target();
  options.max_depth = arguments.max_depth - 1;  // of directories that are entered
  // Visitors write to standard output only. But who looks up names of users may keep a connection,
  // and not only for the thread that opened it.
  options.private_descriptors = (arguments.fields & Fields::owner) == Fields::none;
  options.slot_bytes = sizeof(ListVisitor::Slot);
  std::deque<ListVisitor> visitors;
  return walk(arguments.paths, options,
              [&](unsigned) -> Visitor& { return visitors.emplace_back(arguments, output); });
}

// The line of an entry; `path` and `metadata` are memory for it.
EntryLine line_of(const FileListEntry& entry, const ListArguments& arguments, std::string& path,
                  Metadata& metadata) {
  EntryLine line{.path = {},
                 .name = entry.is_root() ? last_name(entry.file_name()) : entry.file_name(),
                 .depth = entry.depth(),
                 .type = entry.type(),
                 .metadata = nullptr,
                 .target = entry.link_target()};
  path.clear();
  if (!arguments.relative) {
    entry.append_full_path(path);
  } else if (!entry.is_root()) {
    entry.append_relative_path(path);
  } else {
    path = line.type == FileType::directory ? "." : line.name;
  }
  line.path = path;
  if (arguments.fields != Fields::none) {
    metadata = entry.metadata();
    line.metadata = &metadata;
  }
  return line;
}

Result list_in_order(const ListContext& context, LineOutput& output) {
  const ListArguments& arguments = context.arguments;
  const ListOptions options = list_options(context, arguments.format->needs_target());
  LineBuffer& buffer = output.add_buffer();
  std::string path;
  Metadata metadata;
  Result result;
  for (const std::string& root : arguments.paths) {
    FileListWalker walker(root, options);
    for (const FileListEntry& entry : walker) {
      if (output.failed()) {
        break;
      }
      if (entry.depth() >= arguments.min_depth && arguments.lists(entry.type())) {
        const std::lock_guard lock(buffer);
        arguments.format->append(line_of(entry, arguments, path, metadata), buffer.text());
        buffer.added();
      }
    }
    result += Result(walker.result());
    if (result.ending != Ending::complete) {
      break;
    }
  }
  return result;
}

struct Failure {
  int error = 0;       // errno of writing, Output::kGivenUp, or 0
  std::string reason;  // in words
};

// Everything that is to be said, by path. True if the list is whole.
bool report(Result& result, const PathFilter* filter, const Failure& failure, std::string& out) {
  const auto say = [&out](const std::string& message) { out += "trawl list: " + message + '\n'; };
  const std::vector<std::string> failed = messages_of(result);
  std::for_each(failed.begin(), failed.end(), say);
  const std::vector<std::string> unread = messages_of(filter);
  std::for_each(unread.begin(), unread.end(), say);
  if (result.ending == Ending::timed_out) {
    say("stopped by --timeout: the list is partial");
  } else if (result.ending == Ending::cancelled) {
    say("interrupted: the list is partial");
  }
  // Who closes a pipe knows that there would be more.
  if (failure.error != 0 && failure.error != EPIPE) {
    say("write error: " + failure.reason);
  }
  return result.complete() && unread.empty() && failure.error == 0;
}

// What was written, and what went wrong with it.
struct Listing {
  Result result;
  Failure failure;
};

Listing list_lines(const ListContext& context, Progress& progress) {
  const ListArguments& arguments = context.arguments;
  LineOutput output(context.deadline, progress);
  if (const std::string header = arguments.format->header(); !header.empty()) {
    LineBuffer& buffer = output.add_buffer();
    const std::lock_guard lock(buffer);
    buffer.text() = header;
  }
  output.flush();  // before any line, whoever writes that
  // What rsync thinks of a link is the library's to know.
  const bool as_found = arguments.order == Order::unordered && !arguments.safe_links;
  Listing listing;
  listing.result = as_found ? list_as_found(context, output) : list_in_order(context, output);
  output.finish();
  listing.failure = {output.output().error(), output.output().reason()};
  return listing;
}

#ifdef TRAWL_HAS_FLATBUFFERS
Listing list_table(const ListContext& context, ArrowTarget& target, Progress& progress) {
  Listing listing;
  Output output(target.descriptor(), context.deadline, &progress);
  listing.result = list_to_arrow(context, target, output);
  listing.failure = {output.error(), output.reason()};
  target.close();
  if (listing.failure.error == 0 && target.error() != 0) {
    listing.failure = {target.error(), std::strerror(target.error())};
  }
  return listing;
}
#endif

int run(const ListArguments& arguments) {
  const auto begin = std::chrono::steady_clock::now();
  const Deadline deadline = arguments.timeout ? Deadline(begin + *arguments.timeout) : std::nullopt;
  CancelToken token;
  const Interrupt interrupt(token);
#ifdef TRAWL_HAS_FLATBUFFERS
  std::optional<ArrowTarget> target;
  if (arguments.arrow) {
    target.emplace(*arguments.arrow);
    if (target->error() != 0) {
      std::fprintf(stderr, "trawl list: cannot open %s: %s\n",
                   quote_always(*arguments.arrow).c_str(), std::strerror(target->error()));
      return 1;
    }
  }
#endif
  Progress progress(arguments.progress);
  const std::unique_ptr<PathFilter> filter = arguments.filter.make();
  const ListContext context{arguments, deadline, token, progress.entries(), filter.get()};
#ifdef TRAWL_HAS_FLATBUFFERS
  auto [result, failure] =
      target ? list_table(context, *target, progress) : list_lines(context, progress);
#else
  auto [result, failure] = list_lines(context, progress);
#endif
  progress.stop();
  if (failure.error == Output::kGivenUp) {
    // The walk may have come to its end, its lines did not.
    result.ending = Interrupt::status() != 0 ? Ending::cancelled : Ending::timed_out;
  }

  Output messages(STDERR_FILENO, deadline);
  const bool whole = report(result, filter.get(), failure, messages.buffer());
  if (arguments.stats != StatsFormat::none) {
    messages.buffer() +=
        describe(result, std::chrono::steady_clock::now() - begin, arguments.stats);
  }
  messages.flush();
  if (Interrupt::status() != 0) {
    return Interrupt::status();
  }
  return whole ? 0 : 1;
}

}  // namespace

Options walk_options(const ListContext& context) {
  const ListArguments& arguments = context.arguments;
  Options options;
  options.fields = arguments.fields;
  options.follow = arguments.follow;
  options.filter = context.filter;
  options.one_file_system = arguments.one_file_system;
  options.threads = arguments.threads;
  options.deadline = context.deadline;
  options.cancel = &context.cancel;
  options.stall_timeout = stall_timeout(arguments);
  options.progress_entries = context.progress;
  options.max_errors = SIZE_MAX;
  return options;
}

ListOptions list_options(const ListContext& context, bool link_targets) {
  const ListArguments& arguments = context.arguments;
  ListOptions options;
  options.fields = arguments.fields;
  options.follow = arguments.follow;
  options.filter = context.filter;
  options.one_file_system = arguments.one_file_system;
  options.max_depth = arguments.max_depth;
  options.safe_links = arguments.safe_links;
  options.link_targets = link_targets;
  options.order = arguments.order;
  options.threads = arguments.threads;
  options.deadline = context.deadline;
  options.cancel = &context.cancel;
  options.stall_timeout = stall_timeout(arguments);
  options.progress_entries = context.progress;
  return options;
}

int list_main(int argc, char** argv) {
  const ListCommand command = parse_list_options(argc, argv);
  if (!command.status) {
    return run(command.arguments);
  }
  return print_and_exit_status(command.out, "trawl list", *command.status);
}

}  // namespace trawl::cli
