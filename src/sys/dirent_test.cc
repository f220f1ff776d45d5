// SPDX-License-Identifier: Apache-2.0
#include "sys/dirent.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace trawl::sys {
namespace {

// Copies bytes to the very end of a mapping that an inaccessible page follows: a read past the end
// ends the test program, sanitizer or not.
class Fenced {
 public:
  explicit Fenced(std::span<const std::byte> bytes) : size_(bytes.size()) {
    page_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    mapped_ = (bytes.size() + page_ - 1) / page_ * page_ + page_;
    void* memory =
        ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memory_ = memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
    if (memory_ == nullptr) std::abort();
    ::mprotect(memory_ + mapped_ - page_, page_, PROT_NONE);
    if (size_ != 0) std::memcpy(begin(), bytes.data(), size_);
  }
  ~Fenced() { ::munmap(memory_, mapped_); }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;

  std::span<const std::byte> bytes() const { return {begin(), size_}; }

 private:
  std::byte* begin() const { return memory_ + mapped_ - page_ - size_; }

  std::size_t size_;
  std::size_t page_;
  std::size_t mapped_;
  std::byte* memory_;
};

std::vector<std::byte> encode(const std::vector<Dirent>& entries) {
  std::vector<std::byte> buffer(1 << 20);
  std::size_t used = 0;
  for (const Dirent& entry : entries) EXPECT_TRUE(append_dirent(buffer, used, entry));
  buffer.resize(used);
  return buffer;
}

struct Listing {
  std::vector<std::string> names;
  bool malformed = false;
};

Listing decode(std::span<const std::byte> bytes) {
  const Fenced fenced(bytes);
  Listing listing;
  DirentReader reader(fenced.bytes());
  Dirent entry;
  while (reader.next(entry)) {
    EXPECT_EQ(entry.name.data()[entry.name.size()], '\0');
    listing.names.emplace_back(entry.name);
  }
  listing.malformed = reader.malformed();
  EXPECT_FALSE(reader.next(entry)) << "after the end";
  EXPECT_EQ(reader.malformed(), listing.malformed);
  return listing;
}

void set_length(std::vector<std::byte>& bytes, std::size_t record, std::size_t length) {
  const auto length16 = static_cast<std::uint16_t>(length);
  std::memcpy(bytes.data() + record + kDirentLengthAt, &length16, sizeof length16);
}

TEST(DirentReader, NothingInNoBytes) {
  const Listing listing = decode({});
  EXPECT_TRUE(listing.names.empty());
  EXPECT_FALSE(listing.malformed);
}

TEST(DirentReader, ReadsWhatTheKernelLaysOut) {
  // Written down by hand, as getdents64(2) describes it; not with the encoder.
  std::array<unsigned char, 56> raw{};
  const std::uint64_t inode = 0x0102030405060708U;
  const std::int64_t offset = INT64_MAX;
  const std::uint16_t first_length = 24;
  const std::uint16_t second_length = 32;
  std::memcpy(raw.data(), &inode, 8);
  raw[8] = 7;
  std::memcpy(raw.data() + 16, &first_length, 2);
  raw[18] = 4;
  std::memcpy(raw.data() + 19, "..", 2);
  std::memcpy(raw.data() + 24, &inode, 8);
  std::memcpy(raw.data() + 32, &offset, 8);
  std::memcpy(raw.data() + 40, &second_length, 2);
  raw[42] = 8;
  std::memcpy(raw.data() + 43, "a\nb\377cdefghi", 11);
  DirentReader reader(std::as_bytes(std::span(raw)));
  Dirent entry;
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.inode, inode);
  EXPECT_EQ(entry.type, FileType::directory);
  EXPECT_EQ(entry.name, "..");
  EXPECT_TRUE(is_dot_or_dotdot(entry.name));
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.offset, offset);
  EXPECT_EQ(entry.type, FileType::regular);
  EXPECT_EQ(entry.name, "a\nb\377cdefghi");
  EXPECT_FALSE(reader.next(entry));
  EXPECT_FALSE(reader.malformed());
}

TEST(DirentReader, ReadsNamesOfEveryLength) {
  for (std::size_t size = 1; size <= 300; ++size) {
    const std::string name(size, 'n');
    Dirent entry{.inode = size, .offset = -1, .type = FileType::fifo, .name = name};
    const auto bytes = encode({entry, entry});
    EXPECT_EQ(bytes.size() % 8, 0U);
    const Listing listing = decode(bytes);
    EXPECT_FALSE(listing.malformed) << size;
    EXPECT_EQ(listing.names, (std::vector<std::string>{name, name}));
  }
}

TEST(DirentReader, ReadsNumbersAsTheyWereWritten) {
  const auto bytes = encode({{.inode = UINT64_MAX - 1, .offset = INT64_MIN + 2, .name = "x"}});
  DirentReader reader(bytes);
  Dirent entry;
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.inode, UINT64_MAX - 1);
  EXPECT_EQ(entry.offset, INT64_MIN + 2);
}

TEST(DirentReader, KeepsEveryByteOfAName) {
  for (int value = 1; value < 256; ++value) {
    if (value == '/') continue;
    for (std::size_t size : {1U, 4U, 5U, 6U, 12U, 13U, 14U, 29U}) {
      const std::string name(size, static_cast<char>(value));
      const Listing listing = decode(encode({{.name = name}}));
      EXPECT_EQ(listing.names, std::vector<std::string>{name}) << value << ' ' << size;
    }
  }
}

