# SPDX-License-Identifier: Apache-2.0
"""Opening directories whose paths may be longer than the system takes; and when files were born,
which os.stat() does not tell on Linux."""

from __future__ import annotations

import errno
import os
from typing import Any, Optional

_DIRECTORY_FLAGS = (
    os.O_RDONLY
    | os.O_CLOEXEC
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NONBLOCK", 0)
)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_STEP = 4000  # bytes of a path that the system takes in any case, its NUL included


def open_directory(path: str, root: str, follow: bool) -> int:
    """A descriptor of the directory. `path` begins with `root`, which is opened as it is; what is
    below it may be of any length."""
    flags = _DIRECTORY_FLAGS if follow else _DIRECTORY_FLAGS | _NO_FOLLOW
    if len(path) < _STEP // 4 or len(path) == len(root):
        return os.open(path, flags)
    raw = os.fsencode(path)
    if len(raw) < _STEP:
        return os.open(raw, flags)
    return open_in_steps(raw, len(os.fsencode(root)), flags)


def open_in_steps(raw: bytes, first: int, flags: int) -> int:
    """Opens a path longer than PATH_MAX. The first step is at least `first` bytes long."""
    at: Optional[int] = None
    begin = 0
    try:
        while len(raw) - begin >= _STEP:
            cut = raw.rfind(b"/", begin + 1, begin + _STEP)
            if begin == 0:
                cut = max(cut, first)
            if cut <= begin:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
            step = os.open(raw[begin:cut], _DIRECTORY_FLAGS, dir_fd=at)
            if at is not None:
                os.close(at)
            at = step
            begin = cut
            while raw[begin : begin + 1] == b"/" and begin + 1 < len(raw):
                begin += 1
        return os.open(raw[begin:], flags, dir_fd=at)
    finally:
        if at is not None:
            os.close(at)


_statx: Any = None


def birth_time(name: bytes, fd: Optional[int], follow: bool) -> Optional[int]:
    """Nanoseconds since the epoch; None where the system does not tell."""
    global _statx
    import ctypes  # 5 ms, for those who ask
    import struct

    if _statx is None:
        try:
            _statx = ctypes.CDLL(None, use_errno=True).statx
        except (OSError, AttributeError):
            _statx = False
    if _statx is False:
        return None
    buffer = ctypes.create_string_buffer(256)
    # AT_FDCWD; AT_SYMLINK_NOFOLLOW; STATX_BTIME
    if _statx(-100 if fd is None else fd, name, 0 if follow else 0x100, 0x800, buffer) != 0:
        return None
    (mask,) = struct.unpack_from("=I", buffer, 0)
    if not mask & 0x800:
        return None
    seconds, nanoseconds = struct.unpack_from("=qI", buffer, 80)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)
