# SPDX-License-Identifier: Apache-2.0
"""Table: entries as columns, and the calls that give one."""

import os
from typing import TYPE_CHECKING, Any, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

from . import _engine
from ._filters import engine_filter
from ._progress import Reporter
from ._types import (
    FileInfo,
    StrPath,
    WalkError,
    check_depth,
    check_directory,
    check_duration,
    check_threads,
    iterate_infos,
    path_bytes,
    raise_root_error,
    walk_errors,
)

if TYPE_CHECKING:
    from typing import Literal

    import pandas  # type: ignore[import-not-found, import-untyped, unused-ignore]
    import polars  # type: ignore[import-not-found, unused-ignore]

    from ._engine import CancelToken, Implementation
    from ._filters import AnyFilter
    from ._progress import Progress

    Order = Literal["component", "bytes", "rsync", "rsync28"]

ORDERS = ("component", "bytes", "rsync", "rsync28")

# What may be asked for, by the names of the columns and of the engine's bits.
_FIELDS = {
    "size": "SIZE",
    "disk_usage": "BLOCKS",
    "mtime": "MTIME",
    "atime": "ATIME",
    "ctime": "CTIME",
    "btime": "BTIME",
    "mode": "MODE",
    "links": "LINKS",
    "uid": "OWNER",
    "gid": "OWNER",
    "owner": "OWNER",
    "device": "IDENTITY",
    "inode": "IDENTITY",
    "identity": "IDENTITY",
}

Fields = Union[str, Iterable[str]]
DEFAULT_FIELDS: Tuple[str, ...] = ("size", "mtime")


class Table:
    """Entries of a tree as columns, in memory that data frames share.

    Columns: ``path`` (text; U+FFFD for what is not UTF-8), ``path_bytes``, ``type``, ``depth``
    (the root has 0), those of metadata that were asked for, ``target`` of links if asked for,
    and ``error`` (errno, where metadata could not be had). Times are nanoseconds, UTC; sizes bytes.

    Whatever reads Arrow C streams takes it as it is: ``polars.DataFrame(table)``,
    ``pyarrow.table(table)``, ``duckdb.sql("from table")`` by way of :meth:`to_arrow`. Immutable,
    thread-safe.
    """

    def __init__(self, table: Any, title: str = "") -> None:
        self._table = table
        self._title = title

    @property
    def columns(self) -> List[str]:
        return list(self._table.columns)

    @property
    def ending(self) -> str:
        """Why the walk ended: "complete" (also with errors), "cancelled", "timed_out"."""
        return str(self._table.ending)

    @property
    def complete(self) -> bool:
        """Whether all was read: the walk came to its end, and without an error."""
        return bool(self._table.complete)

    @property
    def timed_out(self) -> bool:
        return self.ending == "timed_out"

    @property
    def errors(self) -> List[WalkError]:
        """What could not be read."""
        return walk_errors(self._table.errors)

    @property
    def statistics(self) -> "dict[str, Any]":
        """What the walk did: counters of the engine's, of no fixed meaning."""
        return dict(self._table.statistics)

    @property
    def nbytes(self) -> int:
        """Memory that the columns take."""
        return int(self._table.nbytes)

    def paths(self) -> List[str]:
        """Paths as strings, surrogate-escaped as from :func:`os.fsdecode`."""
        found: List[str] = self._table.paths()
        return found

    def path_bytes(self) -> List[bytes]:
        found: List[bytes] = self._table.path_bytes()
        return found

    def column(self, name: str) -> List[Any]:
        """One column as Python objects, None where there is no value; times are integers.

        :raises KeyError: there is none of this name
        """
        self._check(name)
        values: List[Any] = self._table.column(name)
        return values

    def rows(self, *names: str) -> List[Tuple[Any, ...]]:
        """Tuples of these columns; of all, if none is named."""
        for name in names:
            self._check(name)
        values: List[Tuple[Any, ...]] = self._table.rows(names or self.columns)
        return values

    def _check(self, name: str) -> None:
        if name not in self._table.columns:
            raise KeyError(name)

    def __len__(self) -> int:
        return len(self._table)

    def __bool__(self) -> bool:
        return len(self._table) > 0

    def __iter__(self) -> Iterator[FileInfo]:
        return iter(iterate_infos(self._table))

    def __arrow_c_schema__(self) -> object:
        return self._table.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule of the Arrow C stream interface. No copy is made.

        :raises ImportError: with the pure Python engine, if pyarrow is not installed
        """
        return self._table.__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table``; without pyarrow this table, which Arrow's readers take as it is."""
        try:
            import pyarrow  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError:
            return self
        return pyarrow.table(self)

    def to_polars(self) -> "polars.DataFrame":
        """A polars frame that shares the columns' memory.

        :raises ImportError: polars is not installed
        """
        import polars

        return polars.DataFrame(self)

    def to_pandas(self) -> "pandas.DataFrame":
        """A pandas frame; ``type`` is categorical, times are datetimes.

        :raises ImportError: pandas is not installed, or it is older than 3 and pyarrow is not
        """
        import pandas

        if hasattr(pandas.DataFrame, "from_arrow"):
            try:
                return pandas.DataFrame.from_arrow(self)
            except ImportError:  # it wants pyarrow for that
                pass
        else:
            import pyarrow

            return pyarrow.table(self).to_pandas()
        return self._plain_pandas(pandas)

    def _plain_pandas(self, pandas: Any) -> Any:
        data = {}
        for name in self.columns:
            values = self.column(name)
            if name == "path":
                values = [os.fsencode(v).decode("utf-8", "replace") for v in values]
            if name in ("mtime", "atime", "ctime", "btime"):
                data[name] = pandas.to_datetime(pandas.Series(values, dtype="Int64"), utc=True)
            elif name in ("path", "path_bytes", "target"):
                data[name] = pandas.Series(values)
            elif name == "type":
                data[name] = pandas.Series(values, dtype="category")
            else:
                data[name] = pandas.Series(values, dtype="Int64")
        return pandas.DataFrame(data)

    def __copy__(self) -> "Table":
        return self  # it is immutable

    def __deepcopy__(self, memo: object) -> "Table":
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a Table can't be pickled: send its rows(), or to_arrow() with pyarrow")

    def __repr__(self) -> str:
        state = "" if self.complete else f", {_state(self)}"
        return f"<Table: {len(self):,} entries, {', '.join(self.columns)}{state}>"

    def _repr_html_(self) -> str:
        from ._notebook import table_html

        return table_html(self)


