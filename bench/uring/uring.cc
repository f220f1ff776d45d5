// SPDX-License-Identifier: Apache-2.0
//
// The floor's work (bench/floor) by io_uring: lists a tree, stats every entry, counts.
//
//   uring [--threads N] [--depth N] [--directories N] [--wait N] [--kernel-threads N]
//         [--open-by-call] [--pool N] PATH
//
// Each thread has a ring, and a descriptor table of its own. It keeps up to --directories
// directories in hand, whose openings (or not, with --open-by-call) and stats are in the ring, at
// most --depth at once; it waits for --wait completions at a time. Listing stays a call: io_uring
// has no getdents. --kernel-threads is how many the kernel may start for a ring (else its own
// limit: the smaller of the depth and four per processor).
//
// --pool does without a ring, and all else in the same way: N plain threads make the calls, and
// hand the results back to the thread that asked. So what is left is what io_uring itself brings.
//
// A name is copied by the kernel when its request is submitted, so that a directory's buffer is
// read anew as soon as that has been done; its descriptor is needed until the last completion.
#include <fcntl.h>
#include <liburing.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <thread>

#include "../calls/work.h"

namespace {

using bench::Record;
using bench::Task;

unsigned g_threads = 1;
unsigned g_depth = 64;
unsigned g_directories = 8;
unsigned g_wait = 1;
unsigned g_kernel_threads = 0;
unsigned g_pool = 0;
bool g_open_by_call = false;
int g_root = -1;

struct Directory {
  Task task;
  int fd = -1;
  bool began = false;  // its opening is in the ring, or done
  bool ended = false;  // all of it has been read
  bool first = true;
  unsigned in_ring = 0;
  std::unique_ptr<char[]> buffer;
  const char* records = nullptr;
  long at = 0;
  long size = 0;
};

struct Request {
  struct statx info;
  Directory* directory = nullptr;
  bool opens = false;
  bool tells_type = false;  // for the listing does not
  int base = -1;
  int result = 0;
  std::string name;
};

constexpr int kOpenFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
constexpr int kStatFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;

// Who asked, and where the answers to it go.
struct Asker {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Request*> answered;
};

// Plain threads that do what a ring does. Descriptors are the process's then.
class Pool {
 public:
  explicit Pool(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
      threads_.emplace_back([this] { serve(); });
    }
  }

  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

  void submit(Asker& asker, std::vector<Request*>& requests) {
    const std::lock_guard lock(mutex_);
    for (Request* request : requests) {
      queue_.push_back({&asker, request});
      changed_.notify_one();
    }
    requests.clear();
  }

 private:
  struct Item {
    Asker* asker;
    Request* request;
  };

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return over_ || !queue_.empty(); });
      if (queue_.empty()) {
        return;
      }
      const Item item = queue_.front();
      queue_.pop_front();
      lock.unlock();
      Request& request = *item.request;
      const long result = request.opens
                              ? syscall(SYS_openat, request.base, request.name.c_str(), kOpenFlags)
                              : syscall(SYS_statx, request.base, request.name.c_str(), kStatFlags,
                                        STATX_BASIC_STATS, &request.info);
      request.result = static_cast<int>(result);
      {
        const std::lock_guard answer_lock(item.asker->mutex);
        item.asker->answered.push_back(&request);
        item.asker->changed.notify_one();
      }
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> queue_;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

std::unique_ptr<Pool> g_pool_threads;

class Worker {
 public:
  explicit Worker(bench::Work& work) : work_(work) {}

  bench::Counts counts;

  void run() {
    if (g_pool == 0) {
      make_ring();
    }
    requests_.resize(g_depth);
    for (Request& request : requests_) {
      free_.push_back(&request);
    }
    while (take()) {
      fill();
      if (free_.size() < g_depth) {
        const unsigned in_ring = g_depth - static_cast<unsigned>(free_.size());
        if (g_pool != 0) {
          wait_for_pool(std::min(g_wait, in_ring));
        } else {
          check(io_uring_submit_and_wait(&ring_, std::min(g_wait, in_ring)), "io_uring_enter");
          reap();
        }
        work_.push(found_);
      }
    }
    if (g_pool == 0) {
      io_uring_queue_exit(&ring_);
    }
  }

 private:
  static void check(int result, const char* what) {
    if (result < 0 && result != -EINTR) {
      std::fprintf(stderr, "uring: %s: %s\n", what, std::strerror(-result));
      std::exit(1);
    }
  }

