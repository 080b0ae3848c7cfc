"""How a study is run: side by side, watched, stopped. None of it changes what comes out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from ..core.errors import Cancelled
from ..systems.contract import System
from ..systems.registry import DEFAULT
from .jobs import Progress

Stages = Callable[[str], AbstractContextManager[Progress | None]]


@dataclass(frozen=True)
class Running:
    """How a study is run, which changes nothing that comes out.

    Attributes:
        at_once, scheduler: see :func:`~.jobs.run_jobs`.
        progress: gives a context for a stage by its name.
        on_warning: is called with each warning.
        cancelled: True stops; the study can be continued.
    """

    at_once: int = 1
    scheduler: str | None = None
    progress: Stages = lambda _stage: nullcontext()
    on_warning: Callable[[str], None] | None = None
    cancelled: Callable[[], bool] | None = None

    def stop(self) -> None:
        """Ends the work where that is wanted.

        Raises:
            Cancelled: it is.
        """
        if self.cancelled and self.cancelled():
            raise Cancelled("stopped; what is done so far is kept")


def preparing(system: System) -> str:
    """Name of the stage in which units become what a system's network takes: "cutting patches"."""
    return f"{'cutting' if system.name == DEFAULT else 'preparing'} {system.samples_word}"