def _state(table: Table) -> str:
    if table.ending != "complete":
        return table.ending.replace("_", " ")
    count = len(table._table.errors)
    return f"{count} error" + ("s" if count > 1 else "")


def field_bits(engine: Any, fields: Fields) -> Tuple[int, bool]:
    """For an engine, and whether links' targets are wanted."""
    names = [fields] if isinstance(fields, str) else [*fields]
    bits = 0
    targets = False
    for name in names:
        if name == "all":
            for bit in set(_FIELDS.values()):
                bits |= getattr(engine, bit)
            targets = True
        elif name == "target":
            targets = True
        elif name in _FIELDS:
            bits |= getattr(engine, _FIELDS[name])
        else:
            raise ValueError(
                f"there is no field {name!r}, but: all, target, {', '.join(sorted(_FIELDS))}"
            )
    return bits, targets


def type_bits(engine: Any, types: Union[None, str, Iterable[str]]) -> int:
    known: Sequence[str] = engine.FILE_TYPES
    if types is None:
        return int((1 << len(known)) - 1)
    bits = 0
    for name in [types] if isinstance(types, str) else types:
        if name not in known:
            raise ValueError(f"there is no type {name!r}, but: {', '.join(known)}")
        bits |= 1 << known.index(name)
    return bits


def _roots(root: "Union[StrPath, Iterable[StrPath]]") -> List[bytes]:
    if isinstance(root, (str, bytes, os.PathLike)):
        return [path_bytes(root)]
    found = [path_bytes(each) for each in root]
    if not found:
        raise ValueError("there is no root")
    return found


