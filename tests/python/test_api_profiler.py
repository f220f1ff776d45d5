# SPDX-License-Identifier: Apache-2.0
"""DirectoryProfiler: figures by the definitions in docs/profile.md, and filoma's interface."""

import collections
import copy
import io
import os
import pickle
import re
import sys
import time
import warnings
import xml.etree.ElementTree as etree
from pathlib import Path

import pytest
import trawl

from conftest import BIG, as_nobody, entries

FILOMA = [
    "path", "summary", "file_extensions", "common_folder_names", "empty_folders",
    "top_folders_by_file_count", "depth_distribution", "timing",
]  # fmt: skip


@pytest.fixture
def profiler(engine):
    def make(config=None, **options):
        options.setdefault("show_progress", False)
        return trawl.DirectoryProfiler(config, use_native=engine == "native", **options)

    return make


def test_figures(profiler, tree):
    analysis = profiler().analyze(tree)
    summary = analysis.summary
    assert summary["total_files"] == 6 and summary["total_folders"] == 6
    assert summary["total_size_bytes"] == 3008 and summary["total_size_mb"] == 0.0
    assert summary["avg_files_per_folder"] == 1.0 and summary["max_depth"] == 3
    assert summary["empty_folder_count"] == 1 and summary["total_links"] == 2
    files = [path for path in entries(tree) if os.path.isfile(path) and not os.path.islink(path)]
    assert summary["total_disk_usage_bytes"] == sum(os.stat(p).st_blocks * 512 for p in files)
    assert analysis.file_extensions == {
        ".txt": 3, ".c": 1, ".o": 1, "<no extension>": 1
    }  # fmt: skip
    assert analysis.common_folder_names == {"a": 1, "b": 1, "deep": 1, "empty": 1, "er": 1}
    assert analysis.empty_folders == [f"{tree}/empty"]
    assert [*map(tuple, analysis.top_folders_by_file_count)] == [
        (f"{tree}/a", 2), (f"{tree}/b", 2), (str(tree), 1), (f"{tree}/a/deep/er", 1)
    ]  # fmt: skip
    assert analysis.depth_distribution == {0: 1, 1: 3, 2: 1, 3: 1}
    assert analysis.complete and analysis.ending == "complete" and analysis.errors == []
    assert analysis.file_types["fifo"] == 1 and analysis.path == str(tree)
    assert [each["path"] for each in analysis.largest_files[:2]] == [
        f"{tree}/a/x.o", f"{tree}/a/x.c"
    ]  # fmt: skip


def test_result_is_a_mapping_with_attributes(profiler, tree):
    analysis = profiler().analyze(str(tree))
    assert isinstance(analysis, collections.abc.Mapping)
    assert analysis["summary"] is analysis.summary
    assert set(FILOMA) <= set(analysis) and len(analysis) == len(list(analysis))
    for key in analysis:
        assert getattr(analysis, key) is analysis[key]
        assert key in dir(analysis)
    data = analysis.to_dict()
    assert type(data) is dict and data == analysis.as_dict() == dict(analysis)
    assert trawl.DirectoryAnalysis.from_dict(data).to_dict() == data
    assert analysis.path_obj == Path(tree)
    timing = analysis.timing
    assert set(timing) == {"elapsed_seconds", "implementation", "items_per_second"}
    with pytest.raises(AttributeError):
        analysis.colour
    with pytest.raises(KeyError):
        analysis["colour"]
    copy = pickle.loads(pickle.dumps(analysis))
    assert copy.to_dict() == data
    with pytest.raises(ValueError):
        copy.to_df()
    assert "6 files, 6 folders" in repr(analysis)


def test_probe_is_analyze(profiler, tree):
    one, other = profiler().analyze(tree).to_dict(), profiler().probe(tree).to_dict()
    for data in (one, other):
        for key in ("timing", "now", "statistics"):
            del data[key]
    assert one == other


@pytest.mark.parametrize("depth", [None, 0, 1, 2, 9])
def test_same_as_filoma(profiler, tree, depth, monkeypatch):
    directories = pytest.importorskip("filoma.directories")
    from filoma.directories.directory_profiler import DirectoryProfilerConfig

    for i in range(30):
        (tree / "a" / f"n{i}").mkdir()
        (tree / "a" / f"n{i}" / ("x" * (i % 3) + f".{i % 5}")).write_text("z" * i)
    config = DirectoryProfilerConfig(search_backend="python", show_progress=False)
    theirs = directories.DirectoryProfiler(config).probe(str(tree), depth)
    ours = profiler(config).analyze(str(tree), depth)
    assert set(theirs) <= set(ours)
    for key in theirs.summary:
        assert ours.summary[key] == theirs.summary[key], key
    for key in ("path", "file_extensions", "depth_distribution"):
        assert ours[key] == theirs[key], key
    # Ties are in the order of the listing there; we sort them.
    names, others = ours.common_folder_names, theirs.common_folder_names
    assert sorted(names.values()) == sorted(others.values()) and len(names) == len(others)
    assert sorted(ours.empty_folders) == sorted(theirs.empty_folders)
    counts = [count for _, count in ours.top_folders_by_file_count]
    assert counts == [count for _, count in theirs.top_folders_by_file_count]


