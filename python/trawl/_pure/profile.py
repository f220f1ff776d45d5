# SPDX-License-Identifier: Apache-2.0
"""profile(): the figures of docs/profile.md. Always exact: what the native engine keeps in bounded
tables, this keeps in dictionaries, whatever `exact` and `capacity` say."""

from __future__ import annotations

import errno
import heapq
import os
import time
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Optional, Set, Tuple

from .basics import (
    DIRECTORY,
    FILE,
    FILE_TYPES,
    FOLLOW_ALL,
    FOLLOW_NEVER,
    CancelToken,
    Identity,
    Poll,
    check_integer,
    check_options,
    check_path,
)
from .walk import Entry, Node, Walk

if TYPE_CHECKING:
    from .filter import PathFilter

NO_EXTENSION = "<no extension>"
_DAY = 86_400
# Ages below these seconds, in turn; the first is for times in the future.
AGE_LIMITS = (
    0,
    3600,
    _DAY,
    7 * _DAY,
    30 * _DAY,
    90 * _DAY,
    365 * _DAY,
    2 * 365 * _DAY,
    5 * 365 * _DAY,
    10 * 365 * _DAY,
)
_BILLION = 1_000_000_000
_DUPLICATE_PATHS = 4
_MOST_TREE_LEVELS = 200
_MOST_NOW = 9e9  # nanoseconds in 64 bits


class _Folder:
    """A folder's own files, and with a tree the sums of what is below it."""

    __slots__ = ("node", "files", "bytes", "all_files", "all_bytes", "folders")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.files = 0
        self.bytes = 0
        self.all_files = 0
        self.all_bytes = 0
        self.folders = 0


class _Top:
    """The `limit` first of what is offered, by figure, then by path. Candidates are gathered, and
    cut back when there are many: sorting is quicker than a heap of Python objects."""

    def __init__(self, limit: int, largest: bool) -> None:
        self.limit = limit
        self.sign = -1 if largest else 1
        self.most = max(4 * limit, 1024)
        self.items: List[Tuple[int, str, int, int]] = []  # signed figure, path, size, mtime
        self.bar: Optional[int] = None  # beyond it nothing is among the first

    def add(self, figure: int, path: str, size: int, mtime: int) -> None:
        key = self.sign * figure
        if self.bar is not None and key > self.bar:
            return
        self.items.append((key, path, size, mtime))
        if len(self.items) >= self.most:
            self._cut()

    def _cut(self) -> None:
        self.items.sort(key=lambda item: (item[0], os.fsencode(item[1])))
        del self.items[self.limit :]
        if len(self.items) == self.limit:
            self.bar = self.items[-1][0]

    def result(self) -> List[Dict[str, Any]]:
        self._cut()
        return [
            {"path": path, "size": size, "mtime": _time(mtime)}
            for _, path, size, mtime in self.items
        ]


def _time(nanoseconds: int) -> Dict[str, int]:
    seconds, rest = divmod(nanoseconds, _BILLION)
    return {"seconds": seconds, "nanoseconds": rest}


def extension_of(name: str) -> str:
    """With its dot, in lower case; "" if there is none."""
    dot = name.rfind(".")
    if dot <= 0 or dot + 1 == len(name):
        return ""
    return name[dot:].lower()


def _by_count(items: Iterable[Tuple[Any, Any]], top: int, files: Any) -> List[Tuple[Any, Any]]:
    """The `top` with most files, equal ones by the key's bytes (or number)."""

    def key(item: Tuple[Any, Any]) -> Tuple[int, Any]:
        name = item[0]
        return (-files(item[1]), os.fsencode(name) if isinstance(name, str) else name)

    return heapq.nsmallest(top, items, key=key)


