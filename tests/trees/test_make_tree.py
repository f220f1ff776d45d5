# SPDX-License-Identifier: Apache-2.0
"""The trees that benches measure: one seed is one tree, and trawl du says the same of it as GNU du."""

import os
import pathlib
import shutil
import stat
import subprocess

import pytest

from differential.du import Invocation
from differential.sandbox import Unavailable

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "bench/trees/make_tree.cc"
EVERY = ("backups", "deep", "dirs125k", "empty", "files100k", "files10k", "files1k", "ignored", "ignored-rest", "mixed",
         "monorepo", "odd", "project81k", "project81k-rest", "project8k", "project8k-rest", "rules10", "rules10k", "small",
         "wide", "wide10m")


@pytest.fixture(scope="module")
def make_tree(tmp_path_factory):
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if compiler is None:
        pytest.skip("no compiler")
    program = tmp_path_factory.mktemp("bin") / "make_tree"
    subprocess.run([compiler, "-std=c++20", "-O1", "-o", program, SOURCE], check=True)

    def run(*words, **how):
        return subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=True, **how).stdout

    return run


@pytest.fixture
def top(sandbox):
    try:
        home = pathlib.Path(os.fsdecode(sandbox.home("tmpfs")))
    except Unavailable:
        home = pathlib.Path(os.fsdecode(sandbox.home("host")))
    path = home / "trees"
    path.mkdir()
    yield path
    sandbox.remove(os.fsencode(path))


def description(root):
    """All that a seed decides: each path with its kind, size, room, links, target; links by the first of their names.

    In no order, and level by level by descriptor, since a tree may be deeper than any path.
    """
    found, names = [], {}
    waiting = [(b".", os.open(root, os.O_DIRECTORY))]
    while waiting:
        path, fd = waiting.pop()
        for name in sorted(map(os.fsencode, os.listdir(fd))):
            status = os.lstat(name, dir_fd=fd)
            one = path + b"/" + name
            first = names.setdefault(status.st_ino, one) if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode) else one
            target = os.readlink(name, dir_fd=fd) if stat.S_ISLNK(status.st_mode) else None
            size = (0, 0) if stat.S_ISDIR(status.st_mode) else (status.st_size, status.st_blocks)
            found.append((one, status.st_mode, *size, status.st_nlink, first, target))
            if stat.S_ISDIR(status.st_mode):
                waiting.append((one, os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)))
        os.close(fd)
    return found


def check_seeds(make_tree, top, name):
    for directory, seed in (("a", 1), ("b", 1), ("c", 2)):
        make_tree(name, top / directory, seed)
    same, again, other = (description(top / directory) for directory in "abc")
    assert same == again != other
    return same


def test_every_kind_is_there(make_tree):
    assert sorted(line.split()[0] for line in make_tree("--list").splitlines()) == sorted(EVERY)


def test_small_is_one_tree_per_seed(make_tree, top, tools):
    assert len(check_seeds(make_tree, top, "small")) == 30
    for args in ([b"-a", b"a"], [b"-s", b"a", b"b", b"c"]):
        tools.check(Invocation(args, cwd=os.fsencode(top)), threads=(1, 16))


def test_odd_is_one_tree_per_seed(make_tree, top, tools):
    found = check_seeds(make_tree, top, "odd")
    sparse = sum(size > blocks * 512 for _, mode, size, blocks, *_ in found if stat.S_ISREG(mode))
    assert len(found) > 50_000 and sparse > 5_000
    assert {stat.S_IFMT(each[1]) for each in found} == {stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFSOCK}
    assert any(b"\n" in path for path, *_ in found) and any(b"\xff" in path for path, *_ in found)
    for args in ([b"-a", b"a"], [b"-s", b"--apparent-size", b"a"]):
        tools.check_quickly(Invocation(args, cwd=os.fsencode(top)), threads=(1, 16))


def test_another_name_or_seed_is_said(make_tree, top):
    for words in (["nothing", top / "a", "1"], ["small", top / "a"], ["small", top, "1"]):
        with pytest.raises(subprocess.CalledProcessError):
            make_tree(*words)


@pytest.mark.soak
@pytest.mark.parametrize("name, entries", [
    ("backups", 141_000), ("monorepo", 150_000), ("mixed", 1_000_000), ("dirs125k", 1_000_000), ("wide", 1_000_000),
])  # fmt: skip
def test_large_ones_are_one_tree_per_seed(make_tree, top, tools, name, entries):
    found = check_seeds(make_tree, top, name)
    assert 0.9 * entries <= len(found) <= 1.3 * entries
    if name == "backups":
        assert sum(links > 1 for _, mode, _, _, links, *_ in found if stat.S_ISREG(mode)) > 100_000
    for args in ([b"a"], [b"-s", b"a", b"b"]):
        tools.check_quickly(Invocation(args, cwd=os.fsencode(top)), threads=(1, 2, 16))
