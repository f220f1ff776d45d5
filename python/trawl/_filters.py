# SPDX-License-Identifier: Apache-2.0
"""PathFilter: which paths are left out, for walks and for single paths.

It holds options, not an engine's filter: those are made when first needed, one for each engine,
and one apart for matching, whose rules are relative to the filter's root.
"""

import os
import stat
import threading
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, NamedTuple
from typing import Optional, Tuple, Union

from . import _engine
from ._types import StrPath, path_bytes

if TYPE_CHECKING:
    from typing import Protocol

    from ._engine import Implementation

    class Matcher(Protocol):
        def match(self, path: Any, /) -> bool: ...

    #: What `path_filter` may be. A callable gets the path as a string; an object with `match`
    #: gets a Path. True leaves the path out, with all below it.
    AnyFilter = Union["PathFilter", Matcher, Callable[[str], bool]]

Text = Union[str, bytes]


class FilterVerdict(NamedTuple):
    """What a filter says of a path, and why."""

    #: "none": no rule matches, it stays; "ignored"; "included" by a rule with "!"; "hidden";
    #: "custom": the function says no; "outside": it is not below the filter's root.
    verdict: str
    source: str = ""  #: the file of the rule, relative to the root; "": a pattern that was given
    line: int = 0  #: in it, from 1
    pattern: str = ""

    @property
    def left_out(self) -> bool:
        return self.verdict not in ("none", "included")


class PathFilter:
    """Leaves paths out by git's rules, by patterns, by being hidden, or as a function says.

    Walks apply it before they ask for metadata and before they open a directory.

    :param patterns: lines of a .gitignore, or one string of such lines; they are relative to
        ``root`` in :meth:`match`, to the walk's root in a walk, and beat the rules of all files
    :param root: what :meth:`match` takes paths to be below of
    :param hidden: leave out names that begin with a dot
    :param git: .gitignore in each directory, info/exclude of each repository, and what is git's
        own: ``.git``
    :param git_global: with ``git``, also core.excludesFile
    :param require_git: .gitignore counts only inside a repository
    :param names: other ignore files that each directory may have, such as ``[".ignore"]``; later
        ones beat earlier ones
    :param parents: rules of the directories above the root count as well
    :param files: files of rules that count everywhere, e.g. your own list
    :param caches: leave out what lies beside a CACHEDIR.TAG
    :param ignore_case: of letters A to Z, in all rules
    :param custom: a function of the path (a string) that is asked about what the rest leaves in;
        true leaves it out. It may be called on any thread, one call at a time. What it raises
        ends the walk and comes out of it.

    Thread-safe. Ignore files are read once by :meth:`match`, and by each walk anew. It can be copied
    and pickled if ``custom`` can.
    """

    def __init__(
        self,
        patterns: Union[Text, Iterable[Text], None] = None,
        *,
        root: StrPath = ".",
        hidden: bool = False,
        git: bool = False,
        git_global: bool = True,
        require_git: bool = False,
        names: Iterable[Text] = (),
        parents: bool = True,
        files: Iterable[StrPath] = (),
        caches: bool = False,
        ignore_case: bool = False,
        custom: Optional[Callable[[str], bool]] = None,
        implementation: "Optional[Implementation]" = None,
    ) -> None:
        if custom is not None:
            if not callable(custom):
                raise TypeError("custom must be callable")
            _check_plain(custom, "custom")
        if isinstance(files, (str, bytes, os.PathLike)):
            raise TypeError("files must be several, not one path")
        lines = _lines(patterns)
        if git:
            lines.insert(0, b".git")  # the first, so that a pattern "!.git" takes it back
        # Absolute, since the current directory may be another when it is needed.
        self._root = os.path.abspath(path_bytes(root))
        self._custom = custom
        self._implementation = implementation
        self._options: Dict[str, Any] = {
            "hidden": bool(hidden),
            "git": bool(git),
            "git_global": bool(git_global),
            "require_git": bool(require_git),
            "names": _texts(names, "names"),
            "parents": bool(parents),
            "files": [os.path.abspath(path_bytes(file)) for file in files],
            "exclude": lines,
            "caches": bool(caches),
            "ignore_case": bool(ignore_case),
        }
        self._clear()
        self._matcher()  # what is wrong with the options should be said now

    def _clear(self) -> None:
        self._lock = threading.RLock()  # signals' handlers may match, too
        self._matchers: Dict[str, Any] = {}
        self._for_walks: Dict[str, Any] = {}

    def __getstate__(self) -> Dict[str, Any]:
        # Engines' filters are made anew where they are needed.
        made = ("_lock", "_matchers", "_for_walks")
        return {name: value for name, value in self.__dict__.items() if name not in made}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._clear()

    @classmethod
    def from_git_root(
        cls, path: StrPath = ".", *, implementation: "Optional[Implementation]" = None
    ) -> "PathFilter":
        """All of git's rules for the repository that ``path`` is in, and ``.git`` left out.

        Outside of a repository: those of the .gitignore files from ``path`` down.
        """
        engine = _engine.select(implementation)
        root = engine.PathFilter.from_git_root(os.path.abspath(path_bytes(path))).root
        inside = os.path.lexists(os.path.join(root, b".git"))
        return cls(git=True, root=root, parents=inside, implementation=implementation)

    @property
    def root(self) -> str:
        return os.fsdecode(self._root)

    @property
    def errors(self) -> List[Tuple[str, int]]:
        """(path, errno) of the ignore files that :meth:`match` could not read so far."""
        with self._lock:
            matchers = [*self._matchers.values()]
        return [error for matcher in matchers for error in matcher.errors()]

    def match(self, path: StrPath, is_dir: Optional[bool] = None) -> bool:
        """Whether ``path`` is left out; of paths that are not below the root, always true.

        A relative path is one from the current directory, if that leads below the root, else one
        from the root. It need not exist. Rules may depend on whether it is a directory: if
        ``is_dir`` is None, it is one if it ends with a slash, or is one on disk.
        """
        return self.explain(path, is_dir).left_out

    def explain(self, path: StrPath, is_dir: Optional[bool] = None) -> FilterVerdict:
        """As :meth:`match`, with the rule that decided."""
        name = path_bytes(path)
        relative, at = self._below_root(name)
        if relative is None:
            return FilterVerdict("outside")
        if relative == b"":
            return FilterVerdict("none")
        if is_dir is None:
            is_dir = name.endswith(b"/") or _is_directory(at)
        verdict = FilterVerdict(*self._matcher().match(relative, bool(is_dir)))
        if not verdict.left_out and self._custom is not None:
            # As in a walk, which does not come below a directory that is left out.
            shown = os.fsdecode(path)
            above = os.fsdecode(relative).count("/")
            names = [shown.rstrip("/") or "/"]
            for _ in range(above):
                names.append(os.path.dirname(names[-1]))
            if any(self._custom(each) for each in reversed(names) if each):
                return FilterVerdict("custom")
        return verdict

    def _below_root(self, name: bytes) -> Tuple[Optional[bytes], bytes]:
        """The path below the root, "" for itself, None outside; and where it is."""
        prefix = self._root if self._root.endswith(b"/") else self._root + b"/"
        for at in self._candidates(name):
            if at == self._root:
                return b"", at
            if at.startswith(prefix):
                return at[len(prefix) :], at
        return None, os.path.abspath(name)

    def _candidates(self, name: bytes) -> Iterator[bytes]:
        here = os.path.abspath(name)
        yield here
        # Through a symbolic link, or a relative path from elsewhere. Only now: it asks the disk.
        yield os.path.join(os.path.realpath(os.path.dirname(here)), os.path.basename(here))
        if not os.path.isabs(name):
            yield os.path.normpath(os.path.join(self._root, name))

    def _matcher(self) -> Any:
        return self._made(self._matchers, _engine.select(self._implementation))

    def _for_engine(self, engine: Any) -> Any:
        """The filter for a walk; without `custom`."""
        return self._made(self._for_walks, engine)

    def _made(self, cache: Dict[str, Any], engine: Any) -> Any:
        name = _engine.name_of(engine)
        with self._lock:
            made = cache.get(name)
            if made is None:
                made = cache[name] = self._make(engine, None)
            return made

    def _make(self, engine: Any, custom: Any) -> Any:
        return engine.PathFilter(self._root, custom=custom, **self._options)

    def __repr__(self) -> str:
        return f"<PathFilter of {self.root!r}>"


