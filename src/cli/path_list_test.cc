// SPDX-License-Identifier: Apache-2.0
#include "cli/path_list.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

namespace trawl::cli {
namespace {

class PathListTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe2(pipe_, O_CLOEXEC), 0); }
  void TearDown() override {
    ::close(pipe_[0]);
    end_of_input();
  }

  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t size = ::write(pipe_[1], text.data(), text.size());
      ASSERT_GT(size, 0);
      text.remove_prefix(static_cast<std::size_t>(size));
    }
  }
  void end_of_input() {
    if (pipe_[1] >= 0) {
      ::close(pipe_[1]);
      pipe_[1] = -1;
    }
  }

  int pipe_[2] = {-1, -1};
  CancelToken cancel_;
};

using Paths = std::vector<std::string>;

TEST_F(PathListTest, LastLineNeedsNoEnd) {
  write("a\n\nb c\nd");
  end_of_input();
  PathList list(pipe_[0], '\n', cancel_);
  PathChunk chunk;
  ASSERT_TRUE(list.read(chunk));
  EXPECT_EQ(chunk.paths, (Paths{"a", "", "b c", "d"}));
  EXPECT_TRUE(chunk.refused.empty());
  PathChunk none;
  EXPECT_FALSE(list.read(none));
  EXPECT_EQ(list.error(), 0);
}

TEST_F(PathListTest, LastItemNeedsItsNul) {
  write(std::string("a\0b\nc\0", 6));
  write("cut off");
  end_of_input();
  PathList list(pipe_[0], '\0', cancel_);
  PathChunk chunk;
  ASSERT_TRUE(list.read(chunk));
  EXPECT_EQ(chunk.paths, (Paths{"a", "b\nc", ""}));
  ASSERT_EQ(chunk.refused.size(), 1U);
  EXPECT_EQ(chunk.refused[0].index, 2U);
  EXPECT_EQ(chunk.refused[0].name, "cut off");
  EXPECT_TRUE(chunk.refused[0].cut_off);
}

TEST_F(PathListTest, ItemsAreCountedOverChunks) {
  const std::size_t count = 2 * PathList::kMostPaths + 10;
  std::jthread writer([&] {
    std::string text;
    for (std::size_t i = 1; i <= count; ++i) {
      text += std::to_string(i) + '\n';
    }
    write(text);
    end_of_input();
  });
  PathList list(pipe_[0], '\n', cancel_);
  std::uint64_t expected = 1;
  for (PathChunk chunk; list.read(chunk); chunk = {}) {
    EXPECT_EQ(chunk.first, expected);
    EXPECT_LE(chunk.paths.size(), PathList::kMostPaths);
    for (const std::string& path : chunk.paths) {
      ASSERT_EQ(path, std::to_string(expected++));
    }
  }
  EXPECT_EQ(expected, count + 1);
}

TEST_F(PathListTest, WhatIsTooLongIsRefusedAndNotKept) {
  std::jthread writer([&] {
    write("before\n");
    write(std::string(3 * PathList::kLongestItem, 'x') + "\nbehind\n");
    write(std::string(PathList::kLongestItem, 'y') + "\n");
    end_of_input();
  });
  PathList list(pipe_[0], '\n', cancel_);
  Paths all;
  std::vector<PathChunk::Refused> refused;
  for (PathChunk chunk; list.read(chunk); chunk = {}) {
    for (PathChunk::Refused& each : chunk.refused) {
      each.index += all.size();
      refused.push_back(each);
    }
    all.insert(all.end(), chunk.paths.begin(), chunk.paths.end());
  }
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[2], "behind");
  EXPECT_EQ(all[3].size(), PathList::kLongestItem);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].index, 1U);
  EXPECT_EQ(refused[0].error, ENAMETOOLONG);
  EXPECT_LT(refused[0].name.size(), 300U);
}

// Nor does it end the list, as a chunk without paths would.
TEST_F(PathListTest, AnItemMayBeLongerThanAChunk) {
  std::jthread writer([&] {
    write(std::string(2 * PathList::kMostBytes + 1, 'x') + "\nbehind\n");
    end_of_input();
  });
  PathList list(pipe_[0], '\n', cancel_);
  Paths all;
  for (PathChunk chunk; list.read(chunk); chunk = {}) {
    all.insert(all.end(), chunk.paths.begin(), chunk.paths.end());
  }
  EXPECT_EQ(all, (Paths{"", "behind"}));
}

TEST_F(PathListTest, GivesWhatThereIsWhenNoMoreComes) {
  write("a\nhalf");
  PathList list(pipe_[0], '\n', cancel_);
  PathChunk chunk;
  ASSERT_TRUE(list.read(chunk));
  EXPECT_EQ(chunk.paths, (Paths{"a"}));
  write(" and half\n");
  PathChunk next;
  ASSERT_TRUE(list.read(next));
  EXPECT_EQ(next.paths, (Paths{"half and half"}));
  EXPECT_EQ(next.first, 2U);
}

TEST_F(PathListTest, EndsWhenCancelled) {
  std::jthread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    cancel_.cancel();
  });
  PathList list(pipe_[0], '\n', cancel_);
  PathChunk chunk;
  EXPECT_FALSE(list.read(chunk));
}

TEST_F(PathListTest, TellsWhyItCannotRead) {
  const int directory = ::open("/", O_RDONLY | O_CLOEXEC);
  PathList list(directory, '\n', cancel_);
  PathChunk chunk;
  EXPECT_FALSE(list.read(chunk));
  EXPECT_EQ(list.error(), EISDIR);
  ::close(directory);
}

}  // namespace
}  // namespace trawl::cli
