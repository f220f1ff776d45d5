// SPDX-License-Identifier: Apache-2.0
#include "sys/stall_guard.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <iterator>
#include <list>
#include <mutex>
#include <new>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "sys/mounts.h"

namespace trawl::sys {

namespace {

constexpr std::size_t kMostRead = std::size_t{64} << 10;
constexpr std::size_t kMostPath = 4096;

// Handles of proxies have descriptors that no process has: 1, 18 bits that tell the proxy, 12 bits
// of its own descriptor.
constexpr int kProxyBit = 1 << 30;
constexpr int kDescriptorBits = 12;
constexpr int kProxies = 1 << 18;

// Waits for children that send no SIGCHLD, never for another to which the number may have gone.
constexpr int kOnlyProxies = static_cast<int>(__WCLONE);

bool is_proxys(int fd) { return fd >= kProxyBit; }

std::string_view last_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.remove_suffix(1);
  }
  return path.substr(path.rfind('/') + 1);
}

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> id{0};
  return ++id;
}

// "/proc/PROCESS/fd/FD", which leads to what is open there without a look at any directory.
struct DescriptorPath {
  char text[64] = "/proc/";

  DescriptorPath(pid_t process, int fd) {
    char* at = std::to_chars(text + std::strlen(text), std::end(text), process).ptr;
    std::strcpy(at, "/fd/");
    at = std::to_chars(at + std::strlen(at), std::end(text), fd).ptr;
    *at = '\0';
  }
};

// Whether processes find one another's descriptors by that path. Not if /proc is that of another
// PID namespace, where a number is that of somebody else, nor if the program has more rights than
// its user (by its file's capabilities, say), when its /proc is closed to others.
bool can_share_descriptors() {
  char self[32] = {};
  const ssize_t size = ::readlink("/proc/self", self, sizeof self);
  pid_t pid = 0;
  return size > 0 && std::from_chars(self, self + size, pid).ec == std::errc() &&
         pid == ::getpid() && ::prctl(PR_GET_DUMPABLE) == 1;
}

void wake(std::atomic<std::uint32_t>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

}  // namespace

// A call and its answer. Shared by both processes, but for those that are made on the way.
struct StallGuard::Call {
  enum class Kind : std::uint8_t {
    open,
    read,
    seek,
    stat_handle,
    stat_at,
    read_link,
    read_file,
    real_path,
    question,
    close,
    end
  };
  using Question = bool (FileSystem::*)(const DirectoryHandle&);

  Kind kind = Kind::end;
  int base = -1;  // or the handle's descriptor
  int via = -1;   // instead of `base`: a descriptor of the caller's
  const char* path = nullptr;
  OpenHow how{};
  Fields fields = Fields::none;
  bool follow = false;
  bool last_offset_marks_end = false;
  std::int64_t offset = 0;
  std::size_t room = 0;
  Question question = nullptr;

  int error = 0;
  int fd = -1;
  bool end = false;
  bool answer = false;
  std::size_t size = 0;
  Metadata metadata{};
  const std::byte* records = nullptr;
};

namespace {

// A dead server may have a million directories: it must not cost a million processes.
constexpr std::size_t kMostLeftBehind = 256;

// Proxies of all guards that were left behind and had not ended yet. Somebody must wait for them
// when they do, or the program collects dead children.
class LeftBehind {
 public:
  // A list of one, made while there was time for it.
  void add(std::list<pid_t>& one) {
    const std::lock_guard lock(mutex_);
    pids_.splice(pids_.end(), one);
  }
  // Returns how many have still not ended.
  std::size_t reap() {
    const std::lock_guard lock(mutex_);
    pids_.remove_if([](pid_t pid) { return ::waitpid(pid, nullptr, kOnlyProxies | WNOHANG) != 0; });
    return pids_.size();
  }

