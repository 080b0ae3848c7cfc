"""Pictures drawn beside the main process, when there are many."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .content import Picture
from .inputs_content import InputsPicture

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

FEW = 16
"""Up to so many pictures a second process costs more than it saves."""

AHEAD = 2
"""The second process has so many at once, the one that it draws and the next."""


@contextmanager
def drawing_pool(count: int, threads: int | None = None) -> Iterator[Callable[[Picture | InputsPicture, Path], None]]:
    """A function that draws a picture into a file, at once or soon; all are done when the context is left.

    Args:
        count: number of pictures to come.
        threads: cores to use; None: all.
    """
    cores = threads or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    if count <= FEW or cores < 2:
        yield save_picture
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context("spawn")
    begun = {"initializer": _begin_second_process, "initargs": (os.getpid(),)}
    with ProcessPoolExecutor(1, mp_context=context, **begun) as pool:
        shared = _Shared(pool)
        try:
            yield shared.draw
            shared.finish()
        finally:
            pool.shutdown(cancel_futures=True)


class _Shared:
    """Pictures that a second process draws from the first on and this one from the last, until the two meet.

    The second process is given a few at a time: nothing that it was given is ever taken back, for a future that is
    cancelled while its process dies leaves the pool waiting for ever. What it has not drawn when it dies (killed where
    memory ran out, or never started) is drawn here.
    """

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool
        self._waiting: deque[tuple[Picture | InputsPicture, Path]] = deque()
        self._given: list[tuple[Future, tuple[Picture | InputsPicture, Path]]] = []
        self._running = 0
        self._giving, self._counting = threading.Lock(), threading.Lock()

    def draw(self, picture: Picture | InputsPicture, path: Path) -> None:
        """Soon."""
        self._waiting.append((picture, path))
        self._give()

    def finish(self) -> None:
        """Draw until all are there; an error of one is raised."""
        while (item := self._taken_from_the_end()) is not None:
            save_picture(*item)
        for future, item in self._given:
            try:
                future.result()
            except BrokenExecutor:
                save_picture(*item)

    def _taken_from_the_end(self) -> tuple[Picture | InputsPicture, Path] | None:
        with self._giving:
            return self._waiting.pop() if self._waiting else None

    def _give(self) -> None:
        with self._giving:
            if self._running >= AHEAD or not self._waiting:
                return
            try:
                future = self._pool.submit(save_picture, *self._waiting[0])
            except BrokenExecutor:
                return
            self._given.append((future, self._waiting.popleft()))
            with self._counting:
                self._running += 1
        future.add_done_callback(self._done)

    def _done(self, future: Future) -> None:
        """In a thread of the pool, which may hold the pool's lock if the process has died: nothing is given then."""
        with self._counting:
            self._running -= 1
        if not future.cancelled() and future.exception() is None:
            self._give()


def save_picture(picture: Picture | InputsPicture, path: str | Path) -> None:
    """Draw and write a PNG."""
    from .inputs import draw_inputs
    from .overlay import draw

    canvas = draw_inputs(picture) if isinstance(picture, InputsPicture) else draw(picture)
    Path(path).write_bytes(canvas.png(level=1))


def _begin_second_process(parent: int) -> None:
    """Interrupts are the main process's affair, and so is when this one ends."""
    from ...io.workers import end_with

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with(parent)
