"""Processes that work for another one: they end when it does, and what is lost with one of them is begun again.

A worker that is killed (by hand, or by a system short of memory) takes the whole pool with it; whoever asks runs what
is missing once more. A parent that is killed can tell nobody: every worker looks for it by itself.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from ..core.errors import PulsarCAMError

ATTEMPTS = 3
"""How often work is begun that is lost with its process."""

WATCH_SECONDS = 1.0
"""Between two looks for the parent."""

_watched: set[int] = set()


def end_with(parent: int) -> None:
    """From now on this process ends at once when its parent has, in whatever way; called in the worker.

    What a worker writes is there whole or not at all, so nothing is torn by that.

    Args:
        parent: its process number, as the parent knows it.
    """
    if parent == os.getpid() or parent in _watched:
        return
    _watched.add(parent)
    wait = partial(_wait_on_windows, parent) if os.name == "nt" else partial(_wait, parent)
    threading.Thread(target=_end_after, args=(wait,), daemon=True).start()


def _end_after(wait: Callable[[], None]) -> None:
    wait()
    os._exit(1)


def _wait(parent: int) -> None:
    """Until somebody else has adopted this process."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)


def _wait_on_windows(parent: int) -> None:
    """Until the parent's handle says that it has ended; one that cannot be opened has."""
    import ctypes

    synchronise, for_ever = 0x00100000, 0xFFFFFFFF
    kernel: Any = ctypes.windll.kernel32  # type: ignore[attr-defined]  # there on Windows only
    handle = kernel.OpenProcess(synchronise, False, parent)
    if handle:
        kernel.WaitForSingleObject(handle, for_ever)


def _tied(parent: int, work: Callable[..., Any], *given: Any) -> Any:
    end_with(parent)
    return work(*given)


def spread(work: Callable[..., Any], calls: Sequence[tuple], *, at_once: int, remote: bool = False) -> Iterator[Any]:
    """What the calls give, in any order, from processes side by side.

    Args:
        work: a function of a module.
        calls: arguments of each call.
        at_once: processes on this machine; where ``remote``, what joblib's present engine takes it for.
        remote: the processes are not this one's children (Dask).

    Returns:
        One value a call; fewer where processes were lost: the caller finds out which, and asks again.

    Raises:
        Exception: of a call.
    """
    from joblib import Parallel, delayed

    tied = work if remote else partial(_tied, os.getpid(), work)
    with warnings.catch_warnings():
        # A worker that ends, by its time out or killed, is replaced; lost calls are found by what is missing.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given to the executor", UserWarning)
        side_by_side = Parallel(n_jobs=at_once, batch_size=1, return_as="generator_unordered")
        try:
            yield from side_by_side(delayed(tied)(*call) for call in calls)
        except PulsarCAMError:
            raise
        except Exception as error:
            if not is_loss(error):
                raise


def is_loss(error: Exception) -> bool:
    """Whether a process was lost, rather than that the code in it failed."""
    from concurrent.futures import BrokenExecutor

    return isinstance(error, BrokenExecutor) or type(error).__name__ in ("KilledWorker", "TerminatedWorkerError")


def numbered(number: int, work: Callable[..., Any], *given: Any) -> tuple[int, Any]:
    """A call of :func:`spread` that says which one it was."""
    return number, work(*given)


def all_of(work: Callable[..., Any], calls: Sequence[tuple], *, at_once: int) -> dict[int, Any]:
    """What every call gives by its number; what is lost with a process is begun again.

    Args:
        work, calls: as :func:`spread` takes them.
        at_once: processes on this machine; below zero: those of joblib's present engine, which may be elsewhere.

    Returns:
        A value for every call, but for those that were lost :data:`ATTEMPTS` times.

    Raises:
        Exception: of a call.
    """
    return dict(as_they_come(work, calls, at_once=at_once))


def as_they_come(work: Callable[..., Any], calls: Sequence[tuple], *, at_once: int) -> Iterator[tuple[int, Any]]:
    """:func:`all_of`, each value with its call's number as soon as it is there, in any order."""
    waiting = set(range(len(calls)))
    for _ in range(ATTEMPTS):
        if not waiting:
            return
        asked = [(number, work, *calls[number]) for number in sorted(waiting)]
        # never in this process, which a call that ends its own would take along
        workers = max(2, min(at_once, len(asked))) if at_once > 0 else at_once
        for number, value in spread(numbered, asked, at_once=workers, remote=at_once < 0):
            waiting.discard(number)
            yield number, value