def engine_filter(
    path_filter: "Optional[AnyFilter]",
    engine: Any,
    roots: Iterable[bytes],
    stop: Optional[_engine.Flag] = None,
) -> Optional[Any]:
    """What an engine takes, of what users may give.

    Functions are not asked about the roots, nor about anything once `stop` is set: engines judge
    some hundred names before they look whether the walk goes on. Only for walks whose result is
    dropped then, since what is left out so might be missing from one that came to its end.
    """
    if path_filter is None:
        return None
    names = frozenset(os.fsdecode(root) for root in roots)
    if isinstance(path_filter, PathFilter):
        if path_filter._custom is None:
            return path_filter._for_engine(engine)
        return path_filter._make(engine, _judge(path_filter._custom, names, stop))
    match = getattr(path_filter, "match", None)
    if match is not None and callable(match):
        _check_plain(match, "path_filter")
        return engine.PathFilter(custom=_judge(_of_paths(match), names, stop))
    if callable(path_filter):
        _check_plain(path_filter, "path_filter")
        return engine.PathFilter(custom=_judge(path_filter, names, stop))
    raise TypeError(
        "path_filter must be a PathFilter, have a method match, or be callable, not "
        + type(path_filter).__name__
    )


def _judge(
    custom: Callable[[str], bool],
    names: "frozenset[str]",
    stop: Optional[_engine.Flag],
) -> Callable[[str], bool]:
    """What the engine calls. StopIteration would end the caller's loop over a walk as if that had
    come to its end, so it becomes a RuntimeError, as in a generator (PEP 479)."""
    flag = _engine.Flag() if stop is None else stop

    def judge(path: str) -> bool:
        try:
            return flag.cancelled or (path not in names and bool(custom(path)))
        except (StopIteration, StopAsyncIteration) as error:
            raise RuntimeError(f"a filter raised {type(error).__name__}") from error

    return judge


def _check_plain(function: Any, name: str) -> None:
    """Not `async def`: its coroutine would be true, and leave everything out."""
    from inspect import iscoroutinefunction

    if iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None)):
        raise TypeError(f"{name} must be a plain function, not one of async def")


def _of_paths(match: Callable[[Any], bool]) -> Callable[[str], bool]:
    from pathlib import Path

    make = type(Path())
    return lambda path: match(make(path))


def _is_directory(path: bytes) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _lines(patterns: Union[Text, Iterable[Text], None]) -> List[bytes]:
    if patterns is None:
        return []
    if isinstance(patterns, (str, bytes)):
        return os.fsencode(patterns).split(b"\n")
    return _texts(patterns, "patterns")


def _texts(texts: Iterable[Text], name: str) -> List[bytes]:
    if isinstance(texts, (str, bytes)):
        raise TypeError(f"{name} must be several, not one string")
    found = [os.fsencode(text) for text in texts]
    if any(b"\0" in text for text in found):
        raise ValueError("embedded null byte")
    return found
