# SPDX-License-Identifier: Apache-2.0
# labels: sanitize
"""What du, list and the picture leave out, by the options that they have in common."""

import json
import os
import subprocess

import pytest

TAG = "Signature: 8a477f597d28d172789f06886806bc55\n"
EVERYTHING = {"a.o", "b.c", "keep.o", "cache", "cache/CACHEDIR.TAG", "cache/one", "build", "build/deep", "build/deep/y"}


@pytest.fixture
def tree(tmp_path):
    top = tmp_path / "top"
    (top / "build/deep").mkdir(parents=True)
    (top / "cache").mkdir()
    for name in ("a.o", "b.c", "keep.o", "cache/one", "build/deep/y"):
        (top / name).write_text("some text")
    (top / "cache/CACHEDIR.TAG").write_text(TAG)
    return top


def run(trawl_path, arguments, cwd):
    return subprocess.run([trawl_path, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd)})


def names_of_du(result):
    return {line.split("\t", 1)[1] for line in result.stdout.splitlines()}


def names_of_json(result):
    names = set()

    def visit(node, path):
        names.add(path)
        for child in node.get("children", []):
            visit(child, f"{path}/{child['name']}")

    for root in json.loads(result.stdout)["roots"]:
        visit(root, root["name"])
    return names


# Each gives the names below "." that are there.
COMMANDS = {
    "du": (["du", "-a"], names_of_du),
    "list": (["list"], lambda result: set(result.stdout.splitlines())),
    "list in order": (["list", "--order=rsync", "--safe-links"], lambda result: set(result.stdout.splitlines())),
    "picture": (["--json", "--top=1000"], names_of_json),
}


@pytest.fixture(params=COMMANDS)
def look(request, trawl_path, tree):
    words, names = COMMANDS[request.param]

    def look(*options, root=".", status=0, message=""):
        result = run(trawl_path, [*words, *options, root], tree)
        assert result.stderr == message and result.returncode == status
        return {name.removeprefix(f"{root}/") for name in names(result)} - {root}

    look.program = "trawl" if request.param == "picture" else f"trawl {words[0]}"
    return look


def test_nothing_is_left_out_unasked(look, tree):
    (tree / ".gitignore").write_text("*\n")
    assert look() == EVERYTHING | {".gitignore"}


def test_patterns(look, tree):
    (tree / "patterns").write_text("keep.o\n*/deep/*\n")
    assert look("--exclude=*.c", "--exclude=cache", "-X", "patterns") == {"a.o", "build", "build/deep", "patterns"}


def test_patterns_leave_roots_out(look):
    assert look("--exclude=top", root="../top") == set()
    assert look("--exclude=./a.o") == EVERYTHING - {"a.o"}


def test_rules_of_a_file(look, tree):
    (tree.parent / "rules").write_text("*.o\n/build/\n!keep.o\n")
    assert look("--ignore-file=../rules") == {"b.c", "keep.o", "cache", "cache/CACHEDIR.TAG", "cache/one"}


def test_the_later_file_of_rules_wins(look, tree):
    (tree.parent / "rules").write_text("*.o\n")
    (tree.parent / "more").write_text("!a.o\n")
    assert "a.o" in look("--ignore-file=../rules", "--ignore-file=../more")
    assert "a.o" not in look("--ignore-file=../more", "--ignore-file=../rules")


def test_rules_of_git(look, tree):
    (tree / ".gitignore").write_text("*.o\n")
    (tree / "build/.gitignore").write_text("/deep\n")
    (tree / ".ignore").write_text("!keep.o\n")
    assert look("--respect-ignore") == EVERYTHING - {"a.o", "build/deep", "build/deep/y"} | {
        ".gitignore", "build/.gitignore", ".ignore"}


def test_caches(look):
    assert look("--exclude-caches") == EVERYTHING - {"cache/one"}


def test_all_of_them(look, tree):
    (tree / ".gitignore").write_text("build\n")
    (tree / "rules").write_text("/rules\n")
    assert look("--respect-ignore", "--exclude-caches", "--ignore-file=rules", "--exclude=[ab].*") == {
        "keep.o", ".gitignore", "cache", "cache/CACHEDIR.TAG"}


def test_rules_that_cannot_be_read_are_an_error(look):
    message = f"{look.program}: cannot read the rules in '/nonexistent/rules': No such file or directory\n"
    assert look("--ignore-file=/nonexistent/rules", status=1, message=message) == EVERYTHING


def test_what_is_left_out_does_not_count(trawl_path, tree):
    whole = run(trawl_path, ["du", "-sb"], tree).stdout
    less = run(trawl_path, ["du", "-sb", "--exclude-caches"], tree).stdout
    assert int(whole.split()[0]) - int(less.split()[0]) == len("some text")
    assert run(trawl_path, ["du", "-s", "--respect-ignore", "."], tree).returncode == 0


def test_gnus_abbreviations_of_du_stay(trawl_path, tree):
    (tree / "patterns").write_text("cache\n")
    assert "cache" not in run(trawl_path, ["du", "--exclude-=patterns", "-a"], tree).stdout.replace("patterns", "")
    assert "cache/one" not in run(trawl_path, ["du", "--exclude-c", "-a"], tree).stdout
    assert run(trawl_path, ["du", "--i", "-s"], tree).stdout == run(trawl_path, ["du", "--inodes", "-s"], tree).stdout


def test_a_missing_file_of_patterns_is_wrong_usage(trawl_path, tree):
    result = run(trawl_path, ["list", "-X", "/nonexistent"], tree)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "trawl list: cannot read '/nonexistent': No such file or directory\n"
