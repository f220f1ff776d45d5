// Sums a tree per file extension.
#include <trawl/trawl.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

struct PerExtension : trawl::Visitor {
  std::map<std::string, std::uint64_t> bytes;

  trawl::Verdict entries(trawl::Directory&, std::span<trawl::Entry> batch) override {
    for (const trawl::Entry& entry : batch) {
      if (entry.type == trawl::FileType::regular && entry.metadata != nullptr) {
        const auto dot = entry.name.rfind('.');
        const bool has_extension = dot != std::string_view::npos && dot > 0;
        bytes[has_extension ? std::string(entry.name.substr(dot)) : "(none)"] += entry.metadata->size;
      }
    }
    return trawl::Verdict::proceed;
  }
};

int main(int argc, char** argv) {
  const std::vector<std::string> roots(argv + 1, argv + argc);
  trawl::Options options;
  options.fields = trawl::Fields::size;
  const auto [result, visitors] = trawl::walk<PerExtension>(roots, options);
  std::map<std::string, std::uint64_t> total;
  for (const auto& visitor : visitors) {
    for (const auto& [extension, bytes] : visitor->bytes) total[extension] += bytes;
  }
  for (const auto& [extension, bytes] : total) std::printf("%14ju %s\n", bytes, extension.c_str());
  for (const auto& error : result.errors) std::fprintf(stderr, "%s\n", error.message().c_str());
  return result.complete() ? 0 : 1;
}
