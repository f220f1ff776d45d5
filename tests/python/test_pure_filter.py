# SPDX-License-Identifier: Apache-2.0
"""The pure engine's PathFilter against git and the trawl command, in random repositories and trees."""

import errno
import os
import random
import subprocess
import time

import pytest
from pure_trees import Tree, needs, no_user_rules, seeds, trawl_command

from differential.git import Repository
from trawl import _pure as pure

QUESTIONS = 400


class Asked:
    """A repository, with its environment in force."""

    def __init__(self, seed, place, monkeypatch):
        self.rng = random.Random(seed)
        place = os.fsencode(place)
        self.repository = Repository(self.rng, place + b"/top", place + b"/home", self.rng.random() < 0.1)
        self.repository.build()
        for name in list(os.environ):
            if name.startswith(("GIT_", "XDG_")):
                monkeypatch.delenv(name)
        for name, value in self.repository.environment.items():
            monkeypatch.setenv(name, value)
        self.top = self.repository.top

    def paths(self):
        out = []
        for _ in range(QUESTIONS):
            path = self.repository.some_path()
            if path and not self.repository.beyond_link(path) and not self.is_special(path):
                out.append(path)
        return out

    @staticmethod
    def is_special(path):
        return path.startswith(b":") or any(part in (b"", b".", b"..", b".git") for part in path.split(b"/"))

    def is_directory(self, path):
        full = os.path.join(self.top, path)
        return os.path.isdir(full) and not os.path.islink(full)


@pytest.fixture(params=seeds(60))
def asked(request, tmp_path, monkeypatch):
    return Asked(request.param, tmp_path, monkeypatch)


def check(command, paths, cwd):
    given = b"".join(path + b"\0" for path in paths)
    done = subprocess.run([*command, "-v", "-n", "-z", "--stdin", "--no-index"], input=given, cwd=cwd,
                          capture_output=True, timeout=120)  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    fields = done.stdout.split(b"\0")[:-1]
    return [tuple(fields[i : i + 4]) for i in range(0, len(fields), 4)]


def answers(rules, paths, is_directory):
    out = []
    for path in paths:
        verdict, source, line, pattern = rules.match(path, is_directory(path))
        assert verdict == ("none" if not pattern else "included" if pattern.startswith("!") else "ignored")
        out.append((os.fsencode(source), str(line).encode() if line else b"", os.fsencode(pattern), path))
    return out


@needs("git")
def test_verdicts_are_those_of_git(asked):
    paths = asked.paths()
    rules = pure.PathFilter(asked.top, git=True, parents=False)
    expected = check(["git", "check-ignore"], paths, asked.top)
    got = answers(rules, paths, asked.is_directory)
    assert got == expected, [pair for pair in zip(got, expected) if pair[0] != pair[1]][:3]
    deep = asked.rng.choice(asked.repository.directories)
    again = pure.PathFilter.from_git_root(os.path.join(asked.top, deep))
    assert again.root == os.path.realpath(asked.top)
    assert answers(again, paths[:50], asked.is_directory) == expected[:50]


@needs("git")
def test_verdicts_are_those_of_the_command(asked):
    paths = asked.paths()
    rules = pure.PathFilter(asked.top, git=True)
    assert answers(rules, paths, asked.is_directory) == check([trawl_command(), "ignored"], paths, asked.top)


def find(arguments, roots):
    command = [trawl_command(), "find", "-0", *arguments, "", *roots]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return sorted(path.rstrip(b"/") for path in done.stdout.split(b"\0")[:-1])


def walked(roots, rules, **options):
    """As `trawl find` has them: without the roots."""
    table = pure.scan_table(roots, filter=rules, include_roots=False, **options)
    listed = {path for root in roots[:1] for path in pure.list_table(root, filter=rules, include_root=False,
                                                                      **options).path_bytes()}  # fmt: skip
    paths = table.path_bytes()
    assert listed == {path for path in paths if path.startswith(roots[0] + b"/")} or len(roots) > 1
    return sorted(paths)


