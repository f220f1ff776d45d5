// SPDX-License-Identifier: Apache-2.0
#include "cli/json.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace trawl::cli {

namespace {

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t left = bytes.size() - at;
    const auto byte = [&](std::size_t i) -> std::uint32_t {
      return i < left ? static_cast<unsigned char>(bytes[at + i]) : 0;
    };
    const std::uint32_t group = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += kDigits[group >> 18];
    out += kDigits[group >> 12 & 63];
    out += left > 1 ? kDigits[group >> 6 & 63] : '=';
    out += left > 2 ? kDigits[group & 63] : '=';
  }
  return out;
}

}  // namespace

void add_name(Json& object, const char* key, std::string_view bytes) {
  const Json text(bytes);
  try {
    (void)text.dump();
    object[key] = bytes;
  } catch (const Json::type_error&) {  // not UTF-8
    object[key] = Json::parse(text.dump(-1, ' ', false, Json::error_handler_t::replace));
    object[std::string(key) + "_base64"] = base64(bytes);
  }
}

Json to_json(const UsageSums& sums) {
  return {{"disk_usage", sums.disk_usage},
          {"apparent_size", sums.apparent_size},
          {"inodes", sums.inodes}};
}

Json to_json(const Error& error) {
  Json object;
  constexpr const char* kOperations[] = {"open", "read", "stat", "descend"};
  object["operation"] = kOperations[static_cast<std::size_t>(error.operation)];
  add_name(object, "path", error.path);
  object["depth"] = error.depth;
  object["errno"] = error.code;
#ifdef __GLIBC__
  // Of no locale, and so always UTF-8. What is trawl's own text is, too.
  if (const char* name = strerrorname_np(error.code)) {
    object["errno_name"] = name;
  }
  const char* message = strerrordesc_np(error.code);
  object["message"] = error.code == ETIME  ? error_text(error.code)
                      : message != nullptr ? message
                                           : "";
#else
  object["message"] = std::strerror(error.code);
#endif
  return object;
}

Json to_json(const Statistics& s) {
  return {{"entries", s.entries},         {"directories", s.directories},
          {"errors", s.errors},           {"vanished", s.vanished},
          {"workers", s.workers},         {"steals", s.steals},
          {"stolen_tasks", s.stolen_tasks}, {"splits", s.splits}, {"range_splits", s.range_splits},
          {"parks", s.parks},             {"open_calls", s.open_calls},
          {"read_calls", s.read_calls},   {"stat_calls", s.stat_calls},
          {"close_calls", s.close_calls}, {"run_nanoseconds", s.run_time.count()},
          {"cpu_nanoseconds", s.cpu_time.count()},
          {"most_live_directories", s.most_live_directories}};
}

const char* to_word(FileType type) {
  switch (type) {
    case FileType::regular: return "file";
    case FileType::directory: return "directory";
    case FileType::symlink: return "symlink";
    case FileType::block_device: return "block_device";
    case FileType::character_device: return "character_device";
    case FileType::fifo: return "fifo";
    case FileType::socket: return "socket";
    case FileType::unknown: break;
  }
  return "unknown";
}

const char* to_word(Ending ending) {
  switch (ending) {
    case Ending::complete: return "complete";
    case Ending::stopped: return "stopped";
    case Ending::cancelled: return "cancelled";
    case Ending::timed_out: return "timed_out";
  }
  return "";
}

}  // namespace trawl::cli
