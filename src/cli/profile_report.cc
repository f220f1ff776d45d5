// SPDX-License-Identifier: Apache-2.0
#include "cli/profile_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <utility>

#include "cli/entry_text.h"
#include "cli/figures.h"
#include "cli/owner_names.h"
#include "cli/profile_table.h"

namespace trawl::cli {

namespace {

using Kind = TableColumn::Kind;
using Rows = std::vector<std::vector<TableCell>>;

constexpr std::string_view kDim = "2";
constexpr std::string_view kStrong = "1";
constexpr std::string_view kWarning = "01;31";
constexpr std::size_t kMostDepthRows = 20;

double share_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// "12%"
std::string percent(double share) {
  return share > 0 && share < 0.005 ? "<1%" : std::to_string(std::lround(100 * share)) + '%';
}

// 2^power bytes: "4K".
std::string power_text(std::size_t power) {
  return std::to_string(std::size_t{1} << power % 10) + std::string_view("BKMGTPE")[power / 10];
}

class Report {
 public:
  Report(const Profile& profile, const ProfileArguments& arguments, const Terminal& terminal)
      : profile_(profile),
        arguments_(arguments),
        terminal_(terminal),
        top_(arguments.top.value_or(kReportTop)) {}

  std::string title(std::chrono::duration<double> elapsed) const;
  std::string section(ProfileSection section) const;

 private:
  // A row of files and bytes, each with its share and a bar.
  struct Measured {
    std::string name;
    ProfileCount count;
    std::string_view color = {};
  };

  std::string size(std::uint64_t bytes) const {
    std::string out;
    append_size(out, bytes, arguments_.size_format);
    return out;
  }
  TableCell size_cell(std::uint64_t bytes) const {
    constexpr std::uint64_t kMebi = 1 << 20;
    return {size(bytes), bytes < 1024 ? kDim : bytes >= kMebi ? kStrong : std::string_view()};
  }
  TableCell time_cell(const Timestamp& time) const {
    std::string out;
    if (!append_local_minutes(out, time)) {
      append_number(out, time.seconds);
    }
    return {out, kDim};
  }
  std::string name(std::string_view bytes) const { return printable(bytes, terminal_.utf8); }
  // Without the path of the root, which the title has.
  std::string path(std::string_view bytes) const;
  std::string times() const { return terminal_.utf8 ? "×" : "x"; }

  std::string table(std::string_view heading, const std::string& note,
                    const std::vector<TableColumn>& columns, const Rows& rows) const;
  std::string measured(std::string_view heading, const std::string& note,
                       const std::vector<Measured>& lines) const;
  std::string histogram(std::string_view heading, std::vector<Measured> lines) const;
  std::string counted_lines(std::string_view heading, const std::string& note,
                            const std::vector<std::pair<std::string, std::uint64_t>>& lines) const;
  template <class Table>
  std::string note_of(const Table& table) const;

  std::string summary() const;
  std::string types() const;
  std::string extensions() const;
  std::string sizes() const;
  std::string ages(std::string_view heading,
                   const std::array<ProfileCount, kAgeBuckets>& ages) const;
  std::string depths() const;
  std::string names() const;
  std::string folders() const;
  std::string files(std::string_view heading, const std::vector<ProfileFile>& files,
                    bool size_first) const;
  std::string empty() const;
  std::string owners(std::string_view heading, const ProfileTable<ProfileOwner>& owners,
                     const std::string* (*name_of)(std::uint32_t)) const;
  std::string links() const;
  std::string duplicates() const;