class _Profile:
    def __init__(
        self, walk: Walk, now: int, max_depth: Optional[int], top: int, tree_folders: int
    ) -> None:
        self.walk = walk
        self.now = now
        self.max_depth = max_depth
        self.tree_folders = tree_folders
        self.files = self.bytes = self.disk_usage = 0
        self.types = [0] * len(FILE_TYPES)
        self.folders_by_depth: List[int] = []
        self.empty: List[str] = []
        self.fullest: List[Tuple[str, int]] = []
        self.folder_names: Dict[str, int] = {}
        self.extensions: Dict[str, List[int]] = {}  # files, bytes, disk usage
        self.owners: Dict[int, List[int]] = {}
        self.groups: Dict[int, List[int]] = {}
        self.sizes: List[List[int]] = [[0, 0] for _ in range(65)]
        self.modified = [[0, 0] for _ in range(len(AGE_LIMITS) + 1)]
        self.accessed = [[0, 0] for _ in range(len(AGE_LIMITS) + 1)]
        # Of an age: the first of these times, falling, that it is later than.
        self.age_limits = [now - limit * _BILLION for limit in AGE_LIMITS]
        self.largest = _Top(top, True)
        self.oldest = _Top(top, False)
        self.newest = _Top(top, True)
        self.linked_names = self.linked_files = 0
        self.repeated_bytes = self.repeated_disk_usage = 0
        self.linked: Set[Identity] = set()
        self.sparse_files = self.sparse_bytes = 0
        # By name and size: paths, with the identity of those that may come again.
        self.same: Dict[Tuple[str, int], List[Tuple[str, Optional[Identity]]]] = {}
        self.folders: List[_Folder] = []  # for the tree
        # Extensions by name as it is behind the last dot, not yet in lower case.
        self._lower: Dict[str, List[int]] = {"": [0, 0, 0]}

    def run(self, root: Node) -> None:
        walk = self.walk
        stack = [root]
        while stack:
            node = stack.pop()
            folder = _Folder(node)
            found: List[Node] = []
            for batch in walk.batches(node):
                self._batch(folder, batch)
                found += walk.children(node, batch)
            if walk.stopping() and node.state == "open":
                return
            if node.was_entered or node.state == "unreadable":
                self._folder(folder)
            if walk.ending != "complete":
                return
            found.reverse()
            stack += found

    def _batch(self, folder: _Folder, batch: List[Entry]) -> None:
        types = self.types
        prefix = folder.node.prefix
        add_file = self._file
        for name, kind, status, _, _, _, _ in batch:
            if kind == FILE:
                folder.files += 1
                dot = name.rfind(".")
                suffix = name[dot:] if 0 < dot < len(name) - 1 else ""
                try:
                    extension = self._lower[suffix]
                except KeyError:
                    extension = self._extension(suffix)
                extension[0] += 1
                if status is not None:
                    folder.bytes += add_file(prefix, name, status, extension)
            elif kind != DIRECTORY:
                types[kind] += 1

    def _extension(self, suffix: str) -> List[int]:
        lower = suffix.lower()
        count = self.extensions.setdefault(lower, [0, 0, 0])
        self._lower[suffix] = count
        return count

    def _file(
        self, prefix: str, name: str, status: os.stat_result, extension: List[int]
    ) -> int:
        size = status.st_size
        if size < 0:
            size = 0
        disk_usage = status.st_blocks * 512
        self.disk_usage += disk_usage
        extension[1] += size
        extension[2] += disk_usage
        bucket = self.sizes[size.bit_length()]
        bucket[0] += 1
        bucket[1] += size
        if disk_usage < size:
            self.sparse_files += 1
            self.sparse_bytes += size - disk_usage
        mtime = status.st_mtime_ns
        limits = self.age_limits
        for buckets, when in ((self.modified, mtime), (self.accessed, status.st_atime_ns)):
            at = 0
            for limit in limits:
                if when > limit:
                    break
                at += 1
            bucket = buckets[at]
            bucket[0] += 1
            bucket[1] += size
        for table, key in ((self.owners, status.st_uid), (self.groups, status.st_gid)):
            count = table.get(key)
            if count is None:
                table[key] = [1, size]
            else:
                count[0] += 1
                count[1] += size
        path = prefix + name
        self.largest.add(size, path, size, mtime)
        self.oldest.add(mtime, path, size, mtime)
        self.newest.add(mtime, path, size, mtime)
        identity: Optional[Identity] = None
        if status.st_nlink > 1:
            identity = (status.st_dev, status.st_ino)
            self.linked_names += 1
            if identity in self.linked:
                self.repeated_bytes += size
                self.repeated_disk_usage += disk_usage
            else:
                self.linked.add(identity)
                self.linked_files += 1
        elif self.walk.follow == FOLLOW_ALL:
            identity = (status.st_dev, status.st_ino)
        if size:
            known = self.same.get((name, size))
            if known is None:
                self.same[(name, size)] = [(path, identity)]
            else:
                known.append((path, identity))
        return size

    def _folder(self, folder: _Folder) -> None:
        node = folder.node
        depth = node.depth
        self.types[FILE] += folder.files
        self.types[DIRECTORY] += 1
        self.files += folder.files
        self.bytes += folder.bytes
        if depth >= len(self.folders_by_depth):
            self.folders_by_depth += [0] * (depth + 1 - len(self.folders_by_depth))
        self.folders_by_depth[depth] += 1
        if depth:
            self.folder_names[node.name] = self.folder_names.get(node.name, 0) + 1
        if node.state == "complete" and node.entry_count == 0:
            self.empty.append(node.path)
        if folder.files:
            self.fullest.append((node.path, folder.files))
        if self.tree_folders:
            node.data = folder
            self.folders.append(folder)

    # ---- results

    def duplicates(self, top: int, exact: bool) -> Dict[str, Any]:
        groups = wasted = 0
        candidates: List[Tuple[int, bytes, int, Dict[str, Any]]] = []
        for (name, size), found in self.same.items():
            if len(found) < 2:
                continue
            # A file with several names counts once, by the first of its paths.
            paths = sorted(found, key=lambda item: os.fsencode(item[0]))
            seen: Set[Identity] = set()
            kept: List[str] = []
            for path, identity in paths:
                if identity is not None:
                    if identity in seen:
                        continue
                    seen.add(identity)
                kept.append(path)
            if len(kept) < 2:
                continue
            groups += 1
            more = (len(kept) - 1) * size
            wasted += more
            candidates.append(
                (
                    -more,
                    os.fsencode(name),
                    size,
                    {
                        "name": name,
                        "size": size,
                        "files": len(kept),
                        "wasted_bytes": more,
                        "paths": kept if exact else kept[:_DUPLICATE_PATHS],
                    },
                )
            )
        first = heapq.nsmallest(top, candidates, key=lambda item: item[:3])
        return {
            "groups": groups,
            "wasted_bytes": wasted,
            "from_size": 1,
            "candidates": [item[3] for item in first],
        }

    def tree(self) -> Optional[Dict[str, Any]]:
        if not self.folders:
            return None
        for folder in reversed(self.folders):  # what is below a folder comes behind it
            folder.all_files += folder.files
            folder.all_bytes += folder.bytes
            above = folder.node.parent
            if above is not None and isinstance(above.data, _Folder):
                above.data.all_files += folder.all_files
                above.data.all_bytes += folder.all_bytes
                above.data.folders += folder.folders + 1
        kept = heapq.nsmallest(
            self.tree_folders,
            self.folders,
            key=lambda folder: (-folder.all_bytes, os.fsencode(folder.node.path)),
        )
        made: Dict[int, Dict[str, Any]] = {}
        for folder in kept:  # a parent comes first: it has no fewer bytes, and the shorter path
            item: Dict[str, Any] = {
                "name": folder.node.name,
                "bytes": folder.all_bytes,
                "files": folder.all_files,
                "own_bytes": folder.bytes,
                "own_files": folder.files,
                "folders": folder.folders,
                "children": [],
            }
            made[id(folder.node)] = item
            above = folder.node.parent
            if above is not None and folder.node.depth <= _MOST_TREE_LEVELS:
                made[id(above)]["children"].append(item)
        for item in made.values():
            item["children"].sort(key=lambda child: (-child["bytes"], os.fsencode(child["name"])))
        return made[id(kept[0].node)]

    def extension_items(self) -> List[Tuple[str, List[int]]]:
        items = list(self.extensions.items())
        if self._lower[""][0]:
            items.append(("", self._lower[""]))
        return items


