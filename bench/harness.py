# SPDX-License-Identifier: Apache-2.0
"""What every regime needs: tools, trees, commands, peers, rounds, tables, the document.

All commands of a table run in turn, round after round, so that a drift of the machine meets each of them
alike. Figures are medians, and ratios of medians.
"""

import contextlib
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = ROOT / "build" / "bench"
LIBRARY = ROOT / "build/release/libtrawl.a"
PLACE = pathlib.Path(os.environ.get("TRAWL_BENCH_DIR", "/var/tmp/trawl-bench"))
CORES = len(os.sched_getaffinity(0))
SEED = 1


class Skipped(Exception):
    """A regime that can't be measured here; says why."""


def say(text):
    print(text, file=sys.stderr, flush=True)


# --- the document ---------------------------------------------------------------------------------------


class Document:
    """Printed while it grows, and written to bench/results when it is finished."""

    def __init__(self):
        self.parts = []

    def add(self, *lines):
        text = "\n".join(lines)
        self.parts.append(text)
        print(text + "\n", flush=True)

    def write(self):
        date = time.strftime("%Y-%m-%d")
        path, number = HERE / "results" / f"{date}.md", 1
        while path.exists():
            number += 1
            path = HERE / "results" / f"{date}-{number}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n\n".join(self.parts) + "\n")
        say(f"written to {path.relative_to(ROOT)}")


document = Document()


def describe_machine(runs):
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line), "?")
    memory = int(re.search(r"MemTotal:\s+(\d+)", open("/proc/meminfo").read())[1]) / 2**20
    document.add(f"{time.strftime('%Y-%m-%d')}, {CORES} cores ({model}), {memory:.0f} GiB, Linux {platform.release()}; "
                 f"medians of {runs} interleaved runs unless said otherwise; {load()}.")


def load():
    return f"load {os.getloadavg()[0]:.1f} before it began"


# --- tools and trees ------------------------------------------------------------------------------------


def has_fuse():
    return subprocess.run(["pkg-config", "--exists", "fuse3"], check=False).returncode == 0


def fuse_flags(kind):
    return subprocess.run(["pkg-config", kind, "fuse3"], capture_output=True, text=True, check=True).stdout.split()


def has_uring():
    return subprocess.run(["pkg-config", "--exists", "liburing"], check=False).returncode == 0


def build_tools():
    BUILD.mkdir(parents=True, exist_ok=True)
    cxx = ["c++", "-std=c++20", "-O2"]
    tools = [
        ("launch", "launch.c", ["cc", "-O2", "-static"], []),
        ("floor", "floor/floor.cc", [*cxx, "-pthread"], []),
        ("calls", "calls/calls.cc", [*cxx, "-pthread"], []),
        ("make_tree", "trees/make_tree.cc", cxx, []),
        *((name, f"{place}/{name}.cc", [*cxx, "-static-libstdc++", "-static-libgcc", "-pthread", f"-I{ROOT}/include"], [LIBRARY])
          for place, name in (("names", "names"), ("events", "events"), ("cache", "cache"), ("lists", "lists"),
                              ("lists", "batched_stat_benchmark"))),
        ("simulate", "simulate/simulate.cc", [*cxx, "-pthread", f"-I{ROOT}/include", f"-I{ROOT}/src"],
         [HERE / "simulate/virtual_machine.cc", HERE / "simulate/model_tree.cc", LIBRARY]),
        ("costs", "simulate/costs.cc", [*cxx, "-pthread"], []),
    ]
    if has_fuse():
        tools.append(("latency_fs", "latency_fs/latency_fs.c", ["cc", "-O2", "-pthread", *fuse_flags("--cflags")],
                      fuse_flags("--libs")))
    if has_uring():
        tools.append(("uring", "uring/uring.cc", [*cxx, "-pthread"], ["-luring"]))
    for target, source, command, libraries in tools:
        out = BUILD / target
        sources = [HERE / source, *(HERE / source).parent.glob("*.h"), *(each for each in libraries if isinstance(each, pathlib.Path))]
        if not out.exists() or out.stat().st_mtime < max(each.stat().st_mtime for each in sources):
            subprocess.run([*command, "-o", out, HERE / source, *libraries], check=True)


def make_tree(*words):
    return subprocess.run([BUILD / "make_tree", *words], stdout=subprocess.PIPE, text=True, check=True).stdout