 private:
  std::mutex mutex_;
  std::list<pid_t> pids_;
};

LeftBehind& left_behind() {
  static auto* const all = new LeftBehind;  // threads may end after statics
  return *all;
}

}  // namespace

class StallGuard::Proxy {
 public:
  // Null if there is none to be had.
  static std::unique_ptr<Proxy> start(FileSystem& real) {
    void* const memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      return nullptr;
    }
    auto* const shared = new (memory) Shared;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    // Without a signal to the parent when it ends, and invisible to its wait(): it is not the
    // program's child but ours.
    const long pid = ::syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr);
    if (pid == 0) {
      serve(real, *shared);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) {
      ::munmap(memory, sizeof(Shared));
      return nullptr;
    }
    return std::unique_ptr<Proxy>(new Proxy(*shared, static_cast<pid_t>(pid)));
  }

  ~Proxy() {
    if (!left_behind_) {
      Call end;
      run(end, std::chrono::seconds(1));
    }
    ::kill(pid(), SIGKILL);
    if (!left_behind_) {
      ::waitpid(pid(), nullptr, kOnlyProxies);
    } else {
      left_behind().add(pid_);
    }
    ::munmap(&shared_, sizeof(Shared));
  }
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  pid_t pid() const { return pid_.front(); }

  // False if there was no answer in time: then it is not to be used again.
  bool run(Call& call, std::chrono::nanoseconds timeout,
           const std::function<bool()>& is_over = {}) {
    shared_.call = call;
    if (call.path != nullptr) {
      const std::size_t size = std::strlen(call.path);
      if (size >= kMostPath) {
        call.error = ENAMETOOLONG;
        return true;
      }
      std::memcpy(shared_.path, call.path, size + 1);
    }
    shared_.state.store(kAsked);
    wake(shared_.state);
    // By turns, of which each counts no longer than it was to be: while the processes are stopped
    // (Ctrl-Z), nobody stalls.
    constexpr std::chrono::nanoseconds kTurn = std::chrono::milliseconds(100);
    for (auto left = timeout; shared_.state.load() == kAsked;) {
      if (left.count() <= 0 || (left < timeout && is_over && is_over())) {
        left_behind_ = true;
        return false;
      }
      const auto turn = std::min(left, kTurn);
      const timespec wait{0, static_cast<long>(turn.count())};
      const auto begin = std::chrono::steady_clock::now();
      ::syscall(SYS_futex, &shared_.state, FUTEX_WAIT, kAsked, &wait, nullptr, 0);
      left -= std::min<std::chrono::nanoseconds>(turn, std::chrono::steady_clock::now() - begin);
    }
    call = shared_.call;
    call.records = shared_.records;
    return true;
  }

 private:
  static constexpr std::uint32_t kFree = 0;
  static constexpr std::uint32_t kAsked = 1;

  struct Shared {
    std::atomic<std::uint32_t> state{kFree};
    pid_t caller = static_cast<pid_t>(::syscall(SYS_gettid));
    pid_t process = ::getpid();
    Call call;
    char path[kMostPath];
    std::byte records[kMostRead];
  };

  Proxy(Shared& shared, pid_t pid) : shared_(shared), pid_(1, pid) {}

  // The child's life. It must not allocate: another thread may have held malloc's lock.
  [[noreturn]] static void serve(FileSystem& real, Shared& shared) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != shared.process) {
      ::syscall(SYS_exit_group, 0);
    }
    ::syscall(SYS_close_range, 0U, ~0U, 0U);  // pipes must not stay open because of it
    for (;;) {
      while (shared.state.load() != kAsked) {
        ::syscall(SYS_futex, &shared.state, FUTEX_WAIT, kFree, nullptr, nullptr, 0);
      }
      const bool is_last = shared.call.kind == Call::Kind::end;
      answer(real, shared);
      shared.state.store(kFree);
      wake(shared.state);
      if (is_last) {
        ::syscall(SYS_exit_group, 0);
      }
    }
  }

  static void answer(FileSystem& real, Shared& shared) {
    Call& call = shared.call;
    DirectoryHandle via;
    if (call.via >= 0) {
      // The caller's directory, in its own table of descriptors.
      call.error =
          real.open_directory(kWorkingDirectory, DescriptorPath(shared.caller, call.via).text,
                              {.follow = true, .path_only = true}, via);
      if (call.error != 0) {
        return;
      }
      call.base = via.fd;
    }
    answer_from(real, shared);
    if (via.fd >= 0) {
      real.close(via);
    }
  }

  static void answer_from(FileSystem& real, Shared& shared) {
    Call& call = shared.call;
    DirectoryHandle handle{.fd = call.base, .last_offset_marks_end = call.last_offset_marks_end};
    switch (call.kind) {
      case Call::Kind::open:
        call.error = real.open_directory(call.base, shared.path, call.how, handle);
        if (call.error != 0) {
          break;
        }
        call.fd = handle.fd;
        call.answer = real.stat_handle(handle, Fields::identity, call.metadata) == 0;
        if (call.fd >> kDescriptorBits != 0) {
          real.close(handle);
          call.error = EMFILE;
        }
        break;
      case Call::Kind::read:
        call.error = real.read_directory(handle, {shared.records, std::min(call.room, kMostRead)},
                                         call.size, call.end);
        break;
      case Call::Kind::seek:
        call.error = real.seek_directory(handle, call.offset);
        break;
      case Call::Kind::stat_handle:
        call.error = real.stat_handle(handle, call.fields, call.metadata);
        break;
      case Call::Kind::stat_at:
        call.error = real.stat_at(call.base, shared.path, call.fields, call.follow, call.metadata);
        break;
      case Call::Kind::read_link: {
        char* const text = reinterpret_cast<char*>(shared.records);
        call.error = real.read_link(call.base, shared.path, {text, std::min(call.room, kMostRead)},
                                    call.size);
        break;
      }
      case Call::Kind::read_file:
        call.error = real.read_file(call.base, shared.path, call.follow,
                                    static_cast<std::uint64_t>(call.offset),
                                    {shared.records, std::min(call.room, kMostRead)}, call.size);
        break;
      case Call::Kind::real_path: {
        char* const text = reinterpret_cast<char*>(shared.records);
        call.error = real.real_path(call.base, shared.path, {text, std::min(call.room, kMostRead)},
                                    call.size);
        break;
      }
      case Call::Kind::question:
        call.answer = (real.*call.question)(handle);
        break;
      case Call::Kind::close:
        real.close(handle);
        break;
      case Call::Kind::end:
        break;
    }
  }

  Shared& shared_;
  std::list<pid_t> pid_;
  bool left_behind_ = false;
};

