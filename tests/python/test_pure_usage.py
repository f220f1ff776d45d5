# SPDX-License-Identifier: Apache-2.0
"""The pure engine's usage() against GNU du and `trawl du`, line by line."""

import os
import subprocess

import pytest
from pure_trees import Tree, below, needs, seeds, trawl_command

from trawl import _pure as pure


@pytest.fixture(params=seeds(40))
def tree(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tree = Tree(request.param, os.fsencode(tmp_path) + b"/tree")
    if tree.files:  # hard links between the roots of a call
        for _ in range(tree.rng.randrange(4)):
            path = tree.new_path()
            if path is not None:
                os.link(tree.rng.choice(tree.files), path)
    return tree


def du(command, arguments, roots):
    """Lines (figure, path), and the status."""
    done = subprocess.run([*command, "-0", *arguments, "--", *roots], capture_output=True, timeout=60)
    lines = [line.split(b"\t", 1) for line in done.stdout.split(b"\0")[:-1]]
    return [(int(figure), path) for figure, path in lines], done.returncode


def roots_of(tree):
    rng = tree.rng
    kind = rng.random()
    if kind < 0.4:
        return [tree.top]
    if kind < 0.7:
        return [rng.choice(tree.directories) for _ in range(rng.randint(1, 4))]
    some = [rng.choice(tree.directories + tree.files) for _ in range(rng.randint(1, 4))]
    return rng.choice([some, [tree.top, *some], [*some, tree.top], some * 2, [b"tree", *some], [b"./tree/."]])


@needs("du")
@pytest.mark.parametrize("command", ["du", "trawl"])
def test_lines(tree, command):
    rng = tree.rng
    command = ["du"] if command == "du" else [trawl_command(), "du"]
    for _ in range(6):
        roots = roots_of(tree)
        options, arguments = {}, []
        if rng.random() < 0.4:
            options["max_depth"] = rng.randrange(4)
            arguments.append(f"-d{options['max_depth']}")
        if rng.random() < 0.4:
            options["all_files"] = True
            arguments.append("-a")
        if rng.random() < 0.3:
            options["count_links"] = True
            arguments.append("-l")
        if rng.random() < 0.3:
            options["one_file_system"] = True
            arguments.append("-x")
        follow = rng.choice([0, 0, 1, 2])
        options["follow"] = follow
        if follow:
            arguments.append("-L" if follow == 2 else "-D")
        got = pure.usage(roots, **options)
        for index, figures in ((2, ["-B1"]), (3, ["-B1", "--apparent-size"]), (4, ["--inodes"])):
            expected, status = du(command, [*figures, *arguments], roots)
            lines = [(line[index], os.fsencode(line[0])) for line in got["lines"]]
            assert lines == expected, (roots, options)
            dangling = follow and status == 1
            assert got["complete"] or dangling


def test_totals(tree):
    got = pure.usage([tree.top])
    assert got["ending"] == "complete" and got["errors"] == []
    path, depth, *sums = got["lines"][-1]
    assert (path, depth) == (os.fsdecode(tree.top), 0)
    assert sums == [got["disk_usage"], got["apparent_size"], got["inodes"]]
    every = pure.usage([tree.top], count_links=True)
    linked = {}
    for path, directories, files in os.walk(tree.top):
        for name in files:
            status = os.lstat(os.path.join(path, name))
            if status.st_nlink > 1:
                linked.setdefault(status.st_ino, []).append(status.st_blocks * 512)
    assert got["repeated_links"] == sum(len(sizes) - 1 for sizes in linked.values())
    assert every["repeated_links"] == 0
    more = sum(sum(sizes[1:]) for sizes in linked.values())
    assert every["disk_usage"] == got["disk_usage"] + more
    totals = pure.usage([tree.top, *tree.directories])
    assert [totals[key] for key in ("disk_usage", "inodes")] == [got["disk_usage"], got["inodes"]]


@needs("du")
def test_large_directories(tmp_path):
    """From 10,000 names on GNU du sorts by inode, which decides who is charged."""
    top = os.fsencode(tmp_path) + b"/large"
    os.makedirs(top + b"/z")
    os.mkdir(top + b"/a")
    for i in range(11_000):
        os.close(os.open(top + b"/%d" % i, os.O_CREAT | os.O_WRONLY))
    for i in range(0, 11_000, 500):
        with open(top + b"/%d" % i, "wb") as file:
            file.write(b"x" * 5000)
        os.link(top + b"/%d" % i, top + (b"/a/%d" if i % 1000 else b"/z/%d") % i)
    for arguments, options in (([], {}), (["-a"], {"all_files": True})):
        expected, _ = du(["du"], ["-B1", *arguments], [top])
        got = pure.usage([top], **options)
        assert [(line[2], os.fsencode(line[0])) for line in got["lines"]] == expected


@needs("du")
def test_deep(tmp_path):
    top = os.fsencode(tmp_path) + b"/deep"
    os.mkdir(top)
    below(top, [b"d" * 100] * 100)
    expected, _ = du(["du"], ["-B1"], [top])
    assert [(line[2], os.fsencode(line[0])) for line in pure.usage([top])["lines"]] == expected
    subprocess.run(["rm", "-rf", top], check=True)


def test_missing(tmp_path):
    got = pure.usage([os.fsencode(tmp_path) + b"/no", os.fsencode(tmp_path)])
    assert not got["complete"] and got["errors"] == [("stat", 2, 0, str(tmp_path) + "/no")]
    assert len(got["lines"]) == 1
