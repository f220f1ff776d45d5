# SPDX-License-Identifier: Apache-2.0
"""scan, scan_sync, scan_directory_parallel: all paths of a tree, as a list."""

import time
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Sequence, TypeVar

from . import _engine
from ._filters import engine_filter
from ._progress import Reporter
from ._types import (
    StrPath,
    WalkError,
    check_depth,
    check_directory,
    check_duration,
    check_threads,
    path_bytes,
    raise_root_error,
    walk_errors,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ._engine import CancelToken, Implementation
    from ._filters import AnyFilter
    from ._progress import Progress

T = TypeVar("T")

_SLICE = 4096  # paths that are made between two looks at the token; some milliseconds


class ScanResult(List[T]):
    """A list of what was found, which also says whether that is all.

    Order is that in which workers found things; sort it if it matters.
    """

    #: Why the walk ended: "complete" (also with errors), "cancelled" or "timed_out".
    ending: str = "complete"
    #: What could not be read.
    errors: Sequence[WalkError] = ()
    #: Seconds that the call took.
    elapsed: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether all was read: the walk came to its end, and without an error."""
        return self.ending == "complete" and not self.errors

    @property
    def timed_out(self) -> bool:
        return self.ending == "timed_out"


class _Request:
    """A scan's arguments, checked; `run` is called on the thread that may wait."""

    def __init__(
        self,
        root: StrPath,
        max_simultaneous: Optional[int],
        path_filter: "Optional[AnyFilter]",
        add_directories: bool,
        max_duration: Optional[float],
        follow_symlinks: bool,
        max_depth: Optional[int],
        engine: Any,
        token: Any,
        stop: Optional[_engine.Flag] = None,
    ) -> None:
        self.begin = time.monotonic()
        self.root = path_bytes(root)
        self.engine = engine
        directory = 1 << self.engine.FILE_TYPES.index("directory")
        every = (1 << len(self.engine.FILE_TYPES)) - 1
        self.duration = check_duration(max_duration)
        self.options = {
            "types": every if add_directories else every & ~directory,
            "include_roots": False,
            "max_depth": check_depth(max_depth),
            "follow": 2 if follow_symlinks else 1,
            "threads": check_threads(max_simultaneous, "max_simultaneous"),
            "filter": engine_filter(path_filter, self.engine, [self.root], stop),
        }
        self.token = token

    def run(
        self,
        poll: Optional[Callable[[int], object]],
        make: Optional[Callable[[str], T]],
    ) -> "ScanResult[T]":
        check_directory(self.root)
        token = self.token
        timeout = self.duration
        if timeout is not None:  # from the call on, also if it waited for its turn
            timeout = max(0.0, timeout - (time.monotonic() - self.begin))
        table = self.engine.scan_table(
            [self.root], timeout=timeout, cancel=token, poll=poll, **self.options
        )
        raise_root_error(self.root, table.errors)
        strings = table.paths()
        result: ScanResult[T] = ScanResult()
        result.ending = table.ending
        result.errors = walk_errors(table.errors)
        if make is None:
            result += strings
        else:
            for at in range(0, len(strings), _SLICE):
                if token is not None and token.cancelled:
                    result.ending = "cancelled"
                    break
                result += map(make, strings[at : at + _SLICE])
        result.elapsed = time.monotonic() - self.begin
        return result


def _maker() -> "Callable[[str], Path]":
    from pathlib import Path

    return type(Path())  # saves Path() finding that out each time


async def scan(
    root: StrPath,
    *,
    max_simultaneous: Optional[int] = 5,
    path_filter: "Optional[AnyFilter]" = None,
    add_directories: bool = False,
    max_duration: Optional[float] = 5.0,
    follow_symlinks: bool = False,
    max_depth: Optional[int] = None,
    progress: "Progress" = None,
    implementation: "Optional[Implementation]" = None,
) -> "ScanResult[Path]":
    """All paths below ``root`` that are not directories. For asyncio.

    The walk runs on threads of its own; the loop is not blocked. Cancelling the task stops it in
    milliseconds, and it is waited for: nothing goes on behind your back.

    :param root: a directory; a symbolic link to one is followed. Paths are ``root``, a slash, names
    :param max_simultaneous: workers, from 1 to 1024; None: as many as pays off, which is found out
        while it runs
    :param path_filter: what to leave out, with all below it: a :class:`PathFilter`; an object
        whose ``match(path: Path)`` says so; or a function of the path as a string. Asked inside
        the walk, and never about ``root``.
    :param add_directories: report directories, too; not ``root``
    :param max_duration: seconds, from the call on; what was found until then is returned, with
        ``complete`` false and ``timed_out`` true. None: no limit
    :param follow_symlinks: report what links lead to, and enter directories through them, each
        once: cycles are cut. Otherwise a link is reported as a file is, wherever it leads.
    :param max_depth: of what is reported; what is directly in ``root`` has depth 1
    :param progress: called with the number of entries so far, on the loop's thread; or True for a
        bar, see docs
    :param implementation: "native" or "python"; None: the best there is
    :raises FileNotFoundError, NotADirectoryError, PermissionError: of ``root``, as ``os.scandir``.
        Errors below it are in ``result.errors``.
    :raises ValueError: arguments out of range, a NUL in ``root``
    """
    import asyncio

    from . import _threads

    engine = _engine.select(implementation)
    token = engine.CancelToken()
    stop = _engine.Flag()
    request = _Request(
        root, max_simultaneous, path_filter, add_directories, max_duration, follow_symlinks,
        max_depth, engine, token, stop,
    )  # fmt: skip

    def cancel() -> None:
        token.cancel()
        stop.cancelled = True

    failures: List[BaseException] = []
    on_loop: Any = progress
    if callable(progress):
        loop = asyncio.get_running_loop()
        function = progress

        def tell(entries: int) -> None:
            try:
                function(entries)
            except BaseException as error:
                failures.append(error)
                cancel()

        def on_loop(entries: int) -> None:
            if not failures:
                loop.call_soon_threadsafe(tell, entries)

    reporter = Reporter(on_loop, "Scanning")
    make = _maker()

    def call() -> "ScanResult[Path]":
        with reporter as poll:
            return request.run(poll, make)

    result = await _threads.run(call, cancel)
    if failures:
        raise failures[0]
    return result


def scan_sync(
    root: StrPath,
    *,
    max_simultaneous: Optional[int] = 5,
    path_filter: "Optional[AnyFilter]" = None,
    add_directories: bool = False,
    max_duration: Optional[float] = 5.0,
    follow_symlinks: bool = False,
    max_depth: Optional[int] = None,
    progress: "Progress" = None,
    cancel: "Optional[CancelToken]" = None,
    implementation: "Optional[Implementation]" = None,
) -> "ScanResult[Path]":
    """:func:`scan`, waiting for it. Heeds Ctrl-C.

    :param cancel: ends it from another thread; what was found is returned, ``ending`` "cancelled".
        With this, it can be awaited elsewhere than in asyncio; see docs.
    """
    engine = _engine.select(implementation)
    request = _Request(
        root, max_simultaneous, path_filter, add_directories, max_duration, follow_symlinks,
        max_depth, engine, _engine.bind(cancel, engine),
    )  # fmt: skip
    with Reporter(progress, "Scanning") as poll:
        return request.run(poll, _maker())


def scan_directory_parallel(
    root: StrPath,
    add_directories: bool = False,
    max_duration: Optional[float] = None,
    *,
    max_simultaneous: Optional[int] = None,
    path_filter: "Optional[AnyFilter]" = None,
    follow_symlinks: bool = False,
    max_depth: Optional[int] = None,
    progress: "Progress" = None,
    cancel: "Optional[CancelToken]" = None,
    implementation: "Optional[Implementation]" = None,
) -> "ScanResult[str]":
    """:func:`scan_sync`, but strings, surrogate-escaped as from :func:`os.fsdecode`: much faster
    than making a Path of each."""
    engine = _engine.select(implementation)
    request = _Request(
        root, max_simultaneous, path_filter, add_directories, max_duration, follow_symlinks,
        max_depth, engine, _engine.bind(cancel, engine),
    )  # fmt: skip
    with Reporter(progress, "Scanning") as poll:
        return request.run(poll, None)
