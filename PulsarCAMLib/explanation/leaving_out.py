"""Where one answer comes from: the logit of the same network with a part of its input replaced, one pass for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..core.input_control import LeaveOut
from ..systems.bundles.bundle import ModelBundle
from ..systems.contract import network_masks

if TYPE_CHECKING:
    from .result import UnitResult


@dataclass(frozen=True, eq=False)
class LeftOut:
    """The answer of one unit with parts of its input replaced.

    Attributes:
        ways: what was replaced.
        logit: of the unit as it is, mean over the members.
        changes: ``[P]``, by how much that mean moves, way by way.
    """

    ways: tuple[LeaveOut, ...]
    logit: float
    changes: np.ndarray

    @property
    def told_of(self) -> tuple[LeaveOut, ...]:
        """Ways whose change is beyond its limit."""
        return tuple(way for way, change in self.items() if way.warns(self.logit, change))

    def items(self) -> list[tuple[LeaveOut, float]]:
        """Way and change."""
        return list(zip(self.ways, self.changes.tolist(), strict=True))

    def row(self) -> dict[str, float]:
        """Columns of a table of units."""
        return {way.column: change for way, change in self.items()}

    def in_words(self) -> str:
        """As "logit -2.10: +0.12 with tissue outside the contour replaced, +4.52 with pixels inside shuffled"."""
        return f"logit {self.logit:.2f}: " + ", ".join(f"{change:+.2f} with {w.title}" for w, change in self.items())


def with_left_out(units: Sequence[UnitResult], bundle: ModelBundle) -> list[UnitResult]:
    """The same units, each with its :class:`LeftOut`; unchanged where the system leaves nothing out.

    Args:
        units: of one case.
        bundle: that explained them.
    """
    system = bundle.card.system
    if not system.leave_outs:
        return list(units)
    images = np.concatenate([unit.samples.images[[unit.main]] for unit in units])
    inside = np.concatenate([unit.samples.masks[[unit.main]] for unit in units])
    masks = np.concatenate([network_masks(unit.samples)[[unit.main]] for unit in units])
    changed = np.concatenate([system.left_out(way.name, images, inside) for way in system.leave_outs])
    asked = system.answers(bundle.ensemble, changed, np.concatenate([masks] * len(system.leave_outs)))
    found = asked.mean(axis=0).reshape(len(system.leave_outs), len(units))
    logits = [float(unit.logits[:, unit.main].mean()) for unit in units]
    return [
        replace(unit, left_out=LeftOut(system.leave_outs, logit, found[:, n] - logit))
        for n, (unit, logit) in enumerate(zip(units, logits, strict=True))
    ]


def left_out_notes(units: Sequence[UnitResult]) -> list[str]:
    """Sentences on answers that do not come from where a map would show it, one for each way."""
    told: dict[LeaveOut, list[str]] = {}
    for unit in units:
        found = unit.left_out
        if found is None:
            continue
        for way in found.told_of:
            told.setdefault(way, []).append(f"“{unit.name}” ({found.row()[way.column]:+.2f}, logit {found.logit:.2f})")
    return [way.warning.format(names=", ".join(names)) for way, names in told.items()]
