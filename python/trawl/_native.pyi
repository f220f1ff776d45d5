# SPDX-License-Identifier: Apache-2.0
#
# The engine: what _native (C++) and _pure (os.scandir) both offer, and all that the rest of the
# package calls. Same names, same arguments, same answers; `tests/python` holds them to it.
#
# Paths are bytes in, as os.fsencode gives them, without NUL (ValueError); `str` out is surrogate-
# escaped. Errors of the walk are values: tuples (operation, errno, depth, path), where operation is
# "open", "read", "stat" or "descend". A walk never raises OSError. Calls release the GIL; while one
# waits on the main thread it heeds signals (KeyboardInterrupt ends the walk, then propagates).
#
# `poll(entries)` is called on the caller's thread about 20 times a second; what it or a filter's
# `custom` raises ends the walk and comes out of the call. `timeout`: seconds, from the call on.
# `threads`: 0 adapts, up to 1024, else ValueError. `follow`: 0 never, 1 roots, 2 all.
# `max_depth`: of entries that are reported; root 0. `types`: bits 1 << code, codes as in FILE_TYPES.

from typing import Any, Callable, Optional, Sequence, final

FILE_TYPES: tuple[str, ...]  # "unknown", "file", "directory", "symlink", "block_device",
#                              "character_device", "fifo", "socket"
# Bits of `fields`.
MODE: int
LINKS: int
OWNER: int
IDENTITY: int
SIZE: int
BLOCKS: int
ATIME: int
MTIME: int
CTIME: int
BTIME: int

__version__: str

@final
class CancelToken:
    def __init__(self) -> None: ...
    def cancel(self) -> None: ...  # from any thread
    @property
    def cancelled(self) -> bool: ...

@final
class PathFilter:
    # As trawl::FilterOptions. `custom(path: str) -> bool`: true leaves the path out.
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
    ) -> None: ...
    @staticmethod
    def from_git_root(path: bytes) -> PathFilter: ...
    # (verdict, source, line, pattern); verdict: "none", "ignored", "included", "hidden".
    def match(self, path: bytes, is_directory: bool) -> tuple[str, str, int, str]: ...
    @property
    def root(self) -> bytes: ...
    def errors(self) -> list[tuple[str, int]]: ...  # path, errno

@final
class Table:
    # Columns as in trawl/entry_table.h.
    def __len__(self) -> int: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def ending(self) -> str: ...  # "complete", "stopped", "cancelled", "timed_out"
    @property
    def complete(self) -> bool: ...  # all was read, without an error
    @property
    def errors(self) -> list[tuple[str, int, int, str]]: ...
    @property
    def statistics(self) -> dict[str, Any]: ...
    @property
    def nbytes(self) -> int: ...
    def paths(self) -> list[str]: ...
    def path_bytes(self) -> list[bytes]: ...
    # Values of one column as Python objects (None where null): path and type str, path_bytes and
    # target bytes, times int nanoseconds since the epoch (None beyond 1677 to 2262), others int.
    def column(self, name: str) -> list[Any]: ...
    def rows(self, names: Sequence[str]) -> list[tuple[Any, ...]]: ...
    # Capsules of the Arrow C interfaces. _pure has them if pyarrow is installed, else ImportError.
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...

def scan_table(
    roots: Sequence[bytes],
    *,
    fields: int = 0,
    types: int = ...,  # all
    include_roots: bool = True,
    min_depth: int = 0,
    max_depth: Optional[int] = None,
    follow: int = 0,
    one_file_system: bool = False,
    link_targets: bool = False,
    filter: Optional[PathFilter] = None,
    threads: int = 0,
    timeout: Optional[float] = None,
    cancel: Optional[CancelToken] = None,
    poll: Optional[Callable[[int], object]] = None,
) -> Table: ...

