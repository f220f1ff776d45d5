// SPDX-License-Identifier: Apache-2.0
#include <trawl/predicate.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "match/pattern_matcher.h"
#include "match/plan_text.h"
#include "match/predicate_node.h"

namespace trawl {

namespace {

using Node = Predicate::Node;
using NodePointer = std::shared_ptr<const Node>;

// --- planning
// --------------------------------------------------------------------------------------

// In which order tests are asked. Steps of ten leave room for the pattern's cost.
int cost_of(const Node& node) {
  const auto pattern = [&node] { return static_cast<int>(node.pattern->matcher().cost()); };
  switch (node.kind) {
    case Node::kType:
    case Node::kDepth:
      return 0;
    case Node::kExtension:
      return 10;
    case Node::kName:
      return 10 + pattern();
    case Node::kPath:
      return 20 + pattern();
    case Node::kCustom:
      return node.fields == Fields::none ? 30 : 50;
    case Node::kEmpty:
      return 60;
    case Node::kAnd:
    case Node::kOr:
    case Node::kNot: {
      // That of the dearest: what may have to be asked.
      int most = 0;
      for (const NodePointer& child : node.children) {
        most = std::max(most, cost_of(*child));
      }
      return most;
    }
    default:
      return 40;
  }
}

bool is_constant(const Node& node) {
  return (node.kind == Node::kAnd || node.kind == Node::kOr) && node.children.empty();
}

NodePointer planned(const NodePointer& node, bool negated) {
  if (node->kind == Node::kNot) {
    return planned(node->children[0], !negated);
  }
  if (node->kind != Node::kAnd && node->kind != Node::kOr) {
    if (!negated) {
      return node;
    }
    auto copy = std::make_shared<Node>(*node);
    copy->negated = true;
    return copy;
  }
  // not (a and b): not a or not b.
  const bool is_and = (node->kind == Node::kAnd) != negated;
  auto made = std::make_shared<Node>();
  made->kind = is_and ? Node::kAnd : Node::kOr;
  for (const NodePointer& child : node->children) {
    NodePointer plan = planned(child, negated);
    if (is_constant(*plan)) {
      if (plan->kind != made->kind) {
        return plan;  // it decides
      }
    } else if (plan->kind == made->kind) {
      made->children.insert(made->children.end(), plan->children.begin(), plan->children.end());
    } else {
      made->children.push_back(std::move(plan));
    }
  }
  std::stable_sort(
      made->children.begin(), made->children.end(),
      [](const NodePointer& a, const NodePointer& b) { return cost_of(*a) < cost_of(*b); });
  return made->children.size() == 1 ? made->children[0] : made;
}

template <class Visit>
void each_test(const Node& node, const Visit& visit) {
  if (node.kind == Node::kAnd || node.kind == Node::kOr) {
    for (const NodePointer& child : node.children) {
      each_test(*child, visit);
    }
  } else {
    visit(node);
  }
}

// --- judging
// ---------------------------------------------------------------------------------------

bool within(std::uint64_t value, const Interval& interval) {
  return value >= interval.least && value <= interval.most;
}
bool within(const Timestamp& value, const TimeInterval& interval) {
  return !(interval.since && value < *interval.since) &&
         !(interval.until && value > *interval.until);
}

bool has_permissions(const Node& node, std::uint32_t mode) {
  switch (node.bits) {
    case Predicate::Bits::exactly:
      return (mode & 07777) == node.mode;
    case Predicate::Bits::all:
      return (mode & node.mode) == node.mode;
    case Predicate::Bits::any:
      return node.mode == 0 || (mode & node.mode) != 0;
  }
  return false;
}

bool holds(const Node& node, const Metadata& metadata) {
  switch (node.kind) {
    case Node::kSize:
      return within(metadata.size, node.interval);
    case Node::kLinks:
      return within(metadata.links, node.interval);
    case Node::kAccessed:
      return within(metadata.atime, node.time);
    case Node::kModified:
      return within(metadata.mtime, node.time);
    case Node::kChanged:
      return within(metadata.ctime, node.time);
    case Node::kBorn:
      return within(metadata.btime, node.time);
    case Node::kUser:
      return metadata.uid == node.interval.least;
    case Node::kGroup:
      return metadata.gid == node.interval.least;
    case Node::kInode:
      return metadata.inode == node.interval.least;
    case Node::kDevice:
      return metadata.device == node.interval.least;
    case Node::kPermissions:
      return has_permissions(node, metadata.mode);
    case Node::kExecutable:
      return (metadata.mode & 0111) != 0;
    case Node::kEmpty:
      return metadata.size == 0;
    default:
      return false;
  }
}

// One test, negated or not. What the filesystem did not answer fails in either case.
class Test {
 public:
  Test(const Node& node, const Subject& subject) : node_(node), subject_(subject) {}

