"""Timing for machines that are never quiet: what is compared takes turns within one run, the fastest turn counts."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import isfinite
from statistics import median


@dataclass(frozen=True)
class Row:
    """One line of the report.

    Attributes:
        group: heading of its table.
        what: was measured.
        value: the figure.
        unit: of the figure.
        limit: the target, e.g. ``"<= 1.15"``; empty where there is none.
        note: what a reader must know to judge the figure.
    """

    group: str
    what: str
    value: float
    unit: str
    limit: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        """``"met"``, ``"MISSED"`` or nothing."""
        if not self.limit:
            return ""
        relation, number = self.limit.split()[:2]
        met = self.value <= float(number) if relation in ("<=", "<") else self.value >= float(number)
        return "met" if met else "MISSED"

    def to_json(self) -> dict:
        """As plain values."""
        value = self.value if isfinite(self.value) else None
        return {**asdict(self), "value": value, "verdict": self.verdict}


@dataclass(frozen=True)
class Times:
    """Seconds of one contestant, turn by turn."""

    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        """The turn with the least interference."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """What a user meets on this machine as it is now."""
        return median(self.seconds)


def take_turns(contestants: Mapping[str, Callable[[], object]], turns: int, seconds: float = 60.0) -> dict[str, Times]:
    """Time every contestant ``turns`` times, one after the other in each turn, after one turn that does not count.

    Args:
        contestants: name to what is timed.
        turns: wanted; at least one is made.
        seconds: no new turn begins after so long.
    """
    found: dict[str, list[float]] = {name: [] for name in contestants}
    began = time.perf_counter()
    with _no_collection():
        for turn in range(turns + 1):
            for name, work in contestants.items():
                start = time.perf_counter()
                work()
                if turn:
                    found[name].append(time.perf_counter() - start)
            if turn and time.perf_counter() - began > seconds:
                break
    return {name: Times(tuple(values)) for name, values in found.items()}


@contextmanager
def _no_collection():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def ratio(ours: Times, theirs: Times) -> tuple[float, str]:
    """Best over best, and in words the same of the medians, which shows how noisy the machine was."""
    return ours.best / theirs.best, f"medians: {ours.median / theirs.median:.2f}"
