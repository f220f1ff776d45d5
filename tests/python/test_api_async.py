# SPDX-License-Identifier: Apache-2.0
"""Scans on event loops: cancelled, many at once, from several threads; and what is left behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import trawl
from trawl import _threads

from conftest import BIG, entries, kernel_threads, own_threads, wait_for

PROMPTLY = 0.05  # seconds


async def never_ending(engine, **options):
    """A scan that takes minutes unless it is stopped."""
    return await trawl.scan(
        BIG, path_filter=lambda path: time.sleep(0.001), max_duration=None,
        implementation=engine, **options,
    )  # fmt: skip


@pytest.mark.parametrize("how", ["filter", "plain", "paths"])
def test_cancelling_stops_in_milliseconds(engine, how):
    taken = []

    async def main():
        for _ in range(5):
            if how == "filter":
                task = asyncio.create_task(never_ending(engine))
                await asyncio.sleep(0.1)
            else:
                task = asyncio.create_task(
                    trawl.scan(BIG, max_duration=None, implementation=engine)
                )
                # While it walks, or while it makes Paths.
                await asyncio.sleep(0.02 if how == "plain" else 0.15)
            if task.done():
                continue
            begin = time.perf_counter()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            taken.append(time.perf_counter() - begin)
            assert not _threads._pool._running  # it was waited for
            assert wait_for(lambda: not own_threads(), 0.02)

    asyncio.run(main())
    print("cancelled after", [f"{each * 1e3:.1f} ms" for each in taken])
    if taken:
        assert sorted(taken)[len(taken) // 2] < PROMPTLY


def test_wait_for_cancels(engine):
    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(never_ending(engine), 0.1)

    before = kernel_threads()
    asyncio.run(main())
    assert wait_for(lambda: kernel_threads() <= before)


def test_loop_is_not_blocked(engine):
    async def main():
        longest = 0.0
        task = asyncio.create_task(trawl.scan(BIG, implementation=engine))
        while not task.done():
            begin = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - begin)
        return longest

    longest = asyncio.run(main())
    print(f"longest pause of the loop: {longest * 1e3:.1f} ms")
    assert longest < 3


def test_many_at_once(engine, tree):
    async def main():
        return await asyncio.gather(
            *(trawl.scan(tree, implementation=engine) for _ in range(200))
        )

    results = asyncio.run(main())
    assert {len(result) for result in results} == {9}


def test_those_that_wait_for_their_turn_can_be_cancelled(engine):
    async def main():
        tasks = [
            asyncio.create_task(never_ending(engine, max_simultaneous=1))
            for _ in range(_threads.MAX_RUNNING + 8)
        ]
        await asyncio.sleep(0.2)
        assert len(own_threads()) == _threads.MAX_RUNNING
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(result) for result in results} == {asyncio.CancelledError}

    asyncio.run(main())


def test_a_limit_counts_from_the_call(engine):
    async def main():
        busy = [
            asyncio.create_task(
                trawl.scan(BIG, path_filter=lambda path: time.sleep(0.001), max_duration=1,
                           max_simultaneous=1, implementation=engine)
            )
            for _ in range(_threads.MAX_RUNNING)
        ]  # fmt: skip
        await asyncio.sleep(0.2)
        last = await trawl.scan(BIG, max_duration=0.2, implementation=engine)
        assert last.timed_out and len(last) < 300  # its time was gone when its turn came
        await asyncio.gather(*busy)

    asyncio.run(main())


def test_several_loops_in_threads(engine, tree):
    expected = sorted(entries(tree, False))
    found = []

    def work():
        async def main():
            return await asyncio.gather(
                *(trawl.scan(tree, implementation=engine) for _ in range(10))
            )

        for result in asyncio.run(main()):
            found.append(sorted(map(str, result)) == expected)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 80


def test_progress_is_told_on_the_loops_thread(engine):
    seen = []

    async def main():
        await trawl.scan(
            BIG, path_filter=lambda path: time.sleep(0.001), max_duration=0.3,
            progress=lambda n: seen.append(threading.current_thread()), implementation=engine,
        )  # fmt: skip

    asyncio.run(main())
    assert set(seen) == {threading.main_thread()}


def test_threads_do_not_pile_up(engine, tree):
    async def main():
        for _ in range(100):
            await trawl.scan(tree, implementation=engine)

    asyncio.run(main())
    before = kernel_threads()
    asyncio.run(main())
    assert wait_for(lambda: kernel_threads() <= before)


CHILD = """
import asyncio, sys, threading, time
import trawl
how, engine, root = sys.argv[1:]
told = []
def slow(path):
    if not told:
        told.append(1)
        print("ready", flush=True)
    time.sleep(0.001)
