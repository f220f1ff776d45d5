# SPDX-License-Identifier: Apache-2.0
"""What all modules of the pure engine share: constants, types, and what no engine accepts."""

from __future__ import annotations

import operator
import os
import stat
from typing import TYPE_CHECKING, Callable, Optional, Sequence, Tuple

if TYPE_CHECKING:
    from .filter import PathFilter

FILE_TYPES: Tuple[str, ...] = (
    "unknown",
    "file",
    "directory",
    "symlink",
    "block_device",
    "character_device",
    "fifo",
    "socket",
)
UNKNOWN, FILE, DIRECTORY, SYMLINK = range(4)
ALL_TYPES = 0xFFFFFFFF

# Bits of `fields`.
MODE = 1 << 1
LINKS = 1 << 2
OWNER = 1 << 3
IDENTITY = 1 << 4
SIZE = 1 << 5
BLOCKS = 1 << 6
ATIME = 1 << 7
MTIME = 1 << 8
CTIME = 1 << 9
BTIME = 1 << 10
ALL_FIELDS = (1 << 11) - 1

FOLLOW_NEVER, FOLLOW_ROOTS, FOLLOW_ALL = range(3)

MAX_THREADS = 1024
NO_DEPTH = 1 << 62  # as good as no limit

# By st_mode >> 12.
_TYPE_OF_FORMAT = [UNKNOWN] * 16
for _format, _code in (
    (stat.S_IFREG, FILE),
    (stat.S_IFDIR, DIRECTORY),
    (stat.S_IFLNK, SYMLINK),
    (stat.S_IFBLK, 4),
    (stat.S_IFCHR, 5),
    (stat.S_IFIFO, 6),
    (stat.S_IFSOCK, 7),
):
    _TYPE_OF_FORMAT[_format >> 12] = _code
TYPE_OF_FORMAT: Tuple[int, ...] = tuple(_TYPE_OF_FORMAT)

Identity = Tuple[int, int]  # device, inode
Error = Tuple[str, int, int, str]  # operation, errno, depth, path
Poll = Callable[[int], object]


class CancelToken:
    """Ends walks that were given it, from any thread."""

    def __init__(self) -> None:
        self._cancelled = False

    def cancel(self) -> None:
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        return self._cancelled


def type_of(status: os.stat_result) -> int:
    return TYPE_OF_FORMAT[status.st_mode >> 12 & 15]


def check_integer(value: int, name: str, least: int, most: Optional[int] = None) -> int:
    number = operator.index(value)
    if number < least or (most is not None and number > most):
        limit = f"{least} or more" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} must be {limit}, not {value!r}")
    return number


def check_options(
    *,
    threads: int = 0,
    max_depth: Optional[int] = None,
    min_depth: int = 0,
    follow: int = 0,
    timeout: Optional[float] = None,
    fields: int = 0,
    types: int = 0,
    filter: Optional[PathFilter] = None,
    cancel: Optional[CancelToken] = None,
    poll: Optional[Poll] = None,
    flags: Sequence[bool] = (),
) -> None:
    """Raises ValueError or TypeError for what no engine accepts."""
    from .filter import PathFilter as Filter

    check_integer(threads, "threads", 0, MAX_THREADS)
    if max_depth is not None:
        check_integer(max_depth, "max_depth", 0)
    check_integer(min_depth, "min_depth", 0)
    check_integer(follow, "follow", FOLLOW_NEVER, FOLLOW_ALL)
    check_integer(fields, "fields", 0, ALL_FIELDS)
    check_integer(types, "types", 0, ALL_TYPES)
    if timeout is not None and not timeout >= 0:
        raise ValueError(f"timeout must be 0 or more, not {timeout!r}")
    if filter is not None and not isinstance(filter, Filter):
        raise TypeError("filter must be a PathFilter or None")
    if cancel is not None and not isinstance(cancel, CancelToken):
        raise TypeError("cancel must be a CancelToken or None")
    if poll is not None and not callable(poll):
        raise TypeError("poll must be callable")
    if not all(isinstance(flag, bool) for flag in flags):
        raise TypeError("what is on or off must be a bool")


def check_path(path: bytes) -> bytes:
    if not isinstance(path, bytes):
        raise TypeError(f"a path must be bytes, not {type(path).__name__}")
    if b"\0" in path:
        raise ValueError("embedded null byte")
    return path
