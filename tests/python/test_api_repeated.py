# SPDX-License-Identifier: Apache-2.0
"""Calls leave nothing: no objects, no descriptors, no threads."""

import asyncio
import gc
import os

import pytest
import trawl

from conftest import BIG, kernel_threads, wait_for


def broken(path):
    raise LookupError


def raising(call):
    with pytest.raises(LookupError):
        call()


async def batches(root, engine):
    async for _ in trawl.scan_incremental(root, batch_size=4, implementation=engine):
        break


async def cancelled(engine):
    task = asyncio.create_task(trawl.scan(BIG, max_duration=None, implementation=engine))
    await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


CALLS = {
    "scan": lambda root, e: asyncio.run(trawl.scan(root, implementation=e)),
    "cancelled": lambda root, e: asyncio.run(cancelled(e)),
    "scan_sync": lambda root, e: trawl.scan_sync(root, implementation=e),
    "filter": lambda root, e: trawl.scan_sync(
        root, path_filter=lambda path: False, implementation=e
    ),
    "broken": lambda root, e: raising(
        lambda: trawl.scan_sync(root, path_filter=broken, implementation=e)
    ),
    "rules": lambda root, e: trawl.PathFilter(["*.o"], root=root, implementation=e).match("x.o"),
    "batches": lambda root, e: next(iter(trawl.scan_incremental(root, implementation=e))),
    "async batches": lambda root, e: asyncio.run(batches(root, e)),
    "table": lambda root, e: trawl.scan_table(root, fields="all", implementation=e).rows(),
    "infos": lambda root, e: [*trawl.scan_table(root, implementation=e)],
    "list": lambda root, e: trawl.list(root, implementation=e).paths(),
    "walk": lambda root, e: next(trawl.walk(root, implementation=e)),
    "scantree": lambda root, e: [*trawl.scantree(root, metadata=True, implementation=e)],
    "du": lambda root, e: trawl.du(root, implementation=e),
    "stat_many": lambda root, e: trawl.stat_many([root, "missing"], implementation=e),
    "profile": lambda root, e: trawl.DirectoryProfiler(
        use_native=e == "native", show_progress=False
    ).analyze(root),
}


@pytest.mark.parametrize("name", CALLS)
def test_nothing_grows(engine, tree, name):
    call = CALLS[name]

    def repeat(count):
        for _ in range(count):
            call(tree, engine)
        gc.collect()
        assert wait_for(lambda: kernel_threads() <= threads)
        return len(gc.get_objects()), len(os.listdir("/proc/self/fd"))

    threads = kernel_threads()
    objects, descriptors = repeat(20)
    after, open_now = repeat(100)
    assert open_now <= descriptors
    assert after - objects < 50
