"""A visit's sample with what its tumour measures, for tables beside the network's answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..volumes.samples import VolumeSamples
from .measurements import Measurement, measure_mask

if TYPE_CHECKING:
    from ...core.case import Case


@dataclass(frozen=True, eq=False)
class MeasuredSamples(VolumeSamples):
    """A sample of a visit whose tumour is outlined.

    Attributes:
        tumour: on the reference grid.
    """

    tumour: Measurement | None = None

    def facts(self) -> dict[str, object]:
        """Largest lesion's diameters, sum of products, volume, number of lesions, and whether one can be measured."""
        found = super().facts()
        if self.tumour is None or self.tumour.gone:
            return found
        largest = self.tumour.lesions[0]
        return found | {
            "tumour_longest_mm": round(largest.longest_mm, 2),
            "tumour_perpendicular_mm": round(largest.perpendicular_mm, 2),
            "tumour_product_mm2": round(self.tumour.product_mm2, 2),
            "tumour_volume_cm3": round(self.tumour.volume_cm3, 4),
            "tumour_lesions": len(self.tumour.lesions),
            "tumour_measurable": int(self.tumour.measurable),
        }


def measured(sample: Any, case: Case) -> MeasuredSamples:
    """The sample with the measurement of all the case's lesions together."""
    mask = np.zeros(case.geometry.shape, dtype=bool)
    for lesion in case.lesions:
        mask[lesion.box] |= lesion.mask
    return MeasuredSamples(**vars(sample), tumour=measure_mask(mask, case.geometry))
