# SPDX-License-Identifier: Apache-2.0
"""The engine in pure Python: the interface of _native.pyi, with os.scandir() and one thread.

It is chosen where the native module is missing, and is what that is compared with. Answers are the
same but for these: `threads` is checked and not used; profile() is always exact; a stream walks
while somebody pulls, so that what is in it is as old as the last pull; a fifo, socket or device is
asked for its type, which the listing tells the native engine; a file that is not in UTF-8 where the
locale is another is named in that. Thread-safe as far as the native engine is.
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