TEST(DirentReader, KeepsEveryType) {
  for (const FileType type :
       {FileType::unknown, FileType::regular, FileType::directory, FileType::symlink,
        FileType::block_device, FileType::character_device, FileType::fifo, FileType::socket}) {
    const auto bytes = encode({{.type = type, .name = "x"}});
    DirentReader reader(bytes);
    Dirent entry;
    ASSERT_TRUE(reader.next(entry));
    EXPECT_EQ(entry.type, type);
  }
  for (int value = 0; value < 256; ++value) {
    const FileType type = type_of_dirent(static_cast<std::uint8_t>(value));
    EXPECT_TRUE(type == FileType::unknown || dirent_type(type) == value);
  }
}

TEST(DirentReader, RejectsLengthsThatCannotBe) {
  const auto good = encode({{.name = "first"}, {.name = "second"}});
  const std::size_t second = 32;
  ASSERT_EQ(good.size(), 64U);
  for (const std::size_t length : {0U, 1U, 8U, 16U, 18U, 19U, 20U, 33U, 40U, 65535U}) {
    auto bytes = good;
    set_length(bytes, second, length);
    const Listing listing = decode(bytes);
    EXPECT_TRUE(listing.malformed) << length;
    EXPECT_EQ(listing.names, std::vector<std::string>{"first"}) << "what came before stands";
  }
}

TEST(DirentReader, RejectsEveryCut) {
  const auto good = encode({{.name = "first"}, {.name = "second"}});
  for (std::size_t size = 1; size < good.size(); ++size) {
    const Listing listing = decode(std::span(good).first(size));
    EXPECT_EQ(listing.malformed, size != 32) << size;
    EXPECT_EQ(listing.names.size(), size < 32 ? 0U : 1U);
  }
}

TEST(DirentReader, RejectsANameThatDoesNotEndInItsRecord) {
  for (const std::size_t length : {21U, 22U, 23U, 24U, 25U, 27U, 31U, 32U, 33U, 40U}) {
    std::vector<std::byte> bytes(length, std::byte{'x'});
    set_length(bytes, 0, length);
    const Listing listing = decode(bytes);
    EXPECT_TRUE(listing.malformed) << length;
    EXPECT_TRUE(listing.names.empty());
    bytes.back() = std::byte{0};
    EXPECT_EQ(decode(bytes).names, std::vector<std::string>{std::string(length - 20, 'x')});
  }
}

TEST(DirentReader, RejectsEmptyNames) {
  auto bytes = encode({{.name = "x"}});
  bytes[kDirentNameAt] = std::byte{0};
  EXPECT_TRUE(decode(bytes).malformed);
}

TEST(DirentReader, RejectsASlashAnywhereInAName) {
  for (const std::size_t size : {1U, 2U, 5U, 6U, 12U, 13U, 20U, 21U, 22U}) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string name(size, 'x');
      name[at] = '/';
      auto bytes = encode({{.name = name}});
      EXPECT_TRUE(decode(bytes).malformed) << size << ' ' << at;
      bytes.resize(kDirentNameAt + size + 1);  // without padding
      set_length(bytes, 0, bytes.size());
      EXPECT_TRUE(decode(bytes).malformed) << size << ' ' << at;
    }
  }
}

TEST(DirentReader, IgnoresWhatFollowsTheName) {
  auto bytes = encode({{.name = "name"}});
  bytes[kDirentTypeAt] = std::byte{'/'};  // nor what stands before it in the same word
  for (std::size_t i = kDirentNameAt + 5; i < bytes.size(); ++i) bytes[i] = std::byte{'/'};
  const Listing listing = decode(bytes);
  EXPECT_FALSE(listing.malformed);
  EXPECT_EQ(listing.names, std::vector<std::string>{"name"});
}

TEST(DirentReader, NeedsNoAlignment) {
  const auto good = encode({{.name = "first"}, {.name = "second"}});
  for (std::size_t shift = 1; shift < 8; ++shift) {
    std::vector<std::byte> shifted(shift);
    shifted.insert(shifted.end(), good.begin(), good.end());
    DirentReader reader(std::span<const std::byte>(shifted).subspan(shift));
    Dirent entry;
    EXPECT_TRUE(reader.next(entry));
    EXPECT_TRUE(reader.next(entry));
    EXPECT_EQ(entry.name, "second");
  }
}

TEST(AppendDirent, LeavesTheBufferAloneWhereTheRecordDoesNotFit) {
  std::vector<std::byte> buffer(71, std::byte{0xAA});
  std::size_t used = 0;
  const Dirent entry{.name = "twelve chars"};  // 19 + 12 + 1 = 32
  EXPECT_TRUE(append_dirent(buffer, used, entry));
  EXPECT_TRUE(append_dirent(buffer, used, entry));
  EXPECT_EQ(used, 64U);
  EXPECT_FALSE(append_dirent(buffer, used, entry));
  EXPECT_EQ(used, 64U);
  EXPECT_EQ(buffer[64], std::byte{0xAA});
}

TEST(AppendDirent, RefusesNamesThatNoRecordCanHold) {
  std::vector<std::byte> buffer(1 << 20);
  std::size_t used = 0;
  const std::string longest(65528 - 20, 'x');
  EXPECT_TRUE(append_dirent(buffer, used, {.name = longest}));
  EXPECT_FALSE(append_dirent(buffer, used, {.name = longest + "x"}));
}

TEST(IsDotOrDotdot, NamesNothingElse) {
  EXPECT_TRUE(is_dot_or_dotdot("."));
  EXPECT_TRUE(is_dot_or_dotdot(".."));
  for (const char* name : {"", "...", ".a", "a.", "..a", "a"}) EXPECT_FALSE(is_dot_or_dotdot(name));
}

}  // namespace
}  // namespace trawl::sys
