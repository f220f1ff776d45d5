// SPDX-License-Identifier: Apache-2.0
//
// Random ignore files × random paths, against `git check-ignore`: the same line must decide, and
// its pattern be shown the same. Half of the patterns are made from the paths, byte by byte, so
// that they nearly match.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "match/ignore_rules.h"
#include "support/effort.h"
#include "support/random.h"
#include "support/temporary_directory.h"

namespace trawl::match {
namespace {

using testing::Random;

struct Path {
  std::string text;
  bool is_directory = false;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::string name() {
    static const std::vector<std::string> kOthers = {".", "-", "^", ":",    " ",        "\t", "!",
                                                     "#", "[", "]", "\\",   "*",        "?",  "\n",
                                                     "z", "c", "_", "\xff", "\xc3\xa9", "\r"};
    std::string out;
    for (int i = random_.between(1, random_.one_in(4) ? 6 : 3); i > 0; --i) {
      out += random_.one_in(3) ? pick(kOthers) : std::string(1, "abAB"[random_.below(4)]);
    }
    return out == "." || out == ".." ? "a" : out;
  }

  std::string file(const std::vector<Path>& paths) {
    std::string out = random_.one_in(20) ? "\xEF\xBB\xBF" : "";
    for (int i = random_.between(1, random_.one_in(3) ? 20 : 3); i > 0; --i) {
      out += line(paths);
      if (i > 1 || !random_.one_in(4)) out += '\n';
    }
    return out;
  }

 private:
  const std::string& pick(const std::vector<std::string>& from) {
    return from[random_.below(from.size())];
  }

  // A bit of a pattern.
  const std::string& bit() {
    static const std::vector<std::string> kBits = {
        "*",        "?",          "[",           "]",     "!",         "\\",  "/",    "#",
        " ",        "\t",         "a",           "b",     "A",         "B",   ".",    "-",
        "^",        ":",          "**",          "**/",   "/**",       "[a-", "[!a]", "[^b]",
        "z",        "[[:alpha:]", "[[:upper:]]", "c",     "[:digit:]", ":]",  "\xff", "\xc3",
        "\xc3\xa9", "\r",         "_",           "[]-z]", "[A-Z]",     "*",   "\\ ",  "/"};
    return pick(kBits);
  }

  std::string line(const std::vector<Path>& paths) {
    std::string out;
    if (random_.one_in(3)) {
      for (int i = random_.between(1, 9); i > 0; --i) out += bit();
    } else {
      out = alike(paths[random_.below(paths.size())].text);
    }
    if (random_.one_in(5)) out.insert(0, "!");
    if (random_.one_in(30)) out.insert(0, "#");
    if (random_.one_in(20)) out.insert(0, "\\");
    if (random_.one_in(12)) out.append(random_.below(3), ' ');
    if (random_.one_in(30)) out += '\\';
    if (random_.one_in(40)) out += '\t';
    if (random_.one_in(25)) out += '\r';
    if (random_.one_in(40)) out.insert(random_.below(out.size() + 1), 1, '\0');
    return out;
  }

  std::string alike(const std::string& path) {
    static const std::vector<std::string> kSlashes = {"/",   "/",  "/",  "/**/",
                                                      "**/", "*/", "/*", "\\/"};
    std::string out;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (path[i] == '/') {
        out += pick(kSlashes);
        continue;
      }
      switch (random_.below(12)) {
        case 0:
          out += '?';
          break;
        case 1:
          out += '*';
          break;
        case 2:
          out += "*";
          i += random_.below(3);
          break;
        case 3:
          out += "**";
          break;
        case 4:
          out += {'\\', path[i]};
          break;
        case 5:
          out += {'[', path[i], ']'};
          break;
        case 6:
          out += random_.one_in(2) ? "[" : "[!";
          for (int n = random_.between(1, 4); n > 0; --n) out += bit();
          out += ']';
          break;
        default:
          out += path[i];
      }
    }
    if (random_.one_in(3)) out.erase(0, out.rfind('/') + 1);
    if (random_.one_in(4)) out.insert(0, "/");
    if (random_.one_in(6)) out.insert(0, "**/");
    if (random_.one_in(8)) out += "/**";
    if (random_.one_in(8)) out += '*';
    if (random_.one_in(5)) out += '/';
    if (random_.one_in(10)) out.insert(random_.below(out.size() + 1), bit());
    return out;
  }

  Random random_;
};

class Git {
 public:
  Git() : made_(run("init -q --template= .")) {}

  bool works() const { return made_; }

