# SPDX-License-Identifier: Apache-2.0
"""The orders of `trawl list`, against real rsync and Python's sort, over random trees with names that sort badly.

Such names: bytes around '/', bytes from 0x80 on, names that are beginnings of others. TRAWL_SEED=N repeats
one tree, TRAWL_ROUNDS is their number (default 12).
"""

import os
import random
import re
import shutil
import stat
import subprocess

import pytest

PIECES = [b"a", b"b", b"-", b".", b"0", b" ", b"!", b"\x01", b"\x7f", b"\x80", b"\xff", b"\xc3\xa9", b"~",
          b"\n", b"\\", b"#", b"\\#0"]  # fmt: skip
TAILS = [b"-", b".", b"0", b" ", b"\x01", b"\xff", b".-", b".."]
ORDERS = ["component", "bytes", "rsync", "rsync28"]
THREADS = [1, 2, 16, 64]

needs_rsync = pytest.mark.skipif(not shutil.which("rsync"), reason="no rsync")


def seeds():
    if os.environ.get("TRAWL_SEED"):
        return [int(os.environ["TRAWL_SEED"])]
    return range(1, 1 + int(os.environ.get("TRAWL_ROUNDS", 12)))


def some_name(rng):
    while True:
        name = b"".join(rng.choices(PIECES, k=rng.randint(1, 3)))
        if name not in (b"", b".", b".."):
            return name


def fill(rng, directory, level=0):
    names = {some_name(rng) for _ in range(rng.randint(0, 9))}
    names |= {name + rng.choice(TAILS) for name in sorted(names) if rng.random() < 0.4}
    for name in sorted(names):
        path = os.path.join(directory, name)
        kind = rng.random()
        if kind < 0.45 and level < 4:
            os.mkdir(path)
            fill(rng, path, level + 1)
        elif kind < 0.55:
            os.symlink(rng.choice([b"nowhere", b".", b"a"]), path)
        elif kind < 0.6:
            os.mkfifo(path)
        else:
            with open(path, "wb") as file:
                file.write(b"x" * rng.choice([0, 1, 5000]))


@pytest.fixture(params=seeds())
def tree(request, tmp_path):
    root = os.fsencode(tmp_path / "tree")
    os.mkdir(root)
    fill(random.Random(request.param), root)
    return root


def paths_of(tree):
    """Relative paths, and which are directories."""
    found = {b"": True}
    for directory, names, files in os.walk(tree):
        for name in names + files:
            path = os.path.join(directory, name)
            found[path[len(tree) + 1 :]] = stat.S_ISDIR(os.lstat(path).st_mode)
    return found


def run(arguments, **options):
    result = subprocess.run(arguments, capture_output=True, timeout=120, **options)
    assert result.returncode == 0, result.stderr
    return result.stdout


def listed(trawl_path, tree, order, *options):
    out = run([trawl_path, "list", "-0", "--relative", f"--order={order}", *options, tree])
    assert out.endswith(b"\0")
    return out[:-1].split(b"\0")


def rsync_lists(tree, *options):
    """As `rsync --list-only` has them; what it prints as \\#ooo are bytes."""
    out = run(["rsync", "-rlD", "-8", "--list-only", "--no-inc-recursive", *options, tree + b"/"])
    names = []
    for line in out.split(b"\n")[:-1]:
        kind, name = re.fullmatch(rb"(\S)\S+ +[\d,]+ \S+ \S+ (.*)", line).groups()
        names.append(re.sub(rb"\\#([0-7]{3})", lambda byte: bytes([int(byte[1], 8)]),
                            name.rpartition(b" -> ")[0] if kind == b"l" else name))  # fmt: skip
    return names


# --- rsync -----------------------------------------------------------------------------------------


@needs_rsync
@pytest.mark.parametrize("order, protocol", [("rsync", []), ("rsync", ["--protocol=29"]),
                                             ("rsync28", ["--protocol=28"])])  # fmt: skip
def test_as_rsync_lists_it(trawl_path, tree, order, protocol):
    assert listed(trawl_path, tree, order) == rsync_lists(tree, *protocol)


@needs_rsync
@pytest.mark.parametrize("order", ["rsync", "rsync28", "unordered"])
def test_rsync_takes_the_list(trawl_path, tree, tmp_path, order):
    what = "-lptgoD" if os.geteuid() == 0 else "-lptD"
    source, target = tree + b"/", os.fsencode(tmp_path / "target") + b"/"
    os.mkdir(target)
    # rsync takes what begins with # or ; for a comment, with --from0 too.
    names = b"".join((b"./" + name if name[:1] in b"#;" else name) + b"\0"
                     for name in listed(trawl_path, tree, order))  # fmt: skip
    run(["rsync", "--from0", "--files-from=-", what, source, target], input=names)
    assert run(["rsync", "-n", "--itemize-changes", "--delete", "-r", what, source, target]) == b""
    assert paths_of(tree) == paths_of(target[:-1])


@needs_rsync
def test_rsync_takes_paths_from_a_dot(trawl_path, tree, tmp_path):
    """As the manual has it: no name begins with anything but a dot."""
    target = os.fsencode(tmp_path / "target")
    names = run([trawl_path, "list", "-0", "--order=rsync"], cwd=tree)
    run(["rsync", "--from0", "--files-from=-", "-lptD", b".", target], input=names, cwd=tree)
    assert paths_of(tree) == paths_of(target)


# --- the others ------------------------------------------------------------------------------------


def component_key(path):
    return path.split(b"/") if path else []


@pytest.mark.parametrize("order, key", [("component", component_key), ("bytes", None)])
def test_as_python_sorts_it(trawl_path, tree, order, key):
    expected = [path or b"." for path in sorted(paths_of(tree), key=key)]
    assert listed(trawl_path, tree, order) == expected


def test_unordered_has_parents_first(trawl_path, tree):
    names = listed(trawl_path, tree, "unordered")
    assert sorted(names) == sorted(path or b"." for path in paths_of(tree))
    met = set()
    for name in names:
        parent = os.path.dirname(name) or b"."
        assert name == b"." or parent in met, name
        met.add(name)


@pytest.mark.parametrize("order", ORDERS)
def test_the_same_for_any_number_of_workers(trawl_path, tree, order):
    lists = [listed(trawl_path, tree, order, f"--threads={threads}") for threads in THREADS]
    assert all(each == lists[0] for each in lists)


@pytest.mark.parametrize("threads", [1, 2, 16])
def test_parents_come_first_in_a_big_tree(trawl_path, tmp_path, threads):
    """Workers that steal write into other buffers than those who listed the parent."""
    for i in range(40):
        for j in range(25):
            (tmp_path / f"{i}" / f"{j}" / "x" / "y").mkdir(parents=True)
            (tmp_path / f"{i}" / f"{j}" / "file").touch()
    for _ in range(5):
        met = set()
        for name in listed(trawl_path, os.fsencode(tmp_path), "unordered", f"--threads={threads}"):
            assert name == b"." or (os.path.dirname(name) or b".") in met
            met.add(name)
        assert len(met) == 1 + 40 * (1 + 25 * 4)