def profile(
    root: bytes,
    *,
    top: int = 20,
    top_folders: int = 10,
    max_depth: Optional[int] = None,
    exact: bool = False,
    capacity: int = 65536,
    max_empty_folders: int = 100000,
    tree_folders: int = 0,
    now: Optional[float] = None,
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
        flags=(exact, one_file_system),
    )
    check_integer(top, "top", 1)
    check_integer(top_folders, "top_folders", 1)
    check_integer(capacity, "capacity", top)
    check_integer(max_empty_folders, "max_empty_folders", 0)
    check_integer(tree_folders, "tree_folders", 0)
    if now is not None and not abs(now) < _MOST_NOW:
        raise ValueError("now must be seconds since the epoch, within 285 years")
    path = check_path(root)
    walk = Walk(
        stat_types=1 << FILE,
        enter_depth=max_depth,
        follow=follow,
        one_file_system=one_file_system,
        filter=filter,
        timeout=timeout,
        cancel=cancel,
        poll=poll,
    )
    taken_at = time.time_ns() if now is None else round(now * _BILLION)
    work = _Profile(walk, taken_at, max_depth, top, tree_folders)
    if not walk.stopping():
        entry = walk.root(path)
        node = None if entry is None else walk.root_node(entry)
        if node is not None:
            work.run(node)
        elif entry is not None and not (entry[3] and entry[2] is None):
            missing = OSError(entry[3] or errno.ENOTDIR, "")
            walk.note("open", missing, 0, os.fsdecode(path))
    walk.finish()
    return _result(work, top, top_folders, exact, max_empty_folders)


