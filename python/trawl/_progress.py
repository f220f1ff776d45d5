# SPDX-License-Identifier: Apache-2.0
"""Progress: a function of the user's, or a bar of rich's or tqdm's.

A bar appears after a quarter of a second, so short walks show none and import nothing. How many
entries there are is not known before the end: bars count, they have no percentage.
"""

import sys
import time
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

if TYPE_CHECKING:
    from typing import Literal

    #: A function is called with the entries so far, about 20 times a second, and what it raises
    #: ends the walk and comes out. True: a bar if there is a terminal or notebook to show it on,
    #: and rich or tqdm is installed. "rich", "tqdm": that one, wherever stderr goes.
    Progress = Union[None, bool, Literal["rich", "tqdm"], Callable[[int], object]]

DELAY = 0.25  # seconds


def in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    if ipython is None:
        return False
    try:
        shell = ipython.get_ipython()
    except AttributeError:
        return False
    return shell is not None and hasattr(shell, "kernel")


def _shows() -> bool:
    try:
        return sys.stderr.isatty() or in_notebook()
    except (AttributeError, ValueError):  # no stderr, or a closed one
        return False


class Reporter:
    """Around a walk: ``with Reporter(progress, "Scanning") as poll: engine(poll=poll)``."""

    def __init__(self, progress: "Progress", title: str) -> None:
        self._title = title
        self._bar: Any = None
        self._make: Optional[Callable[[], Any]] = None
        self._poll: Optional[Callable[[int], object]] = None
        if progress is None or progress is False:
            return
        if callable(progress):
            self._poll = progress
            return
        if progress is True:
            if not _shows():
                return
            self._make = _any_bar
        elif progress == "rich":
            import rich.progress  # noqa: F401  (ImportError now, not in the middle)

            self._make = _RichBar
        elif progress == "tqdm":
            import tqdm  # type: ignore[import-untyped, unused-ignore]  # noqa: F401

            self._make = _TqdmBar
        elif not isinstance(progress, str):
            raise TypeError(
                f'progress must be a function, True, "rich" or "tqdm", not {type(progress).__name__}'
            )
        else:
            raise ValueError(f'progress must be a function, True, "rich" or "tqdm": {progress!r}')
        self._begin = time.monotonic()
        self._poll = self._show

    def __enter__(self) -> Optional[Callable[[int], object]]:
        return self._poll

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _show(self, entries: int) -> None:
        if self._bar is None:
            if self._make is None or time.monotonic() - self._begin < DELAY:
                return
            self._bar = self._make()
            if self._bar is None:  # nothing to show it with
                self._make = None
                return
            self._bar.open(self._title)
        self._bar.update(entries)


def _any_bar() -> Any:
    for kind in (_RichBar, _TqdmBar):
        try:
            return kind()
        except ImportError:
            continue
    return None


class _RichBar:
    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TextColumn("{task.completed:,.0f} entries"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )

    def open(self, title: str) -> None:
        self._task = self._progress.add_task(title, total=None)
        self._progress.start()

    def update(self, entries: int) -> None:
        self._progress.update(self._task, completed=entries)

    def close(self) -> None:
        self._progress.stop()


class _TqdmBar:
    def __init__(self) -> None:
        if in_notebook():
            from tqdm.auto import tqdm  # type: ignore[import-untyped, unused-ignore]
        else:
            from tqdm import tqdm

        self._tqdm = tqdm

    def open(self, title: str) -> None:
        self._bar = self._tqdm(desc=title, unit=" entries", leave=False, file=sys.stderr)

    def update(self, entries: int) -> None:
        self._bar.update(entries - self._bar.n)

    def close(self) -> None:
        self._bar.close()
