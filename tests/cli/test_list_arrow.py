# SPDX-License-Identifier: Apache-2.0
"""`trawl list --arrow` against lstat and against its own lines, through a reader of Arrow's formats; and,
where pyarrow is, through that: imported, or by the interpreter that $TRAWL_PYARROW_PYTHON names."""

import importlib.util
import json
import os
import random
import stat
import subprocess
import sys

import pytest

from cli.arrow_reader import Table
from differential.sandbox import NOBODY, Sandbox
from differential.tree import Tree

ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
ORDERS = ["unordered", "component", "bytes", "rsync", "rsync28"]
TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFBLK: "block_device",
         stat.S_IFCHR: "character_device", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}  # fmt: skip
NONE = ["path", "path_bytes", "type", "depth"]
BASIC = NONE + ["size", "disk_usage", "mtime", "atime", "ctime", "mode", "links", "uid", "gid", "device",
                "inode", "target", "error"]  # fmt: skip
SEED = 4  # of a tree in which lstat can reach everything
ALL = BASIC[:9] + ["btime"] + BASIC[9:]


def start(trawl_path, *arguments, **options):
    return subprocess.run([trawl_path, "list", *arguments], capture_output=True, timeout=120,
                          env=ENVIRONMENT, stdin=subprocess.DEVNULL, **options)  # fmt: skip


@pytest.fixture
def run(trawl_path, tmp_path):
    result = start(trawl_path, "--arrow", "-", "--type=s", cwd=tmp_path)
    if b"not in this build" in result.stderr:
        assert result.returncode == 2
        pytest.skip("this build was made without FlatBuffers, and says so")
    return lambda *arguments, **options: start(trawl_path, *arguments, **options)


@pytest.fixture
def table(run, tmp_path):
    """What is written to a file, of a run in which nothing goes wrong."""

    def table(*arguments, **options):
        file = tmp_path / "table"
        result = run("--arrow", file, *arguments, **options)
        assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
        return Table(file.read_bytes())

    return table


@pytest.fixture
def tree():
    sandbox = Sandbox()
    tree = Tree(random.Random(SEED), os.path.join(sandbox.home("host"), b"arrow"), sandbox)
    try:
        tree.build()
        yield tree
    finally:
        tree.remove()
        sandbox.close()


@pytest.fixture
def place(tmp_path):
    top = tmp_path / "place"
    (top / "d" / "e").mkdir(parents=True)
    (top / "d" / "file").write_bytes(b"four")
    (top / "d" / "e" / "f").write_bytes(b"")
    os.symlink("d/file", top / "link")
    os.symlink("/elsewhere", top / "away")
    os.mkfifo(top / "pipe")
    os.utime(top / "pipe", ns=(5, -(10**9) - 1))
    return top


def row_of(path, depth, names):
    info = os.lstat(path)
    is_link = stat.S_ISLNK(info.st_mode)
    row = {"path": path.decode(errors="replace"), "path_bytes": path, "depth": depth,
           "type": TYPES[stat.S_IFMT(info.st_mode)], "size": info.st_size, "disk_usage": info.st_blocks * 512,
           "mtime": info.st_mtime_ns, "ctime": info.st_ctime_ns, "mode": stat.S_IMODE(info.st_mode),
           "links": info.st_nlink, "uid": info.st_uid, "gid": info.st_gid, "device": info.st_dev,
           "inode": info.st_ino, "error": None,
           "target": os.fsencode(os.readlink(path)) if is_link else None}  # fmt: skip
    for name in ("mtime", "ctime"):
        if not -(2**63) <= row[name] < 2**63:
            row[name] = None
    return {name: value for name, value in row.items() if name in names}


def find(root):
    """Every path below it, and its depth."""
    out = [(root, 0)]
    for path, depth in out:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            out += [(os.path.join(path, name), depth + 1) for name in sorted(os.listdir(path))]
    return out


def without_access(rows):
    """In an order of their own."""
    for row in rows:
        row.pop("atime", None), row.pop("btime", None)
    return sorted(rows, key=lambda row: row["path_bytes"])


@pytest.mark.parametrize("which, names", [("none", NONE), ("basic", BASIC), ("all", ALL)])
@pytest.mark.parametrize("order", ["unordered", "bytes"])
def test_columns_are_what_lstat_says(table, place, which, names, order):
    found = table("--stat", which, "--order", order, place)
    assert list(found.columns) == names
    wanted = [row_of(path, depth, names) for path, depth in find(os.fsencode(place))]
    assert without_access(found.rows()) == without_access(wanted)


def test_hostile_names_and_times(table, tree):
    assert not tree.beyond_path_max
    for root in tree.roots:
        root = os.path.join(tree.top, root)
        wanted = [row_of(path, depth, BASIC) for path, depth in find(root)]
        for threads in ("1", "16"):
            found = table("--threads", threads, root)
            assert without_access(found.rows()) == without_access(wanted)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("relative", [False, True])
def test_rows_are_the_lines(run, table, place, order, relative):
    options = ["--order", order] + (["--relative"] if relative else [])
    for roots in ([place], [place / "d", place / "link"]):
        for some in ([], ["--type=f,l"], ["--min-depth=1", "--max-depth=2"], ["--exclude=e"], ["--safe-links"]):
            lines = run("-0", *options, *some, *roots).stdout.split(b"\0")[:-1]
            found = table(*options, *some, *roots).columns["path_bytes"]
            if order == "unordered":
                lines.sort(), found.sort()
            assert found == lines


def test_follows_links(run, table, place):
    lines = [json.loads(line) for line in run("--json", "--follow", place).stdout.splitlines()]
    found = table("--follow", place)
    assert sorted(zip(found.columns["path"], found.columns["size"])) == sorted(
        (line["path"], line["size"]) for line in lines)  # fmt: skip


