# SPDX-License-Identifier: Apache-2.0
"""The engine in pure Python: the interface of _native.pyi, with os.scandir() and one thread.

It is chosen where the native module is missing, and is what that one is compared with. Answers are
the same, with these exceptions:
- `threads` is checked and not used; with links followed (2), a directory that several paths lead to
  is entered by the first in the order of the listings;
- profile() is exact whatever `capacity` says, so "approximate" is always empty;
- a stream walks while somebody pulls, on their thread: the limits on what waits hold by themselves,
  and `timeout` of next() is looked at between callbacks;
- a fifo, socket or device is asked for its type: where that is not allowed, it is unknown.
Thread-safe as far as the native engine is.
"""

from .basics import (
    ATIME,
    BLOCKS,
    BTIME,
    CTIME,
    FILE_TYPES,
    IDENTITY,
    LINKS,
    MODE,
    MTIME,
    OWNER,
    SIZE,
    CancelToken,
)
from .filter import PathFilter
from .listing import list_table
from .profile import profile
from .scan import scan_table, stat_table
from .streams import TableStream, WalkStream
from .table import Table
from .usage import usage

__version__ = "0.1.0"

__all__ = [
    "ATIME",
    "BLOCKS",
    "BTIME",
    "CTIME",
    "CancelToken",
    "FILE_TYPES",
    "IDENTITY",
    "LINKS",
    "MODE",
    "MTIME",
    "OWNER",
    "PathFilter",
    "SIZE",
    "Table",
    "TableStream",
    "WalkStream",
    "list_table",
    "profile",
    "scan_table",
    "stat_table",
    "usage",
]
