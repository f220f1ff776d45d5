# SPDX-License-Identifier: Apache-2.0
"""walk against os.walk, and scantree against os.scandir."""

import copy
import itertools
import os
import pickle
import random

import pytest
import trawl

from conftest import BIG, as_nobody, entries, kernel_threads, wait_for


def as_dict(triples):
    return {path: (sorted(directories), sorted(others)) for path, directories, others in triples}


@pytest.mark.parametrize("topdown", [True, False])
@pytest.mark.parametrize("root", [None, "/usr/share/doc"])
def test_same_triples_as_os_walk(engine, tree, topdown, root):
    root = str(root or tree)
    found = [*trawl.walk(root, topdown, implementation=engine)]
    assert as_dict(found) == as_dict(os.walk(root))
    assert len(found) == len({path for path, _, _ in found})
    seen = set()
    for path, directories, _ in found:
        below = {os.path.join(path, name) for name in directories}
        links = {each for each in below if os.path.islink(each)}
        assert not seen & below if topdown else below - links <= seen
        seen.add(path)


def test_names_in_the_order_of_the_listing(engine, tree):
    for path, directories, others in trawl.walk(tree, implementation=engine):
        listed = os.listdir(path)
        assert directories == [name for name in listed if name in directories]
        assert others == [name for name in listed if name in others]


def test_types_of_paths(engine, tree):
    for make, kind in ((str, str), (os.fsencode, bytes), (type(tree), str)):
        found = [*trawl.walk(make(tree), implementation=engine)]
        oracle = as_dict(os.walk(make(tree)))
        assert as_dict(found) == oracle
        assert {type(path) for path, _, _ in found} == {kind}
    names = {name for _, _, others in trawl.walk(os.fsencode(tree), implementation=engine)
             for name in others}  # fmt: skip
    assert b"latin\xe9.txt" in names


def test_followed_links(engine, tree):
    found = [*trawl.walk(tree, followlinks=True, implementation=engine)]
    assert as_dict(found) == as_dict(os.walk(tree, followlinks=True)) and len(found) == 9
    (tree / "b" / "loop").symlink_to("..")
    found = [path for path, _, _ in trawl.walk(tree, followlinks=True, implementation=engine)]
    assert len(found) == len(set(found)) == 9  # cycles are cut
    top = tree.parent / "top"
    top.symlink_to("tree")
    assert as_dict(trawl.walk(top, implementation=engine)) == as_dict(os.walk(top))


@pytest.mark.parametrize("kind", [str, os.fsencode])
@pytest.mark.parametrize("order", ["as it is", "sorted", "reversed", "shuffled"])
@pytest.mark.parametrize("root", [None, "/usr/share/doc"])
def test_pruning_and_order(engine, tree, root, order, kind):
    """What the caller does to the names counts, as for os.walk."""
    root = kind(root or tree)

    def run(walk, **options):
        out = []
        for path, directories, others in walk(root, **options):
            directories[:] = [name for name in directories if len(name) % 7]
            if order == "sorted":
                directories.sort()
            elif order == "reversed":
                directories.sort(reverse=True)
            elif order == "shuffled":
                directories.sort()
                random.Random(repr(path)).shuffle(directories)
            out.append((path, [*directories], sorted(others)))
        return out

    found = run(trawl.walk, implementation=engine)
    oracle = run(os.walk)
    if order == "as it is":
        assert sorted(found) == sorted(oracle)
    else:
        assert found == oracle


def test_removing_all(engine, tree):
    found = []
    for path, directories, _ in trawl.walk(tree, implementation=engine):
        found.append(path)
        directories.clear()
    assert found == [str(tree)]


def test_order_changed_in_one_place_only(engine, tree):
    for i, j in itertools.product(range(4), range(4)):
        (tree / f"n{i}" / f"m{j}" / "leaf").mkdir(parents=True)
    found = []
    for path, directories, _ in trawl.walk(tree, implementation=engine):
        found.append(path)
        if path.endswith("n2"):
            directories.sort(reverse=True)
    assert sorted(found) == sorted(path for path, _, _ in os.walk(tree))
    at = found.index(f"{tree}/n2")
    assert found[at + 1 : at + 9] == [
        f"{tree}/n2/m{j}{leaf}" for j in (3, 2, 1, 0) for leaf in ("", "/leaf")
    ]


