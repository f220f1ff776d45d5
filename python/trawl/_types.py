# SPDX-License-Identifier: Apache-2.0
"""Small values that several modules give out, and the checks of arguments that all share."""

import errno
import os
import stat as stat_module
from math import inf
from typing import Any, Iterable, List, NamedTuple, Optional, Tuple, Union

StrPath = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]

MAX_THREADS = 1024

_FORMATS = {
    "file": stat_module.S_IFREG,
    "directory": stat_module.S_IFDIR,
    "symlink": stat_module.S_IFLNK,
    "block_device": stat_module.S_IFBLK,
    "character_device": stat_module.S_IFCHR,
    "fifo": stat_module.S_IFIFO,
    "socket": stat_module.S_IFSOCK,
}


class WalkError(NamedTuple):
    """Something that a walk could not read. ``str()`` gives what an :class:`OSError` would say."""

    operation: str  #: "open", "read", "stat" or "descend"
    errno: int
    depth: int  #: of the entry; the root has 0
    path: str  #: surrogate-escaped, as from :func:`os.fsdecode`

    @property
    def strerror(self) -> str:
        return os.strerror(self.errno)

    @property
    def filename(self) -> str:
        return self.path

    def to_exception(self) -> OSError:
        """The exception that Python would have raised, e.g. a :class:`PermissionError`."""
        return OSError(self.errno, self.strerror, self.path)

    def __str__(self) -> str:
        return str(self.to_exception())


class FileInfo(NamedTuple):
    """An entry of a tree. What was not asked for or could not be had is None.

    It is path-like: ``open(info)`` and ``Path(info)`` work.
    """

    path: str  #: surrogate-escaped, as from :func:`os.fsdecode`
    size: Optional[int] = None  #: bytes
    modified: Optional[float] = None  #: seconds since the epoch
    is_dir: bool = False
    is_symlink: bool = False  #: a link that was not followed
    type: str = "unknown"  #: "file", "directory", "symlink", "fifo", …
    depth: int = 0  #: the root has 0
    mode: Optional[int] = None  #: with the type's bits, as ``st_mode``
    inode: Optional[int] = None
    device: Optional[int] = None
    links: Optional[int] = None
    uid: Optional[int] = None
    gid: Optional[int] = None
    disk_usage: Optional[int] = None  #: bytes
    modified_ns: Optional[int] = None  #: nanoseconds since the epoch
    error: Optional[int] = None  #: errno, if its metadata could not be read

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    def __fspath__(self) -> str:
        return self.path


# Columns that a FileInfo is made of, in the order of `file_info`'s arguments.
INFO_COLUMNS = (
    "path", "type", "depth", "size", "disk_usage", "mtime", "mode",
    "links", "uid", "gid", "device", "inode", "error",
)  # fmt: skip


def file_info(
    path: str,
    kind: str,
    depth: int,
    size: Optional[int],
    disk_usage: Optional[int],
    mtime: Optional[int],
    mode: Optional[int],
    links: Optional[int],
    uid: Optional[int],
    gid: Optional[int],
    device: Optional[int],
    inode: Optional[int],
    error: Optional[int],
) -> FileInfo:
    return FileInfo(
        path,
        size,
        None if mtime is None else seconds(mtime),
        kind == "directory",
        kind == "symlink",
        kind,
        depth,
        full_mode(kind, mode),
        inode,
        device,
        links,
        uid,
        gid,
        disk_usage,
        mtime,
        error,
    )


def file_infos(table: Any) -> List[FileInfo]:
    """Of an engine's table, which may lack columns."""
    return list(iterate_infos(table))


def iterate_infos(table: Any) -> Iterable[FileInfo]:
    there = set(table.columns)
    count = len(table)
    columns = [table.column(n) if n in there else [None] * count for n in INFO_COLUMNS]
    return map(file_info, *columns)


def seconds(nanoseconds: int) -> float:
    """As :func:`os.stat` rounds it."""
    return nanoseconds // 10**9 + 1e-9 * (nanoseconds % 10**9)


def full_mode(kind: str, mode: Optional[int]) -> Optional[int]:
    return None if mode is None else mode | _FORMATS.get(kind, 0)


def walk_errors(errors: Iterable[Tuple[str, int, int, str]]) -> List[WalkError]:
    return [WalkError(*error) for error in errors]


def path_bytes(path: StrPath) -> bytes:
    """As the kernel will see it. Raises what :func:`os.stat` would: TypeError, ValueError."""
    name = os.fsencode(path)
    if b"\0" in name:
        raise ValueError("embedded null byte")
    if not name:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "")
    return name


def check_directory(root: bytes) -> None:
    """Raises what :func:`os.scandir` would, but for permission to read."""
    name = os.fsdecode(root)
    if not stat_module.S_ISDIR(os.stat(name).st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)


def raise_root_error(root: bytes, errors: Iterable[Tuple[str, int, int, str]]) -> None:
    """A root that could not be read is no partial result."""
    name = os.fsdecode(root)
    for operation, code, depth, path in errors:
        if depth == 0 and path == name and operation in ("open", "descend"):
            raise OSError(code, os.strerror(code), name)


def check_threads(threads: Optional[int], name: str = "threads") -> int:
    """For an engine: 0 adapts."""
    if threads is None:
        return 0
    number = _index(threads, name)
    if not 1 <= number <= MAX_THREADS:
        raise ValueError(f"{name} must be from 1 to {MAX_THREADS}, or None: {threads}")
    return number


def check_duration(seconds: Optional[float], name: str = "max_duration") -> Optional[float]:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not (
        hasattr(seconds, "__float__") or hasattr(seconds, "__index__")
    ):
        raise TypeError(f"{name} must be a number of seconds, not {type(seconds).__name__}")
    try:
        value = float(seconds)
    except OverflowError:  # an integer that is beyond floats
        value = inf if seconds > 0 else -inf
    if not value >= 0:  # NaN, too
        raise ValueError(f"{name} must not be negative: {seconds}")
    return None if value > 1e9 else value


def check_depth(depth: Optional[int], name: str = "max_depth") -> Optional[int]:
    if depth is None:
        return None
    number = _index(depth, name)
    if number < 0:
        raise ValueError(f"{name} must not be negative: {depth}")
    return min(number, 2**31 - 1)


def check_positive(value: int, name: str) -> int:
    number = _index(value, name)
    if number < 1:
        raise ValueError(f"{name} must be at least 1: {value}")
    return number


def _index(value: Any, name: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}")
    return int(value.__index__())


def human_bytes(count: float) -> str:
    """In units of 1024, as ``du -h`` but with a space: "1.9 GiB"."""
    if count < 1024:
        return f"{int(count)} B"
    for unit in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        count /= 1024
        if count < 1024:
            break
    else:
        unit = "EiB"
        count /= 1024
    return f"{count:.1f} {unit}" if count < 100 else f"{count:.0f} {unit}"


def shown(text: str) -> str:
    """For people: no surrogates, no control characters."""
    text = os.fsencode(text).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