def test_standard_output_has_the_streaming_form(run, place):
    for order in ("unordered", "bytes"):
        result = run("--arrow", "-", "--order", order, place)
        assert (result.returncode, result.stderr) == (0, b"")
        assert len(Table(result.stdout, stream=True).rows()) == 8


def test_nothing_is_a_table_too(run, table, place):
    assert table("--type=s", place).rows() == []
    assert Table(run("--arrow", "-", "--type=s", place).stdout, stream=True).rows() == []


def test_many_rows_are_many_batches(table, tmp_path):
    top = tmp_path / "many"
    top.mkdir()
    for i in range(20_000):
        (top / f"{i:05}").touch()
    for order in ("unordered", "bytes"):
        found = table("--order", order, "--stat=none", "--threads=1", top)
        assert found.batches == [16_384, 20_001 - 16_384]
        assert len(set(found.columns["path"])) == 20_001


def test_what_fails_is_a_row_unless_ordered(run, place, tmp_path):
    file = tmp_path / "table"
    for order in ("unordered", "bytes"):
        result = run("--arrow", file, "--order", order, place / "d", place / "missing")
        assert result.returncode == 1
        assert b"missing': No such file" in result.stderr
        errors = {row["path"]: row["error"] for row in Table(file.read_bytes()).rows()}
        assert errors.pop(str(place / "missing"), None) == (2 if order == "unordered" else None)
        assert len(errors) == 4 and set(errors.values()) == {None}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_unreadable_directories(run, place):
    (place / "d" / "e").chmod(0o700)
    (place / "d").chmod(0o744)
    for each in (place, place.parent, place.parent.parent, place.parent.parent.parent):
        each.chmod(0o755)
    result = run("--arrow", "-", place, user=NOBODY, group=NOBODY)
    assert result.returncode == 1
    rows = {row["path"]: row for row in Table(result.stdout, stream=True).rows()}
    assert rows[str(place / "d" / "file")]["error"] == 13
    assert rows[str(place / "d" / "file")]["size"] is None
    assert rows[str(place / "d")]["error"] is None


def test_a_file_that_cannot_be_written(run, place, tmp_path):
    result = run("--arrow", tmp_path / "no" / "such", place)
    assert result.returncode == 1
    assert b"cannot open" in result.stderr and b"No such file" in result.stderr
    if os.path.exists("/dev/full"):
        for large in (place, "/usr"):  # the walk goes on when the error is there, or is done
            result = run("--arrow", "/dev/full", large)
            assert result.returncode == 1
            assert result.stderr == b"trawl list: write error: No space left on device\n"


def test_who_closes_the_pipe_ends_it(trawl_path, run, place):
    read, write = os.pipe()
    os.close(read)
    result = subprocess.run([trawl_path, "list", "--arrow", "-", "/usr"], stdout=write, stderr=subprocess.PIPE,
                            timeout=60, env=ENVIRONMENT)  # fmt: skip
    os.close(write)
    assert result.returncode != 0 and result.stderr == b""


# What the text says in this case, the table does too: partial, and readable.
def test_what_is_cut_short_can_be_read(run, place, tmp_path):
    file = tmp_path / "table"
    result = run("--arrow", file, "--timeout=0.000001", "/usr")
    assert result.returncode == 1
    assert b"the list is partial" in result.stderr
    Table(file.read_bytes())


@pytest.mark.parametrize("size", [0, 8, 100, -1, -7])
def test_no_part_of_a_file_is_a_table(table, place, tmp_path, size):
    table(place)
    data = (tmp_path / "table").read_bytes()
    with pytest.raises((AssertionError, IndexError, ValueError)):
        Table(data[:size])


def test_wrong_usage(run, place):
    for other in ("--json", "--csv", "--long", "--format={path}"):
        result = run("--arrow", "-", other, place)
        assert (result.returncode, result.stdout) == (2, b"")
        assert b"can be had" in result.stderr
    result = run("--arrow", "-", "--null", place)
    assert result.returncode == 2 and b"no lines" in result.stderr


def test_replaces_the_file(table, place):
    many = len(table(place).rows())
    assert len(table("--max-depth=0", place).rows()) == 1 < many


PYARROW = """
import sys
import pyarrow as pa, pyarrow.ipc as ipc
file, stream = sys.argv[1:]
table = ipc.open_file(file).read_all()
table.validate(full=True)
mapped = ipc.open_file(pa.memory_map(file)).read_all()
mapped.validate(full=True)
streamed = ipc.open_stream(stream).read_all()
streamed.validate(full=True)
assert mapped.equals(table) and streamed.equals(table)
sys.stdout.buffer.write(b"\\0".join(table["path_bytes"].to_pylist()))
"""


def test_pyarrow_agrees(run, tree, tmp_path):
    python = os.environ.get("TRAWL_PYARROW_PYTHON")
    if python is None and importlib.util.find_spec("pyarrow") is None:
        pytest.skip("no pyarrow, and $TRAWL_PYARROW_PYTHON names no interpreter that has it")
    roots = [os.path.join(tree.top, root) for root in tree.roots]
    file, stream = tmp_path / "file", tmp_path / "stream"
    for order in ("bytes", "component"):
        assert run("--order", order, "--arrow", file, *roots).returncode == 0
        stream.write_bytes(run("--order", order, "--arrow", "-", *roots).stdout)
        read = subprocess.run([python or sys.executable, "-c", PYARROW, file, stream], capture_output=True,
                              timeout=120)  # fmt: skip
        assert read.returncode == 0, read.stderr
        assert read.stdout.split(b"\0") == run("-0", "--order", order, *roots).stdout.split(b"\0")[:-1]
