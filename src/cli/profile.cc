// SPDX-License-Identifier: Apache-2.0
#include "cli/profile.h"

#include <trawl/profile.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/profile_file.h"
#include "cli/profile_json.h"
#include "cli/profile_lower.h"
#include "cli/profile_options.h"
#include "cli/profile_page.h"
#include "cli/profile_report.h"
#include "cli/progress.h"
#include "cli/quote.h"
#include "cli/statistics.h"
#include "cli/terminal.h"
#include "cli/trace_file.h"
#include "cli/walk_errors.h"

namespace trawl::cli {

namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

Profile measure(const ProfileArguments& arguments, const PathFilter* filter,
                const Deadline& deadline, std::string* trace) {
  CancelToken token;
  ProfileOptions options;
  // Tables of the document and the page are longer than those of the report.
  const bool report_only = !arguments.json && !arguments.html;
  options.top = arguments.top.value_or(report_only ? kReportTop : options.top);
  options.top_folders = arguments.top.value_or(options.top_folders);
  options.exact = arguments.exact;
  options.tree_folders = arguments.tree_folders.value_or(arguments.html ? kPageFolders : 0);
  options.lower_case = lower_case;
  Options& walk = options.walk;
  walk.threads = arguments.threads;
  walk.filter = filter;
  walk.follow = arguments.follow ? Follow::all : Follow::roots;
  walk.one_file_system = arguments.one_file_system;
  walk.max_depth = arguments.max_depth;
  walk.private_descriptors = true;
  walk.deadline = deadline;
  walk.cancel = &token;
  walk.stall_timeout = arguments.stall_timeout.value_or(std::chrono::nanoseconds(0));
  walk.trace = trace;
  if (arguments.list_errors || arguments.json) {
    walk.max_errors = SIZE_MAX;
  }
  const Interrupt interrupt(token);
  Progress progress(arguments.progress);
  walk.progress_entries = progress.entries();
  return profile(arguments.path, options);
}

// Nothing was counted, because PATH itself could not be looked at.
bool failed_at_root(const Profile& profile) {
  return profile.folders == 0 && !profile.walk.errors.empty();
}

class Run {
 public:
  explicit Run(const ProfileArguments& arguments)
      : arguments_(arguments),
        begin_(std::chrono::steady_clock::now()),
        deadline_(arguments.timeout ? Deadline(begin_ + *arguments.timeout) : std::nullopt),
        messages_(STDERR_FILENO, deadline_) {}

  int status();

 private:
  void say(const std::string& message) {
    messages_.buffer() += "trawl profile: " + message + '\n';
    messages_.added();
  }
  bool write_page(const std::string& page);
  bool write_output(const std::string& text);

  const ProfileArguments& arguments_;
  const std::chrono::steady_clock::time_point begin_;
  const Deadline deadline_;
  Output messages_;
};

bool Run::write_output(const std::string& text) {
  Output output(STDOUT_FILENO, deadline_);
  output.buffer() = text;
  output.flush();
  // Who closes a pipe knows that there would be more.
  if (output.error() != 0 && output.error() != EPIPE) {
    say("write error: " + output.reason());
  }
  return output.error() == 0;
}

bool Run::write_page(const std::string& page) {
  const std::string reason = replace_file(*arguments_.html, page, deadline_);
  if (!reason.empty()) {
    say("cannot write " + quote_always(*arguments_.html) + ": " + reason);
  }
  return reason.empty();
}

int Run::status() {
  const bool page_in_file = arguments_.html && !arguments_.page_on_output();
  if (page_in_file) {
    // Before a walk that may be long.
    if (const std::string reason = why_not_replaceable(*arguments_.html); !reason.empty()) {
      say("cannot write " + quote_always(*arguments_.html) + ": " + reason);
      messages_.flush();
      return kFailed;
    }
  }
  const Terminal terminal = look_at_terminal(arguments_.color);
  TraceFile trace;
  if (arguments_.trace && !trace.open(*arguments_.trace)) {
    say(trace.error());
    messages_.flush();
    return kUsage;
  }
  const std::unique_ptr<PathFilter> filter = arguments_.filter.make();
  Profile profile = measure(arguments_, filter.get(), deadline_, trace.document());
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin_;

  const std::vector<std::string> failed = messages_of(profile.walk);  // also sorts the errors
  bool written = true;
  const bool failed_at_all = failed_at_root(profile);
  if (arguments_.json) {
    written = write_output(to_document(profile, arguments_, elapsed));
  } else if (!failed_at_all && !arguments_.page_on_output()) {
    written = write_output(render_profile(profile, arguments_, terminal, elapsed));
  }
  if (arguments_.html && !failed_at_all) {
    const std::string page = to_page(page_data(profile, arguments_, elapsed));
    written = (page_in_file ? write_page(page) : write_output(page)) && written;
  }

  for (std::size_t i = 0; i < failed.size(); ++i) {
    // What the user named is always worth a message.
    if (arguments_.list_errors || profile.walk.errors[i].depth == 0) {
      say(failed[i]);
    }
  }
  if (!arguments_.has_report() && !failed_at_all) {
    for (const std::string& warning : warnings_of(profile, arguments_)) {
      say(warning);
    }
  }
  const std::vector<std::string> unread = messages_of(filter.get());
  for (const std::string& message : unread) {
    say(message);
  }
  if (arguments_.stats != StatsFormat::none) {
    messages_.buffer() += describe(profile.walk, elapsed, arguments_.stats);
  }
  const bool traced = trace.write(deadline_);
  if (!traced) {
    say(trace.error());
  }
  messages_.flush();
  if (Interrupt::status() != 0) {
    return Interrupt::status();
  }
  return profile.walk.complete() && unread.empty() && written && traced ? 0 : kFailed;
}

}  // namespace

int profile_main(int argc, char** argv) {
  const ProfileCommandLine command = parse_profile_options(argc, argv);
  if (!command.status) {
    ::tzset();
    return Run(command.arguments).status();
  }
  return print_and_exit_status(command.out, kProfileCommand.program, *command.status);
}

}  // namespace trawl::cli
