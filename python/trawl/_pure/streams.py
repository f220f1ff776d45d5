# SPDX-License-Identifier: Apache-2.0
"""TableStream and WalkStream: a walk that goes on as far as somebody pulls, on the thread of who
pulls."""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Deque, Dict, Iterator, List, Optional, Sequence, Tuple

from .basics import (
    ALL_TYPES,
    DIRECTORY,
    FOLLOW_NEVER,
    SYMLINK,
    CancelToken,
    Error,
    check_integer,
    check_options,
    check_path,
)
from .scan import check_roots, scan, scan_walk
from .table import Rows, Table
from .walk import Node, Walk

if TYPE_CHECKING:
    from .filter import PathFilter

_SOON = 0.005  # seconds after which rows are given out though the chunk is not full

Triple = Tuple[str, List[str], List[str]]


class TableStream:
    """Chunks of scan_table()'s rows. Thread-safe."""

    def __init__(
        self,
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
        chunk_rows: int = 1024,
        capacity: int = 65536,
    ) -> None:
        check_options(
            threads=threads,
            max_depth=max_depth,
            min_depth=min_depth,
            follow=follow,
            timeout=timeout,
            fields=fields,
            types=types,
            filter=filter,
            flags=(include_roots, one_file_system, link_targets),
        )
        check_integer(chunk_rows, "chunk_rows", 1)
        check_integer(capacity, "capacity", 1)
        self._fields = fields
        self._link_targets = link_targets
        self._chunk_rows = chunk_rows
        self._cancel = CancelToken()
        self._walk = scan_walk(
            fields=fields,
            max_depth=max_depth,
            follow=follow,
            one_file_system=one_file_system,
            link_targets=link_targets,
            filter=filter,
            timeout=timeout,
            cancel=self._cancel,
            poll=None,
        )
        self._lock = threading.Lock()
        self._finished = False
        self._waiting: Deque[Rows] = deque()
        self._parts = self._run(
            scan(self._walk, check_roots(roots), types, include_roots, min_depth)
        )

    def _rows(self) -> Rows:
        return Rows(self._fields, self._link_targets, self._fields != 0)

    def _run(self, batches: Iterator[Any]) -> Iterator[Optional[Rows]]:
        """Chunks; None in between, as often as a look at the clock is wise."""
        rows = self._rows()
        begin = time.monotonic()
        for found in batches:
            if found is not None:
                prefix, depth, batch = found
                fd = self._walk.fd if self._walk.fd >= 0 else None
                while batch:
                    room = self._chunk_rows - len(rows)
                    rows.add(prefix, depth, batch[:room], fd)
                    batch = batch[room:]
                    if len(rows) == self._chunk_rows:
                        yield rows
                        rows = self._rows()
                        begin = time.monotonic()
            if len(rows) and time.monotonic() - begin >= _SOON:
                yield rows
                rows = self._rows()
                begin = time.monotonic()
            yield None
        if len(rows):
            yield rows

    def _table(self, rows: Rows) -> Table:
        return Table(rows, "complete", True, [], {})

    def next(self, timeout: Optional[float] = None) -> Optional[Table]:
        until = None if timeout is None else time.monotonic() + timeout
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout must be 0 or more, not {timeout!r}")
        if not self._lock.acquire(timeout=-1 if timeout is None else timeout):
            return None
        try:
            while not self._cancel.cancelled:
                if self._waiting:
                    return self._table(self._waiting.popleft())
                if self._finished:
                    return None
                rows = self._step()
                if rows is not None:
                    return self._table(rows)
                if until is not None and not self._finished and time.monotonic() >= until:
                    return None
            self._drop()
            return None
        finally:
            self._lock.release()

    def _step(self) -> Optional[Rows]:
        try:
            return next(self._parts)
        except StopIteration:
            self._finish()
        except BaseException:
            self._walk.stop("stopped")
            self._finish()
            raise
        return None

    def _finish(self) -> None:
        self._finished = True
        self._walk.finish()

    def _drop(self) -> None:
        if not self._finished:
            self._walk.stop("cancelled")
            self._parts.close()  # type: ignore[attr-defined]
            self._finish()
        self._waiting.clear()

    def _to_the_end(self) -> None:
        with self._lock:
            while not self._finished:
                if self._cancel.cancelled:
                    self._drop()
                    return
                rows = self._step()
                if rows is not None:
                    self._waiting.append(rows)

    @property
    def finished(self) -> bool:
        return (self._finished and not self._waiting) or self._cancel.cancelled

    def cancel(self) -> None:
        self._cancel.cancel()

    @property
    def ending(self) -> str:
        self._to_the_end()
        return self._walk.ending

    @property
    def complete(self) -> bool:
        self._to_the_end()
        return self._walk.complete

    @property
    def errors(self) -> List[Error]:
        self._to_the_end()
        return list(self._walk.errors)

    @property
    def statistics(self) -> Dict[str, Any]:
        self._to_the_end()
        return self._walk.statistics


