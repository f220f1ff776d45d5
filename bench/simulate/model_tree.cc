// SPDX-License-Identifier: Apache-2.0
#include "model_tree.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <random>

#include "sys/dirent.h"

namespace trawl::simulate {

namespace {

constexpr std::uint64_t kInodeOfRoot = 2;
constexpr std::uint64_t kInodeOfOthers = std::uint64_t{1} << 40;

// As in bench/trees/make_tree.cc.
constexpr unsigned kDepths[] = {0, 1, 15, 81, 78, 113, 166, 232, 180, 75, 33, 12, 9, 3, 2};

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  double uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) * 0x1p-53; }
  double log_normal(double mean, double deviation) {
    const double normal = std::sqrt(-2 * std::log(uniform())) * std::cos(2 * M_PI * uniform());
    return std::exp(mean + deviation * normal);
  }
  double pareto(double least, double exponent) {
    return least * std::pow(uniform(), -1 / exponent);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace

std::uint64_t Tree::entries() const {
  std::uint64_t sum = 0;
  for (const Directory& each : directories) {
    sum += each.children + each.others;
  }
  return sum;
}

Tree mixed_tree(std::uint64_t entries, std::uint64_t seed) {
  Random random(seed);
  Tree tree;
  const std::uint64_t wanted = entries * 1106 / 10000;
  tree.directories.resize(1);
  std::size_t above = 0;
  for (std::size_t depth = 1; depth < std::size(kDepths); ++depth) {
    const std::size_t end_above = tree.directories.size();
    const std::uint64_t here = depth + 1 == std::size(kDepths)
                                   ? wanted + 1 - std::min<std::uint64_t>(wanted + 1, end_above)
                                   : std::max<std::uint64_t>(1, wanted * kDepths[depth] / 1000);
    for (std::uint64_t made = 0; made < here;) {
      const std::size_t parent = above + random.below(end_above - above);
      const auto drawn = std::max<std::int64_t>(1, std::lround(random.log_normal(0, 1.25)));
      const auto more = std::min(static_cast<std::uint64_t>(drawn), here - made);
      tree.directories[parent].children += static_cast<std::uint32_t>(more);
      made += more;
    }
    auto next = static_cast<std::uint32_t>(end_above);
    for (std::size_t parent = above; parent < end_above; ++parent) {
      tree.directories[parent].first_child = next;
      next += tree.directories[parent].children;
    }
    tree.directories.resize(next);
    above = end_above;
  }
  std::vector<double> drawn(tree.directories.size());
  double sum = 0;
  for (double& each : drawn) {
    each = random.below(20) == 0      ? std::min(random.pareto(19, 1.2), 20'000.0)
           : random.uniform() < 0.124 ? 0
                                      : std::max(1.0, random.log_normal(1.10, 0.85));
    sum += each;
  }
  const double scale = static_cast<double>(entries + 1 - tree.directories.size()) / sum;
  double rest = 0.5;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    rest += drawn[i] * scale;
    tree.directories[i].others = drawn[i] == 0 ? 0 : static_cast<std::uint32_t>(rest);
    rest -= tree.directories[i].others;
  }
  return tree;
}

Tree wide_tree(std::uint32_t entries) {
  return {.directories = {{.others = entries}}, .name_length = 10};
}

Tree flat_tree(std::uint32_t directories, std::uint32_t files_of_each) {
  Tree tree;
  tree.directories.push_back({.first_child = 1, .children = directories, .others = 0});
  tree.directories.resize(directories + 1,
                          {.first_child = 0, .children = 0, .others = files_of_each});
  return tree;
}

Tree chains_tree(unsigned chains, unsigned depth) {
  Tree tree;
  tree.directories.push_back({.first_child = 1, .children = chains, .others = 0});
  for (unsigned level = 0; level < depth; ++level) {
    for (unsigned i = 0; i < chains; ++i) {
      const auto next = static_cast<std::uint32_t>(tree.directories.size()) + chains;
      tree.directories.push_back(
          {.first_child = next, .children = level + 1 < depth ? 1U : 0U, .others = 1});
    }
  }
  return tree;
}

Tree small_tree() {
  Tree tree;
  tree.directories = {{1, 4, 6}, {0, 0, 5}, {0, 0, 5}, {0, 0, 5}, {0, 0, 5}};
  return tree;
}

ModelFileSystem::ModelFileSystem(const Tree& tree, const CallCosts& costs, double beside)
    : tree_(tree),
      costs_(costs),
      beside_(beside),
      was_opened_(tree.directories.size()),
      readers_(tree.directories.size()) {}

std::uint64_t ModelFileSystem::count(std::uint32_t directory) const {
  const Tree::Directory& found = tree_.directories[directory];
  return std::uint64_t{found.children} + found.others;
}

std::int64_t ModelFileSystem::offset_after(std::uint64_t count, std::uint64_t index) const {
  return index + 1 >= count ? INT64_MAX
                            : static_cast<std::int64_t>((INT64_MAX / count) * (index + 1));
}

// The subdirectories are those where the share of them among the entries passes a whole number.
sys::Dirent ModelFileSystem::entry(std::uint32_t directory, std::uint64_t index,
                                   std::string& name) const {
  const Tree::Directory& found = tree_.directories[directory];
  const std::uint64_t all = count(directory);
  const std::uint64_t before = index * found.children / all;
  const bool is_directory = (index + 1) * found.children / all != before;
  const std::uint64_t number = is_directory ? found.first_child + before : index;
  char digits[24];
  const auto length =
      static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, number).ptr - digits);
  name.assign(std::max(tree_.name_length, length + 1), is_directory ? 'd' : 'f');
  std::memcpy(name.data() + name.size() - length, digits, length);
  return {.inode = is_directory ? kInodeOfRoot + number : kInodeOfOthers + index,
          .offset = offset_after(all, index),
          .type = is_directory ? FileType::directory : FileType::regular,
          .name = name};
}

