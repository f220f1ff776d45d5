# SPDX-License-Identifier: Apache-2.0
"""One process of the `python` regime: runs cases in turn, round after round, and prints their times.

    cases.py ROUNDS CASE PATH [CASE PATH]…      → {"CASE": [seconds, …], …} as JSON

A result lives until its time was taken; freeing it is not measured, for any case. A case that starts a
program (the floor) takes the time that the program itself prints, so its start is not counted either.
"""

import asyncio
import gc
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import warnings

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


# --- the package ----------------------------------------------------------------------------------------


@case
def analyze(path):
    return profiler(None)(path)


@case
def analyze_pure(path):
    return profiler("python")(path)


def profiler(implementation):
    from trawl import DirectoryProfiler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return DirectoryProfiler(use_native=implementation != "python", show_progress=False).analyze


@case
def scan_arrow(path):
    import trawl

    return trawl.scan_table(path, fields=(), types=("file",)).to_arrow()


@case
def scan_strings(path):
    import trawl

    return trawl.scan_directory_parallel(str(path))


@case
def scan_paths(path):
    import trawl

    return trawl.scan_sync(path, max_duration=None, max_simultaneous=None)


@case
def scan_filtered(path):
    import trawl

    return trawl.scan_directory_parallel(str(path), path_filter=trawl.PathFilter.from_git_root(path))


@case
def scan_async(path):
    import trawl

    return asyncio.run(trawl.scan(pathlib.Path(path), max_duration=None, max_simultaneous=None))


@case
def metadata_to_polars(path):
    import trawl

    return trawl.scan_table(path, fields="all").to_polars()


@case
def first_batch(path):
    import trawl

    with trawl.scan_incremental(path) as batches:
        return next(iter(batches))


# --- peers ----------------------------------------------------------------------------------------------


def filoma(**options):
    from loguru import logger

    logger.remove()
    from filoma.directories.directory_profiler import DirectoryProfiler, DirectoryProfilerConfig

    return DirectoryProfiler(DirectoryProfilerConfig(show_progress=False, **options)).probe


@case
def filoma_python(path):
    return filoma(search_backend="python")(str(path))


@case
def filoma_walkdir(path):
    return filoma(use_rust=True, walker="walkdir")(str(path))


@case
def filoma_dua_core(path):
    return filoma(use_rust=True, walker="dua-core")(str(path))


@case
def os_walk(path):
    return [os.path.join(top, name) for top, _, names in os.walk(path) for name in names]


@case
def rglob(path):
    return [each for each in pathlib.Path(path).rglob("*") if each.is_file()]


@case
def scandir_rs_walk(path):
    import scandir_rs

    walk = scandir_rs.Walk(str(path))
    return walk.collect()


@case
def os_walk_filtered(path):
    """What one writes without a walk that filters: pathspec's gitignore over os.walk's names."""
    import pathspec

    found, specs = [], {}
    for top, directories, names in os.walk(path):
        above = specs.get(os.path.dirname(top), []) if top != str(path) else []
        own = above
        if ".gitignore" in names:
            with open(os.path.join(top, ".gitignore"), encoding="utf-8") as file:
                own = [*above, (top, pathspec.GitIgnoreSpec.from_lines(file))]
        specs[top] = own

        def ignored(name, own=own, top=top):
            whole = os.path.join(top, name)
            return any(spec.match_file(os.path.relpath(whole, base)) for base, spec in own)

        directories[:] = [each for each in directories if not ignored(each + "/")]
        found += [os.path.join(top, each) for each in names if not ignored(each)]
    return found


@case
def scandir_to_polars(path):
    import polars

    columns = {name: [] for name in ("path", "type", "size", "mtime", "mode", "uid", "gid", "links", "inode")}
    stack = [str(path)]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                columns["path"].append(entry.path)
                columns["type"].append(status.st_mode >> 12)
                columns["size"].append(status.st_size)
                columns["mtime"].append(status.st_mtime_ns)
                columns["mode"].append(status.st_mode & 0o7777)
                columns["uid"].append(status.st_uid)
                columns["gid"].append(status.st_gid)
                columns["links"].append(status.st_nlink)
                columns["inode"].append(status.st_ino)
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
    return polars.DataFrame(columns)


_strings = {}


@case
def making_paths(path):
    """Path objects of strings that are there."""
    if path not in _strings:
        _strings[path] = os_walk(path)
    return [pathlib.Path(each) for each in _strings[path]]


def floor(path, *options):
    threads = len(os.sched_getaffinity(0))
    words = [os.environ["TRAWL_FLOOR"], "--threads", str(threads), *options, str(path)]
    out = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return float(re.search(r"([0-9.]+) s$", out.strip())[1])


@case
def floor_names(path):
    return floor(path, "--names")


@case
def floor_stat(path):
    return floor(path)


# --- rounds ---------------------------------------------------------------------------------------------


def run(rounds, cases):
    times = {name: [] for name, _ in cases}
    for number in range(-1, rounds):
        for name, path in cases:
            gc.collect()
            begin = time.perf_counter()
            result = CASES[name](path)
            took = time.perf_counter() - begin
            if name.startswith("floor_"):
                took = result
            if number >= 0:
                times[name].append(took)
            del result
    return times


if __name__ == "__main__":
    words = sys.argv[2:]
    print(json.dumps(run(int(sys.argv[1]), list(zip(words[::2], words[1::2])))))
