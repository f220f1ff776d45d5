# SPDX-License-Identifier: Apache-2.0
"""The pure engine's tables and streams, against GNU find and by themselves."""

import errno
import os
import stat
import subprocess
import sys
import threading
import time

import pytest
from pure_trees import Tree, below, needs, seeds

from trawl import _pure as pure

ALL = (1 << 11) - 1
LETTERS = {
    "file": "f", "directory": "d", "symlink": "l", "block_device": "b", "character_device": "c", "fifo": "p",
    "socket": "s",
}  # fmt: skip


@pytest.fixture(params=seeds(25))
def tree(request, tmp_path):
    return Tree(request.param, os.fsencode(tmp_path) + b"/tree")


def find(*arguments):
    """Rows as `rows` gives them."""
    format = r"%p\0%y\0%d\0%s\0%b\0%m\0%n\0%U\0%G\0%D\0%i\0%l\0"
    done = subprocess.run(["find", *arguments, "-printf", format], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    fields = done.stdout.split(b"\0")[:-1]
    return sorted(tuple(fields[i : i + 12]) for i in range(0, len(fields), 12))


def rows(table):
    names = ["path_bytes", "type", "depth", "size", "disk_usage", "mode", "links", "uid", "gid", "device", "inode", "target"]
    out = []
    for path, kind, depth, size, usage, mode, *others, target in table.rows(names):
        values = [LETTERS[kind], depth, size, usage // 512, f"{mode:o}", *others]
        out.append((path, *(str(each).encode() for each in values), target or b""))
    return sorted(out)


def scan(root, **options):
    options.setdefault("fields", ALL)
    return pure.scan_table([root], link_targets=True, **options)


@needs("find")
def test_rows_are_those_of_find(tree):
    table = scan(tree.top)
    assert table.complete and table.ending == "complete" and table.errors == []
    assert rows(table) == find(tree.top)
    assert len(table) == table.statistics["entries"]


@needs("find")
def test_depths_and_types(tree):
    rng = tree.rng
    least, most = rng.randrange(4), rng.randrange(5)
    table = scan(tree.top, min_depth=least, max_depth=most)
    assert rows(table) == find(tree.top, "-mindepth", str(least), "-maxdepth", str(most))
    names = rng.sample(sorted(LETTERS), 3)
    types = sum(1 << pure.FILE_TYPES.index(name) for name in names)
    letters = ",".join(LETTERS[name] for name in names)
    assert rows(scan(tree.top, types=types)) == find(tree.top, "-type", letters)


@needs("find")
def test_names_only(tree):
    table = pure.scan_table([tree.top])
    assert table.columns == ["path", "path_bytes", "type", "depth"]
    expected = [(row[0], row[1].decode(), int(row[2])) for row in find(tree.top)]
    got = table.rows(["path_bytes", "type", "depth"])
    assert sorted((path, LETTERS[kind], depth) for path, kind, depth in got) == expected
    assert list(map(os.fsencode, table.paths())) == table.path_bytes()
    without = pure.scan_table([tree.top], include_roots=False)
    assert len(without) == len(table) - 1
    several = pure.scan_table([tree.top, tree.top])
    assert several.paths() == table.paths() * 2


def test_times(tree):
    table = scan(tree.top)
    for path, *times, born in table.rows(["path_bytes", "mtime", "ctime", "btime"]):
        status = os.lstat(path)
        want = [status.st_mtime_ns, status.st_ctime_ns]
        assert times == [t if -(2**63) <= t < 2**63 else None for t in want]  # those beyond are null
        assert born is None or abs(born - status.st_ctime_ns) < 3600 * 10**9
    assert set(table.column("error")) <= {None}


def test_lists_have_the_same_rows(tree):
    table = scan(tree.top)
    for order in ("component", "bytes", "rsync", "rsync28"):
        listed = pure.list_table(tree.top, order=order, fields=ALL, link_targets=True)
        assert listed.columns == table.columns
        assert rows(listed) == rows(table), order
        assert listed.column("btime") == [
            dict(zip(table.path_bytes(), table.column("btime")))[path] for path in listed.path_bytes()
        ]


def test_follow_enters_each_directory_once(tree):
    table = scan(tree.top, follow=2)
    assert table.complete
    for path, kind, target in table.rows(["path_bytes", "type", "target"]):
        try:
            mode = os.stat(path).st_mode
        except OSError:
            mode = os.lstat(path).st_mode
        assert stat.S_IFMT(mode) == {
            "file": stat.S_IFREG, "directory": stat.S_IFDIR, "symlink": stat.S_IFLNK, "fifo": stat.S_IFIFO,
            "socket": stat.S_IFSOCK, "block_device": stat.S_IFBLK, "character_device": stat.S_IFCHR,
        }[kind]  # fmt: skip
        assert (target is not None) == (kind == "symlink")
    # Each directory was listed by one path: so its names are there once.
    identity = {}
    for path in table.path_bytes():
        above, name = os.path.split(path)
        if above and path != tree.top:
            status = os.stat(above)
            identity.setdefault((status.st_dev, status.st_ino), set()).add(above)
    assert all(len(paths) == 1 for paths in identity.values())
    directories = {(s.st_dev, s.st_ino) for s in map(os.stat, tree.directories)}
    assert {key for key in identity} <= directories
    assert {key for key in directories if os.listdir(next(
        d for d in tree.directories if (os.stat(d).st_dev, os.stat(d).st_ino) == key))} == set(identity)  # fmt: skip


def test_roots_that_are_links(tmp_path):
    root = os.fsencode(tmp_path)
    os.mkdir(root + b"/d")
    os.symlink(b"d", root + b"/l")
    os.symlink(b"nowhere", root + b"/n")
    (tmp_path / "d" / "f").write_bytes(b"x")
    link = root + b"/l"
    assert pure.scan_table([link]).column("type") == ["symlink"]
    assert pure.scan_table([link], follow=1).path_bytes() == [link, link + b"/f"]
    assert pure.scan_table([link + b"/"]).path_bytes() == [link + b"/", link + b"/f"]
    dangling = pure.scan_table([root + b"/n"], follow=2, fields=pure.SIZE)
    assert dangling.column("type") == ["symlink"] and dangling.complete


def test_missing_roots_are_errors(tmp_path):
    missing = os.fsencode(tmp_path) + b"/no\xff"
    table = pure.scan_table([missing], fields=pure.SIZE)
    assert table.errors == [("stat", errno.ENOENT, 0, os.fsdecode(missing))]
    assert not table.complete and table.ending == "complete"
    assert pure.list_table(missing).errors == table.errors
    assert len(pure.list_table(missing)) == 0
    file = tmp_path / "file"
    file.write_bytes(b"")
    assert pure.scan_table([os.fsencode(file)]).column("type") == ["file"]
    below_file = pure.scan_table([os.fsencode(file) + b"/x"])
    assert below_file.errors[0][1] == errno.ENOTDIR


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_unreadable_directories(tmp_path):
    os.chmod(tmp_path, 0o755)
    root = tmp_path / "root"
    for name in ("open", "closed", "list", "search"):
        (root / name / "in").mkdir(parents=True)
        (root / name / "f").write_bytes(b"x")
    os.chmod(root / "closed", 0o000)
    os.chmod(root / "list", 0o444)
    os.chmod(root / "search", 0o111)
    program = """
import os, sys
sys.path.insert(0, sys.argv[1])
from trawl import _pure as pure
os.setgid(65534); os.setuid(65534)
root = os.fsencode(sys.argv[2])
for fields in (0, pure.SIZE):
    table = pure.scan_table([root], fields=fields)
    print(sorted((p[len(root):], t) for p, t in table.rows(["path_bytes", "type"])))
    print(sorted((o, e, d, p[len(root):]) for o, e, d, p in table.errors), table.complete)
profile = pure.profile(root)
print(profile["summary"]["total_files"], profile["summary"]["total_folders"], len(profile["errors"]))
"""
    for parent in tmp_path.parents:
        if stat.S_IMODE(parent.stat().st_mode) & 0o001 == 0:
            os.chmod(parent, 0o755)
    python = pathlib_python()
    done = subprocess.run([sys.executable, "-c", program, python, str(root)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    names, errors, stat_names, stat_errors, counts = done.stdout.splitlines()
    listed = [
        (b"", "directory"), (b"/closed", "directory"), (b"/list", "directory"), (b"/list/f", "file"),
        (b"/list/in", "directory"), (b"/open", "directory"), (b"/open/f", "file"), (b"/open/in", "directory"),
        (b"/search", "directory"),
    ]  # fmt: skip
    assert names == str(listed) == stat_names
    denied = errno.EACCES
    assert errors == str([("open", denied, 1, "/closed"), ("open", denied, 1, "/search"), ("open", denied, 2, "/list/in")]) + " False"
    assert stat_errors == str(
        [("open", denied, 1, "/closed"), ("open", denied, 1, "/search"), ("open", denied, 2, "/list/in"),
         ("stat", denied, 2, "/list/f")]) + " False"  # fmt: skip
    assert counts == "2 7 4"


def pathlib_python():
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(pure.__file__))))


@pytest.mark.parametrize("name, count", [(b"n" * 200, 65), (b"d", 1500)])
def test_deep_trees(tmp_path, name, count):
    root = os.fsencode(tmp_path) + b"/deep"
    os.mkdir(root)
    path = below(root, [name] * count)
    try:
        table = pure.scan_table([root], fields=pure.SIZE | pure.BTIME)
        assert table.complete and len(table) == count + 2
        assert table.path_bytes()[-1] == path + b"/file"
        assert table.column("size")[-1] == 5000
        assert pure.list_table(root, order="bytes", fields=pure.SIZE).path_bytes() == table.path_bytes()
        profile = pure.profile(root, tree_folders=5)
        assert profile["summary"]["max_depth"] == count and profile["summary"]["total_files"] == 1
        assert pure.usage([root])["inodes"] == count + 2
        assert len(pure.usage([root], max_depth=3)["lines"]) == 4
        stats = pure.stat_table([path + b"/file", path + b"/none", path], fields=pure.SIZE | pure.BTIME)
        assert stats.column("type") == ["file", "unknown", "directory"]
        assert stats.column("size")[0] == 5000 and stats.column("error") == [None, errno.ENOENT, None]
        assert stats.path_bytes()[0] == path + b"/file"
        triples = []
        stream = pure.WalkStream(root, topdown=False)
        while (part := stream.next()) is not None:
            triples += part
        assert len(triples) == count + 1 and triples[0][0] == os.fsdecode(path)
        rules = pure.PathFilter(exclude=[b"file"])
        assert len(pure.scan_table([root], filter=rules)) == count + 1
    finally:
        subprocess.run(["rm", "-rf", root], check=True)


@needs("find")
def test_one_file_system():
    expected = subprocess.run(
        ["find", "/", "-maxdepth", "1", "-xdev", "-printf", r"%p\0"], capture_output=True, timeout=60
    ).stdout.split(b"\0")[:-1]
    table = pure.scan_table([b"/"], one_file_system=True, max_depth=1)
    assert sorted(table.path_bytes()) == sorted(expected)
    deeper = pure.scan_table([b"/proc/self"], one_file_system=True, max_depth=1)
    assert deeper.path_bytes() == [b"/proc/self"]
    entered = pure.scan_table([b"/"], one_file_system=True, max_depth=2).path_bytes()
    assert b"/proc" in entered and not any(path.startswith(b"/proc/") for path in entered)


# ---- stopping


def test_vanished_entries_are_none(tmp_path):
    for name in "abcdef":
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_bytes(b"x")

    def remove(path):
        if path.endswith("/x"):
            os.unlink(path)
            os.rmdir(os.path.dirname(path))
        return False

    rules = pure.PathFilter(custom=remove)
    table = pure.scan_table([os.fsencode(tmp_path)], fields=pure.SIZE, filter=rules)
    assert table.errors == [] and table.complete
    assert len(table) == 7 and table.statistics["vanished"] == 6


def test_vanished_directories_are_no_error(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    other = {"a": "b", "b": "a"}

    def swap(path):
        victim = tmp_path / other.get(os.path.basename(path), "none")
        if victim.exists():
            victim.rmdir()
            victim.symlink_to("/")  # not to be entered
        return False

    table = pure.scan_table([os.fsencode(tmp_path)], filter=pure.PathFilter(custom=swap))
    assert table.errors == [] and len(table) <= 3


class Boom(Exception):
    pass


def calls(root, **options):
    yield lambda: pure.scan_table([root], **options)
    yield lambda: pure.list_table(root, **options)
    yield lambda: pure.profile(root, **options)
    yield lambda: pure.usage([root], **options)


def ending(result):
    return result["ending"] if isinstance(result, dict) else result.ending


@pytest.fixture
def many(tmp_path):
    for i in range(30):
        (tmp_path / str(i)).mkdir()
        for name in range(20):
            (tmp_path / str(i) / str(name)).write_bytes(b"")
    return os.fsencode(tmp_path)


def test_timeout(many):
    for call in calls(many, timeout=0):
        result = call()
        assert ending(result) == "timed_out"
    for call in calls(many, timeout=0.02, filter=pure.PathFilter(custom=lambda path: time.sleep(0.001))):
        begin = time.monotonic()
        assert ending(call()) == "timed_out"
        assert time.monotonic() - begin < 4
    for call in calls(many, timeout=100):
        assert ending(call()) == "complete"


def test_cancel(many):
    token = pure.CancelToken()
    assert not token.cancelled
    token.cancel()
    assert token.cancelled
    for call in calls(many, cancel=token):
        assert ending(call()) == "cancelled"
    token = pure.CancelToken()
    threading.Timer(0.05, token.cancel).start()
    slow = pure.PathFilter(custom=lambda path: time.sleep(0.002))
    table = pure.scan_table([many], cancel=token, filter=slow)
    assert table.ending == "cancelled" and 0 < len(table) < 631


def test_poll(many):
    seen = []
    slow = pure.PathFilter(custom=lambda path: time.sleep(0.001))
    pure.scan_table([many], poll=seen.append, filter=slow)
    assert len(seen) >= 5 and seen == sorted(seen) and seen[-1] <= 631

    def fail(entries):
        raise Boom(entries)

    for call in calls(many, poll=fail, filter=slow):
        with pytest.raises(Boom):
            call()


def test_what_the_filter_raises_comes_out(many):
    def fail(path):
        raise Boom(path)

    before = len(os.listdir("/proc/self/fd"))
    for call in calls(many, filter=pure.PathFilter(custom=fail)):
        with pytest.raises(Boom):
            call()
    assert len(os.listdir("/proc/self/fd")) == before


def test_bad_arguments(many):
    for bad in (dict(threads=-1), dict(threads=1025), dict(max_depth=-1), dict(follow=3), dict(timeout=-1)):
        for call in calls(many, **bad):
            with pytest.raises(ValueError):
                call()
    for root, error in ((b"a\0b", ValueError), ("text", TypeError)):
        for call in calls(root):
            with pytest.raises(error):
                call()
    with pytest.raises(TypeError):
        pure.scan_table(many)
    with pytest.raises(ValueError):
        pure.list_table(many, order="unordered")
    for bad in (dict(top=0), dict(top_folders=0), dict(capacity=3), dict(max_empty_folders=-1), dict(tree_folders=-1)):
        with pytest.raises(ValueError):
            pure.profile(many, **bad)
    with pytest.raises(ValueError):
        pure.scan_table([many], fields=1 << 11)
    with pytest.raises(KeyError):
        pure.scan_table([many]).column("size")


# ---- streams


def drain(stream):
    tables = []
    while (table := stream.next()) is not None:
        tables.append(table)
    return tables


def test_table_stream(tree):
    table = scan(tree.top)
    stream = pure.TableStream([tree.top], fields=ALL, link_targets=True, chunk_rows=7)
    assert not stream.finished
    parts = drain(stream)
    assert stream.finished and stream.ending == "complete" and stream.complete and stream.errors == []
    assert all(0 < len(part) <= 7 for part in parts)
    names = [name for name in table.columns if name != "atime"]  # that of directories has changed
    assert [row for part in parts for row in part.rows(names)] == table.rows(names)
    assert stream.statistics["entries"] == len(table)


def test_table_stream_ends_early(many):
    stream = pure.TableStream([many], chunk_rows=10)
    assert len(stream.next()) == 10
    stream.cancel()
    assert stream.next() is None and stream.finished and stream.ending == "cancelled"
    slow = pure.PathFilter(custom=lambda path: time.sleep(0.05) or True)
    stream = pure.TableStream([many] * 3, filter=slow, include_roots=False)
    begin = time.monotonic()
    assert stream.next(timeout=0.01) is None and not stream.finished
    assert time.monotonic() - begin < 3
    stream.cancel()
    stream = pure.TableStream([many], timeout=0)
    assert stream.next() is None and stream.finished and stream.ending == "timed_out" and not stream.complete
    stream = pure.TableStream([many])
    assert stream.ending == "complete"  # waits
    assert sum(map(len, drain(stream))) == 631 and stream.finished

    def fail(path):
        raise Boom

    stream = pure.TableStream([many], filter=pure.PathFilter(custom=fail))
    with pytest.raises(Boom):
        stream.next()
    assert stream.next() is None and stream.finished
    for bad in (dict(chunk_rows=0), dict(capacity=0), dict(threads=2000)):
        with pytest.raises(ValueError):
            pure.TableStream([many], **bad)


def walk(root, **options):
    stream = pure.WalkStream(root, **options)
    out = []
    while (part := stream.next()) is not None:
        out += part
    return out, stream.errors


@pytest.mark.parametrize("topdown", [True, False])
def test_walk_stream_is_os_walk(tree, topdown):
    top = os.fsdecode(tree.top)
    expected = [(path, sorted(names), sorted(others)) for path, names, others in os.walk(top, topdown=topdown)]
    got, errors = walk(tree.top, topdown=topdown)
    assert errors == []
    assert [(path, sorted(directories), sorted(others)) for path, directories, others in got] == expected
    most = tree.rng.randrange(3)
    limited, _ = walk(tree.top, topdown=topdown, max_depth=most)
    depth = top.count("/") + most
    assert [each[0] for each in limited] == [each[0] for each in got if each[0].count("/") <= depth]


def test_walk_stream_cuts_cycles(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "up").symlink_to("../..")
    (tmp_path / "again").symlink_to("a")
    got, _ = walk(os.fsencode(tmp_path), follow=2)
    top = str(tmp_path)
    assert {each[0][len(top) :] for each in got} == {"", "/a", "/a/b", "/again", "/again/b"}
    missing, errors = walk(os.fsencode(tmp_path) + b"/no")
    assert missing == [] and errors[0][:2] == ("stat", errno.ENOENT)
    (tmp_path / "file").write_bytes(b"")
    missing, errors = walk(os.fsencode(tmp_path) + b"/file")
    assert missing == [] and errors[0][:2] == ("open", errno.ENOTDIR)
    stream = pure.WalkStream(os.fsencode(tmp_path))
    stream.cancel()
    assert stream.next() is None


# ---- paths


def test_stat_table(tree):
    paths = tree.directories + tree.files + [tree.top + b"/no"] + [tree.top + b"/" + name for name in os.listdir(tree.top)]
    for follow in (False, True):
        table = pure.stat_table(paths, fields=ALL, follow=follow)
        assert table.path_bytes() == paths and table.column("depth") == [0] * len(paths)
        for path, kind, size, inode, error in table.rows(["path_bytes", "type", "size", "inode", "error"]):
            try:
                status = os.stat(path, follow_symlinks=follow)
            except OSError as failure:
                assert (kind, size, inode, error) == ("unknown", None, None, failure.errno)
            else:
                assert (size, inode, error) == (status.st_size, status.st_ino, None)
    assert pure.stat_table([b""], fields=pure.SIZE).column("error") == [errno.ENOENT]
    types_only = pure.stat_table([b"", tree.top])
    assert types_only.columns == ["path", "path_bytes", "type", "depth", "error"]
    assert types_only.column("error") == [errno.ENOENT, None]


def test_arrow(tree):
    arrow = pytest.importorskip("pyarrow")
    table = scan(tree.top)
    got = arrow.table(table)
    assert got.column_names == table.columns
    assert arrow.schema(table) == got.schema
    assert got.schema.field("type").type == arrow.dictionary(arrow.int8(), arrow.string())
    assert got.schema.field("mtime").type == arrow.timestamp("ns", tz="UTC")
    assert got["path_bytes"].to_pylist() == table.path_bytes()
    assert got["path"].to_pylist() == [path.decode("utf-8", "replace") for path in table.path_bytes()]
    assert got["type"].to_pylist() == table.column("type")
    for name in ("depth", "size", "disk_usage", "mode", "links", "uid", "gid", "device", "inode", "target", "error"):
        assert got[name].to_pylist() == table.column(name), name
    for name in ("mtime", "atime", "ctime", "btime"):
        assert got[name].cast(arrow.int64()).to_pylist() == table.column(name)
    empty = arrow.table(pure.scan_table([tree.top], types=0))
    assert empty.num_rows == 0


def test_arrow_needs_pyarrow(many, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    table = pure.scan_table([many])
    with pytest.raises(ImportError, match="pyarrow"):
        table.__arrow_c_stream__()
    with pytest.raises(ImportError, match="pyarrow"):
        table.__arrow_c_schema__()
