"""Which numbers and answers the structured report tells of a unit and of its activated sub-region."""

from __future__ import annotations

import numpy as np

from ...core.display import DisplaySettings
from ...core.lesion import Lesion
from ...core.task import PREDICTED
from ...explanation.plain import plain_answer
from ...explanation.result import CaseResult, UnitResult
from .report import Figure


def figures_of_unit(result: CaseResult, unit: UnitResult) -> list[Figure]:
    """Volume, and the probabilities that the task tells."""
    task = result.task
    found = [Figure("volume", "Volume", 1000 * unit.lesion.volume_cm3(result.geometry), "mm3")]
    for name in task.told:
        title = task.probability_title(name)
        found.append(Figure(_code("p", name), f"Model's {title}", unit.probability_of(name), "1", "mean"))
    title = f"Model's {task.probability_title()}, over the ensemble"
    return [*found, Figure(_code("sd", task.positive), title, unit.spread, "1", "spread")]


def answers_of(result: CaseResult, unit: UnitResult) -> dict[tuple[str, str], tuple[str, str]]:
    """Question to answer, each a code and words."""
    answer, level = plain_answer(unit, result.card).answer, result.verdict.level
    worth = level.removeprefix("not-better-than-").removeprefix("better-but-")
    return {
        ("predicted", "Class that the model predicts"): (unit.predicted_class[:16], unit.predicted_class),
        ("answer", "Answer, uncertain where members or half a voxel decide"): (answer[:16], answer),
        ("worth", "What the model is worth for new patients"): (worth[:16], level.replace("-", " ")),
    }


def figures_of_region(result: CaseResult, unit: UnitResult, region: Lesion, shown: DisplaySettings) -> list[Figure]:
    """Volume, share of the unit, and the map inside."""
    voxels = region.voxels
    values = result.pasted(unit, shown.method, shown.target, input=shown.input, on_reference=True).values[region.mask]
    target = unit.predicted_class if shown.target == PREDICTED else shown.target
    map_words = f"{result.method(shown.method).title} for {target}"
    return [
        Figure("volume", "Volume", voxels * result.geometry.voxel_volume_mm3, "mm3"),
        Figure("share", f"Share of the {result.task.unit} that is activated", voxels / unit.lesion.voxels),
        Figure("map-mean", map_words, float(np.mean(values)), "1", "mean"),
        Figure("map-max", map_words, float(np.max(values)), "1", "maximum"),
    ]


def _code(begin: str, name: str) -> str:
    return f"{begin}-{name}"[:16]
