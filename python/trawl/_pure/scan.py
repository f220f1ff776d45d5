# SPDX-License-Identifier: Apache-2.0
"""scan_table() and stat_table(): tables of what a walk finds, and of paths that the caller has."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Iterator, List, Optional, Sequence, Tuple

from .basics import (
    ALL_TYPES,
    DIRECTORY,
    FOLLOW_NEVER,
    UNKNOWN,
    CancelToken,
    Poll,
    check_options,
    check_path,
    type_of,
)
from .opening import open_in_steps
from .table import Rows, Table
from .walk import Entry, Node, Walk

if TYPE_CHECKING:
    from .filter import PathFilter

_LONG_PATH = 4000  # bytes, as the system takes them in any case


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


# ---- paths that the caller has


def _stat(path: bytes, follow: bool) -> Tuple[os.stat_result, Optional[int], bytes]:
    """With the descriptor, if any, that the last part of the path is relative to."""
    if len(path) < _LONG_PATH:
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


