// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_render.h"

#include "cli/size_format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

namespace trawl::cli {

namespace {

constexpr std::size_t kSummaryRows = 3;  // the summary, a warning, the prompt
// A lone child that is nearly all of its parent shares its line.
constexpr double kNearlyAll = 0.99;

struct Line {
  std::string tree;  // glyphs in front of the name
  std::string name;
  std::string color;
  std::uint64_t value = 0;
  bool rest = false;  // not a node, but what was left out
  bool complete = true;
};

class Drawing {
 public:
  Drawing(const UsageTree& tree, const PictureOptions& options, const Terminal& terminal,
          const LsColors& colors)
      : options_(options), terminal_(terminal), colors_(colors) {
    for (const UsageNode& root : tree.roots) {
      total_ += value(root.sums);
    }
    std::vector<const UsageNode*> roots;
    for (const UsageNode& root : tree.roots) {
      roots.push_back(&root);
    }
    sort(roots);
    for (const UsageNode* root : roots) {
      add(*root, "", "", true);
    }
    limit();
  }

  std::string text() const;

 private:
  std::uint64_t value(const UsageSums& sums) const { return value_of(sums, options_.measure); }
  double share(std::uint64_t part) const {
    return total_ == 0 ? 0 : static_cast<double>(part) / static_cast<double>(total_);
  }
  bool is_shown(std::uint64_t part) const { return 100 * share(part) >= options_.min_share; }

  void sort(std::vector<const UsageNode*>& nodes) const;
  void add(const UsageNode& node, const std::string& prefix, const std::string& indent,
           bool is_root);
  void limit();
  std::string figure(std::uint64_t part) const;
  std::string bar(std::uint64_t part, std::size_t width) const;
  std::string painted(std::string_view text, std::string_view color) const;

