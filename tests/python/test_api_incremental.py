# SPDX-License-Identifier: Apache-2.0
"""scan_incremental: batches, back-pressure, and how a walk ends whose loop was left."""

import asyncio
import gc
import os
import threading
import time
from pathlib import Path

import pytest
import trawl

from conftest import BIG, as_nobody, entries, kernel_threads, own_threads, wait_for


def in_order(root, **options):
    return [batch for batch in trawl.scan_incremental(root, **options)]


def in_loop(root, **options):
    async def main():
        return [batch async for batch in trawl.scan_incremental(root, **options)]

    return asyncio.run(main())


BOTH = pytest.mark.parametrize("call", [in_order, in_loop])


@BOTH
@pytest.mark.parametrize("directories", [False, True])
def test_finds_what_scandir_finds(engine, tree, call, directories):
    batches = call(tree, add_directories=directories, implementation=engine)
    found = [path for batch in batches for path in batch]
    assert {type(path) for path in found} == {type(Path())}
    assert sorted(map(str, found)) == sorted(entries(tree, directories))


@BOTH
def test_batches_are_bounded(engine, call):
    root = "/usr/share/doc"
    expected = entries(root, False)
    for size in (1, 100):
        batches = call(root, batch_size=size, implementation=engine)
        assert {len(batch) for batch in batches} <= set(range(1, size + 1))
        assert sum(map(len, batches)) == len(expected)


@BOTH
def test_metadata(engine, tree, call):
    batches = call(tree, metadata=True, add_directories=True, implementation=engine)
    found = {info.path: info for batch in batches for info in batch}
    assert sorted(found) == sorted(entries(tree))
    for path, info in found.items():
        status = os.lstat(path)
        assert isinstance(info, trawl.FileInfo)
        assert (info.size, info.mode, info.inode, info.device, info.links, info.uid, info.gid) == (
            status.st_size, status.st_mode, status.st_ino, status.st_dev, status.st_nlink,
            status.st_uid, status.st_gid,
        )  # fmt: skip
        assert info.modified_ns == status.st_mtime_ns and info.modified == status.st_mtime
        assert info.disk_usage == status.st_blocks * 512
        assert info.is_dir == os.path.isdir(path) and not os.path.islink(path) or info.is_symlink
        assert info.is_symlink == os.path.islink(path)
        assert info.name == os.path.basename(path) and os.fspath(info) == path
        assert info.depth == path[len(str(tree)) :].count("/") and info.error is None


@BOTH
def test_links(engine, tree, call):
    (tree / "b" / "loop").symlink_to("..")

    def names(**options):
        batches = call(tree, implementation=engine, **options)
        return sorted(os.path.relpath(path, tree) for batch in batches for path in batch)

    links = {"b/to_a", "b/broken", "b/loop"}
    assert links <= set(names()) and links <= set(names(symlinks="report"))
    assert names(symlinks="skip") == sorted(set(names()) - links)
    followed = names(symlinks="follow")
    assert "b/broken" in followed and "b/to_a" not in followed and "b/loop" not in followed
    assert len(followed) == len(names(symlinks="skip")) + 1  # each file once, and the broken link


def test_leaving_the_loop_stops_the_walk(engine):
    asked = []

    def count(path):
        asked.append(path)
        return False

    before = kernel_threads()
    scan = trawl.scan_incremental(
        BIG, path_filter=count, batch_size=10, max_pending=50, implementation=engine
    )
    for batch in scan:
        break
    assert wait_for(lambda: kernel_threads() <= before)
    settled = len(asked)
    time.sleep(0.1)
    assert len(asked) == settled
    assert list(scan) == []
    scan.close()
    assert scan.ending == "cancelled" and not scan.complete


def test_leaving_the_async_loop_stops_the_walk(engine):
    asked = []

    async def main():
        scan = trawl.scan_incremental(
            BIG, path_filter=asked.append, batch_size=10, max_pending=50, implementation=engine
        )
        async for batch in scan:
            break
        await asyncio.sleep(0.05)
        settled = len(asked)
        await asyncio.sleep(0.1)
        assert len(asked) == settled
        with pytest.raises(LookupError):
            async for batch in trawl.scan_incremental(BIG, implementation=engine):
                raise LookupError

    before = kernel_threads()
    asyncio.run(main())
    assert wait_for(lambda: kernel_threads() <= before)


def test_back_pressure(engine):
    """Who does not pull keeps the walk from going on."""
    asked = []
    scan = trawl.scan_incremental(
        BIG, path_filter=asked.append, batch_size=16, max_pending=64, threads=2,
        implementation=engine,
    )  # fmt: skip
    batches = iter(scan)
    next(batches)
    time.sleep(0.3)
    settled = len(asked)
    time.sleep(0.2)
    assert len(asked) == settled < 20_000
    total = 16
    for _ in range(200):
        total += len(next(batches))
    assert len(asked) > settled
    scan.close()
    with pytest.raises(StopIteration):
        next(batches)


