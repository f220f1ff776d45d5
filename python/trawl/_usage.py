# SPDX-License-Identifier: Apache-2.0
"""du: what a tree takes. stat_many: metadata of many paths."""

import os
from typing import TYPE_CHECKING, Any, Iterable, List, NamedTuple, Optional, Union

from . import _engine
from ._filters import engine_filter
from ._progress import Reporter
from ._tables import Fields, Table, _roots, field_bits
from ._types import (
    StrPath,
    WalkError,
    check_depth,
    check_duration,
    check_threads,
    full_mode,
    human_bytes,
    path_bytes,
    raise_root_error,
    seconds,
    shown,
    walk_errors,
)

if TYPE_CHECKING:
    from ._engine import CancelToken, Implementation
    from ._filters import AnyFilter
    from ._progress import Progress


class UsageLine(NamedTuple):
    """A line of :func:`du`: an entry with all that is below it."""

    path: str
    depth: int  #: the root has 0
    disk_usage: int  #: bytes on the medium
    apparent_size: int  #: bytes, as ``st_size``
    inodes: int

    def __str__(self) -> str:
        return f"{human_bytes(self.disk_usage)}\t{shown(self.path)}"


class Usage:
    """What :func:`du` found. ``str()`` gives it for people: sizes in units of 1024."""

    def __init__(self, title: str, found: "dict[str, Any]") -> None:
        self.path = title
        self.disk_usage: int = found["disk_usage"]  #: bytes on the medium
        self.apparent_size: int = found["apparent_size"]  #: bytes, as ``st_size``
        self.inodes: int = found["inodes"]
        #: Further names of files that were counted by another one.
        self.repeated_links: int = found["repeated_links"]
        #: Children before their directory, as ``du`` prints them.
        self.lines: List[UsageLine] = [UsageLine(*line) for line in found["lines"]]
        #: Why the walk ended: "complete" (also with errors), "cancelled", "timed_out".
        self.ending: str = found["ending"]
        #: Whether all was read: the walk came to its end, and without an error.
        self.complete: bool = found["complete"]
        self.errors: List[WalkError] = walk_errors(found["errors"])
        self.statistics: "dict[str, Any]" = dict(found["statistics"])

    @property
    def timed_out(self) -> bool:
        return self.ending == "timed_out"

    def __str__(self) -> str:
        return "\n".join(map(str, self.lines))

    def __repr__(self) -> str:
        partial = "" if self.complete else ", partial"
        return (
            f"<Usage of {self.path!r}: {human_bytes(self.disk_usage)} on disk, "
            f"{self.inodes:,} inodes{partial}>"
        )

    def _repr_html_(self) -> str:
        from ._notebook import usage_html

        return usage_html(self)


def du(
    path: "Union[StrPath, Iterable[StrPath]]" = ".",
    *,
    max_depth: Optional[int] = None,
    all_files: bool = False,
    count_links: bool = False,
    follow_symlinks: bool = False,
    one_file_system: bool = False,
    path_filter: "Optional[AnyFilter]" = None,
    max_duration: Optional[float] = None,
    threads: Optional[int] = None,
    progress: "Progress" = None,
    cancel: "Optional[CancelToken]" = None,
    implementation: "Optional[Implementation]" = None,
) -> Usage:
    """What files and directories take, with GNU du's figures.

    :param path: a directory or file, or several. A link is measured itself, unless followed
    :param max_depth: of lines; 0: one for each path. Totals are the same. None: all directories
    :param all_files: lines for files, too
    :param count_links: count a file once for each of its names
    :param follow_symlinks: measure what links lead to

    Else as :func:`scan_table`.

    :raises FileNotFoundError, PermissionError: of a path
    """
    engine = _engine.select(implementation)
    roots = _roots(path)
    options = {
        "max_depth": check_depth(max_depth),
        "all_files": bool(all_files),
        "count_links": bool(count_links),
        "follow": 2 if follow_symlinks else 0,
        "one_file_system": bool(one_file_system),
        "filter": engine_filter(path_filter, engine, roots),
        "threads": check_threads(threads),
        "timeout": check_duration(max_duration),
        "cancel": _engine.bind(cancel, engine),
    }
    with Reporter(progress, "Measuring") as poll:
        for each in roots:
            (os.stat if follow_symlinks else os.lstat)(os.fsdecode(each))
        found = engine.usage(roots, poll=poll, **options)
    for each in roots:
        raise_root_error(each, found["errors"])
    return Usage(os.fsdecode(b", ".join(roots)), found)