options = dict(path_filter=slow, max_duration=None, implementation=engine)
async def batches():
    async for batch in trawl.scan_incremental(
            root, path_filter=slow, implementation=engine):
        pass
try:
    if how == "sync":
        trawl.scan_sync(root, **options)
    elif how == "async":
        asyncio.run(trawl.scan(root, **options))
    elif how == "batches":
        for batch in trawl.scan_incremental(root, path_filter=slow, implementation=engine):
            pass
    elif how == "async batches":
        asyncio.run(batches())
    elif how == "profile":
        trawl.DirectoryProfiler(path_filter=slow, use_native=engine == "native").analyze(root)
    elif how == "exit":
        thread = threading.Thread(target=lambda: asyncio.run(trawl.scan(root, **options)))
        thread.daemon = True
        thread.start()
        time.sleep(0.3)
        print("exit", flush=True)
        sys.exit(0)
except KeyboardInterrupt:
    for _ in range(20):  # a thread that has given its result may still be on its way out
        left = [each.name for each in threading.enumerate() if each.name.startswith("trawl-")]
        if not left:
            break
        time.sleep(0.005)
    print("interrupted", left, flush=True)
"""


def child(how, engine):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CHILD, how, engine, BIG],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", ["sync", "async", "batches", "async batches", "profile"])
def test_interrupt(engine, how):
    process = child(how, engine)
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=10)
    finally:
        process.kill()
    assert output == "interrupted []\n", errors
    assert process.returncode == 0
    assert time.monotonic() - begin < 6


def test_exit_during_a_scan(engine):
    process = child("exit", engine)
    try:
        assert [process.stdout.readline() for _ in range(2)] == ["ready\n", "exit\n"]
        begin = time.monotonic()
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0 and errors == ""
    assert time.monotonic() - begin < 8  # it does not wait for the scan's end


@pytest.mark.parametrize("running", [0, _threads.MAX_RUNNING])
def test_fork(engine, tree, running):
    """The child can use everything, also if all of the parent's threads are busy."""

    async def main():
        return len(await trawl.scan(tree, implementation=engine))

    async def busy():
        await asyncio.wait_for(
            asyncio.gather(*(never_ending(engine, max_simultaneous=1) for _ in range(running))), 1
        )

    def occupy():
        with contextlib.suppress(asyncio.TimeoutError):
            asyncio.run(busy())

    assert asyncio.run(main()) == 9
    thread = threading.Thread(target=occupy)
    thread.start()
    assert wait_for(lambda: len(own_threads()) == running)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.alarm(20)
            if asyncio.run(main()) == 9 and len(trawl.scan_sync(tree, implementation=engine)) == 9:
                status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    thread.join()


def test_trio(engine, tree):
    trio = pytest.importorskip("trio")

    async def scan(root, **options):
        token = trawl.CancelToken()
        try:
            return await trio.to_thread.run_sync(
                lambda: trawl.scan_sync(root, cancel=token, implementation=engine, **options),
                abandon_on_cancel=True,
            )
        finally:
            token.cancel()

    async def main():
        assert len(await scan(tree)) == 9
        begin = time.monotonic()
        with trio.move_on_after(0.1):
            await scan(BIG, path_filter=lambda path: time.sleep(0.001), max_duration=None)
        assert time.monotonic() - begin < 3

    trio.run(main)
