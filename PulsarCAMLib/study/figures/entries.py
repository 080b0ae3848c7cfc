"""One figure of a summary: whose it is, where it stands, and how it is written; for all that is said of a study."""

from __future__ import annotations

from typing import Any

from ...core.task import Task
from ...core.vocabulary import MRI_TITLES, TIME_POINTS
from ...systems.bundles.verdict import HONEST
from ...systems.contract import System
from ...systems.registry import DEFAULT, system_of
from ..settings import asked_twice

Entry = dict[str, Any]


def system_in(summary: dict[str, Any]) -> System:
    """Whose study it was; a summary tells of its system where it is not the first one."""
    return system_of(summary.get("system", DEFAULT))


def task_of(summary: dict[str, Any]) -> Task:
    """What a study asked."""
    return system_in(summary).task


def on_mri(time_point: str, system: System, before: str = ", ") -> str:
    """ ", first MRI", as it follows a title; empty for systems that take the MRIs of several time points at once."""
    return f"{before}{MRI_TITLES[time_point]}" if asked_twice(system) else ""


def entry_of(summary: dict[str, Any], protocol: str, model: str, time_point: str, table: str = "table") -> Entry | None:
    """One entry of the table (or of ``"shared"``), if it has finished trials."""
    for entry in summary[table]:
        if (entry["protocol"], entry["model"], entry["time_point"]) == (protocol, model, time_point):
            return entry if entry["trials"] else None
    return None


def main_entry(summary: dict[str, Any], model: str) -> Entry | None:
    """The honest answer about a model: held-out patients, on the first MRI if it can be asked about it."""
    found = (entry_of(summary, protocol, model, point) for protocol in HONEST for point in TIME_POINTS)
    return next(filter(None, found), None)


def judged(entry: Entry) -> dict[str, Any]:
    """What decides whether an AUC can be told from 0.5: the splits where they are repeated, else the pool."""
    return entry["by_split"] or entry["chance"]


def signed(value: float) -> str:
    """With its sign, a real minus."""
    return f"{value:+.3f}".replace("-", "−")


def percent(share: float) -> str:
    """ "49 %"."""
    return f"{100 * share:.0f} %"


def figure(value: float | None) -> str:
    """Three digits; a dash where there is none."""
    return "–" if value is None else f"{value:.3f}"


def spread(value: dict[str, Any]) -> str:
    """Mean and standard deviation over trials."""
    if value["mean"] is None:
        return "not defined"
    return f"{value['mean']:.3f}" + ("" if value["sd"] is None else f" ± {value['sd']:.3f}")
