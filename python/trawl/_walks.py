# SPDX-License-Identifier: Apache-2.0
"""walk: os.walk's triples, while the engine runs ahead. scantree: os.scandir's entries of a tree.

The engine gives a directory before what is in it, but does not wait for the caller. So what is
pruned is dropped when it comes. Where the caller puts names in an order, or adds some, the
subtree is given in his order from there on, and what the engine found ahead waits for its turn.
"""

import os
import stat
from collections import deque
from functools import wraps
from typing import TYPE_CHECKING, Any, AnyStr, Callable, Dict, Iterable, Iterator, List
from typing import Deque, Optional, Set, Tuple, Union

from . import _engine
from ._filters import engine_filter
from ._types import (
    StrPath,
    check_depth,
    check_directory,
    check_duration,
    check_threads,
    path_bytes,
    raise_root_error,
)

if TYPE_CHECKING:
    from ._engine import Implementation
    from ._filters import AnyFilter

    AnyRoot = Union[AnyStr, "os.PathLike[AnyStr]"]
    Triple = Tuple[str, List[str], List[str]]
    Triples = Iterator[Tuple[AnyStr, List[AnyStr], List[AnyStr]]]


def walk(
    top: "AnyRoot[AnyStr]",
    topdown: bool = True,
    onerror: Optional[Callable[[OSError], object]] = None,
    followlinks: bool = False,
    *,
    path_filter: "Optional[AnyFilter]" = None,
    max_depth: Optional[int] = None,
    threads: Optional[int] = None,
    implementation: "Optional[Implementation]" = None,
) -> "Triples[AnyStr]":
    """:func:`os.walk`, in parallel: (directory, names of directories in it, names of others).

    The same triples, in an order that only has every directory before (``topdown``) or after all
    that is below it. With ``topdown``, directories' names may be changed in place: those that are
    removed are not entered (they may have been read ahead; ``path_filter`` avoids that), those that
    are added are; and if they are sorted, reversed, assigned (``dirnames[:] = …``) or added to, the
    tree below is given in their order, depth first, also if that is the order they had; a name that
    is there twice is entered twice. Until its turn comes, what the engine found ahead is kept in
    memory. Taking names out by ``remove``, ``pop``, ``del`` or ``clear`` says nothing about order.

    :param onerror: called with the OSError of each directory that could not be read; otherwise
        they are ignored, also that of ``top``
    :param followlinks: enter directories through links, as often as there are paths to them, but
        cycles are cut
    :param path_filter: what to leave out; see :func:`scan`
    :param max_depth: of directories that are given; ``top`` has 0
    :param threads: workers, from 1 to 1024; None: as many as pays off

    ``str`` in, ``str`` out, surrogate-escaped; ``bytes`` in, ``bytes`` out. Closing or dropping the
    iterator ends the walk.
    """
    root = path_bytes(top)
    engine = _engine.select(implementation)
    closed = _engine.Flag()
    options = {
        "topdown": bool(topdown),
        "follow": 2 if followlinks else 1,
        "max_depth": check_depth(max_depth),
        "filter": engine_filter(path_filter, engine, [root], closed),
        "threads": check_threads(threads),
    }
    walker = _Walk(engine, root, options, onerror, closed)
    found: "Triples[Any]" = walker.top_down() if topdown else walker.plain()
    return _in_bytes(found) if isinstance(os.fspath(top), bytes) else found


def _in_bytes(triples: "Triples[str]") -> "Triples[Any]":
    for path, directories, others in triples:
        names = _Names(map(os.fsencode, directories))
        before = names[:]
        yield os.fsencode(path), names, [*map(os.fsencode, others)]
        if names.ordered or names != before:
            list.__setitem__(directories, slice(None), map(os.fsdecode, names))
            if names.ordered and isinstance(directories, _Names):
                directories.ordered = True


class _Names(List[Any]):
    """Directories' names, which note that the caller gave them an order, be it the one they had.

    Copies and pickles are plain lists.
    """

    __slots__ = ("ordered",)

    def __init__(self, names: Iterable[Any]) -> None:
        super().__init__(names)
        self.ordered = False

    def __reduce_ex__(self, protocol: Any) -> Any:
        return list, ([*self],)