def test_filomas_rust_engine_has_the_same_keys(profiler, tree):
    directories = pytest.importorskip("filoma.directories")
    from filoma.directories.directory_profiler import DirectoryProfilerConfig

    config = DirectoryProfilerConfig(show_progress=False)
    theirs = directories.DirectoryProfiler(config)
    info = trawl.DirectoryProfiler(config, use_native=False).get_implementation_info()
    assert set(theirs.get_implementation_info()) <= set(info)
    found = theirs.probe(str(tree))
    ours = profiler().analyze(tree)
    assert set(found) <= set(ours) and set(found["summary"]) <= set(ours["summary"])
    assert set(found["timing"]) <= set(ours["timing"])
    for name in dir(theirs):
        if name.startswith(("print_", "is_", "get_")) or name in ("probe",):
            assert hasattr(trawl.DirectoryProfiler, name) or name == "is_fd_available", name


def test_filter_links_and_filesystem(profiler, tree):
    path_filter = trawl.PathFilter(["a/"], root=tree)
    assert profiler(path_filter=path_filter).analyze(tree).summary["total_files"] == 3
    assert profiler(path_filter=lambda p: p.endswith("/a")).analyze(tree).summary[
        "total_files"
    ] == 3  # fmt: skip
    followed = profiler(follow_symlinks=True).analyze(tree)
    assert followed.summary["total_files"] == 6 and followed.summary["total_links"] == 1
    (tree / "file link").symlink_to("top.txt")
    assert profiler(follow_symlinks=True).analyze(tree).summary["total_size_bytes"] == 3013
    assert profiler(one_file_system=True).analyze(tree).summary["total_files"] == 6
    top = tree.parent / "link"
    top.symlink_to("tree")
    assert profiler().analyze(top).summary["total_files"] == 6


def test_lists_and_limits(profiler, tree):
    analysis = profiler(top=1, top_folders=2, exact=True, tree_folders=3).analyze(tree)
    assert analysis.file_extensions == {".txt": 3} and len(analysis.largest_files) == 1
    assert len(analysis.top_folders_by_file_count) == 2
    assert analysis.tree["bytes"] == 3008 and analysis["tree"]["files"] == 6
    assert "tree" not in profiler().analyze(tree)


@pytest.mark.parametrize("threads", [1, 2, 16])
def test_workers_change_nothing(profiler, tree, threads):
    def figures(made, **options):
        data = made.analyze(tree, **options).to_dict()
        for key in ("timing", "now", "statistics", "modified_histogram", "accessed_histogram"):
            del data[key]
        return data

    expected = figures(profiler(use_parallel=False))
    assert figures(profiler(threads=threads)) == expected
    assert figures(profiler(walker_threads=threads)) == expected
    assert figures(profiler(), threads=threads) == expected


def test_owners_have_names(profiler, tree):
    (owner,) = profiler().analyze(tree).owners
    assert owner["uid"] == os.getuid() and owner["files"] == 6 and owner["bytes"] == 3008
    import pwd

    assert owner["name"] == pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() == 0:
        os.chown(tree / "top.txt", 4_000_000, 4_000_000)
        groups = profiler().analyze(tree).groups
        assert [each["name"] for each in groups][1] is None


def test_progress_callback(profiler):
    calls = []
    made = profiler(
        progress_callback=lambda *call: calls.append(call),
        path_filter=lambda path: time.sleep(0.0005),
        max_duration=0.4,
    )
    analysis = made.analyze(BIG)
    assert analysis.timed_out and not analysis.complete and analysis.ending == "timed_out"
    message, done, total = calls[-1]
    assert message == "Done" and done == total > 0
    assert len(calls) > 2 and all(len(call) == 3 and call[2] == 0 for call in calls[:-1])
    counts = [call[1] for call in calls[:-1]]
    assert counts == sorted(counts)

    def broken(message, done, total):
        raise LookupError(message)

    with pytest.raises(LookupError):
        profiler(progress_callback=broken).analyze(BIG)


def test_exceptions_of_filters_come_out(profiler, tree):
    with pytest.raises(ZeroDivisionError):
        profiler(path_filter=lambda path: 1 / 0).analyze(tree)