  const PictureOptions& options_;
  const Terminal& terminal_;
  const LsColors& colors_;
  std::uint64_t total_ = 0;
  std::vector<Line> lines_;
};

void Drawing::sort(std::vector<const UsageNode*>& nodes) const {
  std::stable_sort(nodes.begin(), nodes.end(), [this](const UsageNode* a, const UsageNode* b) {
    switch (options_.sort) {
      case SortBy::name: return a->name < b->name;
      case SortBy::count: return a->sums.inodes > b->sums.inodes;
      case SortBy::size: break;
    }
    return value(a->sums) > value(b->sums);
  });
  if (options_.reverse) {
    std::reverse(nodes.begin(), nodes.end());
  }
}

// `prefix`: glyphs of the node's own line; `indent`: of the lines below it.
void Drawing::add(const UsageNode& top, const std::string& prefix, const std::string& indent,
                  bool is_root) {
  const UsageNode* node = &top;
  std::string name = printable(node->name, terminal_.utf8);
  while (!is_root && node->children.size() == 1 &&
         node->children[0].type == FileType::directory &&
         static_cast<double>(value(node->children[0].sums)) >=
             kNearlyAll * static_cast<double>(value(top.sums))) {
    node = &node->children[0];
    name += '/' + printable(node->name, terminal_.utf8);
  }
  lines_.push_back({.tree = prefix,
                    .name = std::move(name),
                    .color = std::string(colors_.of(node->name, node->type, node->mode)),
                    .value = value(top.sums),
                    .rest = false,
                    .complete = top.complete});

  std::vector<const UsageNode*> children;
  UsageSums rest = node->omitted_sums;
  std::uint64_t rest_count = node->omitted;
  for (const UsageNode& child : node->children) {
    if (is_shown(value(child.sums))) {
      children.push_back(&child);
    } else {
      rest += child.sums;
      ++rest_count;
    }
  }
  sort(children);
  // What is left out is worth a line if it is as big as what is shown.
  const bool has_rest = !children.empty() && rest_count > 0 && is_shown(value(rest)) &&
                        value(rest) > 0 &&
                        std::any_of(children.begin(), children.end(), [&](const UsageNode* child) {
                          return value(child->sums) <= value(rest);
                        });
  const std::string_view tee = terminal_.utf8 ? "├── " : "|-- ";
  const std::string_view corner = terminal_.utf8 ? "└── " : "`-- ";
  const std::string_view pipe = terminal_.utf8 ? "│   " : "|   ";
  for (std::size_t i = 0; i < children.size(); ++i) {
    const bool last = i + 1 == children.size() && !has_rest;
    add(*children[i], indent + std::string(last ? corner : tee),
        indent + std::string(last ? "    " : pipe), false);
  }
  if (has_rest) {
    lines_.push_back({.tree = indent + std::string(corner),
                      .name = std::to_string(rest_count) + " more",
                      .color = {},
                      .value = value(rest),
                      .rest = true,
                      .complete = true});
  }
}

// Lines for what was left out come on top of the nodes; the smallest of them make room.
void Drawing::limit() {
  const std::size_t limit = nodes_that_fit(options_, terminal_);
  while (lines_.size() > limit) {
    auto smallest = lines_.end();
    for (auto line = lines_.begin(); line != lines_.end(); ++line) {
      if (line->rest && (smallest == lines_.end() || line->value < smallest->value)) {
        smallest = line;
      }
    }
    if (smallest == lines_.end()) {
      break;
    }
    // The line above it, in the same directory, becomes the last one there.
    const std::string_view tee = terminal_.utf8 ? "├── " : "|-- ";
    const std::string_view corner = terminal_.utf8 ? "└── " : "`-- ";
    const std::string_view pipe = terminal_.utf8 ? "│   " : "|   ";
    const std::size_t depth = smallest->tree.size() - corner.size();
    for (auto line = smallest; line-- != lines_.begin();) {
      if (line->tree.compare(depth, tee.size(), tee) == 0) {
        line->tree.replace(depth, tee.size(), corner);
        break;
      }
      if (line->tree.compare(depth, pipe.size(), pipe) != 0) {
        break;
      }
      line->tree.replace(depth, pipe.size(), "    ");
    }
    lines_.erase(smallest);
  }
}

std::string Drawing::figure(std::uint64_t part) const {
  std::string out;
  append_size(out, part,
              options_.measure == Measure::inodes ? SizeFormat::blocks_of(1) : SizeFormat::human());
  return out;
}

std::string Drawing::bar(std::uint64_t part, std::size_t width) const {
  constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(
      std::lround(share(part) * 8 * static_cast<double>(width)));
  std::string out;
  std::size_t used = std::min(eighths / 8, width);
  for (std::size_t i = 0; i < used; ++i) {
    out += terminal_.utf8 ? "█" : "#";
  }
  if (terminal_.utf8 && used < width && eighths % 8 != 0) {
    out += kEighths[eighths % 8];
    ++used;
  }
  return out + std::string(width - used, ' ');
}

std::string Drawing::painted(std::string_view text, std::string_view color) const {
  if (!terminal_.color || color.empty()) {
    return std::string(text);
  }
  return "\033[" + std::string(color) + "m" + std::string(text) + "\033[0m";
}

std::string Drawing::text() const {
  std::size_t figure_width = 4;
  for (const Line& line : lines_) {
    figure_width = std::max(figure_width, figure(line.value).size());
  }
  constexpr std::size_t kShareWidth = 4;
  const std::size_t bar_width = terminal_.columns < 50 ? 0 : std::min<std::size_t>(terminal_.columns / 6, 24);
  const std::size_t left = figure_width + 1 + kShareWidth + 2 + (bar_width > 0 ? bar_width + 2 : 0);
  std::string out;
  for (const Line& line : lines_) {
    const std::string size = figure(line.value);
    char percent[16];
    std::snprintf(percent, sizeof percent, "%3.0f%%", 100 * share(line.value));
    out += std::string(figure_width - size.size(), ' ');
    out += painted(size, line.rest ? "2" : "1") + ' ';
    out += painted(percent, "2") + "  ";
    if (bar_width > 0) {
      out += painted(bar(line.value, bar_width), line.rest ? "2" : "36") + "  ";
    }
    const std::size_t tree_width = width_of(line.tree, terminal_.utf8);
    const std::size_t mark = line.complete ? 0 : 2;
    const std::size_t used = left + tree_width + mark;
    // However deep it is, something of the name is shown.
    const std::size_t room = std::max<std::size_t>(8, terminal_.columns - std::min(terminal_.columns, used));
    out += painted(line.tree, "2");
    out += painted(fitted(line.name, room, terminal_.utf8), line.rest ? "2" : line.color);
    out += line.complete ? "" : painted(" !", "01;31");
    while (out.back() == ' ') {
      out.pop_back();
    }
    out += '\n';
  }
  return out;
}

std::string with_separators(std::uint64_t number) {
  std::string out = std::to_string(number);
  for (std::size_t at = out.size(); at > 3;) {
    at -= 3;
    out.insert(at, ",");
  }
  return out;
}

std::string counted(std::uint64_t number, const char* one, const char* many) {
  return with_separators(number) + ' ' + (number == 1 ? one : many);
}

}  // namespace

std::size_t nodes_that_fit(const PictureOptions& options, const Terminal& terminal) {
  if (options.top) {
    return *options.top;
  }
  constexpr std::size_t kLeast = 5;
  return std::max(kLeast, terminal.rows - std::min(terminal.rows, kSummaryRows));
}

std::string render_tree(const UsageTree& tree, const PictureOptions& options,
                        const Terminal& terminal, const LsColors& colors) {
  return Drawing(tree, options, terminal, colors).text();
}

std::string render_summary(const UsageTree& tree, const PictureOptions& options,
                           const Terminal& terminal, std::chrono::duration<double> elapsed) {
  const Result& walk = tree.result.walk;
  const UsageSums& total = tree.result.total;
  std::string out;
  append_size(out,
              options.measure == Measure::apparent_size ? total.apparent_size : total.disk_usage,
              SizeFormat::human());
  out += options.measure == Measure::apparent_size ? " (apparent size) in " : " in ";
  out += counted(walk.statistics.entries, "entry", "entries") + ", " +
         counted(walk.statistics.directories, "directory", "directories");
  char speed[96];
  const double seconds = std::max(elapsed.count(), 1e-6);
  std::snprintf(speed, sizeof speed, "; %.2f s, ", seconds);
  const double rate = static_cast<double>(walk.statistics.entries) / seconds;
  out += speed + with_separators(static_cast<std::uint64_t>(rate)) + " entries/s\n";
  if (tree.result.repeated_links > 0) {
    out += counted(tree.result.repeated_links, "name", "names") +
           (tree.result.repeated_links == 1 ? " is a further hard link, counted once\n"
                                            : " are further hard links, each file counted once\n");
  }
  const auto paint = [&terminal](const std::string& text) {
    return terminal.color ? "\033[01;31m" + text + "\033[0m" : text;
  };
  if (const std::uint64_t errors = walk.statistics.errors) {
    const auto directories = static_cast<std::uint64_t>(
        std::count_if(walk.errors.begin(), walk.errors.end(), [](const Error& error) {
          return error.operation == Operation::open || error.operation == Operation::read;
        }));
    // Beyond what is kept of the errors nobody knows which kind they were.
    const bool only_directories = directories == errors;
    out += paint((only_directories ? counted(errors, "directory", "directories")
                                   : counted(errors, "entry", "entries")) +
                 " could not be read, so the figures are at least what there is" +
                 (options.list_errors ? "" : ": `trawl --errors` lists them")) +
           '\n';
  }
  if (walk.ending == Ending::timed_out) {
    out += paint("stopped by --timeout: the figures are partial") + '\n';
  } else if (walk.ending == Ending::cancelled) {
    out += paint("interrupted: the figures are partial") + '\n';
  }
  return out;
}

}  // namespace trawl::cli
