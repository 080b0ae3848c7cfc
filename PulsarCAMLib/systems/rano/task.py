"""What is asked, and of which images. Needs neither NumPy nor torch."""

from __future__ import annotations

from ...core.inputs import BRAIN, MASK, MRI, InputRole
from ...core.task import COMPUTED, VISIT, LabelRule, Task, TaskClass
from ...core.vocabulary import BEFORE
from .criteria import CATEGORIES, CR, PD, PR, RULES, SD

NAME = "rano"

TASK = Task(
    name="rano-response",
    title="RANO response of glioblastoma",
    classes=(
        TaskClass(CR.lower(), "complete responses", "complete response: no enhancing tumour is left", "#0072b2"),
        TaskClass(PR.lower(), "partial responses", "partial response: much less enhancing tumour than at the baseline",
                  "#56b4e9"),
        TaskClass(SD.lower(), "stable", "stable disease: neither response nor progression", "#999999"),
        TaskClass(PD.lower(), "progressive", "progressive disease: more than at the smallest size, or something new",
                  "#d55e00"),
    ),
    positive=PD.lower(),
    explained=PD.lower(),
    unit=VISIT,
    label=LabelRule(COMPUTED, "rano", {name: rule.title for name, rule in RULES.items()}),
    metrics=("balanced_accuracy", "auc"),
    report_title="RANO response of glioblastoma: prediction and explanation",
    sorting="Most likely to be progressive first",
)  # fmt: skip
"""Colours after Okabe and Ito, which are told apart without red and green."""

assert TASK.names == tuple(name.lower() for name in CATEGORIES)

MODALITIES = {"t1": "T1", "t2": "T2", "flair": "FLAIR", "t1c": "contrast-enhanced T1"}
OPTIONAL = ("t1c",)

NOW, EARLIER = "now", "before"


def _roles() -> tuple[InputRole, ...]:
    found = []
    for name, title in MODALITIES.items():
        needed = name not in OPTIONAL
        found.append(InputRole(name, f"{title} now", MRI, f"{title} MRI of this visit", needed=needed, column=name))
        about = f"{title} MRI of the visit before"
        found.append(InputRole(f"{name}-before", f"{title} before", MRI, about, BEFORE, needed, column=name))
    brains = (
        InputRole("brain", "Brain now", BRAIN, "mask of the brain of this visit", needed=False, column="brain"),
        InputRole(
            "brain-before", "Brain before", BRAIN, "mask of the brain of the visit before", BEFORE, False, "brain"
        ),
    )
    about = "enhancing tumour of this visit: segmentation or label map, perhaps empty"
    before = "enhancing tumour of the visit before, drawn on its T1: segmentation or label map, perhaps empty"
    tumours = (
        InputRole("tumour", "Enhancing tumour", MASK, about, needed=False, column="tumour"),
        InputRole("tumour-before", "Enhancing tumour before", MASK, before, BEFORE, False, "tumour"),
    )
    return (*found, *brains, *tumours)


INPUTS = _roles()
"""In the order of the network's channels: T1 now, T1 before, T2 now, T2 before, and so on, as the authors' code."""