@pytest.mark.parametrize("kind", [str, os.fsencode])
@pytest.mark.parametrize("how", ["sort", "reverse", "assign", "swap", "move"])
def test_order_that_the_names_had_counts(engine, tmp_path, how, kind):
    """Listings may be sorted by chance; then sorting them must not mean less."""

    def touch(directories):
        if how == "sort":
            directories.sort(key=before.index)
        elif how == "reverse":
            directories.reverse()
            directories.reverse()
        elif how == "assign":
            directories[:] = sorted(directories, key=before.index)
        elif how == "swap":
            directories[0], directories[0] = directories[0], directories[0]
        else:
            directories.append(directories.pop())

    for i in range(300):
        (tmp_path / f"{i:03}" / "m" / "leaf").mkdir(parents=True)
    found, expected = [], []
    for out, walk, options in (
        (expected, os.walk, {}),
        (found, trawl.walk, {"threads": 4, "implementation": engine}),
    ):
        for path, directories, _ in walk(kind(tmp_path), **options):
            out.append(path)
            before = directories[:]
            if path == kind(tmp_path):
                touch(directories)
    assert found == expected


@pytest.mark.parametrize("kind", [str, os.fsencode])
def test_names_that_are_there_twice(engine, tree, kind):
    def run(walk, **options):
        found = []
        for path, directories, _ in walk(kind(tree), **options):
            directories.sort()
            found.append(path)
            if path == kind(tree):
                directories += [*directories]
        return found

    assert run(trawl.walk, implementation=engine) == run(os.walk)


def test_names_are_lists(engine, tree):
    _, directories, _ = next(trawl.walk(tree, implementation=engine))
    assert isinstance(directories, list)
    for copied in (copy.copy(directories), pickle.loads(pickle.dumps(directories))):
        assert type(copied) is list and copied == directories


@pytest.mark.parametrize("kind", [str, os.fsencode])
def test_taking_out_does_not_order(engine, tree, kind):
    def run(walk, **options):
        found = []
        for path, directories, _ in walk(kind(tree), **options):
            found.append(path)
            for name in directories[:]:
                if name == kind("a"):
                    directories.remove(name)
        return sorted(found)

    assert run(trawl.walk, implementation=engine) == run(os.walk)


def test_added_directories_are_entered(engine, tree):
    elsewhere = tree / "empty" / "new"
    found = []
    for path, directories, _ in trawl.walk(tree, implementation=engine):
        found.append(path)
        if path == str(tree / "empty"):
            (elsewhere / "below").mkdir(parents=True)
            directories.append("new")
    assert found.count(str(elsewhere)) == 1 and str(elsewhere / "below") in found


def test_errors(engine, locked, tree):
    seen = []
    with as_nobody():
        found = as_dict(trawl.walk(locked, onerror=seen.append, implementation=engine))
        oracle = as_dict(os.walk(locked))
        assert as_dict(trawl.walk(locked, implementation=engine)) == oracle
    assert found == oracle
    assert [(type(e), e.filename) for e in seen] == [(PermissionError, f"{locked}/shut")]
    seen.clear()
    missing = str(tree / "missing")
    assert [*trawl.walk(missing, onerror=seen.append, implementation=engine)] == []
    assert [(type(e), e.filename) for e in seen] == [(FileNotFoundError, missing)]
    assert [*trawl.walk(missing, implementation=engine)] == []
    seen.clear()
    assert [*trawl.walk(tree / "top.txt", onerror=seen.append, implementation=engine)] == []
    assert [type(e) for e in seen] == [NotADirectoryError]

    def broken(error):
        raise LookupError

    with pytest.raises(LookupError):
        [*trawl.walk(missing, onerror=broken, implementation=engine)]
    with pytest.raises(ValueError):
        trawl.walk("a\0b", implementation=engine)
    for options in ({"max_depth": -1}, {"threads": 0}):
        with pytest.raises(ValueError):
            trawl.walk(tree, implementation=engine, **options)


def test_options(engine, tree):
    found = as_dict(trawl.walk(tree, max_depth=1, implementation=engine))
    assert set(found) == {str(tree), *(f"{tree}/{name}" for name in ("a", "b", "empty"))}
    path_filter = trawl.PathFilter(["a", "*.txt"], root=tree)
    found = as_dict(trawl.walk(tree, path_filter=path_filter, implementation=engine))
    assert set(found) == {str(tree), f"{tree}/b", f"{tree}/empty"}
    assert found[str(tree)][1] == []
    for threads in (1, 2, 16):
        again = as_dict(trawl.walk(tree, threads=threads, implementation=engine))
        assert again == as_dict(os.walk(tree))
    with pytest.raises(ZeroDivisionError):
        [*trawl.walk(tree, path_filter=lambda path: 1 / 0, implementation=engine)]


