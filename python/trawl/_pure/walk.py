# SPDX-License-Identifier: Apache-2.0
"""The walk of the pure engine: one thread, one directory open at a time.

A `Walk` opens and lists directories, applies the filter, asks for metadata, and counts; in which
order directories are expanded, and what becomes of the entries, is up to its users (table.py,
profile.py, usage.py, streams.py).

Names and paths are `str`, surrogate-escaped as os.fsdecode() has them, so nothing of them is lost.
Directories are opened by their whole path, in steps where that is longer than the system takes;
never through a symbolic link in the last place, unless links are followed.
"""

from __future__ import annotations

import errno
import os
import stat as stat_module
import time
from itertools import islice
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from .basics import (
    ALL_TYPES,
    DIRECTORY,
    FILE,
    FOLLOW_ALL,
    FOLLOW_NEVER,
    NO_DEPTH,
    SYMLINK,
    TYPE_OF_FORMAT,
    UNKNOWN,
    CancelToken,
    Error,
    Poll,
    type_of,
)
from .opening import open_directory

if TYPE_CHECKING:
    from .filter import FilterLevel, FilterRoot, PathFilter

_POLL_INTERVAL = 0.05
_CHUNK = 512  # names listed at a time
_FIRST_CHUNK = 1024  # names among which ignore files are looked for before they are asked for


# One name of a directory, as a plain tuple, for they are many:
#   name, type,
#   metadata, None where it was not asked for or can't be had,
#   errno of a failed stat (of a link that leads nowhere that of its target), or 0,
#   whether type and metadata are those of a link's target,
#   what a link leads to, if asked for,
#   the inode as listed, if asked for.
Entry = Tuple[str, int, Optional[os.stat_result], int, bool, Optional[bytes], int]


class Node:
    """A directory that is to be entered, or was."""

    __slots__ = (
        "path",
        "prefix",
        "name",
        "depth",
        "parent",
        "root",
        "followed",
        "identity",
        "state",
        "error",
        "operation",
        "entry_count",
        "level",
        "filter_root",
        "data",
    )

    def __init__(
        self, name: str, path: str, depth: int, parent: Optional[Node], followed: bool
    ) -> None:
        self.name = name
        self.path = path
        self.prefix = path if path.endswith("/") else path + "/"
        self.depth = depth
        self.parent = parent
        self.root: Node = self if parent is None else parent.root
        self.followed = followed
        self.identity: Optional[Tuple[int, int]] = None
        # "open", "complete", "unreadable", "partially_read", "vanished", "other_device", "cycle",
        # "visited", "cancelled"
        self.state = "open"
        self.error = 0
        self.operation = "open"
        self.entry_count = 0  # names listed, also those that the filter leaves out
        self.level: Optional[FilterLevel] = None if parent is None else parent.level
        self.filter_root: Optional[FilterRoot] = None
        self.data: Any = None

    @property
    def was_entered(self) -> bool:
        return self.state in ("complete", "partially_read", "cancelled")


