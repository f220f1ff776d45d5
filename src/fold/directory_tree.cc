// SPDX-License-Identifier: Apache-2.0
//
// Directories by path, in shards by the path's hash, each with a mutex of its own; nobody holds
// two. An event changes the node of the directory that it is in, or itself; nodes are made by
// whichever of their events comes first. What is below a directory is added up when it is asked
// for.
#include <trawl/events.h>

#include <algorithm>
#include <array>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace trawl {

namespace {

struct PathHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view path) const {
    return std::hash<std::string_view>()(path);
  }
};

void sort_once(std::vector<std::string>& paths) {
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
}

}  // namespace

DirectoryTree::Sums& DirectoryTree::Sums::operator+=(const Sums& other) {
  files += other.files;
  directories += other.directories;
  errors += other.errors;
  bytes += other.bytes;
  disk_usage += other.disk_usage;
  return *this;
}

struct DirectoryTree::Implementation {
  struct Known {
    Sums sums;
    int depth = 0;
    Metadata metadata;
    bool entered = false;
    bool complete = false;
    std::vector<std::string> children;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Known, PathHash, std::equal_to<>> directories;
  };
  // A node and those of its children that were not visited yet.
  struct Step {
    Node node;
    std::size_t next = 0;
  };
  static constexpr std::size_t kShards = 64;

  Shard& shard(std::string_view path) { return shards[(PathHash()(path) >> 7) % kShards]; }

  // Calls change(Known&) of the directory with that path. The root's parent has none.
  template <class Change>
  void change(std::string_view path, Change change) {
    Shard& its = shard(path);
    const std::lock_guard lock(its.mutex);
    auto found = its.directories.find(path);
    if (found == its.directories.end()) {
      found = its.directories.emplace(path, Known()).first;
    }
    change(found->second);
  }

  // Without what is below.
  std::optional<Node> look(std::string_view path) {
    Shard& its = shard(path);
    Node node;
    {
      const std::lock_guard lock(its.mutex);
      const auto found = its.directories.find(path);
      if (found == its.directories.end() || !found->second.entered) {
        return std::nullopt;
      }
      const Known& directory = found->second;
      static_cast<Sums&>(node) = directory.sums;
      node.path = path;
      node.depth = directory.depth;
      node.metadata = directory.metadata;
      node.complete = directory.complete;
      node.children = directory.children;
    }
    sort_once(node.children);
    node.total = node;
    return node;
  }

  // With what is below. `done(Node&&)` gets it and all below it, children first.
  template <class Done>
  void add_up(std::string_view path, Done done) {
    std::vector<Step> stack;
    const auto push = [&](std::string_view each) {
      if (std::optional<Node> node = look(each)) {
        stack.push_back({.node = *std::move(node)});
      }
    };
    push(path);
    while (!stack.empty()) {
      Step& step = stack.back();
      if (step.next < step.node.children.size()) {
        const std::string child = step.node.children[step.next++];
        push(child);
        continue;
      }
      Node node = std::move(step.node);
      stack.pop_back();
      if (!stack.empty()) {
        stack.back().node.total += node.total;
      }
      done(std::move(node));
    }
  }

  std::array<Shard, kShards> shards;
};

DirectoryTree::DirectoryTree() : implementation_(std::make_unique<Implementation>()) {}
DirectoryTree::~DirectoryTree() = default;

void DirectoryTree::add(std::span<const WalkEvent> events) {
  using Kind = WalkEvent::Kind;
  std::string path;
  for (std::size_t i = 0; i < events.size();) {
    const WalkEvent& event = events[i];
    const bool of_itself = event.kind == Kind::enter_dir || event.kind == Kind::exit_dir ||
                           (event.kind == Kind::error && event.state == State::partially_read);
    if (of_itself) {
      ++i;
      path.clear();
      event.append_path(path);
      implementation_->change(path, [&](auto& directory) {
        directory.depth = event.depth;
        if (event.kind == Kind::exit_dir) {
          directory.complete = true;
        } else if (event.kind == Kind::error) {
          ++directory.sums.errors;
        } else {
          directory.entered = true;
          if (event.metadata != nullptr) {
            directory.metadata = *event.metadata;
            directory.sums.disk_usage += event.metadata->disk_usage();
          }
        }
      });
      if (event.kind == Kind::enter_dir) {
        implementation_->change(event.directory, [&](auto& parent) {
          ++parent.sums.directories;
          parent.children.push_back(path);
        });
      }
      continue;
    }
    // The run of events in one directory.
    Sums sums;
    for (; i < events.size() && events[i].directory.data() == event.directory.data() &&
           events[i].directory.size() == event.directory.size();
         ++i) {
      const WalkEvent& each = events[i];
      if (each.kind == Kind::file) {
        ++sums.files;
        if (each.metadata != nullptr) {
          sums.bytes += each.metadata->size;
          sums.disk_usage += each.metadata->disk_usage();
        }
      } else if (each.kind == Kind::error && each.state != State::partially_read) {
        ++sums.errors;
      } else {
        break;
      }
    }
    implementation_->change(event.directory, [&](auto& directory) { directory.sums += sums; });
  }
}

std::size_t DirectoryTree::size() const {
  std::size_t size = 0;
  for (const Implementation::Shard& shard : implementation_->shards) {
    const std::lock_guard lock(shard.mutex);
    size += static_cast<std::size_t>(
        std::count_if(shard.directories.begin(), shard.directories.end(),
                      [](const auto& each) { return each.second.entered; }));
  }
  return size;
}

std::optional<DirectoryTree::Node> DirectoryTree::find(std::string_view path) const {
  std::optional<Node> found;
  implementation_->add_up(path, [&found](Node&& node) { found = std::move(node); });
  return found;
}

std::vector<std::string> DirectoryTree::roots() const {
  std::vector<std::string> roots;
  implementation_->change({}, [&roots](const auto& outside) { roots = outside.children; });
  sort_once(roots);
  return roots;
}

DirectoryTree::Sums DirectoryTree::outside() const {
  Sums sums;
  implementation_->change({}, [&sums](const auto& outside) { sums = outside.sums; });
  return sums;
}

void DirectoryTree::for_each(const std::function<bool(const Node&)>& visit) const {
  for (const std::string& root : roots()) {
    // Children come out before their parents, and are wanted after them.
    std::vector<Node> nodes;
    implementation_->add_up(root, [&nodes](Node&& node) { nodes.push_back(std::move(node)); });
    std::unordered_map<std::string_view, const Node*> by_path;
    for (const Node& node : nodes) {
      by_path.emplace(node.path, &node);
    }
    std::vector<const Node*> stack;
    if (!nodes.empty()) {
      stack.push_back(&nodes.back());
    }
    while (!stack.empty()) {
      const Node& node = *stack.back();
      stack.pop_back();
      if (!visit(node)) {
        continue;
      }
      for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) {
        if (const auto found = by_path.find(*child); found != by_path.end()) {
          stack.push_back(found->second);
        }
      }
    }
  }
}

}  // namespace trawl