// What the guard keeps for one thread.
struct StallGuard::Caller {
  std::unique_ptr<Proxy> proxy;
  int proxies = 0;  // so far

  int name_of(int proxys_fd) const {
    return kProxyBit | ((proxies % kProxies) << kDescriptorBits) | proxys_fd;
  }
  bool is_lost(int fd) const {
    return is_proxys(fd) &&
           (proxy == nullptr || (fd & ~((1 << kDescriptorBits) - 1)) != name_of(0));
  }
};

namespace {

// Of this thread, by guard.
template <class Caller>
std::unordered_map<std::uint64_t, std::unique_ptr<Caller>>& callers() {
  thread_local std::unordered_map<std::uint64_t, std::unique_ptr<Caller>> callers;
  return callers;
}

}  // namespace

StallGuard::StallGuard(FileSystem& real, std::chrono::nanoseconds timeout, Trust trust, int base,
                       std::function<bool()> is_over)
    : real_(real), timeout_(timeout), base_(base), is_over_(std::move(is_over)), id_(next_id()) {
  const bool is_trusting = trust == Trust::local && can_share_descriptors();
  for (const Mount& mount : read_mounts()) {
    if (is_trusting && is_local_type(mount.type)) {
      local_devices_.insert(gnu_dev_makedev(mount.device_major, mount.device_minor));
    } else {
      foreign_names_.emplace(last_name(mount.mount_point));
    }
  }
}

