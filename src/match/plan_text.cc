// SPDX-License-Identifier: Apache-2.0
#include "match/plan_text.h"

#include <array>
#include <string_view>

#include "match/pattern_matcher.h"

namespace trawl::match {

namespace {

using Node = Predicate::Node;

// Control characters would play with the terminal; what is not UTF-8, too.
std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out = "'";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const std::uint32_t c = decode(text, at);
    if (c >= 0x20 && c != 0x7F && !(c >= 0x80 && c < 0xA0) && c < kInvalid) {
      out += text.substr(begin, at - begin);
      continue;
    }
    for (const char byte : text.substr(begin, at - begin)) {
      out += "\\x";
      out += kHex[static_cast<unsigned char>(byte) >> 4];
      out += kHex[static_cast<unsigned char>(byte) & 0xF];
    }
  }
  out += '\'';
  return out;
}

std::string pattern_text(const Node& node, std::string_view what) {
  const Pattern::Matcher& matcher = node.pattern->matcher();
  const bool whole = matcher.language() == Pattern::Matcher::Language::glob;
  const bool fixed = matcher.language() == Pattern::Matcher::Language::fixed;
  std::string out(what);
  out += node.negated ? (fixed ? " does not contain " : " does not match ")
                      : (fixed ? " contains " : " matches ");
  out += fixed ? "" : whole ? "the glob " : "the regular expression ";
  out += quoted(matcher.text());
  out += matcher.ignores_case() ? ", in any case of letters" : "";
  return out;
}

std::string_view type_name(unsigned type) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "unknown",      "regular file",     "directory", "symbolic link",
      "block device", "character device", "pipe",      "socket"};
  return kNames[type];
}

std::string is(const Node& node, std::string_view what) {
  return std::string(what) + (node.negated ? " is not " : " is ");
}

std::string type_text(const Node& node) {
  std::string out;
  for (unsigned type = 0; type < 8; ++type) {
    if ((node.types >> type & 1) != 0) {
      out += out.empty() ? "" : " or ";
      out += type_name(type);
    }
  }
  return is(node, "type") + (out.empty() ? "none" : out);
}

std::string interval_text(const Node& node, std::string_view what) {
  const auto& [least, most] = node.interval;
  std::string out = is(node, what);
  if (least == most) {
    return out + std::to_string(least);
  }
  if (most == UINT64_MAX) {
    return out + "at least " + std::to_string(least);
  }
  if (least == 0) {
    return out + "at most " + std::to_string(most);
  }
  return out + "from " + std::to_string(least) + " to " + std::to_string(most);
}

// Of `digits` digits, zeros in front.
std::string padded(std::uint32_t value, std::uint32_t base, std::size_t digits) {
  std::string out(digits, '0');
  for (std::size_t i = digits; i > 0; --i, value /= base) {
    out[i - 1] = static_cast<char>('0' + value % base);
  }
  return out;
}

std::string seconds_text(const Timestamp& time) {
  std::string out = std::to_string(time.seconds) + "." + padded(time.nanoseconds, 10, 9);
  return out.insert(0, 1, '@');
}

std::string time_text(const Node& node, std::string_view what) {
  std::string out = is(node, what);
  if (!node.time.since && !node.time.until) {
    return out + "known";
  }
  if (node.time.since) {
    out += "at or after " + seconds_text(*node.time.since);
  }
  if (node.time.until) {
    out += node.time.since ? " and " : "";
    out += "at or before " + seconds_text(*node.time.until);
  }
  return out;
}

std::string permissions_text(const Node& node) {
  const std::string_view how = node.bits == Predicate::Bits::exactly ? "are "
                               : node.bits == Predicate::Bits::all   ? "have all of "
                                                                     : "have any of ";
  return std::string(node.negated ? "not: " : "") + "permissions " + std::string(how) +
         padded(node.mode, 8, 4);
}

std::string test_text(const Node& node) {
  switch (node.kind) {
    case Node::kType:
      return type_text(node);
    case Node::kDepth:
      return interval_text(node, "depth");
    case Node::kName:
      return pattern_text(node, "name");
    case Node::kPath:
      return pattern_text(node, "path");
    case Node::kExtension:
      return std::string(node.negated ? "not: " : "") + "name ends with one of " +
             quoted(node.description);
    case Node::kCustom:
      return std::string(node.negated ? "not: " : "") + node.description;
    case Node::kSize:
      return interval_text(node, "size in bytes");
    case Node::kLinks:
      return interval_text(node, "number of links");
    case Node::kAccessed:
      return time_text(node, "time of access");
    case Node::kModified:
      return time_text(node, "time of modification");
    case Node::kChanged:
      return time_text(node, "time of status change");
    case Node::kBorn:
      return time_text(node, "time of birth");
    case Node::kUser:
      return interval_text(node, "user");
    case Node::kGroup:
      return interval_text(node, "group");
    case Node::kInode:
      return interval_text(node, "inode");
    case Node::kDevice:
      return interval_text(node, "device");
    case Node::kPermissions:
      return permissions_text(node);
    case Node::kExecutable:
      return is(node, "it") + "an executable file";
    case Node::kEmpty:
      return is(node, "it") + "an empty file or directory";
    case Node::kAnd:
    case Node::kOr:
    case Node::kNot:
      break;
  }
  return {};
}

void append(std::string& out, const Node& node, std::size_t level) {
  out.append(2 * level, ' ');
  if (node.kind == Node::kAnd || node.kind == Node::kOr) {
    const bool is_and = node.kind == Node::kAnd;
    out += node.children.empty() ? (is_and ? "everything" : "nothing")
                                 : (is_and ? "all of:" : "any of:");
    out += '\n';
    for (const auto& child : node.children) {
      append(out, *child, level + 1);
    }
    return;
  }
  out += test_text(node);
  if (node.kind == Node::kEmpty) {
    out += " [metadata of files, listing of directories]";
  } else if (node.fields != Fields::none) {
    out += node.kind == Node::kExecutable ? " [metadata of files]" : " [metadata]";
  }
  out += '\n';
}

}  // namespace

std::string plan_text(const Predicate::Node& root) {
  std::string out;
  append(out, root, 0);
  return out;
}

}  // namespace trawl::match