def _noting(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(self: _Names, *args: Any, **options: Any) -> Any:
        self.ordered = True
        return method(self, *args, **options)

    return call


# Not what only takes names out.
for _name in (
    "sort", "reverse", "insert", "append", "extend", "__setitem__", "__iadd__", "__imul__",
):  # fmt: skip
    setattr(_Names, _name, _noting(getattr(list, _name)))


class _Walk:
    def __init__(
        self,
        engine: Any,
        root: bytes,
        options: "Dict[str, Any]",
        onerror: Optional[Callable[[OSError], object]],
        closed: _engine.Flag,
    ) -> None:
        self._closed = closed
        self._engine = engine
        self._root = root
        self._options = options
        self._onerror = onerror
        self._stream: Any = None
        self._arrived: Deque["Triple"] = deque()
        self._ahead: Dict[str, "Triple"] = {}  # waiting for their turn, in order of arrival
        self._dropped: Set[str] = set()  # directories that are not to be given
        self._failed: Set[str] = set()

    def plain(self) -> "Iterator[Triple]":
        self._stream = self._engine.WalkStream(self._root, **self._options)
        try:
            while True:
                triple = self._pull()
                if triple is None:
                    return
                yield triple
        finally:
            self._cancel()

    def top_down(self) -> "Iterator[Triple]":
        self._stream = self._engine.WalkStream(self._root, **self._options)
        try:
            while True:
                triple = self._first_ahead() or self._pull()
                if triple is None:
                    return
                if not self._is_dropped(triple):
                    yield from self._give(triple)
        finally:
            self._cancel()

    def _cancel(self) -> None:
        self._closed.cancelled = True
        self._stream.cancel()

    def _give(self, triple: "Triple") -> "Iterator[Triple]":
        path, before, others = triple
        directories = _Names(before)
        yield path, directories, others
        if not directories.ordered and directories == before:
            return
        children = self._children(path, before, directories)
        if not directories.ordered and not any(added for _, _, added in children):
            kept = set(directories)
            if directories == [name for name in before if name in kept]:
                return
        # In the caller's order, one after the other; a stack, since trees may be deep.
        stack = [iter(children)]
        while stack:
            item = next(stack[-1], None)
            if item is None:
                stack.pop()
                continue
            parent, name, added = item
            child = _join(parent, name)
            if added:
                yield from self._added(child)
                continue
            found = self._await(child)
            if found is None:
                continue
            _, below, _ = found
            before = below[:]
            yield found
            stack.append(iter(self._children(child, before, below)))

    def _children(
        self, path: str, before: List[str], after: List[str]
    ) -> "List[Tuple[str, str, bool]]":
        """(path, name, whether the walk does not give it) of what is to be entered, in order."""
        awaited = set(before)
        self._dropped.update(_join(path, name) for name in awaited.difference(after))
        children = []
        for name in after:
            children.append((path, name, name not in awaited))
            awaited.discard(name)  # again, it is a walk of its own
        return children

    def _added(self, path: str) -> "Iterator[Triple]":
        """A directory that the caller made, or renamed."""
        options = dict(self._options)
        if options["max_depth"] is not None:
            top = os.fsdecode(self._root).rstrip("/")
            options["max_depth"] -= path[len(top) :].count("/")
            if options["max_depth"] < 0:
                return
        if not self._options["follow"] == 2 and os.path.islink(path):
            return
        inner = _Walk(self._engine, os.fsencode(path), options, self._onerror, _engine.Flag())
        yield from inner.top_down()

    def _await(self, path: str) -> "Optional[Triple]":
        """The triple of this directory, which is or was on its way; None if it has none."""
        found = self._ahead.pop(path, None)
        if found is not None:
            return found
        if path in self._failed or not self._is_entered(path):
            return None
        while True:
            triple = self._pull()
            if triple is None:
                return None
            if triple[0] == path:
                return triple
            if not self._is_dropped(triple):
                self._ahead[triple[0]] = triple
            if path in self._failed:
                return None

    def _is_entered(self, path: str) -> bool:
        """False for what the engine is known not to enter; saves waiting for the walk's end."""
        limit = self._options["max_depth"]
        if limit is not None:
            top = os.fsdecode(self._root).rstrip("/")
            if path[len(top) :].count("/") > limit:
                return False
        return self._options["follow"] == 2 or not os.path.islink(path)

    def _first_ahead(self) -> "Optional[Triple]":
        if not self._ahead:
            return None
        return self._ahead.pop(next(iter(self._ahead)))

    def _is_dropped(self, triple: "Triple") -> bool:
        path, directories, _ = triple
        if path not in self._dropped:
            return False
        self._dropped.remove(path)
        self._dropped.update(_join(path, name) for name in directories)
        return True

    def _pull(self) -> "Optional[Triple]":
        while not self._arrived:
            triples = self._stream.next()
            self._report()
            if triples is None:
                return None
            self._arrived.extend(triples)
        return self._arrived.popleft()

    def _report(self) -> None:
        for operation, code, depth, path in self._stream.errors:
            if operation == "stat" and depth > 0:  # of no directory: os.walk has none for it
                continue
            self._failed.add(path)
            if self._onerror is not None:
                self._onerror(OSError(code, os.strerror(code), path))


def _join(path: str, name: str) -> str:
    return path + name if path.endswith("/") else f"{path}/{name}"


class DirEntry:
    """As :class:`os.DirEntry`, of any depth. Immutable but for a cache; thread-safe."""

    __slots__ = ("_known", "_stat", "depth", "path", "type")

    #: As the root was given, a slash, names; surrogate-escaped.
    path: str
    #: "file", "directory", "symlink", …; of what a link leads to where links are followed.
    type: str
    #: What is directly in the root has 1.
    depth: int

    def __init__(
        self, path: str, kind: str, depth: int, known: Optional[os.stat_result] = None
    ) -> None:
        self.path = path
        self.type = kind
        self.depth = depth
        self._known = known
        self._stat: Optional[os.stat_result] = None

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self._is("directory", stat.S_ISDIR, follow_symlinks)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return self._is("file", stat.S_ISREG, follow_symlinks)

    def is_symlink(self) -> bool:
        return self.type == "symlink"

    def inode(self) -> int:
        return self.stat(follow_symlinks=False).st_ino

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Asked for once; not at all if the walk brought it along (``metadata=True``)."""
        followed = self.type != "symlink"
        if followed or not follow_symlinks:
            if self._known is None:
                self._known = os.stat(self.path, follow_symlinks=followed)
            return self._known
        if self._stat is None:
            self._stat = os.stat(self.path)
        return self._stat

    def _is(self, kind: str, test: Callable[[int], bool], follow_symlinks: bool) -> bool:
        if self.type != "symlink" or not follow_symlinks:
            return self.type == kind
        try:
            return test(self.stat().st_mode)
        except FileNotFoundError:
            return False

    def __fspath__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.path!r}>"


def scantree(
    top: StrPath = ".",
    *,
    metadata: bool = False,
    path_filter: "Optional[AnyFilter]" = None,
    min_depth: int = 1,
    max_depth: Optional[int] = None,
    follow_symlinks: bool = False,
    one_file_system: bool = False,
    max_duration: Optional[float] = None,
    onerror: Optional[Callable[[OSError], object]] = None,
    threads: Optional[int] = None,
    implementation: "Optional[Implementation]" = None,
) -> Iterator[DirEntry]:
    """All entries below ``top`` as :func:`os.scandir` would give them, while they are found.

    :param metadata: the walk brings along what ``stat()`` gives, many times faster than asking
        for it entry by entry
    :param onerror: called with the OSError of what could not be read, at the end
    :raises FileNotFoundError, NotADirectoryError, PermissionError: of ``top``, at the first entry

    Else as :func:`scan_table`. Closing or dropping the iterator ends the walk.
    """
    root = path_bytes(top)
    engine = _engine.select(implementation)
    closed = _engine.Flag()
    options = {
        "include_roots": min_depth == 0,
        "min_depth": check_depth(min_depth, "min_depth") or 0,
        "max_depth": check_depth(max_depth),
        "follow": 2 if follow_symlinks else 1,
        "one_file_system": bool(one_file_system),
        "filter": engine_filter(path_filter, engine, [root], closed),
        "timeout": check_duration(max_duration),
        "threads": check_threads(threads),
    }
    return _entries(engine, root, options, metadata, onerror, closed)


def _entries(
    engine: Any,
    root: bytes,
    options: "Dict[str, Any]",
    metadata: bool,
    onerror: Optional[Callable[[OSError], object]],
    closed: _engine.Flag,
) -> Iterator[DirEntry]:
    from ._tables import field_bits
    from ._usage import _STAT_COLUMNS, _STAT_FIELDS, _stat_result

    if metadata:
        options["fields"], _ = field_bits(engine, _STAT_FIELDS)
    check_directory(root)
    stream = engine.TableStream([root], **options)
    try:
        while True:
            table = stream.next()
            if table is None:
                break
            base = [table.column(name) for name in ("path", "type", "depth")]
            if not metadata:
                yield from map(DirEntry, *base)
                continue
            for path, kind, depth, row in zip(*base, table.rows(_STAT_COLUMNS)):
                known = _stat_result(os.fsencode(path), row)
                yield DirEntry(path, kind, depth, None if isinstance(known, OSError) else known)
        raise_root_error(root, stream.errors)
        if onerror is not None:
            for _, code, _, path in stream.errors:
                onerror(OSError(code, os.strerror(code), path))
    finally:
        closed.cancelled = True
        stream.cancel()
