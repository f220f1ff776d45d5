# SPDX-License-Identifier: Apache-2.0
"""Entries as columns: `Table`, and `Rows`, which are what it has while it grows."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from .basics import (
    ATIME,
    BLOCKS,
    BTIME,
    CTIME,
    FILE_TYPES,
    IDENTITY,
    LINKS,
    MODE,
    MTIME,
    OWNER,
    SIZE,
    Error,
)
from .opening import birth_time
from .walk import Entry

_MOST_UNSIGNED = (1 << 64) - 1

_Getter = Callable[[os.stat_result], Optional[int]]


def _birth_time(entry: Entry, fd: Optional[int]) -> Optional[int]:
    born = birth_time(os.fsencode(entry[0]), fd, entry[4])
    return None if born is None else _within(born)


def _within(nanoseconds: int) -> Optional[int]:
    """None for a time that no table has: from 1677 to 2262 they are 64 bits."""
    return nanoseconds if -(1 << 63) <= nanoseconds < 1 << 63 else None


# Columns of metadata in their order: name, field, value.
_COLUMNS: Tuple[Tuple[str, int, _Getter], ...] = (
    ("size", SIZE, lambda status: status.st_size & _MOST_UNSIGNED),
    ("disk_usage", BLOCKS, lambda status: status.st_blocks * 512),
    ("mtime", MTIME, lambda status: _within(status.st_mtime_ns)),
    ("atime", ATIME, lambda status: _within(status.st_atime_ns)),
    ("ctime", CTIME, lambda status: _within(status.st_ctime_ns)),
    ("mode", MODE, lambda status: status.st_mode & 0o7777),
    ("links", LINKS, lambda status: status.st_nlink),
    ("uid", OWNER, lambda status: status.st_uid),
    ("gid", OWNER, lambda status: status.st_gid),
    ("device", IDENTITY, lambda status: status.st_dev),
    ("inode", IDENTITY, lambda status: status.st_ino),
)
_ORDER = (
    "path",
    "path_bytes",
    "type",
    "depth",
    "size",
    "disk_usage",
    "mtime",
    "atime",
    "ctime",
    "btime",
    "mode",
    "links",
    "uid",
    "gid",
    "device",
    "inode",
    "target",
    "error",
)
_TIMES = frozenset(("mtime", "atime", "ctime", "btime"))
_WIDTHS = {"depth": 4, "mode": 4, "links": 4, "uid": 4, "gid": 4, "error": 4}


class Rows:
    """Columns that grow."""

    def __init__(self, fields: int, link_targets: bool, with_error: bool) -> None:
        self.paths: List[str] = []
        self.types: List[int] = []
        self.depths: List[int] = []
        self.values: Dict[str, List[Any]] = {}
        self._getters: List[Tuple[List[Any], _Getter]] = []
        for name, field, getter in _COLUMNS:
            if fields & field:
                column: List[Any] = []
                self.values[name] = column
                self._getters.append((column, getter))
        self._births: Optional[List[Optional[int]]] = [] if fields & BTIME else None
        if self._births is not None:
            self.values["btime"] = self._births
        self._targets: Optional[List[Optional[bytes]]] = [] if link_targets else None
        if self._targets is not None:
            self.values["target"] = self._targets
        self._errors: Optional[List[Optional[int]]] = [] if with_error else None
        if self._errors is not None:
            self.values["error"] = self._errors

    def __len__(self) -> int:
        return len(self.paths)

    def add(self, prefix: str, depth: int, batch: Sequence[Entry], fd: Optional[int]) -> None:
        """Rows of entries of one directory, which `fd` is. Of roots: None, and no prefix."""
        if prefix:
            self.paths += [prefix + entry[0] for entry in batch]
        else:
            self.paths += [entry[0] for entry in batch]
        self.types += [entry[1] for entry in batch]
        self.depths += [depth] * len(batch)
        if self._getters or self._births is not None:
            stats = [entry[2] for entry in batch]
            whole = None not in stats
            for column, getter in self._getters:
                if whole:
                    column += map(getter, stats)  # type: ignore[arg-type]
                else:
                    column += [None if each is None else getter(each) for each in stats]
            if self._births is not None:
                self._births += [
                    None if entry[2] is None else _birth_time(entry, fd)
                    for entry in batch
                ]
        if self._targets is not None:
            self._targets += [entry[5] for entry in batch]
        if self._errors is not None:
            self._errors += [
                entry[3] if entry[3] and entry[2] is None else None for entry in batch
            ]


class Table:
    """Rows of entries, by column. Immutable, so safe to read from any thread."""

    def __init__(
        self,
        rows: Rows,
        ending: str,
        complete: bool,
        errors: List[Error],
        statistics: Dict[str, Any],
    ) -> None:
        self._rows = rows
        self._ending = ending
        self._complete = complete
        self._errors = errors
        self._statistics = statistics

    def __len__(self) -> int:
        return len(self._rows.paths)

    @property
    def columns(self) -> List[str]:
        own = self._rows.values
        return [name for name in _ORDER if name in own or name in _ORDER[:4]]

    @property
    def ending(self) -> str:
        return self._ending

    @property
    def complete(self) -> bool:
        return self._complete

    @property
    def errors(self) -> List[Error]:
        return list(self._errors)

    @property
    def statistics(self) -> Dict[str, Any]:
        return dict(self._statistics)

    @property
    def nbytes(self) -> int:
        """Bytes that the columns hold, roughly: without the interpreter's objects."""
        rows = self._rows
        total = sum(map(len, rows.paths)) + 9 * len(rows.paths)
        return total + sum(_WIDTHS.get(name, 8) * len(rows.paths) for name in rows.values)

    def paths(self) -> List[str]:
        return list(self._rows.paths)

    def path_bytes(self) -> List[bytes]:
        return [os.fsencode(path) for path in self._rows.paths]

    def column(self, name: str) -> List[Any]:
        rows = self._rows
        if name == "path":
            return list(rows.paths)
        if name == "path_bytes":
            return self.path_bytes()
        if name == "type":
            return [FILE_TYPES[code] for code in rows.types]
        if name == "depth":
            return list(rows.depths)
        if name in rows.values:
            return list(rows.values[name])
        raise KeyError(name)

    def rows(self, names: Sequence[str]) -> List[Tuple[Any, ...]]:
        if not names:
            return [()] * len(self)
        return list(zip(*(self.column(name) for name in names)))

    def _arrow_type(self, name: str, arrow: Any) -> Any:
        if name == "path":
            return arrow.string()
        if name in ("path_bytes", "target"):
            return arrow.binary()
        if name == "type":
            return arrow.dictionary(arrow.int8(), arrow.string())
        if name in _TIMES:
            return arrow.timestamp("ns", tz="UTC")
        if name in ("depth", "error"):
            return arrow.int32()
        return arrow.uint32() if name in _WIDTHS else arrow.uint64()

    def _arrow_schema(self, arrow: Any) -> Any:
        fields = [
            arrow.field(name, self._arrow_type(name, arrow), nullable=name not in _ORDER[:4])
            for name in self.columns
        ]
        return arrow.schema(fields)

    def _arrow_array(self, name: str, kind: Any, begin: int, end: int, arrow: Any) -> Any:
        rows = self._rows
        if name == "path":
            return arrow.array(
                [os.fsencode(path).decode("utf-8", "replace") for path in rows.paths[begin:end]],
                kind,
            )
        if name == "path_bytes":
            return arrow.array([os.fsencode(path) for path in rows.paths[begin:end]], kind)
        if name == "type":
            indices = arrow.array(rows.types[begin:end], arrow.int8())
            return arrow.DictionaryArray.from_arrays(indices, arrow.array(FILE_TYPES))
        if name == "depth":
            return arrow.array(rows.depths[begin:end], kind)
        values = rows.values[name][begin:end]
        if name == "target":
            values = [value or None for value in values]  # those that could not be read
        return arrow.array(values, kind)

    def __arrow_c_schema__(self) -> object:
        return self._arrow_schema(_pyarrow()).__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        arrow = _pyarrow()
        schema = self._arrow_schema(arrow)
        step = 65536
        batches = [
            arrow.record_batch(
                [
                    self._arrow_array(field.name, field.type, begin, begin + step, arrow)
                    for field in schema
                ],
                schema=schema,
            )
            for begin in range(0, len(self), step)
        ]
        table = arrow.Table.from_batches(batches, schema=schema)
        return table.__arrow_c_stream__(requested_schema)


def _pyarrow() -> Any:
    try:
        import pyarrow  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise ImportError(
            "the pure Python engine needs pyarrow for Arrow columns; install pyarrow, or a build "
            "of trawl with its native module"
        ) from error
    return pyarrow
