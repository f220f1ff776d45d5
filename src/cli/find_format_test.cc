// SPDX-License-Identifier: Apache-2.0
#include "cli/find_format.h"

#include <gtest/gtest.h>

namespace trawl::cli {
namespace {

std::string filled(std::string_view text, std::string_view path, std::string_view separator = "/") {
  std::string out;
  Template(text).append(out, path, separator);
  return out;
}

TEST(FindFormat, FillsPlaceholders) {
  EXPECT_EQ(filled("{} {/} {//} {.} {/.}", "a/b.d/g.tar.gz"),
            "a/b.d/g.tar.gz g.tar.gz a/b.d a/b.d/g.tar g.tar");
  EXPECT_EQ(filled("<{}>-{/.}-", "./x.c"), "<./x.c>-x-");
  EXPECT_EQ(filled("no placeholder", "x"), "no placeholder");
  EXPECT_EQ(filled("", "x"), "");
}

TEST(FindFormat, KnowsOddPaths) {
  EXPECT_EQ(filled("{//}|{.}|{/.}", "name"), ".|name|name");
  EXPECT_EQ(filled("{//}|{.}|{/.}", "/name.c"), "/|/name|name");
  EXPECT_EQ(filled("{//}|{.}|{/.}", "a//b"), "a|a//b|b");
  EXPECT_EQ(filled("{.}|{/.}", "d.d/.hidden"), "d.d/.hidden|.hidden");
  EXPECT_EQ(filled("{.}|{/.}", "d.d/.hidden.c"), "d.d/.hidden|.hidden");
  EXPECT_EQ(filled("{.}|{/.}", "dot."), "dot|dot");
  EXPECT_EQ(filled("{/}", std::string("a/n\nl\xff")), "n\nl\xff");
}

TEST(FindFormat, ReadsEscapedBraces) {
  EXPECT_EQ(filled("{{}}", "p"), "{}");
  EXPECT_EQ(filled("{{{}}}", "p"), "{p}");
  EXPECT_EQ(filled("{}}", "p"), "{}");
  EXPECT_EQ(filled("{/.}}x", "p"), "{/.}x");
  EXPECT_EQ(filled("{}}}", "p"), "p}");
  EXPECT_EQ(filled("{{\"path\": \"{}\"}}", "p"), "{\"path\": \"p\"}");
  EXPECT_EQ(filled("{ } {x} } {", "p"), "{ } {x} } {");
  EXPECT_FALSE(Template("{{}} {x} {}}").has_placeholder());
  EXPECT_TRUE(Template("{{}} {//}").has_placeholder());
}

TEST(FindFormat, ReplacesSeparatorsInPlaceholdersOnly) {
  EXPECT_EQ(filled("x/{}/{//}/{.}", "/a/b.c", "::"), "x/::a::b.c/::a/::a::b");
  EXPECT_EQ(filled("{}", "a/b", ""), "ab");
}

}  // namespace
}  // namespace trawl::cli