  void make_ring() {
    int result = io_uring_queue_init(g_depth, &ring_,
                                     IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    if (result == -EINVAL) {  // before Linux 6.1
      result = io_uring_queue_init(g_depth, &ring_, 0);
    }
    check(result, "io_uring_setup");
    if (g_kernel_threads != 0) {
      unsigned limits[2] = {g_kernel_threads, g_kernel_threads};
      check(io_uring_register_iowq_max_workers(&ring_, limits), "io_uring_register");
    }
  }

  // Takes what there is; false at the end of the walk.
  bool take() {
    while (hand_.size() < g_directories) {
      auto directory = std::make_unique<Directory>();
      if (!work_.take(directory->task, hand_.empty())) {
        return !hand_.empty();
      }
      hand_.push_back(std::move(directory));
    }
    return true;
  }

  void fill() {
    for (std::size_t i = 0; i < hand_.size();) {
      Directory& directory = *hand_[i];
      advance(directory);
      if (directory.ended && directory.in_ring == 0) {
        if (directory.fd >= 0) {
          syscall(SYS_close, directory.fd);
        }
        if (directory.buffer != nullptr) {
          spare_.push_back(std::move(directory.buffer));
        }
        hand_.erase(hand_.begin() + static_cast<std::ptrdiff_t>(i));
        work_.finish();
      } else {
        ++i;
      }
    }
  }

  void advance(Directory& directory) {
    if (!directory.began) {
      open(directory);
    }
    while (directory.fd >= 0 && !directory.ended) {
      while (directory.at < directory.size) {
        const auto* record = reinterpret_cast<const Record*>(directory.records + directory.at);
        if (!bench::is_dot(*record)) {
          if (free_.empty()) {
            work_.push(found_);
            return;
          }
          stat(directory, *record);
        }
        directory.at += record->length;
      }
      work_.push(found_);
      read(directory);
    }
  }

  void open(Directory& directory) {
    const char* path = directory.task.path.c_str();
    if (g_open_by_call) {
      directory.began = true;
      opened(directory, static_cast<int>(syscall(SYS_openat, g_root, path, kOpenFlags)));
    } else if (!free_.empty()) {
      directory.began = true;
      Request& request = new_request(directory, true);
      if (g_pool != 0) {
        ask_pool(request, g_root, path);
      } else {
        io_uring_sqe* sqe = io_uring_get_sqe(&ring_);  // there are as many as requests
        io_uring_prep_openat(sqe, g_root, path, kOpenFlags, 0);
        io_uring_sqe_set_data(sqe, &request);
      }
    }
  }

  void opened(Directory& directory, int fd) {
    directory.fd = fd;
    if (fd < 0) {
      ++counts.failures;
      directory.ended = true;
    } else if (!directory.task.records.empty()) {
      directory.records = directory.task.records.data();
      directory.size = static_cast<long>(directory.task.records.size());
    } else {
      ++counts.directories;
      if (spare_.empty()) {
        spare_.emplace_back(new char[bench::kBuffer]);
      }
      directory.buffer = std::move(spare_.back());
      spare_.pop_back();
      directory.records = directory.buffer.get();
    }
  }

  void read(Directory& directory) {
    if (!directory.task.records.empty() || last_offset(directory) == bench::kEnd) {
      directory.ended = true;
      return;
    }
    if (g_pool != 0) {
      g_pool_threads->submit(asker_, asked_);
    } else {
      io_uring_submit(&ring_);  // so that the names are copied
    }
    for (;;) {
      directory.at = 0;
      directory.size =
          syscall(SYS_getdents64, directory.fd, directory.buffer.get(), bench::kBuffer);
      if (directory.size <= 0) {
        counts.failures += directory.size < 0 ? 1 : 0;
        directory.ended = true;
        return;
      }
      if (directory.first || g_threads == 1 || !work_.is_low()) {
        directory.first = false;
        return;
      }
      found_.push_back(
          {directory.task.path,
           std::string(directory.buffer.get(), static_cast<std::size_t>(directory.size))});
      work_.push(found_);
      if (last_offset(directory) == bench::kEnd) {
        directory.ended = true;
        return;
      }
    }
  }

  static std::int64_t last_offset(const Directory& directory) {
    std::int64_t offset = 0;
    for (long at = 0; at < directory.size;) {
      const auto* record = reinterpret_cast<const Record*>(directory.records + at);
      offset = record->offset;
      at += record->length;
    }
    return offset;
  }

  void stat(Directory& directory, const Record& record) {
    ++counts.entries;
    if (record.type == bench::kDirectory) {
      found_.push_back({bench::path_of(directory.task.path, record.name), {}});
    }
    Request& request = new_request(directory, false);
    if (record.type == bench::kUnknown) {
      request.tells_type = true;
      request.name = record.name;
    }
    if (g_pool != 0) {
      ask_pool(request, directory.fd, record.name);
    } else {
      io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
      io_uring_prep_statx(sqe, directory.fd, record.name, kStatFlags, STATX_BASIC_STATS,
                          &request.info);
      io_uring_sqe_set_data(sqe, &request);
    }
  }

  Request& new_request(Directory& directory, bool opens) {
    Request& request = *free_.back();
    free_.pop_back();
    request.directory = &directory;
    request.opens = opens;
    request.tells_type = false;
    ++directory.in_ring;
    return request;
  }

  void ask_pool(Request& request, int base, const char* name) {
    request.base = base;
    request.name = name;
    asked_.push_back(&request);
  }

  void wait_for_pool(std::size_t least) {
    g_pool_threads->submit(asker_, asked_);
    std::vector<Request*> answered;
    {
      std::unique_lock lock(asker_.mutex);
      asker_.changed.wait(lock, [&] { return asker_.answered.size() >= least; });
      answered.swap(asker_.answered);
    }
    for (Request* request : answered) {
      answer(*request, request->result);
    }
  }

  void reap() {
    io_uring_cqe* cqe = nullptr;
    unsigned head = 0;
    unsigned seen = 0;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      ++seen;
      answer(*static_cast<Request*>(io_uring_cqe_get_data(cqe)), cqe->res);
    }
    io_uring_cq_advance(&ring_, seen);
  }