def test_token(profiler):
    token = trawl.CancelToken()
    token.cancel()
    analysis = profiler().analyze(BIG, cancel=token)
    assert analysis.ending == "cancelled" and not analysis.complete
    assert "partial" in repr(analysis)


def test_bad_input(profiler, tree, locked):
    made = profiler()
    with pytest.raises(FileNotFoundError):
        made.analyze(tree / "missing")
    with pytest.raises(NotADirectoryError):
        made.analyze(tree / "top.txt")
    with pytest.raises(ValueError):
        made.analyze("a\0b")
    with pytest.raises(ValueError):
        made.analyze(tree, max_depth=-1)
    with pytest.raises(ValueError):
        made.analyze(tree, threads=0)
    with as_nobody():
        analysis = made.analyze(locked)
        assert [error.path for error in analysis.errors] == [f"{locked}/shut"]
        assert not analysis.complete and analysis.summary["total_folders"] == 3
        with pytest.raises(PermissionError):
            made.analyze(f"{locked}/shut")
    for options, error in (
        ({"threads": 0}, ValueError),
        ({"threads": 10**6}, ValueError),
        ({"walker_threads": -1}, ValueError),
        ({"threads": 1, "walker_threads": 2}, ValueError),
        ({"top": 0}, ValueError),
        ({"top_folders": 0}, ValueError),
        ({"parallel_threshold": -1}, ValueError),
        ({"tree_folders": -1}, ValueError),
        ({"max_duration": -1}, ValueError),
        ({"search_backend": "magic"}, ValueError),
        ({"walker": "magic"}, ValueError),
        ({"network_concurrency": 0}, ValueError),
        ({"progress_callback": 3}, TypeError),
        ({"config": 3}, TypeError),
        ({"config": "/srv"}, TypeError),
    ):
        with pytest.raises(error):
            profiler(**options)


