# SPDX-License-Identifier: Apache-2.0
"""PathFilter: verdicts of paths, with git's as the oracle, and that walks agree with them."""

import asyncio
import copy
import os
import pickle
import subprocess
from pathlib import Path

import pytest
import trawl

from conftest import entries


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "work"
    (root / "src" / "build").mkdir(parents=True)
    (root / "node_modules" / "x").mkdir(parents=True)
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    subprocess.run(["git", "init", "-q", str(root)], check=True, env=environment)
    (root / ".gitignore").write_text("*.o\nnode_modules/\n/src/build\n!keep.o\n")
    (root / "src" / ".gitignore").write_text("*.tmp\n")
    for name in ("a.c", "a.o", "keep.o", "src/b.c", "src/b.o", "src/c.tmp", "src/build/out",
                 "node_modules/x/index.js", "top.tmp"):  # fmt: skip
        (root / name).write_text("")
    return root


def git_ignores(root, path):
    return subprocess.run(
        ["git", "-C", str(root), "check-ignore", "-q", "--no-index", path], check=False
    ).returncode == 0  # fmt: skip


def test_verdicts_are_gits(engine, repository):
    path_filter = trawl.PathFilter.from_git_root(repository / "src", implementation=engine)
    assert path_filter.root == os.path.realpath(repository)
    for path in entries(repository):
        if "/.git/" in path or path.endswith("/.git"):
            assert path_filter.match(path)
        else:
            assert path_filter.match(path) == git_ignores(repository, path), path


def test_walks_agree(engine, repository):
    path_filter = trawl.PathFilter.from_git_root(repository, implementation=engine)
    for root in (repository, repository / "src"):
        found = trawl.scan_sync(
            root, path_filter=path_filter, add_directories=True, implementation=engine
        )
        expected = [path for path in entries(root) if not path_filter.match(path)]
        assert sorted(map(str, found)) == sorted(expected)
    names = {path.name for path in found}
    assert names == {"b.c", ".gitignore"}


def test_one_filter_serves_both_engines(repository):
    path_filter = trawl.PathFilter(["*.o"], root=repository, implementation="python")
    engines = ["python", "native"] if trawl.is_native_available() else ["python"]
    answers = [
        sorted(trawl.scan_directory_parallel(
            repository, path_filter=path_filter, implementation=each))
        for each in engines
    ]  # fmt: skip
    assert all(answer == answers[0] for answer in answers)
    assert not [path for path in answers[0] if path.endswith(".o")]


def test_takes_paths_of_every_kind(engine, tmp_path, monkeypatch):
    root = tmp_path / "data"
    root.mkdir()
    path_filter = trawl.PathFilter(["*.o", "/only/"], root=root, implementation=engine)
    for make in (str, os.fsencode, Path):
        assert path_filter.match(make(root / "x.o"))
        assert not path_filter.match(make(root / "x.c"))
    assert not path_filter.match(root)
    # Relative: to the current directory if that leads below the root, else to the root.
    monkeypatch.chdir(tmp_path)
    assert path_filter.match("data/only/x") and not path_filter.match("data/data/only/x")
    assert path_filter.match("only/x") and path_filter.match("x.o")
    assert not path_filter.match("x.c") and not path_filter.match("sub/only/x")
    monkeypatch.chdir(root)
    assert path_filter.match("only/x") and path_filter.match("./x.o")
    # Through a link.
    (tmp_path / "link").symlink_to("data")
    assert path_filter.match(tmp_path / "link" / "x.o")
    assert not path_filter.match(tmp_path / "link" / "x.c")
    with pytest.raises(ValueError):
        path_filter.match("a\0b")


def test_outside_of_the_root_is_left_out(engine, tmp_path):
    path_filter = trawl.PathFilter(["*.o"], root=tmp_path / "x", implementation=engine)
    assert path_filter.match(tmp_path / "y.c")
    assert path_filter.explain("/etc/passwd") == trawl.FilterVerdict("outside")
    assert path_filter.match("../y.c") is True


