# SPDX-License-Identifier: Apache-2.0
# labels: sanitize
"""--trace: a document that agrees with --stats, or one clear line."""

import collections
import json
import os
import subprocess

import pytest

COMMANDS = {"picture": [], "du": ["du", "-s"]}
NAMES = {"picture": b"trawl", "du": b"trawl du"}
WRONG = {"picture": 2, "du": 1}

# Listings shared and split wherever that is possible, and another limit of workers each millisecond;
# heeded by builds with tests only.
TUNING = "share,piece=3,buffer=512,split=1,limits=7"


@pytest.fixture(params=COMMANDS)
def command(request):
    return request.param


@pytest.fixture
def run(trawl_path):
    def run(command, *arguments, tuning="", **options):
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TRAWL_TUNING": tuning}
        return subprocess.run([trawl_path, *COMMANDS[command], *map(os.fsencode, arguments)], env=environment,
                              timeout=120, capture_output=True, **options)

    return run


@pytest.fixture
def built_in(run, tmp_path):
    (tmp_path / "nothing").mkdir()
    return b"needs a build" not in run("du", "--trace=/dev/null", tmp_path / "nothing").stderr


@pytest.fixture
def traced(run, built_in, tmp_path):
    """Runs with --trace and --stats; returns the events and the statistics."""
    if not built_in:
        pytest.skip("this build has no --trace (TRAWL_TRACE)")

    def traced(command, *arguments, **options):
        file = tmp_path / "trace.json"
        result = run(command, f"--trace={file}", "--stats=json", *arguments, **options)
        assert result.returncode == 0, result.stderr
        return json.loads(file.read_text())["traceEvents"], json.loads(result.stderr)

    return traced


@pytest.fixture
def tree(tmp_path):
    """Directories with many names, and many directories."""
    root = tmp_path / "tree"
    for i in range(4):
        for j in range(30):
            (root / f"d{i}" / f"e{j}").mkdir(parents=True)
            (root / f"d{i}" / f"e{j}" / "file").touch()
        for j in range(2000):
            (root / f"d{i}" / f"file{j}").touch()
    return root


def test_a_build_without_it_says_so(run, built_in, command, tmp_path):
    if built_in:
        pytest.skip("this build has --trace")
    result = run(command, "--trace=out", ".", cwd=tmp_path)
    assert result.returncode == WRONG[command] and result.stdout == b""
    assert result.stderr == NAMES[command] + b": --trace needs a build with -DTRAWL_TRACE=ON\n"
    assert not (tmp_path / "out").exists()


def of(events, name):
    return [event for event in events if event["name"] == name]


@pytest.mark.parametrize("threads", [1, 4, None])
@pytest.mark.parametrize("tuning", ["", TUNING])
def test_agrees_with_the_statistics(traced, command, tree, threads, tuning):
    arguments = [f"--threads={threads}"] if threads else []
    events, stats = traced(command, *arguments, tree, tuning=tuning)
    assert of(events, "dropped events") == []
    for i, worker in enumerate(stats["workers"]):
        mine = [event for event in events if event["tid"] == i + 1]
        count = collections.Counter(event["name"] for event in mine)
        assert count["directory"] == worker["directories"]
        assert count["steal"] == worker["steals"]
        assert sum(event["args"]["units"] for event in of(mine, "steal")) == worker["stolen_tasks"]
        assert count["share"] == worker["splits"]
        assert count["split"] == worker["range_splits"]
        assert count["parked"] == worker["parks"]
        assert count["read"] <= worker["read_calls"]
        assert count["thread_name"] == bool(count - collections.Counter(thread_name=1)) or i == 0
    total = stats["total"]
    listed = of(events, "directory") + of(events, "range")
    assert sum(event["args"]["entries"] for event in listed) == total["entries"] - 1
    assert sum(event["args"]["entries"] for event in of(events, "piece")) == \
        sum(event["args"]["entries"] for event in of(events, "share"))
    assert len(of(events, "range")) == total["range_splits"]
    if total["range_splits"] == 0:
        assert len(of(events, "read")) == total["read_calls"]
    # Its own value first, then each change; --stats keeps the first 256.
    limits = [event["args"]["at most"] for event in of(events, "workers")]
    assert limits[1:257] == [change["workers"] for change in stats["concurrency"]]
    assert len(limits) > 0 or total["workers"] == 1


