# SPDX-License-Identifier: Apache-2.0
"""scan, scan_sync, scan_directory_parallel: what they find, and what they do with bad input."""

import asyncio
import os
import threading
import time
from pathlib import Path

import pytest
import trawl

from conftest import as_nobody, entries

SYNC = [trawl.scan_sync, trawl.scan_directory_parallel]


def strings(result):
    return sorted(map(str, result))


def run_scan(root, **options):
    return asyncio.run(trawl.scan(root, **options))


@pytest.mark.parametrize("call", [run_scan, *SYNC])
@pytest.mark.parametrize("directories", [False, True])
def test_finds_what_scandir_finds(engine, tree, call, directories):
    result = call(tree, add_directories=directories, implementation=engine)
    assert strings(result) == sorted(entries(tree, directories))
    assert result.complete and result.ending == "complete" and not result.timed_out
    assert list(result.errors) == [] and result.elapsed > 0


def test_gives_paths_or_strings_in_lists(engine, tree):
    paths = run_scan(tree, implementation=engine)
    assert isinstance(paths, list) and {type(each) for each in paths} == {type(Path())}
    texts = trawl.scan_directory_parallel(str(tree), True, None, implementation=engine)
    assert isinstance(texts, list) and {type(each) for each in texts} == {str}
    assert sorted(texts) == sorted(entries(tree))


def test_names_are_lossless(engine, tree):
    result = trawl.scan_sync(tree, implementation=engine)
    names = {os.fsencode(each.name) for each in result}
    assert {b"latin\xe9.txt", b"-dash and\nnewline"} <= names
    assert all(os.path.lexists(each) for each in result)


@pytest.mark.parametrize("make", [str, os.fsencode, Path])
def test_takes_every_kind_of_path(engine, tree, make):
    assert len(trawl.scan_sync(make(tree), implementation=engine)) == 9


def test_paths_begin_with_the_root_as_given(engine, tree, monkeypatch):
    monkeypatch.chdir(tree)
    assert "./a/x.c" in trawl.scan_directory_parallel(".", implementation=engine)
    assert "a/x.c" in trawl.scan_directory_parallel("a", implementation=engine)
    assert Path("a/x.c") in trawl.scan_sync(".", implementation=engine)


def test_max_depth(engine, tree):
    for depth in range(5):
        found = trawl.scan_sync(
            tree, add_directories=True, max_depth=depth, implementation=engine
        )
        expected = [p for p in entries(tree) if p[len(str(tree)) :].count("/") <= depth]
        assert strings(found) == sorted(expected)


def test_links(engine, tree):
    found = strings(trawl.scan_sync(tree, implementation=engine))
    assert f"{tree}/b/to_a" in found and f"{tree}/b/broken" in found
    (tree / "b" / "loop").symlink_to("..")
    found = trawl.scan_sync(tree, follow_symlinks=True, implementation=engine)
    real = {os.path.realpath(each) for each in found}
    assert f"{tree}/a/x.c" in real and len(found) == len(real)  # each directory once
    assert f"{tree}/b/broken" in strings(found)
    link = tree.parent / "link"
    link.symlink_to("tree")
    assert len(trawl.scan_sync(link, implementation=engine)) == 10  # a root is followed


@pytest.mark.parametrize("call", [run_scan, *SYNC])
def test_filters_of_every_kind(engine, tree, call):
    class Toads:
        def match(self, path):
            assert isinstance(path, Path)
            return path.name in ("b", "a")

    expected = [p for p in entries(tree, False) if "/a/" not in p and "/b/" not in p]
    for path_filter in (
        trawl.PathFilter(["a/", "/b"], root=tree),
        Toads(),
        lambda path: os.path.basename(path) in ("a", "b"),
        trawl.PathFilter(custom=lambda path: path.endswith(("/a", "/b"))),
    ):
        found = call(tree, path_filter=path_filter, implementation=engine)
        assert strings(found) == sorted(expected)


def test_filter_works_inside_the_walk(engine, tree):
    asked = []

    def leave_out(path):
        asked.append(path)
        return path.endswith("/a")

    trawl.scan_sync(tree, path_filter=leave_out, implementation=engine)
    assert not [path for path in asked if "/a/" in path]
    assert str(tree) not in asked  # never about the root
    assert sorted(asked) == sorted(p for p in entries(tree) if "/a/" not in p)


@pytest.mark.parametrize("call", [run_scan, *SYNC])
def test_what_a_filter_raises_comes_out(engine, tree, call):
    def broken(path):
        raise LookupError(path)

    with pytest.raises(LookupError):
        call(tree, path_filter=broken, implementation=engine)

    class Broken:
        def match(self, path):
            raise LookupError(path)

    with pytest.raises(LookupError):
        call(tree, path_filter=Broken(), implementation=engine)
    with pytest.raises(TypeError, match="path_filter"):
        call(tree, path_filter=3, implementation=engine)


def slow(path):
    time.sleep(0.001)
    return False


