// SPDX-License-Identifier: Apache-2.0
//
// `trawl find`: results as they are found, or in order; messages at the end.
#include "cli/find.h"

#include <trawl/path_filter.h>
#include <trawl/walk.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/filter_options.h"
#include "cli/find_exec.h"
#include "cli/find_options.h"
#include "cli/find_output.h"
#include "cli/find_visitor.h"
#include "cli/interrupt.h"
#include "cli/list_output.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/quote.h"
#include "cli/statistics.h"
#include "cli/walk_errors.h"

namespace trawl::cli {

namespace {

using Clock = std::chrono::steady_clock;

// One run of the command.
class Search {
 public:
  explicit Search(const FindArguments& arguments)
      : arguments_(arguments),
        deadline_(arguments.run.timeout ? Deadline(begin_ + *arguments.run.timeout) : std::nullopt),
        progress_(arguments.exec.commands.empty() || arguments.run.progress == When::always
                      ? arguments.run.progress
                      : When::never),
        interrupt_(token_) {}
  int run();

 private:
  Options options() const;
  Result walk_all();
  void show_ranked();
  void finish(Result& result);
  std::string messages(Result& result) const;
  int status(const Result& result) const;

  const Clock::time_point begin_ = Clock::now();
  const FindArguments& arguments_;
  const Deadline deadline_;
  CancelToken token_;
  Progress progress_;
  const Interrupt interrupt_;
  std::optional<PathFilter> filter_;
  std::optional<LineOutput> output_;
  std::optional<Executor> executor_;
  std::optional<FindContext> context_;
  std::deque<FindVisitor> visitors_;
};

Options Search::options() const {
  const Fields fields =
      (arguments_.plan ? arguments_.plan->fields() : Fields::none) | context_->shown_fields();
  Options options;
  options.fields = fields;
  options.directory_metadata_in_batch = true;
  options.link_targets = arguments_.lines.needs_target();
  options.filter = filter_ ? &*filter_ : nullptr;
  options.follow = arguments_.follow;
  // A deep path that comes first must not hide what a shallower one shows within the limit; which
  // also bounds how often a directory can be met.
  options.visit_once = arguments_.max_depth == INT_MAX;
  options.one_file_system = arguments_.one_file_system;
  options.max_depth = context_->walk_depth();
  options.threads = arguments_.run.threads;
  // Visitors write to standard output only, and open no more than they close. But who looks up
  // names of users may keep a connection, and not only for the thread that opened it.
  options.private_descriptors = (fields & Fields::owner) == Fields::none;
  options.deadline = deadline_;
  options.cancel = &token_;
  options.stall_timeout = arguments_.run.stall_timeout.value_or(std::chrono::nanoseconds(0));
  options.progress_entries = const_cast<Progress&>(progress_).entries();
  options.max_errors = SIZE_MAX;
  return options;
}

Result Search::walk_all() {
  return walk(arguments_.roots, options(),
              [this](unsigned) -> Visitor& { return visitors_.emplace_back(*context_); });
}

// What visitors kept, in order.
void Search::show_ranked() {
  Ranked all(arguments_.ranking);
  for (FindVisitor& visitor : visitors_) {
    all.merge(std::move(visitor.ranked()));
  }
  const std::vector<KeptFinding> findings = all.take();
  if (executor_) {
    for (const KeptFinding& each : findings) {
      if (!executor_->add(each.path)) {
        return;
      }
    }
    return;
  }
  const LineStyle& lines = arguments_.lines;
  if (lines.is_aligned()) {
    for (const KeptFinding& each : findings) {
      lines.measure(each);
    }
  }
  LineBuffer& buffer = output_->add_buffer();
  for (const KeptFinding& each : findings) {
    if (output_->failed()) {
      return;
    }
    const std::lock_guard lock(buffer);
    lines.append(buffer.text(), each);
    buffer.added();
  }
}

int Search::run() {
  context_.emplace(arguments_);
  if (arguments_.filters()) {
    filter_.emplace(arguments_.filter);
  }
  if (arguments_.plan && arguments_.plan->needs_path()) {
    context_->base = std::filesystem::current_path().string();
    context_->base += context_->base.ends_with('/') ? "" : "/";
  }
  if (!arguments_.exec.commands.empty()) {
    executor_.emplace(arguments_.exec, deadline_, progress_);
    context_->executor = &*executor_;
  } else if (!arguments_.quiet) {
    output_.emplace(deadline_, progress_);
    context_->output = context_->is_ranked() ? nullptr : &*output_;
  }
  Result result = walk_all();
  const bool goes_on = result.ending == Ending::complete || result.ending == Ending::stopped;
  if (context_->is_ranked() && (goes_on || executor_ == std::nullopt)) {
    show_ranked();
  }
  if (executor_) {
    executor_->finish(!goes_on);
  }
  if (output_) {
    output_->finish();
  }
  progress_.stop();
  Output out(STDERR_FILENO, deadline_);
  out.buffer() = messages(result);
  if (arguments_.run.stats != StatsFormat::none) {
    out.buffer() += describe(result, Clock::now() - begin_, arguments_.run.stats);
  }
  const int exit_status = status(result);
  out.flush();
  return exit_status;
}

// Everything that is to be said, by path.
std::string Search::messages(Result& result) const {
  std::string out;
  const auto say = [&out](const std::string& message) { out += "trawl find: " + message + '\n'; };
  const std::vector<std::string> failed = messages_of(result);
  std::for_each(failed.begin(), failed.end(), say);
  const std::vector<std::string> unread = messages_of(filter_ ? &*filter_ : nullptr);
  std::for_each(unread.begin(), unread.end(), say);
  if (result.ending == Ending::timed_out || (executor_ && executor_->timed_out())) {
    say("stopped by --timeout: the results are partial");
  } else if (Interrupt::status() != 0) {
    say("interrupted: the results are partial");
  }
  // Who closes a pipe knows that there would be more.
  for (const Output* each :
       {output_ ? &output_->output() : nullptr, executor_ ? &executor_->output() : nullptr}) {
    if (each != nullptr && each->error() != 0 && each->error() != EPIPE) {
      say("write error: " + each->reason());
    }
  }
  return out;
}

int Search::status(const Result& result) const {
  if (Interrupt::status() != 0) {
    return Interrupt::status();
  }
  if (arguments_.quiet && context_->found.load() != 0) {
    return 0;
  }
  const bool walked = (result.ending == Ending::complete || result.ending == Ending::stopped) &&
                      result.statistics.errors == 0 && !arguments_.lacks_roots;
  const bool shown = (!output_ || output_->output().error() == 0) &&
                     (!executor_ || (executor_->succeeded() && !executor_->timed_out() &&
                                     executor_->output().error() == 0));
  const bool ruled = !filter_ || filter_->errors().empty();
  return walked && shown && ruled && !arguments_.quiet ? 0 : 1;
}

// What would be done.
std::string explain(const FindArguments& arguments) {
  std::string out = "search:\n";
  for (const std::string& root : arguments.roots) {
    out += "  " + quote_if_needed(root) + '\n';
  }
  out += "leave out:\n";
  const FilterOptions& filter = arguments.filter;
  const auto add = [&out](const std::string& line) { out += "  " + line + '\n'; };
  for (const std::string& each : filter.exclude) {
    add("what matches " + quote_always(each));
  }
  for (auto each = filter.names.rbegin(); each != filter.names.rend(); ++each) {
    add("what rules in " + *each + " say" + (filter.parents ? ", also above" : ""));
  }
  if (filter.git) {
    add(std::string("what git's rules say") + (filter.require_git ? ", in repositories" : ""));
  }
  for (auto each = filter.files.rbegin(); each != filter.files.rend(); ++each) {
    add("what rules in " + quote_if_needed(*each) + " say");
  }
  for (const std::string& each : arguments.ignore_contain) {
    add("directories that contain " + quote_always(each));
  }
  if (filter.hidden) {
    add("what is hidden");
  }
  out += "tests, in this order:\n";
  if (arguments.min_depth > 1) {
    add("at least " + std::to_string(arguments.min_depth) + " levels deep");
  }
  if (!arguments.plan) {
    add("none: everything is found");
  } else {
    std::string text = arguments.plan->explain();
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      add(text.substr(at, end - at));
      at = end + 1;
    }
  }
  const bool tested = arguments.plan && arguments.plan->fields() != Fields::none;
  const bool shown = (arguments.lines.fields() | arguments.ranking.fields()) != Fields::none;
  out += "metadata:\n";
  add(shown    ? "asked for what is found, to show it or put it in order"
      : tested ? "asked where a test needs it that is reached"
               : "not asked for");
  return out;
}

}  // namespace

int find_main(int argc, char** argv) {
  const FindCommandLine command = parse_find_options(argc, argv);
  if (command.status) {
    return print_and_exit_status(command.out, "trawl find", *command.status);
  }
  if (command.arguments.explain) {
    return print_and_exit_status(explain(command.arguments), "trawl find", 0);
  }
  return Search(command.arguments).run();
}

}  // namespace trawl::cli
