# SPDX-License-Identifier: Apache-2.0
"""du against GNU's, stat_many against os.stat."""

import copy
import os
import pickle
import shutil
import subprocess
import xml.etree.ElementTree as etree

import pytest
import trawl

from conftest import as_nobody, entries


def gnu(*arguments):
    if shutil.which("du") is None:
        pytest.skip("no du here")
    output = subprocess.run(
        ["du", "-B1", *map(str, arguments)], capture_output=True, check=False
    ).stdout
    lines = [line.split(b"\t", 1) for line in output.replace(b"\nnewline", b"\0").splitlines()]
    return sorted((os.fsdecode(path.replace(b"\0", b"\nnewline")), int(n)) for n, path in lines)


def lines(usage, key="disk_usage"):
    return sorted((line.path, getattr(line, key)) for line in usage.lines)


def test_figures_are_gnus(engine, tree):
    os.link(tree / "a" / "x.o", tree / "b" / "again.o")

    def du(*paths, **options):
        return trawl.du(paths or tree, implementation=engine, **options)

    assert lines(du()) == gnu(tree)
    assert lines(du(max_depth=0)) == gnu("-s", tree)
    assert lines(du(max_depth=1)) == gnu("-d1", tree)
    assert lines(du(all_files=True)) == gnu("-a", tree)
    assert lines(du(all_files=True), "apparent_size") == gnu("-a", "-b", tree)
    assert lines(du(count_links=True)) == gnu("-l", tree)
    assert lines(du(follow_symlinks=True)) == gnu("-L", tree)
    assert lines(du(one_file_system=True)) == gnu("-x", tree)
    assert lines(du(tree / "a", str(tree / "b"))) == gnu(tree / "a", tree / "b")
    assert lines(du(tree / "b" / "to_a")) == gnu(tree / "b" / "to_a")
    usage = du()
    total = dict(gnu("-s", tree))[str(tree)]
    assert usage.disk_usage == total and usage.lines[-1].disk_usage == total
    assert usage.inodes == len(entries(tree)) and usage.repeated_links == 1
    assert usage.complete and usage.ending == "complete" and usage.errors == []
    filtered = du(path_filter=trawl.PathFilter(["a"]))
    assert filtered.disk_usage == dict(gnu("-s", "--exclude=a", tree))[str(tree)]


def test_a_file(engine, tree):
    usage = trawl.du(tree / "a" / "x.o", implementation=engine)
    assert usage.apparent_size == 2000 and len(usage.lines) == 1


def test_for_people(engine, tree):
    (tree / "<&>").mkdir()
    usage = trawl.du(tree, max_depth=1, implementation=engine)
    assert str(usage).splitlines()[-1].endswith(f"KiB\t{tree}")
    assert "on disk" in repr(usage) and "partial" not in repr(usage)
    html = usage._repr_html_()
    etree.fromstring(html)
    assert "<svg" in html and "&lt;&amp;&gt;" in html


def test_bad_input(engine, tree, locked):
    for call in (trawl.du, trawl.scan_table):
        with pytest.raises(FileNotFoundError):
            call(tree / "missing", implementation=engine)
        with pytest.raises(ValueError):
            call("a\0b", implementation=engine)
        for options in ({"max_depth": -1}, {"threads": 0}, {"max_duration": -1}):
            with pytest.raises(ValueError):
                call(tree, implementation=engine, **options)
        with pytest.raises(LookupError):

            def broken(path):
                raise LookupError

            call(tree, path_filter=broken, implementation=engine)
    with as_nobody():
        usage = trawl.du(locked, implementation=engine)
        assert not usage.complete and [e.path for e in usage.errors] == [f"{locked}/shut"]
        with pytest.raises(PermissionError):
            trawl.du(f"{locked}/shut", implementation=engine)
    token = trawl.CancelToken()
    token.cancel()
    assert trawl.du("/usr", cancel=token, implementation=engine).ending == "cancelled"
    assert trawl.du("/usr", max_duration=0, implementation=engine).timed_out


@pytest.mark.parametrize("follow", [True, False])
def test_stat_many(engine, tree, follow):
    paths = [*entries(tree), str(tree / "missing"), str(tree), str(tree / "top.txt" / "x")]
    found = trawl.stat_many(paths, follow_symlinks=follow, implementation=engine)
    assert isinstance(found, list) and len(found) == len(paths)
    for path, result in zip(paths, found):
        try:
            expected = os.stat(path, follow_symlinks=follow)
        except OSError as error:
            assert type(result) is type(error) and str(result) == str(error)
            continue
        assert isinstance(result, os.stat_result)
        assert tuple(result) == tuple(expected)
        for name in ("st_mtime", "st_atime", "st_ctime", "st_mtime_ns", "st_atime_ns",
                     "st_ctime_ns", "st_blocks", "st_dev", "st_ino"):  # fmt: skip
            assert getattr(result, name) == getattr(expected, name), name
    assert len(found.failed()) == (3 if follow else 2)
    assert found.table.paths() == paths


def test_stat_many_of_all_kinds_of_paths(engine, tree):
    found = trawl.stat_many(
        [tree, str(tree), os.fsencode(tree), ""], threads=2, implementation=engine
    )
    assert [type(each) for each in found[:3]] == [os.stat_result] * 3
    assert isinstance(found[3], FileNotFoundError)
    assert trawl.stat_many([], implementation=engine) == []
    assert trawl.stat_many(iter([tree]), implementation=engine)[0].st_ino
    with pytest.raises(ValueError):
        trawl.stat_many(["a\0b"], implementation=engine)
    with pytest.raises(ValueError):
        trawl.stat_many([tree], threads=0, implementation=engine)
    with pytest.raises(TypeError):
        trawl.stat_many(str(tree), implementation=engine)


def test_stat_table(engine, tree):
    table = trawl.stat_table([tree / "top.txt", tree / "no"], fields="size", implementation=engine)
    assert table.column("size") == [5, None] and table.column("error") == [None, 2]
    assert table.paths() == [f"{tree}/top.txt", f"{tree}/no"]


def test_copies_of_results(engine, tree):
    found = trawl.stat_many([tree, tree / "missing"], implementation=engine)
    loaded = pickle.loads(pickle.dumps(found))
    for copied in (copy.copy(found), copy.deepcopy(found), loaded):
        assert type(copied) is type(found)
        assert copied[0] == found[0] and copied[0].st_mtime_ns == found[0].st_mtime_ns
        (error,) = copied.failed()
        assert (type(error), str(error)) == (FileNotFoundError, str(found[1]))
        if copied is not loaded:
            assert copied.table is found.table
    with pytest.raises(AttributeError, match="pickle"):
        loaded.table
    assert pickle.loads(pickle.dumps(trawl.du(tree, implementation=engine))).inodes > 0


def test_tables_are_not_pickled(engine, tree):
    table = trawl.scan_table(tree, implementation=engine)
    assert copy.copy(table) is copy.deepcopy(table) is table
    with pytest.raises(TypeError, match="Table"):
        pickle.dumps(table)
