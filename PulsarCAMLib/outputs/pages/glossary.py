"""What the report's columns, methods and scales mean, in words."""

from __future__ import annotations

from ...core.display import Threshold
from ...core.pluralize import capital
from ...core.task import LESION, Task
from ...explanation.stability import MOST_MOVED
from ...systems.bundles.card import ModelCard


def definitions_of(
    card: ModelCard,
    method: str,
    threshold: Threshold,
    margin_mm: float,
    *,
    stability: bool = False,
    sets: bool = False,
    left_out: bool = False,
    made: str = "",
) -> list[tuple[str, str]]:
    """Term and meaning of everything that the report shows; ``made`` of ``CaseResult.made_with``."""
    system, task = card.system, card.system.task
    unit, found = task.unit, system.method(method)
    image = system.image_inputs[0].title
    volume = f"Number of voxels of the contour (GTV) on the {image}'s grid, times the volume of a voxel."
    core = f"Activated volume deeper than {margin_mm:g} mm under the surface of the contour, and within that shell."
    spread = (
        f"Standard deviation of the probability over the {card.members} members of the ensemble. It tells how much "
    )
    other = next(name for name in task.names if name != task.positive)
    called = (
        f"{_capital(task.positive, '')} from a probability of {card.decision_threshold:g} on (the tick in the bar), "
        f"else {other}."
        if task.binary
        else "The class with the highest probability."
    )
    return [
        *((term, _capital(meaning)) for term, meaning in system.answer_words(card)),
        *([("± spread", spread + "the members disagree, not how often they are wrong.")] if card.members > 1 else []),
        ("Predicted class", called),
        ("Uncertain", _uncertain_words(task)),
        *([("Not ruled out", SETS)] if sets else []),
        *([("By half a voxel", _stability_words(task.unit, task.probability_title()))] if stability else []),
        *([("Volume", volume)] if unit == LESION else []),
        (
            "Activated volume",
            f"Part of the {unit} whose map is {threshold.in_words(task)}, and its percentage of the {unit}.",
        ),
        *([("Core, margin", core)] if unit == LESION else []),
        *system.fact_words(),
        *((each.heading, each.why) for each in (system.leave_outs if left_out else ())),
        ("Centre", f"Centre of mass of the {task.outline}; R, A, S millimetres as 3D Slicer shows them."),
        ("This map", found.about or _capital(found.equation)),
        *([("Its equation", f"{found.equation}.")] if found.about else []),
        *([("Made", made)] if made else []),
        ("Its unit", f"{_capital(found.unit)}"),
        (
            "Heat maps in general",
            "A map shows what moved this model's answer. It does not show biology, and a colourful map does not make "
            "the answer right.",
        ),
    ]


SETS = (
    "Classes among which the true one is, for all but the stated share of new patients (of all their answers at once), "
    "if these are like the model's validation patients. “Cannot tell”: all classes, or none."
)


def _uncertain_words(task: Task) -> str:
    other = "reaches across the threshold" if task.binary else "has another class as the likeliest"
    return (
        f"The range over the members' answers, and over half a voxel where that was asked, {other}, or the sets of "
        "classes cannot tell; the range stands in brackets."
    )


def _stability_words(unit: str, probability: str) -> str:
    whose = "contour half a voxel larger, smaller or aside, and " if unit == LESION else ""
    return (
        f"Lowest and highest {probability} when the model is asked again with the {whose}image and grid half a voxel "
        f"aside. In bold: the class changes, or the answer moves by more than {MOST_MOVED:g}; another person's contour "
        "may then be answered otherwise. Map: how far the centre of the usual map moves."
    )


def _capital(sentence: str, end: str = ".") -> str:
    return capital(sentence).rstrip(".") + end
