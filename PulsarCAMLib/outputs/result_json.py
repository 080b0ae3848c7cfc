"""``result.json``: model, options, versions; no path, no file name (it may be a patient's), nothing of the headers."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .. import __version__
from ..explanation.inputs import input_table
from ..explanation.result import CaseResult, UnitResult
from ..explanation.tables import conformal_row

if TYPE_CHECKING:
    from ..dose.case import CaseDose


def stability_of(result: CaseResult) -> list[dict[str, object]]:
    """How far every unit's answer moves, way by way; empty where it was not asked."""
    return [
        {
            result.task.unit: unit.name,
            "stable": found.is_stable,
            **{name: _or_none(value) for name, value in found.row().items()},
            "ways": [
                {"way": way, "probability": float(p), "class_stays": bool(kept), "map_centre_moves_mm": _or_none(moved)}
                for way, p, kept, moved in zip(found.ways, found.probabilities, found.kept, found.moved_mm, strict=True)
            ],
        }
        for unit in result.units
        if (found := unit.stability) is not None
    ]


def left_out_of(result: CaseResult) -> list[dict[str, object]]:
    """How far every unit's logit moves without parts of its input; empty where it was not asked."""
    return [
        {
            result.task.unit: unit.name,
            "logit": found.logit,
            "changes": [
                {"name": way.name, "what": way.title, "change": change, "told_of": way in found.told_of}
                for way, change in found.items()
            ],
        }
        for unit in result.units
        if (found := unit.left_out) is not None
    ]


def _made(result: CaseResult) -> dict[str, str]:
    """Method to what a reader of its maps must know of how they were made, where there is something."""
    return {name: made for name in result.units[0].methods if (made := result.made_with(name))}


def _or_none(value: float) -> float | None:
    """JSON knows no NaN."""
    return float(value) if math.isfinite(value) else None


def answers_of(result: CaseResult) -> list[dict[str, object]]:
    """What is said of every unit in plain words, and which classes cannot be ruled out."""
    pairs = zip(result.units, result.plain, strict=True)
    return [
        {result.task.unit: unit.name, "sentence": f"{plain.sentence}.", **plain.row(), **_set_of(unit)}
        for unit, plain in pairs
    ]


def _set_of(unit: UnitResult) -> dict[str, object]:
    found = unit.conformal
    return {} if found is None else {**conformal_row(unit), "classes": list(found.classes)}


def record_of(
    result: CaseResult, inputs: Mapping[str, str], options: Mapping[str, object], dose: CaseDose | None = None
) -> dict[str, object]:
    """What the file says; the folder adds the list of its files.

    Args:
        result: of the case.
        inputs: what was read, to its SHA-256.
        options: how it was asked for; names nobody.
        dose: what the lesions get, where there is a planned dose.
    """
    import numpy
    import SimpleITK as sitk
    import torch

    card, task = result.card, result.task
    return {
        "pulsarcam": __version__,
        "research_use_only": True,
        "verdict": result.verdict.as_dict(),
        "model": {
            "name": card.name,
            "title": card.title,
            "version": card.fields["version"],
            "sha256": card.sha256,
            **({"reference_sha256": card.reference_sha256} if card.reference_sha256 else {}),
            "synthetic": card.synthetic,
            "members": card.members,
            "origin": card.origin,
            **({"response": dict(card.fields["response"])} if "response" in card.fields else {}),
        },
        "input": dict(inputs),
        "options": dict(options),
        f"{task.unit}s": len(result.units),
        **({"input_shares": shares} if (shares := input_table(result)) else {}),
        **({"stability": found} if (found := stability_of(result)) else {}),
        **({"left_out": parts} if (parts := left_out_of(result)) else {}),
        **({"maps_made": made} if (made := _made(result)) else {}),
        "answers": answers_of(result),
        **({"dose": dose.record()} if dose else {}),
        "warnings": result.verdict.warnings(result.warnings),
        "versions": {
            "python": platform.python_version(),
            "numpy": numpy.__version__,
            "SimpleITK": sitk.Version_VersionString(),
            "torch": torch.__version__,
        },
    }
