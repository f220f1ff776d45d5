# SPDX-License-Identifier: Apache-2.0
"""PathFilter: which paths are left out, by the rules of ignore files, by patterns, by being hidden.

The ignore files of one directory after the other, from the top down, become *levels*. A level has,
for each kind of file, the files in force, the deepest first. Kinds are in order of precedence:
patterns; files of `names`, the last name first; .gitignore; info/exclude; core.excludesFile;
`files`. The walk finds a directory's ignore files among the names that it lists; match() looks for
them by name.
"""

from __future__ import annotations

import errno
import os
import threading
from typing import Callable, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from .basics import check_path
from .git import GitConfig, GitRepository, open_repository, read_file, real_path, user_config
from .ignore import IgnoreRules
from .walk import Node

_CACHE_TAG = b"CACHEDIR.TAG"
_CACHE_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
_MOST_ERRORS = 1000
_MOST_NAMES = 60

# Files of one kind: rules, where names of the file's directory begin in a path, the files above.
Files = Optional[Tuple[IgnoreRules, int, "Files"]]
Verdict = Tuple[str, bytes, int, bytes]  # verdict, source, line, pattern
_NONE: Verdict = ("none", b"", 0, b"")
_HIDDEN: Verdict = ("hidden", b"", 0, b"")
_CACHED: Verdict = ("ignored", _CACHE_TAG, 0, b"")
_BY_CUSTOM: Verdict = ("ignored", b"", 0, b"")


def _is_left_out(verdict: Verdict) -> bool:
    return verdict[0] in ("ignored", "hidden")


class FilterLevel(NamedTuple):
    """A directory's view of the rules."""

    files: Tuple[Files, ...]
    in_repository: bool = False
    ignore_case: bool = False  # of the repository, or asked for
    is_cache: bool = False

    def adding(self, kind: int, rules: Optional[IgnoreRules], base: int) -> FilterLevel:
        if not rules:
            return self
        files = list(self.files)
        files[kind] = (rules, base, files[kind])
        return self._replace(files=tuple(files))

    def needs_path(self) -> bool:
        for files in self.files:
            while files is not None:
                if files[0].needs_path:
                    return True
                files = files[2]
        return False


class FilterRoot(NamedTuple):
    # Paths that rules are asked about are this and the path from the root: that of the root from
    # '/', and a slash; nothing if no rules of directories above it count.
    prefix: bytes
    top: FilterLevel


