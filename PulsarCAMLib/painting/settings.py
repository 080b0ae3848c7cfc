"""By which rule a heat map becomes a prescription, and with what. Nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..core.settings import Settings, option

LINEAR, SIGMOID, CONTOURS = "linear", "sigmoid", "contours"
RULES = (LINEAR, SIGMOID, CONTOURS)
JOINT, OWN = "joint", "own"

LABEL = "research use only, not a plan"
"""In the name, the header or the first line of everything that painting makes."""

MOST_GY = 200.0
"""Higher levels are cGy, or a slip of the pen."""

GY: dict[str, Any] = {
    "metavar": "GY",
    "above": 0,
    "at_most": MOST_GY,
    "must": f"give Gy, above 0 and up to {MOST_GY:g}",
}
MM: dict[str, Any] = {"metavar": "MM", "unit": "mm", "at_least": 0, "at_most": 20}


@dataclass(frozen=True)
class PaintingSettings(Settings):
    """A named rule and its parameters (see :mod:`.rules`).

    Attributes:
        rule: of :data:`RULES`: by numbers, linear or sigmoid, or by contours.
        low_gy, high_gy: dose levels, totals in Gy; there are no usual ones.
        range: what of the heat map the levels span: "joint" from zero to the lesion's joint maximum of all classes, so
            that a class with hardly any evidence is hardly painted; "own" from its lowest to its highest value there.
        midpoint: of the sigmoid: share of the range that lies halfway up.
        steepness: of the sigmoid, per range.
        least_mm3: parts of the activated part that are smaller are left out (contours).
        parts: so many of the largest parts are kept (contours); 0: all.
        margin_mm: is added around them (contours).
        beyond_gtv: whether that margin may leave the GTV.
        organ_mm: no boost this near to an organ; 0: none within it.
        anyway: paint in spite of what speaks against it, and say so everywhere.
    """

    who = "dose painting"

    rule: str = option(LINEAR, "--paint", "rule of the painting", choices=RULES)
    low_gy: float | None = option(None, "--paint-low-gy", "dose where the map says nothing", **GY)
    high_gy: float | None = option(None, "--paint-high-gy", "dose where it says most, or of the boost", **GY)
    range: str = option(
        JOINT, "--paint-range", "what of the map the levels span: zero to the joint maximum of all classes in the "
        "lesion, or this map's own lowest to highest value there", choices=(JOINT, OWN),
    )  # fmt: skip
    midpoint: float = option(
        0.5, "--paint-midpoint", "of the sigmoid, as a share of the range", metavar="SHARE", above=0, below=1
    )
    steepness: float = option(
        10.0, "--paint-steepness", "of the sigmoid, per range", metavar="K", above=0, at_most=1000
    )
    least_mm3: float = option(
        0.0, "--paint-least-mm3", "smallest part of a sub-region that is painted (contours)", metavar="MM3",
        at_least=0, at_most=1e6,
    )  # fmt: skip
    parts: int = option(
        0, "--paint-parts", "most parts of a sub-region that are painted, the largest (contours; 0: all)", metavar="N",
        at_least=0, at_most=1000,
    )  # fmt: skip
    margin_mm: float = option(0.0, "--paint-margin-mm", "margin around the sub-region (contours)", **MM)
    beyond_gtv: bool = option(False, "--paint-beyond-gtv", "let that margin leave the GTV")
    organ_mm: float = option(
        0.0, "--paint-organ-mm", "no boost this near to an organ of --paint-organs; 0: none within it", **MM
    )
    anyway: bool = option(
        False, "--paint-anyway", "paint in spite of a model or map that may not be believed, or an unstable answer; "
        "everything that is written says so",
    )  # fmt: skip

    def disagreements(self) -> Iterator[str]:
        """Levels that are missing or turned round, and a margin beyond the GTV that is none."""
        if self.low_gy is None or self.high_gy is None:
            yield (
                "Dose painting needs two dose levels in Gy, and there are no usual ones: give --paint-low-gy and "
                "--paint-high-gy (from a script low and high)."
            )
        elif not self.low_gy < self.high_gy:
            yield f"The lower dose level, {self.low_gy:g} Gy, must be below the higher one, {self.high_gy:g} Gy."
        if self.beyond_gtv and not self.margin_mm:
            yield "Nothing leaves the GTV without a margin; give --paint-margin-mm, too."

    @property
    def levels(self) -> tuple[float, float]:
        """Both dose levels in Gy."""
        return float(self.low_gy or 0), float(self.high_gy or 0)  # without them there are no settings

    @property
    def middle_gy(self) -> float:
        """Halfway between the levels: what gets at least this is the boost of a painting by numbers."""
        return sum(self.levels) / 2

    @property
    def title(self) -> str:
        """As in "linear 12 to 20 Gy"."""
        low, high = self.levels
        return f"{self.rule} {low:g} to {high:g} Gy"

    @property
    def stem(self) -> str:
        """How names of files begin, as in "painting_linear_12-20Gy_research-only"."""
        low, high = self.levels
        return f"painting_{self.rule}_{low:g}-{high:g}Gy_research-only"

    @property
    def in_words(self) -> str:
        """The rule with the parameters that count for it, one clause."""
        low, high = self.levels
        span = "zero to the joint maximum of all classes" if self.range == JOINT else "its lowest to its highest value"
        near = f", no boost within {self.organ_mm:g} mm of an organ" if self.organ_mm else ""
        if self.rule == LINEAR:
            return f"by numbers, linear from {low:g} to {high:g} Gy over the map from {span} in the lesion{near}"
        if self.rule == SIGMOID:
            return (
                f"by numbers, sigmoid (midpoint {self.midpoint:g}, steepness {self.steepness:g}) from {low:g} to "
                f"{high:g} Gy over the map from {span} in the lesion{near}"
            )
        parts = f", the {self.parts} largest parts" if self.parts else ", all parts"
        least = f" of at least {self.least_mm3:g} mm3" if self.least_mm3 else ""
        margin = f", margin {self.margin_mm:g} mm{'' if self.beyond_gtv else ' within the GTV'}" * bool(self.margin_mm)
        return f"by contours, {high:g} Gy to the activated part{parts}{least}{margin}, {low:g} Gy to the rest{near}"
