# SPDX-License-Identifier: Apache-2.0
"""scan_table and list: columns, and those who read them: pyarrow, polars, pandas, DuckDB."""

import os
import subprocess
import sys

import pytest
import trawl

from conftest import as_nobody, entries

ALL = [
    "path", "path_bytes", "type", "depth", "size", "disk_usage", "mtime", "atime", "ctime",
    "btime", "mode", "links", "uid", "gid", "device", "inode", "target", "error",
]  # fmt: skip


@pytest.fixture
def table(engine, tree):
    return trawl.scan_table(tree, fields="all", implementation=engine)


def test_columns_are_what_lstat_says(table, tree):
    assert table.columns == ALL
    assert len(table) == 14 and bool(table) and table.complete
    assert table.paths() == [os.fsdecode(each) for each in table.path_bytes()]
    assert sorted(table.paths()) == sorted(entries(tree))
    rows = table.rows("path", "size", "mtime", "inode", "uid", "disk_usage", "error")
    for path, size, mtime, inode, uid, usage, error in rows:
        status = os.lstat(path)
        assert (size, mtime, inode, uid) == (
            status.st_size, status.st_mtime_ns, status.st_ino, status.st_uid
        )  # fmt: skip
        assert usage == status.st_blocks * 512 and error is None
    assert len(table.rows()[0]) == len(ALL)
    targets = dict(table.rows("path", "target"))
    assert targets[f"{tree}/b/to_a"] == b"../a" and targets[f"{tree}/top.txt"] is None
    with pytest.raises(KeyError):
        table.column("colour")
    with pytest.raises(KeyError):
        table.rows("path", "colour")


def test_iterates_over_infos(table, tree):
    infos = {info.path: info for info in table}
    assert infos[f"{tree}/a"].is_dir and infos[f"{tree}/b/to_a"].is_symlink
    assert infos[f"{tree}/a/pipe"].type == "fifo" and infos[f"{tree}/a/x.c"].size == 1000


def test_fields(engine, tree):
    def columns(fields):
        return trawl.scan_table(tree, fields=fields, implementation=engine).columns

    base = ["path", "path_bytes", "type", "depth"]
    assert columns(()) == base
    assert columns("size") == [*base, "size", "error"]
    assert columns(["mtime", "uid"]) == [*base, "mtime", "uid", "gid", "error"]
    assert columns(["target"]) == [*base, "target"]
    assert trawl.scan_table(tree, implementation=engine).columns == [
        *base,
        "size",
        "mtime",
        "error",
    ]
    with pytest.raises(ValueError, match="colour"):
        columns(["colour"])
    infos = [*trawl.scan_table(tree, fields=(), implementation=engine)]
    assert {info.size for info in infos} == {None}


def test_options(engine, tree):
    def paths(**options):
        found = trawl.scan_table(tree, fields=(), implementation=engine, **options)
        return sorted(os.path.relpath(path, tree) for path in found.paths())

    assert paths(types="directory") == ["a", "a/deep", "a/deep/er", "b", "empty"]
    assert paths(types=["fifo", "symlink"]) == ["a/pipe", "b/broken", "b/to_a"]
    assert paths(max_depth=1) == ["a", "b", "empty", "top.txt"]
    assert paths(min_depth=3) == ["a/deep/er", "a/deep/er/bottom.TXT"]
    assert paths(max_depth=0, include_root=True) == ["."]
    assert paths(path_filter=trawl.PathFilter(["a", "b"])) == ["empty", "top.txt"]
    assert paths(one_file_system=True) == paths()
    assert paths(threads=1) == paths()
    with pytest.raises(ValueError, match="socks"):
        paths(types="socks")
    for options in ({"min_depth": -1}, {"max_depth": -1}, {"threads": 0}, {"max_duration": -1}):
        with pytest.raises(ValueError):
            paths(**options)


def test_several_roots(engine, tree):
    both = trawl.scan_table([tree / "a", str(tree / "b")], fields=(), implementation=engine)
    assert sorted(both.paths()) == sorted([*entries(tree / "a"), *entries(tree / "b")])
    with pytest.raises(ValueError):
        trawl.scan_table([], implementation=engine)
    with pytest.raises(FileNotFoundError):
        trawl.scan_table([tree, tree / "missing"], implementation=engine)
    with pytest.raises(NotADirectoryError):
        trawl.scan_table(tree / "top.txt", implementation=engine)


def test_errors_and_endings(engine, locked):
    with as_nobody():
        table = trawl.scan_table(locked, implementation=engine)
        assert [error.path for error in table.errors] == [f"{locked}/shut"]
        assert not table.complete and table.ending == "complete"
        assert "1 error" in repr(table)
    token = trawl.CancelToken()
    token.cancel()
    table = trawl.scan_table("/usr", cancel=token, implementation=engine)
    assert table.ending == "cancelled" and not table.complete
    table = trawl.scan_table("/usr", max_duration=0, implementation=engine)
    assert table.timed_out and "timed out" in repr(table)


