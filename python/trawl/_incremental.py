# SPDX-License-Identifier: Apache-2.0
"""scan_incremental: batches of a tree while it is being walked.

The walk begins with the first batch that is asked for, and is bounded: `max_pending` entries wait
at most, then it stands still. Who leaves the loop drops the iterator, whose end cancels the walk.
"""

import threading
from typing import TYPE_CHECKING, Any, AsyncIterator, Generic, Iterator, List, Optional, TypeVar
from typing import Callable, Union, overload

from . import _engine
from ._filters import engine_filter
from ._types import (
    FileInfo,
    StrPath,
    WalkError,
    check_depth,
    check_directory,
    check_duration,
    check_positive,
    check_threads,
    file_infos,
    path_bytes,
    raise_root_error,
    walk_errors,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    from ._engine import Implementation
    from ._filters import AnyFilter

    Symlinks = Literal["report", "skip", "follow"]

T = TypeVar("T")

_SYMLINKS = ("report", "skip", "follow")


class IncrementalScan(Generic[T]):
    """The batches of a scan. Iterate it once, with ``for`` or ``async for``.

    Leaving the loop ends the walk, as do :meth:`close` and the end of a ``with`` or ``async with``
    block. Batches may be pulled from several threads.
    """

    def __init__(
        self,
        root: bytes,
        engine: Any,
        options: "dict[str, Any]",
        convert: Callable[[Any], List[T]],
        closed: _engine.Flag,
    ) -> None:
        self._root = root
        self._engine = engine
        self._options = options
        self._convert = convert
        self._lock = threading.Lock()
        self._stream: Any = None
        self._closed = closed
        self._ending: Optional[str] = None
        self._errors: List[WalkError] = []

    # What came of it; of use when the loop has ended.

    @property
    def ending(self) -> Optional[str]:
        """Why the walk ended: "complete", "timed_out", "cancelled"; None: it has not yet."""
        return self._ending

    @property
    def complete(self) -> bool:
        """Whether all was read and given out, without an error."""
        return self._ending == "complete" and not self._errors

    @property
    def timed_out(self) -> bool:
        return self._ending == "timed_out"

    @property
    def errors(self) -> List[WalkError]:
        """What could not be read; known when the walk has ended."""
        return self._errors

    # The walk.

    def _begin(self) -> Any:
        with self._lock:
            if self._stream is None and not self._closed.cancelled:
                check_directory(self._root)
                self._stream = self._engine.TableStream([self._root], **self._options)
            return self._stream

    def _next(self) -> Optional[List[T]]:
        """Waits. None at the end."""
        stream = self._begin()
        if stream is None or self._ending is not None:
            return None
        try:
            table = stream.next()
            if table is not None:
                return self._convert(table)
            self._settle(stream)
        except BaseException:
            self._cancel()
            raise
        return None

    def _settle(self, stream: Any) -> None:
        errors = stream.errors
        with self._lock:
            if self._ending is not None:
                return
            self._errors = walk_errors(errors)
            self._ending = "cancelled" if self._closed.cancelled else stream.ending
        raise_root_error(self._root, errors)

    def _cancel(self) -> None:
        """Does not wait."""
        self._closed.cancelled = True
        stream = self._stream
        if stream is not None and self._ending is None:
            stream.cancel()

    def close(self) -> None:
        """Ends the walk and waits for its end, which takes milliseconds."""
        self._cancel()
        stream = self._stream
        if stream is not None and self._ending is None:
            errors = stream.errors
            with self._lock:
                if self._ending is None:
                    self._errors = walk_errors(errors)
                    self._ending = "cancelled"
        elif self._ending is None:
            self._ending = "cancelled"

    async def aclose(self) -> None:
        """:meth:`close`, without blocking the loop."""
        from . import _threads

        self._cancel()
        await _threads.run(self.close, _nothing)

    def __iter__(self) -> Iterator[List[T]]:
        return _Batches(self)

    def __aiter__(self) -> AsyncIterator[List[T]]:
        return _AsyncBatches(self)

    def __enter__(self) -> "IncrementalScan[T]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> "IncrementalScan[T]":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        state = self._ending or ("not begun" if self._stream is None else "running")
        return f"<IncrementalScan: {state}>"


def _nothing() -> None:
    pass


class _Batches(Generic[T]):
    def __init__(self, scan: IncrementalScan[T]) -> None:
        self._scan = scan

    def __iter__(self) -> "_Batches[T]":
        return self

    def __next__(self) -> List[T]:
        batch = self._scan._next()
        if batch is None:
            raise StopIteration
        return batch

    def __del__(self) -> None:
        self._scan._cancel()


class _AsyncBatches(Generic[T]):
    def __init__(self, scan: IncrementalScan[T]) -> None:
        self._scan = scan

    def __aiter__(self) -> "_AsyncBatches[T]":
        return self

    async def __anext__(self) -> List[T]:
        from . import _threads

        batch = await _threads.run(self._scan._next, self._scan._cancel)
        if batch is None:
            raise StopAsyncIteration
        return batch

    def __del__(self) -> None:
        self._scan._cancel()


@overload
def scan_incremental(
    root: StrPath,
    *,
    batch_size: int = ...,
    max_pending: int = ...,
    symlinks: "Symlinks" = ...,
    metadata: "Literal[False]" = ...,
    path_filter: "Optional[AnyFilter]" = ...,
    add_directories: bool = ...,
    max_duration: Optional[float] = ...,
    max_depth: Optional[int] = ...,
    threads: Optional[int] = ...,
    implementation: "Optional[Implementation]" = ...,
) -> "IncrementalScan[Path]": ...


@overload
def scan_incremental(
    root: StrPath,
    *,
    batch_size: int = ...,
    max_pending: int = ...,
    symlinks: "Symlinks" = ...,
    metadata: "Literal[True]",
    path_filter: "Optional[AnyFilter]" = ...,
    add_directories: bool = ...,
    max_duration: Optional[float] = ...,
    max_depth: Optional[int] = ...,
    threads: Optional[int] = ...,
    implementation: "Optional[Implementation]" = ...,
) -> "IncrementalScan[FileInfo]": ...


@overload
def scan_incremental(
    root: StrPath,
    *,
    batch_size: int = ...,
    max_pending: int = ...,
    symlinks: "Symlinks" = ...,
    metadata: bool,
    path_filter: "Optional[AnyFilter]" = ...,
    add_directories: bool = ...,
    max_duration: Optional[float] = ...,
    max_depth: Optional[int] = ...,
    threads: Optional[int] = ...,
    implementation: "Optional[Implementation]" = ...,
) -> "Union[IncrementalScan[Path], IncrementalScan[FileInfo]]": ...


def scan_incremental(
    root: StrPath,
    *,
    batch_size: int = 1024,
    max_pending: int = 65536,
    symlinks: "Symlinks" = "report",
    metadata: bool = False,
    path_filter: "Optional[AnyFilter]" = None,
    add_directories: bool = False,
    max_duration: Optional[float] = None,
    max_depth: Optional[int] = None,
    threads: Optional[int] = None,
    implementation: "Optional[Implementation]" = None,
) -> "IncrementalScan[Any]":
    """What :func:`scan` finds, in batches, as it is found::

        async for batch in scan_incremental(root):
            ...
        for batch in scan_incremental(root):
            ...

    Leaving the loop, by ``break`` or an exception, stops the walk. In asyncio, cancelling the task
    does, too, and waits for it.

    :param batch_size: entries of a batch at most; a batch is smaller rather than late
    :param max_pending: entries that may wait to be pulled; the walk stands still while there are
        more
    :param symlinks: "report" links as such; "skip" them; or "follow": report what they lead to and
        enter directories through them, each once, so cycles are cut
    :param metadata: batches of :class:`FileInfo` instead of Paths
    :param path_filter, add_directories, max_depth: as of :func:`scan`
    :param max_duration: seconds from the first batch asked for; None: no limit
    :param threads: workers; None: as many as pays off
    :raises ValueError: arguments out of range, a NUL in ``root``
    :raises FileNotFoundError, NotADirectoryError, PermissionError: of ``root``; when the first
        batch is asked for
    """
    name = path_bytes(root)
    engine = _engine.select(implementation)
    if symlinks not in _SYMLINKS:
        raise ValueError(f'symlinks must be "report", "skip" or "follow": {symlinks!r}')
    types = (1 << len(engine.FILE_TYPES)) - 1
    if not add_directories:
        types &= ~(1 << engine.FILE_TYPES.index("directory"))
    if symlinks == "skip":
        types &= ~(1 << engine.FILE_TYPES.index("symlink"))
    fields = 0
    if metadata:
        fields = (
            engine.MODE | engine.LINKS | engine.OWNER | engine.IDENTITY | engine.SIZE
            | engine.BLOCKS | engine.MTIME
        )  # fmt: skip
    closed = _engine.Flag()
    options = {
        "fields": fields,
        "types": types,
        "include_roots": False,
        "max_depth": check_depth(max_depth),
        "follow": 2 if symlinks == "follow" else 1,
        "filter": engine_filter(path_filter, engine, [name], closed),
        "threads": check_threads(threads),
        "timeout": check_duration(max_duration),
        "chunk_rows": check_positive(batch_size, "batch_size"),
        "capacity": check_positive(max_pending, "max_pending"),
    }
    if metadata:
        return IncrementalScan(name, engine, options, file_infos, closed)

    from pathlib import Path

    make = type(Path())

    def convert(table: Any) -> "List[Path]":
        return [*map(make, table.paths())]

    return IncrementalScan(name, engine, options, convert, closed)
