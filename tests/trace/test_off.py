# SPDX-License-Identifier: Apache-2.0
"""Without TRAWL_TRACE the tracer's hooks leave nothing behind: the object code of every source that has
them is byte for byte that of a copy of it in which they were deleted."""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOOK = "TRAWL_IF_TRACE("


def without_hooks(text):
    while (begin := text.find(HOOK)) >= 0:
        end, depth = begin + len(HOOK), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        text = text[:begin] + text[end:].removeprefix(";")
    text = re.sub(r"^#ifdef TRAWL_TRACE\n.*?(?:^#else\n(.*?))?^#endif.*?\n", r"\1", text,
                  flags=re.DOTALL | re.MULTILINE)
    return text.replace('#include "base/trace.h"\n', "")


@pytest.fixture(scope="module")
def compiler(trawl_path):
    """Words of the command that the build compiles walk.cc with, but for its input and output."""
    database = trawl_path.parent / "compile_commands.json"
    if not database.exists():
        pytest.skip(f"no {database}")
    for entry in json.loads(database.read_text()):
        if entry["file"].endswith("/src/walk/walk.cc"):
            words = shlex.split(entry["command"])
            break
    del words[words.index("-o"):words.index("-o") + 2]
    del words[words.index("-c"):words.index("-c") + 2]
    unwanted = ("-I", "-DTRAWL_TRACE", "-g", "-O", "-fsanitize", "-W")
    return [word for word in words if not word.startswith(unwanted)] + ["-O2", "-DNDEBUG", "-Isrc", "-Iinclude"]


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """The sources as they are, and without hooks. Compiled from inside, so that paths are the same."""
    work = tmp_path_factory.mktemp("trees")
    for name in ("with", "without"):
        for part in ("include", "src"):
            shutil.copytree(ROOT / part, work / name / part, ignore=shutil.ignore_patterns("*_test.cc"))
    changed = []
    for path in (work / "without" / "src").glob("*/*"):
        text = path.read_text()
        if path.name in ("trace.h", "trace.cc"):
            path.unlink()
        elif (stripped := without_hooks(text)) != text:
            path.write_text(stripped)
            changed.append(path)
            assert not re.search(r"TRAWL_(IF_)?TRACE|base::[tT]race|t_track|tracer_", stripped), path
    assert len(changed) > 5
    return work


def build(compiler, tree, source, *more):
    out = tree / "object.o" if not more else tree / "other.o"
    out = out.with_name(f"{pathlib.Path(source).stem}-{out.name}")
    result = subprocess.run([*compiler, *more, "-c", source, "-o", out.name], cwd=tree, timeout=300,
                            capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return out.read_bytes()


def test_the_object_code_is_that_without_hooks(compiler, trees):
    def has_hooks(source):
        files = subprocess.run([*compiler, "-MM", source], cwd=trees / "with", timeout=300,
                               capture_output=True, text=True, check=True).stdout
        return "base/trace.h" in files

    sources = [str(path.relative_to(ROOT)) for room in ("base", "sched", "walk")
               for path in sorted((ROOT / "src" / room).glob("*.cc")) if not path.name.endswith("_test.cc")]
    sources = [source for source in sources if source != "src/base/trace.cc" and has_hooks(source)]
    assert {"src/walk/engine.cc", "src/walk/engine_listing.cc", "src/walk/engine_entries.cc"} <= set(sources)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = {name: list(pool.map(lambda source: build(compiler, trees / name, source), sources))
                   for name in ("with", "without")}
    different = [source for source, a, b in zip(sources, objects["with"], objects["without"]) if a != b]
    assert different == []


def test_the_tracer_is_not_there(compiler, trees):
    """The other way round: one would see a difference."""
    source = "src/walk/engine_entries.cc"
    off = build(compiler, trees / "with", source)
    on = build(compiler, trees / "with", source, "-DTRAWL_TRACE=1")
    assert off != on
    for word in (b"Trace", b"t_track", b"piece\0"):
        assert word in on and word not in off, word
