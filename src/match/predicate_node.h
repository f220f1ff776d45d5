// SPDX-License-Identifier: Apache-2.0
//
// What a Predicate and a Plan are made of. Trees of Predicate may have kNot anywhere; in those of a
// Plan only tests are negated, nothing is constant but the root, and children are in the order in
// which they are asked.
#pragma once

#include <trawl/predicate.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace trawl {

struct Predicate::Node {
  enum Kind : std::uint8_t {
    kAnd,  // of nothing: always
    kOr,   // of nothing: never
    kNot,  // of its only child
    kType,
    kDepth,
    kName,
    kExtension,
    kPath,
    kCustom,
    kSize,
    kLinks,
    kAccessed,
    kModified,
    kChanged,
    kBorn,
    kUser,
    kGroup,
    kInode,
    kDevice,
    kPermissions,
    kExecutable,
    kEmpty,
  };

  Kind kind = kAnd;
  bool negated = false;  // of a plan's tests
  std::vector<std::shared_ptr<const Node>> children;

  std::optional<Pattern> pattern = {};  // kName, kExtension, kPath
  std::uint32_t types = 0;              // kType: bits of FileType
  Interval interval = {};               // kDepth, kSize, kLinks; kUser to kDevice: least
  TimeInterval time = {};
  Bits bits = Bits::exactly;
  std::uint32_t mode = 0;
  Fields fields = Fields::none;  // that are read, besides the type
  std::string description = {};  // kExtension, kCustom
  std::function<bool(const Subject&)> test = {};
};

}  // namespace trawl
