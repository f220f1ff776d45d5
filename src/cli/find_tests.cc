// SPDX-License-Identifier: Apache-2.0
#include "cli/find_tests.h"

#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cli/find_values.h"
#include "cli/quote.h"

namespace trawl::cli {

namespace {

Timestamp now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return {time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec)};
}

}  // namespace

bool FindTests::add_type(const char* word) {
  const auto type = parse_type_word(word, complaint_);
  if (!type) {
    return false;
  }
  executable_ = executable_ || type->executable;
  empty_ = empty_ || type->empty;
  if (type->type != FileType::unknown) {
    types_.push_back(type->type);
  }
  return true;
}

bool FindTests::add_size(const char* argument) {
  const auto size = parse_size_range(argument, complaint_);
  if (size) {
    sizes_.push_back(*size);
  }
  return size.has_value();
}

bool FindTests::set_owner(const char* argument) {
  owner_ = parse_owner(argument, complaint_);
  return owner_.has_value();
}

bool FindTests::set_permissions(const char* argument) {
  permissions_ = parse_permissions(argument, complaint_);
  return permissions_.has_value();
}

bool FindTests::set_links(const char* argument) {
  links_ = parse_links(argument, complaint_);
  return links_.has_value();
}

// "executable" asks for files, and that they are; "empty" for files and directories, if neither is
// asked for, and that what is found is.
std::optional<Predicate> FindTests::types() const {
  const auto has = [this](FileType type) {
    return std::find(types_.begin(), types_.end(), type) != types_.end();
  };
  std::vector<FileType> types = types_;
  if (empty_ && !executable_ && !has(FileType::regular) && !has(FileType::directory)) {
    types.insert(types.end(), {FileType::regular, FileType::directory});
  }
  std::optional<Predicate> all;
  if (executable_) {
    std::erase(types, FileType::regular);
    all =
        types.empty() ? Predicate::executable() : Predicate::type(types) || Predicate::executable();
  } else if (!types.empty()) {
    all = Predicate::type(types);
  }
  if (empty_) {
    all = *all && Predicate::empty();
  }
  return all;
}

bool FindTests::add_times(std::vector<Predicate>& all) {
  const Timestamp begin = now();
  for (const auto& [argument, option] : {std::pair{changed_within, "--changed-within"},
                                         std::pair{changed_before, "--changed-before"}}) {
    if (!argument) {
      continue;
    }
    const auto moment = parse_moment(*argument, begin, option, complaint_);
    if (!moment) {
      return false;
    }
    const bool within = option == std::string_view("--changed-within");
    all.push_back(Predicate::modified(within ? later_than(*moment) : earlier_than(*moment)));
  }
  if (newer_than) {
    struct stat status {};
    if (::stat(newer_than->c_str(), &status) != 0) {
      complaint_ = "cannot access " + quote_always(*newer_than) + ": " + std::strerror(errno);
      return false;
    }
    all.push_back(Predicate::modified(
        later_than({status.st_mtim.tv_sec, static_cast<std::uint32_t>(status.st_mtim.tv_nsec)})));
  }
  return true;
}

bool FindTests::add_to(std::vector<Predicate>& all) {
  if (const auto asked = types()) {
    all.push_back(*asked);
  }
  if (!extensions_.empty()) {
    all.push_back(Predicate::extension(extensions_));
  }
  for (const Interval& size : sizes_) {
    all.push_back(Predicate::type({FileType::regular}) && Predicate::size(size));
  }
  for (const auto& each : {owner_, permissions_}) {
    if (each) {
      all.push_back(*each);
    }
  }
  if (links_) {
    all.push_back(Predicate::links(*links_));
  }
  return add_times(all);
}

}  // namespace trawl::cli
