"""How far a training is, in words, with the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable

from slicer.i18n import tr as _

from ...io.progress_file import RunProgress

ENOUGH, ENOUGH_SECONDS = 0.03, 5.0
"""Share of the run, and time, that must have been seen before a time is told."""


class TimeLeft:
    """An estimate from how fast the run went since it was first seen; a resumed run does not begin at 0.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[float, float] | None = None

    def seconds(self, overall: float) -> float | None:
        """What is left; None while too little was seen.

        Args:
            overall: share of the run that is done.
        """
        now = self._clock()
        if self._first is None or overall < self._first[1]:
            self._first = now, overall
        began, at_first = self._first
        gone = overall - at_first
        if gone < ENOUGH or now - began < ENOUGH_SECONDS:
            return None
        return (now - began) * (1 - overall) / gone


def in_words(progress: RunProgress | None, left: float | None) -> str:
    """One line for the person."""
    if progress is None:
        return _("Starting...")
    what = ": ".join(filter(None, [progress.stage.capitalize(), progress.text]))
    return what if left is None else f"{what}; {duration(left)}"


def duration(seconds: float) -> str:
    """Time left, as exact as anybody wants to know it."""
    minutes = seconds / 60
    if minutes < 1:
        return _("less than a minute left")
    if minutes < 90:
        return _("about {n} min left").format(n=round(minutes))
    return _("about {n} h left").format(n=f"{minutes / 60:.1f}")