def test_list_is_in_order(engine, tree):
    (tree / "a-b").write_bytes(b"")
    component = trawl.list(tree, implementation=engine).paths()
    assert component[0] == str(tree)
    keys = [os.fsencode(path).split(b"/") for path in component]
    assert keys == sorted(keys)
    in_bytes = trawl.list(tree, order="bytes", implementation=engine).path_bytes()
    assert in_bytes == sorted(in_bytes)
    for order in ("rsync", "rsync28"):
        table = trawl.list(tree, order, include_root=False, implementation=engine)
        assert sorted(table.paths()) == sorted(entries(tree))
    sized = trawl.list(tree, fields=["size"], max_depth=1, implementation=engine)
    assert dict(sized.rows("path", "size"))[f"{tree}/top.txt"] == 5 and len(sized) == 6
    with pytest.raises(ValueError, match="order"):
        trawl.list(tree, order="random", implementation=engine)
    with pytest.raises(NotADirectoryError):
        trawl.list(tree / "top.txt", implementation=engine)
    with pytest.raises(FileNotFoundError):
        trawl.list(tree / "missing", implementation=engine)
    assert trawl.list is trawl.list_tree and "list" not in trawl.__all__


def test_pyarrow(table, tree):
    pyarrow = pytest.importorskip("pyarrow")
    arrow = table.to_arrow()
    assert isinstance(arrow, pyarrow.Table) and arrow.column_names == ALL
    arrow.validate(full=True)
    assert arrow["size"].to_pylist() == table.column("size")
    assert arrow["path_bytes"].to_pylist() == table.path_bytes()
    assert pyarrow.types.is_timestamp(arrow.schema.field("mtime").type)
    shown = dict(zip(table.path_bytes(), arrow["path"].to_pylist()))
    assert shown[os.fsencode(tree) + b"/b/latin\xe9.txt"] == f"{tree}/b/latin\ufffd.txt"
    reader = pyarrow.RecordBatchReader.from_stream(table)
    assert reader.read_all().equals(arrow)


def test_polars(table):
    polars = pytest.importorskip("polars")
    frame = table.to_polars()
    assert isinstance(frame, polars.DataFrame) and frame.columns == ALL
    assert frame["size"].to_list() == table.column("size")
    assert frame["path_bytes"].to_list() == table.path_bytes()
    assert frame["type"].cast(polars.String).to_list() == table.column("type")
    assert frame.filter(polars.col("type").cast(polars.String) == "file")["size"].sum() == 3008
    assert frame["mtime"].dt.timestamp("ns").to_list() == table.column("mtime")


def test_pandas(table):
    pandas = pytest.importorskip("pandas")
    frame = table.to_pandas()
    assert isinstance(frame, pandas.DataFrame) and list(frame.columns) == ALL
    assert frame["size"].tolist() == table.column("size")
    assert frame["type"].tolist() == table.column("type")
    assert frame["path_bytes"].tolist() == table.path_bytes()
    assert frame[frame["type"] == "file"]["size"].sum() == 3008
    plain = table._plain_pandas(pandas)
    assert list(plain.columns) == ALL and plain["size"].tolist() == frame["size"].tolist()
    assert plain["mtime"].tolist() == frame["mtime"].tolist()


def test_duckdb(table):
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    arrow = table.to_arrow()
    connection = duckdb.connect()
    connection.register("entries", arrow)
    (row,) = connection.sql(
        "select count(*), sum(size) from entries where type = 'file'"
    ).fetchall()
    assert row == (6, 3008)


def test_without_the_libraries(engine, tree):
    """Missing ones are said when they are needed, and to_arrow() gives what is there."""
    code = """
import sys
for name in ("pyarrow", "polars", "pandas"):
    sys.modules[name] = None
import trawl
table = trawl.scan_table(sys.argv[2], implementation=sys.argv[1])
assert table.to_arrow() is table
for call in (table.to_polars, table.to_pandas):
    try:
        call()
    except ImportError:
        continue
    raise AssertionError(call)
try:
    trawl.DirectoryProfiler(build_dataframe=True, use_native=sys.argv[1] == "native")
except ImportError:
    print("ok")
"""
    output = subprocess.check_output([sys.executable, "-c", code, engine, str(tree)], text=True)
    assert output == "ok\n"


def test_notebook(table, engine, tree):
    (tree / "<b>&x").write_bytes(b"z" * 5000)
    table = trawl.scan_table(tree, fields="all", implementation=engine)
    html = table._repr_html_()
    assert "<script" not in html and "<b>&x" not in html and "&lt;b&gt;&amp;x" in html
    assert html.count("<tr>") == 16 and "<svg" in html and "4.9 KiB" in html
    html.encode()  # no surrogates
    import xml.etree.ElementTree as etree

    etree.fromstring(html)
    etree.fromstring(trawl.scan_table(tree, fields=(), implementation=engine)._repr_html_())
    empty = trawl.scan_table(tree / "empty", implementation=engine)._repr_html_()
    etree.fromstring(empty)
    assert trawl.scan_table("/usr/share", implementation=engine)._repr_html_().count("<tr>") == 21


@pytest.mark.parametrize("fields", ["all", ()])
def test_notebook_makes_no_objects_of_long_tables(tree, monkeypatch, fields):
    pytest.importorskip("pyarrow")
    if not trawl.is_native_available():
        pytest.skip("the native module is not built")
    from trawl import _notebook

    for i in range(40):
        (tree / f"latin\udce9 {i}").write_bytes(b"z" * i)
    table = trawl.scan_table(tree, fields=fields, implementation="native")
    expected = table._repr_html_()
    monkeypatch.setattr(_notebook, "_MANY", 0)
    assert _notebook._from_arrow(table, table.columns) is not None
    monkeypatch.setattr(type(table), "column", None)
    assert table._repr_html_() == expected