def test_sorted_with_depth_and_links(engine, tree):
    """What is never given must not be waited for until the end."""
    found = []
    for path, directories, _ in trawl.walk(tree, max_depth=1, implementation=engine):
        directories.sort(reverse=True)
        found.append(path)
    assert found == [f"{tree}{name}" for name in ("", "/empty", "/b", "/a")]


def test_links_are_not_waited_for(engine, tmp_path):
    """They have no triple, unless followed; the rest would be kept in memory until the end."""
    for name in ("l", "m"):
        (tmp_path / name).symlink_to("/usr")
    for i in range(3000):
        (tmp_path / "big" / f"{i}").mkdir(parents=True)
    walker = trawl.walk(tmp_path, implementation=engine)
    _, directories, _ = next(walker)
    links = [name for name in directories if name != "big"]
    directories[:] = [*reversed(links), "big"]
    path, _, _ = next(walker)
    assert path == str(tmp_path / "big")
    assert not walker.gi_frame.f_locals["self"]._ahead
    assert len([*walker]) == 3000


@pytest.mark.parametrize("call", [trawl.walk, trawl.scantree])
def test_dropping_the_iterator_ends_the_walk(engine, call):
    before = kernel_threads()
    iterator = call(BIG, implementation=engine)
    next(iterator)
    del iterator
    assert wait_for(lambda: kernel_threads() <= before)
    iterator = call(BIG, implementation=engine)
    next(iterator)
    iterator.close()
    assert wait_for(lambda: kernel_threads() <= before)


@pytest.mark.parametrize("metadata", [False, True])
def test_entries_are_scandirs(engine, tree, metadata):
    found = {e.path: e for e in trawl.scantree(tree, metadata=metadata, implementation=engine)}
    assert sorted(found) == sorted(entries(tree))
    for path, entry in found.items():
        (oracle,) = (e for e in os.scandir(os.path.dirname(path)) if e.path == path)
        assert entry.name == oracle.name and os.fspath(entry) == path
        assert entry.is_symlink() == oracle.is_symlink()
        assert entry.inode() == oracle.inode()
        for follow in (True, False):
            assert entry.is_dir(follow_symlinks=follow) == oracle.is_dir(follow_symlinks=follow)
            assert entry.is_file(follow_symlinks=follow) == oracle.is_file(follow_symlinks=follow)
            if path.endswith("broken") and follow:
                with pytest.raises(FileNotFoundError):
                    entry.stat()
                continue
            ours, theirs = (e.stat(follow_symlinks=follow) for e in (entry, oracle))
            assert tuple(ours)[:7] == tuple(theirs)[:7]
            assert ours.st_mtime_ns == theirs.st_mtime_ns and ours.st_mtime == theirs.st_mtime
            assert ours.st_blocks == theirs.st_blocks
        assert entry.depth == path[len(str(tree)) :].count("/") and repr(path) in repr(entry)


def test_scantree_options(engine, tree, locked):
    def names(**options):
        return sorted(e.name for e in trawl.scantree(tree, implementation=engine, **options))

    assert names(max_depth=1) == ["a", "b", "empty", "top.txt"]
    assert names(min_depth=3) == ["bottom.TXT", "er"]
    assert names(max_depth=0, min_depth=0) == ["tree"]
    assert "x.c" not in names(path_filter=trawl.PathFilter(["*.c"]))
    assert names(follow_symlinks=True, max_depth=1) == names(max_depth=1)
    assert names(one_file_system=True, threads=2, max_duration=60) == names()
    with pytest.raises(FileNotFoundError):
        [*trawl.scantree(tree / "missing", implementation=engine)]
    with pytest.raises(NotADirectoryError):
        [*trawl.scantree(tree / "top.txt", implementation=engine)]
    for options in ({"max_depth": -1}, {"min_depth": -1}, {"threads": 0}, {"max_duration": -1}):
        with pytest.raises(ValueError):
            trawl.scantree(tree, implementation=engine, **options)
    seen = []
    with as_nobody():
        assert len([*trawl.scantree(locked, onerror=seen.append, implementation=engine)]) == 3
    assert [error.filename for error in seen] == [f"{locked}/shut"]