def tree_path(name):
    """A named tree, made if it is not there or was made by another version; or any path."""
    if name not in [line.split()[0] for line in make_tree("--list").splitlines()]:
        return pathlib.Path(name)
    path = PLACE / f"{name}-{SEED}"
    done = PLACE / f"{name}-{SEED}.done"  # beside the tree, so that it is not counted
    stamp = f"seed {SEED}, version {make_tree('--version')}"
    if not done.exists() or done.read_text() != stamp:
        say(f"making the tree {name} ...")
        PLACE.mkdir(parents=True, exist_ok=True)
        done.unlink(missing_ok=True)
        # Another version is removed afterwards: for five minutes ext4 steps over each inode that was deleted,
        # which makes a million files take ten times as long.
        old = PLACE / f"{name}-{SEED}.old"
        if path.exists():
            subprocess.run(["rm", "-rf", old], check=True)  # rm: deeper than shutil can
            path.rename(old)
        begin = time.monotonic()
        make_tree(name, path, str(SEED))
        say(f"... in {time.monotonic() - begin:.0f} s")
        done.write_text(stamp)
        subprocess.run(["rm", "-rf", old], check=True)
    return path


@contextlib.contextmanager
def latency_mount(delay=1000, entries=5000, per_directory=50):
    """Mounts the latency filesystem (delay in µs) for the time of a `with`."""
    if not (BUILD / "latency_fs").exists() or not has_fuse():
        raise Skipped("libfuse3 is not installed")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        raise Skipped("/dev/fuse can't be opened")
    PLACE.mkdir(parents=True, exist_ok=True)
    path = pathlib.Path(tempfile.mkdtemp(prefix="latency-", dir=PLACE))
    # Unmounts also if this process is killed.
    server = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", BUILD / "latency_fs", "--delay", str(delay),
                               "--entries", str(entries), "--per-directory", str(per_directory), path], stdout=subprocess.PIPE, text=True)
    try:
        if server.stdout.readline() != "mounted\n":
            raise Skipped("the latency filesystem could not be mounted")
        yield path
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        if os.path.ismount(path):
            subprocess.run(["umount", "-l", path], check=False)
        path.rmdir()


@contextlib.contextmanager
def fresh_mount(kind, size="3G"):
    """Mounts an empty tmpfs, or a filesystem made in a file, for the time of a `with`."""
    if os.geteuid() != 0 or (kind != "tmpfs" and not shutil.which(f"mkfs.{kind}")):
        raise Skipped(f"{kind} can't be made and mounted here")
    PLACE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{kind}-", dir=PLACE) as place:
        path, image = pathlib.Path(place) / "mount", pathlib.Path(place) / "image"
        path.mkdir()
        words = ["mount", "-t", kind, "-o", f"size={size}", kind, path]
        if kind != "tmpfs":
            subprocess.run(["truncate", "-s", size, image], check=True)
            subprocess.run([f"mkfs.{kind}", "-q", image], stdout=subprocess.DEVNULL, check=True)
            words = ["mount", "-t", kind, "-o", "loop", image, path]
        if subprocess.run(words, check=False).returncode != 0:
            raise Skipped(f"{kind} can't be mounted here")
        try:
            yield path
        finally:
            subprocess.run(["umount", path], check=True)


# --- commands -------------------------------------------------------------------------------------------


class Command:
    def __init__(self, name, words, version=""):
        self.name, self.words, self.version = name, [str(word) for word in words], version
        self.runs = []

    def run(self):
        out = subprocess.run([BUILD / "launch", *self.words], capture_output=True, text=True, check=True)
        status, wall, user, system, peak = map(int, out.stdout.split())
        return {"status": status, "wall": wall / 1e9, "cpu": (user + system) / 1e6, "peak": peak}

    def walls(self):
        return [run["wall"] for run in self.runs]

    def median(self, key="wall"):
        return statistics.median(run[key] for run in self.runs)


def floors(path, threads, *options):
    return [Command(f"floor, {each} threads", [BUILD / "floor", *options, "--threads", each, path])
            for each in sorted(set(threads))]


def everyone():
    return sorted(path.name for path in (HERE / "peers").iterdir() if path.suffix != ".md")