int ModelFileSystem::open_directory(int base, const char* path, sys::OpenHow,
                                    sys::DirectoryHandle& out) {
  std::uint32_t directory = 0;
  if (std::strcmp(path, ".") == 0) {
    directory = open_[static_cast<std::size_t>(base)].directory;
  } else if (const char* digits = path + std::strlen(path); base >= 0) {
    while (digits > path && digits[-1] >= '0' && digits[-1] <= '9') {
      --digits;
    }
    directory = static_cast<std::uint32_t>(std::strtoul(digits, nullptr, 10));
  }
  const bool is_further = was_opened_[directory];
  was_opened_[directory] = true;
  Machine::current()->call(costs_.open, is_further ? Use::sharing : Use::work);
  if (free_.empty()) {
    free_.push_back(static_cast<int>(open_.size()));
    open_.emplace_back();
  }
  out = {};
  out.fd = free_.back();
  free_.pop_back();
  open_[static_cast<std::size_t>(out.fd)] = {directory, 0, is_further};
  return 0;
}

int ModelFileSystem::read_directory(sys::DirectoryHandle& handle, std::span<std::byte> buffer,
                                    std::size_t& size, bool& end) {
  constexpr std::size_t kProbe = 1024;  // the engine looks for the middle of a listing
  const auto fd = static_cast<std::size_t>(handle.fd);
  const Open open = open_[fd];
  const std::uint64_t all = count(open.directory);
  std::string name;
  size = 0;
  std::uint64_t at = open.at;
  while (at < all && sys::append_dirent(buffer, size, entry(open.directory, at, name))) {
    ++at;
  }
  open_[fd].at = at;
  end = at == all;
  std::uint16_t& readers = readers_[open.directory];
  ++readers;
  Machine::current()->call(costs_.read + costs_.read_entry * static_cast<double>(at - open.at),
                           buffer.size() <= kProbe ? Use::sharing : Use::work,
                           [&] { return 1 + beside_ * (readers - 1); });
  --readers;
  return 0;
}

int ModelFileSystem::seek_directory(sys::DirectoryHandle& handle, std::int64_t offset) {
  Open& open = open_[static_cast<std::size_t>(handle.fd)];
  const std::uint64_t all = count(open.directory);
  const auto step = static_cast<std::uint64_t>(INT64_MAX) / std::max<std::uint64_t>(1, all);
  open.at = std::min(all, (static_cast<std::uint64_t>(offset) + step - 1) / step);
  return 0;
}

int ModelFileSystem::stat_handle(const sys::DirectoryHandle& handle, Fields fields, Metadata& out) {
  const Open& open = open_[static_cast<std::size_t>(handle.fd)];
  out = {};
  out.device = 1;
  out.inode = kInodeOfRoot + open.directory;
  out.mode = 0040755;
  out.valid = fields | Fields::type | Fields::identity;
  Machine::current()->call(costs_.stat_directory, open.is_further ? Use::sharing : Use::work);
  return 0;
}

int ModelFileSystem::stat_at(int base, const char*, Fields fields, bool, Metadata& out) {
  out = {};
  out.device = 1;
  out.inode = base < 0 ? kInodeOfRoot : kInodeOfOthers;
  out.mode = base < 0 ? 0040755 : 0100644;
  out.valid = fields | Fields::type | Fields::identity;
  Machine::current()->call(costs_.stat, Use::work);
  return 0;
}

void ModelFileSystem::close(sys::DirectoryHandle& handle) {
  Machine::current()->call(costs_.close, open_[static_cast<std::size_t>(handle.fd)].is_further
                                             ? Use::sharing
                                             : Use::work);
  free_.push_back(handle.fd);
  handle.fd = -1;
}

bool ModelFileSystem::make_descriptors_private() {
  Machine::current()->call(costs_.open, Use::sharing);  // no figure of its own
  return true;
}

}  // namespace trawl::simulate