def test_directories(engine, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("there")
    path_filter = trawl.PathFilter(
        ["there/", "file/", "link/", "new/"], root=tmp_path, implementation=engine
    )
    assert path_filter.match(tmp_path / "there")  # it is one on disk
    assert not path_filter.match(tmp_path / "file")
    assert not path_filter.match(tmp_path / "link")  # to git, no directory
    assert not path_filter.match(tmp_path / "new")
    assert path_filter.match(f"{tmp_path}/new/")
    assert path_filter.match(tmp_path / "new", is_dir=True)
    assert not path_filter.match(tmp_path / "there", is_dir=False)


def test_explain(engine, repository):
    path_filter = trawl.PathFilter.from_git_root(repository, implementation=engine)
    verdict = path_filter.explain(repository / "src" / "b.o")
    assert verdict == ("ignored", ".gitignore", 1, "*.o") and verdict.left_out
    verdict = path_filter.explain(repository / "keep.o")
    assert verdict == ("included", ".gitignore", 4, "!keep.o") and not verdict.left_out
    assert path_filter.explain(repository / "a.c") == ("none", "", 0, "")
    assert path_filter.explain(repository / ".git" / "HEAD").pattern == ".git"
    hidden = trawl.PathFilter(hidden=True, root=repository, implementation=engine)
    assert hidden.explain(repository / ".x").verdict == "hidden"


def test_custom(engine, tmp_path):
    asked = []

    def custom(path):
        asked.append(path)
        return path.endswith("no")

    path_filter = trawl.PathFilter(
        ["*.o"], custom=custom, root=tmp_path, implementation=engine
    )
    assert path_filter.match(tmp_path / "no") and path_filter.match(tmp_path / "no" / "below")
    assert not path_filter.match(tmp_path / "yes")
    assert path_filter.explain(tmp_path / "no").verdict == "custom"
    asked.clear()
    assert path_filter.match(tmp_path / "x.o") and asked == []


def test_every_option(engine, tmp_path):
    root = tmp_path / "r"
    (root / "sub").mkdir(parents=True)
    (root / "cached").mkdir()
    (root / ".hid").write_text("")
    (root / "a.X").write_text("")
    (root / "a.y").write_text("")
    (root / "b.z").write_text("")
    (root / ".ignore").write_text("*.y\n")
    (root / ".gitignore").write_text("*.z\n")
    (root / "cached" / "CACHEDIR.TAG").write_text(
        "Signature: 8a477f597d28d172789f06886806bc55"
    )
    (root / "cached" / "thing").write_text("")
    (tmp_path / ".ignore").write_text("*.X\n")
    (tmp_path / "mine").write_text("b.*\n")

    def left(**options):
        path_filter = trawl.PathFilter(
            **{"root": root, "implementation": engine, **options}
        )
        found = trawl.scan_directory_parallel(
            root, path_filter=path_filter, implementation=engine
        )
        everything = entries(root, False)
        if "caches" not in options:  # match() does not look into directories for tags
            assert sorted(found) == sorted(p for p in everything if not path_filter.match(p))
        gone = set(everything) - set(found)
        return sorted(os.path.relpath(path, root) for path in gone)

    assert left() == []
    assert left(patterns="*.y\n*.z") == ["a.y", "b.z"]
    assert left(patterns=[b"*.y"]) == ["a.y"]
    assert left(hidden=True) == [".gitignore", ".hid", ".ignore"]
    assert left(names=[".ignore"]) == ["a.X", "a.y"]
    assert left(names=[".ignore"], parents=False) == ["a.y"]
    assert left(git=True, git_global=False) == ["b.z"]
    assert left(git=True, git_global=False, require_git=True) == []
    assert left(files=[tmp_path / "mine"]) == ["b.z"]
    assert left(patterns=["*.x"]) == [] and left(patterns=["*.x"], ignore_case=True) == ["a.X"]
    assert left(caches=True) == ["cached/thing"]


def test_git_leaves_its_own_out(engine, repository):
    path_filter = trawl.PathFilter(git=True, root=repository, implementation=engine)
    assert path_filter.match(repository / ".git")
    back = trawl.PathFilter(["!.git"], git=True, root=repository, implementation=engine)
    assert not back.match(repository / ".git")


def test_outside_of_a_repository(engine, tmp_path):
    (tmp_path / ".gitignore").write_text("*.o\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".gitignore").write_text("*.p\n")
    path_filter = trawl.PathFilter.from_git_root(tmp_path / "sub", implementation=engine)
    assert path_filter.root == str(tmp_path / "sub")
    assert path_filter.match(tmp_path / "sub" / "x.p")
    assert not path_filter.match(tmp_path / "sub" / "x.o")


async def coroutine(path):
    return False


class Asynchronous:
    async def __call__(self, path):
        return False


class AsynchronousMatcher:
    async def match(self, path):
        return False


@pytest.mark.parametrize("path_filter", [coroutine, Asynchronous(), AsynchronousMatcher()])
def test_coroutines_are_no_filters(engine, tree, path_filter):
    for call in (trawl.scan_sync, trawl.walk, trawl.scan_incremental, trawl.scan_table):
        with pytest.raises(TypeError, match="async def"):
            call(tree, path_filter=path_filter, implementation=engine)


@pytest.mark.parametrize("error", [StopIteration, StopAsyncIteration])
def test_filters_can_not_end_a_loop(engine, tree, error):
    """What such an error means to a loop is that there is no more."""

    def broken(path):
        raise error("mine")

    class Matcher:
        def match(self, path):
            raise error("mine")

    async def batches(path_filter):
        scan = trawl.scan_incremental(tree, path_filter=path_filter, implementation=engine)
        return [batch async for batch in scan]

    for path_filter in (broken, Matcher(), trawl.PathFilter(custom=broken)):
        for call in (trawl.walk, trawl.scantree, trawl.scan_incremental, trawl.scan_sync):
            with pytest.raises(RuntimeError, match=error.__name__):
                [*call(tree, path_filter=path_filter, implementation=engine)]
        for awaited in (
            batches(path_filter),
            trawl.scan(tree, path_filter=path_filter, implementation=engine),
        ):
            with pytest.raises(RuntimeError, match=error.__name__):
                asyncio.run(awaited)


def test_bad_arguments(tmp_path):
    for options, error in (
        ({"patterns": 3}, TypeError),
        ({"patterns": ["a\0b"]}, ValueError),
        ({"names": ".ignore"}, TypeError),
        ({"custom": 3}, TypeError),
        ({"files": "/x"}, TypeError),
        ({"files": b"/x"}, TypeError),
        ({"files": tmp_path}, TypeError),
        ({"custom": coroutine}, TypeError),
        ({"root": "a\0b"}, ValueError),
    ):
        with pytest.raises(error):
            trawl.PathFilter(**{"implementation": "python", **options})


def test_errors_are_told(engine, tmp_path):
    (tmp_path / ".gitignore").symlink_to("elsewhere")
    path_filter = trawl.PathFilter(git=True, root=tmp_path, implementation=engine)
    assert path_filter.match(tmp_path / "x") is False
    assert [Path(path).name for path, _ in path_filter.errors] == [".gitignore"]


def is_source(path):
    return path.endswith(".c")


def test_copies(engine, repository):
    made = trawl.PathFilter(
        ["*.x"], root=repository, git=True, custom=is_source, implementation=engine
    )
    made.match("a.o")
    for copied in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert copied.root == made.root and copied.errors == []
        for path in entries(repository):
            assert copied.explain(path) == made.explain(path)
        (found, expected) = (
            sorted(trawl.scan_sync(repository, path_filter=each, implementation=engine))
            for each in (copied, made)
        )
        assert found == expected
    with pytest.raises((AttributeError, pickle.PicklingError, TypeError)):
        pickle.dumps(trawl.PathFilter(custom=lambda path: False, implementation=engine))


def test_disk_is_not_asked_about_paths_below_the_root(engine, tmp_path, monkeypatch):
    path_filter = trawl.PathFilter(["*.o"], root=tmp_path, implementation=engine)
    (tmp_path / "link").symlink_to(".")
    monkeypatch.chdir("/")
    assert path_filter.match(f"{tmp_path}/link/../link/x.o")

    def asked(path):
        raise LookupError(path)

    monkeypatch.setattr(os.path, "realpath", asked)
    assert path_filter.match(tmp_path / "x.o", is_dir=False)
    with pytest.raises(LookupError):
        path_filter.match("x.o")
