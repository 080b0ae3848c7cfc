"""A visit's sample with what its tumour measures, for tables beside the network's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.geometry.volume import VolumeGeometry
from ...core.vocabulary import BASELINE, BEFORE
from ..volumes.samples import VolumeSamples
from .measurements import Measurement, measure_mask

if TYPE_CHECKING:
    from ...core.case import Case
    from ...core.lesion import Lesion
    from ..contract import System


@dataclass(frozen=True, eq=False)
class MeasuredSamples(VolumeSamples):
    """A sample of a visit whose tumour is outlined.

    Attributes:
        tumour: on the reference grid.
        before: of the visit before, on the grid of its T1.
        outlines: time point to the mask ``[k, j, i]`` of what was measured, its grid, and the role of its MRI.
    """

    tumour: Measurement | None = None
    before: Measurement | None = None
    outlines: Mapping[str, tuple[np.ndarray, VolumeGeometry, str]] = field(default_factory=dict)

    def facts(self) -> dict[str, object]:
        """Largest lesion's diameters, sum of products, volume, number of lesions, and whether one can be measured; of
        the visit before, product, volume and number.
        """
        found = super().facts()
        if self.tumour is not None and not self.tumour.gone:
            largest = self.tumour.lesions[0]
            found |= {
                "tumour_longest_mm": round(largest.longest_mm, 2),
                "tumour_perpendicular_mm": round(largest.perpendicular_mm, 2),
                "tumour_product_mm2": round(self.tumour.product_mm2, 2),
                "tumour_volume_cm3": round(self.tumour.volume_cm3, 4),
                "tumour_lesions": len(self.tumour.lesions),
                "tumour_measurable": int(self.tumour.measurable),
            }
        if self.before is not None:
            found |= {
                "tumour_before_product_mm2": round(self.before.product_mm2, 2),
                "tumour_before_volume_cm3": round(self.before.volume_cm3, 4),
                "tumour_before_lesions": len(self.before.lesions),
            }
        return found

    def outline_at(self, time_point: str) -> tuple[np.ndarray, VolumeGeometry, str, str] | None:
        """Of a time point the mask, its grid, the role of its MRI, and what it measures, in words."""
        found = self.outlines.get(time_point)
        size = self.before if time_point == BEFORE else self.tumour
        if found is None or size is None:
            return None
        return *found, f"{size.product_mm2:.0f} mm², {size.volume_cm3:.1f} cm³"


def measured(sample: Any, case: Case, system: System) -> MeasuredSamples:
    """The sample with the measurement of all the case's lesions together, and of those of the visit before."""
    now, before = None, None
    outlines: dict[str, tuple[np.ndarray, VolumeGeometry, str]] = {}
    if case.lesions:
        mask = _mask_of(case.lesions, case.geometry)
        now = measure_mask(mask, case.geometry)
        outlines[BASELINE] = mask, case.geometry, case.reference
    for role in system.other_masks:
        if role.name in case.outlined:
            lead = system.lead_of(role).name
            grid = case.images[lead].geometry
            mask = _mask_of(case.outlined[role.name], grid)
            before = measure_mask(mask, grid)
            outlines[role.time_point] = mask, grid, lead
    return MeasuredSamples(**vars(sample), tumour=now, before=before, outlines=outlines)


def _mask_of(lesions: Sequence[Lesion], geometry: VolumeGeometry) -> np.ndarray:
    mask = np.zeros(geometry.shape, dtype=bool)
    for lesion in lesions:
        mask[lesion.box] |= lesion.mask
    return mask
