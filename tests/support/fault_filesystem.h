// SPDX-License-Identifier: Apache-2.0
//
// A filesystem that goes wrong on purpose: stands between the engine and a real backend, counts
// every call, and lets a test replace any of them, or what it answers.
//
//   FaultFileSystem fs(sys::linux_filesystem());
//   walk(fs);                                                     // 1. what is called at all?
//   for (const auto& place : fs.trace()) {                        // 2. each place, each errno
//     FaultFileSystem faulty(sys::linux_filesystem());
//     faulty.fail(place.call, place.ordinal, EIO);
//     walk(faulty);
//     EXPECT_EQ(faulty.open_handles(), 0);
//   }
//
// Ordinals count the calls of one kind from 0, in the order in which they arrive; with one worker
// they are the same in every run. Calls that interrupt() turned away have none.
//
// Thread-safe once set up: set up first, then walk. Hooks run on whichever worker calls, several at
// a time. Handles carry a box of this class in `stream`, so a use after close is seen by
// sanitizers.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "sys/dirent.h"
#include "sys/filesystem.h"

namespace trawl::testing {

enum class Call : std::uint8_t {
  open,
  read,
  seek,
  stat_handle,
  stat_at,
  read_link,
  read_file,
  real_path,
  close,
  make_private
};
inline constexpr std::size_t kCalls = 10;

struct Request {
  Call call = Call::open;
  std::uint64_t ordinal = 0;
  int fd = -1;                 // the handle's; the base, of calls by path
  const char* path = nullptr;  // of calls by path
};

struct Place {
  Call call = Call::open;
  std::uint64_t ordinal = 0;
  std::string path;  // of calls by path
};

class FaultFileSystem final : public sys::FileSystem {
 public:
  // What a request gets instead of being served: an errno, or 0 to let it through. It may also
  // wait, or change the tree under the walk's feet. A close can't be stopped; make_private answers
  // any error with false.
  using Hook = std::function<int(const Request&)>;
  // Changes a listed record; false drops it. A new name must outlive the call.
  using RecordHook = std::function<bool(sys::Dirent&)>;
  // Changes an answer of stat_handle or stat_at.
  using MetadataHook = std::function<void(const Request&, Metadata&)>;

  explicit FaultFileSystem(sys::FileSystem& real) : real_(real) {}

  // ---- Set-up -------------------------------------------------------------------------------

  void fail(Call call, std::uint64_t ordinal, int error) {
    fail_when([=](const Request& request) {
      return request.call == call && request.ordinal == ordinal ? error : 0;
    });
  }
  void fail_always(Call call, int error) {
    fail_when([=](const Request& request) { return request.call == call ? error : 0; });
  }
  // Hooks are asked in the order in which they were added; the first error counts.
  void fail_when(Hook hook) { hooks_.push_back(std::move(hook)); }
  void delay(Call call, std::chrono::nanoseconds time) {
    fail_when([=](const Request& request) {
      if (request.call == call) std::this_thread::sleep_for(time);
      return 0;
    });
  }
  // Every call that can fail answers EINTR first, and does its work when repeated.
  void interrupt() { interrupt_ = true; }

  void edit_records(RecordHook hook) { record_hooks_.push_back(std::move(hook)); }
  void hide_types() {
    edit_records([](sys::Dirent& entry) {
      entry.type = FileType::unknown;
      return true;
    });
  }
  void lie_about_inodes() {
    edit_records([](sys::Dirent& entry) {
      entry.inode ^= 0x5555'5555U;
      return true;
    });
  }
  // At most so many records are delivered at a time; the next call gets the next ones.
  void limit_records(std::size_t most) { most_records_ = most; }
  // The read with this ordinal delivers a last record that claims to be longer than it is.
  void garble(std::uint64_t read_ordinal) { garbled_ = read_ordinal; }

  void edit_metadata(MetadataHook hook) { metadata_hooks_.push_back(std::move(hook)); }

  // What is said of the filesystem, instead of the truth.
  std::optional<bool> inodes_are_exact;
  std::optional<bool> order_helps;
  std::optional<bool> offset_marks_end;
  std::optional<bool> ascending;
  std::optional<bool> heeds_stay_on_mount;

  // ---- What happened ------------------------------------------------------------------------

  // Calls of one kind, those that were made to fail included.
  std::uint64_t calls(Call call) const { return counts_[index(call)].load(); }
  std::uint64_t interrupted() const { return interrupted_.load(); }
  // Every call in the order of arrival.
  std::vector<Place> trace() const {
    const std::lock_guard lock(mutex_);
    return trace_;
  }
  // Opened and not closed. 0 after a walk, or it leaks.
  std::int64_t open_handles() const { return open_.load(); }
  std::int64_t most_open_handles() const { return most_open_.load(); }
  // Uses of a handle by a thread with another descriptor table than the one that it was opened in:
  // they meet some other file, or none.
  std::uint64_t foreign_uses() const { return foreign_uses_.load(); }

