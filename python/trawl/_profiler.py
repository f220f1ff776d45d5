# SPDX-License-Identifier: Apache-2.0
"""DirectoryProfiler: what a directory consists of. The keys are defined in docs/profile.md."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Optional, Tuple, TypeVar

from . import _engine
from ._filters import engine_filter
from ._progress import Reporter
from ._types import (
    StrPath,
    WalkError,
    check_depth,
    check_directory,
    check_duration,
    check_positive,
    check_threads,
    path_bytes,
    raise_root_error,
    walk_errors,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    import polars  # type: ignore[import-not-found, unused-ignore]

    from ._engine import CancelToken
    from ._filters import AnyFilter
    from ._progress import Progress

    ProgressCallback = Callable[[str, int, int], object]

F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True)
class DirectoryProfilerConfig:
    """Options of a :class:`DirectoryProfiler`. All of filoma's are there, with the same defaults.

    Those that choose between filoma's engines or tune one of them have nothing to choose here: they
    are checked, and change no figure. docs/python.md says what each does.
    """

    # Which engine. None, or "auto": the native one if it can be imported, else the pure one.
    use_native: Optional[bool] = None
    #: Of old: True is ``use_native=True``; False leaves the choice to ``use_native``.
    use_rust: bool = False
    search_backend: str = "auto"  #: "auto", "native", "rust" (the same), "fd" (as "auto"), "python"
    # How many workers.
    use_parallel: bool = True  #: False: one
    threads: Optional[int] = None  #: from 1 to 1024; None: as many as pays off
    walker_threads: Optional[int] = None  #: another name of it
    # What is looked at.
    path_filter: "Optional[AnyFilter]" = None
    follow_symlinks: bool = False
    one_file_system: bool = False
    max_duration: Optional[float] = None  #: seconds
    # What is said.
    top: int = 20  #: entries of each list of the most
    top_folders: int = 10  #: of ``top_folders_by_file_count``
    exact: bool = False  #: no limits of memory, no approximate tables
    tree_folders: int = 0  #: folders in ``tree``, those with most bytes
    build_dataframe: bool = False
    return_absolute_paths: bool = False
    show_progress: bool = True
    progress_callback: "Optional[ProgressCallback]" = None
    # Accepted, checked, and of no effect on figures.
    parallel_threshold: int = 1000
    walker: str = "auto"
    fast_path_only: bool = False
    use_async: bool = False
    use_fd: bool = False
    fd_no_ignore: bool = False
    network_concurrency: int = 192
    network_timeout_ms: int = 20000
    network_retries: int = 0

    def __post_init__(self) -> None:
        if self.search_backend not in ("auto", "native", "rust", "fd", "python"):
            raise ValueError(
                'search_backend must be "auto", "native", "rust", "fd" or "python": '
                f"{self.search_backend!r}"
            )
        if self.walker not in ("auto", "walkdir", "dua-core"):
            raise ValueError(
                f'walker must be "auto", "walkdir" or "dua-core": {self.walker!r}'
            )
        check_threads(self.threads)
        check_threads(self.walker_threads, "walker_threads")
        check_positive(self.top, "top")
        check_positive(self.top_folders, "top_folders")
        check_positive(self.network_concurrency, "network_concurrency")
        check_positive(self.network_timeout_ms, "network_timeout_ms")
        for name in ("parallel_threshold", "network_retries", "tree_folders"):
            check_depth(getattr(self, name), name)
        check_duration(self.max_duration)
        if self.progress_callback is not None and not callable(self.progress_callback):
            raise TypeError("progress_callback must be callable")

    @classmethod
    def from_object(cls, config: object) -> "DirectoryProfilerConfig":
        """From any object with such attributes, e.g. filoma's; what it lacks has its default.

        :raises TypeError: it has none of them
        """
        if isinstance(config, cls):
            return config
        found = {
            field.name: getattr(config, field.name)
            for field in fields(cls)
            if hasattr(config, field.name)
        }
        if not found or isinstance(config, (str, bytes, os.PathLike)):
            raise TypeError(f"not a DirectoryProfilerConfig: {type(config).__name__}")
        return cls(**found)


class DirectoryAnalysis(Mapping):  # type: ignore[type-arg]
    """What :meth:`DirectoryProfiler.analyze` found.

    A mapping of the keys of docs/profile.md and "timing", each also an attribute:
    ``analysis["summary"]["total_files"]``, ``analysis.summary``.
    """

    path: str
    summary: Dict[str, Any]
    file_extensions: Dict[str, int]
    common_folder_names: Dict[str, int]
    empty_folders: List[str]
    top_folders_by_file_count: List[Tuple[str, int]]
    depth_distribution: Dict[int, int]
    timing: Dict[str, Any]
    complete: bool
    ending: str
    errors: List[WalkError]

    def __init__(
        self,
        data: "Dict[str, Any]",
        build: "Optional[Callable[[], polars.DataFrame]]" = None,
    ) -> None:
        self._data = data
        self._build = build
        self._frame: "Optional[polars.DataFrame]" = None

    @classmethod
    def from_dict(cls, data: "Dict[str, Any]") -> "DirectoryAnalysis":
        """The reverse of :meth:`to_dict`."""
        data = dict(data)
        frame = data.pop("dataframe", None)
        made = cls(data)
        made._frame = frame
        return made

    def to_dict(self) -> "Dict[str, Any]":
        """A plain dict; with "dataframe", if one was built."""
        data = dict(self._data)
        if self._frame is not None:
            data["dataframe"] = self._frame
        return data

    as_dict = to_dict

    @property
    def path_obj(self) -> "Path":
        from pathlib import Path

        return Path(self._data["path"])

    @property
    def dataframe(self) -> "Optional[polars.DataFrame]":
        """The frame, if it was built."""
        return self._frame

    @property
    def timed_out(self) -> bool:
        return bool(self._data.get("ending") == "timed_out")

    def to_df(self) -> "polars.DataFrame":
        """A polars frame of all entries: path, type, depth, size and so on, the root left out.

        With ``build_dataframe=True`` it was made by a second walk right behind the first: figures
        are added up in the walk, which keeps no entries. Else that walk is made now.

        :raises ImportError: polars is not installed
        :raises ValueError: the analysis does not come from a profiler, so there is nothing to walk
        """
        if self._frame is None:
            if self._build is None:
                raise ValueError("this analysis was made from a dict: there is no data frame")
            self._frame = self._build()
        return self._frame

    def print_summary(self, profiler: "Optional[DirectoryProfiler]" = None) -> None:
        (profiler or DirectoryProfiler()).print_summary(self)

    def print_report(self, profiler: "Optional[DirectoryProfiler]" = None) -> None:
        (profiler or DirectoryProfiler()).print_report(self)

    def __getitem__(self, key: str) -> Any:
        if key == "dataframe" and self._frame is not None:
            return self._frame
        return self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.to_dict())

    def __len__(self) -> int:
        return len(self.to_dict())

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            try:
                return self._data[name]
            except KeyError:
                pass
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def __dir__(self) -> List[str]:
        return sorted({*super().__dir__(), *self._data})

    def __getstate__(self) -> "Dict[str, Any]":
        return {"_data": self._data, "_build": None, "_frame": self._frame}

    def __setstate__(self, state: "Dict[str, Any]") -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        summary = self._data.get("summary", {})
        partial = "" if self._data.get("complete", True) else ", partial"
        return (
            f"<DirectoryAnalysis of {self._data.get('path')!r}: "
            f"{summary.get('total_files', 0):,} files, "
            f"{summary.get('total_folders', 0):,} folders{partial}>"
        )

    def _repr_html_(self) -> str:
        from ._notebook import analysis_html

        return analysis_html(self)


def _noting_names(init: F) -> F:
    """Sets `_given` to the names of the keywords that the caller gave, be they the defaults."""

    @wraps(init)
    def call(self: Any, *args: Any, **given: Any) -> None:
        self._given = frozenset(given)
        init(self, *args, **given)

    return call  # type: ignore[return-value]


class DirectoryProfiler:
    """Profiles directories::

        analysis = DirectoryProfiler().analyze("/srv")
        analysis.summary["total_files"]
        analysis.print_report()

    :param config: a :class:`DirectoryProfilerConfig`, or filoma's; what is given besides wins,
        also if it is the default
    :param use_native: True: the native engine, or ImportError; False: the pure Python one;
        None: the native one if it is there
    :param use_rust: deprecated name of ``use_native``
    :param use_parallel: False: one worker
    :param parallel_threshold: of no effect. The engine starts a second worker as soon as there is
        work to share and 100 µs have passed, so small trees stay with one by themselves
    :param show_progress: a bar, if stderr is a terminal or in a notebook, and rich or tqdm is there
    :param progress_callback: called with (message, entries, total) about 20 times a second, and
        at the end; until then total is 0, for it is not known. What it raises ends the walk and
        comes out
    :param build_dataframe: see :meth:`DirectoryAnalysis.to_df`
    :param path_filter: what to leave out; see :func:`trawl.scan`
    :param follow_symlinks: links to files are files, those to directories folders, each once
    :param exact: no limits of memory; see docs/profile.md
    :param top: entries of each list of the most
    :param threads: workers; None: as many as pays off
    :param max_duration: seconds; what was counted until then is returned, ``complete`` false

    For the others see :class:`DirectoryProfilerConfig`. A profiler may be used from several
    threads at once.

    :raises ValueError, TypeError: options out of range
    :raises ImportError: an engine or data frame was asked for that can't be had

    Copies and pickles are profilers of the same config, and choose their engine where they are.
    """

    @_noting_names
    def __init__(
        self,
        config: Optional[object] = None,
        *,
        use_native: Optional[bool] = None,
        use_rust: Optional[bool] = None,
        use_parallel: bool = True,
        parallel_threshold: int = 1000,
        show_progress: bool = True,
        progress_callback: "Optional[ProgressCallback]" = None,
        build_dataframe: bool = False,
        path_filter: "Optional[AnyFilter]" = None,
        follow_symlinks: bool = False,
        one_file_system: bool = False,
        exact: bool = False,
        top: int = 20,
        top_folders: int = 10,
        tree_folders: int = 0,
        threads: Optional[int] = None,
        max_duration: Optional[float] = None,
        return_absolute_paths: bool = False,
        search_backend: str = "auto",
        walker: str = "auto",
        walker_threads: Optional[int] = None,
        fast_path_only: bool = False,
        use_async: bool = False,
        use_fd: bool = False,
        fd_no_ignore: bool = False,
        network_concurrency: int = 192,
        network_timeout_ms: int = 20000,
        network_retries: int = 0,
    ) -> None:
        values = dict(locals())
        given = {*self.__dict__.pop("_given")}
        if use_rust is not None:
            import warnings

            warnings.warn(
                "use_rust is an old name: say use_native", DeprecationWarning, stacklevel=3
            )
            if use_native is None:
                values["use_native"] = use_rust
            values["use_rust"] = False
            given.add("use_native")
        base = (
            DirectoryProfilerConfig()
            if config is None
            else DirectoryProfilerConfig.from_object(config)
        )
        changed = {
            field.name: values[field.name]
            for field in fields(DirectoryProfilerConfig)
            # None where it is no value of the option: as if it were not given.
            if field.name in given and (values[field.name] is not None or field.default is None)
        }
        self._use(replace(base, **changed))

    def _use(self, config: DirectoryProfilerConfig) -> None:
        self.config = config
        wanted: Any = None
        if config.use_native is not None:
            wanted = "native" if config.use_native else "python"
        elif config.search_backend == "python":
            wanted = "python"
        elif config.use_rust or config.search_backend in ("native", "rust"):
            wanted = "native"
        self._engine = _engine.select(wanted)
        self._threads = _workers(config)
        if config.build_dataframe:
            import polars  # noqa: F401  (ImportError now, not after the walk)

    def __getstate__(self) -> "Dict[str, Any]":
        # An engine is a module.
        return {k: v for k, v in self.__dict__.items() if k not in ("_engine", "_threads")}

    def __setstate__(self, state: "Dict[str, Any]") -> None:
        self.__dict__.update(state)
        self._use(self.config)

    def analyze(
        self,
        path: StrPath,
        max_depth: Optional[int] = None,
        threads: Optional[int] = None,
        *,
        cancel: "Optional[CancelToken]" = None,
    ) -> DirectoryAnalysis:
        """Walks ``path`` once.

        :param max_depth: of folders that are entered; ``path`` has 0. Files count in all of them
        :param threads: instead of the profiler's
        :param cancel: ends it from another thread, ``ending`` "cancelled"
        :raises FileNotFoundError, NotADirectoryError, PermissionError: of ``path``
        :raises ValueError: a negative depth, threads out of range, a NUL in the path
        """
        config = self.config
        root = path_bytes(path)
        if config.return_absolute_paths:
            root = os.path.abspath(root)
        engine = self._engine
        depth = check_depth(max_depth)
        callback = config.progress_callback
        reporter = Reporter(_progress(config, os.fsdecode(root)), "Profiling")
        options = {
            "top": config.top,
            "top_folders": config.top_folders,
            "max_depth": depth,
            "exact": config.exact,
            "capacity": max(65536, config.top),
            "tree_folders": config.tree_folders,
            "follow": 2 if config.follow_symlinks else 1,
            "one_file_system": config.one_file_system,
            "filter": engine_filter(config.path_filter, engine, [root]),
            "threads": self._threads if threads is None else check_threads(threads),
            "timeout": check_duration(config.max_duration),
            "cancel": _engine.bind(cancel, engine),
        }
        begin = time.perf_counter()
        with reporter as poll:
            check_directory(root)
            found: Dict[str, Any] = engine.profile(root, poll=poll, **options)
        raise_root_error(root, found["errors"])
        elapsed = time.perf_counter() - begin
        summary = found["summary"]
        items = summary["total_files"] + summary["total_folders"]
        if callback is not None:
            callback("Done", items, items)
        _name_owners(found["owners"], "uid")
        _name_owners(found["groups"], "gid")
        found["errors"] = walk_errors(found["errors"])
        found["timing"] = {
            "elapsed_seconds": elapsed,
            "implementation": _engine.name_of(engine),
            "items_per_second": items / elapsed if elapsed > 0 else 0,
        }
        build = _frame_builder(root, depth, config, _engine.name_of(engine))
        analysis = DirectoryAnalysis({"path": os.fsdecode(root), **found}, build)
        if config.build_dataframe:
            analysis.to_df()
        return analysis

    probe = analyze

    # What there is, and what is used.

    def is_native_available(self) -> bool:
        """Whether the native engine is there and used."""
        return _engine.name_of(self._engine) == "native"

    is_rust_available = is_native_available

    def is_parallel_available(self) -> bool:
        """Whether there may be more than one worker."""
        return self.is_native_available() and self._threads != 1

    def is_dataframe_enabled(self) -> bool:
        return self.config.build_dataframe

    def get_dataframe(self, analysis: DirectoryAnalysis) -> "Optional[polars.DataFrame]":
        """The frame of an analysis, if it was built."""
        return _checked(analysis).dataframe

    def get_implementation_info(self) -> "Dict[str, Any]":
        """What is there and what is used, under filoma's keys and our own."""
        from importlib.util import find_spec

        native_there = _engine.is_native_available()
        native = self.is_native_available()
        config = self.config
        return {
            "implementation": _engine.name_of(self._engine),
            "version": str(self._engine.__version__),
            "native_available": native_there,
            "using_native": native,
            "threads": self._threads or None,
            "rust_available": native_there,
            "rust_parallel_available": native_there,
            "rust_async_available": native_there,
            "rust_dua_core_available": False,
            "fd_available": False,
            "dataframe_available": find_spec("polars") is not None,
            "using_rust": native,
            "using_parallel": self.is_parallel_available(),
            "using_async": False,
            "using_dua_core": False,
            "using_fd": False,
            "using_dataframe": config.build_dataframe,
            "return_absolute_paths": config.return_absolute_paths,
            "search_backend": config.search_backend,
            "walker": config.walker,
            "python_fallback": not native,
        }

    # Reports.

    def print_summary(self, analysis: DirectoryAnalysis, file: "Optional[TextIO]" = None) -> None:
        """Totals, to stdout or ``file``; with rich if it is installed."""
        from ._report import Report

        Report(file).summary(_checked(analysis))

    def print_file_extensions(
        self, analysis: DirectoryAnalysis, top_n: int = 10, file: "Optional[TextIO]" = None
    ) -> None:
        from ._report import Report

        Report(file).file_extensions(_checked(analysis), top_n)

    def print_folder_patterns(
        self, analysis: DirectoryAnalysis, top_n: int = 10, file: "Optional[TextIO]" = None
    ) -> None:
        from ._report import Report

        Report(file).folder_patterns(_checked(analysis), top_n)

    def print_empty_folders(
        self, analysis: DirectoryAnalysis, max_show: int = 20, file: "Optional[TextIO]" = None
    ) -> None:
        from ._report import Report

        Report(file).empty_folders(_checked(analysis), max_show)

    def print_report(self, analysis: DirectoryAnalysis, file: "Optional[TextIO]" = None) -> None:
        """All of it."""
        from ._report import Report

        Report(file).everything(_checked(analysis))


