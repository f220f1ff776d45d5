// SPDX-License-Identifier: Apache-2.0
#include <trawl/predicate.h>

#include <algorithm>
#include <utility>

#include "match/predicate_node.h"

namespace trawl {

namespace {

using Node = Predicate::Node;

std::shared_ptr<Node> node_of(Node::Kind kind) {
  auto node = std::make_shared<Node>();
  node->kind = kind;
  return node;
}

// Of kinds that one number is for.
std::shared_ptr<Node> number_node(Node::Kind kind, Interval interval, Fields fields) {
  auto node = node_of(kind);
  node->interval = interval;
  node->fields = fields;
  return node;
}

std::shared_ptr<Node> time_node(Node::Kind kind, const TimeInterval& time, Fields fields) {
  auto node = node_of(kind);
  node->time = time;
  node->fields = fields;
  return node;
}

template <class Types>
std::shared_ptr<Node> type_node(const Types& types) {
  auto node = node_of(Node::kType);
  for (const FileType type : types) {
    node->types |= 1U << static_cast<unsigned>(type);
  }
  return node;
}

// Long chains stay one node, so that no tree is deep that was not written deep.
std::shared_ptr<Node> joined(Node::Kind kind, const std::shared_ptr<const Node>& a,
                             const std::shared_ptr<const Node>& b) {
  auto node = node_of(kind);
  for (const auto* const side : {&a, &b}) {
    if ((*side)->kind == kind) {
      node->children.insert(node->children.end(), (*side)->children.begin(),
                            (*side)->children.end());
    } else {
      node->children.push_back(*side);
    }
  }
  return node;
}

}  // namespace

Predicate Predicate::always() { return Predicate(node_of(Node::kAnd)); }
Predicate Predicate::never() { return Predicate(node_of(Node::kOr)); }

Predicate Predicate::name(Pattern pattern) {
  auto node = node_of(Node::kName);
  node->pattern = std::move(pattern);
  return Predicate(std::move(node));
}
Predicate Predicate::path(Pattern pattern) {
  auto node = node_of(Node::kPath);
  node->pattern = std::move(pattern);
  return Predicate(std::move(node));
}

Predicate Predicate::type(std::initializer_list<FileType> types) {
  return Predicate(type_node(types));
}
Predicate Predicate::type(const std::vector<FileType>& types) {
  return Predicate(type_node(types));
}

Predicate Predicate::extension(const std::vector<std::string>& extensions) {
  if (extensions.empty()) {
    return never();
  }
  auto node = node_of(Node::kExtension);
  std::string glob = "?*.{";
  for (const std::string& extension : extensions) {
    const std::size_t begin = std::min(extension.find_first_not_of('.'), extension.size());
    if (!node->description.empty()) {
      node->description += ", ";
      glob += ',';
    }
    node->description += '.';
    node->description += extension.substr(begin);
    for (const char c : extension.substr(begin)) {
      if (std::string_view("\\*?[]{},").find(c) != std::string_view::npos) {
        glob += '\\';
      }
      glob += c;
    }
  }
  glob += '}';
  node->pattern = Pattern::glob(glob, Case::ignored);
  return Predicate(std::move(node));
}

Predicate Predicate::depth(Interval levels) {
  return Predicate(number_node(Node::kDepth, levels, Fields::none));
}
Predicate Predicate::empty() { return Predicate(number_node(Node::kEmpty, {}, Fields::size)); }
Predicate Predicate::executable() {
  return Predicate(number_node(Node::kExecutable, {}, Fields::mode));
}
Predicate Predicate::size(Interval bytes) {
  return Predicate(number_node(Node::kSize, bytes, Fields::size));
}
Predicate Predicate::links(Interval count) {
  return Predicate(number_node(Node::kLinks, count, Fields::links));
}
Predicate Predicate::accessed(TimeInterval time) {
  return Predicate(time_node(Node::kAccessed, time, Fields::atime));
}
Predicate Predicate::modified(TimeInterval time) {
  return Predicate(time_node(Node::kModified, time, Fields::mtime));
}
Predicate Predicate::changed(TimeInterval time) {
  return Predicate(time_node(Node::kChanged, time, Fields::ctime));
}
Predicate Predicate::born(TimeInterval time) {
  return Predicate(time_node(Node::kBorn, time, Fields::btime));
}
Predicate Predicate::user(std::uint32_t uid) {
  return Predicate(number_node(Node::kUser, {uid, uid}, Fields::owner));
}
Predicate Predicate::group(std::uint32_t gid) {
  return Predicate(number_node(Node::kGroup, {gid, gid}, Fields::owner));
}
Predicate Predicate::inode(std::uint64_t number) {
  return Predicate(number_node(Node::kInode, {number, number}, Fields::identity));
}
Predicate Predicate::device(std::uint64_t number) {
  return Predicate(number_node(Node::kDevice, {number, number}, Fields::identity));
}

Predicate Predicate::permissions(Bits how, std::uint32_t mode) {
  auto node = number_node(Node::kPermissions, {}, Fields::mode);
  node->bits = how;
  node->mode = mode & 07777;
  return Predicate(std::move(node));
}

Predicate Predicate::custom(std::string description, Fields fields,
                            std::function<bool(const Subject&)> test) {
  auto node = number_node(Node::kCustom, {}, fields);
  node->description = std::move(description);
  node->test = std::move(test);
  return Predicate(std::move(node));
}

Predicate operator&&(const Predicate& a, const Predicate& b) {
  return Predicate(joined(Node::kAnd, a.node_, b.node_));
}
Predicate operator||(const Predicate& a, const Predicate& b) {
  return Predicate(joined(Node::kOr, a.node_, b.node_));
}
Predicate Predicate::operator!() const {
  auto node = node_of(Node::kNot);
  node->children.push_back(node_);
  return Predicate(std::move(node));
}

}  // namespace trawl