  Answer answer() const {
    switch (node_.kind) {
      case Node::kDepth:
        return said(within(static_cast<std::uint64_t>(subject_.depth), node_.interval));
      case Node::kName:
      case Node::kExtension:
        return said(node_.pattern->matcher().matches(subject_.name));
      case Node::kPath:
        return said(node_.pattern->matcher().matches(subject_.path));
      case Node::kType:
      case Node::kEmpty:
      case Node::kExecutable:
      case Node::kCustom:
        return answer_by_type();
      default:
        return answer_by_metadata();
    }
  }

 private:
  Answer said(bool yes) const { return yes != node_.negated ? Answer::yes : Answer::no; }

  Answer answer_by_type() const {
    FileType type = subject_.type;
    if (type == FileType::unknown) {
      if (subject_.metadata == nullptr) {
        return Answer::needs_metadata;
      }
      if (has(subject_.metadata->valid, Fields::type)) {
        type = subject_.metadata->type();
      }
    }
    switch (node_.kind) {
      case Node::kType:
        if (type == FileType::unknown) {
          return Answer::no;
        }
        return said((node_.types >> static_cast<unsigned>(type) & 1) != 0);
      case Node::kEmpty:
        if (type == FileType::directory) {
          return subject_.is_empty_directory ? said(*subject_.is_empty_directory)
                                             : Answer::needs_listing;
        }
        break;
      case Node::kCustom: {
        if (node_.fields != Fields::none &&
            (subject_.metadata == nullptr || !has(subject_.metadata->valid, node_.fields))) {
          return answer_by_metadata();
        }
        Subject whole = subject_;
        whole.type = type;
        return said(node_.test(whole));
      }
      default:
        break;
    }
    if (type == FileType::unknown) {
      return Answer::no;
    }
    return type == FileType::regular ? answer_by_metadata() : said(false);
  }

  Answer answer_by_metadata() const {
    if (subject_.metadata == nullptr) {
      return Answer::needs_metadata;
    }
    // A device comes with every answer.
    if (node_.kind != Node::kDevice && !has(subject_.metadata->valid, node_.fields)) {
      return Answer::no;
    }
    return said(holds(node_, *subject_.metadata));
  }

  const Node& node_;
  const Subject& subject_;
};

// Though a test may be unknown, one behind it may decide: then no stat is needed.
Answer judge_node(const Node& node, const Subject& subject) {
  if (node.kind != Node::kAnd && node.kind != Node::kOr) {
    return Test(node, subject).answer();
  }
  const Answer decides = node.kind == Node::kAnd ? Answer::no : Answer::yes;
  Answer answer = node.kind == Node::kAnd ? Answer::yes : Answer::no;
  for (const NodePointer& child : node.children) {
    const Answer said = judge_node(*child, subject);
    if (said == decides) {
      return decides;
    }
    // A listing is asked for when metadata has not decided.
    if (said == Answer::needs_metadata ||
        (said == Answer::needs_listing && answer != Answer::needs_metadata)) {
      answer = said;
    }
  }
  return answer;
}

}  // namespace

Plan::Plan(const Predicate& predicate) : root_(planned(predicate.node_, false)) {}

Answer Plan::judge(const Subject& subject) const { return judge_node(*root_, subject); }

Fields Plan::fields() const {
  Fields fields = Fields::none;
  each_test(*root_, [&fields](const Node& test) { fields = fields | test.fields; });
  return fields;
}

bool Plan::needs_path() const {
  bool found = false;
  each_test(*root_, [&found](const Node& test) { found |= test.kind == Node::kPath; });
  return found;
}

bool Plan::needs_listing() const {
  bool found = false;
  each_test(*root_, [&found](const Node& test) { found |= test.kind == Node::kEmpty; });
  return found;
}

std::string Plan::explain() const { return match::plan_text(*root_); }

}  // namespace trawl