class PathFilter:
    """As trawl::PathFilter. Thread-safe. Raises ValueError for options that make no sense."""

    def __init__(
        self,
        root: bytes = b".",
        *,
        hidden: bool = False,
        git: bool = False,
        git_global: bool = True,
        require_git: bool = False,
        names: Sequence[bytes] = (),
        parents: bool = True,
        files: Sequence[bytes] = (),
        exclude: Sequence[bytes] = (),
        caches: bool = False,
        ignore_case: bool = False,
        custom: Optional[Callable[[str], bool]] = None,
    ) -> None:
        for lines in (names, files, exclude):
            if isinstance(lines, (bytes, str)):
                raise TypeError("names, files and exclude are sequences of bytes")
        if custom is not None and not callable(custom):
            raise TypeError("custom must be callable")
        self._root = check_path(root)
        self._hidden = hidden
        self._git = git
        self._git_global = git_global
        self._require_git = require_git
        self._names = [check_path(name) for name in names]
        self._parents = parents
        self._caches = caches
        self._ignore_case = ignore_case
        self.custom = custom
        self._lock = threading.RLock()
        self._errors: List[Tuple[bytes, int]] = []
        self._user = user_config() if git else GitConfig()
        wanted = list(self._names)
        if git:
            wanted += [b".gitignore", b".git"]
        if caches:
            wanted.append(_CACHE_TAG)
        if len(wanted) > _MOST_NAMES + 4:
            raise ValueError("more names of ignore files than 60")
        if any(not name or b"/" in name for name in wanted):
            raise ValueError("an ignore file is a name in each directory")
        self.wanted: FrozenSet[str] = frozenset(os.fsdecode(name) for name in wanted)
        self._all_wanted = frozenset(wanted)
        count = len(self._names)
        self._git_kind = count + 1
        self._info_kind = count + 2
        self._global_kind = count + 3
        self._files_kind = count + 4
        self._kinds = count + 5
        self._files = [
            self._read(None, check_path(path), path, True, True, ignore_case) for path in files
        ]
        self._exclude: Optional[IgnoreRules] = None
        if exclude:
            text = b"".join(check_path(line) + b"\n" for line in exclude)
            self._exclude = IgnoreRules(text, b"", ignore_case)
        self._global: Dict[Tuple[bytes, bool], Optional[IgnoreRules]] = {}
        # For match(): the root, and the directories below it that were asked about, with the level
        # in force and the verdict if they are left out.
        self._begun: Optional[FilterRoot] = None
        self._judged: Dict[bytes, Tuple[FilterLevel, Verdict]] = {}

    @staticmethod
    def from_git_root(path: bytes) -> PathFilter:
        top = check_path(path)
        try:
            at = real_path(path)
        except OSError:
            return PathFilter(top, git=True, parents=False)
        while True:
            if open_repository((b"" if at == b"/" else at) + b"/.git") is not None:
                top = at or b"/"
                break
            if at in (b"", b"/"):
                break
            at = at.rpartition(b"/")[0]
        return PathFilter(top, git=True, parents=False)

    @property
    def root(self) -> bytes:
        return self._root

    def errors(self) -> List[Tuple[str, int]]:
        with self._lock:
            return [(os.fsdecode(path), code) for path, code in self._errors]

    def match(self, path: bytes, is_directory: bool) -> Tuple[str, str, int, str]:
        check_path(path)
        above, slash, name = path.rpartition(b"/")
        with self._lock:
            level, verdict = self._judge_directory(above)
            begun = self._begun
        assert begun is not None
        if not _is_left_out(verdict):
            verdict = self._judge(level, begun.prefix + path, name, is_directory)
            if not _is_left_out(verdict) and self.custom is not None:
                if self.custom(os.fsdecode(self._root + b"/" + path)):
                    verdict = _BY_CUSTOM
        return (verdict[0], os.fsdecode(verdict[1]), verdict[2], os.fsdecode(verdict[3]))

    # ---- for the walk

    def begin(self, path: str) -> FilterRoot:
        """Of a root of a walk."""
        raw = os.fsencode(path)
        prefix = b""
        if self._parents and (self._git or self._names):
            try:
                prefix = real_path(raw)
                prefix += b"" if prefix.endswith(b"/") else b"/"
            except OSError as error:
                if error.errno not in (errno.ENOTDIR, errno.ENOENT):
                    self._note(raw, error.errno or errno.EIO)
        git_everywhere = self._git and not self._require_git
        ignore_case = self._ignore_case or bool(git_everywhere and self._user.ignore_case)
        level = FilterLevel((None,) * self._kinds, False, ignore_case)
        level = level.adding(0, self._exclude, len(prefix))
        for rules in self._files:
            level = level.adding(self._files_kind, rules, len(prefix))
        if git_everywhere:
            rules = self._global_rules(None, b"", self._user, ignore_case)
            level = level.adding(self._global_kind, rules, len(prefix))
        # The directories above, from the top down.
        slash = prefix.find(b"/")
        while 0 <= slash < len(prefix) - 1:
            directory = prefix[: slash + 1]
            level = self._enter(
                None, directory, directory, self._all_wanted, len(directory), level
            )._replace(is_cache=False)  # the root was asked for
            slash = prefix.find(b"/", slash + 1)
        return FilterRoot(prefix, level)

    def enter_walked(self, node: Node, fd: int, found: Sequence[str]) -> FilterLevel:
        """The level of a directory that is being walked, in which these files were found."""
        assert node.level is not None and node.filter_root is not None
        below = _path_below_root(node)
        return self._enter(
            fd,
            b"",
            os.fsencode(node.prefix),
            frozenset(os.fsencode(name) for name in found),
            len(node.filter_root.prefix) + len(below),
            node.level,
        )

    def judge_of(self, node: Node) -> Callable[[str, bool], bool]:
        """For the entries of a directory: (name, is_directory) -> whether it is left out."""
        level = node.level
        root = node.filter_root
        assert level is not None and root is not None
        custom = self.custom
        prefix = node.prefix
        hidden = self._hidden
        has_rules = any(files is not None for files in level.files)
        if has_rules or level.is_cache:
            directory = b""
            if level.needs_path():
                directory = root.prefix + _path_below_root(node)
            judge = self._judge
            encode = os.fsencode

            def by_rules(name: str, is_directory: bool) -> bool:
                raw = encode(name)
                return judge(level, directory + raw, raw, is_directory)[0] in (
                    "ignored",
                    "hidden",
                ) or (custom is not None and bool(custom(prefix + name)))

            return by_rules

        def without_rules(name: str, is_directory: bool) -> bool:
            return (hidden and name.startswith(".")) or (
                custom is not None and bool(custom(prefix + name))
            )

        return without_rules

    # ---- levels

    def _note(self, path: bytes, code: int) -> None:
        with self._lock:
            if len(self._errors) < _MOST_ERRORS:
                self._errors.append((path, code))

    def _read(
        self,
        base: Optional[int],
        path: bytes,
        source: bytes,
        follow: bool,
        must_exist: bool,
        ignore_case: bool,
    ) -> Optional[IgnoreRules]:
        """None if there is no such file, or it can't be read, of which note is taken. A directory
        of that name, or a fifo, is no ignore file."""
        try:
            return IgnoreRules(read_file(path, base, follow=follow), source, ignore_case)
        except OSError as error:
            code = error.errno or errno.EIO
        if must_exist and code == errno.EINVAL:  # a pipe, or /dev/null
            try:
                with open(path, "rb") as file:
                    return IgnoreRules(file.read(), source, ignore_case)
            except OSError as error:
                code = error.errno or errno.EIO
        if must_exist or code not in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL):
            self._note(source, code)
        return None

    def _global_rules(
        self, base: Optional[int], path: bytes, config: GitConfig, ignore_case: bool
    ) -> Optional[IgnoreRules]:
        """A relative path is so to `path`: a repository's top, or nothing."""
        file = config.global_excludes()
        if not self._git_global or not file:
            return None
        if not file.startswith(b"/"):
            return self._read(base, path + file, file, True, False, ignore_case)
        key = (file, ignore_case)
        with self._lock:
            if key not in self._global:
                self._global[key] = self._read(base, file, file, True, False, ignore_case)
            return self._global[key]

    def _enter(
        self,
        base: Optional[int],
        path: bytes,
        shown: bytes,
        found: FrozenSet[bytes],
        begin: int,
        above: FilterLevel,
    ) -> FilterLevel:
        """The level of the directory `path` ("" or with a slash at its end), relative to `base`, in
        which `found` may be. `shown`: as people see it. `begin`: where names in it begin in paths
        that rules are asked about."""
        if shown.startswith(b"./"):
            shown = shown[2:]
        level = above._replace(is_cache=False)
        if self._git and b".git" in found:
            repository = open_repository(path + b".git", base)
            if repository is not None:
                level = self._enter_repository(base, path, shown, repository, begin, level)
        if self._git and b".gitignore" in found and (level.in_repository or not self._require_git):
            # Nor does git follow a link there.
            rules = self._read(
                base, path + b".gitignore", shown + b".gitignore", False, False, level.ignore_case
            )
            level = level.adding(self._git_kind, rules, begin)
        for index, name in enumerate(self._names):
            if name in found:
                rules = self._read(base, path + name, shown + name, True, False, level.ignore_case)
                level = level.adding(len(self._names) - index, rules, begin)
        if self._caches and _CACHE_TAG in found and self._is_cache_tag(base, path + _CACHE_TAG):
            level = level._replace(is_cache=True)
        return level

    def _enter_repository(
        self,
        base: Optional[int],
        path: bytes,
        shown: bytes,
        repository: GitRepository,
        begin: int,
        level: FilterLevel,
    ) -> FilterLevel:
        config, code = repository.config(self._user, base)
        if code:
            self._note(shown + b".git/config", code)
        ignore_case = self._ignore_case or bool(config.ignore_case)
        files = list(level.files)
        for kind in (self._git_kind, self._info_kind, self._global_kind):
            files[kind] = None
        level = FilterLevel(tuple(files), True, ignore_case)
        info = repository.info_exclude
        is_inside = info.startswith(path + b".git/")
        source = shown + info[len(path) :] if is_inside else info
        rules = self._read(base, info, source, True, False, ignore_case)
        level = level.adding(self._info_kind, rules, begin)
        rules = self._global_rules(base, path, config, ignore_case)
        return level.adding(self._global_kind, rules, begin)

    @staticmethod
    def _is_cache_tag(base: Optional[int], path: bytes) -> bool:
        try:
            size = len(_CACHE_SIGNATURE)
            return read_file(path, base, follow=False, part=size) == _CACHE_SIGNATURE
        except OSError:
            return False

    # ---- verdicts

    def _judge(self, level: FilterLevel, path: bytes, name: bytes, is_directory: bool) -> Verdict:
        if level.is_cache and name != _CACHE_TAG:
            return _CACHED
        for files in level.files:
            while files is not None:
                rules, base, files = files
                rule = rules.match(path, base, name, is_directory)
                if rule is not None:
                    verdict = "included" if rule.negated else "ignored"
                    return (verdict, rules.source, rule.line, rule.pattern)
        if self._hidden and name.startswith(b"."):
            return _HIDDEN
        return _NONE

    def _judge_directory(self, directory: bytes) -> Tuple[FilterLevel, Verdict]:
        """Under the lock."""
        # From the nearest that is known down; paths may be deep.
        missing: List[bytes] = []
        at = directory
        while at not in self._judged:
            missing.append(at)
            if not at:
                break
            at = at.rpartition(b"/")[0]
        for each in reversed(missing):
            self._judged[each] = self._judge_one(each)
        return self._judged[directory]

    def _judge_one(self, directory: bytes) -> Tuple[FilterLevel, Verdict]:
        shown = directory + b"/" if directory else b""
        if not directory:
            if self._begun is None:
                self._begun = self.begin(os.fsdecode(self._root))
            level, verdict = self._begun.top, _NONE
        else:
            above, _, name = directory.rpartition(b"/")
            level, verdict = self._judged[above]
            assert self._begun is not None
            if not _is_left_out(verdict):
                verdict = self._judge(level, self._begun.prefix + directory, name, True)
                if not _is_left_out(verdict):
                    verdict = _NONE
        assert self._begun is not None
        if not _is_left_out(verdict) and self._all_wanted:
            level = self._enter(
                None,
                self._root + b"/" + shown,
                shown,
                self._all_wanted,
                len(self._begun.prefix) + len(shown),
                level,
            )
        return level, verdict


def _path_below_root(node: Node) -> bytes:
    """With a slash at its end; of a root, nothing."""
    return os.fsencode(node.prefix[len(node.root.prefix) :])
