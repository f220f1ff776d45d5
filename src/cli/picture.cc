// SPDX-License-Identifier: Apache-2.0
#include "cli/picture.h"

#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/ls_colors.h"
#include "cli/output.h"
#include "cli/picture_options.h"
#include "cli/picture_render.h"
#include "cli/progress.h"
#include "cli/quote.h"
#include "cli/statistics.h"
#include "cli/terminal.h"

#include <trawl/usage.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

namespace trawl::cli {

namespace {

const char* word_of(Measure measure) {
  switch (measure) {
    case Measure::apparent_size: return "apparent_size";
    case Measure::inodes: return "inodes";
    case Measure::disk_usage: break;
  }
  return "disk_usage";
}

Json node_to_json(const UsageNode& node) {
  Json object;
  add_name(object, "name", node.name);
  object["type"] = to_word(node.type);
  object.update(to_json(node.sums));
  object["complete"] = node.complete;
  if (node.type == FileType::directory) {
    Json& children = object["children"] = Json::array();
    for (const UsageNode& child : node.children) {
      children.push_back(node_to_json(child));
    }
    Json omitted{{"entries", node.omitted}};
    omitted.update(to_json(node.omitted_sums));
    object["omitted"] = std::move(omitted);
  }
  return object;
}

std::string to_document(const UsageTree& tree, const PictureOptions& options,
                        std::chrono::duration<double> elapsed) {
  const Result& walk = tree.result.walk;
  Json document;
  document["version"] = 1;
  document["kind"] = "trawl.usage";
  document["measure"] = word_of(options.measure);
  Json& roots = document["roots"] = Json::array();
  for (const UsageNode& root : tree.roots) {
    roots.push_back(node_to_json(root));
  }
  document["total"] = to_json(tree.result.total);
  document["repeated_links"] = tree.result.repeated_links;
  document["complete"] = walk.complete();
  document["ending"] = to_word(walk.ending);
  document["elapsed_seconds"] = elapsed.count();
  document["statistics"] = to_json(walk.statistics);
  Json& errors = document["errors"] = Json::array();
  for (const Error& error : walk.errors) {
    errors.push_back(to_json(error));
  }
  return document.dump() + '\n';
}

void print_error(const Error& error) {
  const char* verb = error.operation == Operation::stat ? "access" : "read directory";
  std::fprintf(stderr, "trawl: cannot %s %s: %s\n", verb, quote_always(error.path).c_str(),
               std::strerror(error.code));
}

int run(const PictureOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const Terminal terminal = look_at_terminal(options.color);
  CancelToken token;
  UsageTreeOptions wanted;
  wanted.measure = options.measure;
  wanted.max_depth = options.depth;
  wanted.max_nodes = nodes_that_fit(options, terminal);
  Options& walk = wanted.usage.walk;
  walk.threads = options.threads;
  walk.follow = options.follow ? Follow::all : Follow::roots;
  walk.one_file_system = options.one_file_system;
  walk.private_descriptors = true;
  walk.cancel = &token;
  if (options.list_errors || options.json) {
    walk.max_errors = SIZE_MAX;
  }
  if (options.timeout) {
    walk.deadline = begin + *options.timeout;
  }
  if (!options.excludes.empty()) {
    wanted.usage.exclude = [&options](const char* path) { return options.excludes.matches(path); };
  }

  const Interrupt interrupt(token);
  Progress progress(options.progress);
  walk.progress_entries = progress.entries();
  const UsageTree tree = measure_usage(options.paths, wanted);
  progress.stop();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;

  Output output;
  if (options.json) {
    output.buffer() = to_document(tree, options, elapsed);
  } else {
    output.buffer() = render_tree(tree, options, terminal, LsColors::from_environment());
    if (!tree.roots.empty()) {
      output.buffer() += render_summary(tree, options, terminal, elapsed);
    }
  }
  output.flush();
  // A path that the user named is always worth a message.
  for (const Error& error : tree.result.walk.errors) {
    if (options.list_errors || (error.depth == 0 && error.operation == Operation::stat)) {
      print_error(error);
    }
  }
  if (options.stats) {
    std::fputs(describe(tree.result.walk.statistics, elapsed).c_str(), stderr);
  }
  if (const int error = output.error()) {
    std::fprintf(stderr, "trawl: write error: %s\n", std::strerror(error));
    return 1;
  }
  if (Interrupt::status() != 0) {
    return Interrupt::status();
  }
  return tree.result.walk.complete() ? 0 : 1;
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