def read_peer(name, tree, kind, threads):
    """INSTALL, VERSION and RUN or NAMES of a peer's file; the last two as words, split and expanded by sh."""
    script = r"""T=$2 BIN=$3 J=$5; . "$1"; eval "run=\$$4"; printf '%s\0' "$INSTALL"
                 for each in "$VERSION" "$run"; do eval "set -- $each"; printf '%s\0' "$#" "$@"; done
                 case $run in *\$J*) echo threads ;; *) echo ;; esac"""
    out = subprocess.run(["sh", "-c", script, "sh", HERE / "peers" / name, tree, PLACE / "peers/bin", kind, str(threads)],
                         capture_output=True, text=True, check=True, env={**os.environ, "RUN": "", "NAMES": ""})
    source, count, *words = out.stdout.split("\0")
    counts_threads = words.pop().strip() == "threads"
    version, run = words[:int(count)], words[int(count) + 1:]
    return source, version, run, counts_threads


def install(source):
    kind, _, what = source.partition(":")
    if kind == "apt":
        if os.geteuid() == 0:
            subprocess.run(["apt-get", "install", "-y", "-q", what], stdout=subprocess.DEVNULL, check=False)
    elif shutil.which("cargo"):
        subprocess.run(["cargo", "install", "--locked", "--root", PLACE / "peers", *what.split()], check=False)


def peer(name, tree, kind="RUN", threads=(CORES, 2 * CORES)):
    """The peer's commands: none if it can't do this or can't be installed, several if it takes a number of threads."""
    source, version, run, counts_threads = read_peer(name, tree, kind, threads[0])
    if not run:
        return []
    program = run[0]
    if not os.access(program, os.X_OK):
        say(f"installing {name} ({source}) ...")
        install(source)
    if not os.access(program, os.X_OK):
        say(f"{name} could not be installed and is left out")
        return []
    text = subprocess.run(version, capture_output=True, text=True, check=False)
    first = (text.stdout + text.stderr).strip().splitlines()[0]
    number = re.search(r"\d+(\.\d+)+\S*", first)
    number = number[0] if number else first
    if not counts_threads:
        return [Command(name, run, number)]
    return [Command(f"{name}, {each} threads", read_peer(name, tree, kind, each)[2], number) for each in threads]


def peers(names, tree, kind="RUN"):
    return [command for name in names for command in peer(name, tree, kind)]


# --- rounds and tables ----------------------------------------------------------------------------------


def drop_caches(command):
    """Drops the caches, and loads the program itself again: its walk is to be measured, not its loading."""
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
    subprocess.run([BUILD / "launch", command.words[0], "--version"], capture_output=True, check=False)


def measure(commands, runs, before=None, warm_up=True):
    for round_number in range(-1 if warm_up else 0, runs):
        for command in commands:
            if before:
                before(command)
            result = command.run()
            if round_number >= 0:
                command.runs.append(result)
    for command in commands:
        statuses = {run["status"] for run in command.runs} - {0}
        if statuses:
            document.add(f"Note: {command.name} ended with status {sorted(statuses)}.")


def best_of(commands):
    return min(commands, key=Command.median)


def table(title, commands, base):
    rows = [f"### {title}", "",
            f"| | version | median | min–max | × {base.name} | CPU | peak memory |",
            "|---|---|---|---|---|---|---|"]
    for command in commands:
        rows.append(f"| {command.name} | {command.version} | {command.median():.3f} s "
                    f"| {min(command.walls()):.3f}–{max(command.walls()):.3f} | {command.median() / base.median():.2f} "
                    f"| {command.median('cpu'):.2f} s | {command.median('peak') / 1024:.1f} MiB |")
    document.add(*rows)


def filesystem_of(path):
    return subprocess.run(["stat", "-f", "-c", "%T", path], capture_output=True, text=True, check=True).stdout.strip()


def counts_of(path):
    """Entries and directories, by the floor."""
    out = subprocess.run([BUILD / "floor", "--threads", "64", path], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.findall(r"(\d+) (?:entries|directories)", out)))


def counted(program, path):
    """What floor or uring counted, without the time."""
    out = subprocess.run([program, path], capture_output=True, text=True, check=True).stdout
    return out.rpartition(",")[0]


def title_of(name, path):
    entries, directories = counts_of(path)
    return f"{name} ({filesystem_of(path)}): {entries:,} entries, {directories:,} directories"


def total_of(words):
    out = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    return out.split()[0] if out else None


def check_total(path, trawl):
    """Compares with GNU du; three times, since /usr may be changing."""
    for _ in range(3):
        if total_of([trawl, "du", "-s", path]) == total_of(["/usr/bin/du", "-s", path]):
            return
    sys.exit(f"trawl and GNU du disagree about {path}")
