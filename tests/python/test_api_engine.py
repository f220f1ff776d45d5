# SPDX-License-Identifier: Apache-2.0
"""Which engine is used, what importing costs, types, and bars of progress."""

import copy
import importlib
import io
import os
import pathlib
import pickle
import re
import subprocess
import sys
import threading
import time
import types
from decimal import Decimal
from fractions import Fraction

import pytest
import trawl

from conftest import BIG

PYTHON = pathlib.Path(trawl.__file__).resolve().parent.parent


def run(code, *arguments, environment=None, options=()):
    return subprocess.run(
        [sys.executable, *options, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, env={**os.environ, **(environment or {})}, check=False,
    )  # fmt: skip


def test_everything_is_exported():
    for name in trawl.__all__:
        assert getattr(trawl, name) is not None
        assert name in dir(trawl)
    assert re.match(r"\d+\.\d+", trawl.__version__)
    assert isinstance(trawl.scan, types.FunctionType)  # no module of the same name
    with pytest.raises(AttributeError, match="colour"):
        trawl.colour
    # What type checkers see, and what is there, are the same.
    source = (pathlib.Path(trawl.__file__)).read_text()
    declared = set(re.findall(r"^    from \._\w+ import \w+ as (\w+)$", source, re.M))
    assert declared == set(trawl.__all__) == set(trawl._MODULES)


def test_star_import_keeps_the_builtins():
    result = run("from trawl import *; assert list((1, 2)) == [1, 2]; print(scan.__name__)")
    assert result.stdout == "scan\n", result.stderr


def test_choice(monkeypatch):
    available = trawl.is_native_available()
    monkeypatch.delenv("TRAWL_IMPLEMENTATION", raising=False)
    assert trawl.implementation() == ("native" if available else "python")
    assert trawl.implementation("python") == "python"
    monkeypatch.setenv("TRAWL_IMPLEMENTATION", "python")
    assert trawl.implementation() == "python"
    monkeypatch.setenv("TRAWL_IMPLEMENTATION", "auto")
    assert trawl.implementation() == ("native" if available else "python")
    monkeypatch.setenv("TRAWL_IMPLEMENTATION", "fast")
    with pytest.raises(ValueError, match="TRAWL_IMPLEMENTATION"):
        trawl.implementation()
    with pytest.raises(ValueError):
        trawl.implementation("rust")
    monkeypatch.setenv("TRAWL_IMPLEMENTATION", "native")
    if available:
        assert trawl.implementation() == "native"
    else:
        with pytest.raises(ImportError):
            trawl.implementation()


MISSING = "import sys; sys.modules['trawl._native'] = None\n"


def test_one_warning_if_native_is_missing(tree):
    code = MISSING + """
import asyncio, warnings
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    import trawl
    assert not seen
    asyncio.run(trawl.scan(sys.argv[1]))
    trawl.scan_sync(sys.argv[1])
    trawl.DirectoryProfiler()
    list(trawl.walk(sys.argv[1]))
(warning,) = seen
assert warning.category is trawl.FallbackWarning and issubclass(warning.category, RuntimeWarning)
assert warning.filename == "<string>", warning.filename
assert not trawl.is_native_available()
try:
    trawl.scan_sync(sys.argv[1], implementation="native")
except ImportError as error:
    print(error.name)
"""
    environment = {"TRAWL_IMPLEMENTATION": ""}
    result = run(code, tree, environment=environment)
    assert result.stdout == "trawl._native\n", result.stderr


def test_no_warning_if_python_is_asked_for(tree):
    code = MISSING + """
import trawl
trawl.scan_sync(sys.argv[1], implementation=sys.argv[2] or None)
print("ok")
"""
    for implementation, chosen in (("python", ""), ("", "python")):
        result = run(
            code, tree, implementation, environment={"TRAWL_IMPLEMENTATION": chosen},
            options=("-W", "error"),
        )  # fmt: skip
        assert result.stdout == "ok\n", result.stderr


def test_import_time():
    def taken(code, name):
        best = min(
            int(re.search(rf"(\d+) \| *{name}$", run(
                code, options=("-X", "importtime")).stderr, re.M)[1])
            for _ in range(5)
        )  # fmt: skip
        return best / 1000

    print(f"import trawl: {taken('import trawl', 'trawl'):.1f} ms")
    code = "import trawl; trawl.scan_sync"
    modules = run(
        "import sys; before = set(sys.modules); import trawl; print(*set(sys.modules) - before)"
    ).stdout.split()
    assert modules == ["trawl"]
    heavy = run(code + "; import sys; print(*sys.modules)").stdout.split()
    assert not {"asyncio", "rich", "tqdm", "polars", "pandas", "pyarrow", "dataclasses"} & {*heavy}


TYPED = '''
import asyncio
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import trawl


async def main() -> None:
    result = await trawl.scan(Path("."), path_filter=trawl.PathFilter(["*.o"], git=True))
    paths: List[Path] = result
    complete: bool = result.complete
    first: Optional[trawl.WalkError] = result.errors[0] if result.errors else None
    async for batch in trawl.scan_incremental(".", metadata=True):
        size: Optional[int] = batch[0].size
        break
    async with trawl.scan_incremental(".") as scan:
        async for names in scan:
            name: Path = names[0]


def either(metadata: bool) -> List[str]:
    scan = trawl.scan_incremental(".", metadata=metadata)
    return [str(each) for batch in scan for each in batch]


class Toads:
    def match(self, path: Path) -> bool:
        return path.name == "x"


asyncio.run(main())
sync: List[Path] = trawl.scan_sync(".", path_filter=Toads(), implementation="python")
texts: List[str] = trawl.scan_directory_parallel(".", True, 1.0, path_filter=lambda p: "x" in p)
for part in trawl.scan_incremental("."):
    paths: List[Path] = part
for path, directories, names in trawl.walk("."):
    joined: str = path + directories[0] + names[0]
for raw, _, _ in trawl.walk(b"."):
    raw_path: bytes = raw
entries: List[bool] = [entry.is_dir(follow_symlinks=False) for entry in trawl.scantree(".")]
table: trawl.Table = trawl.scan_table(".", fields=["size"], types="file")
rows: List[Tuple[object, ...]] = table.rows("path", "size")
infos: List[trawl.FileInfo] = list(trawl.list(".", order="rsync"))
used: int = trawl.du(".", max_depth=1).lines[0].disk_usage
analysis: trawl.DirectoryAnalysis = trawl.DirectoryProfiler(top=3).analyze(".", max_depth=2)
extensions: Dict[str, int] = analysis.file_extensions
for status in trawl.stat_many(["a"]):
    if not isinstance(status, OSError):
        mode: int = status.st_mode
'''

WRONG = '''
import trawl

trawl.scan_sync(3)
trawl.scan_sync(".", max_depth="x")
trawl.list(".", order="random")
number: int = trawl.scan_directory_parallel(".")[0]
trawl.colour
'''


def test_mypy(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "typed.py").write_text(TYPED)
    (tmp_path / "wrong.py").write_text(WRONG)

    def mypy(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"),
             *map(str, arguments)],
            capture_output=True, text=True, cwd=tmp_path, check=False,
            env={**os.environ, "MYPYPATH": str(PYTHON)},
        )  # fmt: skip

    good = mypy("typed.py")
    assert good.returncode == 0, good.stdout + good.stderr
    bad = mypy("wrong.py")
    lines = {int(line.split(":")[1]) for line in bad.stdout.splitlines() if "error:" in line}
    assert lines == {4, 5, 6, 7, 8}, bad.stdout


