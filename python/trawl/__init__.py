# SPDX-License-Identifier: Apache-2.0
"""Walk, list, measure and profile directory trees in parallel.

One engine does the walking, in C++ (``trawl._native``) or, where that is missing, in pure Python
with the same answers; see :class:`FallbackWarning`. Everything here is thread-safe: functions have
no state of their own, and results do not change once they are returned.

Names are imported when they are first used, so that ``import trawl`` costs next to nothing.
"""

TYPE_CHECKING = False  # as typing's, which would have to be imported
if TYPE_CHECKING:
    from ._engine import CancelToken as CancelToken
    from ._engine import FallbackWarning as FallbackWarning
    from ._engine import implementation as implementation
    from ._engine import is_native_available as is_native_available
    from ._filters import FilterVerdict as FilterVerdict
    from ._filters import PathFilter as PathFilter
    from ._incremental import IncrementalScan as IncrementalScan
    from ._incremental import scan_incremental as scan_incremental
    from ._profiler import DirectoryAnalysis as DirectoryAnalysis
    from ._profiler import DirectoryProfiler as DirectoryProfiler
    from ._profiler import DirectoryProfilerConfig as DirectoryProfilerConfig
    from ._scan import ScanResult as ScanResult
    from ._scan import scan as scan
    from ._scan import scan_directory_parallel as scan_directory_parallel
    from ._scan import scan_sync as scan_sync
    from ._tables import Table as Table
    from ._tables import list_tree as list_tree
    from ._tables import scan_table as scan_table
    from ._types import FileInfo as FileInfo
    from ._types import WalkError as WalkError
    from ._usage import StatResults as StatResults
    from ._usage import Usage as Usage
    from ._usage import UsageLine as UsageLine
    from ._usage import du as du
    from ._usage import stat_many as stat_many
    from ._usage import stat_table as stat_table
    from ._walks import DirEntry as DirEntry
    from ._walks import scantree as scantree
    from ._walks import walk as walk

    list = list_tree
    __version__: str

# `list` is left out: a star import must not replace the builtin.
__all__ = [
    "CancelToken",
    "DirEntry",
    "DirectoryAnalysis",
    "DirectoryProfiler",
    "DirectoryProfilerConfig",
    "FallbackWarning",
    "FileInfo",
    "FilterVerdict",
    "IncrementalScan",
    "PathFilter",
    "ScanResult",
    "StatResults",
    "Table",
    "Usage",
    "UsageLine",
    "WalkError",
    "du",
    "implementation",
    "is_native_available",
    "list_tree",
    "scan",
    "scan_directory_parallel",
    "scan_incremental",
    "scan_sync",
    "scan_table",
    "scantree",
    "stat_many",
    "stat_table",
    "walk",
]

_MODULES = {
    "CancelToken": "_engine",
    "DirEntry": "_walks",
    "DirectoryAnalysis": "_profiler",
    "DirectoryProfiler": "_profiler",
    "DirectoryProfilerConfig": "_profiler",
    "FallbackWarning": "_engine",
    "FileInfo": "_types",
    "FilterVerdict": "_filters",
    "IncrementalScan": "_incremental",
    "PathFilter": "_filters",
    "ScanResult": "_scan",
    "StatResults": "_usage",
    "Table": "_tables",
    "Usage": "_usage",
    "UsageLine": "_usage",
    "WalkError": "_types",
    "du": "_usage",
    "implementation": "_engine",
    "is_native_available": "_engine",
    "list_tree": "_tables",
    "scan": "_scan",
    "scan_directory_parallel": "_scan",
    "scan_incremental": "_incremental",
    "scan_sync": "_scan",
    "scan_table": "_tables",
    "scantree": "_walks",
    "stat_many": "_usage",
    "stat_table": "_usage",
    "walk": "_walks",
}


if not TYPE_CHECKING:  # for type checkers, what is not declared above does not exist

    def __getattr__(name):
        if name == "__version__":
            from ._engine import version

            value = version()
        elif name == "list":
            from ._tables import list_tree as value
        else:
            module = _MODULES.get(name)
            if module is None:
                raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
            from importlib import import_module

            value = getattr(import_module("." + module, __name__), name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__, "list", "__version__"})