def _result(
    work: _Profile, top: int, top_folders: int, exact: bool, max_empty_folders: int
) -> Dict[str, Any]:
    walk = work.walk
    folders = sum(work.folders_by_depth)
    extensions = _by_count(work.extension_items(), top, lambda count: count[0])
    folder_names = _by_count(work.folder_names.items(), top, lambda count: count)
    fullest = heapq.nsmallest(
        top_folders, work.fullest, key=lambda item: (-item[1], os.fsencode(item[0]))
    )
    empty = heapq.nsmallest(
        len(work.empty) if exact else max_empty_folders, work.empty, key=os.fsencode
    )
    out: Dict[str, Any] = {
        "complete": walk.complete,
        "ending": walk.ending,
        "errors": list(walk.errors),
        "statistics": walk.statistics,
        "summary": {
            "total_files": work.files,
            "total_folders": folders,
            "total_size_bytes": work.bytes,
            "total_size_mb": round(work.bytes / (1 << 20), 2),
            "avg_files_per_folder": round(work.files / max(folders, 1), 2),
            "max_depth": max(len(work.folders_by_depth) - 1, 0),
            "empty_folder_count": len(work.empty),
            "total_disk_usage_bytes": work.disk_usage,
            "total_links": work.types[FILE_TYPES.index("symlink")],
        },
        "file_extensions": {name or NO_EXTENSION: count[0] for name, count in extensions},
        "common_folder_names": dict(folder_names),
        "empty_folders": empty,
        "top_folders_by_file_count": fullest,
        "depth_distribution": dict(enumerate(work.folders_by_depth)),
        "extensions": [
            {"extension": name, "files": count[0], "bytes": count[1], "disk_usage": count[2]}
            for name, count in extensions
        ],
        "folder_names": [{"name": name, "folders": count} for name, count in folder_names],
        "file_types": {name: work.types[code] for code, name in _TYPES_IN_ORDER},
        "size_histogram": _size_histogram(work.sizes),
        "modified_histogram": _age_histogram(work.modified),
        "accessed_histogram": _age_histogram(work.accessed),
        "largest_files": work.largest.result(),
        "oldest_files": work.oldest.result(),
        "newest_files": work.newest.result(),
        "owners": _owners("uid", work.owners, top),
        "groups": _owners("gid", work.groups, top),
        "hard_links": {
            "names": work.linked_names,
            "files": work.linked_files,
            "repeated_bytes": work.repeated_bytes,
            "repeated_disk_usage": work.repeated_disk_usage,
        },
        "sparse": {"files": work.sparse_files, "bytes": work.sparse_bytes},
        "duplicates": work.duplicates(top, exact),
        "approximate": [],
        "now": work.now / _BILLION,
    }
    if work.tree_folders:
        tree = work.tree()
        if tree is not None:
            out["tree"] = tree
    return out


_TYPES_IN_ORDER = [(code, name) for code, name in enumerate(FILE_TYPES) if code] + [(0, "unknown")]


def _owners(key: str, table: Dict[int, List[int]], top: int) -> List[Dict[str, int]]:
    return [
        {key: number, "files": count[0], "bytes": count[1]}
        for number, count in _by_count(table.items(), top, lambda count: count[0])
    ]


def _size_histogram(sizes: List[List[int]]) -> List[Dict[str, int]]:
    last = max((at for at, count in enumerate(sizes) if count[0]), default=-1)
    return [
        {
            "from": 0 if at == 0 else 1 << (at - 1),
            "to": 0 if at == 0 else (1 << at) - 1,
            "files": sizes[at][0],
            "bytes": sizes[at][1],
        }
        for at in range(last + 1)
    ]


def _age_histogram(ages: List[List[int]]) -> List[Dict[str, Optional[int]]]:
    return [
        {
            "from": None if at == 0 else AGE_LIMITS[at - 1],
            "below": None if at == len(AGE_LIMITS) else AGE_LIMITS[at],
            "files": count[0],
            "bytes": count[1],
        }
        for at, count in enumerate(ages)
    ]