  void answer(Request& request, int result) {
    Directory& directory = *request.directory;
    --directory.in_ring;
    if (request.opens) {
      opened(directory, result);
    } else if (result < 0) {
      ++counts.failures;
    } else {
      counts.blocks += request.info.stx_blocks;
      if (request.tells_type && S_ISDIR(request.info.stx_mode)) {
        found_.push_back({bench::path_of(directory.task.path, request.name.c_str()), {}});
      }
    }
    free_.push_back(&request);
  }

  bench::Work& work_;
  io_uring ring_{};
  Asker asker_;
  std::vector<Request*> asked_;
  std::vector<Request> requests_;
  std::vector<Request*> free_;
  std::vector<std::unique_ptr<Directory>> hand_;
  std::vector<std::unique_ptr<char[]>> spare_;
  std::vector<Task> found_;
};

}  // namespace

int main(int argc, char** argv) {
  const char* root = ".";
  g_threads = std::max(1U, std::thread::hardware_concurrency());
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--open-by-call") == 0) {
      g_open_by_call = true;
    } else if (!bench::number_option(argc, argv, i, "--threads", g_threads) &&
               !bench::number_option(argc, argv, i, "--depth", g_depth) &&
               !bench::number_option(argc, argv, i, "--directories", g_directories) &&
               !bench::number_option(argc, argv, i, "--wait", g_wait) &&
               !bench::number_option(argc, argv, i, "--pool", g_pool) &&
               !bench::number_option(argc, argv, i, "--kernel-threads", g_kernel_threads)) {
      root = argv[i];
    }
  }
  const auto begin = std::chrono::steady_clock::now();
  struct statx info;
  g_root = bench::open_root(root, info);
  if (g_pool != 0) {
    g_pool_threads = std::make_unique<Pool>(g_pool);
  }
  bench::Work work(g_threads);
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < g_threads; ++i) {
    workers.push_back(std::make_unique<Worker>(work));
  }
  for (unsigned i = 1; i < g_threads; ++i) {
    threads.emplace_back([&worker = *workers[i]] {
      if (g_pool == 0) {
        unshare(CLONE_FILES);
      }
      worker.run();
    });
  }
  workers[0]->run();
  for (std::thread& thread : threads) {
    thread.join();
  }
  g_pool_threads.reset();
  bench::Counts counts{.blocks = info.stx_blocks};
  for (const auto& worker : workers) {
    counts += worker->counts;
  }
  return bench::print(counts, begin);
}