// Other threads' callers end with them.
StallGuard::~StallGuard() {
  callers<Caller>().erase(id_);
  left_behind().reap();
}

// A thread opens only local directories itself.
bool StallGuard::is_own(int fd) const { return fd >= 0 && fd < kProxyBit && fd != base_; }

StallGuard::Caller& StallGuard::caller() {
  std::unique_ptr<Caller>& caller = callers<Caller>()[id_];
  if (caller == nullptr) {
    caller = std::make_unique<Caller>();
  }
  return *caller;
}

// Has the thread's proxy do it. `call.base` is a proxy's, or the working directory.
int StallGuard::ask_proxy(Call& call) {
  Caller& self = caller();
  if (self.is_lost(call.base)) {
    return ETIME;
  }
  if (is_proxys(call.base)) {
    call.base &= (1 << kDescriptorBits) - 1;
  } else if (call.base != kWorkingDirectory) {
    call.via = call.base;
  }
  if (self.proxy == nullptr) {
    if (left_behind().reap() >= kMostLeftBehind) {
      return ETIME;
    }
    ++self.proxies;
    self.proxy = Proxy::start(real_);
    if (self.proxy == nullptr) {
      return EAGAIN;
    }
  }
  if (!self.proxy->run(call, timeout_, is_over_)) {
    self.proxy.reset();
    return is_over_ && is_over_() ? ECANCELED : ETIME;
  }
  return call.error;
}

int StallGuard::open_directory(int base, const char* path, OpenHow how, DirectoryHandle& out) {
  Caller& self = caller();
  const bool is_direct = how.stay_on_mount && !how.follow && real_.stays_on_mount() &&
                         is_own(base) && !foreign_names_.contains(last_name(path));
  if (!is_direct) {
    Call call{.kind = Call::Kind::open, .base = base, .path = path, .how = how};
    if (const int error = ask_proxy(call)) {
      return error;
    }
    const bool is_local = call.answer && local_devices_.contains(call.metadata.device);
    out = DirectoryHandle{.fd = self.name_of(call.fd)};
    if (!is_local || is_proxys(base)) {
      return 0;
    }
    // Its listing needs no server, but its path may lead through a server's directories. So not the
    // path is opened, but what the proxy has open.
    DirectoryHandle own;
    if (real_.open_directory(kWorkingDirectory, DescriptorPath(self.proxy->pid(), call.fd).text,
                             {.follow = true, .path_only = how.path_only}, own) == 0) {
      close(out);
      out = own;
    }
    return 0;
  }
  return real_.open_directory(base, path, how, out);
}

int StallGuard::read_directory(DirectoryHandle& handle, std::span<std::byte> buffer,
                               std::size_t& size, bool& end) {
  if (!is_proxys(handle.fd)) {
    return real_.read_directory(handle, buffer, size, end);
  }
  Call call{.kind = Call::Kind::read,
            .base = handle.fd,
            .last_offset_marks_end = handle.last_offset_marks_end,
            .room = buffer.size()};
  size = 0;
  const int error = ask_bytes(call, buffer.data(), size);
  end = error == 0 && call.end;
  return error;
}

int StallGuard::seek_directory(DirectoryHandle& handle, std::int64_t offset) {
  if (!is_proxys(handle.fd)) {
    return real_.seek_directory(handle, offset);
  }
  Call call{.kind = Call::Kind::seek, .base = handle.fd, .offset = offset};
  return ask_proxy(call);
}

int StallGuard::stat_handle(const DirectoryHandle& handle, Fields fields, Metadata& out) {
  if (!is_proxys(handle.fd)) {
    return real_.stat_handle(handle, fields, out);
  }
  Call call{.kind = Call::Kind::stat_handle, .base = handle.fd, .fields = fields};
  const int error = ask_proxy(call);
  if (error == 0) {
    out = call.metadata;
  }
  return error;
}