class Walk:
    """What one walk asks for, and what became of it.

    `stat_types`: bits 1 << type of the entries whose metadata is wanted. `enter_depth`: no
    directory deeper than this is entered; -1: none is.
    """

    def __init__(
        self,
        *,
        stat_types: int = 0,
        enter_depth: Optional[int] = None,
        follow: int = FOLLOW_NEVER,
        visit_once: bool = True,
        one_file_system: bool = False,
        filter: Optional[PathFilter] = None,
        link_targets: bool = False,
        inodes: bool = False,
        timeout: Optional[float] = None,
        cancel: Optional[CancelToken] = None,
        poll: Optional[Poll] = None,
    ) -> None:
        self.stat_types = stat_types
        self.enter_depth = NO_DEPTH if enter_depth is None else enter_depth
        self.follow = follow
        self.visit_once = visit_once
        self.one_file_system = one_file_system
        self.filter = filter
        self.link_targets = link_targets
        self.inodes = inodes
        self.cancel = cancel
        self.poll = poll
        self.started = time.monotonic()
        self.cpu_started = time.thread_time()
        self.deadline = None if timeout is None else self.started + timeout
        self.next_poll = self.started + _POLL_INTERVAL
        self.ending = "complete"
        self.errors: List[Error] = []
        self.entries = 0
        self.directories = 0
        self.vanished = 0
        self.open_calls = 0
        self.stat_calls = 0
        self._part = 1  # names looked at between two looks at the clock
        self._looked = self.started
        self.fd = -1  # of the directory whose batches are being yielded
        self._finished_at: Optional[Tuple[float, float]] = None
        # Directories are asked for their identity when they are entered.
        self._identify = bool(stat_types or one_file_system or follow == FOLLOW_ALL)
        self._entered: Set[Tuple[int, int]] = set()
        self._visited: Set[Tuple[int, int]] = set()
        simple = filter is None and follow != FOLLOW_ALL and not link_targets
        if simple and not stat_types and not inodes:
            self._look: Callable[[int, Node, List[os.DirEntry[str]]], List[Entry]] = self._types
        elif simple and stat_types == ALL_TYPES:
            self._look = self._all_metadata
        else:
            self._look = self._any

    # ---- the end

    def stopping(self) -> bool:
        """True if the walk is to end; calls the caller's poll when it is due."""
        if self.ending != "complete":
            return True
        if self.cancel is not None and self.cancel.cancelled:
            self.ending = "cancelled"
            return True
        now = time.monotonic()
        if self.deadline is not None and now >= self.deadline:
            self.ending = "timed_out"
            return True
        if now >= self.next_poll:
            self.next_poll = now + _POLL_INTERVAL
            if self.poll is not None:
                self.poll(self.entries)
                return self.stopping()
        return False

    def stop(self, ending: str) -> None:
        if self.ending == "complete":
            self.ending = ending

    def finish(self) -> None:
        if self._finished_at is None:
            self._finished_at = (time.monotonic(), time.thread_time())

    @property
    def complete(self) -> bool:
        return self.ending == "complete" and not self.errors

    @property
    def statistics(self) -> Dict[str, Any]:
        end, cpu_end = self._finished_at or (time.monotonic(), time.thread_time())
        return {
            "entries": self.entries,
            "directories": self.directories,
            "errors": len(self.errors),
            "vanished": self.vanished,
            "workers": 1,
            "open_calls": self.open_calls,
            "read_calls": 2 * self.directories,
            "stat_calls": self.stat_calls,
            "close_calls": self.open_calls,
            "steals": 0,
            "stolen_tasks": 0,
            "splits": 0,
            "range_splits": 0,
            "parks": 0,
            "run_nanoseconds": int((end - self.started) * 1e9),
            "cpu_nanoseconds": int((cpu_end - self.cpu_started) * 1e9),
            "most_live_directories": 0,
        }

    def note(self, operation: str, error: OSError, depth: int, path: str) -> None:
        self.errors.append((operation, error.errno or errno.EIO, depth, path))

    # ---- roots

    def root(self, raw: bytes) -> Optional[Entry]:
        """The entry of a root; None if the filter leaves it out. Notes what fails."""
        name = os.fsdecode(raw)
        custom = None if self.filter is None else self.filter.custom
        if custom is not None and custom(name):
            return None
        following = self.follow != FOLLOW_NEVER
        self.stat_calls += 1
        code = 0
        followed = False
        try:
            status = os.stat(raw, follow_symlinks=following)
            followed = following
        except OSError as error:
            found = self._dangling(raw, None, error) if following else None
            if found is None:
                self.note("stat", error, 0, name)
                self.entries += 1
                return (name, UNKNOWN, None, error.errno or errno.EIO, False, None, 0)
            status, code = found, error.errno or errno.ENOENT
        self.entries += 1
        kind = type_of(status)
        target = None
        if self.link_targets and kind == SYMLINK:
            target = self._target(raw, None)
        return (name, kind, status, code, followed, target, status.st_ino)

    def _dangling(
        self, name: bytes, fd: Optional[int], error: OSError
    ) -> Optional[os.stat_result]:
        """The link itself, if it is one that leads nowhere."""
        if error.errno not in (errno.ENOENT, errno.ELOOP):
            return None
        self.stat_calls += 1
        try:
            status = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except OSError:
            return None
        return status if stat_module.S_ISLNK(status.st_mode) else None

    def _target(self, name: bytes, fd: Optional[int]) -> bytes:
        """What a link leads to; empty if that can't be read."""
        self.stat_calls += 1
        try:
            return os.readlink(name, dir_fd=fd)
        except OSError:
            return b""

    def root_node(self, entry: Entry) -> Optional[Node]:
        """Of a root that is to be entered."""
        name, kind, status, error, _, _, _ = entry
        if kind != DIRECTORY or error or self.enter_depth < 0:
            return None
        node = Node(name, name, 0, None, True)
        if status is not None:
            node.identity = (status.st_dev, status.st_ino)
        return node

    def children(self, parent: Node, batch: List[Entry]) -> List[Node]:
        """Of all entries of a batch that are to be entered. Directories without metadata are, too:
        why they can't be is then the error."""
        depth = parent.depth
        if depth >= self.enter_depth:
            return []
        prefix = parent.prefix
        nodes = []
        for name, kind, status, error, followed, _, _ in batch:
            if kind == DIRECTORY and (not error or status is None):
                node = Node(name, prefix + name, depth + 1, parent, followed)
                if status is not None:
                    node.identity = (status.st_dev, status.st_ino)
                nodes.append(node)
        return nodes

    # ---- directories

    def batches(self, node: Node) -> Iterator[List[Entry]]:
        """Enters a directory and yields its entries, some at a time. Afterwards node.state says how
        that went. What vanished, or is left out, is not among them."""
        fd = self._open(node)
        if fd < 0:
            return
        self.fd = fd
        try:
            yield from self._list(node, fd)
        finally:
            self.fd = -1
            os.close(fd)

    def probe(self, node: Node) -> None:
        """Notes the error if a directory can't be entered, and does not list it."""
        fd = self._open(node)
        if fd >= 0:
            node.state = "visited"
            os.close(fd)

    def _open(self, node: Node) -> int:
        self.open_calls += 1
        try:
            fd = open_directory(node.path, node.root.path, node.followed)
        except OSError as error:
            gone = error.errno == errno.ENOENT or (
                error.errno in (errno.ENOTDIR, errno.ELOOP) and not node.followed
            )
            if gone:
                node.state = "vanished"
                self.vanished += 1
            else:
                self._fail(node, "open", error)
            return -1
        if self._identify:
            try:
                if self._may_enter(node, fd):
                    return fd
            except OSError as error:
                self._fail(node, "stat", error)
            os.close(fd)
            return -1
        return fd

    def _fail(self, node: Node, operation: str, error: OSError) -> None:
        node.state = "unreadable"
        node.error = error.errno or errno.EIO
        node.operation = operation
        self.note(operation, error, node.depth, node.path)

    def _may_enter(self, node: Node, fd: int) -> bool:
        self.stat_calls += 1
        status = os.fstat(fd)
        identity = (status.st_dev, status.st_ino)
        node.identity = identity
        root = node.root.identity
        if self.one_file_system and root is not None and identity[0] != root[0]:
            node.state = "other_device"
            return False
        if identity in self._entered:
            if self._has_ancestor(node, identity):
                node.state = "cycle"
                return False
            if self.follow == FOLLOW_ALL and self.visit_once:
                node.state = "visited"
                return False
        else:
            self._entered.add(identity)
        return True

    @staticmethod
    def _has_ancestor(node: Node, identity: Tuple[int, int]) -> bool:
        at = node.parent
        while at is not None:
            if at.identity == identity:
                return True
            at = at.parent
        return False

    def _list(self, node: Node, fd: int) -> Iterator[List[Entry]]:
        try:
            listing = os.scandir(fd)
        except OSError as error:
            self._fail(node, "open", error)
            return
        self.directories += 1
        size = _CHUNK if self.filter is None else _FIRST_CHUNK
        failure: Optional[OSError] = None
        first = True
        with listing:
            while failure is None:
                if self.stopping():
                    node.state = "cancelled"
                    return
                names: List[os.DirEntry[str]] = []
                try:
                    names.extend(islice(listing, size))
                except OSError as error:
                    failure = error
                node.entry_count += len(names)
                if first and self.filter is not None and (names or failure is None):
                    self._begin_filter(node, fd, names, len(names) < size)
                first = False
                is_last = len(names) < size
                size = _CHUNK
                begin = 0
                while begin < len(names):
                    if begin and self.stopping():
                        node.state = "cancelled"
                        return
                    part = names[begin : begin + self._part]
                    self._looked = time.monotonic()
                    batch = self._look(fd, node, part)
                    begin += len(part)
                    self._pace(len(part))
                    self.entries += len(batch)
                    if batch:
                        yield batch
                if is_last:
                    break
        if failure is None:
            node.state = "complete"
        elif failure.errno == errno.ENOENT:
            # Removed while open: nothing can be in it any more.
            node.state = "complete" if node.entry_count else "vanished"
            self.vanished += 1
        else:
            self._fail(node, "read", failure)
            if node.entry_count:
                node.state = "partially_read"

    def _pace(self, count: int) -> None:
        """Chooses how many names to look at until the next look at the clock: some 20 ms' worth."""
        now = time.monotonic()
        taken = (now - self._looked) / count
        fitting = int(0.02 / taken) if taken > 0 else _CHUNK
        self._part = max(1, min(_CHUNK, fitting, 8 * self._part))

    # ---- entries

    def _types(self, fd: int, node: Node, names: List[os.DirEntry[str]]) -> List[Entry]:
        """Names and types only."""
        out: List[Entry] = []
        append = out.append
        for item in names:
            try:
                if item.is_dir(follow_symlinks=False):
                    kind = DIRECTORY
                elif item.is_file(follow_symlinks=False):
                    kind = FILE
                elif item.is_symlink():
                    kind = SYMLINK
                else:
                    kind = type_of(item.stat(follow_symlinks=False))
                    self.stat_calls += 1
            except FileNotFoundError:
                self.vanished += 1
                continue
            except OSError as error:
                self.note("stat", error, node.depth + 1, node.prefix + item.name)
                append((item.name, UNKNOWN, None, error.errno or errno.EIO, False, None, 0))
                continue
            append((item.name, kind, None, 0, False, None, 0))
        return out

    def _all_metadata(self, fd: int, node: Node, names: List[os.DirEntry[str]]) -> List[Entry]:
        """Metadata of all, and nothing else."""
        out: List[Entry] = []
        append = out.append
        types = TYPE_OF_FORMAT
        inodes = self.inodes
        self.stat_calls += len(names)
        for item in names:
            try:
                status = item.stat(follow_symlinks=False)
            except FileNotFoundError:
                self.vanished += 1
                continue
            except OSError as error:
                append(self._failed(node, item, error))
                continue
            kind = types[status.st_mode >> 12]
            inode = item.inode() if inodes else 0
            append((item.name, kind, status, 0, False, None, inode))
        return out

    def _failed(self, node: Node, item: os.DirEntry[str], error: OSError) -> Entry:
        """Of an entry whose metadata can't be had."""
        kind = _listed_type(item)
        code = error.errno or errno.EIO
        if kind != DIRECTORY or node.depth >= self.enter_depth:  # else see children()
            self.note("stat", error, node.depth + 1, node.prefix + item.name)
        return (item.name, kind, None, code, False, None, item.inode() if self.inodes else 0)

    def _any(self, fd: int, node: Node, names: List[os.DirEntry[str]]) -> List[Entry]:
        """With a filter, links to follow, targets, metadata of some."""
        out: List[Entry] = []
        stat_types = self.stat_types
        follow = self.follow == FOLLOW_ALL
        judge = None if self.filter is None else self.filter.judge_of(node)
        for item in names:
            name = item.name
            listed = _listed_type(item)
            if judge is not None:
                open_type = listed == UNKNOWN or (follow and listed == SYMLINK)
                if judge(name, listed == DIRECTORY) and not (
                    open_type and not judge(name, listed != DIRECTORY)
                ):
                    continue
            kind = listed
            status: Optional[os.stat_result] = None
            code = 0
            followed = False
            try:
                if follow and listed in (SYMLINK, UNKNOWN):
                    self.stat_calls += 1
                    status = item.stat(follow_symlinks=False)
                    if stat_module.S_ISLNK(status.st_mode):
                        try:
                            self.stat_calls += 1
                            status = os.stat(name, dir_fd=fd)
                            followed = True
                        except OSError as error:
                            if error.errno not in (errno.ENOENT, errno.ELOOP):
                                raise
                            code = error.errno
                    kind = type_of(status)
                elif stat_types >> listed & 1 or listed == UNKNOWN:
                    self.stat_calls += 1
                    status = item.stat(follow_symlinks=False)
                    kind = type_of(status)
            except FileNotFoundError:
                self.vanished += 1
                continue
            except OSError as error:
                out.append(self._failed(node, item, error))
                continue
            if (
                judge is not None
                and (kind != listed or (follow and listed == SYMLINK))
                and judge(name, kind == DIRECTORY)
            ):
                continue
            target = None
            if self.link_targets and kind == SYMLINK:
                target = self._target(os.fsencode(name), fd)
            inode = item.inode() if self.inodes else 0
            out.append((name, kind, status, code, followed, target, inode))
        return out

    def _begin_filter(
        self, node: Node, fd: int, names: Sequence[os.DirEntry[str]], is_all: bool
    ) -> None:
        filter = self.filter
        assert filter is not None
        if node.parent is None:
            node.filter_root = filter.begin(node.path)
            node.level = node.filter_root.top
        else:
            node.filter_root = node.parent.filter_root
        wanted = filter.wanted
        if is_all:
            found = [item.name for item in names if item.name in wanted]
        else:
            found = list(wanted)
        if found:
            node.level = filter.enter_walked(node, fd, found)


def _listed_type(item: os.DirEntry[str]) -> int:
    """What the listing tells, or, for what is neither file nor directory nor link, a stat."""
    try:
        if item.is_dir(follow_symlinks=False):
            return DIRECTORY
        if item.is_file(follow_symlinks=False):
            return FILE
        if item.is_symlink():
            return SYMLINK
        return type_of(item.stat(follow_symlinks=False))
    except OSError:
        return UNKNOWN