def _checked(analysis: object) -> DirectoryAnalysis:
    if not isinstance(analysis, DirectoryAnalysis):
        raise TypeError(f"a DirectoryAnalysis is needed, not {type(analysis).__name__}")
    return analysis


def _workers(config: DirectoryProfilerConfig) -> int:
    if not config.use_parallel:
        return 1
    if config.threads is not None and config.walker_threads not in (None, config.threads):
        raise ValueError("threads and walker_threads are the same, but differ")
    return config.threads or config.walker_threads or 0


def _progress(config: DirectoryProfilerConfig, root: str) -> "Progress":
    callback = config.progress_callback
    if callback is None:
        return config.show_progress
    message = f"Profiling {root}"

    def poll(entries: int) -> None:
        callback(message, entries, 0)

    return poll


def _name_owners(owners: "List[Dict[str, Any]]", key: str) -> None:
    import grp
    import pwd

    for owner in owners:
        try:
            if key == "uid":
                owner["name"] = pwd.getpwuid(owner[key]).pw_name
            else:
                owner["name"] = grp.getgrgid(owner[key]).gr_name
        except (KeyError, OverflowError):
            owner["name"] = None


def _frame_builder(
    root: bytes, depth: Optional[int], config: DirectoryProfilerConfig, implementation: Any
) -> "Callable[[], polars.DataFrame]":
    at = os.path.abspath(root) if not os.path.isabs(root) else root
    absolute = at != root

    def build() -> "polars.DataFrame":
        from ._tables import scan_table

        # If the current directory has changed since, `root` is not what it was.
        here = not absolute or os.path.abspath(root) == at
        return scan_table(
            root if here else at,
            fields="all",
            # Files count in folders down to `depth`, so they are one deeper.
            max_depth=None if depth is None else depth + 1,
            follow_symlinks=config.follow_symlinks,
            one_file_system=config.one_file_system,
            path_filter=config.path_filter,
            max_duration=config.max_duration,
            threads=_workers(config) or None,
            implementation=implementation,
        ).to_polars()

    return build
