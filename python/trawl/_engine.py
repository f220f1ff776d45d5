# SPDX-License-Identifier: Apache-2.0
"""Which engine does the work: the native one if it can be imported, else the pure one.

`select()` decides once per call, by the argument `implementation`, then by $TRAWL_IMPLEMENTATION,
then by what is there. Engines are modules with the interface of _native.pyi; objects of one engine
mean nothing to the other, so what users hold (CancelToken, PathFilter) makes them as needed.
"""

import os
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any, List, Optional

if TYPE_CHECKING:
    from typing import Literal

    Implementation = Literal["native", "python"]

__all__ = ["CancelToken", "FallbackWarning", "implementation", "is_native_available", "select"]

ENVIRONMENT = "TRAWL_IMPLEMENTATION"

_lock = threading.Lock()
_native: Any = None
_native_error: Optional[ImportError] = None
_warned = False


class FallbackWarning(RuntimeWarning):
    """The native module can't be imported: the pure Python engine is used, which is slower.

    Given once per process. Asking for ``implementation="python"`` gives none.
    """


def _load_native() -> Any:
    """The native module, or None; tried once."""
    global _native, _native_error
    if _native is None and _native_error is None:
        with _lock:
            if _native is None and _native_error is None:
                from importlib import import_module

                try:
                    _native = import_module("._native", __package__)
                except ImportError as error:
                    _native_error = error
    return _native


def _load_pure() -> Any:
    from importlib import import_module

    return import_module("._pure", __package__)


def select(wanted: "Optional[Implementation]" = None) -> Any:
    """The engine. ImportError if the native one is asked for and can't be imported."""
    name = wanted
    if name is None:
        chosen = os.environ.get(ENVIRONMENT, "")
        if chosen in ("native", "python"):
            name = chosen  # type: ignore[assignment]
        elif chosen not in ("", "auto"):
            raise ValueError(f'${ENVIRONMENT} must be "native", "python" or "auto": {chosen!r}')
    elif name not in ("native", "python"):
        raise ValueError(f'implementation must be "native", "python" or None: {wanted!r}')
    if name == "python":
        return _load_pure()
    native = _load_native()
    if native is not None:
        return native
    if name == "native":
        raise ImportError(
            f"trawl's native module can't be imported: {_native_error}", name="trawl._native"
        ) from _native_error
    _warn()
    return _load_pure()


def _warn() -> None:
    global _warned
    with _lock:
        if _warned:
            return
        _warned = True
    # The line that is to blame is the caller's, behind this package and what drives coroutines.
    level = 1
    frame: Any = sys._getframe()
    while frame is not None and _package(frame) in (__package__, "asyncio", "contextlib"):
        frame = frame.f_back
        level += 1
    warnings.warn(
        "trawl's native module can't be imported, so the pure Python engine is used, which gives "
        f"the same answers but is slower: {_native_error}",
        FallbackWarning,
        stacklevel=level,
    )


def _package(frame: Any) -> str:
    return str(frame.f_globals.get("__name__", "")).split(".")[0]


def is_native_available() -> bool:
    """Whether the native engine can be imported here."""
    return _load_native() is not None


def implementation(wanted: "Optional[Implementation]" = None) -> str:
    """Which engine calls with this ``implementation`` argument use: "native" or "python"."""
    return name_of(select(wanted))


def name_of(engine: Any) -> str:
    return "native" if engine is _native else "python"


def is_shared(table: Any) -> bool:
    """Whether Arrow's readers get this table of an engine's without that anything is made."""
    return _native is not None and isinstance(table, _native.Table)


def version() -> str:
    return str((_load_native() or _load_pure()).__version__)


class Flag:
    """Tells filters that what a walk finds is no longer wanted."""

    __slots__ = ("cancelled",)

    def __init__(self) -> None:
        self.cancelled = False


class CancelToken:
    """Ends walks from outside: give it to any number of calls, then :meth:`cancel` it.

    A call that is given a token that was cancelled ends at once. Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal's handler may cancel what it interrupts here
        self._cancelled = False
        self._tokens: List[Any] = []

    def cancel(self) -> None:
        """Returns at once; the walks end within milliseconds, marked "cancelled"."""
        with self._lock:
            self._cancelled = True
            for token in self._tokens:
                token.cancel()

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def _bind(self, engine: Any) -> Any:
        """A token of the engine's that is cancelled with this one."""
        with self._lock:
            for token in self._tokens:
                if type(token) is engine.CancelToken:
                    return token
            token = engine.CancelToken()
            self._tokens.append(token)
            if self._cancelled:  # looked at last: it may have been a moment ago
                token.cancel()
            return token

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a CancelToken ends walks of its process: it can't be pickled or copied")


def bind(cancel: Optional[CancelToken], engine: Any) -> Any:
    """The engine's token of what a caller gave."""
    if cancel is None:
        return None
    if not isinstance(cancel, CancelToken):
        raise TypeError(f"cancel must be a CancelToken, not {type(cancel).__name__}")
    return cancel._bind(engine)
