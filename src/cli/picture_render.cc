// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_render.h"

#include "cli/figures.h"
#include "cli/picture_layout.h"
#include "cli/picture_summary.h"
#include "cli/size_format.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

namespace trawl::cli {

namespace {

constexpr std::size_t kPromptRows = 1;
constexpr std::size_t kFewestLines = 5;
constexpr std::size_t kNodesPerLine = 4;
constexpr std::size_t kShareWidth = 4;
constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastName = 14;  // columns of a name; see Drawing::levels
constexpr std::size_t kMarkWidth = 2;
constexpr std::size_t kColumnsWithoutBar = 50;  // narrower terminals have no room for bars

constexpr std::string_view kDim = "2";
constexpr std::string_view kBar = "36";
constexpr std::string_view kMark = "01;31";

// Pieces of the tree, all of one width.
struct Glyphs {
  std::string_view tee, corner, pipe, blank;
  std::size_t width;
};

Glyphs glyphs_for(const Terminal& terminal) {
  const bool narrow = terminal.columns < kColumnsWithoutBar;
  if (terminal.utf8) {
    return narrow ? Glyphs{"├ ", "└ ", "│ ", "  ", 2} : Glyphs{"├─ ", "└─ ", "│  ", "   ", 3};
  }
  return narrow ? Glyphs{"|-", "`-", "| ", "  ", 2} : Glyphs{"|- ", "`- ", "|  ", "   ", 3};
}

// What stands in front of each name. Whether a branch goes on shows from below only.
std::vector<std::string> branches_of(const std::vector<PictureLine>& lines, const Glyphs& glyphs) {
  std::vector<std::string> out(lines.size());
  std::vector<bool> goes_on;  // by level: is there a further line of that directory below?
  for (std::size_t i = lines.size(); i-- > 0;) {
    const std::size_t level = lines[i].level;
    goes_on.resize(level + 1, false);
    for (std::size_t above = 1; above < level; ++above) {
      out[i] += goes_on[above] ? glyphs.pipe : glyphs.blank;
    }
    if (level > 0) {
      out[i] += goes_on[level] ? glyphs.tee : glyphs.corner;
    }
    goes_on[level] = true;
  }
  return out;
}

class Drawing {
 public:
  Drawing(const UsageTree& tree, const PictureOptions& options, const Terminal& terminal,
          const LsColors& colors)
      : options_(options),
        terminal_(terminal),
        colors_(colors),
        glyphs_(glyphs_for(terminal)),
        total_(total_of(tree, options.measure)),
        complete_(tree.result.walk.complete()),
        figure_width_(width(figure(total_))) {
    for (const UsageNode& root : tree.roots) {
      widest_below_roots_ = std::max(widest_below_roots_, widest_name(root.children));
    }
  }

  // The most levels that leave room for names: for what they need, or kLeastName, or half of what
  // there is.
  std::size_t levels() const {
    const std::size_t room = most_name_columns();
    const std::size_t least =
        std::min({kLeastName, widest_below_roots_, std::max(room / 2, kMarkWidth + 1)});
    return 1 + (room - std::min(room, least)) / glyphs_.width;
  }

  std::string text(const std::vector<PictureLine>& lines);

 private:
  std::size_t width(std::string_view text) const { return width_of(text, terminal_.utf8); }
  // Columns behind figure and share.
  std::size_t room() const {
    const std::size_t left = figure_width_ + 1 + kShareWidth + kGap;
    return terminal_.columns - std::min(terminal_.columns, left);
  }
  bool has_bar() const { return terminal_.columns >= kColumnsWithoutBar; }
  // What the shortest bar leaves for tree and name.
  std::size_t most_name_columns() const {
    return has_bar() ? room() - std::min(room(), terminal_.columns / 3 + kGap) : room();
  }
  double share(std::uint64_t part) const {
    return total_ == 0 ? 0 : static_cast<double>(part) / static_cast<double>(total_);
  }
  std::string figure(std::uint64_t part) const;
  std::string_view color_of_figure(std::uint64_t part) const;
  std::string percent(std::uint64_t part) const;
  std::size_t mark_width(const UsageNode& node) const {
    return complete_ || node.complete ? 0 : kMarkWidth;
  }
  // With what belongs to it.
  std::size_t widest_name(const std::vector<UsageNode>& nodes) const;
  std::string name(const PictureLine& line) const;
  std::string painted_name(const PictureLine& line, const std::string& text) const;
  std::string bar(const PictureLine& line, std::size_t columns) const;

