# SPDX-License-Identifier: Apache-2.0
"""list_table(): a tree in the order that a sync tool needs. The orders are those of
trawl/file_list.h."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Iterator, List, Optional, Tuple

from .basics import BTIME, DIRECTORY, FOLLOW_NEVER, CancelToken, Poll, check_options, check_path
from .scan import scan_walk, table_of
from .table import Rows, Table
from .walk import Entry, Node, Walk

if TYPE_CHECKING:
    from .filter import PathFilter

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