@needs("git")
def test_walks_are_those_of_find(asked, tmp_path):
    """trawl find's own rules are files called .ignore and .fdignore; what it hides is asked for."""
    rng = asked.rng
    repository = asked.repository
    for directory in repository.directories:
        for name in (b".ignore", b".fdignore"):
            path = repository.path(os.path.join(directory, name))
            if rng.random() < 0.2 and not os.path.lexists(path):
                repository.write(path, repository.rules(rng.choice([1, 3, 10])))
    if rng.random() < 0.3:  # a repository in it
        inner = repository.path(rng.choice(repository.directories[1:] or [b""]))
        subprocess.run(["git", "init", "-q", inner], check=True, capture_output=True)
    files = []
    if rng.random() < 0.4:
        files.append(os.fsencode(tmp_path) + b"/more")
        repository.write(files[0], repository.rules(4))
    root = repository.path(rng.choice([b"", b"", *repository.directories]))
    for _ in range(5):
        hidden, git, require, parents, follow = (rng.random() < 0.5 for _ in range(5))
        rules = pure.PathFilter(
            root, hidden=hidden, git=git, require_git=require, parents=parents, names=[b".ignore", b".fdignore"],
            files=files,
        )  # fmt: skip
        arguments = [] if hidden else ["-H"]
        arguments += [] if git else ["--no-ignore-vcs"]
        arguments += [] if require else ["--no-require-git"]
        arguments += [] if parents else ["--no-ignore-parent"]
        arguments += ["--no-global-ignore-file"] * (not git)
        arguments += [f"--ignore-file={os.fsdecode(path)}" for path in files]
        arguments += ["-L"] if follow else []
        got = walked([root], rules, follow=2 if follow else 0)
        assert got == find(arguments, [root]), (arguments, root)
        # match() says the same of each.
        everything = pure.scan_table([root], include_roots=False).rows(["path_bytes", "type"])
        if not follow:
            left = [path for path, kind in everything if rules.match(path[len(root) + 1 :], kind == "directory")[0]
                    in ("none", "included")]  # fmt: skip
            assert sorted(left) == got


@needs("git")
def test_work_trees_and_submodules(tmp_path, monkeypatch, no_user_rules):
    def git(*arguments):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a", *arguments], check=True, capture_output=True)

    top, tree = tmp_path / "top", tmp_path / "tree"
    git("init", "-q", str(top))
    (top / ".gitignore").write_text("*.o\n")
    git("-C", str(top), "add", ".gitignore")
    git("-C", str(top), "commit", "-q", "-m", "a")
    git("-C", str(top), "worktree", "add", "-q", str(tree))
    (top / ".git" / "info" / "exclude").write_text("secret\n")
    git("-C", str(top), "config", "core.ignoreCase", "true")
    git("-C", str(top), "config", "extensions.worktreeConfig", "true")
    git("-C", str(tree), "config", "--worktree", "core.ignoreCase", "false")
    assert (tree / ".git").is_file()
    for place, folds in ((top, True), (tree, False)):
        rules = pure.PathFilter.from_git_root(os.fsencode(place))
        assert rules.match(b"x/secret", False)[0] == "ignored"
        assert (rules.match(b"A.O", False)[0] == "ignored") == folds
        paths = [b"x/secret", b"A.O", b"b.o", b"c"]
        assert answers(rules, paths, lambda path: False) == check(["git", "check-ignore"], paths, place)


# ---- what git has no say in


def test_precedence(tmp_path, no_user_rules):
    top = tmp_path / "top"
    (top / "sub").mkdir(parents=True)
    (tmp_path / "rules").write_text("f\nfiles\n")
    (top / ".a").write_text("a\n!both\n")
    (top / ".b").write_text("b\nboth\n!f\n")
    (top / "sub" / ".a").write_text("!a\n")
    rules = pure.PathFilter(
        os.fsencode(top), names=[b".a", b".b"], files=[os.fsencode(tmp_path / "rules")], exclude=[b"x", b"!b", b"y/"],
    )  # fmt: skip
    assert rules.match(b"x", False) == ("ignored", "", 1, "x")
    assert rules.match(b"b", False) == ("included", "", 2, "!b")
    assert rules.match(b"y", False)[0] == "none" and rules.match(b"y", True)[0] == "ignored"
    assert rules.match(b"y/z", False) == ("ignored", "", 3, "y/")
    assert rules.match(b"both", False) == ("ignored", ".b", 2, "both")
    assert rules.match(b"a", False) == ("ignored", ".a", 1, "a")
    assert rules.match(b"sub/a", False) == ("included", "sub/.a", 1, "!a")
    assert rules.match(b"f", False) == ("included", ".b", 3, "!f")
    assert rules.match(b"files", False) == ("ignored", str(tmp_path / "rules"), 2, "files")
    assert rules.match(b"none", False) == ("none", "", 0, "")
    assert rules.errors() == []


def test_hidden(tmp_path, no_user_rules):
    (tmp_path / ".h").write_text("")
    (tmp_path / "h").write_text("")
    (tmp_path / ".keep").write_text("")
    (tmp_path / ".d").mkdir()
    (tmp_path / ".d" / "x").write_text("")
    root = os.fsencode(tmp_path)
    rules = pure.PathFilter(root, hidden=True, exclude=[b"!.keep"])
    assert rules.match(b".h", False) == ("hidden", "", 0, "")
    assert rules.match(b".d/x", False)[0] == "hidden"
    assert walked([root], rules) == [root + b"/.keep", root + b"/h"]
    assert len(walked([root + b"/.d"], rules)) == 1  # roots stay


