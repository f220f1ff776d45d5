# SPDX-License-Identifier: Apache-2.0
"""Calls that wait, made awaitable.

A call runs on a thread of ours, not on the loop's default executor, which other code may have
filled. At most `MAX_RUNNING` run at once in the process, the others wait in the order they came in;
a thread that finds nobody waiting ends. So nothing is left when nothing runs, and any number of
loops may share this.

Threads are daemons, and at the interpreter's end what still runs is cancelled and waited for.
"""

import atexit
import os
import threading
from collections import deque
from typing import Any, Callable, Deque, Generic, List, Optional, Set, TypeVar

T = TypeVar("T")

MAX_RUNNING = 32


def _nothing() -> None:
    pass


class _Job(Generic[T]):
    def __init__(self, call: Callable[[], T], cancel: Callable[[], None]) -> None:
        self.call = call
        self.cancel = cancel
        self.value: Optional[T] = None
        self.error: Optional[BaseException] = None
        self.on_end: Callable[[], None] = _nothing

    def run(self) -> None:
        try:
            self.value = self.call()
        except BaseException as error:
            self.error = error
        # What they hold must not live until this thread is gone.
        self.call = self.cancel = _nothing  # type: ignore[assignment]

    def result(self) -> T:
        error, self.error = self.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback holds this frame
        return self.value  # type: ignore[return-value]


class _Pool:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Deque[_Job[Any]] = deque()
        self._running: Set[_Job[Any]] = set()
        self._threads: Set[threading.Thread] = set()
        self._begun = 0
        self._closed = False

    def submit(self, job: "_Job[Any]") -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("can't start a walk at interpreter shutdown")
            if len(self._threads) >= MAX_RUNNING:
                self._waiting.append(job)
                return
            self._begun += 1
            thread = threading.Thread(
                target=self._work, args=(job,), name=f"trawl-{self._begun}", daemon=True
            )
            self._threads.add(thread)
            self._running.add(job)
        try:
            thread.start()
        except BaseException:
            with self._lock:
                self._threads.discard(thread)
                self._running.discard(job)
            raise

    def withdraw(self, job: "_Job[Any]") -> bool:
        """Whether it had not begun; then it never will."""
        with self._lock:
            try:
                self._waiting.remove(job)
            except ValueError:
                return False
            return True

    def _work(self, first: "_Job[Any]") -> None:
        job: Optional[_Job[Any]] = first
        while job is not None:
            job.run()
            ended = job
            with self._lock:
                self._running.discard(ended)
                job = self._waiting.popleft() if self._waiting and not self._closed else None
                if job is None:
                    self._threads.discard(threading.current_thread())
                else:
                    self._running.add(job)
            ended.on_end()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            running: List[_Job[Any]] = [*self._running]
            threads = [*self._threads]
        for job in running:
            job.cancel()
        for thread in threads:
            thread.join(5)


_pool = _Pool()


def _close() -> None:
    _pool.close()


def _after_fork() -> None:
    global _pool
    _pool = _Pool()  # its threads are the parent's


atexit.register(_close)
os.register_at_fork(after_in_child=_after_fork)


async def run(call: Callable[[], T], cancel: Callable[[], None]) -> T:
    """Awaits `call()`, made on a thread. When the task is cancelled, `cancel()` must make the call
    return soon, which is waited for; then CancelledError is raised."""
    import asyncio

    loop = asyncio.get_running_loop()
    ended: "asyncio.Future[None]" = loop.create_future()

    def settle() -> None:
        if not ended.done():
            ended.set_result(None)

    def on_end() -> None:
        try:
            loop.call_soon_threadsafe(settle)
        except RuntimeError:
            pass  # the loop was closed while we ran: nobody waits

    job = _Job(call, cancel)
    job.on_end = on_end
    pool = _pool
    pool.submit(job)
    try:
        await asyncio.shield(ended)
    except asyncio.CancelledError:
        cancel()
        if not pool.withdraw(job):
            while not ended.done():
                try:
                    await asyncio.shield(ended)
                except asyncio.CancelledError:
                    pass  # already on its way out
        raise
    except BaseException:
        cancel()  # the loop is going down
        raise
    return job.result()
