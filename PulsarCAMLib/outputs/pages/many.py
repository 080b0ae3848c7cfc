"""The page of many explained patients: what the answers are worth first, who is missing, and a line for every unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...core.pluralize import capital, pluralize
from .templating import number, percent, render

if TYPE_CHECKING:
    from ...systems.bundles.card import ModelCard

TITLE = "Many patients: predictions and explanations"


@dataclass(frozen=True)
class Explained:
    """One patient's MRI or visit.

    Attributes:
        name: pseudonym, with which MRI it is.
        patient: pseudonym.
        about: which MRI or visit.
        page: address of its own page, relative to this one.
        problem: why there is no result; empty where there is one.
        rows: of its table of units.
        warnings: of its result.
    """

    name: str
    patient: str
    about: str
    page: str
    problem: str
    rows: Sequence[Mapping[str, str]]
    warnings: Sequence[str]


def many_html(found: Sequence[Explained], card: ModelCard, made_at: datetime | None = None, *, dose: str = "") -> str:
    """The page as text.

    Args:
        found: every patient; where rows tell of the dose, two columns do.
        card: of the model.
        made_at: the time to print (default: now).
        dose: one sentence on the dose over all patients, if there is one.
    """
    task, made_at = card.system.task, made_at or datetime.now().astimezone()
    done = [each for each in found if not each.problem]
    units = [row for each in done for row in _units(each, task.unit)]
    answers: dict[str, int] = {}
    for row in units:
        answers[row.get("answer", "")] = answers.get(row.get("answer", ""), 0) + 1
    told = ", ".join(f"{count} {name}" for name, count in sorted(answers.items(), key=lambda pair: -pair[1]) if name)
    dosed = any("dose_mean_gy" in row for row in units)
    people = pluralize(len({each.patient for each in done}), "patient")
    return render(
        "many.html",
        title=TITLE,
        about=f"{pluralize(len(units), task.unit)} of {people}, made by PulsarCAM {__version__} on "
        f"{made_at:%Y-%m-%d %H:%M}",
        model=f"Model: {card.origin}",
        verdict=card.verdict,
        said=[f"{len(done)} of {len(found)} explained" + (f": {told}." if told else "."), *([dose] if dose else [])],
        failed=[(each.name, each.problem) for each in found if each.problem],
        heads=("Patient", capital(task.unit), "Answer", capital(task.probability_title()), "From, to", "Predicted",
               "Volume (cm³)", "Activated", *(("Dose (Gy)", "Activated part gets") if dosed else ())),
        rows=[line for each in done for line in _lines(each, task, dosed)],
        notes=_notes(done),
    )  # fmt: skip


def _units(each: Explained, unit: str) -> list[Mapping[str, str]]:
    """Rows of the first map: one a unit."""
    first: dict[str, Mapping[str, str]] = {}
    for row in each.rows:
        first.setdefault(row.get(unit, ""), row)
    return list(first.values())


def _lines(each: Explained, task: Any, dosed: bool) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "page": each.page,
            "unit": row.get(task.unit, ""),
            "answer": row.get("answer", ""),
            "probability": _number(row.get(task.probability_column())),
            "range": f"{_number(row.get('answer_low'))} to {_number(row.get('answer_high'))}",
            "predicted": row.get("predicted_class", ""),
            "volume": _number(row.get("volume_cm3")),
            "activated": _share(row.get("activated_share")),
            "dose": (_number(row.get("dose_mean_gy")), row.get("dose_activated_gets") or "–") if dosed else (),
        }
        for row in _units(each, task.unit)
    ]


def _number(text: str | None) -> str:
    try:
        return number(float(text or ""))
    except ValueError:
        return "–"


def _share(text: str | None) -> str:
    try:
        return percent(float(text or ""))
    except ValueError:
        return "–"


def _notes(done: Sequence[Explained]) -> list[tuple[str, str]]:
    """Warnings and whom they concern; the same one of many is told once."""
    found: dict[str, list[str]] = {}
    for each in done:
        for warning in each.warnings:
            found.setdefault(warning, []).append(each.name)
    return [(_listed(names, len(done)), warning) for warning, names in found.items()]


def _listed(names: Sequence[str], of: int) -> str:
    if len(names) == of and of > 1:
        return "All"
    return ", ".join(names) if len(names) <= 5 else f"{', '.join(names[:5])} and {len(names) - 5} more"
