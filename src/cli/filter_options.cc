// SPDX-License-Identifier: Apache-2.0
#include "cli/filter_options.h"

#include <trawl/error.h>

#include "cli/quote.h"

namespace trawl::cli {

std::unique_ptr<PathFilter> FilterArguments::make() const {
  if (excludes.empty() && rules.files.empty() && !rules.git && !rules.caches) {
    return nullptr;
  }
  FilterOptions options = rules;
  if (!excludes.empty()) {
    options.custom = [this](const char* path) { return excludes.matches(path); };
  }
  return std::make_unique<PathFilter>(std::move(options));
}

void set_filter(int id, const char* argument, FilterArguments& out) {
  switch (id) {
    case kExclude:
      out.excludes.add(argument);
      break;
    case kRulesFile:
      out.rules.files.emplace_back(argument);
      break;
    case kRespectIgnore:
      out.rules.git = true;
      out.rules.names = {".ignore"};
      break;
    case kExcludeCaches:
      out.rules.caches = true;
      break;
  }
}

std::string message_of(const FilterError& error) {
  return "cannot read the rules in " + quote_always(error.path) + ": " + error_text(error.code);
}

std::vector<std::string> messages_of(const PathFilter* filter) {
  std::vector<std::string> messages;
  if (filter != nullptr) {
    for (const FilterError& error : filter->errors()) {
      messages.push_back(message_of(error));
    }
  }
  return messages;
}

}  // namespace trawl::cli