  std::vector<Path> make_paths(Generator& generator, Random& random, std::size_t count) {
    std::set<std::string> seen{""};
    std::vector<Path> paths;
    while (paths.size() < count) {
      std::string path;
      do {
        path = generator.name();
      } while (path[0] == ':');  // git takes it for the beginning of something else
      bool is_directory = true;
      for (int levels = random.between(0, 4); is_directory; --levels) {
        is_directory = levels > 0 || random.one_in(2);
        if (is_directory && ::mkdir(directory_.at(path).c_str(), 0777) != 0 && errno != EEXIST) {
          break;
        }
        struct stat status {};
        is_directory = ::lstat(directory_.at(path).c_str(), &status) == 0;
        if (seen.insert(path).second) paths.push_back({path, is_directory});
        if (levels <= 0) break;
        path += '/';
        path += generator.name();
      }
    }
    // Some were asked about as files before they became directories.
    for (Path& path : paths) {
      struct stat status {};
      path.is_directory = ::lstat(directory_.at(path.text).c_str(), &status) == 0;
    }
    std::string input;
    for (const Path& path : paths) input += path.text + '\0';
    directory_.file(".git/paths", input);
    return paths;
  }

  // Of each path: the line that decides and its pattern, or nothing.
  std::vector<std::string> verdicts(const std::string& rules, bool ignore_case) {
    directory_.file(".gitignore", rules);
    const std::string asked = std::string("-c core.ignoreCase=") + (ignore_case ? "1" : "0") +
                              " check-ignore -v -n -z --stdin --no-index" +
                              " <.git/paths >.git/verdicts";
    if (!run(asked)) return {};
    std::ifstream file(directory_.at(".git/verdicts"), std::ios::binary);
    std::ostringstream buffer;
    buffer << file.rdbuf();
    const std::string text = buffer.str();
    std::vector<std::string> fields;
    for (std::size_t at = 0; at < text.size(); at = text.find('\0', at) + 1) {
      fields.push_back(text.substr(at, text.find('\0', at) - at));
    }
    std::vector<std::string> out;
    for (std::size_t i = 0; i + 3 < fields.size(); i += 4) {
      out.push_back(fields[i + 1] + ":" + fields[i + 2]);
    }
    return out;
  }

 private:
  // Apart from the user's settings. 1 says that no path is ignored.
  bool run(const std::string& arguments) const {
    const std::string command = "cd '" + directory_.path() +
                                "' && env -u GIT_DIR GIT_CONFIG_NOSYSTEM=1 HOME=/nonexistent "
                                "XDG_CONFIG_HOME=/nonexistent LC_ALL=C timeout 60 git " +
                                arguments;
    const int status = std::system(command.c_str());
    return WIFEXITED(status) && WEXITSTATUS(status) <= 1;
  }

  testing::TemporaryDirectory directory_;
  bool made_;
};

// As git: the rule that ignores a directory above decides.
std::string verdict(const IgnoreRules& rules, const Path& path) {
  const std::string_view text = path.text;
  for (std::size_t name = 0;;) {
    const std::size_t slash = text.find('/', name);
    const bool above = slash != std::string_view::npos;
    const IgnoreCandidate candidate(text.substr(0, slash), name, above || path.is_directory);
    const IgnoreRule* const rule = rules.match(candidate, 0);
    if (above && (rule == nullptr || rule->negated)) {
      name = slash + 1;
      continue;
    }
    return rule == nullptr ? ":" : std::to_string(rule->line) + ":" + std::string(rule->pattern);
  }
}

void compare(int files) {
  if (std::system("git --version >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "NOT TESTED AGAINST GIT: git is not installed";
  }
  const std::uint64_t seed = testing::fresh_seed();
  Random random(seed);
  Generator generator(random.next());
  Git git;
  ASSERT_TRUE(git.works());
  const std::vector<Path> paths = git.make_paths(generator, random, 400);
  std::size_t decided = 0;
  for (int i = 0; i < files && !::testing::Test::HasFailure(); ++i) {
    const bool ignore_case = random.one_in(3);
    const std::string file = generator.file(paths);
    const std::vector<std::string> expected = git.verdicts(file, ignore_case);
    ASSERT_EQ(expected.size(), paths.size());
    const IgnoreRules rules(file, "", ignore_case);
    for (std::size_t k = 0; k < paths.size(); ++k) {
      EXPECT_EQ(verdict(rules, paths[k]), expected[k])
          << "path: " << paths[k].text << (paths[k].is_directory ? "/" : "")
          << "\nignore case: " << ignore_case << "\nrules:\n"
          << file;
      if (expected[k] != ":") ++decided;
    }
  }
  std::printf("%zu verdicts, %zu by a rule\n", paths.size() * static_cast<std::size_t>(files),
              decided);
}

TEST(IgnoreRulesGit, AgreesOnRandomFiles) { compare(testing::effort(125)); }

TEST(IgnoreRulesGitSoak, AgreesOnRandomFiles) {
  for (int i = 0; i < 10 && !::testing::Test::HasFailure(); ++i) compare(1000);
}

}  // namespace
}  // namespace trawl::match
