"""What of heat maps is compared with what one sees in the MRI, and how. Nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..core.settings import Settings, option
from ..core.vocabulary import DEFAULT_MARGIN_MM, DEFAULT_SIGMA_MM, DEFAULT_THICKNESS_MM

if TYPE_CHECKING:
    from ..systems.contract import System

LENGTH: dict[str, Any] = {"metavar": "MM", "unit": "mm", "at_least": 0, "at_most": 100}


@dataclass(frozen=True)
class ComparisonSettings(Settings):
    """What is compared, and how.

    Attributes:
        methods: computed methods, signed ones among them if wanted; empty: all that the system computes for every case.
        targets: classes; empty: all of the task's.
        sigma_mm: scale of the gradient.
        margin_mm: thickness of the margin under the lesion's surface.
        thickness_mm: of the shells.
    """

    who = "a comparison"

    methods: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    sigma_mm: float = option(DEFAULT_SIGMA_MM, "--sigma-mm", "scale of the gradient", **LENGTH)
    margin_mm: float = option(DEFAULT_MARGIN_MM, "--margin-mm", "thickness of the margin", section="margin", **LENGTH)
    thickness_mm: float = option(DEFAULT_THICKNESS_MM, "--shell-mm", "thickness of the shells", **LENGTH)

    def of(self, system: System) -> ComparisonSettings:
        """The same with the system's own methods and classes where none are named."""
        usual = tuple(method.name for method in system.maps if method.always)
        return replace(self, methods=self.methods or usual, targets=self.targets or system.task.names)