// A name of a local directory that is no mount point of another filesystem.
bool StallGuard::is_local_name(int base, const char* path) const {
  return is_own(base) && !foreign_names_.contains(last_name(path));
}

int StallGuard::stat_at(int base, const char* path, Fields fields, bool follow, Metadata& out) {
  // A link is followed by who follows it, in its own time.
  if (!follow && is_local_name(base, path)) {
    return real_.stat_at(base, path, fields, follow, out);
  }
  Call call{
      .kind = Call::Kind::stat_at, .base = base, .path = path, .fields = fields, .follow = follow};
  const int error = ask_proxy(call);
  if (error == 0) {
    out = call.metadata;
  }
  return error;
}

int StallGuard::read_link(int base, const char* path, std::span<char> out, std::size_t& size) {
  if (is_local_name(base, path)) {
    return real_.read_link(base, path, out, size);
  }
  Call call{.kind = Call::Kind::read_link, .base = base, .path = path, .room = out.size()};
  return ask_bytes(call, out.data(), size);
}

// The proxy may answer with less than there is room for.
int StallGuard::read_file(int base, const char* path, bool follow, std::uint64_t offset,
                          std::span<std::byte> out, std::size_t& size) {
  if (!follow && std::strchr(path, '/') == nullptr && is_local_name(base, path)) {
    return real_.read_file(base, path, follow, offset, out, size);
  }
  size = 0;
  for (std::size_t got = 1; got > 0 && size < out.size(); size += got) {
    Call call{.kind = Call::Kind::read_file,
              .base = base,
              .path = path,
              .follow = follow,
              .offset = static_cast<std::int64_t>(offset + size),
              .room = out.size() - size};
    if (const int error = ask_bytes(call, out.data() + size, got)) {
      return error;
    }
  }
  return 0;
}

int StallGuard::real_path(int base, const char* path, std::span<char> out, std::size_t& size) {
  Call call{.kind = Call::Kind::real_path, .base = base, .path = path, .room = out.size()};
  return ask_bytes(call, out.data(), size);
}

// A call whose answer is bytes.
int StallGuard::ask_bytes(Call& call, void* out, std::size_t& size) {
  const int error = ask_proxy(call);
  if (error == 0) {
    size = call.size;
    std::memcpy(out, call.records, size);
  }
  return error;
}

void StallGuard::close(DirectoryHandle& handle) {
  if (!is_proxys(handle.fd)) {
    real_.close(handle);
    return;
  }
  Call call{.kind = Call::Kind::close, .base = handle.fd};
  ask_proxy(call);
  handle = DirectoryHandle{};
}

bool StallGuard::is_lost(const DirectoryHandle& handle) { return caller().is_lost(handle.fd); }

bool StallGuard::ask(bool (FileSystem::*question)(const DirectoryHandle&),
                     const DirectoryHandle& handle) {
  if (!is_proxys(handle.fd)) {
    return (real_.*question)(handle);
  }
  Call call{.kind = Call::Kind::question, .base = handle.fd, .question = question};
  return ask_proxy(call) == 0 && call.answer;
}

bool StallGuard::listed_inodes_are_exact(const DirectoryHandle& handle) {
  return ask(&FileSystem::listed_inodes_are_exact, handle);
}
bool StallGuard::inode_order_helps(const DirectoryHandle& handle) {
  return ask(&FileSystem::inode_order_helps, handle);
}
bool StallGuard::last_offset_marks_end(const DirectoryHandle& handle) {
  return ask(&FileSystem::last_offset_marks_end, handle);
}
bool StallGuard::offsets_ascend(const DirectoryHandle& handle) {
  return ask(&FileSystem::offsets_ascend, handle);
}

}  // namespace trawl::sys