class Terminal(io.StringIO):
    def isatty(self):
        return True


def walk_slowly(engine, progress):
    return trawl.scan_sync(
        BIG, path_filter=lambda path: time.sleep(0.0005), max_duration=0.6, progress=progress,
        implementation=engine,
    )  # fmt: skip


@pytest.mark.parametrize("library", ["rich", "tqdm"])
def test_bars(engine, library, monkeypatch):
    pytest.importorskip(library)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    walk_slowly(engine, library)
    assert "Scanning" in terminal.getvalue() and "entries" in terminal.getvalue()


def test_bar_if_there_is_a_terminal(engine, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    walk_slowly(engine, True)
    bars = [each for each in ("rich", "tqdm") if importlib.util.find_spec(each)]
    assert ("Scanning" in terminal.getvalue()) == bool(bars)
    for quiet in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stderr", quiet)
        walk_slowly(engine, True)
        assert quiet is None or quiet.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    trawl.scan_sync("/usr/share/doc", max_depth=1, progress=True, implementation=engine)
    assert terminal.getvalue() == ""  # too short for a bar
    from trawl._progress import Reporter

    with Reporter(True, "Scanning") as poll:
        poll(1)
    assert terminal.getvalue() == ""


def test_bars_that_are_missing_are_said(engine, tree, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError):
        trawl.scan_sync(tree, progress="tqdm", implementation=engine)


@pytest.mark.parametrize("tokens", [0, 1])
def test_token_that_is_cancelled_while_it_is_bound(engine, tree, tokens):
    """By a signal's handler, on the same thread."""
    token = trawl.CancelToken()

    class Engine:
        class CancelToken:
            def __init__(self):
                token.cancel()
                self.cancelled = False

            def cancel(self):
                self.cancelled = True

    for _ in range(tokens):
        trawl.scan_sync(tree, cancel=token, implementation=engine)
    alarm = threading.Timer(30, os._exit, [1])  # rather than hang
    alarm.start()
    assert token._bind(Engine).cancelled and token.cancelled
    alarm.cancel()
    assert trawl.scan_sync(tree, cancel=token, implementation=engine).ending == "cancelled"


def test_token_is_not_copied():
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="CancelToken"):
            copied(trawl.CancelToken())


def test_arguments_of_wrong_types(engine, tree):
    calls = [
        trawl.scan_sync, trawl.scan_directory_parallel, trawl.scan_table, trawl.list, trawl.du,
        trawl.DirectoryProfiler(use_native=engine == "native", show_progress=False).analyze,
    ]  # fmt: skip
    for call in calls:
        options = {} if call is calls[-1] else {"implementation": engine}
        for cancel in ("x", 0, threading.Event()):
            with pytest.raises(TypeError, match="cancel"):
                call(tree, cancel=cancel, **options)
        if call is calls[-1]:
            continue
        for progress in (5, 0, [], b"rich"):
            with pytest.raises(TypeError, match="progress"):
                call(tree, progress=progress, **options)
        with pytest.raises(ValueError):
            call(tree, progress="x", **options)
        for duration in ("5", b"5", True, [1], 1j):
            with pytest.raises(TypeError):
                call(tree, max_duration=duration, **options)
        for duration in (-(10**400), float("nan"), -0.1):
            with pytest.raises(ValueError):
                call(tree, max_duration=duration, **options)
        for duration in (10**400, float("inf"), Fraction(99), Decimal(99)):
            found = call(tree, max_duration=duration, **options)
            assert found.complete
