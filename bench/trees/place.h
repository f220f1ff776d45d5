// SPDX-License-Identifier: Apache-2.0
//
// What the generators of trees are made of: one source of chance, and directories that things are
// made in.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <utility>

inline std::mt19937_64 g_random;

inline std::uint64_t below(std::uint64_t limit) { return g_random() % limit; }
inline bool one_in(std::uint64_t many) { return below(many) == 0; }

// In (0, 1).
inline double uniform() { return (static_cast<double>(g_random() >> 11) + 0.5) * 0x1p-53; }

// Not of <random>, whose distributions differ from library to library.
inline double log_normal(double mean, double deviation) {
  const double normal = std::sqrt(-2 * std::log(uniform())) * std::cos(2 * M_PI * uniform());
  return std::exp(mean + deviation * normal);
}

inline double pareto(double least, double exponent) {
  return least * std::pow(uniform(), -1 / exponent);
}

inline void check(bool ok, std::string_view what) {
  if (!ok) {
    std::perror(std::string(what).c_str());
    std::exit(1);
  }
}

// --- entries
// ---------------------------------------------------------------------------------------

// A directory that things are made in.
class Place {
 public:
  explicit Place(const std::string& path) : fd_(open(path.c_str(), kFlags)) {
    check(fd_ >= 0, path);
  }
  Place(const Place& parent, const std::string& name)
      : fd_(openat(parent.fd_, name.c_str(), kFlags)) {
    check(fd_ >= 0, name);
  }
  Place(Place&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Place& operator=(Place&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Place() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }

  int fd() const { return fd_; }

  void mkdir(const std::string& name) const { check(mkdirat(fd_, name.c_str(), 0755) == 0, name); }
  Place make(const std::string& name) const {
    mkdir(name);
    return Place(*this, name);
  }
  void symlink(const std::string& target, const std::string& name) const {
    check(symlinkat(target.c_str(), fd_, name.c_str()) == 0, name);
  }
  void node(const std::string& name, mode_t type) const {
    check(mknodat(fd_, name.c_str(), type | 0644, 0) == 0, name);
  }
  void link(const Place& from, const std::string& name, const std::string& to) const {
    check(linkat(from.fd_, name.c_str(), fd_, to.c_str(), 0) == 0, to);
  }
  void write(const std::string& name, std::string_view text, off_t size, off_t at = 0) const {
    const int fd = openat(fd_, name.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    check(fd >= 0, name);
    check(text.empty() || pwrite(fd, text.data(), text.size(), at) > 0, name);
    check(size <= at + static_cast<off_t>(text.size()) || ftruncate(fd, size) == 0, name);
    close(fd);
  }
  // Up to 1 MiB long, one in sixteen with data.
  void file(const std::string& name) const {
    static const std::string kData(8192, 'x');
    const std::uint64_t size = std::uint64_t{1} << below(21);
    const bool full = one_in(16);
    write(name, full ? std::string_view(kData).substr(0, size) : "",
          full ? 0 : static_cast<off_t>(size));
  }

 private:
  static constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
  int fd_;
};