class StatResults(List[Union[os.stat_result, OSError]]):
    """For each path an :class:`os.stat_result`, or the exception that :func:`os.stat` would raise.

    ``st_dev`` … ``st_ctime_ns`` and ``st_blocks`` are there; what else :func:`os.stat` may give
    (``st_rdev``, ``st_blksize``) is None. Pickles have no ``table``.
    """

    _table: Optional[Table] = None

    @property
    def table(self) -> Table:
        """The same as columns.

        :raises AttributeError: these are not the results of a call, but came from a pickle
        """
        if self._table is None:
            raise AttributeError("these results have no table: pickles are without it")
        return self._table

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), ([*self],)

    def __copy__(self) -> "StatResults":
        made = type(self)(self)
        made._table = self._table
        return made

    def __deepcopy__(self, memo: "dict[int, Any]") -> "StatResults":
        from copy import deepcopy

        made = type(self)(deepcopy(each, memo) for each in self)
        made._table = self._table  # which is immutable
        return made

    def failed(self) -> List[OSError]:
        return [result for result in self if isinstance(result, OSError)]


def stat_many(
    paths: Iterable[StrPath],
    *,
    follow_symlinks: bool = True,
    threads: Optional[int] = None,
    implementation: "Optional[Implementation]" = None,
) -> StatResults:
    """Metadata of many paths at once, in their order.

    :param follow_symlinks: of what links lead to; else of the links
    :param threads: workers, from 1 to 1024; None: as many as pays off
    :raises ValueError: a NUL in a path, threads out of range. What fails on disk is no exception,
        but a value in its place.
    """
    names = _names(paths)
    table = stat_table(
        names, fields=_STAT_FIELDS, follow_symlinks=follow_symlinks, threads=threads,
        implementation=implementation,
    )  # fmt: skip
    results = StatResults(map(_stat_result, names, table.rows(*_STAT_COLUMNS)))
    results._table = table
    return results


def stat_table(
    paths: Iterable[StrPath],
    *,
    fields: Fields = "all",
    follow_symlinks: bool = True,
    threads: Optional[int] = None,
    implementation: "Optional[Implementation]" = None,
) -> Table:
    """:func:`stat_many` as columns: a row for each path; ``error`` is errno where it failed."""
    engine = _engine.select(implementation)
    names = _names(paths)
    bits, _ = field_bits(engine, fields)
    table = engine.stat_table(
        names, fields=bits, follow=bool(follow_symlinks), threads=check_threads(threads)
    )
    return Table(table, "")


_STAT_FIELDS = (
    "mode", "identity", "links", "owner", "size", "disk_usage", "atime", "mtime", "ctime",
)  # fmt: skip
_STAT_COLUMNS = (
    "type", "mode", "inode", "device", "links", "uid", "gid", "size", "disk_usage",
    "atime", "mtime", "ctime", "error",
)  # fmt: skip


def _names(paths: Iterable[StrPath]) -> List[bytes]:
    if isinstance(paths, (str, bytes, os.PathLike)):
        raise TypeError("paths must be several, not one path")
    names = [os.fsencode(path) for path in paths]
    if any(b"\0" in name for name in names):
        raise ValueError("embedded null byte")
    return names


def _stat_result(name: bytes, row: "tuple[Any, ...]") -> Union[os.stat_result, OSError]:
    kind, mode, inode, device, links, uid, gid, size, usage, atime, mtime, ctime, error = row
    if error is not None:
        return OSError(error, os.strerror(error), os.fsdecode(name))
    return os.stat_result(
        (
            full_mode(kind, mode) or 0, inode, device, links, uid, gid, size,
            atime // 10**9, mtime // 10**9, ctime // 10**9,
        ),
        {
            "st_atime": seconds(atime),
            "st_mtime": seconds(mtime),
            "st_ctime": seconds(ctime),
            "st_atime_ns": atime,
            "st_mtime_ns": mtime,
            "st_ctime_ns": ctime,
            "st_blocks": usage // 512,
        },
    )  # fmt: skip
