# SPDX-License-Identifier: Apache-2.0
"""The comparison itself: GNU du against itself is equal, and whatever is changed in an outcome shows."""

import os
import random

import pytest

from differential import du
from differential.options import CommandLine
from differential.tree import Tree


class Itself(du.Tools):
    """GNU du in trawl's place, with something done to what comes out of it."""

    def __init__(self, box, spoil=None):
        super().__init__(du.ORACLE, box)
        self.spoil = spoil

    def ours(self, invocation, threads=None, merged=False, linked=True):
        outcome = self.gnu(invocation, merged)
        if self.spoil:
            self.spoil(outcome, threads, merged)
        return outcome


@pytest.fixture
def tree(sandbox):
    tree = Tree(random.Random("harness"), os.path.join(sandbox.home("host"), b"harness"), sandbox).build()
    yield tree
    tree.remove()


def test_gnu_du_equals_itself(sandbox):
    work = os.path.join(sandbox.path, b"work")
    os.makedirs(work, exist_ok=True)
    statuses = set()
    for number in range(15):
        rng = random.Random(number)
        tree = Tree(rng, os.path.join(sandbox.home("host"), b"tree"), sandbox)
        try:
            tree.build()
            for _ in range(10):
                invocation = CommandLine(rng, tree, work).invocation()
                statuses.add(Itself(sandbox).check_quickly(invocation).status)
        finally:
            tree.remove()
    assert statuses == {0, 1}


def swap_first_lines(outcome):
    lines = outcome.out.splitlines(keepends=True)
    outcome.out = b"".join([*lines[1:2], *lines[:1], *lines[2:]])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda o, threads, merged: setattr(o, "status", 1 - o.status),
        lambda o, threads, merged: setattr(o, "out", o.out[:-1]),
        lambda o, threads, merged: setattr(o, "out", o.out.replace(b"4\t", b"8\t", 1)),
        lambda o, threads, merged: setattr(o, "err", o.err + b"x"),
        lambda o, threads, merged: swap_first_lines(o),
        lambda o, threads, merged: merged and swap_first_lines(o),
        lambda o, threads, merged: threads == 64 and setattr(o, "out", b""),
    ],
)
def test_a_difference_shows(sandbox, tree, spoil):
    os.mkdir(tree.path(b"r-sub"))
    os.mkdir(tree.path(b"r-sub/sub"))
    invocation = du.Invocation([b".", b"missing"], cwd=tree.top)
    Itself(sandbox).check(invocation)
    with pytest.raises(AssertionError, match="differs from GNU du"):
        Itself(sandbox, spoil).check(invocation)


def test_the_name_is_replaced_in_messages_only():
    assert du.as_du(b"trawl du: x\nTry 'trawl du --help' for more\n") == b"du: x\nTry 'du --help' for more\n"
    assert du.as_du(b"du: 'trawl du: x'\n") == b"du: 'trawl du: x'\n"


def test_trees_hold_everything(sandbox):
    """Each kind of thing that a tree may hold turns up in some of them."""
    met = set()
    for number in range(60):
        tree = Tree(random.Random(number), os.path.join(sandbox.home("host"), b"tree"), sandbox)
        try:
            tree.build()
            met.update(features(tree))
        finally:
            tree.remove()
    wanted = {"hard link", "across roots", "symlink", "dangling", "fifo", "socket", "sparse", "newline",
              "not UTF-8", "255 bytes", "leading dash", "unreadable", "before 1970", "beyond PATH_MAX"}  # fmt: skip
    if sandbox.is_root:
        wanted.add("device")
    if sandbox.can_mount:
        wanted.add("mount")
    assert wanted - met == set()


def features(tree):
    roots = {}
    for folder, folders, names in os.walk(tree.top):
        if len(folder) > 4096:
            yield "beyond PATH_MAX"
            return
        for name in folders + names:
            path = os.path.join(folder, name)
            try:
                info = os.lstat(path)
            except OSError:
                yield "beyond PATH_MAX"
                continue
            kind = info.st_mode >> 12
            if kind == 0o12:
                yield "symlink"
                if not os.path.exists(path):
                    yield "dangling"
            yield {0o01: "fifo", 0o14: "socket", 0o02: "device"}.get(kind, "")
            if kind != 0o04 and info.st_nlink > 1:
                yield "hard link"
                root = path[len(tree.top) + 1 :].split(b"/")[0]
                if roots.setdefault(info.st_ino, root) != root:
                    yield "across roots"
            if info.st_size > info.st_blocks * 512 + 10**6:
                yield "sparse"
            if info.st_mode & 0o777 == 0:
                yield "unreadable"
            if info.st_mtime_ns < 0:
                yield "before 1970"
            yield from (what for what, holds in (
                ("newline", b"\n" in name), ("not UTF-8", b"\xff" in name), ("255 bytes", len(name) == 255),
                ("leading dash", name.startswith(b"-")), ("mount", os.path.ismount(path)),
            ) if holds)  # fmt: skip
