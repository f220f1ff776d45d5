# SPDX-License-Identifier: Apache-2.0
"""What ignore rules need of a git repository and of git's configuration, read from their files.

Left out: `include` in configuration, and the environment of a running git (GIT_DIR and the like).
Paths are bytes, relative to the directory of a descriptor, or, if that is None, to the current one.
"""

from __future__ import annotations

import errno
import os
import re
import stat as stat_module
from typing import Iterator, List, NamedTuple, Optional, Tuple

MOST_IGNORE_BYTES = 100 << 20  # git reads no larger ignore file
_MOST_CONFIG_BYTES = 16 << 20
_MOST_LINK_BYTES = 65536
_SPACE = b" \t\n\v\f\r"

_FILE_FLAGS = (
    os.O_RDONLY
    | os.O_CLOEXEC
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


def read_file(
    path: bytes,
    base: Optional[int] = None,
    *,
    follow: bool = True,
    most: int = MOST_IGNORE_BYTES,
    part: Optional[int] = None,
) -> bytes:
    """All of a regular file, or its first `part` bytes. Raises OSError; EISDIR and EINVAL for what
    is no file, EFBIG beyond `most` bytes."""
    flags = _FILE_FLAGS if follow else _FILE_FLAGS | getattr(os, "O_NOFOLLOW", 0)
    fd = os.open(path, flags, dir_fd=base)
    try:
        mode = os.fstat(fd).st_mode
        if not stat_module.S_ISREG(mode):
            raise OSError(errno.EISDIR if stat_module.S_ISDIR(mode) else errno.EINVAL, "no file")
        if part is not None:
            return os.read(fd, part)
        chunks: List[bytes] = []
        size = 0
        while True:
            chunk = os.read(fd, 1 << 20)
            if not chunk:
                return b"".join(chunks)
            chunks.append(chunk)
            size += len(chunk)
            if size > most:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    finally:
        os.close(fd)


def real_path(path: bytes, base: Optional[int] = None) -> bytes:
    """Of a directory, absolute and without links. Raises OSError."""
    flags = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | os.O_CLOEXEC
    fd = os.open(path, flags, dir_fd=base)
    try:
        try:
            return os.readlink(b"/proc/self/fd/%d" % fd)
        except OSError:
            if base is not None and not path.startswith(b"/"):
                raise
            return os.path.realpath(path)
    finally:
        os.close(fd)


def _real_path_or_itself(path: bytes, base: Optional[int]) -> bytes:
    try:
        return real_path(path, base)
    except OSError:
        return path


def _is_true(value: bytes) -> bool:
    value = value.lower()
    if value in (b"true", b"yes", b"on"):
        return True
    # Or a number, perhaps with a unit.
    found = re.match(rb"\s*([-+]?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)([kmg]?)\Z", value)
    if found is None:
        return False
    digits = found.group(2)
    base = 16 if digits[:2] == b"0x" else 8 if digits[:1] == b"0" else 10
    return int(digits, base) != 0


def _expanded(path: bytes) -> Optional[bytes]:
    """With the home directory for "~/"; that of others is not looked up."""
    if not path.startswith(b"~"):
        return path
    home = os.environb.get(b"HOME", b"")
    if not home or path[1:2] not in (b"", b"/"):
        return None
    return home + path[1:]


def _config_home() -> bytes:
    home = os.environb.get(b"XDG_CONFIG_HOME", b"")
    if not home:
        home = os.environb.get(b"HOME", b"")
        home = home and home + b"/.config"
    return home


class _Reader:
    """The lines of a configuration file, as git-config(1) describes them."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 3 if text.startswith(b"\xef\xbb\xbf") else 0
        self.section = b""

    def _byte(self, at: int) -> bytes:
        return self.text[at : at + 1]

    def __iter__(self) -> Iterator[Tuple[bytes, bytes]]:
        """section.key, in lower case, and value; a key without one is true. Ends where the text is
        no configuration."""
        text = self.text
        while self.at < len(text):
            byte = self._byte(self.at)
            if byte in (b"#", b";"):
                self._skip_line()
            elif byte in _SPACE:
                self.at += 1
            elif byte == b"[":
                if not self._section():
                    return
            else:
                found = re.compile(rb"[A-Za-z0-9-]+").match(text, self.at)
                if found is None:
                    return
                self.at = found.end()
                yield self.section + b"." + found.group().lower(), self._value()

    def _skip_line(self) -> None:
        end = self.text.find(b"\n", self.at)
        self.at = len(self.text) if end < 0 else end + 1

    def _section(self) -> bool:
        text = self.text
        name = bytearray()
        self.at += 1
        while self.at < len(text) and self._byte(self.at) != b"]":
            byte = self._byte(self.at)
            if byte == b"\n":
                return False
            if byte == b'"':
                # [branch "name"]: its keys are none that we look for.
                name += byte
                self.at += 1
                while self.at < len(text) and self._byte(self.at) != b'"':
                    self.at += 2 if self._byte(self.at) == b"\\" else 1
                self.at += 1
                continue
            name += byte.lower()
            self.at += 1
        self.at += 1
        self.section = bytes(name)
        return self.at <= len(text)

    def _value(self) -> bytes:
        text = self.text
        while self._byte(self.at) in (b" ", b"\t"):
            self.at += 1
        if self._byte(self.at) != b"=":
            self._skip_line()
            return b"true"
        self.at += 1
        value = bytearray()
        kept = 0  # white space at the end does not count unless it is quoted
        quoted = False
        while self.at < len(text) and self._byte(self.at) != b"\n":
            byte = self._byte(self.at)
            self.at += 1
            if byte == b'"':
                quoted = not quoted
                kept = len(value)
                continue
            if not quoted and byte in (b"#", b";"):
                self.at -= 1
                break
            if byte == b"\\" and self.at < len(text):
                byte = self._byte(self.at)
                self.at += 1
                if byte == b"\r" and self._byte(self.at) == b"\n":
                    byte = b"\n"
                    self.at += 1
                if byte == b"\n":
                    continue
                byte = {b"n": b"\n", b"t": b"\t", b"b": b"\b"}.get(byte, byte)
            elif not quoted and byte in _SPACE:
                if value:
                    value += b" "
                continue
            value += byte
            kept = len(value)
        self._skip_line()
        return bytes(value[:kept])


class GitConfig(NamedTuple):
    excludes_file: Optional[bytes] = None
    excludes_set: bool = False
    ignore_case: Optional[bool] = None
    worktree_config: bool = False

    def updated(self, text: bytes) -> GitConfig:
        """With what is set in `text`."""
        config = self
        for key, value in _Reader(text):
            if key == b"core.excludesfile":
                path = _expanded(value)
                config = config._replace(excludes_file=path, excludes_set=path is not None)
            elif key == b"core.ignorecase":
                config = config._replace(ignore_case=_is_true(value))
            elif key == b"extensions.worktreeconfig":
                config = config._replace(worktree_config=_is_true(value))
        return config

    def global_excludes(self) -> bytes:
        """core.excludesFile, or git's default for it; empty: none."""
        if self.excludes_set and self.excludes_file is not None:
            return self.excludes_file
        home = _config_home()
        return home and home + b"/git/ignore"


def user_config() -> GitConfig:
    """The system's and the user's."""
    config = GitConfig()
    paths = []
    environment = os.environb
    if not _is_true(environment.get(b"GIT_CONFIG_NOSYSTEM", b"")):
        paths.append(environment.get(b"GIT_CONFIG_SYSTEM", b"") or b"/etc/gitconfig")
    if b"GIT_CONFIG_GLOBAL" in environment:
        paths.append(environment[b"GIT_CONFIG_GLOBAL"])
    else:
        home = _config_home()
        if home:
            paths.append(home + b"/git/config")
        home = environment.get(b"HOME", b"")
        if home:
            paths.append(home + b"/.gitconfig")
    for path in paths:
        if path:
            try:
                config = config.updated(read_file(path, most=_MOST_CONFIG_BYTES))
            except OSError:
                pass
    return config


class GitRepository(NamedTuple):
    git_directory: bytes  # of this work tree
    common_directory: bytes  # of all work trees

    @property
    def info_exclude(self) -> bytes:
        return self.common_directory + b"/info/exclude"

    def config(self, config: GitConfig, base: Optional[int]) -> Tuple[GitConfig, int]:
        """The repository's own on top of `config`; and errno of what exists but can't be read."""
        failed = 0
        for name, directory in ((b"/config", self.common_directory), (b"", b"")):
            if not name:
                if not config.worktree_config:
                    break
                name, directory = b"/config.worktree", self.git_directory
            try:
                config = config.updated(read_file(directory + name, base, most=_MOST_CONFIG_BYTES))
            except OSError as error:
                if error.errno != errno.ENOENT and not failed:
                    failed = error.errno or errno.EIO
        return config, failed


def _is_head(text: bytes) -> bool:
    if text.startswith(b"ref:"):
        return text[4:].strip(_SPACE).startswith(b"refs/")
    return re.match(rb"[0-9A-Fa-f]{40}", text) is not None


def _joined(directory: bytes, path: bytes) -> bytes:
    return path if path.startswith(b"/") else directory + b"/" + path


def _is_directory(path: bytes, base: Optional[int]) -> bool:
    try:
        return stat_module.S_ISDIR(os.stat(path, dir_fd=base).st_mode)
    except OSError:
        return False


def open_repository(dot_git: bytes, base: Optional[int] = None) -> Optional[GitRepository]:
    """The repository whose work tree has `dot_git`, a directory or a file that says where it is.
    None if it is none in git's eyes: without HEAD, objects or refs."""
    directory = dot_git
    try:
        text = read_file(dot_git, base, most=_MOST_LINK_BYTES)
    except OSError as error:
        if error.errno != errno.EISDIR:
            return None
    else:
        if not text.startswith(b"gitdir: "):
            return None
        above, slash, _ = dot_git.rpartition(b"/")
        above = above or b"/" if slash else b"."
        directory = _real_path_or_itself(_joined(above, text[8:].rstrip(b"\r\n")), base)
    try:
        if not _is_head(read_file(directory + b"/HEAD", base, most=_MOST_LINK_BYTES)):
            return None
    except OSError as error:
        # The oldest form is a link to a branch, which need not exist as yet.
        if error.errno != errno.ENOENT:
            return None
        try:
            if not os.readlink(directory + b"/HEAD", dir_fd=base).startswith(b"refs/"):
                return None
        except OSError:
            return None
    common = directory
    try:
        text = read_file(directory + b"/commondir", base, most=_MOST_LINK_BYTES)
        common = _real_path_or_itself(_joined(directory, text.rstrip(b"\r\n")), base)
    except OSError:
        pass
    if not (_is_directory(common + b"/objects", base) and _is_directory(common + b"/refs", base)):
        return None
    return GitRepository(directory, common)
