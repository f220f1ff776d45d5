// SPDX-License-Identifier: Apache-2.0
//
// Two levels: a table of the process behind a lock, and in each thread the ids that it met last.
#include "cli/owner_names.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace trawl::cli {

namespace {

using Name = std::unique_ptr<const std::string>;

// `get` is getpwuid_r or getgrgid_r.
template <class Record, class Get>
Name look_up(std::uint32_t id, Get get, char* Record::*name) {
  constexpr std::size_t kMost = std::size_t{16} << 20;  // of a group with very many members
  std::vector<char> buffer(1024);
  for (;;) {
    Record record{};
    Record* found = nullptr;
    const int error = get(id, &record, buffer.data(), buffer.size(), &found);
    if (error == ERANGE && buffer.size() < kMost) {
      buffer.resize(4 * buffer.size());
    } else if (error != EINTR) {
      return found != nullptr ? std::make_unique<const std::string>(record.*name) : nullptr;
    }
  }
}

Name look_up_user(std::uint32_t id) { return look_up<passwd>(id, ::getpwuid_r, &passwd::pw_name); }
Name look_up_group(std::uint32_t id) { return look_up<group>(id, ::getgrgid_r, &group::gr_name); }

class Table {
 public:
  explicit Table(Name (*look_up)(std::uint32_t)) : look_up_(look_up) {}

  const std::string* find(std::uint32_t id) {
    const std::lock_guard lock(mutex_);
    const auto [at, added] = names_.try_emplace(id);
    if (added) {
      at->second = look_up_(id);
    }
    return at->second.get();
  }

 private:
  Name (*const look_up_)(std::uint32_t);
  std::mutex mutex_;
  std::unordered_map<std::uint32_t, Name> names_;
};

struct Seen {
  std::uint32_t id = 0;
  bool known = false;
  const std::string* name = nullptr;
};
using SeenLately = std::array<Seen, 32>;

const std::string* find(std::uint32_t id, SeenLately& lately, Table& table) {
  Seen& seen = lately[id % lately.size()];
  if (!seen.known || seen.id != id) {
    seen = {id, true, table.find(id)};
  }
  return seen.name;
}

}  // namespace

// The tables are never destroyed: threads may still write when the process ends.
const std::string* user_name(std::uint32_t id) {
  static Table* const table = new Table(look_up_user);
  thread_local SeenLately lately;
  return find(id, lately, *table);
}

const std::string* group_name(std::uint32_t id) {
  static Table* const table = new Table(look_up_group);
  thread_local SeenLately lately;
  return find(id, lately, *table);
}

}  // namespace trawl::cli