def scan_table(
    root: "Union[StrPath, Iterable[StrPath]]",
    *,
    fields: Fields = DEFAULT_FIELDS,
    types: Union[None, str, Iterable[str]] = None,
    include_root: bool = False,
    min_depth: int = 0,
    max_depth: Optional[int] = None,
    follow_symlinks: bool = False,
    one_file_system: bool = False,
    path_filter: "Optional[AnyFilter]" = None,
    max_duration: Optional[float] = None,
    threads: Optional[int] = None,
    progress: "Progress" = None,
    cancel: "Optional[CancelToken]" = None,
    implementation: "Optional[Implementation]" = None,
) -> Table:
    """All entries below ``root``, of any type, as columns. The fastest way to scan.

    :param root: a directory, or several; links to them are followed
    :param fields: columns of metadata: "size", "disk_usage", "mtime", "atime", "ctime", "btime",
        "mode", "links", "uid", "gid", "device", "inode", "target", or "all". With ``()``, nothing
        needs to be stat'ed, which is several times faster
    :param types: only entries of these types: "file", "directory", "symlink", "fifo", "socket", …
    :param include_root: a row for each root, too
    :param min_depth, max_depth: of rows; what is directly in a root has depth 1
    :param follow_symlinks: see :func:`scan`
    :param one_file_system: do not enter other filesystems
    :param path_filter, max_duration, progress, cancel: see :func:`scan_sync`
    :param threads: workers, from 1 to 1024; None: as many as pays off
    :raises FileNotFoundError, NotADirectoryError, PermissionError: of a root
    :raises ValueError: arguments out of range
    """
    engine = _engine.select(implementation)
    roots = _roots(root)
    bits, targets = field_bits(engine, fields)
    options = {
        "fields": bits,
        "link_targets": targets,
        "types": type_bits(engine, types),
        "include_roots": bool(include_root),
        "min_depth": check_depth(min_depth, "min_depth") or 0,
        "max_depth": check_depth(max_depth),
        "follow": 2 if follow_symlinks else 1,
        "one_file_system": bool(one_file_system),
        "filter": engine_filter(path_filter, engine, roots),
        "threads": check_threads(threads),
        "timeout": check_duration(max_duration),
        "cancel": _engine.bind(cancel, engine),
    }
    with Reporter(progress, "Scanning") as poll:
        for each in roots:
            check_directory(each)
        table = engine.scan_table(roots, poll=poll, **options)
    for each in roots:
        raise_root_error(each, table.errors)
    return Table(table, os.fsdecode(b", ".join(roots)))


def list_tree(
    root: StrPath,
    order: "Order" = "component",
    *,
    fields: Fields = (),
    include_root: bool = True,
    max_depth: Optional[int] = None,
    follow_symlinks: bool = False,
    one_file_system: bool = False,
    path_filter: "Optional[AnyFilter]" = None,
    max_duration: Optional[float] = None,
    threads: Optional[int] = None,
    progress: "Progress" = None,
    cancel: "Optional[CancelToken]" = None,
    implementation: "Optional[Implementation]" = None,
) -> Table:
    """``trawl.list``: all entries in an order that does not depend on the disk or the workers.

    :param order: "component": as paths are sorted name by name, ``a/b`` before ``a-b``; "bytes":
        as strings of bytes are; "rsync": as rsync sends them (3.x), "rsync28": before that
    :param include_root: the first row is the root

    Else as :func:`scan_table`.
    """
    engine = _engine.select(implementation)
    if order not in ORDERS:
        raise ValueError(f"order must be one of {', '.join(ORDERS)}: {order!r}")
    name = path_bytes(root)
    bits, targets = field_bits(engine, fields)
    options = {
        "order": order,
        "fields": bits,
        "link_targets": targets,
        "include_root": bool(include_root),
        "max_depth": check_depth(max_depth),
        "follow": 2 if follow_symlinks else 1,
        "one_file_system": bool(one_file_system),
        "filter": engine_filter(path_filter, engine, [name]),
        "threads": check_threads(threads),
        "timeout": check_duration(max_duration),
        "cancel": _engine.bind(cancel, engine),
    }
    with Reporter(progress, "Listing") as poll:
        check_directory(name)
        table = engine.list_table(name, poll=poll, **options)
    raise_root_error(name, table.errors)
    return Table(table, os.fsdecode(name))
