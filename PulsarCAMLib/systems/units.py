"""What goes into a training: a cohort's units, how they are labelled by rule, and what a network learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # names of systems are listed before NumPy is there
    import numpy as np

    from ..core.case import Case


@dataclass(frozen=True, eq=False)
class LabelledUnit:
    """One unit of a cohort.

    Attributes:
        patient: whose; splits are made by patient.
        case: its images; ``case.lesions`` holds the lesion alone, or nothing where the unit is the patient.
        name: of the unit within the patient.
        label: number of its class in the task's order.
        confidence: how sure the label is, 0 to 1; None: nobody said.
    """

    patient: str
    case: Case
    name: str
    label: int
    confidence: float | None = None


@dataclass(frozen=True)
class ComputedLabel:
    """The class of a visit by a system's own rule.

    Attributes:
        label: number of the class in the task's order; None: it cannot be told.
        why: the rule that decided, or what it lacks, in words.
        wrong: what cannot be used, as a finding's sentence without a full stop; empty: nothing.
        doubts: what the table says otherwise than its mask, sentences as that.
    """

    label: int | None
    why: str
    wrong: str = ""
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Copy:
    """One sample to train on: a unit as it is, or changed (turned, say).

    Attributes:
        image: float32 ``[channels, *size]``.
        mask: ``[1, *size]``, as the network is told of it: bool, or float32 in 0..1.
        change: 0 for the unit as it is; else what tells the copies of a unit apart, such as degrees.
        warnings: sentences for the user.
    """

    image: np.ndarray
    mask: np.ndarray
    change: float = 0.0
    warnings: tuple[str, ...] = ()
