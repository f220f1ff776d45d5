// SPDX-License-Identifier: Apache-2.0
//
// What our JSON documents have in common.
#pragma once

#include <trawl/usage.h>
#include <trawl/walk.h>

#include <nlohmann/json.hpp>

#include <string_view>

namespace trawl::cli {

// Members keep their order.
using Json = nlohmann::ordered_json;

// Adds a name or path. JSON strings are Unicode and names are bytes: one that is not valid UTF-8 has
// U+FFFD for what is not in `key`, and its exact bytes, base64, in a second member `<key>_base64`.
void add_name(Json& object, const char* key, std::string_view bytes);

Json to_json(const UsageSums& sums);
Json to_json(const Error& error);
Json to_json(const Statistics& statistics);
const char* to_word(FileType type);
const char* to_word(Ending ending);

}  // namespace trawl::cli
