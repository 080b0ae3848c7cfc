"""One piece of work beside another, on a second core: libraries that compute let other threads go on meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from .progress import IsCancelled

Result = TypeVar("Result")


@contextmanager
def beside(work: Callable[[IsCancelled], Result], cores: int | None = None) -> Iterator[Callable[[], Result]]:
    """Run work in a thread while the context lasts.

    Args:
        work: is given what it may ask whether it is to stop: the context was left, by an error or a cancel.
        cores: to use; of one, the work is done when its result is asked for. None: all.

    Yields:
        What waits for the result; an error that the work ended with is raised there.

    Examples:
        >>> with beside(lambda stopped: 6 * 7) as answer:
        ...     answer()
        42
    """
    left = threading.Event()
    if cores == 1:
        yield lambda: work(left.is_set)
        return
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(work, left.is_set).result
        finally:
            left.set()