def test_caches(tmp_path, no_user_rules):
    signature = "Signature: 8a477f597d28d172789f06886806bc55\n"
    for name, text in (("cache", signature), ("no", signature[:-2]), ("link", None)):
        (tmp_path / name / "d").mkdir(parents=True)
        (tmp_path / name / "f").write_text("")
        if text is None:
            (tmp_path / name / "CACHEDIR.TAG").symlink_to("../cache/CACHEDIR.TAG")
        else:
            (tmp_path / name / "CACHEDIR.TAG").write_text(text)
    root = os.fsencode(tmp_path)
    rules = pure.PathFilter(root, caches=True)
    left = {path[len(root) + 1 :] for path in walked([root], rules)}
    assert left == {b"cache", b"cache/CACHEDIR.TAG", b"no", b"no/d", b"no/f", b"no/CACHEDIR.TAG", b"link", b"link/d",
                    b"link/f", b"link/CACHEDIR.TAG"}  # fmt: skip
    assert rules.match(b"cache/f", False) == ("ignored", "CACHEDIR.TAG", 0, "")
    assert rules.match(b"cache/CACHEDIR.TAG", False)[0] == "none"
    exclude = subprocess.run([trawl_command(), "list", "-0", "--exclude-caches", root], capture_output=True, timeout=60)
    assert sorted(exclude.stdout.split(b"\0")[:-1]) == sorted([*walked([root], rules), root])


def test_custom(tmp_path, no_user_rules):
    (tmp_path / "a" / "b").mkdir(parents=True)
    root = os.fsencode(tmp_path)
    seen = []

    def custom(path):
        seen.append(path)
        return path.endswith("/b")

    rules = pure.PathFilter(root, custom=custom, exclude=[b"never"])
    assert pure.scan_table([root], filter=rules).path_bytes() == [root, root + b"/a"]
    assert seen == [str(tmp_path), f"{tmp_path}/a", f"{tmp_path}/a/b"]
    assert rules.match(b"a/b", True)[0] == "ignored"
    gone = pure.PathFilter(root, custom=lambda path: True)
    assert len(pure.scan_table([root], filter=gone)) == 0
    assert pure.profile(root, filter=gone)["summary"]["total_folders"] == 0
    assert pure.usage([root], filter=gone)["lines"] == []


def test_errors(tmp_path, no_user_rules):
    root = os.fsencode(tmp_path)
    missing = root + b"/rules\xff"
    rules = pure.PathFilter(root, git=True, files=[missing, b"/dev/null"])
    assert rules.errors() == [(os.fsdecode(missing), errno.ENOENT)]
    (tmp_path / "real").write_text("x\n")
    (tmp_path / ".gitignore").symlink_to("real")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / ".gitignore").mkdir()
    assert rules.match(b"x", False)[0] == "none"
    assert rules.match(b"d/x", False)[0] == "none"
    assert rules.errors()[1:] == [(".gitignore", errno.ELOOP)]
    for bad in (dict(names=[b""]), dict(names=[b"a/b"]), dict(names=[b"n%d" % i for i in range(70)]), dict(exclude=[b"a\0"])):
        with pytest.raises(ValueError):
            pure.PathFilter(root, **bad)
    for bad in (dict(custom=1), dict(names=b"ab"), dict(exclude="x"), dict(files=["x"])):
        with pytest.raises(TypeError):
            pure.PathFilter(root, **bad)
    with pytest.raises(ValueError):
        pure.PathFilter(b"a\0")


def test_no_rule_takes_long(tmp_path, no_user_rules):
    """Those that try one way after another would not end in a lifetime."""
    lines = [b"*a" * 40 + b"[bc]", b"**/" * 50 + b"[bc]", b"**/a*/" * 50 + b"[bc]", b"a/**/a*" * 60 + b"/b?", b"*?" * 120 + b"x"]
    rules = pure.PathFilter(os.fsencode(tmp_path), exclude=lines, ignore_case=True)
    begin = time.monotonic()
    deep = b"/".join([b"aaa"] * 300)
    assert rules.match(b"a" * 255, False)[0] == "none"
    assert rules.match(deep, False)[0] == "none"
    assert rules.match(deep + b"/B", False)[0] == "ignored"
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize("seed", seeds(15))
def test_hostile_names(seed, tmp_path, no_user_rules):
    """In trees that git would not have, one rule at a time: a name by itself leaves out that name."""
    tree = Tree(seed, os.fsencode(tmp_path) + b"/tree", 80)
    for path in tree.rng.sample(tree.files + tree.directories[1:], 10):
        name = os.path.basename(path)
        if b"\n" in name or name.endswith(b"\r"):  # ends the line
            continue
        quoted = b"".join(b"\\" + bytes([c]) for c in name)
        rules = pure.PathFilter(tree.top, exclude=[quoted])
        left = set(pure.scan_table([tree.top], filter=rules).path_bytes())
        expected = {each for each in pure.scan_table([tree.top]).path_bytes()
                    if name not in each[len(tree.top) + 1 :].split(b"/")}  # fmt: skip
        assert left == expected