def test_choice_of_engine():
    def used(**options):
        return trawl.DirectoryProfiler(**options).get_implementation_info()["implementation"]

    assert used(use_native=False) == used(search_backend="python") == "python"
    with pytest.warns(DeprecationWarning, match="use_native"):
        assert used(use_rust=False) == "python"
    config = trawl.DirectoryProfilerConfig(use_rust=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        default = used(config=config)
    assert default == trawl.implementation()
    if trawl.is_native_available():
        assert used() == used(use_native=True) == used(search_backend="rust") == "native"
        with pytest.warns(DeprecationWarning):
            assert used(use_rust=True) == "native"
    else:
        for options in ({"use_native": True}, {"search_backend": "native"}):
            with pytest.raises(ImportError, match="native"):
                used(**options)


def test_implementation_info(profiler, engine):
    info = profiler().get_implementation_info()
    native = engine == "native"
    assert info["using_native"] is info["using_rust"] is native
    assert info["python_fallback"] is not native
    assert info["rust_available"] is info["native_available"] is trawl.is_native_available()
    assert info["using_parallel"] is native and info["version"] == profiler()._engine.__version__
    made = profiler(use_parallel=False)
    assert made.get_implementation_info()["using_parallel"] is False
    assert made.get_implementation_info()["threads"] == 1
    assert made.is_native_available() is made.is_rust_available() is native
    assert not made.is_parallel_available() and not made.is_dataframe_enabled()


def test_config_and_arguments(tree):
    class Other:
        """As filoma's: an object with attributes."""

        use_rust = False
        parallel_threshold = 5
        top = 3

    made = trawl.DirectoryProfiler(Other(), top_folders=4)
    assert (made.config.parallel_threshold, made.config.top, made.config.top_folders) == (5, 3, 4)
    config = trawl.DirectoryProfilerConfig(use_fd=True, threads=2, fd_no_ignore=True)
    assert trawl.DirectoryProfiler(config).config is not None
    assert trawl.DirectoryProfilerConfig.from_object(config) is config
    import dataclasses
    import inspect

    fields = {field.name: field.default for field in dataclasses.fields(config)}
    parameters = inspect.signature(trawl.DirectoryProfiler.__init__).parameters
    keywords = {n: p.default for n, p in parameters.items() if n not in ("self", "config")}
    assert set(fields) == set(keywords)
    assert {n: d for n, d in fields.items() if n != "use_rust"} == {
        n: d for n, d in keywords.items() if n != "use_rust"
    }


def test_absolute_paths(profiler, tree, monkeypatch):
    monkeypatch.chdir(tree)
    assert profiler().analyze(".").empty_folders == ["./empty"]
    analysis = profiler(return_absolute_paths=True).analyze(".")
    assert analysis.empty_folders == [f"{tree}/empty"] and analysis.path == str(tree)


def test_data_frame(profiler, tree, monkeypatch):
    polars = pytest.importorskip("polars")
    made = profiler(build_dataframe=True)
    analysis = made.analyze(tree)
    frame = analysis.to_df()
    assert isinstance(frame, polars.DataFrame) and frame is analysis.dataframe
    assert frame is analysis["dataframe"] is made.get_dataframe(analysis)
    assert sorted(frame["path_bytes"].to_list()) == sorted(map(os.fsencode, entries(tree)))
    assert "dataframe" in analysis.to_dict() and made.is_dataframe_enabled()
    assert len(made.analyze(tree, max_depth=0).to_df()) == 4
    monkeypatch.chdir(tree)
    late = profiler(path_filter=lambda path: path.endswith(".c")).analyze("a")
    assert late.dataframe is None and "dataframe" not in late
    assert made.get_dataframe(late) is None
    monkeypatch.chdir("/")
    assert len(late.to_df()) == 5 and late.dataframe is not None


@pytest.mark.parametrize("rich", [True, False])
def test_reports(profiler, tree, monkeypatch, rich, capsys):
    if rich:
        pytest.importorskip("rich")
    else:
        for name in [*sys.modules, "rich"]:
            if name.split(".")[0] == "rich":
                monkeypatch.setitem(sys.modules, name, None)
    (tree / "[bold]x[bold].[red]").mkdir()
    (tree / "[bold]x[bold].[red]" / "y.[red]").write_text("")
    made = profiler()
    analysis = made.analyze(tree)
    out = io.StringIO()
    made.print_report(analysis, file=out)
    text = out.getvalue()
    text.encode()
    for words in ("Total Files", "Total Folders", ".txt", "Common Folder Names", "Empty Folders",
                  "Largest Files", "[bold]x[bold]", ".[red]"):  # fmt: skip
        assert words in text, words
    for call in (made.print_summary, made.print_file_extensions, made.print_folder_patterns,
                 made.print_empty_folders, made.print_report):  # fmt: skip
        call(analysis)
        assert capsys.readouterr().out
        with pytest.raises(TypeError):
            call({})
    analysis.print_summary()
    assert "Total Files" in capsys.readouterr().out
    analysis.print_report(made)
    assert "Largest Files" in capsys.readouterr().out
    made.print_file_extensions(analysis, top_n=1)
    assert ".txt" in (seen := capsys.readouterr().out) and ".c" not in seen
    made.print_empty_folders(profiler().analyze(tree / "b"))
    assert "No empty folders" in capsys.readouterr().out


def test_reports_say_what_is_missing(profiler, locked, capsys):
    made = profiler()
    with as_nobody():
        analysis = made.analyze(locked)
    made.print_report(analysis)
    seen = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "Not complete" in seen and "1 errors" in seen and "Permission denied" in seen


def test_notebook(profiler, tree):
    (tree / "<b>.<i>").write_text("12")
    html = profiler().analyze(tree)._repr_html_()
    etree.fromstring(html)
    assert "<svg" in html and "&lt;i&gt;" in html and "<i>" not in html
    partial = profiler(max_duration=0).analyze(tree)._repr_html_()
    assert "Not complete" in partial


def test_used_from_threads(profiler, tree):
    import concurrent.futures

    made = profiler()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = [*pool.map(lambda _: made.analyze(tree).summary, range(64))]
    assert all(summary == found[0] for summary in found)


def test_what_is_given_besides_a_config_wins():
    config = trawl.DirectoryProfilerConfig(
        use_parallel=False, top=3, threads=2, search_backend="python", show_progress=False
    )

    def made(**options):
        return trawl.DirectoryProfiler(config, **options).config

    assert made() == config
    assert made(use_parallel=True, top=20, threads=None) == trawl.DirectoryProfilerConfig(
        search_backend="python", show_progress=False
    )
    assert made(search_backend="auto", show_progress=True).show_progress is True
    assert made(top=None).top == 3  # no value of it
    with pytest.warns(DeprecationWarning) as told:
        assert made(use_rust=False).use_native is False
    assert told[0].filename == __file__
    with pytest.raises(TypeError):
        trawl.DirectoryProfiler(config, toop=3)
    with pytest.raises(TypeError):
        trawl.DirectoryProfiler(config, config)


def test_profilers_are_copied_by_their_config(profiler, tree):
    made = profiler(top=3, threads=2, path_filter=trawl.PathFilter(["*.c"]))
    for copied in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert type(copied) is type(made) and copied.config.top == 3
        assert copied.get_implementation_info() == made.get_implementation_info()
        assert copied.analyze(tree).summary == made.analyze(tree).summary