def test_with_blocks_end_it(engine):
    before = kernel_threads()
    with trawl.scan_incremental(BIG, implementation=engine) as scan:
        batches = iter(scan)
        next(batches)
    assert scan.ending == "cancelled" and wait_for(lambda: kernel_threads() <= before)

    async def main():
        async with trawl.scan_incremental(BIG, implementation=engine) as scan:
            async for batch in scan:
                break
        assert scan.ending == "cancelled"

    asyncio.run(main())
    with trawl.scan_incremental(BIG, implementation=engine) as scan:
        pass
    assert scan.ending == "cancelled" and list(scan) == []


def test_never_iterated_costs_nothing(engine):
    before = kernel_threads()
    scan = trawl.scan_incremental(BIG, implementation=engine)
    assert kernel_threads() == before and scan.ending is None
    assert "not begun" in repr(scan)
    del scan
    gc.collect()


def test_ends_with_what_it_says(engine, tree):
    scan = trawl.scan_incremental(tree, implementation=engine)
    for _ in scan:
        pass
    assert scan.complete and scan.ending == "complete" and scan.errors == []
    assert list(scan) == []


@BOTH
def test_timeout(engine, call):
    begin = time.monotonic()
    batches = call(BIG, path_filter=lambda path: time.sleep(0.0001), max_duration=0.2, threads=2,
                   implementation=engine)  # fmt: skip
    assert time.monotonic() - begin < 5
    assert sum(map(len, batches)) < 20_000
    scan = trawl.scan_incremental(BIG, max_duration=0.01, implementation=engine)
    assert sum(map(len, scan)) >= 0
    assert scan.timed_out and not scan.complete


@BOTH
def test_errors(engine, locked, call):
    with as_nobody():
        assert len(call(locked, implementation=engine)) == 1
        scan = trawl.scan_incremental(locked, implementation=engine)
        assert sum(map(len, scan)) == 1
        assert not scan.complete and [error.path for error in scan.errors] == [f"{locked}/shut"]
        with pytest.raises(PermissionError):
            call(f"{locked}/shut", implementation=engine)


@BOTH
def test_bad_roots(engine, tree, call):
    with pytest.raises(FileNotFoundError):
        call(tree / "missing", implementation=engine)
    with pytest.raises(NotADirectoryError):
        call(tree / "top.txt", implementation=engine)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 0},
        {"max_pending": 0},
        {"max_pending": -1},
        {"symlinks": "maybe"},
        {"max_duration": -1},
        {"max_depth": -1},
        {"threads": 0},
    ],
)
def test_bad_arguments(tree, options):
    with pytest.raises(ValueError):
        trawl.scan_incremental(tree, implementation="python", **options)
    with pytest.raises(ValueError):
        trawl.scan_incremental("a\0b", implementation="python")


@BOTH
def test_what_a_filter_raises_comes_out(engine, tree, call):
    def broken(path):
        raise LookupError(path)

    with pytest.raises(LookupError):
        call(tree, path_filter=broken, implementation=engine)


def test_cancelling_the_task(engine):
    async def consume():
        async for batch in trawl.scan_incremental(
            BIG, path_filter=lambda path: time.sleep(0.001), implementation=engine
        ):
            pass

    async def main():
        task = asyncio.create_task(consume())
        await asyncio.sleep(0.1)
        begin = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        print(f"cancelled after {(time.perf_counter() - begin) * 1e3:.1f} ms")
        assert time.perf_counter() - begin < 2
        assert wait_for(lambda: not own_threads(), 0.02)

    before = kernel_threads()
    asyncio.run(main())
    assert wait_for(lambda: kernel_threads() <= before)


def test_several_threads_may_pull(engine):
    root = "/usr/share/doc"
    scan = trawl.scan_incremental(root, batch_size=50, implementation=engine)
    found = []

    def pull(batches):
        for batch in batches:
            found.extend(batch)

    batches = iter(scan)
    threads = [threading.Thread(target=pull, args=(batches,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, found)) == sorted(entries(root, False))


def test_first_batch_comes_soon(engine):
    taken = []
    for _ in range(5):
        begin = time.perf_counter()
        for _ in trawl.scan_incremental(BIG, implementation=engine):
            taken.append(time.perf_counter() - begin)
            break
    print("first batch after", [f"{each * 1e3:.1f} ms" for each in taken])
    assert min(taken) < 1
