# SPDX-License-Identifier: Apache-2.0
# labels: sanitize
"""trawl._native against answers made with os.scandir and os.lstat, on a tree of hostile names."""

import errno
import os
import socket
import stat
import subprocess
import threading

import pytest

native = pytest.importorskip("trawl._native")

THREADS = (1, 2, 16, 64)
FIELDS = {
    "size": native.SIZE,
    "disk_usage": native.BLOCKS,
    "mtime": native.MTIME,
    "atime": native.ATIME,
    "ctime": native.CTIME,
    "mode": native.MODE,
    "links": native.LINKS,
    "uid": native.OWNER,
    "gid": native.OWNER,
    "device": native.IDENTITY,
    "inode": native.IDENTITY,
}
ALL = native.BTIME
for bit in FIELDS.values():
    ALL |= bit


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A tree of 4,500 entries, as bytes."""
    root = os.fsencode(tmp_path_factory.mktemp("native") / "tree")
    os.mkdir(root)
    names = [b"plain", b"with space", b"new\nline", b"tab\t", b"-dash", b"\xff\xfe bad utf-8", b"\xc3\xa9t\xc3\xa9",
             b"n" * 255, b".hidden", b"*?[]", "\U0001f40b".encode(), b"caf\xe9", b"a\\b", b"trailing ", b"'\""]
    for name in names:
        with open(os.path.join(root, name), "wb") as file:
            file.write(name * 7)
        os.mkdir(os.path.join(root, b"d " + name[:200]))
        with open(os.path.join(root, b"d " + name[:200], name), "wb") as file:
            file.truncate(1 << 20)
        os.mkdir(os.path.join(root, b"d " + name[:200], b"empty"))
    many = os.path.join(root, b"many")
    os.mkdir(many)
    for i in range(3000):
        open(os.path.join(many, b"%d.dat" % i), "wb").close()
    for i in range(300):
        os.mkdir(os.path.join(root, b"many", b"d%d" % i))
        open(os.path.join(root, b"many", b"d%d" % i, b"x"), "wb").close()
    deep = root
    for i in range(60):
        deep = os.path.join(deep, b"deep")
        os.mkdir(deep)
        open(os.path.join(deep, b"f"), "wb").close()
    os.symlink(b"plain", os.path.join(root, b"to file"))
    os.symlink(b"many", os.path.join(root, b"to directory"))
    os.symlink(b"nowhere", os.path.join(root, b"dangling"))
    os.symlink(b".", os.path.join(root, b"cycle"))
    os.symlink(b"self", os.path.join(root, b"self"))
    os.link(os.path.join(root, b"plain"), os.path.join(root, b"hard link"))
    os.mkfifo(os.path.join(root, b"fifo"))
    with socket.socket(socket.AF_UNIX) as server:
        where = os.getcwd()
        os.chdir(root)
        server.bind(b"socket")
        os.chdir(where)
    os.utime(os.path.join(root, b"plain"), ns=(-(10**18), 1))
    return root


def kind(mode):
    for test, name in ((stat.S_ISREG, "file"), (stat.S_ISDIR, "directory"), (stat.S_ISLNK, "symlink"),
                       (stat.S_ISFIFO, "fifo"), (stat.S_ISSOCK, "socket")):
        if test(mode):
            return name
    return "unknown"


def below(path, depth=0, max_depth=1 << 30):
    """(path, depth) of everything, as os.scandir gives it."""
    yield path, depth
    if depth < max_depth and stat.S_ISDIR(os.lstat(path).st_mode):
        with os.scandir(path) as listing:
            for entry in listing:
                yield from below(entry.path, depth + 1, max_depth)


def naive_row(path, depth):
    info = os.lstat(path)
    return {
        "path": os.fsdecode(path),
        "path_bytes": path,
        "type": kind(info.st_mode),
        "depth": depth,
        "size": info.st_size,
        "disk_usage": info.st_blocks * 512,
        "mtime": info.st_mtime_ns,
        "ctime": info.st_ctime_ns,
        "mode": stat.S_IMODE(info.st_mode),
        "links": info.st_nlink,
        "uid": info.st_uid,
        "gid": info.st_gid,
        "device": info.st_dev,
        "inode": info.st_ino,
        "target": os.readlink(path) if stat.S_ISLNK(info.st_mode) else None,
        "error": None,
    }


def naive_rows(root, **options):
    return sorted((naive_row(*found) for found in below(root, **options)), key=lambda row: row["path_bytes"])


def rows_of(table):
    # Listing a directory may touch its atime: not compared here.
    names = [name for name in table.columns if name not in ("atime", "btime")]
    return sorted((dict(zip(names, row)) for row in table.rows(names)), key=lambda row: row["path_bytes"])


def stream_rows(stream):
    found = []
    while (table := stream.next()) is not None:
        assert len(table) > 0
        found += rows_of(table)
    return sorted(found, key=lambda row: row["path_bytes"])


# --- tables ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", THREADS)
def test_scan_has_every_entry_and_field(tree, threads):
    table = native.scan_table([tree], fields=ALL, link_targets=True, threads=threads)
    assert table.columns == ["path", "path_bytes", "type", "depth", "size", "disk_usage", "mtime", "atime", "ctime",
                             "btime", "mode", "links", "uid", "gid", "device", "inode", "target", "error"]
    assert rows_of(table) == naive_rows(tree)
    assert table.complete and table.ending == "complete" and table.errors == []
    assert table.statistics["entries"] == len(table) and table.nbytes > 0


@pytest.mark.parametrize("threads", THREADS)
def test_stream_gives_the_same(tree, threads):
    stream = native.TableStream([tree], fields=ALL, link_targets=True, threads=threads, chunk_rows=100, capacity=200)
    assert stream_rows(stream) == naive_rows(tree)
    assert stream.finished and stream.ending == "complete" and stream.complete and stream.errors == []
    assert stream.statistics["entries"] == len(naive_rows(tree))
    assert stream.next() is None


def test_names_only(tree):
    table = native.scan_table([tree])
    assert table.columns == ["path", "path_bytes", "type", "depth"]
    wanted = [row["path_bytes"] for row in naive_rows(tree)]
    assert sorted(table.path_bytes()) == wanted
    assert sorted(map(os.fsencode, table.paths())) == wanted
    assert table.column("path") == table.paths() and table.column("path_bytes") == table.path_bytes()
    assert table.statistics["stat_calls"] < 10
    for row in native.scan_table([tree], types=1 << native.FILE_TYPES.index("symlink")).rows(["type"]):
        assert row == ("symlink",)


@pytest.mark.parametrize("name", list(FIELDS))
def test_one_column_at_a_time(tree, name):
    table = native.scan_table([tree], fields=FIELDS[name])
    if name != "atime":
        wanted = {row["path"]: row[name] for row in naive_rows(tree)}
        assert dict(zip(table.paths(), table.column(name))) == wanted
    for other, bit in FIELDS.items():
        assert (other in table.columns) == (bit == FIELDS[name])
        if bit != FIELDS[name]:
            with pytest.raises(KeyError):
                table.column(other)


def test_depths_roots_and_types(tree):
    wanted = sorted(row["path_bytes"] for row in naive_rows(tree, max_depth=2) if row["depth"] == 2)
    assert sorted(native.scan_table([tree], min_depth=2, max_depth=2).path_bytes()) == wanted
    assert native.scan_table([tree], max_depth=0).path_bytes() == [tree]
    assert tree not in native.scan_table([tree], include_roots=False).path_bytes()
    assert native.scan_table([tree], max_depth=1 << 70).complete
    pair = native.scan_table([tree + b"/many", tree + b"/plain"], include_roots=False)
    assert len(pair) == 3600 + 1


def test_links(tree):
    link = tree + b"/to directory"
    assert native.scan_table([link]).column("type") == ["symlink"]
    assert len(native.scan_table([link], follow=1)) == 3601
    followed = native.scan_table([tree], follow=2, threads=1)
    assert "symlink" in followed.column("type")  # dangling
    assert followed.column("type").count("symlink") == 2
    assert native.scan_table([tree], one_file_system=True).complete


@pytest.mark.parametrize("threads", THREADS)
def test_list_is_in_order(tree, threads):
    table = native.list_table(tree, fields=ALL, link_targets=True, threads=threads)
    paths = table.path_bytes()
    assert paths == sorted(paths, key=lambda path: path.split(b"/"))
    assert rows_of(table) == naive_rows(tree)
    by_bytes = native.list_table(tree, order="bytes", include_root=False, threads=threads).path_bytes()
    assert by_bytes == sorted(path for path in paths if path != tree)
    for order in ("rsync", "rsync28"):
        assert sorted(native.list_table(tree, order=order, threads=threads).path_bytes()) == sorted(paths)


@pytest.mark.parametrize("threads", THREADS)
def test_stat_keeps_the_order(tree, threads):
    paths = [found for found, _ in below(tree)] + [tree + b"/none", tree, tree]
    table = native.stat_table(paths, fields=ALL, threads=threads)
    assert table.path_bytes() == paths
    for path, kind_, size, inode, error, depth in table.rows(["path_bytes", "type", "size", "inode", "error", "depth"]):
        assert depth == 0
        if path.endswith(b"/none"):
            assert (kind_, size, inode, error) == ("unknown", None, None, errno.ENOENT)
        else:
            info = os.lstat(path)
            assert (kind_, size, inode, error) == (kind(info.st_mode), info.st_size, info.st_ino, None)
    link = tree + b"/to file"
    assert native.stat_table([link], fields=native.SIZE, follow=True).column("size") == [35]
    assert native.stat_table([]).rows(["path"]) == []


def test_times_of_any_range(tree):
    table = native.stat_table([tree + b"/plain"], fields=native.MTIME | native.ATIME)
    assert table.column("mtime") == [1] and table.column("atime") == [-(10**18)]


def test_missing_root():
    table = native.scan_table([b"/nowhere/at all"])
    assert not table.complete and table.ending == "complete"
    assert table.rows(["path", "type"]) == [("/nowhere/at all", "unknown")]
    assert native.scan_table([b"/nowhere"], fields=native.SIZE).rows(["size", "error"]) == [(None, errno.ENOENT)]
    [(operation, code, depth, path)] = table.errors
    assert (code, depth, path) == (errno.ENOENT, 0, "/nowhere/at all") and operation in ("open", "stat")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all")
def test_unreadable_directory(tmp_path):
    (tmp_path / "shut").mkdir(mode=0)
    root = os.fsencode(tmp_path)
    wanted = [("open", errno.EACCES, 1, os.fsdecode(root) + "/shut")]
    assert native.scan_table([root]).errors == wanted
    assert native.usage([root])["errors"] == wanted
    stream = native.WalkStream(root)
    assert stream.next() == [(os.fsdecode(root), ["shut"], [])]
    assert stream.next() is None and stream.errors == wanted and stream.errors == []


def test_timeout(tree):
    table = native.scan_table([tree], timeout=0)
    assert table.ending == "timed_out" and not table.complete
    assert native.scan_table([tree], timeout=1e300).complete
    stream = native.TableStream([tree], timeout=0)
    stream_rows(stream)
    assert stream.ending == "timed_out"


def test_stream_waits_no_longer_than_told(tree):
    stream = native.TableStream([tree], chunk_rows=1, capacity=1)
    tables = 0
    while True:
        table = stream.next(timeout=0)
        tables += table is not None
        if table is None and stream.finished:
            break
    assert tables == len(naive_rows(tree))


# --- Arrow -----------------------------------------------------------------------------------------


def test_arrow(tree):
    pyarrow = pytest.importorskip("pyarrow")
    table = native.scan_table([tree], fields=ALL, link_targets=True)
    arrow = pyarrow.table(table)
    assert arrow.schema == pyarrow.schema(table)
    assert arrow.column_names == table.columns
    arrow.validate(full=True)
    for name in table.columns:
        column = arrow.column(name)
        if name == "path":
            shown = [os.fsencode(path).decode(errors="replace") for path in table.paths()]
            assert [len(text) > 0 for text in column.to_pylist()] == [True] * len(shown)
        elif pyarrow.types.is_timestamp(column.type):
            assert column.cast(pyarrow.int64()).to_pylist() == table.column(name)
        else:
            assert column.to_pylist() == table.column(name)
    # Capsules that nobody takes, and a stream that outlives its table.
    table.__arrow_c_stream__()
    table.__arrow_c_schema__()
    stream = native.scan_table([tree]).__arrow_c_stream__(requested_schema=None)
    reader = pyarrow.RecordBatchReader._import_from_c_capsule(stream)
    assert reader.read_all().num_rows == len(table)


# --- os.walk ---------------------------------------------------------------------------------------


def triples_of(stream):
    found = []
    while (some := stream.next()) is not None:
        found += some
    return found


@pytest.mark.parametrize("topdown", (True, False))
@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("capacity", (1, 65536))
def test_walk_is_that_of_os(tree, topdown, threads, capacity):
    stream = native.WalkStream(tree, topdown=topdown, threads=threads, capacity=capacity)
    found = triples_of(stream)
    wanted = list(os.walk(os.fsdecode(tree), topdown=topdown))
    assert sorted(found) == sorted(wanted)
    if threads == 1:
        assert found == wanted
    assert stream.errors == []
    seen = set()
    for path, _, _ in found:
        if path != os.fsdecode(tree):
            assert (os.path.dirname(path) in seen) == topdown
        seen.add(path)


def test_walk_options(tree, tmp_path):
    found = triples_of(native.WalkStream(tree, max_depth=1))
    assert len(found) == 1 + sum(1 for _, depth in below(tree, max_depth=1)
                                 if depth == 1 and os.path.isdir(_) and not os.path.islink(_))
    top = tmp_path / "top"
    (top / "real").mkdir(parents=True)
    (top / "real" / "file").touch()
    (top / "link").symlink_to("real")
    (top / "up").symlink_to(".")
    followed = triples_of(native.WalkStream(os.fsencode(top), follow=2))
    assert sorted(path for path, _, _ in followed) == [str(top), f"{top}/link", f"{top}/real"]
    filtered = triples_of(native.WalkStream(os.fsencode(top), filter=native.PathFilter(exclude=[b"real/"])))
    assert filtered == [(str(top), ["link", "up"], [])] or filtered == [(str(top), ["up", "link"], [])]
    file = native.WalkStream(os.fsencode(top / "real" / "file"))
    assert file.next() is None and file.errors == [("open", errno.ENOTDIR, 0, str(top / "real" / "file"))]
    none = native.WalkStream(b"/nowhere")
    assert none.next() is None and [error[1] for error in none.errors] == [errno.ENOENT]


# --- usage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", THREADS)
def test_usage_is_that_of_du(tree, threads):
    usage = native.usage([tree], threads=threads)
    assert usage["complete"] and usage["ending"] == "complete" and usage["errors"] == []
    du = subprocess.run(["du", "-B1", "-0", tree], check=True, stdout=subprocess.PIPE).stdout
    wanted = [line.split(b"\t", 1) for line in du.split(b"\0") if line]
    assert [(str(line[1 + 1]), os.fsencode(line[0])) for line in usage["lines"]] == [
        (size.decode(), path) for size, path in wanted]
    assert usage["lines"][-1][0] == os.fsdecode(tree) and usage["lines"][-1][1] == 0
    assert usage["disk_usage"] == usage["lines"][-1][2]
    assert usage["inodes"] == len({os.lstat(path).st_ino for path, _ in below(tree)})
    assert usage["repeated_links"] == 1
    counted = native.usage([tree], count_links=True, threads=threads)
    assert counted["disk_usage"] > usage["disk_usage"] and counted["repeated_links"] == 0
    assert len(native.usage([tree], max_depth=0, threads=threads)["lines"]) == 1
    assert len(native.usage([tree], all_files=True, threads=threads)["lines"]) == len(naive_rows(tree)) - 1


# --- profile ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", THREADS)
def test_profile(tree, threads):
    rows = naive_rows(tree)
    files = [row for row in rows if row["type"] == "file"]
    folders = [row for row in rows if row["type"] == "directory"]
    profile = native.profile(tree, threads=threads, top=5, now=0, tree_folders=1000)
    assert profile["complete"] and profile["ending"] == "complete" and profile["errors"] == []
    size = sum(row["size"] for row in files)
    assert profile["summary"] == {
        "total_files": len(files),
        "total_folders": len(folders),
        "total_size_bytes": size,
        "total_size_mb": round(size / (1 << 20), 2),
        "avg_files_per_folder": round(len(files) / len(folders), 2),
        "max_depth": max(row["depth"] for row in folders),
        "empty_folder_count": sum(not os.listdir(row["path_bytes"]) for row in folders),
        "total_disk_usage_bytes": sum(row["disk_usage"] for row in files),
        "total_links": sum(row["type"] == "symlink" for row in rows),
    }
    assert profile["file_extensions"][".dat"] == 3000
    assert profile["file_extensions"]["<no extension>"] == sum(b"." not in os.path.basename(row["path_bytes"])[1:]
                                                               for row in files)
    assert list(profile["common_folder_names"].items())[:2] == [("deep", 60), ("empty", 15)]
    assert profile["top_folders_by_file_count"][0] == (os.fsdecode(tree) + "/many", 3000)
    assert list(profile["depth_distribution"]) == list(range(61))
    assert sum(profile["depth_distribution"].values()) == len(folders)
    assert list(map(os.fsencode, profile["empty_folders"])) == [
        row["path_bytes"] for row in folders if not os.listdir(row["path_bytes"])]
    assert profile["file_types"]["fifo"] == profile["file_types"]["socket"] == 1
    assert sum(bucket["files"] for bucket in profile["size_histogram"]) == len(files)
    assert profile["modified_histogram"][0]["files"] == sum(row["mtime"] > 0 for row in files)
    assert profile["hard_links"]["names"] == 2 and profile["hard_links"]["files"] == 1
    assert profile["now"] == 0 and profile["approximate"] == []
    assert (profile["tree"]["bytes"], profile["tree"]["files"], profile["tree"]["folders"]) == (
        size, len(files), len(folders) - 1)
    assert profile["duplicates"]["from_size"] == 1


@pytest.mark.parametrize("threads", THREADS)
def test_profile_is_that_of_python(tree, threads):
    pure = pytest.importorskip("trawl._pure")
    options = [{}, {"max_depth": 1, "top": 3, "top_folders": 2}, {"exact": True, "tree_folders": 7}, {"follow": 1},
               {"max_empty_folders": 2}, {"filter": {"exclude": [b"*.dat"], "hidden": True}}]
    for each in options:
        answers = []
        for engine in (native, pure):
            given = dict(each, now=1.6e9, threads=threads)
            if "filter" in each:
                given["filter"] = engine.PathFilter(tree, **each["filter"])
            answer = engine.profile(tree, **given)
            for changing in ("statistics", "accessed_histogram"):
                del answer[changing]
            answers.append(answer)
        for key in answers[1]:
            assert answers[0][key] == answers[1][key], (each, key)
        assert list(answers[0]) == list(answers[1])


def test_wrong_profiles():
    for options in ({"top": 0}, {"top_folders": 0}, {"capacity": 3}, {"max_empty_folders": -1}, {"tree_folders": -1},
                    {"now": float("inf")}, {"now": float("nan")}, {"max_depth": -1}, {"timeout": -1}):
        with pytest.raises(ValueError):
            native.profile(b".", **options)
    assert native.profile(b"/nowhere")["errors"][0][1] == errno.ENOENT
    assert native.profile(os.fsencode(__file__))["errors"] == [("open", errno.ENOTDIR, 0, __file__)]
    assert native.profile(b"/nowhere")["summary"]["total_folders"] == 0


# --- filters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", THREADS)
def test_filters(tree, threads):
    def left_in(**options):
        table = native.scan_table([tree], filter=native.PathFilter(tree, **options), threads=threads)
        return sorted(table.path_bytes())

    everything = [row["path_bytes"] for row in naive_rows(tree)]
    assert left_in() == everything
    assert left_in(hidden=True) == [path for path in everything if b"/." not in path]
    assert left_in(exclude=[b"*.dat"]) == [path for path in everything if not path.endswith(b".dat")]
    assert left_in(exclude=[b"*.DAT"], ignore_case=True) == left_in(exclude=[b"*.dat"])
    asked = []

    def custom(path):
        asked.append(path)
        return path.endswith("/many")

    assert left_in(custom=custom) == [path for path in everything if b"/many" not in path]
    assert set(map(os.fsencode, asked)) == set(path for path in everything if b"/many/" not in path)


def test_match(tmp_path):
    (tmp_path / ".gitignore").write_bytes(b"*.o\n!keep.o\n\xff\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    repository = native.PathFilter.from_git_root(os.fsencode(tmp_path))
    assert repository.root == os.fsencode(tmp_path)
    assert repository.match(b"a.o", False) == ("ignored", ".gitignore", 1, "*.o")
    assert repository.match(b"keep.o", False) == ("included", ".gitignore", 2, "!keep.o")
    assert repository.match(b"\xff", True) == ("ignored", ".gitignore", 3, "\udcff")
    assert repository.match(b"a.c", False)[0] == "none"
    assert native.PathFilter(hidden=True).match(b".a", False)[0] == "hidden"
    missing = native.PathFilter(files=[b"/nowhere/rules"])
    assert missing.errors() == [("/nowhere/rules", errno.ENOENT)]


# --- wrong arguments -------------------------------------------------------------------------------


@pytest.mark.parametrize("call", (
    lambda **options: native.scan_table([b"."], **options),
    lambda **options: native.usage([b"."], **options),
    lambda **options: native.list_table(b".", **options),
    lambda **options: native.TableStream([b"."], **options),
    lambda **options: native.WalkStream(b".", **options),
))
def test_wrong_options(call):
    for options in ({"max_depth": -1}, {"threads": -1}, {"threads": 1025}, {"threads": 1 << 80}, {"follow": 3},
                    {"follow": -1}):
        with pytest.raises(ValueError):
            call(**options)
    for options in ({"max_depth": "1"}, {"threads": None}, {"threads": 1.5}, {"filter": 1}, {"one_file_system": 1},
                    {"nonsense": 1}):
        with pytest.raises(TypeError):
            call(**options)


def test_wrong_values():
    for wrong in ([b"a\0b"], [b"a", b"\0"]):
        for call in (native.scan_table, native.usage, native.stat_table, native.TableStream):
            with pytest.raises(ValueError, match="null"):
                call(wrong)
    for call in (native.list_table, native.WalkStream, native.PathFilter, native.PathFilter.from_git_root):
        with pytest.raises(ValueError, match="null"):
            call(b"\0")
        with pytest.raises(TypeError):
            call("text")
    for wrong in (b"one", "text", ["text"], 3, None, [b"a", 1]):
        with pytest.raises(TypeError):
            native.scan_table(wrong)
    for options in ({"timeout": -1}, {"timeout": float("nan")}, {"fields": 1 << 11}, {"fields": -1},
                    {"min_depth": -1}, {"types": -1}):
        with pytest.raises(ValueError):
            native.scan_table([b"."], **options)
    for options in ({"timeout": "1"}, {"poll": 1}, {"cancel": 1}):
        with pytest.raises(TypeError):
            native.scan_table([b"."], **options)
    for order in ("", "unordered", "Bytes"):
        with pytest.raises(ValueError, match="order"):
            native.list_table(b".", order=order)
    with pytest.raises(TypeError):
        native.list_table(b".", order=b"bytes")
    for options in ({"chunk_rows": 0}, {"capacity": 0}):
        with pytest.raises(ValueError):
            native.TableStream([b"."], **options)
    with pytest.raises(ValueError):
        native.WalkStream(b".", capacity=0)
    with pytest.raises(TypeError):
        native.PathFilter(custom=1)
    with pytest.raises(TypeError):
        native.PathFilter(exclude=b"*.o")
    table = native.scan_table([b"."], max_depth=0)
    for name in ("size", "nonsense", ""):
        with pytest.raises(KeyError):
            table.column(name)
    with pytest.raises(TypeError):
        table.rows(["path", 1])
    with pytest.raises(TypeError):
        native.Table()


def test_many_threads_at_once(tree):
    wanted = sorted(row["path_bytes"] for row in naive_rows(tree))
    shared = native.PathFilter(exclude=[b"nothing"], custom=lambda path: False)
    wrong = []

    def work(number):
        try:
            for turn in range(3):
                given = shared if (number + turn) % 3 == 0 else None
                if sorted(native.scan_table([tree], filter=given).path_bytes()) != wanted:
                    wrong.append(number)
                if len(triples_of(native.WalkStream(tree))) != sum(1 for _ in os.walk(tree)):
                    wrong.append(number)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