  const PictureOptions& options_;
  const Terminal& terminal_;
  const LsColors& colors_;
  const Glyphs glyphs_;
  const std::uint64_t total_;
  const bool complete_;  // what vanished meanwhile needs no marks
  std::size_t figure_width_;
  std::size_t widest_below_roots_ = 0;
};

std::string Drawing::figure(std::uint64_t part) const {
  if (options_.measure == Measure::inodes) {
    return with_separators(part);
  }
  std::string out;
  append_size(out, part, SizeFormat::human());
  return out;
}

// The bigger the unit, the more it stands out.
std::string_view Drawing::color_of_figure(std::uint64_t part) const {
  const bool counts = options_.measure == Measure::inodes;
  const std::uint64_t thousand = counts ? 1000 : 1024;
  const std::uint64_t unit = counts ? 1 : 1024;
  return part < thousand * unit              ? kDim
         : part < thousand * thousand * unit ? std::string_view()
                                             : std::string_view("1");
}

std::string Drawing::percent(std::uint64_t part) const {
  const double percent = 100 * share(part);
  std::string out = part > 0 && percent < 0.5 ? "<1" : std::to_string(std::lround(percent));
  out += '%';
  return std::string(kShareWidth - std::min(kShareWidth, out.size()), ' ') + out;
}

std::size_t Drawing::widest_name(const std::vector<UsageNode>& nodes) const {
  std::size_t widest = 0;
  for (const UsageNode& node : nodes) {
    const std::size_t slash = node.type == FileType::directory ? 1 : 0;
    widest =
        std::max({widest, width(printable(node.name, terminal_.utf8)) + slash + mark_width(node),
                  widest_name(node.children)});
  }
  return widest;
}

std::string Drawing::name(const PictureLine& line) const {
  if (line.chain.empty()) {
    return (terminal_.utf8 ? "… " : "... ") + with_separators(line.left_out) + " more";
  }
  std::string out;
  for (const UsageNode* node : line.chain) {
    out += out.empty() ? "" : "/";
    out += printable(node->name, terminal_.utf8);
  }
  // Where no colour tells directories apart.
  if (!terminal_.color && line.chain.back()->type == FileType::directory && !out.ends_with('/')) {
    out += '/';
  }
  return out;
}

// `text`: the name, or what there was room for of it.
std::string Drawing::painted_name(const PictureLine& line, const std::string& text) const {
  if (line.chain.empty()) {
    return painted(text, kDim, terminal_);
  }
  const auto color = [this](const UsageNode* node) {
    return colors_.of(node->name, node->type, node->mode);
  };
  const std::size_t slash = text.rfind('/');
  if (line.chain.size() == 1 || slash == std::string::npos) {
    return painted(text, color(line.chain.back()), terminal_);
  }
  return painted(text.substr(0, slash + 1), color(line.chain.front()), terminal_) +
         painted(text.substr(slash + 1), color(line.chain.back()), terminal_);
}

// The share of the total, within that of the directory that it is in.
std::string Drawing::bar(const PictureLine& line, std::size_t columns) const {
  constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double width = static_cast<double>(columns);
  const auto eighths =
      std::min(static_cast<std::size_t>(std::lround(share(line.value) * 8 * width)), 8 * columns);
  const std::size_t within =
      line.level == 0 || line.parent_value == total_  // says nothing
          ? 0
          : std::min(static_cast<std::size_t>(std::lround(share(line.parent_value) * width)),
                     columns);
  std::string solid;
  std::size_t used = terminal_.utf8 ? eighths / 8 : (eighths + 4) / 8;
  for (std::size_t i = 0; i < used; ++i) {
    solid += terminal_.utf8 ? "█" : "#";
  }
  if (terminal_.utf8 && eighths % 8 != 0) {
    solid += kEighths[eighths % 8];
    ++used;
  }
  std::string shade;
  for (; used < within; ++used) {
    shade += terminal_.utf8 ? "░" : ".";
  }
  return painted(solid, line.chain.empty() ? kDim : kBar, terminal_) +
         painted(shade, kDim, terminal_);
}

std::string Drawing::text(const std::vector<PictureLine>& lines) {
  const std::vector<std::string> branches = branches_of(lines, glyphs_);
  std::vector<std::string> names;
  std::size_t widest = 0;
  const auto mark_of = [this](const PictureLine& line) -> std::size_t {
    return line.chain.empty() ? 0 : mark_width(*line.chain.front());
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    figure_width_ = std::max(figure_width_, width(figure(lines[i].value)));
    names.push_back(name(lines[i]));
    widest = std::max(widest, width(branches[i]) + width(names[i]) + mark_of(lines[i]));
  }
  const std::size_t name_columns = std::min(widest, most_name_columns());
  const std::size_t bar_columns = room() - std::min(room(), name_columns + kGap);

  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const PictureLine& line = lines[i];
    const std::string size = figure(line.value);
    const std::size_t mark = mark_of(line);
    const std::size_t before = width(branches[i]) + mark;
    const std::string shown =
        fitted(names[i], name_columns - std::min(name_columns, before), terminal_.utf8);
    out += std::string(figure_width_ - width(size), ' ');
    out += painted(size, line.chain.empty() ? kDim : color_of_figure(line.value), terminal_) + ' ';
    out += painted(percent(line.value), kDim, terminal_) + std::string(kGap, ' ');
    out += painted(branches[i], kDim, terminal_) + painted_name(line, shown);
    out += mark > 0 ? painted(" !", kMark, terminal_) : "";
    if (has_bar()) {
      const std::size_t used = before + width(shown);
      out += std::string(name_columns - std::min(name_columns, used) + kGap, ' ');
      out += bar(line, bar_columns);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}

}  // namespace

std::size_t nodes_for_picture(const PictureOptions& options, const Terminal& terminal) {
  return options.paths.size() +
         kNodesPerLine * options.top.value_or(std::max(terminal.rows, kFewestLines));
}

std::string render_picture(const UsageTree& tree, const PictureOptions& options,
                           const Terminal& terminal, const LsColors& colors,
                           std::chrono::duration<double> elapsed) {
  const std::vector<std::string> summary = summarize(tree, options, terminal, elapsed);
  const std::size_t taken = std::min(terminal.rows, summary.size() + kPromptRows);
  Drawing drawing(tree, options, terminal, colors);
  std::string out = drawing.text(
      lay_out(tree, options,
              {.lines = options.top.value_or(std::max(terminal.rows - taken, kFewestLines)),
               .levels = drawing.levels()}));
  for (const std::string& line : summary) {
    out += line + '\n';
  }
  return out;
}

}  // namespace trawl::cli
