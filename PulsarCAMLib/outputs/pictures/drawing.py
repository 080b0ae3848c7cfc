"""Pictures drawn beside the main process, when there are many."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .content import Picture
from .inputs_content import InputsPicture

FEW = 16
"""Up to so many pictures a second process costs more than it saves."""


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
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    context = multiprocessing.get_context("spawn")
    begun = {"initializer": _begin_second_process, "initargs": (os.getpid(),)}
    with ProcessPoolExecutor(1, mp_context=context, **begun) as pool:
        waiting: list[tuple[Future, Picture | InputsPicture, Path]] = []

        def draw(picture: Picture | InputsPicture, path: Path) -> None:
            waiting.append((pool.submit(save_picture, picture, path), picture, path))

        try:
            yield draw
            # The main process draws too, from the other end, until the two meet.
            for future, picture, path in reversed(waiting):
                if future.cancel():
                    save_picture(picture, path)
            for future, picture, path in waiting:
                if not future.cancelled() and isinstance(future.exception(), BrokenProcessPool):
                    save_picture(picture, path)  # no second process can be started here
                elif not future.cancelled():
                    future.result()
        finally:
            pool.shutdown(cancel_futures=True)


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
