// SPDX-License-Identifier: Apache-2.0
#include "cli/find_output.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <compare>
#include <utility>

namespace trawl::cli {

namespace {

void paint(std::string& out, std::string_view text, std::string_view color) {
  if (text.empty()) {
    return;
  }
  if (color.empty()) {
    out += text;
    return;
  }
  out += "\033[";
  out += color;
  out += 'm';
  out += text;
  out += "\033[0m";
}

// Less: a comes first.
std::weak_ordering compare(RankBy by, const Finding& a, const Finding& b) {
  const Metadata none;
  const Metadata& left = a.metadata != nullptr ? *a.metadata : none;
  const Metadata& right = b.metadata != nullptr ? *b.metadata : none;
  switch (by) {
    case RankBy::name:
      return a.path.substr(a.name) <=> b.path.substr(b.name);
    case RankBy::size:
      return right.size <=> left.size;
    case RankBy::mtime:
      return right.mtime <=> left.mtime;
    case RankBy::ctime:
      return right.ctime <=> left.ctime;
    case RankBy::nothing:
    case RankBy::path:
      break;
  }
  return std::weak_ordering::equivalent;
}

}  // namespace

void PathStyle::apply(std::string& path) const {
  if (strip && path.starts_with("./")) {
    path.erase(0, 2);
  } else if (guard && path.starts_with('-')) {
    path.insert(0, "./");
  }
}

Fields LineStyle::fields() const {
  if (format) {
    return format->fields();
  }
  return colors && !text ? Fields::type | Fields::mode : Fields::none;
}

EntryLine LineStyle::line_of(const Finding& finding) const {
  return {.path = finding.path,
          .name = finding.path.substr(finding.name),
          .depth = finding.depth,
          .type = finding.type,
          .metadata = finding.metadata,
          .target = finding.target};
}

void LineStyle::measure(const Finding& finding) const { format->measure(line_of(finding)); }

void LineStyle::append(std::string& out, const Finding& finding) const {
  if (format) {
    format->append(line_of(finding), out);  // with its end
    return;
  }
  if (text) {
    text->append(out, finding.path, separator);
  } else if (!url.empty()) {
    out += "\033]8;;";
    out += url;
    const std::string_view path = finding.path;
    if (!path.starts_with('/')) {
      append_encoded(out, base);
    }
    append_encoded(out, path.starts_with("./") ? path.substr(2) : path);
    out += "\033\\";
    append_path(out, finding);
    out += "\033]8;;\033\\";
  } else {
    append_path(out, finding);
  }
  out += end;
}

void LineStyle::append_path(std::string& out, const Finding& finding) const {
  if (colors) {
    append_colored(out, finding);
    return;
  }
  append_separated(out, finding.path, separator);
  if (finding.type == FileType::directory) {
    out += separator;
  }
}

// The directory that it is in as a directory, the name as what it is.
void LineStyle::append_colored(std::string& out, const Finding& finding) const {
  const std::string_view directory = colors->of({}, FileType::directory, 0);
  const std::string_view name = finding.path.substr(finding.name);
  const std::uint32_t mode = finding.metadata != nullptr ? finding.metadata->mode : 0;
  std::string piece;
  append_separated(piece, finding.path.substr(0, finding.name), separator);
  paint(out, piece, directory);
  paint(out, name, colors->of(name, finding.type, mode));
  if (finding.type == FileType::directory) {
    paint(out, separator, directory);
  }
}

void append_encoded(std::string& out, std::string_view path) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= 'a' && byte <= 'z') ||
                       std::string_view("/:-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
}

std::string file_url() {
  std::array<char, 256> host{};
  std::string url = "file://";
  if (::gethostname(host.data(), host.size() - 1) == 0) {
    append_encoded(url, host.data());
  }
  return url;
}

Fields Ranking::fields() const {
  switch (by) {
    case RankBy::size:
      return Fields::size;
    case RankBy::mtime:
      return Fields::mtime;
    case RankBy::ctime:
      return Fields::ctime;
    case RankBy::nothing:
    case RankBy::name:
    case RankBy::path:
      break;
  }
  return Fields::none;
}

KeptFinding::KeptFinding(const Finding& finding)
    : path(finding.path),
      name(finding.name),
      depth(finding.depth),
      type(finding.type),
      metadata(finding.metadata != nullptr ? std::make_unique<Metadata>(*finding.metadata)
                                           : nullptr),
      target(finding.target) {}

KeptFinding::operator Finding() const {
  return {.path = path,
          .name = name,
          .depth = depth,
          .type = type,
          .metadata = metadata.get(),
          .target = target};
}

bool Ranked::before(const Finding& a, const Finding& b) const {
  const std::weak_ordering order = compare(ranking_.by, a, b);
  return order != 0 ? order < 0 : a.path < b.path;
}

// What would not stay is not copied.
template <class T>
void Ranked::insert(T&& finding) {
  const auto first = [this](const KeptFinding& a, const KeptFinding& b) { return before(a, b); };
  if (kept_.size() < ranking_.most) {
    kept_.emplace_back(std::forward<T>(finding));
    if (kept_.size() == ranking_.most) {
      std::make_heap(kept_.begin(), kept_.end(), first);
    }
  } else if (ranking_.most != 0 && before(finding, kept_.front())) {
    std::pop_heap(kept_.begin(), kept_.end(), first);
    kept_.back() = KeptFinding(std::forward<T>(finding));
    std::push_heap(kept_.begin(), kept_.end(), first);
  }
}

void Ranked::add(const Finding& finding) { insert(finding); }

void Ranked::merge(Ranked&& other) {
  for (KeptFinding& each : other.kept_) {
    insert(std::move(each));
  }
  other.kept_.clear();
}

std::vector<KeptFinding> Ranked::take() {
  std::vector<KeptFinding> out = std::exchange(kept_, {});
  std::sort(out.begin(), out.end(),
            [this](const KeptFinding& a, const KeptFinding& b) { return before(a, b); });
  return out;
}

}  // namespace trawl::cli
