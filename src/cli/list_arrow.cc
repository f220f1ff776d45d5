// SPDX-License-Identifier: Apache-2.0
#include "cli/list_arrow.h"

#ifdef TRAWL_HAS_FLATBUFFERS

#include <fcntl.h>
#include <trawl/entry_table.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/arrow_file.h"
#include "cli/list_visitor.h"

namespace trawl::cli {

ArrowTarget::ArrowTarget(const std::string& name)
    : standard_output_(name == "-"),
      descriptor_(standard_output_
                      ? STDOUT_FILENO
                      : ::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  error_ = descriptor_ < 0 ? errno : 0;
}

// A server may say only now that there is no room.
void ArrowTarget::close() {
  if (descriptor_ >= 0 && !standard_output_ && ::close(descriptor_) != 0 && error_ == 0) {
    error_ = errno;
  }
  descriptor_ = -1;
}

namespace {

// Some 2 MB each. Every worker has one in the making.
constexpr std::size_t kChunkRows = 16'384;
constexpr std::size_t kRowsInFlight = 8 * kChunkRows;

Result write_as_found(const ListContext& context, bool link_targets, bool prompt,
                      const Output& output, ArrowWriter& writer) {
  const ListArguments& arguments = context.arguments;
  TableOptions options;
  options.walk = walk_options(context);
  options.walk.private_descriptors = true;  // this thread writes, not the walk's
  options.link_targets = link_targets;
  options.types = arguments.types;
  options.min_depth = arguments.min_depth;
  options.max_depth = arguments.max_depth;
  options.chunk_rows = kChunkRows;
  options.capacity = kRowsInFlight;
  options.prompt = prompt;
  EntryTableStream stream(arguments.paths, options);
  while (const std::optional<EntryChunk> chunk = stream.next()) {
    writer.write(*chunk);
    if (output.error() != 0) {
      stream.cancel();
    }
  }
  Result result = stream.result();
  if (output.error() != 0 && !context.cancel.cancelled() && result.ending == Ending::cancelled) {
    result.ending = Ending::stopped;  // by this function
  }
  return result;
}

Result write_in_order(const ListContext& context, bool link_targets, const Output& output,
                      ArrowWriter& writer) {
  const ListArguments& arguments = context.arguments;
  const ListOptions options = list_options(context, link_targets);
  std::vector<FileListEntry> wanted;
  Result result;
  for (const std::string& root : arguments.paths) {
    std::optional<std::string_view> relative_root;
    if (arguments.relative) {
      relative_root.emplace();  // the root need not be the first
    }
    const auto write = [&](std::span<const FileListEntry> entries) {
      wanted.clear();
      for (const FileListEntry& entry : entries) {
        if (arguments.relative && entry.is_root()) {
          relative_root = entry.type() == FileType::directory ? "." : last_name(root);
        }
        if (entry.depth() >= arguments.min_depth && arguments.lists(entry.type())) {
          wanted.push_back(entry);
        }
      }
      for (const EntryChunk& chunk :
           make_chunks(wanted, arguments.fields, link_targets, relative_root)) {
        writer.write(chunk);
      }
      return output.error() == 0;
    };
    result += collect_chunked(root, options, kChunkRows, write);
    if (result.ending != Ending::complete) {
      break;
    }
  }
  return result;
}

}  // namespace

Result list_to_arrow(const ListContext& context, const ArrowTarget& target, Output& output) {
  const ListArguments& arguments = context.arguments;
  const bool link_targets = arguments.fields != Fields::none;
  ArrowWriter writer(output, target.is_standard_output() ? ArrowForm::stream : ArrowForm::file,
                     arguments.fields, link_targets);
  // Relative paths, and which links are safe, are known to lists only.
  const bool in_order =
      arguments.order != Order::unordered || arguments.relative || arguments.safe_links;
  Result result =
      in_order ? write_in_order(context, link_targets, output, writer)
               : write_as_found(context, link_targets, target.is_standard_output(), output, writer);
  writer.finish();
  return result;
}

}  // namespace trawl::cli

#endif  // TRAWL_HAS_FLATBUFFERS
