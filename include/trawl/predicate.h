// SPDX-License-Identifier: Apache-2.0
//
// Tests of entries, combined with &&, || and !, and planned so that the cheap ones are asked first
// and metadata is only asked for where an answer depends on it:
//
//   const Predicate old_logs = Predicate::name(Pattern::glob("*.log")) &&
//                              Predicate::type(FileType::regular) &&
//                              Predicate::modified({.until = last_week});
//   const Plan plan(old_logs);
//   // in Visitor::select(), before any stat:
//   plan.judge({.name = entry.name, .type = entry.type})   // Answer::no for most
//   // in Visitor::entries():
//   plan.judge({.name = entry.name, .type = entry.type, .metadata = entry.metadata})
//
// A Predicate is an immutable value, cheap to copy; a Plan is immutable, too. Both may be used by
// any number of threads at once.
#pragma once

#include <trawl/pattern.h>
#include <trawl/types.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trawl {

// An entry, as far as it is known.
struct Subject {
  std::string_view name;       // last component
  std::string_view path = {};  // if the plan says that it needs_path()
  int depth = 0;
  FileType type = FileType::unknown;            // unknown: not known as yet
  const Metadata* metadata = nullptr;           // null: not known as yet
  std::optional<bool> is_empty_directory = {};  // of a directory, once it was listed
};

enum class Answer : std::uint8_t {
  no,
  yes,
  needs_metadata,  // or the type, where that is unknown
  needs_listing,   // of the directory: whether it is empty
};

// Both ends belong to it.
struct Interval {
  std::uint64_t least = 0;
  std::uint64_t most = UINT64_MAX;
};
struct TimeInterval {
  std::optional<Timestamp> since = {}, until = {};
};

class Predicate {
 public:
  static Predicate always();
  static Predicate never();
  static Predicate name(Pattern pattern);
  static Predicate path(Pattern pattern);
  // One of these.
  static Predicate type(std::initializer_list<FileType> types);
  static Predicate type(const std::vector<FileType>& types);
  // The name ends with one of these behind a dot, which is not the name's first character; in any
  // case of letters. "tar.gz" is one, too; so is ".gz", which is "gz".
  static Predicate extension(const std::vector<std::string>& extensions);
  static Predicate depth(Interval levels);
  // A regular file without a byte, or a directory without an entry.
  static Predicate empty();
  // A regular file that somebody may execute.
  static Predicate executable();
  static Predicate size(Interval bytes);  // of anything; && type() for files only
  static Predicate links(Interval count);
  static Predicate accessed(TimeInterval time);
  static Predicate modified(TimeInterval time);
  static Predicate changed(TimeInterval time);  // its metadata
  static Predicate born(TimeInterval time);
  static Predicate user(std::uint32_t uid);
  static Predicate group(std::uint32_t gid);
  static Predicate inode(std::uint64_t number);
  static Predicate device(std::uint64_t number);  // on this file system: st_dev
  enum class Bits : std::uint8_t { exactly, all, any };
  // The twelve permission bits, compared as find -perm MODE, -MODE and /MODE (`any` of none: true).
  static Predicate permissions(Bits how, std::uint32_t mode);
  // The caller's own, called on any worker. `fields`: what it reads of the metadata; none: it looks
  // at name, depth and type only, and is asked before any stat. Asked last among tests of its kind.
  static Predicate custom(std::string description, Fields fields,
                          std::function<bool(const Subject&)> test);

  friend Predicate operator&&(const Predicate& a, const Predicate& b);
  friend Predicate operator||(const Predicate& a, const Predicate& b);
  Predicate operator!() const;

  struct Node;

 private:
  friend class Plan;
  explicit Predicate(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  std::shared_ptr<const Node> node_;
};

class Plan {
 public:
  explicit Plan(const Predicate& predicate);

  // `no` and `yes` are final: more knowledge does not change them. With metadata (and, where it was
  // answered by needs_listing, is_empty_directory) it is one of these. Metadata that the filesystem
  // did not answer fails each test for it, and each negation of one; so, for what could not be
  // stat'ed, give a Metadata without a valid field.
  Answer judge(const Subject& subject) const;

  // That judge() may read of the metadata, besides the type, which a walk finds out anyway.
  Fields fields() const;
  bool needs_path() const;
  bool needs_listing() const;  // some answer may be needs_listing
  // The tests in the order in which they are asked, one on a line, what needs metadata marked.
  std::string explain() const;

 private:
  std::shared_ptr<const Predicate::Node> root_;
};

}  // namespace trawl
