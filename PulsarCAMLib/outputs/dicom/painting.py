"""A dose painting as DICOM: the prescription as RTDOSE, and its boosts for the structure set; research, no plan."""

from __future__ import annotations

from typing import Any

from ...painting.paint import Painting
from ...painting.settings import LABEL
from .dose_grid import dose_of
from .maker import Maker, short
from .source import SourceSeries
from .structure_set import Region

LONGEST_NAME = 32
"""Letters of a lesion's name in that of its boost, so that what it is not still fits behind it (64 in all)."""


def of_painting(painting: Painting, source: SourceSeries, maker: Maker) -> tuple[Any, list[Region]]:
    """The RTDOSE object, not yet written, and the boosts as regions without a type, which no system takes for targets.

    Args:
        painting: what would be prescribed.
        source: the MRI.
        maker: of the result.
    """
    comment = f"not a plan: painting, {painting.settings.title}"
    dose = dose_of(painting.prescription, painting.geometry, source, maker, comment)
    about = f"{LABEL}: {painting.settings.in_words}; map {painting.method}, class {painting.target}"
    dose.ImageComments = about
    boosts = [
        Region(each.boost, about, name=f"{short(each.name, LONGEST_NAME)} boost, {LABEL}") for each in painting.lesions
    ]
    return dose, boosts
