// SPDX-License-Identifier: Apache-2.0
//
// Plan::explain().
#pragma once

#include <string>

#include "match/predicate_node.h"

namespace trawl::match {

std::string plan_text(const Predicate::Node& root);

}  // namespace trawl::match
