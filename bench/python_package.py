# SPDX-License-Identifier: Apache-2.0
"""The `python` regime: the package against Python's own ways and its peers, in one process and in fresh ones.

The package is built and installed, with its peers, into an environment of its own (build/bench/venv).
"""

import json
import os
import statistics
import subprocess
import sys

import harness
from harness import BUILD, ROOT, Command, document

VENV = BUILD / "venv"
PYTHON = VENV / "bin/python"
CASES = harness.HERE / "python/cases.py"
PEERS = ["polars", "pyarrow", "pathspec", "scandir-rs", 'filoma==1.13.0; python_version >= "3.11"']


def prepare():
    """Installs what this commit is; the peers once."""
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([PYTHON, "-m", "pip", "install", "-q", *PEERS], check=True)
    subprocess.run([PYTHON, "-m", "pip", "install", "-q", "--force-reinstall", "--no-deps", ROOT], check=True)
    names = "import importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in ('filoma', 'polars', 'pyarrow', 'scandir-rs', 'pathspec')))"
    versions = subprocess.run([PYTHON, "-c", names], capture_output=True, text=True, check=False).stdout.strip()
    python = subprocess.run([PYTHON, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    document.add(f"{python}; {versions}")


def in_process(rounds, title, base, *cases):
    """A table of medians of cases that ran in turn in one process; returns them."""
    words = [str(word) for case in cases for word in case]
    environment = {**os.environ, "TRAWL_FLOOR": str(BUILD / "floor"), "PYTHONDONTWRITEBYTECODE": "1"}
    out = subprocess.run([PYTHON, CASES, str(rounds), *words], stdout=subprocess.PIPE, text=True, check=True, env=environment).stdout
    times = json.loads(out)
    medians = {name: statistics.median(each) for name, each in times.items()}
    document.add(f"### {title}", "", f"In one process, medians of {rounds}.", "", f"| | median | min–max | × {base} |", "|---|---|---|---|",
                 *(f"| {name} | {median * 1000:.2f} ms | {min(times[name]) * 1000:.2f}–{max(times[name]) * 1000:.2f} "
                   f"| {median / medians[base]:.2f} |" for name, median in medians.items()))
    return medians


def fresh(rounds, title, *cases):
    """The same as whole processes, from start to end."""
    commands = [Command(f"python: {name}", [PYTHON, CASES, "0", name, path]) for name, path in cases]
    harness.measure(commands, rounds)
    harness.table(f"{title}, whole processes", commands, commands[0])


def measure(args, says_target):
    prepare()
    trees = {name: harness.tree_path(name) for name in
             ("files1k", "files10k", "files100k", "mixed", "project8k", "project81k", "project81k-rest", "/usr")}
    runs, few = args.runs, min(args.runs, 3)

    for name in ("files1k", "files10k", "files100k"):
        path = trees[name]
        ours = in_process(runs, f"A profile of {name}", "analyze", ("analyze", path), ("analyze_pure", path), ("filoma_walkdir", path),
                          ("filoma_dua_core", path), ("floor_stat", path))
        says_target("Our pure Python to trawl", ours["analyze_pure"] / ours["analyze"], 3 if name == "files1k" else 4, least=True)
        says_target("filoma's fastest engine to trawl", ours["filoma_dua_core"] / ours["analyze"], 1.9, least=True)
    for name in ("files100k", "mixed"):
        path = trees[name]
        ours = in_process(few if name == "files100k" else 1, f"A profile of {name}, against filoma in Python", "analyze",
                          ("analyze", path), ("filoma_dua_core", path), ("filoma_python", path), ("floor_stat", path))
        says_target("filoma in Python to trawl", ours["filoma_python"] / ours["analyze"], 30, least=True)
    fresh(runs, "A profile of files100k", ("analyze", trees["files100k"]), ("analyze_pure", trees["files100k"]), ("filoma_dua_core", trees["files100k"]))

    path = trees["project8k"]
    ours = in_process(5 * runs, "A scan of 8,000 files", "floor_names", ("floor_names", path), ("scan_arrow", path), ("scan_strings", path),
                      ("scan_paths", path), ("scan_async", path), ("making_paths", path), ("os_walk", path), ("rglob", path), ("scandir_rs_walk", path))
    says_target("Arrow to the floor of names", ours["scan_arrow"] / ours["floor_names"], 1.3)
    says_target("Strings to the floor of names", ours["scan_strings"] / ours["floor_names"], 2)
    says_target("Paths to making those and the floor", ours["scan_paths"] / (ours["making_paths"] + ours["floor_names"]), 1.2)
    says_target("os.walk to strings", ours["os_walk"] / ours["scan_strings"], 2, least=True)
    fresh(runs, "A scan of 8,000 files", ("scan_strings", path), ("scan_paths", path), ("scan_async", path), ("os_walk", path), ("rglob", path))

    path, rest = trees["project81k"], trees["project81k-rest"]
    ours = in_process(runs, "A scan of 81,000 files with git's rules", "floor_names", ("floor_names", rest), ("scan_filtered", path),
                      ("os_walk_filtered", path))
    says_target("Strings to the floor of names over what is left", ours["scan_filtered"] / ours["floor_names"], 1.6)
    says_target("os.walk with rules in Python to trawl", ours["os_walk_filtered"] / ours["scan_filtered"], 5, least=True)

    path = trees["/usr"]
    ours = in_process(runs, "/usr with all metadata to a polars frame", "floor_stat", ("floor_stat", path), ("metadata_to_polars", path),
                      ("scandir_to_polars", path))
    says_target("os.scandir, stat and a frame to trawl", ours["scandir_to_polars"] / ours["metadata_to_polars"], 4, least=True)
    says_target("trawl to the floor with stat", ours["metadata_to_polars"] / ours["floor_stat"], 1.3)

    ours = in_process(5 * runs, "The first batch of 1,000,000 entries", "first_batch", ("first_batch", trees["mixed"]))
    says_target("Milliseconds to the first batch, and to the walk's end after it", ours["first_batch"] * 1000, 5)

    whole, sums = Command("trawl profile", [args.trawl, "profile", "--json", trees["mixed"]]), Command("trawl du -s", [args.trawl, "du", "-s", trees["mixed"]])
    harness.measure([whole, sums], runs)
    harness.table("trawl profile of 1,000,000 entries", [whole, sums], sums)
    says_target("`trawl profile` to `trawl du -s`", whole.median() / sums.median(), 1.3)

    empty, imports = Command("python -c pass", [PYTHON, "-c", "pass"]), Command("python -c 'import trawl'", [PYTHON, "-c", "import trawl"])
    harness.measure([empty, imports], 5 * runs)
    says_target("Milliseconds that `import trawl` takes", (imports.median() - empty.median()) * 1000, 30)
