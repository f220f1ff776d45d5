// SPDX-License-Identifier: Apache-2.0
//
// usage(): what `du` prints, as values.
#include <trawl/usage.h>

#include <string>
#include <vector>

#include "bindings.h"
#include "convert.h"
#include "filter.h"

namespace trawl::python {

namespace {

// Lines, packed: their objects are made when the walk has ended.
class Lines : public UsageListener {
 public:
  struct Line {
    std::size_t path_end;
    int depth;
    UsageSums sums;
  };

  bool line(const UsageLine& line) override {
    paths_ += line.path;
    lines_.push_back({paths_.size(), line.depth, line.sums});
    return true;
  }
  void error(const UsageError&) override {}  // they are in the result, too

  nb::list to_list() const {
    nb::list out;
    std::size_t begin = 0;
    for (const Line& line : lines_) {
      out.append(nb::make_tuple(
          to_text(std::string_view(paths_).substr(begin, line.path_end - begin)), line.depth,
          line.sums.disk_usage, line.sums.apparent_size, line.sums.inodes));
      begin = line.path_end;
    }
    return out;
  }

 private:
  std::string paths_;
  std::vector<Line> lines_;
};

nb::dict usage(nb::object roots, nb::object max_depth, bool all_files, bool count_links,
               nb::object follow, bool one_file_system, nb::object filter, nb::object threads,
               nb::object timeout, CancelSource* cancel, nb::object poll) {
  Control control(cancel, poll);
  const std::vector<std::string> paths = paths_from(roots, "roots");
  UsageOptions options;
  options.max_depth = depth_from(max_depth, "max_depth");
  options.all = all_files;
  options.count_links = count_links;
  options.walk.follow = follow_from(follow);
  options.walk.one_file_system = one_file_system;
  options.walk.threads = threads_from(threads);
  options.walk.deadline = deadline_from(timeout);
  options.walk.cancel = control.cancel();
  options.walk.progress_entries = control.progress();
  set_filter(options.walk, filter_from(filter));
  Lines lines;
  const UsageResult result = control.run([&] { return list_usage(paths, options, lines); });
  nb::dict out;
  out["lines"] = lines.to_list();
  out["disk_usage"] = result.total.disk_usage;
  out["apparent_size"] = result.total.apparent_size;
  out["inodes"] = result.total.inodes;
  out["repeated_links"] = result.repeated_links;
  add_result(out, result.walk);
  return out;
}

}  // namespace

void bind_usage(nb::module_& module) {
  module.def("usage", &usage, nb::arg("roots"), nb::kw_only(), nb::arg("max_depth") = nb::none(),
             nb::arg("all_files") = false, nb::arg("count_links") = false, nb::arg("follow") = 0,
             nb::arg("one_file_system") = false, nb::arg("filter") = nb::none(),
             nb::arg("threads") = 0, nb::arg("timeout") = nb::none(),
             nb::arg("cancel") = nb::none(), nb::arg("poll") = nb::none());
}

}  // namespace trawl::python
