// SPDX-License-Identifier: Apache-2.0
#include "cli/profile_report.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "support/profiles.h"

namespace trawl::cli {
namespace {

std::string rendered(const Profile& profile, std::vector<ProfileSection> sections,
                     const Terminal& terminal = {.columns = 80, .utf8 = true},
                     std::size_t top = kReportTop) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  ProfileArguments arguments;
  arguments.path = "/data";
  arguments.sections = std::move(sections);
  arguments.top = top;
  return '\n' + render_profile(profile, arguments, terminal, std::chrono::milliseconds(50));
}

TEST(ProfileReport, Golden) {
  using enum ProfileSection;
  EXPECT_EQ(rendered(testing::profile_of_data(),
                     {summary, types, extensions, sizes, modified, depths, names, folders, largest,
                      oldest, empty, owners, groups, links, duplicates}),
            R"(
/data
1,234 files in 40 folders, 5.8M; 2027-01-15 08:00, 50 ms, 26,000 entries/s

Summary
  files    1,234    size     5.8M    deepest level         3
  folders     40    on disk  7.7M    files per folder  30.85
  links       21    others      5    empty folders        12

Types
  files              1,234  ████████████████████████████████
  folders               40  █
  symbolic links        21  ▌
  character devices      1
  fifos                  3  ▏
  sockets                1

Extensions           files                          size
  .jpg               1,000   81%  ████████████▏     4.8M   83%  ████████████▌
  no extension         200   16%  ██▍               879K   15%  ██▎
  .\xff                 30    2%  ▍                  88K    2%  ▎
  .\xfe                  4   <1%                    9.8K   <1%

Sizes                files                          size
  empty                 34    3%  ▍                    0    0%
  below 1K             200   16%  ██▍               147K    3%  ▍
  1K to 4K               0                             0
  4K to 16K          1,000   81%  ████████████▏     5.6M   98%  ██████████████▋

Modified             files                          size
  1 hour to 1 day    1,000   81%  ████████████▏     4.8M   83%  ████████████▌
  1 to 7 days            0                             0
  7 to 30 days           0                             0
  30 to 90 days          0                             0
  90 days to 1 year      0                             0
  1 to 2 years           0                             0
  2 to 5 years           0                             0
  5 to 10 years        234   19%  ██▉               977K   17%  ██▌

Folders by depth
  level 0   1  █▋
  level 1   9  ██████████████▍
  level 2  20  ████████████████████████████████
  level 3  10  ████████████████

Folder names  counts up to 2 too small (--exact)
  2024  12  ████████████████████████████████

Folders with most files
  photos  600  ████████████████████████████████
  .         4  ▎

Largest files
  2.0M  2027-01-15 07:59  photos/<script>alert(1)</script>.jpg
  1.0M  2027-01-14 08:00  ä\xe2\x80\xa8\xff

Oldest files
  1969-12-31 23:59  12  old

Empty folders  12
  a
  b\x0ac
  \xff
  z
  … and 8 more

Owners               files                          size
  root               1,200   97%  ██████████████▋   5.3M   92%  █████████████▊

Groups               files                          size
  4000000000         1,200   97%  ██████████████▋   5.3M   92%  █████████████▊

Hard links and sparse files
  names with further links     5    files of these names     2
  counted more than once    3.0K    of it on disk         4.0K
  sparse files                 1    their holes           1.0M

Duplicates?  by name and size: 9 groups, 12K too much
  9.8K  3 ×  4.9K  1/a.jpg
)");
}

TEST(ProfileReport, ManyLevelsShareLines) {
  Profile profile = testing::profile_of_data();
  profile.folders_by_depth.assign(100'001, 1);
  const std::string text = rendered(profile, {ProfileSection::depths}, {.columns = 60});
  EXPECT_NE(text.find("\n  level 0 to 5000        5,001  ####"), text.npos) << text;
  EXPECT_NE(text.find("\n  level 95019 to 100000  4,982  ####"), text.npos) << text;
}

TEST(ProfileReport, SaysWhatWasNotLookedAt) {
  Profile profile = testing::profile_of_data();
  profile.duplicates_from = 5000;
  EXPECT_NE(rendered(profile, {ProfileSection::duplicates})
                .find("9 groups, 12K too much, of 4.9K or more each (--exact)\n"),
            std::string::npos);
}

TEST(ProfileReport, TopCutsEveryList) {
  using enum ProfileSection;
  const std::string text =
      rendered(testing::profile_of_data(), {extensions, folders, empty}, {.columns = 80}, 1);
  EXPECT_EQ(text.substr(text.find("\n\n")), R"(

Extensions  of 4     files                          size
  .jpg               1,000   81%  ############      4.8M   83%  #############

Folders with most files
  photos  600  ################################

Empty folders  12
  a
  ... and 11 more
)");
}

TEST(ProfileReport, WarnsOfWhatIsMissing) {
  Profile profile = testing::profile_of_data();
  ProfileArguments arguments;
  EXPECT_TRUE(warnings_of(profile, arguments).empty());
  profile.walk.ending = Ending::timed_out;
  profile.walk.statistics.errors = 2;
  profile.walk.errors = {{.operation = Operation::open, .code = EACCES, .depth = 1, .path = "x"}};
  EXPECT_EQ(warnings_of(profile, arguments),
            (std::vector<std::string>{
                "2 entries could not be read, so the figures are lower bounds: --errors lists them",
                "stopped by --timeout: the figures are partial"}));
  profile.walk.ending = Ending::cancelled;
  arguments.list_errors = true;
  EXPECT_EQ(
      warnings_of(profile, arguments),
      (std::vector<std::string>{"2 entries could not be read, so the figures are lower bounds",
                                "interrupted: the figures are partial"}));
}

}  // namespace
}  // namespace trawl::cli