class _Visit:
    """A directory whose triple waits for what is below it."""

    __slots__ = ("triple", "below")

    def __init__(self, triple: Optional[Triple], below: Iterator[Node]) -> None:
        self.triple = triple
        self.below = below


class WalkStream:
    """os.walk()'s triples. One reader at a time."""

    _MOST = 256  # triples given out at once
    _NAMES = 4096

    def __init__(
        self,
        root: bytes,
        *,
        topdown: bool = True,
        follow: int = FOLLOW_NEVER,
        max_depth: Optional[int] = None,
        one_file_system: bool = False,
        filter: Optional[PathFilter] = None,
        threads: int = 0,
        capacity: int = 65536,
    ) -> None:
        check_options(
            threads=threads,
            max_depth=max_depth,
            follow=follow,
            filter=filter,
            flags=(topdown, one_file_system),
        )
        check_integer(capacity, "capacity", 1)
        self._cancel = CancelToken()
        self._walk = Walk(
            enter_depth=max_depth,
            follow=follow,
            visit_once=False,
            one_file_system=one_file_system,
            filter=filter,
            cancel=self._cancel,
        )
        self._errors_given = 0
        self._triples = self._run(check_path(root), topdown)

    def _visit(self, node: Node) -> _Visit:
        directories: List[str] = []
        others: List[str] = []
        below: List[Node] = []
        for batch in self._walk.batches(node):
            for entry in batch:
                kind = entry[1]
                is_directory = kind == DIRECTORY or (kind == SYMLINK and self._leads_to(entry[0]))
                (directories if is_directory else others).append(entry[0])
            below += self._walk.children(node, batch)
        triple = (node.path, directories, others) if node.state == "complete" else None
        return _Visit(triple, iter(below))

    def _leads_to(self, name: str) -> bool:
        """Whether a link of the directory that is being listed leads to a directory."""
        try:
            return stat.S_ISDIR(os.stat(name, dir_fd=self._walk.fd).st_mode)
        except OSError:
            return False

    def _run(self, raw: bytes, topdown: bool) -> Iterator[Triple]:
        walk = self._walk
        if walk.stopping():
            return
        entry = walk.root(raw)
        root = None if entry is None else walk.root_node(entry)
        if root is None:
            if entry is not None and not (entry[3] and entry[2] is None):
                code = entry[3] or errno.ENOTDIR
                walk.errors.append(("stat" if entry[3] else "open", code, 0, entry[0]))
            return
        stack: List[_Visit] = []
        node: Optional[Node] = root
        while node is not None or stack:
            if walk.stopping():
                return
            if node is not None:
                visit = self._visit(node)
                if walk.ending != "complete":
                    return
                if topdown and visit.triple is not None:
                    yield visit.triple
                stack.append(visit)
            node = next(stack[-1].below, None)
            if node is None:
                done = stack.pop()
                if not topdown and done.triple is not None:
                    yield done.triple

    def next(self) -> Optional[List[Triple]]:
        out: List[Triple] = []
        names = 0
        until = time.monotonic() + _SOON
        for triple in self._triples:
            out.append(triple)
            names += len(triple[1]) + len(triple[2]) + 1
            if names >= self._NAMES or len(out) >= self._MOST or time.monotonic() >= until:
                break
        if self._cancel.cancelled:
            self._triples.close()  # type: ignore[attr-defined]
            return None
        return out or None

    def cancel(self) -> None:
        self._cancel.cancel()

    @property
    def errors(self) -> List[Error]:
        errors = self._walk.errors[self._errors_given :]
        self._errors_given += len(errors)
        return errors
