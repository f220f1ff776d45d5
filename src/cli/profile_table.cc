// SPDX-License-Identifier: Apache-2.0
#include "cli/profile_table.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace trawl::cli {

namespace {

using Kind = TableColumn::Kind;
using Row = std::vector<TableCell>;

constexpr std::size_t kIndent = 2;
constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastName = 12;
constexpr std::size_t kLeastBar = 8;
constexpr std::size_t kMostBar = 32;  // longer ones are no easier to compare
constexpr std::size_t kMostPairs = 3;
constexpr std::string_view kDim = "2";
constexpr std::string_view kBar = "36";

std::string bar_text(double share, std::size_t columns, bool utf8) {
  constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double exact = std::clamp(share, 0.0, 1.0) * static_cast<double>(columns);
  std::string out;
  if (!utf8) {
    return out.assign(static_cast<std::size_t>(std::lround(exact)), '#');
  }
  const auto eighths = static_cast<std::size_t>(std::lround(exact * 8));
  for (std::size_t i = 0; i < eighths / 8; ++i) {
    out += "█";
  }
  return out += kEighths[eighths % 8];
}

// How wide each column is; 0: left out.
class Layout {
 public:
  Layout(const std::vector<TableColumn>& columns, const std::vector<Row>& rows,
         const Terminal& terminal)
      : columns_(columns), widths_(columns.size()) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      std::size_t& widest = widths_[i] =
          columns[i].kind == Kind::bar ? kLeastBar : columns[i].least;
      widest = std::max(widest, width_of(columns[i].caption, terminal.utf8));
      for (const Row& row : rows) {
        widest = std::max(widest, width_of(row[i].text, terminal.utf8));
      }
    }
    const std::size_t all = terminal.columns;
    const auto name = std::ranges::find(columns, Kind::name, &TableColumn::kind);
    std::size_t none = 0;
    std::size_t& name_width =
        name == columns.end() ? none : widths_[static_cast<std::size_t>(name - columns.begin())];
    const std::size_t widest_name = std::exchange(name_width, std::min(name_width, kLeastName));
    while (taken() > all && (leave_out_last(Kind::bar) || leave_out_last(Kind::share))) {
    }
    // What is left is for the name, and then for bars.
    const std::size_t others = taken() - name_width;
    name_width = std::min(widest_name, all - std::min(all, others));
    const std::size_t bars = count(Kind::bar);
    const std::size_t room = all - std::min(all, taken());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].kind == Kind::bar && widths_[i] > 0) {
        widths_[i] = std::min(kMostBar, kLeastBar + room / bars);
      }
    }
  }

  const std::vector<std::size_t>& widths() const { return widths_; }

 private:
  std::size_t count(Kind kind) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      count += columns_[i].kind == kind && widths_[i] > 0 ? 1U : 0U;
    }
    return count;
  }
  // Columns of the terminal, with the gaps.
  std::size_t taken() const {
    std::size_t sum = kIndent;
    std::size_t shown = 0;
    for (const std::size_t width : widths_) {
      sum += width;
      shown += width > 0 ? 1U : 0U;
    }
    return sum + kGap * (std::max<std::size_t>(shown, 1) - 1);
  }
  bool leave_out_last(Kind kind) {
    for (std::size_t i = columns_.size(); i-- > 0;) {
      if (columns_[i].kind == kind && widths_[i] > 0) {
        widths_[i] = 0;
        return true;
      }
    }
    return false;
  }

  const std::vector<TableColumn>& columns_;
  std::vector<std::size_t> widths_;
};

std::string line_of(const Row& row, const std::vector<TableColumn>& columns,
                    const std::vector<std::size_t>& widths, const Terminal& terminal) {
  std::string out;
  std::size_t blanks = kIndent;  // before the next text; none are at the end of a line
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const TableCell& cell = row[i];
    const Kind kind = columns[i].kind;
    if (widths[i] == 0) {
      continue;
    }
    const std::string text = kind == Kind::bar ? bar_text(cell.share, widths[i], terminal.utf8)
                                               : fitted(cell.text, widths[i], terminal.utf8);
    const std::size_t width = width_of(text, terminal.utf8);
    const std::size_t rest = widths[i] - std::min(widths[i], width);
    const bool to_the_right = kind == Kind::right || kind == Kind::share;
    blanks += to_the_right ? rest : 0;
    if (!text.empty()) {
      out +=
          std::string(blanks, ' ') + painted(text, kind == Kind::bar ? kBar : cell.color, terminal);
      blanks = 0;
    }
    blanks += (to_the_right ? 0 : rest) + kGap;
  }
  return out;
}

}  // namespace

std::string table_text(const std::string& heading, std::size_t heading_width,
                       const std::vector<TableColumn>& columns, const std::vector<Row>& rows,
                       const Terminal& terminal) {
  const Layout layout(columns, rows, terminal);
  const std::vector<std::size_t>& widths = layout.widths();
  Row captions;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    // That of a bar that is left out would be cut.
    captions.push_back({std::string(columns[i].caption), kDim});
  }
  std::string out = heading;
  const std::string line = rows.empty() ? "" : line_of(captions, columns, widths, terminal);
  const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
  if (begin < line.size()) {
    if (heading_width + kGap <= begin) {
      out += line.substr(heading_width);
    } else {
      out += '\n' + line;
    }
  }
  out += '\n';
  for (const Row& row : rows) {
    out += line_of(row, columns, widths, terminal) + '\n';
  }
  return out;
}

std::string grid_text(const std::vector<TablePair>& pairs, const Terminal& terminal) {
  const auto width = [&terminal](std::string_view text) { return width_of(text, terminal.utf8); };
  constexpr std::size_t kBetween = 2 * kGap;
  // Columns of pairs; each is as wide as what is in it.
  std::size_t count = std::min(kMostPairs, pairs.size());
  std::vector<std::size_t> labels;
  std::vector<std::size_t> figures;
  for (; count > 0; --count) {
    labels.assign(count, 0);
    figures.assign(count, 0);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      labels[i % count] = std::max(labels[i % count], width(pairs[i].label));
      figures[i % count] = std::max(figures[i % count], width(pairs[i].figure));
    }
    const std::size_t total = std::accumulate(labels.begin(), labels.end(), kIndent) +
                              std::accumulate(figures.begin(), figures.end(), std::size_t{0}) +
                              count * kGap + (count - 1) * kBetween;
    if (count == 1 || total <= terminal.columns) {
      break;
    }
  }
  std::string out;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::size_t column = i % count;
    out += std::string(column == 0 ? kIndent : kBetween, ' ') +
           painted(pairs[i].label, kDim, terminal) +
           std::string(labels[column] - width(pairs[i].label) + kGap + figures[column] -
                           width(pairs[i].figure),
                       ' ') +
           pairs[i].figure;
    out += column + 1 == count || i + 1 == pairs.size() ? "\n" : "";
  }
  return out;
}

}  // namespace trawl::cli