@pytest.mark.parametrize("call", [run_scan, *SYNC])
def test_timeout_gives_what_was_found(engine, call):
    begin = time.monotonic()
    result = call("/usr/share", path_filter=slow, max_duration=0.3, implementation=engine)
    assert time.monotonic() - begin < 5
    assert result.timed_out and not result.complete and result.ending == "timed_out"
    assert len(result) < 2000
    result = call("/usr/share", max_duration=0, implementation=engine)
    assert result.timed_out and not result.complete


def test_defaults_are_toads(engine):
    import inspect

    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(trawl.scan).parameters.items()
    }
    assert defaults["max_duration"] == 5.0 and defaults["max_simultaneous"] == 5
    assert defaults["add_directories"] is False and defaults["path_filter"] is None
    assert list(inspect.signature(trawl.scan_directory_parallel).parameters)[:3] == [
        "root",
        "add_directories",
        "max_duration",
    ]


@pytest.mark.parametrize("workers", [None, 1, 2, 16, 64])
def test_workers_change_nothing(engine, tree, workers):
    found = trawl.scan_sync(tree, max_simultaneous=workers, implementation=engine)
    assert strings(found) == sorted(entries(tree, False))


@pytest.mark.parametrize("call", [run_scan, *SYNC])
@pytest.mark.parametrize(
    "options, error",
    [
        ({"max_simultaneous": 0}, ValueError),
        ({"max_simultaneous": -1}, ValueError),
        ({"max_simultaneous": 10**6}, ValueError),
        ({"max_simultaneous": 1.5}, TypeError),
        ({"max_duration": -1}, ValueError),
        ({"max_duration": float("nan")}, ValueError),
        ({"max_depth": -1}, ValueError),
        ({"implementation": "rust"}, ValueError),
    ],
)
def test_bad_arguments(tree, call, options, error):
    with pytest.raises(error):
        call(tree, **{"implementation": "python", **options})


@pytest.mark.parametrize("call", [run_scan, *SYNC])
def test_bad_roots(engine, tree, call):
    with pytest.raises(FileNotFoundError) as caught:
        call(tree / "missing", implementation=engine)
    assert caught.value.filename == str(tree / "missing")
    with pytest.raises(FileNotFoundError):
        call("", implementation=engine)
    with pytest.raises(NotADirectoryError):
        call(tree / "top.txt", implementation=engine)
    with pytest.raises(NotADirectoryError):
        call(tree / "top.txt" / "below", implementation=engine)
    with pytest.raises(ValueError, match="null"):
        call("a\0b", implementation=engine)
    with pytest.raises(TypeError):
        call(3, implementation=engine)
    (tree / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="[Ss]ymbolic"):
        call(tree / "loop", implementation=engine)


@pytest.mark.parametrize("call", [run_scan, *SYNC])
def test_what_cannot_be_read_is_said(engine, locked, call):
    with as_nobody():
        result = call(locked, add_directories=True, implementation=engine)
        assert len(result) == 3 and not result.complete and result.ending == "complete"
        (error,) = result.errors
        assert error.path == f"{locked}/shut" and error.depth == 1 and error.errno == 13
        assert error.operation == "open"
        assert str(error) == str(PermissionError(13, os.strerror(13), f"{locked}/shut"))
        assert isinstance(error.to_exception(), PermissionError)
        with pytest.raises(PermissionError) as caught:
            call(f"{locked}/shut", implementation=engine)
    assert caught.value.filename == f"{locked}/shut"


@pytest.mark.parametrize("call", SYNC)
def test_token_ends_it(engine, call):
    token = trawl.CancelToken()
    threading.Timer(0.1, token.cancel).start()
    begin = time.monotonic()
    result = call("/usr/share", path_filter=lambda path: time.sleep(0.0001), max_duration=None,
                  max_simultaneous=2, cancel=token, implementation=engine)  # fmt: skip
    assert time.monotonic() - begin < 4
    assert result.ending == "cancelled" and not result.complete and token.cancelled
    result = call("/usr", max_duration=None, cancel=token, implementation=engine)
    assert result.ending == "cancelled" and not result.complete


@pytest.mark.parametrize("call", [run_scan, *SYNC])
def test_progress_function(engine, call):
    seen = []
    result = call("/usr/share/doc", progress=seen.append, path_filter=lambda p: time.sleep(1e-4),
                  max_depth=2, max_duration=0.6, implementation=engine)  # fmt: skip
    assert seen and seen == sorted(seen) and len(result) > 0

    def broken(entries):
        raise LookupError(entries)

    with pytest.raises(LookupError):
        call("/usr/share", path_filter=slow, progress=broken, implementation=engine)
    with pytest.raises(ValueError, match="progress"):
        call("/usr/share", progress="bells", implementation=engine)


def test_order_is_free_but_repeats_are_equal(engine):
    root = "/usr/share/doc"
    once = trawl.scan_directory_parallel(root, implementation=engine)
    again = trawl.scan_directory_parallel(root, implementation=engine)
    assert sorted(once) == sorted(again) == sorted(entries(root, False))