  // ---- The filesystem -----------------------------------------------------------------------

  int open_directory(int base, const char* path, sys::OpenHow how,
                     sys::DirectoryHandle& out) override {
    Request request{Call::open, 0, base, path};
    if (const int error = arrive(request); error != 0) return error;
    auto box = std::make_unique<Box>();
    if (const int error = real_.open_directory(base, path, how, box->real); error != 0) {
      return error;
    }
    box->table = descriptor_table();
    out = sys::DirectoryHandle{};
    out.fd = box->real.fd;
    out.stream = box.release();
    const std::int64_t now = ++open_;
    for (auto most = most_open_.load();
         now > most && !most_open_.compare_exchange_weak(most, now);) {
    }
    return 0;
  }

  int read_directory(sys::DirectoryHandle& handle, std::span<std::byte> buffer, std::size_t& size,
                     bool& end) override {
    Request request{Call::read, 0, handle.fd, nullptr};
    size = 0;
    end = false;
    if (const int error = arrive(request); error != 0) return error;
    Box& box = unpack(handle);
    while (box.at == box.records.size() && !box.end) {  // again if the hooks dropped all
      if (const int error = refill(box, buffer.size()); error != 0) return error;
    }
    const std::size_t from = box.at;
    std::size_t last = from;
    for (std::size_t count = 0; box.at < box.records.size() && count < most_records_; ++count) {
      std::uint16_t length = 0;
      std::memcpy(&length, box.records.data() + box.at + sys::kDirentLengthAt, sizeof length);
      if (box.at + length - from > buffer.size()) {
        if (count == 0) return EINVAL;
        break;
      }
      last = box.at;
      box.at += length;
    }
    size = box.at - from;
    if (size != 0) std::memcpy(buffer.data(), box.records.data() + from, size);
    end = box.end && box.at == box.records.size();
    if (garbled_ == request.ordinal && size != 0) {
      constexpr std::uint16_t kTooLong = UINT16_MAX;
      std::memcpy(buffer.data() + (last - from) + sys::kDirentLengthAt, &kTooLong, sizeof kTooLong);
    }
    return 0;
  }

  int seek_directory(sys::DirectoryHandle& handle, std::int64_t offset) override {
    Request request{Call::seek, 0, handle.fd, nullptr};
    if (const int error = arrive(request); error != 0) return error;
    Box& box = unpack(handle);
    box.records.clear();
    box.at = 0;
    box.end = false;
    return real_.seek_directory(box.real, offset);
  }

  int stat_handle(const sys::DirectoryHandle& handle, Fields fields, Metadata& out) override {
    Request request{Call::stat_handle, 0, handle.fd, nullptr};
    if (const int error = arrive(request); error != 0) return error;
    return edited(request, real_.stat_handle(unpack(handle).real, fields, out), out);
  }

  int stat_at(int base, const char* path, Fields fields, bool follow, Metadata& out) override {
    Request request{Call::stat_at, 0, base, path};
    if (const int error = arrive(request); error != 0) return error;
    return edited(request, real_.stat_at(base, path, fields, follow, out), out);
  }

  int read_link(int base, const char* path, std::span<char> out, std::size_t& size) override {
    Request request{Call::read_link, 0, base, path};
    if (const int error = arrive(request); error != 0) return error;
    return real_.read_link(base, path, out, size);
  }

  int read_file(int base, const char* path, bool follow, std::uint64_t offset,
                std::span<std::byte> out, std::size_t& size) override {
    Request request{Call::read_file, 0, base, path};
    if (const int error = arrive(request); error != 0) return error;
    return real_.read_file(base, path, follow, offset, out, size);
  }

  int real_path(int base, const char* path, std::span<char> out, std::size_t& size) override {
    Request request{Call::real_path, 0, base, path};
    if (const int error = arrive(request); error != 0) return error;
    return real_.real_path(base, path, out, size);
  }

  void close(sys::DirectoryHandle& handle) override {
    if (handle.stream == nullptr) return;
    Request request{Call::close, 0, handle.fd, nullptr};
    arrive(request);
    Box& box = unpack(handle);
    real_.close(box.real);
    delete &box;
    handle = sys::DirectoryHandle{};
    --open_;
  }

  bool make_descriptors_private() override {
    Request request{Call::make_private, 0, -1, nullptr};
    if (arrive(request) != 0 || !real_.make_descriptors_private()) return false;
    static std::atomic<std::uint64_t> tables = 0;
    descriptor_table() = ++tables;
    return true;
  }