@pytest.mark.parametrize("rule, matching, others", [
    (b"x[/]a", [], [b"x/a"]),
    (b"x[!b]a", [b"xca"], [b"x/a", b"xba"]),
    (b"x?a", [b"xba"], [b"x/a"]),
    (b"?", [b"\xff"], [b"\xc3\xa9"]),
    (b"a**/b", [b"ab", b"a/b", b"axx/yy/b"], [b"axb"]),
    (b"a/**\\/b", [b"a/x/y/b"], [b"a/b"]),
    (b"a/***/b", [b"a/b", b"a/x/y/b"], [b"ab"]),
    (b"abc/**", [b"abc/d", b"abc/d/e"], [b"abc", b"x/abc/d"]),
    (b"[a-c-e]", [b"-", b"a", b"e"], [b"d"]),
    (b"[[:space:]]", [b"\r", b" "], [b"\v"]),
    (b"[[:alpha:]-z]", [b"-", b"q"], [b"1"]),
    (b"[[:Alpha:]]", [], [b"x"]),
    (b"[a-", [], [b"a", b"[a-"]),
    (b"a\\", [], [b"a", b"a\\"]),
    (b"a\\  ", [b"a "], [b"a", b"a  "]),
    (b"//a", [], [b"a"]),
])  # fmt: skip
def test_what_git_makes_of_a_rule(rule, matching, others, tmp_path, no_user_rules):
    rules = pure.PathFilter(os.fsencode(tmp_path), exclude=[rule])
    assert [path for path in matching + others if rules.match(path, False)[0] == "ignored"] == matching


@pytest.mark.parametrize("rule, matching, others", [
    (b"aBC", [b"Abc"], [b"abd"]),
    (b"X/*a", [b"x/bA"], []),
    (b"[A-C]", [b"b", b"B"], [b"d"]),
    (b"[b]", [b"B"], []),
    (b"[B]", [], [b"b", b"B"]),
    (b"\\B", [], [b"b", b"B"]),
    (b"[[:upper:]]", [b"b", b"B"], [b"1"]),
    (b"\xc3\xa9", [b"\xc3\xa9"], [b"\xc3\x89"]),
])  # fmt: skip
def test_case_is_folded_where_git_folds_it(rule, matching, others, tmp_path, no_user_rules):
    rules = pure.PathFilter(os.fsencode(tmp_path), exclude=[rule], ignore_case=True)
    assert [path for path in matching + others if rules.match(path, False)[0] == "ignored"] == matching


@needs("git")
@pytest.mark.parametrize("text", [
    b"[core]\n\texcludesFile = /a b  # c\n", b'[core]excludesFile="/a # b" ;c\n', b"[CORE]\nExcludesFile = /a\\\n b\n",
    b'[core]\nexcludesFile = "/a\\tb\\\\c\\"d"\n', b"[core]\r\nexcludesFile = /a\r\n", b"\xef\xbb\xbf[core]\nexcludesFile = /a\n",
    b'[core "x"]\nexcludesFile = /a\n[core]\nexcludesFile=/b\n', b"# [core]\n; x\n[core]\n  excludesFile=/a\t b\n",
    b'[core]\nexcludesFile = /a" b "c  \n', b"[core]\nexcludesFile = /a\n[user]\nexcludesFile = /b\n", b"[core]\nexcludesFile = ~/x\n",
])  # fmt: skip
def test_configuration_is_read_as_git_reads_it(text, tmp_path, monkeypatch, no_user_rules):
    from trawl._pure.git import GitConfig

    file = tmp_path / "config"
    file.write_bytes(text)
    command = ["git", "config", "--file", str(file), "--null", "--path", "--get", "core.excludesFile"]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert GitConfig().updated(text).global_excludes() == done.stdout[:-1]


@needs("git")
@pytest.mark.parametrize("value", [b"true", b"Yes", b"on", b"1", b"0", b"-1", b"2k", b"0x0", b"0x10", b"no", b"off", b"false", b""])
def test_true_is_what_git_takes_for_it(value, tmp_path, no_user_rules):
    from trawl._pure.git import GitConfig

    file = tmp_path / "config"
    file.write_bytes(b"[core]\nignoreCase = " + value + b"\n")
    command = ["git", "config", "--file", str(file), "--type=bool", "--get", "core.ignoreCase"]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert GitConfig().updated(file.read_bytes()).ignore_case == (done.stdout == b"true\n")
