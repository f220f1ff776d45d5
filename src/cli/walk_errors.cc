// SPDX-License-Identifier: Apache-2.0
#include "cli/walk_errors.h"

#include <algorithm>
#include <tuple>

#include "cli/quote.h"

namespace trawl::cli {

namespace {

const char* verb_of(Operation operation) {
  switch (operation) {
    case Operation::open:
      return "open";
    case Operation::read:
      return "read";
    case Operation::stat:
      return "access";
    case Operation::descend:
      return "enter";
  }
  return "";
}

}  // namespace

std::vector<std::string> messages_of(Result& result) {
  std::sort(result.errors.begin(), result.errors.end(), [](const Error& a, const Error& b) {
    return std::tie(a.path, a.operation) < std::tie(b.path, b.operation);
  });
  std::vector<std::string> messages;
  for (const Error& error : result.errors) {
    messages.push_back(std::string("cannot ") + verb_of(error.operation) + ' ' +
                       quote_always(error.path) + ": " + error_text(error.code));
  }
  return messages;
}

}  // namespace trawl::cli