def test_spans_nest(traced, command, tree):
    events, _ = traced(command, "--threads=4", tree, tuning=TUNING)
    threads = collections.defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            begin = round(event["ts"] * 1000)
            threads[event["tid"]].append((begin, -round(event["dur"] * 1000), event["name"]))
    for spans in threads.values():
        open_spans = []
        for begin, length, name in sorted(spans):
            end = begin - length
            while open_spans and open_spans[-1][0] <= begin:
                open_spans.pop()
            assert not open_spans or end <= open_spans[-1][0], name
            open_spans.append((end, name))


def test_is_what_the_viewers_read(traced, command, tree):
    events, stats = traced(command, "--threads=2", tree)
    names = {event["tid"]: event["args"]["name"] for event in of(events, "thread_name")}
    assert names[1] == "worker 0" and [event["args"]["name"] for event in of(events, "process_name")] == ["trawl"]
    for event in events:
        assert event["ph"] in "XiCM" and event["pid"] == 1 and event["tid"] in names
        if event["ph"] != "M":
            assert event["ts"] > 0
        assert ("dur" in event) == (event["ph"] == "X")
    last = max(event["ts"] + event.get("dur", 0) for event in events if "ts" in event)
    first = min(event["ts"] for event in events if "ts" in event)
    assert last - first <= stats["seconds"] * 1e6


def test_names_are_bytes(traced, command, tmp_path):
    root = os.fsencode(tmp_path / "odd")
    for name in (b"\xff", b'"', b"\\", b"\n", "\u00e9".encode(), b"x" * 200):
        os.makedirs(root + b"/" + name)
    events, _ = traced(command, root)
    assert {event["args"]["name"] for event in of(events, "directory")} == \
        {os.fsdecode(root)[:23], "\\xff", '"', "\\", "\\x0a", "\\xc3\\xa9", "x" * 23}


def test_several_walks_share_a_document(traced, tree):
    """What lies below another operand is walked after it."""
    operands = [tree / "d1", tree, tree / "d2", tree / "d2" / "e1"]
    events, stats = traced("du", *operands)
    assert len(of(events, "directory")) == stats["total"]["directories"]
    assert len(of(events, "process_name")) == 1


def test_replaces_what_was_in_the_file(traced, tmp_path, tree):
    (tmp_path / "trace.json").write_text("x" * 10_000_000)
    assert traced("du", tree / "d1" / "e1")[0]


@pytest.mark.parametrize("file", ["no/where", "directory"])
def test_a_file_that_cannot_be_written(run, built_in, command, tmp_path, tree, file):
    if not built_in:
        pytest.skip("this build has no --trace (TRAWL_TRACE)")
    (tmp_path / "directory").mkdir()
    result = run(command, "--trace", file, tree, cwd=tmp_path)
    assert result.returncode == WRONG[command] and result.stdout == b""
    reason = b"Is a directory" if file == "directory" else b"No such file or directory"
    assert result.stderr == NAMES[command] + b": cannot write '" + file.encode() + b"': " + reason + b"\n"


def test_a_full_disk(run, built_in, command, tree):
    if not built_in:
        pytest.skip("this build has no --trace (TRAWL_TRACE)")
    result = run(command, "--trace=/dev/full", tree)
    assert result.returncode == 1 and result.stdout != b""
    assert result.stderr == NAMES[command] + b": cannot write '/dev/full': No space left on device\n"


def test_a_walk_that_is_cut_short_has_one(run, built_in, command, tree, tmp_path):
    if not built_in:
        pytest.skip("this build has no --trace (TRAWL_TRACE)")
    result = run(command, "--trace=out", "--timeout=1ms", "--threads=1", tree, tree, cwd=tmp_path)
    assert result.returncode == 1
    assert json.loads((tmp_path / "out").read_text())["traceEvents"]


def test_abbreviations(run, command, tmp_path):
    """--tr is ours; a shorter one is also what GNU's or others begin with."""
    assert b"requires an argument" in run(command, "--tr", cwd=tmp_path).stderr
    assert b"ambiguous" in run(command, "--t", cwd=tmp_path).stderr
