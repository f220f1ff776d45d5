// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_json.h"

#include "cli/json.h"
#include "cli/picture_layout.h"

#include <utility>

namespace trawl::cli {

namespace {

const char* word_of(Measure measure) {
  switch (measure) {
    case Measure::apparent_size: return "apparent_size";
    case Measure::inodes: return "inodes";
    case Measure::disk_usage: break;
  }
  return "disk_usage";
}

Json node_to_json(const UsageNode& node, std::uint64_t total, const PictureOptions& options) {
  Json object;
  add_name(object, "name", node.name);
  object["type"] = to_word(node.type);
  object.update(to_json(node.sums));
  object["complete"] = node.complete;
  if (node.type == FileType::directory) {
    Json children = Json::array();
    UsageSums omitted_sums = node.omitted_sums;
    std::uint64_t omitted = node.omitted;
    for (const UsageNode* child : in_order(node.children, options)) {
      if (is_big_enough(value_of(child->sums, options.measure), total, options)) {
        children.push_back(node_to_json(*child, total, options));
      } else {
        omitted_sums += child->sums;
        ++omitted;
      }
    }
    object["children"] = std::move(children);
    object["omitted"] = {{"entries", omitted}};
    object["omitted"].update(to_json(omitted_sums));
  }
  return object;
}

}  // namespace

std::string to_document(const UsageTree& tree, const PictureOptions& options,
                        std::chrono::duration<double> elapsed) {
  const Result& walk = tree.result.walk;
  const std::uint64_t total = total_of(tree, options.measure);
  Json document;
  document["version"] = 1;
  document["kind"] = "trawl.usage";
  document["measure"] = word_of(options.measure);
  Json& roots = document["roots"] = Json::array();
  for (const UsageNode& root : tree.roots) {
    roots.push_back(node_to_json(root, total, options));
  }
  document["total"] = to_json(tree.result.total);
  document["repeated_links"] = tree.result.repeated_links;
  document["complete"] = walk.complete();
  document["ending"] = to_word(walk.ending);
  document["elapsed_seconds"] = elapsed.count();
  document["statistics"] = to_json(walk.statistics);
  Json& errors = document["errors"] = Json::array();
  for (const Error& error : walk.errors) {
    errors.push_back(to_json(error));
  }
  return document.dump() + '\n';
}

}  // namespace trawl::cli
