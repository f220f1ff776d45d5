# SPDX-License-Identifier: Apache-2.0
"""usage(): what `du` counts. One serial walk in the order of the listings, so a hard-linked file is
charged to the name that comes first there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Sequence, Set, Tuple

from .basics import (
    ALL_TYPES,
    FOLLOW_ALL,
    FOLLOW_NEVER,
    NO_DEPTH,
    CancelToken,
    Identity,
    Poll,
    check_options,
)
from .scan import check_roots
from .walk import Entry, Node, Walk

if TYPE_CHECKING:
    from .filter import PathFilter

_MOST = (1 << 64) - 1  # larger sums stay there
# GNU fts reads large directories in runs, and sorts those by inode where that helps.
_RUN = 100_000
_SORT_ABOVE = 10_000
_UNSORTED = frozenset(("tmpfs", "nfs", "nfs4", "lustre", "cifs", "smb3"))

Line = Tuple[str, int, int, int, int]

class _Frame:
    """A directory that is being gone through."""

    __slots__ = ("node", "items", "children", "disk_usage", "apparent_size", "inodes", "dropped")

    def __init__(self, node: Node, dropped: bool) -> None:
        self.node = node
        self.items: Iterator[Entry] = iter(())
        self.children: Dict[str, Node] = {}
        self.disk_usage = 0
        self.apparent_size = 0
        self.inodes = 0
        self.dropped = dropped  # counted before, with all that is in it


def _apparent_size(status: os.stat_result) -> int:
    return status.st_size if status.st_size > 0 else 0


class _Usage:
    def __init__(
        self,
        walk: Walk,
        roots: Sequence[bytes],
        max_depth: int,
        all_files: bool,
        count_links: bool,
    ) -> None:
        self.walk = walk
        self.roots = roots
        self.max_depth = max_depth
        self.all_files = all_files
        self.count_links = count_links
        # A second way to a file is possible without a second link.
        self.may_repeat = not count_links and (len(roots) > 1 or walk.follow == FOLLOW_ALL)
        self.met: Set[Identity] = set()
        self.lines: List[Line] = []
        self.disk_usage = 0
        self.apparent_size = 0
        self.inodes = 0
        self.repeated_links = 0
        self._types_of_devices: Optional[Dict[int, str]] = None

    def run(self) -> None:
        begin = 0
        identities = [self._identity(root) for root in self.roots] if self.may_repeat else []
        while begin < len(self.roots) and not self.walk.stopping():
            end = len(self.roots)
            if self.may_repeat:
                if identities[begin] in self.met:
                    begin += 1
                    continue
                end = self._end_of_run(begin, identities)
            for root in self.roots[begin:end]:
                if self.walk.stopping():
                    return
                self._root(root)
            begin = end

    def _identity(self, root: bytes) -> Optional[Identity]:
        try:
            status = os.stat(root, follow_symlinks=self.walk.follow != FOLLOW_NEVER)
        except OSError:
            return None
        return (status.st_dev, status.st_ino)

    def _end_of_run(self, begin: int, identities: Sequence[Optional[Identity]]) -> int:
        """Of roots from `begin` on of which none is another, or below another by its path."""
        files: Set[Identity] = set()
        paths: Set[bytes] = set()
        for at in range(begin, len(self.roots)):
            identity = identities[at]
            if identity is not None:
                if identity in files:
                    return at
                files.add(identity)
            parts = [part for part in self.roots[at].split(b"/") if part not in (b"", b".")]
            absolute = self.roots[at].startswith(b"/")
            plain = (b"/" if absolute else b"") + b"".join(part + b"/" for part in parts)
            above = b"/" if absolute else b""
            nested = not absolute and b"" in paths
            for part in parts:
                if absolute and above in paths:
                    nested = True
                above += part + b"/"
                nested = nested or above in paths
            if nested:
                return at
            paths.add(plain)
        return len(self.roots)

    def _root(self, root: bytes) -> None:
        entry = self.walk.root(root)
        if entry is None or entry[3]:
            return
        node = self.walk.root_node(entry)
        if node is None:
            self._file(entry, None, entry[0])
            return
        stack: List[_Frame] = []
        self._enter(stack, node, entry)
        while stack:
            frame = stack[-1]
            for entry in frame.items:
                child = frame.children.get(entry[0])
                if child is not None:
                    if self.walk.ending == "complete":
                        self._enter(stack, child, entry)
                        break
                elif not entry[3]:
                    self._file(entry, frame, frame.node.prefix + entry[0])
            else:
                stack.pop()
                self._leave(stack, frame)

    def _file(self, entry: Entry, frame: Optional[_Frame], path: str) -> None:
        """Anything that is not entered."""
        status = entry[2]
        if status is None or (frame is not None and frame.dropped):
            return
        if frame is not None and self.walk.one_file_system and frame.node.identity is not None:
            if status.st_dev != frame.node.identity[0]:
                return  # mounted on a file
        if not self.count_links and (status.st_nlink > 1 or self.may_repeat):
            identity = (status.st_dev, status.st_ino)
            if identity in self.met:
                self.repeated_links += 1
                return
            self.met.add(identity)
        disk_usage = status.st_blocks * 512
        apparent_size = _apparent_size(status)
        self.disk_usage += disk_usage
        self.apparent_size += apparent_size
        self.inodes += 1
        depth = 0
        if frame is not None:
            frame.disk_usage += disk_usage
            frame.apparent_size += apparent_size
            frame.inodes += 1
            depth = frame.node.depth + 1
        if frame is None or (self.all_files and depth <= self.max_depth):
            self.lines.append((path, depth, disk_usage, apparent_size, 1))

    def _enter(self, stack: List[_Frame], node: Node, entry: Entry) -> None:
        frame = _Frame(node, bool(stack) and stack[-1].dropped)
        items: List[Entry] = []
        was_met = self._was_met(entry)
        if was_met:
            self.walk.probe(node)
        else:
            for batch in self.walk.batches(node):
                items += batch
                for child in self.walk.children(node, batch):
                    frame.children[child.name] = child
        status = entry[2]
        counted = node.was_entered or (node.state == "unreadable" and status is not None)
        if node.state == "vanished" and node.entry_count == 0 and status is not None:
            counted = node.operation == "read"
        if was_met or not counted:
            frame.dropped = True
        elif not frame.dropped and status is not None:
            if self.may_repeat:
                self.met.add((status.st_dev, status.st_ino))
            frame.disk_usage = status.st_blocks * 512
            frame.apparent_size = _apparent_size(status)
            frame.inodes = 1
            self.disk_usage += frame.disk_usage
            self.apparent_size += frame.apparent_size
            self.inodes += 1
        if node.entry_count > _SORT_ABOVE and self._inode_order_helps(node):
            items = _fts_order(items)
        frame.items = iter(items)
        stack.append(frame)

    def _was_met(self, entry: Entry) -> bool:
        """Whether a directory was counted before, so that nothing in it counts."""
        status = entry[2]
        if not self.may_repeat or status is None:
            return False
        return (status.st_dev, status.st_ino) in self.met

    def _leave(self, stack: List[_Frame], frame: _Frame) -> None:
        if frame.dropped:
            return
        node = frame.node
        if stack:
            above = stack[-1]
            above.disk_usage += frame.disk_usage
            above.apparent_size += frame.apparent_size
            above.inodes += frame.inodes
        # As GNU du: none for a directory whose listing broke off, unless files have lines, too.
        has_line = node.state != "partially_read" or self.all_files or node.depth == 0
        if has_line and node.depth <= self.max_depth:
            self.lines.append(
                (
                    node.path,
                    node.depth,
                    min(frame.disk_usage, _MOST),
                    min(frame.apparent_size, _MOST),
                    frame.inodes,
                )
            )

    def _inode_order_helps(self, node: Node) -> bool:
        if self._types_of_devices is None:
            self._types_of_devices = _file_system_types()
        device = -1 if node.identity is None else node.identity[0]
        return self._types_of_devices.get(device, "") not in _UNSORTED


def _fts_order(items: List[Entry]) -> List[Entry]:
    out: List[Entry] = []
    for begin in range(0, len(items), _RUN):
        run = items[begin : begin + _RUN]
        if len(run) > _SORT_ABOVE:
            run.sort(key=lambda entry: entry[6])
        out += run
    return out


def _file_system_types() -> Dict[int, str]:
    types: Dict[int, str] = {}
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            for line in file:
                before, _, after = line.partition(b" - ")
                major, _, minor = before.split()[2].partition(b":")
                device = os.makedev(int(major), int(minor))
                types[device] = after.split()[0].decode("ascii", "replace")
    except (OSError, IndexError, ValueError):
        pass
    return types


def usage(
    roots: Sequence[bytes],
    *,
    max_depth: Optional[int] = None,
    all_files: bool = False,
    count_links: bool = False,
    follow: int = FOLLOW_NEVER,
    one_file_system: bool = False,
    filter: Optional[PathFilter] = None,
    threads: int = 0,
    timeout: Optional[float] = None,
    cancel: Optional[CancelToken] = None,
    poll: Optional[Poll] = None,
) -> Dict[str, Any]:
    check_options(
        threads=threads,
        max_depth=max_depth,
        follow=follow,
        timeout=timeout,
        filter=filter,
        cancel=cancel,
        poll=poll,
        flags=(all_files, count_links, one_file_system),
    )
    walk = Walk(
        stat_types=ALL_TYPES,
        follow=follow,
        visit_once=not count_links,
        one_file_system=one_file_system,
        filter=filter,
        inodes=True,
        timeout=timeout,
        cancel=cancel,
        poll=poll,
    )
    work = _Usage(
        walk,
        check_roots(roots),
        NO_DEPTH if max_depth is None else max_depth,
        all_files,
        count_links,
    )
    work.run()
    walk.finish()
    return {
        "lines": work.lines,
        "disk_usage": min(work.disk_usage, _MOST),
        "apparent_size": min(work.apparent_size, _MOST),
        "inodes": work.inodes,
        "repeated_links": work.repeated_links,
        "ending": walk.ending,
        "complete": walk.complete,
        "errors": list(walk.errors),
        "statistics": walk.statistics,
    }
