"""What is asked, and of which images. Needs neither NumPy nor torch."""

from __future__ import annotations

from ...core.inputs import BRAIN, DOSE, MRI, InputRole
from ...core.task import GIVEN, PATIENT, LabelRule, Task, TaskClass
from ...core.vocabulary import BEFORE

NAME = "rice-net"

RECURRENCE, RICE = "recurrence", "rice"

TASK = Task(
    name="recurrence-or-rice",
    title="Recurrence or radiation-induced contrast enhancement",
    classes=(
        TaskClass(RICE, "with radiation change", "radiation-induced contrast enhancement (RICE): treated tissue reacts",
                  "#0072b2"),
        TaskClass(RECURRENCE, "with recurrence", "recurrence: the tumour grows again", "#d55e00"),
    ),
    positive=RECURRENCE,
    explained=RECURRENCE,
    unit=PATIENT,
    label=LabelRule(GIVEN, "outcome"),
    metrics=("balanced_accuracy", "macro_f1", "auc"),
    report_title="Recurrence or radiation change: prediction and explanation",
    sorting="Most likely to be recurrence first",
)  # fmt: skip
"""Colours after Okabe and Ito, which are told apart without red and green."""

EVENT, POSTOP, RTDOSE = "event", "postop", "rtdose"

INPUTS = (
    InputRole(EVENT, "event T1", MRI, "contrast-enhanced T1 on which the new enhancement was seen", column=EVENT),
    InputRole(POSTOP, "post-operative T1", MRI, "contrast-enhanced T1 between surgery and radiotherapy", BEFORE, False),
    InputRole(RTDOSE, "radiation dose", DOSE, "dose of the whole course in Gy, in the space of the post-operative T1",
              BEFORE, False),
    InputRole("brain", "brain on the event T1", BRAIN, "mask of the brain on the event T1", needed=False),
    InputRole("brain-before", "brain on the post-operative T1", BRAIN, "mask of the brain on the post-operative T1",
              BEFORE, False, "brain"),
)  # fmt: skip
"""Maps are written on the event T1, where the enhancement is; which of them a network sees is its card's to say."""

CHANNELS = (POSTOP, EVENT, RTDOSE)
"""In the order of the paper."""
