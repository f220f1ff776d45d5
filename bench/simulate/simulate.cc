// SPDX-License-Identifier: Apache-2.0
//
// How the walk would do on more cores than there are here: the real engine, scheduler and
// controller (libtrawl.a as it is) on trees, a filesystem and cores that exist only as numbers.
// docs/scaling.md says what that is worth. Deterministic.
//
//   simulate [--svg FILE] [--csv FILE] [--quick]
//   simulate --one TREE CORES CONTENTION   a single run, with its limits and counters
#include <trawl/walk.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model_tree.h"
#include "plot.h"
#include "virtual_machine.h"
#include "walk/engine.h"

namespace trawl::simulate {

namespace {

constexpr unsigned kCores[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};
constexpr unsigned kFewCores[] = {1, 16, 64, 256};  // where a run takes seconds

// By costs.cc on the machine of docs/scaling.md.
constexpr CallCosts kCalls{.open = 2630,
                           .close = 1150,
                           .stat_directory = 520,
                           .stat = 1440,
                           .read = 2620,
                           .read_entry = 278,
                           .own_entry = 100};
constexpr ThreadCosts kThreads{.start_thread = 20e3,
                               .until_thread_begins = 24e3,
                               .wake = 4800,
                               .until_awake = 4000,
                               .lock = 20,
                               .lock_of_other = 100,
                               .lock_of_far = 300,
                               .look = 20,
                               .find_cores = 150e3,
                               .step = 20e3};

// A call takes 1 + linear (n-1) + square n (n-1) times as long when n cores are in the kernel, and
// a read 1 + beside m times as long when m others read in the same directory.
struct Contention {
  const char* name;
  double linear;
  double square;
  double beside;
  double factor(double n) const { return 1 + linear * (n - 1) + square * n * (n - 1); }
};
constexpr Contention kContentions[] = {
    {"none", 0, 0, 0}, {"linear", 0.0156, 0, 0.009}, {"square", 0.0078, 0.00049, 0.009}};
constexpr const Contention& kNone = kContentions[0];
constexpr const Contention& kLinear = kContentions[1];

struct NamedTree {
  const char* name;
  const char* what;
  Tree (*make)();
};
constexpr NamedTree kTrees[] = {
    {"mixed", "1,000,000 entries in the shape of /usr", [] { return mixed_tree(1'000'000, 1); }},
    {"usr", "155,453 entries in the same shape", [] { return mixed_tree(155'453, 1); }},
    {"mixed10m", "10,000,000 entries in the same shape", [] { return mixed_tree(10'000'000, 1); }},
    {"wide", "1,000,000 files in one directory", [] { return wide_tree(1'000'000); }},
    {"wide10m", "10,000,000 files in one directory", [] { return wide_tree(10'000'000); }},
    {"flat", "125,000 directories of 7 files in one", [] { return flat_tree(125'000, 7); }},
    {"chains", "16 chains of 4,000 nested directories", [] { return chains_tree(16, 4000); }},
    {"small", "30 entries", [] { return small_tree(); }},
};

// What could be done otherwise.
struct Variant {
  const char* name = "as it is";
  bool pinned = false;  // to as many workers as cores, from the start
  double start = 1;     // factor of what it costs to start a thread
  double wake = 1;      // and to wake one
  std::size_t read_before_split = 0;
  unsigned nodes = 1;  // of memory
  bool tells_nodes = false;
};
constexpr Variant kAsItIs{};
constexpr Variant kPinned{.name = "limit at once", .pinned = true};
constexpr Variant kVariants[] = {
    kAsItIs,
    kPinned,
    {.name = "threads start at a tenth", .start = 0.1},
    {.name = "wake-ups at a tenth", .wake = 0.1},
    {.name = "ranges split after 256 KiB", .read_before_split = std::size_t{256} << 10},
    {.name = "two nodes of memory", .nodes = 2, .tells_nodes = true},
    {.name = "two nodes, not heeded", .nodes = 2},
    {.name = "limit at once, threads at a tenth", .pinned = true, .start = 0.1},
    {.name = "the same, wake-ups too", .pinned = true, .start = 0.1, .wake = 0.1},
};

struct Outcome {
  unsigned cores = 0;
  double seconds = 0;
  Times times;
  Result result;
  // Shares of all cores' time.
  double work = 0, contention = 0, sharing = 0, limit = 0, starting = 0, serial = 0, idle = 0;
};

struct Counter final : Visitor {
  Verdict entries(Directory&, std::span<Entry> batch) override {
    Machine::current()->spend(kCalls.own_entry * static_cast<double>(batch.size()), Use::work);
    Machine::current()->sync();
    return Verdict::proceed;
  }
};

// Divides the time of the cores that did nothing among the reasons: the limit was lower, the
// threads were not there yet, or there was no work, while one worker ran (serial) or more.
void divide_idle_time(Outcome& outcome, bool pinned) {
  struct Change {
    double at;
    int limit;  // the new one, or -1
    int started;
    int running;
  };
  std::vector<Change> changes;
  const unsigned cores = outcome.cores;
  const unsigned first = pinned ? cores : std::min(cores, 4U);
  if (outcome.times.expanded_at > 0) {
    changes.push_back({outcome.times.expanded_at, static_cast<int>(first), 0, 0});
  }
  for (const ConcurrencyChange& each : outcome.result.concurrency) {
    changes.push_back({static_cast<double>(each.at.count()), static_cast<int>(each.workers), 0, 0});
  }
  for (const double at : outcome.times.started) {
    changes.push_back({at, -1, 1, 0});
  }
  for (const auto& [at, change] : outcome.times.running) {
    changes.push_back({at, -1, 0, change});
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.at < b.at; });
  double before = 0;
  int limit = 1;
  int started = 0;
  int running = 0;
  const double all = outcome.times.wall * cores;
  for (const Change& change : changes) {
    const double at = std::min(change.at, outcome.times.wall);
    const double passed = at - before;
    const auto of = static_cast<int>(cores);
    const int may = std::min(limit, of);
    const int here = std::min(may, started);
    const int wanted = std::min(may, static_cast<int>(outcome.times.started.size()));
    const int busy = std::clamp(running, 0, of);
    const int no_limit = std::min(of - busy, of - may);
    const int no_thread = std::min(of - busy - no_limit, wanted - std::min(wanted, here));
    const int no_work = of - busy - no_limit - no_thread;
    outcome.limit += passed * no_limit / all;
    outcome.starting += passed * no_thread / all;
    (busy <= 1 ? outcome.serial : outcome.idle) += passed * no_work / all;
    before = at;
    if (change.at > outcome.times.wall) {
      break;
    }
    limit = change.limit >= 0 ? change.limit : limit;
    started += change.started;
    running += change.running;
  }
  outcome.work = outcome.times.used[static_cast<int>(Use::work)] / all;
  outcome.contention = outcome.times.used[static_cast<int>(Use::contention)] / all;
  outcome.sharing = outcome.times.used[static_cast<int>(Use::sharing)] / all;
}

Outcome run(const Tree& tree, unsigned cores, const Contention& contention,
            const Variant& variant = kAsItIs) {
  Outcome outcome;
  outcome.cores = cores;
  ThreadCosts threads = kThreads;
  threads.start_thread *= variant.start;
  threads.until_thread_begins *= variant.start;
  threads.wake *= variant.wake;
  threads.until_awake *= variant.wake;
  Machine machine(
      cores, threads, [&](double n) { return contention.factor(n); }, variant.nodes,
      variant.tells_nodes);
  ModelFileSystem filesystem(tree, kCalls, contention.beside);
  Options options;
  options.fields = Fields::basic;
  options.private_descriptors = true;
  options.threads = variant.pinned ? cores : 0;
  engine::Tuning tuning;
  tuning.read_before_split = variant.read_before_split;
  const std::vector<std::string> roots{"root"};
  std::vector<std::unique_ptr<Counter>> counters;
  const VisitorFactory factory = [&](unsigned) -> Visitor& {
    return *counters.emplace_back(std::make_unique<Counter>());
  };
  outcome.times = machine.run(
      [&] { outcome.result = engine::Engine(filesystem, roots, options, factory, tuning).run(); });
  if (!outcome.result.complete() || outcome.result.statistics.entries != tree.entries() + 1) {
    std::fprintf(stderr, "simulate: the walk reported %ju of %ju entries\n",
                 static_cast<std::uintmax_t>(outcome.result.statistics.entries),
                 static_cast<std::uintmax_t>(tree.entries() + 1));
    std::exit(1);
  }
  outcome.seconds = outcome.times.wall * 1e-9;
  divide_idle_time(outcome, variant.pinned);
  return outcome;
}

class Report {
 public:
  void open_csv(const char* path) { csv_.open(path); }

  // One table and one curve.
  void add(const NamedTree& named, const Contention& contention, const Variant& variant = kAsItIs) {
    const Tree tree = named.make();
    std::printf("### %s (%s), contention: %s%s\n\n", named.name, named.what, contention.name,
                variant.pinned ? ", --threads=CORES" : "");
    std::printf(
        "| cores | ms | speed-up | efficiency | to the kernel's own | work | contention | sharing "
        "| "
        "limit | starting | serial | no work | workers | steals | splits |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    Curve curve{
        .tree = named.name, .contention = contention.name, .pinned = variant.pinned, .points = {}};
    double alone = 0;
    const bool is_large = std::string_view(named.name).ends_with("10m");
    const std::span<const unsigned> all_cores =
        is_large ? std::span<const unsigned>(kFewCores) : std::span<const unsigned>(kCores);
    for (const unsigned cores : all_cores) {
      const Outcome outcome = run(tree, cores, contention, variant);
      alone = cores == 1 ? outcome.seconds : alone;
      const double speed_up = alone / outcome.seconds;
      const double efficiency = speed_up / cores;
      // What is left of the efficiency if the kernel's contention is not counted against it.
      const double own = efficiency * contention.factor(cores);
      const Statistics& statistics = outcome.result.statistics;
      std::printf("| %u | %.2f | %.1f | %.0f %% | %.0f %% |", cores, outcome.seconds * 1e3,
                  speed_up, efficiency * 100, own * 100);
      const double shares[] = {outcome.work,     outcome.contention, outcome.sharing, outcome.limit,
                               outcome.starting, outcome.serial,     outcome.idle};
      for (const double share : shares) {
        std::printf(" %.1f |", share * 100);
      }
      const std::uint64_t splits = statistics.splits + statistics.range_splits;
      std::printf(" %u | %ju | %ju |\n", statistics.workers,
                  static_cast<std::uintmax_t>(statistics.steals),
                  static_cast<std::uintmax_t>(splits));
      std::fflush(stdout);
      if (csv_.is_open()) {
        write_csv(named, contention, variant.pinned, outcome, speed_up);
      }
      curve.points.emplace_back(cores, speed_up);
    }
    std::printf("\n");
    curves_.push_back(std::move(curve));
  }

  const std::vector<Curve>& curves() const { return curves_; }

 private:
  void write_csv(const NamedTree& named, const Contention& contention, bool pinned,
                 const Outcome& outcome, double speed_up) {
    if (csv_.tellp() == 0) {
      csv_ << "tree,contention,pinned,cores,seconds,speed_up,efficiency,work,contention_time,"
              "sharing,"
              "limit,starting,serial,no_work\n";
    }
    csv_ << named.name << ',' << contention.name << ',' << pinned << ',' << outcome.cores << ','
         << outcome.seconds << ',' << speed_up << ',' << speed_up / outcome.cores << ','
         << outcome.work << ',' << outcome.contention << ',' << outcome.sharing << ','
         << outcome.limit << ',' << outcome.starting << ',' << outcome.serial << ',' << outcome.idle
         << '\n';
  }

  std::ofstream csv_;
  std::vector<Curve> curves_;
};

const NamedTree& tree_called(std::string_view name) {
  const auto* found = std::find_if(std::begin(kTrees), std::end(kTrees),
                                   [&](const NamedTree& each) { return name == each.name; });
  if (found == std::end(kTrees)) {
    std::fprintf(stderr, "simulate: no such tree\n");
    std::exit(2);
  }
  return *found;
}

void run_one(const char* tree, const char* cores, std::string_view contention, bool pinned) {
  const auto* found = std::find_if(std::begin(kContentions), std::end(kContentions),
                                   [&](const Contention& each) { return contention == each.name; });
  if (found == std::end(kContentions)) {
    std::fprintf(stderr, "simulate: no such contention\n");
    std::exit(2);
  }
  const Outcome outcome = run(tree_called(tree).make(), static_cast<unsigned>(std::atoi(cores)),
                              *found, pinned ? kPinned : kAsItIs);
  const Statistics& all = outcome.result.statistics;
  std::printf("%.6f s, %u workers, %ju steals, %ju slices, %ju ranges, %ju parks, %ju opened\n",
              outcome.seconds, all.workers, static_cast<std::uintmax_t>(all.steals),
              static_cast<std::uintmax_t>(all.splits),
              static_cast<std::uintmax_t>(all.range_splits), static_cast<std::uintmax_t>(all.parks),
              static_cast<std::uintmax_t>(all.open_calls));
  std::printf("more than one worker from %.3f ms on\n", outcome.times.expanded_at * 1e-6);
  for (const ConcurrencyChange& each : outcome.result.concurrency) {
    std::printf("%8.3f ms: limit %u\n", static_cast<double>(each.at.count()) * 1e-6, each.workers);
  }
  for (std::size_t i = 1; i < outcome.times.started.size(); i *= 2) {
    std::printf("%8.3f ms: worker %zu begins\n", outcome.times.started[i] * 1e-6, i);
  }
}

// With 256 cores: what each change would bring, and all of them.
void compare_variants() {
  std::printf(
      "### 256 cores, milliseconds\n\n| | mixed, none | mixed, linear | wide, none | wide, linear "
      "|\n|---|---|---|---|---|\n");
  const Tree mixed = tree_called("mixed").make();
  const Tree wide = tree_called("wide").make();
  for (const Variant& variant : kVariants) {
    std::printf("| %s |", variant.name);
    for (const Tree* tree : {&mixed, &wide}) {
      for (const Contention* contention : {&kNone, &kLinear}) {
        std::printf(" %.1f |", run(*tree, 256, *contention, variant).seconds * 1e3);
      }
    }
    std::printf("\n");
  }
}

int main(int argc, char** argv) {
  const char* svg = nullptr;
  Report report;
  bool quick = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--one" && i + 3 < argc) {
      run_one(argv[i + 1], argv[i + 2], argv[i + 3], i + 4 < argc);
      return 0;
    }
    if (option == "--svg" && i + 1 < argc) {
      svg = argv[++i];
    } else if (option == "--csv" && i + 1 < argc) {
      report.open_csv(argv[++i]);
    } else if (option == "--quick") {
      quick = true;
    } else {
      std::fprintf(stderr,
                   "usage: simulate [--svg FILE] [--csv FILE] [--quick]\n"
                   "       simulate --one TREE CORES CONTENTION [pinned]\n");
      return 2;
    }
  }
  for (const NamedTree& tree : kTrees) {
    if (std::string_view(tree.name) == "usr") {
      continue;  // to compare with what is measured: --one usr 2 linear
    }
    if (!quick || !std::string_view(tree.name).ends_with("10m")) {
      report.add(tree, kLinear);
    }
  }
  for (const Contention& contention : kContentions) {
    if (&contention != &kLinear) {
      report.add(kTrees[0], contention);
    }
  }
  report.add(kTrees[0], kLinear, kPinned);
  report.add(tree_called("wide"), kNone);
  compare_variants();
  if (svg != nullptr) {
    std::ofstream(svg) << plot(report.curves());
  }
  return 0;
}

}  // namespace

}  // namespace trawl::simulate

int main(int argc, char** argv) { return trawl::simulate::main(argc, argv); }