# `order`: "component", "bytes", "rsync", "rsync28".
def list_table(
    root: bytes,
    *,
    order: str = "component",
    fields: int = 0,
    include_root: bool = True,
    max_depth: Optional[int] = None,
    follow: int = 0,
    one_file_system: bool = False,
    link_targets: bool = False,
    filter: Optional[PathFilter] = None,
    threads: int = 0,
    timeout: Optional[float] = None,
    cancel: Optional[CancelToken] = None,
    poll: Optional[Callable[[int], object]] = None,
) -> Table: ...

@final
class TableStream:
    # Arguments of scan_table but poll; the walk begins at once.
    def __init__(
        self,
        roots: Sequence[bytes],
        *,
        fields: int = 0,
        types: int = ...,
        include_roots: bool = True,
        min_depth: int = 0,
        max_depth: Optional[int] = None,
        follow: int = 0,
        one_file_system: bool = False,
        link_targets: bool = False,
        filter: Optional[PathFilter] = None,
        threads: int = 0,
        timeout: Optional[float] = None,
        chunk_rows: int = 1024,
        capacity: int = 65536,
    ) -> None: ...
    # Waits; None at the end, or after `timeout` seconds (then `finished` is false).
    def next(self, timeout: Optional[float] = None) -> Optional[Table]: ...
    @property
    def finished(self) -> bool: ...
    def cancel(self) -> None: ...  # from any thread; does not wait
    # Waits for the end.
    @property
    def ending(self) -> str: ...
    @property
    def complete(self) -> bool: ...
    @property
    def errors(self) -> list[tuple[str, int, int, str]]: ...
    @property
    def statistics(self) -> dict[str, Any]: ...

@final
class WalkStream:
    # os.walk's triples, a directory before (topdown) or after all below it; names in the order of the
    # listing. As there, symbolic links to directories are among the directories, though not entered.
    # A directory that could not be read has no triple, but an error; so a root that is none.
    def __init__(
        self,
        root: bytes,
        *,
        topdown: bool = True,
        follow: int = 0,  # 2: as os.walk(followlinks=True), but cycles are cut
        max_depth: Optional[int] = None,  # of directories that have a triple
        one_file_system: bool = False,
        filter: Optional[PathFilter] = None,
        threads: int = 0,
        capacity: int = 65536,  # names that may wait
    ) -> None: ...
    # (path, directories, others) of some directories; None at the end.
    def next(self) -> Optional[list[tuple[str, list[str], list[str]]]]: ...
    def cancel(self) -> None: ...
    @property
    def errors(self) -> list[tuple[str, int, int, str]]: ...  # so far, each given once

# The figures of trawl/profile.h under the keys of docs/profile.md, but: no "path"; owners and groups
# without names; top_folders_by_file_count as pairs; integer depths; plus "statistics", and errors as
# tuples. Extensions are lower-cased by str.lower().
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
    follow: int = 0,
    one_file_system: bool = False,
    filter: Optional[PathFilter] = None,
    threads: int = 0,
    timeout: Optional[float] = None,
    cancel: Optional[CancelToken] = None,
    poll: Optional[Callable[[int], object]] = None,
) -> dict[str, Any]: ...

# As `du`: [(path, depth, disk_usage, apparent_size, inodes)] of the roots and the directories (with
# `all_files` of all) down to max_depth, children first; and the totals, as a dict with "lines", "disk_usage",
# "apparent_size", "inodes", "repeated_links", "ending", "complete", "errors", "statistics".
def usage(
    roots: Sequence[bytes],
    *,
    max_depth: Optional[int] = None,
    all_files: bool = False,
    count_links: bool = False,
    follow: int = 0,
    one_file_system: bool = False,
    filter: Optional[PathFilter] = None,
    threads: int = 0,
    timeout: Optional[float] = None,
    cancel: Optional[CancelToken] = None,
    poll: Optional[Callable[[int], object]] = None,
) -> dict[str, Any]: ...

# A row for each path, in order: the columns of `fields`, and type, path and error. depth is 0. What
# failed has its errno there; it is no error of the table, which is complete.
def stat_table(
    paths: Sequence[bytes],
    *,
    fields: int = 0,
    follow: bool = False,
    threads: int = 0,
) -> Table: ...
