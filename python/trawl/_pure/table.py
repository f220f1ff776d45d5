# SPDX-License-Identifier: Apache-2.0
"""Entries as columns: scan_table(), list_table(), stat_table(), and the `Table` that they give."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from .walk import (
    ALL_TYPES,
    ATIME,
    BLOCKS,
    BTIME,
    CTIME,
    DIRECTORY,
    FILE_TYPES,
    FOLLOW_NEVER,
    IDENTITY,
    LINKS,
    MODE,
    MTIME,
    OWNER,
    SIZE,
    UNKNOWN,
    CancelToken,
    Entry,
    Error,
    Node,
    Poll,
    Walk,
    birth_time,
    check_options,
    check_path,
    open_in_steps,
    type_of,
)

if TYPE_CHECKING:
    from .filter import PathFilter

_LONG_PATH = 4096
_MOST_UNSIGNED = (1 << 64) - 1

_Getter = Callable[[os.stat_result], Optional[int]]


def _birth_time(entry: Entry, fd: Optional[int]) -> Optional[int]:
    time = birth_time(os.fsencode(entry[0]), fd, entry[4])
    return None if time is None else _within(time)


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
        import pyarrow
    except ImportError as error:
        raise ImportError(
            "the pure Python engine needs pyarrow for Arrow columns; install pyarrow, or a build "
            "of trawl with its native module"
        ) from error
    return pyarrow


def check_roots(roots: Sequence[bytes]) -> List[bytes]:
    if isinstance(roots, (bytes, str)):
        raise TypeError("roots must be a sequence of bytes")
    return [check_path(root) for root in roots]


Batch = Tuple[str, int, List[Entry]]  # prefix of the paths, depth, entries


def scan(
    walk: Walk,
    roots: Sequence[bytes],
    types: int,
    include_roots: bool,
    min_depth: int,
) -> Iterator[Optional[Batch]]:
    """The rows of scan_table(), as they are found: depth first, in the order of the listings. None
    where a directory is done: a good time to look at something else."""
    for raw in roots:
        if walk.stopping():
            return
        entry = walk.root(raw)
        yield None
        if entry is None:
            continue
        is_directory = entry[1] == DIRECTORY
        has_row = types >> entry[1] & 1 and min_depth <= 0 and (include_roots or not is_directory)
        if has_row and (entry[2] is not None or entry[3]):
            yield ("", 0, [entry])
        root = walk.root_node(entry)
        stack = [] if root is None else [root]
        while stack:
            node = stack.pop()
            depth = node.depth + 1
            found: List[Node] = []
            for batch in walk.batches(node):
                found += walk.children(node, batch)
                if depth < min_depth:
                    continue
                if types != ALL_TYPES:
                    batch = [entry for entry in batch if types >> entry[1] & 1]
                if batch:
                    yield (node.prefix, depth, batch)
            if walk.ending != "complete":
                return
            yield None
            found.reverse()
            stack += found


def scan_walk(
    *,
    fields: int,
    max_depth: Optional[int],
    follow: int,
    one_file_system: bool,
    link_targets: bool,
    filter: Optional[PathFilter],
    timeout: Optional[float],
    cancel: Optional[CancelToken],
    poll: Optional[Poll],
) -> Walk:
    return Walk(
        stat_types=ALL_TYPES if fields else 0,
        enter_depth=None if max_depth is None else max_depth - 1,
        follow=follow,
        one_file_system=one_file_system,
        link_targets=link_targets,
        filter=filter,
        timeout=timeout,
        cancel=cancel,
        poll=poll,
    )


def scan_table(
    roots: Sequence[bytes],
    *,
    fields: int = 0,
    types: int = ALL_TYPES,
    include_roots: bool = True,
    min_depth: int = 0,
    max_depth: Optional[int] = None,
    follow: int = FOLLOW_NEVER,
    one_file_system: bool = False,
    link_targets: bool = False,
    filter: Optional[PathFilter] = None,
    threads: int = 0,
    timeout: Optional[float] = None,
    cancel: Optional[CancelToken] = None,
    poll: Optional[Poll] = None,
) -> Table:
    check_options(
        threads=threads,
        max_depth=max_depth,
        min_depth=min_depth,
        follow=follow,
        timeout=timeout,
        fields=fields,
        types=types,
        filter=filter,
        cancel=cancel,
        poll=poll,
        flags=(include_roots, one_file_system, link_targets),
    )
    checked = check_roots(roots)
    walk = scan_walk(
        fields=fields,
        max_depth=max_depth,
        follow=follow,
        one_file_system=one_file_system,
        link_targets=link_targets,
        filter=filter,
        timeout=timeout,
        cancel=cancel,
        poll=poll,
    )
    rows = Rows(fields, link_targets, fields != 0)
    for batch in scan(walk, checked, types, include_roots, min_depth):
        if batch is not None:
            rows.add(*batch, walk.fd if walk.fd >= 0 else None)
    return table_of(rows, walk)


def table_of(rows: Rows, walk: Walk) -> Table:
    walk.finish()
    return Table(rows, walk.ending, walk.complete, walk.errors, walk.statistics)


# ---- lists

ORDERS = ("component", "bytes", "rsync", "rsync28")

# What is to be done with a directory's entries, in order: a row, or what is below.
_Step = Tuple[bytes, Optional[Entry], Optional[Node]]


def _steps(
    order: str, entries: List[Tuple[Entry, Optional[Node]]], is_root: bool
) -> List[_Step]:
    encode = os.fsencode
    steps: List[_Step] = []
    if order == "component":
        for entry, node in entries:
            steps.append((encode(entry[0]), entry, node))
        steps.sort(key=_key)
    elif order == "rsync":
        last: List[_Step] = []
        for entry, node in entries:
            if entry[1] == DIRECTORY:
                last.append((encode(entry[0]) + b"/", entry, node))
            else:
                steps.append((encode(entry[0]), entry, None))
        steps.sort(key=_key)
        last.sort(key=_key)
        steps += last
    else:
        for entry, node in entries:
            name = encode(entry[0])
            steps.append((name, entry, None))
            if node is not None:
                steps.append((name + b"/", None, node))
        if order == "rsync28" and is_root:
            steps.append((b".", None, None))  # the root's place
        steps.sort(key=_key)
    return steps


def _key(step: _Step) -> bytes:
    return step[0]


class _List:
    """Rows of list_table(). Each directory is listed, and its entries put in order, when its turn
    comes; so with follow=2 it is entered by the path that comes first."""

    def __init__(self, walk: Walk, rows: Rows, order: str, births: bool) -> None:
        self.walk = walk
        self.rows = rows
        self.order = order
        self.births = births

    def add(self, prefix: str, depth: int, entry: Entry, node: Optional[Node]) -> None:
        fd = None
        if self.births and node is not None:
            # The directory that it is in was closed when its listing was complete.
            try:
                fd = os.open(os.fsencode(node.path), os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
            except OSError:
                fd = None
        try:
            self.rows.add(prefix, depth, (entry,), fd)
        finally:
            if fd is not None:
                os.close(fd)

    def run(self, root: bytes, include_root: bool) -> None:
        walk = self.walk
        if walk.stopping():
            return
        entry = walk.root(root)
        if entry is None or (entry[3] and entry[2] is None):
            return
        node = walk.root_node(entry)
        has_row = include_root or entry[1] != DIRECTORY
        if node is None:
            if has_row:
                self.add("", 0, entry, None)
            return
        at_dot = self.order == "rsync28"
        if has_row and not at_dot:
            self.add("", 0, entry, None)
        frames: List[Tuple[Node, Iterator[_Step]]] = [(node, iter(self.list(node)))]
        while frames:
            parent, steps = frames[-1]
            for _, found, below in steps:
                if found is not None:
                    self.add(parent.prefix, parent.depth + 1, found, parent)
                elif below is None and has_row:
                    self.add("", 0, entry, None)
                if below is not None and walk.ending == "complete":
                    frames.append((below, iter(self.list(below))))
                    break
            else:
                frames.pop()

    def list(self, node: Node) -> List[_Step]:
        walk = self.walk
        found: List[Tuple[Entry, Optional[Node]]] = []
        for batch in walk.batches(node):
            nodes = {child.name: child for child in walk.children(node, batch)}
            found += [
                (entry, nodes.get(entry[0]) if entry[1] == DIRECTORY else None)
                for entry in batch
                if entry[2] is not None or not entry[3]
            ]
            for entry in batch:
                if entry[3] and entry[2] is None and entry[0] in nodes:
                    for _ in walk.batches(nodes[entry[0]]):  # why it can't be entered is the error
                        pass
        return _steps(self.order, found, node.parent is None)


def list_table(
    root: bytes,
    *,
    order: str = "component",
    fields: int = 0,
    include_root: bool = True,
    max_depth: Optional[int] = None,
    follow: int = FOLLOW_NEVER,
    one_file_system: bool = False,
    link_targets: bool = False,
    filter: Optional[PathFilter] = None,
    threads: int = 0,
    timeout: Optional[float] = None,
    cancel: Optional[CancelToken] = None,
    poll: Optional[Poll] = None,
) -> Table:
    check_options(
        threads=threads,
        max_depth=max_depth,
        follow=follow,
        timeout=timeout,
        fields=fields,
        filter=filter,
        cancel=cancel,
        poll=poll,
        flags=(include_root, one_file_system, link_targets),
    )
    if order not in ORDERS:
        raise ValueError(f"order must be one of {', '.join(ORDERS)}")
    walk = scan_walk(
        fields=fields,
        max_depth=max_depth,
        follow=follow,
        one_file_system=one_file_system,
        link_targets=link_targets,
        filter=filter,
        timeout=timeout,
        cancel=cancel,
        poll=poll,
    )
    rows = Rows(fields, link_targets, fields != 0)
    _List(walk, rows, order, bool(fields & BTIME)).run(check_path(root), include_root)
    walk.errors.sort(key=lambda error: os.fsencode(error[3]))
    return table_of(rows, walk)


# ---- paths that the caller has


def _stat(path: bytes, follow: bool) -> Tuple[os.stat_result, Optional[int], bytes]:
    """With the descriptor, if any, that the last part of the path is relative to."""
    if len(path) < _LONG_PATH - 96:
        return os.stat(path, follow_symlinks=follow), None, path
    head, _, tail = path.rstrip(b"/").rpartition(b"/")
    if path.endswith(b"/"):
        tail += b"/"
    fd = open_in_steps(head + b"/", 1, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        return os.stat(tail, dir_fd=fd, follow_symlinks=follow), fd, tail
    except OSError:
        os.close(fd)
        raise


def stat_table(
    paths: Sequence[bytes],
    *,
    fields: int = 0,
    follow: bool = False,
    threads: int = 0,
) -> Table:
    check_options(threads=threads, fields=fields, flags=(follow,))
    checked = check_roots(paths)
    rows = Rows(fields, False, True)
    for path in checked:
        name = os.fsdecode(path)
        fd: Optional[int] = None
        tail = path
        entry: Entry
        try:
            status, fd, tail = _stat(path, follow)
            entry = (name, type_of(status), status, 0, follow, None, 0)
        except OSError as error:
            entry = (name, UNKNOWN, None, error.errno or errno.EIO, follow, None, 0)
        if fd is None:
            rows.add("", 0, (entry,), None)
        else:
            try:
                rows.add("", 0, ((os.fsdecode(tail),) + entry[1:],), fd)  # type: ignore[arg-type]
            finally:
                os.close(fd)
            rows.paths[-1] = name
    return table_of(rows, Walk())