  bool listed_inodes_are_exact(const sys::DirectoryHandle& handle) override {
    return inodes_are_exact ? *inodes_are_exact
                            : real_.listed_inodes_are_exact(unpack(handle).real);
  }
  bool inode_order_helps(const sys::DirectoryHandle& handle) override {
    return order_helps ? *order_helps : real_.inode_order_helps(unpack(handle).real);
  }
  bool last_offset_marks_end(const sys::DirectoryHandle& handle) override {
    return offset_marks_end ? *offset_marks_end : real_.last_offset_marks_end(unpack(handle).real);
  }
  bool offsets_ascend(const sys::DirectoryHandle& handle) override {
    return ascending ? *ascending : real_.offsets_ascend(unpack(handle).real);
  }
  bool stays_on_mount() const override {
    return heeds_stay_on_mount ? *heeds_stay_on_mount : real_.stays_on_mount();
  }

 private:
  struct Box {
    sys::DirectoryHandle real;
    std::uint64_t table = 0;         // that `real.fd` is a descriptor of
    std::vector<std::byte> records;  // read and edited; delivered up to `at`
    std::size_t at = 0;
    bool end = false;
  };

  static std::size_t index(Call call) { return static_cast<std::size_t>(call); }

  // 0 is the one that the process started with.
  static std::uint64_t& descriptor_table() {
    thread_local std::uint64_t table = 0;
    return table;
  }

  Box& unpack(const sys::DirectoryHandle& handle) {
    Box& box = *static_cast<Box*>(handle.stream);
    if (box.table != descriptor_table()) ++foreign_uses_;
    box.real.last_offset_marks_end = handle.last_offset_marks_end;
    return box;
  }

  int arrive(Request& request) {
    if (interrupt_ && request.call != Call::close && request.call != Call::make_private &&
        !is_repeated(request)) {
      ++interrupted_;
      return EINTR;
    }
    {
      const std::lock_guard lock(mutex_);
      request.ordinal = counts_[index(request.call)]++;
      trace_.push_back({request.call, request.ordinal, request.path ? request.path : ""});
    }
    for (const Hook& hook : hooks_) {
      if (const int error = hook(request); error != 0) return error;
    }
    return 0;
  }

  // True if this thread's last call was the same, and was interrupted.
  bool is_repeated(const Request& request) const {
    thread_local std::optional<std::tuple<const void*, Call, int, std::string>> last;
    std::tuple<const void*, Call, int, std::string> now{this, request.call, request.fd,
                                                        request.path ? request.path : ""};
    if (last == now) {
      last.reset();
      return true;
    }
    last = std::move(now);
    return false;
  }

  int refill(Box& box, std::size_t room) {
    std::vector<std::byte> raw(room);
    std::size_t size = 0;
    const int error = real_.read_directory(box.real, raw, size, box.end);
    if (error != 0) return error;
    if (size == 0) box.end = true;
    box.at = 0;
    // Room for names that became longer.
    box.records.assign(record_hooks_.empty() ? size : 2 * size + 4096, std::byte{0});
    if (record_hooks_.empty()) {
      std::copy_n(raw.begin(), size, box.records.begin());
      return 0;
    }
    std::size_t used = 0;
    sys::DirentReader reader(std::span<const std::byte>(raw).first(size));
    for (sys::Dirent entry; reader.next(entry);) {
      const auto keeps = [&](const RecordHook& hook) { return hook(entry); };
      if (std::all_of(record_hooks_.begin(), record_hooks_.end(), keeps)) {
        sys::append_dirent(box.records, used, entry);
      }
    }
    box.records.resize(used);
    return 0;
  }

  int edited(const Request& request, int error, Metadata& data) const {
    if (error == 0) {
      for (const MetadataHook& hook : metadata_hooks_) hook(request, data);
    }
    return error;
  }

  sys::FileSystem& real_;
  std::vector<Hook> hooks_;
  std::vector<RecordHook> record_hooks_;
  std::vector<MetadataHook> metadata_hooks_;
  bool interrupt_ = false;
  std::size_t most_records_ = SIZE_MAX;
  std::optional<std::uint64_t> garbled_;

  mutable std::mutex mutex_;
  std::vector<Place> trace_;
  std::array<std::atomic<std::uint64_t>, kCalls> counts_{};
  std::atomic<std::uint64_t> interrupted_ = 0;
  std::atomic<std::int64_t> open_ = 0;
  std::atomic<std::int64_t> most_open_ = 0;
  std::atomic<std::uint64_t> foreign_uses_ = 0;
};

}  // namespace trawl::testing