  const Profile& profile_;
  const ProfileArguments& arguments_;
  const Terminal& terminal_;
  const std::size_t top_;
};

std::string Report::path(std::string_view bytes) const {
  std::string_view root = arguments_.path;
  if (bytes == root) {
    return ".";
  }
  if (bytes.starts_with(root)) {
    bytes.remove_prefix(root.size());
    bytes.remove_prefix(std::min(bytes.find_first_not_of('/'), bytes.size()));
  }
  return name(bytes);
}

std::string Report::table(std::string_view heading, const std::string& note,
                          const std::vector<TableColumn>& columns, const Rows& rows) const {
  std::string text = painted(heading, kStrong, terminal_);
  std::size_t width = width_of(heading, terminal_.utf8);
  if (const std::string more = rows.empty() && note.empty() ? "none" : note; !more.empty()) {
    text += "  " + painted(more, kDim, terminal_);
    width += 2 + width_of(more, terminal_.utf8);
  }
  return table_text(text, width, columns, rows, terminal_);
}

std::string Report::measured(std::string_view heading, const std::string& note,
                             const std::vector<Measured>& lines) const {
  // The columns of these tables stand below each other, unless a name is longer.
  constexpr std::size_t kName = 17;
  constexpr std::size_t kShare = 4;
  constexpr std::size_t kSize = 5;
  const std::size_t files_width = with_separators(profile_.files).size();
  Rows rows;
  for (const Measured& line : lines) {
    const double files = share_of(line.count.files, profile_.files);
    const double bytes = share_of(line.count.bytes, profile_.bytes);
    const bool none = line.count.files == 0;
    rows.push_back({{line.name, none ? kDim : line.color},
                    {with_separators(line.count.files), none ? kDim : std::string_view()},
                    {none ? "" : percent(files), kDim},
                    {.share = files},
                    size_cell(line.count.bytes),
                    {none ? "" : percent(bytes), kDim},
                    {.share = bytes}});
  }
  return table(heading, note,
               {{Kind::name, "", kName},
                {Kind::right, "files", files_width},
                {Kind::share, "", kShare},
                {Kind::bar},
                {Kind::right, "size", kSize},
                {Kind::share, "", kShare},
                {Kind::bar}},
               rows);
}

// Without the lines at either end that count nothing.
std::string Report::histogram(std::string_view heading, std::vector<Measured> lines) const {
  const auto counts = [](const Measured& line) { return line.count.files > 0; };
  lines.erase(std::find_if(lines.rbegin(), lines.rend(), counts).base(), lines.end());
  lines.erase(lines.begin(), std::find_if(lines.begin(), lines.end(), counts));
  return measured(heading, "", lines);
}

std::string Report::counted_lines(
    std::string_view heading, const std::string& note,
    const std::vector<std::pair<std::string, std::uint64_t>>& lines) const {
  std::uint64_t most = 0;
  for (const auto& line : lines) {
    most = std::max(most, line.second);
  }
  Rows rows;
  for (const auto& [text, count] : lines) {
    rows.push_back({{text}, {with_separators(count)}, {.share = share_of(count, most)}});
  }
  return table(heading, note, {{Kind::name}, {Kind::right}, {Kind::bar}}, rows);
}

// How much of a table there is.
template <class Table>
std::string Report::note_of(const Table& table) const {
  if (!table.exact()) {
    return "counts up to " + with_separators(table.files_error) + " too small (--exact)";
  }
  const std::size_t shown = std::min(table.items.size(), top_);
  return shown < table.distinct ? "of " + with_separators(table.distinct) : "";
}

std::string Report::title(std::chrono::duration<double> elapsed) const {
  std::string when;
  if (append_local_minutes(when, profile_.now)) {
    when += ", ";
  }
  std::string out = painted(fitted(name(arguments_.path), terminal_.columns, terminal_.utf8),
                            kStrong, terminal_) +
                    '\n';
  const std::string what = counted(profile_.files, "file", "files") + " in " +
                           counted(profile_.folders, "folder", "folders") + ", " +
                           size(profile_.bytes);
  std::string how =
      when + duration_text(elapsed) + ", " + rate_text(profile_.walk.statistics.entries, elapsed);
  if (const std::uint64_t vanished = profile_.walk.statistics.vanished; vanished > 0) {
    how += "; " + with_separators(vanished) + " vanished meanwhile";
  }
  const bool fits =
      width_of(what, terminal_.utf8) + 2 + width_of(how, terminal_.utf8) <= terminal_.columns;
  out += what + (fits ? "; " : ";\n") + painted(how, kDim, terminal_) + '\n';
  for (const std::string& warning : warnings_of(profile_, arguments_)) {
    out += painted(warning, kWarning, terminal_) + '\n';
  }
  return out;
}

std::string Report::summary() const {
  char average[32];
  const double files_per_folder = static_cast<double>(profile_.files) /
                                  static_cast<double>(std::max<std::uint64_t>(profile_.folders, 1));
  std::snprintf(average, sizeof average, "%.2f", files_per_folder);
  std::uint64_t others = 0;
  for (const FileType type : {FileType::block_device, FileType::character_device, FileType::fifo,
                              FileType::socket, FileType::unknown}) {
    others += profile_.types[static_cast<std::size_t>(type)];
  }
  return painted("Summary", kStrong, terminal_) + '\n' +
         grid_text(
             {{"files", with_separators(profile_.files)},
              {"size", size(profile_.bytes)},
              {"deepest level", with_separators(static_cast<std::uint64_t>(profile_.deepest))},
              {"folders", with_separators(profile_.folders)},
              {"on disk", size(profile_.disk_usage)},
              {"files per folder", average},
              {"links",
               with_separators(profile_.types[static_cast<std::size_t>(FileType::symlink)])},
              {"others", with_separators(others)},
              {"empty folders", with_separators(profile_.empty_folders)}},
             terminal_);
}

std::string Report::types() const {
  constexpr std::pair<const char*, FileType> kTypes[] = {
      {"files", FileType::regular},
      {"folders", FileType::directory},
      {"symbolic links", FileType::symlink},
      {"block devices", FileType::block_device},
      {"character devices", FileType::character_device},
      {"fifos", FileType::fifo},
      {"sockets", FileType::socket},
      {"unknown", FileType::unknown}};
  std::vector<std::pair<std::string, std::uint64_t>> lines;
  for (const auto& [word, type] : kTypes) {
    if (const std::uint64_t count = profile_.types[static_cast<std::size_t>(type)]; count > 0) {
      lines.emplace_back(word, count);
    }
  }
  return counted_lines("Types", "", lines);
}

std::string Report::extensions() const {
  const auto& items = profile_.extensions.items;
  std::vector<Measured> lines;
  for (std::size_t i = 0; i < std::min(items.size(), top_); ++i) {
    const bool none = items[i].key.empty();
    lines.push_back(
        {none ? "no extension" : name(items[i].key), items[i], none ? kDim : std::string_view()});
  }
  return measured("Extensions", note_of(profile_.extensions), lines);
}

// Powers of two, of which two share a line.
std::string Report::sizes() const {
  constexpr std::size_t kFirst = 11;  // the bucket from 1K on
  std::vector<Measured> lines;
  lines.push_back({"empty", profile_.sizes[0]});
  Measured below{"below 1K", {}};
  for (std::size_t i = 1; i < kFirst; ++i) {
    below.count += profile_.sizes[i];
  }
  lines.push_back(below);
  for (std::size_t i = kFirst; i + 1 < profile_.sizes.size(); i += 2) {
    Measured line{power_text(i - 1) + " to " + power_text(i + 1), profile_.sizes[i]};
    line.count += profile_.sizes[i + 1];
    lines.push_back(line);
  }
  return histogram("Sizes", std::move(lines));
}

std::string Report::ages(std::string_view heading,
                         const std::array<ProfileCount, kAgeBuckets>& ages) const {
  constexpr const char* kAges[] = {"in the future",     "within 1 hour", "1 hour to 1 day",
                                   "1 to 7 days",       "7 to 30 days",  "30 to 90 days",
                                   "90 days to 1 year", "1 to 2 years",  "2 to 5 years",
                                   "5 to 10 years",     "over 10 years"};
  static_assert(std::size(kAges) == kAgeBuckets);
  std::vector<Measured> lines;
  for (std::size_t i = 0; i < ages.size(); ++i) {
    lines.push_back({kAges[i], ages[i]});
  }
  return histogram(heading, std::move(lines));
}

std::string Report::depths() const {
  const std::vector<std::uint64_t>& counts = profile_.folders_by_depth;
  const std::size_t levels = (counts.size() + kMostDepthRows - 1) / kMostDepthRows;  // of a line
  std::vector<std::pair<std::string, std::uint64_t>> lines;
  for (std::size_t i = 0; i < counts.size(); i += levels) {
    const std::size_t end = std::min(i + levels, counts.size());
    lines.emplace_back(
        "level " + std::to_string(i) + (end > i + 1 ? " to " + std::to_string(end - 1) : ""), 0);
    for (std::size_t depth = i; depth < end; ++depth) {
      lines.back().second += counts[depth];
    }
  }
  return counted_lines("Folders by depth", "", lines);
}

std::string Report::names() const {
  const auto& items = profile_.folder_names.items;
  std::vector<std::pair<std::string, std::uint64_t>> lines;
  for (std::size_t i = 0; i < std::min(items.size(), top_); ++i) {
    lines.emplace_back(name(items[i].key), items[i].files);
  }
  return counted_lines("Folder names", note_of(profile_.folder_names), lines);
}

std::string Report::folders() const {
  std::vector<std::pair<std::string, std::uint64_t>> lines;
  for (const ProfileFolder& folder : profile_.fullest_folders) {
    lines.emplace_back(path(folder.path), folder.files);
  }
  lines.resize(std::min(lines.size(), top_));
  return counted_lines("Folders with most files", "", lines);
}

std::string Report::files(std::string_view heading, const std::vector<ProfileFile>& files,
                          bool size_first) const {
  Rows rows;
  for (std::size_t i = 0; i < std::min(files.size(), top_); ++i) {
    rows.push_back({size_cell(files[i].size), time_cell(files[i].mtime), {path(files[i].path)}});
    if (!size_first) {
      std::swap(rows.back()[0], rows.back()[1]);
    }
  }
  return table(heading, "", {{Kind::right}, {Kind::right}, {Kind::name}}, rows);
}

std::string Report::empty() const {
  Rows rows;
  for (const std::string& each : profile_.empty_folder_paths) {
    if (rows.size() == top_) {
      break;
    }
    rows.push_back({{path(each)}});
  }
  if (const std::uint64_t more = profile_.empty_folders - rows.size(); more > 0) {
    rows.push_back(
        {{(terminal_.utf8 ? "… and " : "... and ") + with_separators(more) + " more", kDim}});
  }
  return table("Empty folders", rows.empty() ? "" : with_separators(profile_.empty_folders),
               {{Kind::name}}, rows);
}

std::string Report::owners(std::string_view heading, const ProfileTable<ProfileOwner>& owners,
                           const std::string* (*name_of)(std::uint32_t)) const {
  std::vector<Measured> lines;
  for (std::size_t i = 0; i < std::min(owners.items.size(), top_); ++i) {
    const ProfileOwner& owner = owners.items[i];
    const std::string* known = name_of(owner.key);
    lines.push_back({known != nullptr ? name(*known) : std::to_string(owner.key), owner});
  }
  return measured(heading, note_of(owners), lines);
}

std::string Report::links() const {
  return painted("Hard links and sparse files", kStrong, terminal_) + '\n' +
         grid_text({{"names with further links", with_separators(profile_.linked_names)},
                    {"files of these names", with_separators(profile_.linked_files)},
                    {"counted more than once", size(profile_.repeated_bytes)},
                    {"of it on disk", size(profile_.repeated_disk_usage)},
                    {"sparse files", with_separators(profile_.sparse_files)},
                    {"their holes", size(profile_.sparse_bytes)}},
                   terminal_);
}

std::string Report::duplicates() const {
  Rows rows;
  for (std::size_t i = 0; i < std::min(profile_.duplicates.size(), top_); ++i) {
    const ProfileDuplicate& each = profile_.duplicates[i];
    rows.push_back({size_cell(each.wasted()),
                    {with_separators(each.files) + ' ' + times(), kDim},
                    {size(each.size), kDim},
                    {each.paths.empty() ? name(each.name) : path(each.paths.front())}});
  }
  std::string note;
  if (!rows.empty()) {
    note = "by name and size: " + counted(profile_.duplicate_groups, "group", "groups") + ", " +
           size(profile_.duplicate_wasted) + " too much";
  }
  if (profile_.duplicates_from > 1) {
    note += (note.empty() ? "" : ", ") +
            ("of " + size(profile_.duplicates_from) + " or more each (--exact)");
  }
  return table("Duplicates?", note, {{Kind::right}, {Kind::right}, {Kind::right}, {Kind::name}},
               rows);
}

std::string Report::section(ProfileSection section) const {
  switch (section) {
    case ProfileSection::summary:
      return summary();
    case ProfileSection::types:
      return types();
    case ProfileSection::extensions:
      return extensions();
    case ProfileSection::sizes:
      return sizes();
    case ProfileSection::modified:
      return ages("Modified", profile_.modified);
    case ProfileSection::accessed:
      return ages("Accessed", profile_.accessed);
    case ProfileSection::depths:
      return depths();
    case ProfileSection::names:
      return names();
    case ProfileSection::folders:
      return folders();
    case ProfileSection::largest:
      return files("Largest files", profile_.largest, true);
    case ProfileSection::oldest:
      return files("Oldest files", profile_.oldest, false);
    case ProfileSection::newest:
      return files("Newest files", profile_.newest, false);
    case ProfileSection::empty:
      return empty();
    case ProfileSection::owners:
      return owners("Owners", profile_.owners, user_name);
    case ProfileSection::groups:
      return owners("Groups", profile_.groups, group_name);
    case ProfileSection::links:
      return links();
    case ProfileSection::duplicates:
      return duplicates();
  }
  return "";
}

}  // namespace

std::vector<std::string> warnings_of(const Profile& profile, const ProfileArguments& arguments) {
  const Result& walk = profile.walk;
  std::vector<std::string> out;
  if (const std::uint64_t errors = walk.statistics.errors; errors > 0) {
    const bool more =
        !arguments.list_errors && !arguments.json &&
        (walk.errors.size() < errors ||
         std::ranges::any_of(walk.errors, [](const Error& error) { return error.depth > 0; }));
    out.push_back(counted(errors, "entry", "entries") +
                  " could not be read, so the figures are lower bounds" +
                  (more ? ": --errors lists " + std::string(errors == 1 ? "it" : "them") : ""));
  }
  if (walk.ending == Ending::timed_out) {
    out.emplace_back("stopped by --timeout: the figures are partial");
  } else if (walk.ending != Ending::complete) {
    out.emplace_back("interrupted: the figures are partial");
  }
  return out;
}

std::string render_profile(const Profile& profile, const ProfileArguments& arguments,
                           const Terminal& terminal, std::chrono::duration<double> elapsed) {
  const Report report(profile, arguments, terminal);
  std::string out = report.title(elapsed);
  for (const ProfileSection section : arguments.sections) {
    out += '\n' + report.section(section);
  }
  return out;
}

}  // namespace trawl::cli
