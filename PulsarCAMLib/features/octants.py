"""Gradient features of the margin by octants: which side of a lesion is sharp, and how unlike its sides are.

The margin (voxels of the GTV less deep than the margin's thickness) is divided by the three anatomical planes through
the GTV's centre of mass into eight octants. On the same 69 lesions as the paper's, gradients by octants of the margin
told response better than those of core and whole margin (predecessor of the paper's series). An octant is called after
the side it lies on: right or left, anterior or posterior, superior or inferior (R/L, A/P, S/I), in the patient,
whatever the order in which the MRI is stored. A voxel on a dividing plane counts for R, A and S.

Sides mean little across lesions that lie at different places, so the extremes and the spread over the octants stand
beside them: they do not change when the lesion is mirrored.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from ..core.errors import InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..core.vocabulary import DEFAULT_MARGIN_MM, DEFAULT_SIGMA_MM
from ..explanation.tables import core_of
from .gradient_table import check_margin, intensity_scale_of, no_scale
from .gradients import gradient_maps
from .row import FeatureRow

OCTANTS = tuple("".join(sides) for sides in product("RL", "AP", "SI"))
"""Names, R before L, A before P, S before I."""

LEAST_VOXELS = 3
"""An octant with fewer voxels of margin says nothing."""

OCTANT_MEASURES = {
    "magnitude_mean_per_mm": "mean gradient magnitude over the intensity scale, 1/mm",
    "radial_mean": "mean radial gradient, -1 to 1, positive where the intensity falls away from the centre of mass",
}
"""Measure to what it is; each is given for every octant as ``octant_<sides>_<measure>``."""

SPREADS = {
    "lowest": "smallest of the octants",
    "highest": "largest of the octants",
    "range": "largest less smallest of the octants",
    "sd": "standard deviation over the octants (n - 1)",
    "opposite": "largest difference between two octants that lie opposite each other",
}
"""How the octants are summed up: ``octant_<spread>_<measure>``."""


def describe_octant_feature(name: str) -> str:
    """One line on a feature of :func:`octant_features`.

    Raises:
        InputError: there is no such feature.
    """
    _, _, rest = name.partition("octant_")
    which, _, measure = rest.partition("_")
    if name.startswith("octant_") and measure in OCTANT_MEASURES and which in (*OCTANTS, *SPREADS):
        where = f"octant {which} of the margin" if which in OCTANTS else f"margin, {SPREADS[which]}"
        return f"{where}: {OCTANT_MEASURES[measure]}"
    raise InputError(f"There is no octant feature called {name!r}.")


def octant_features(
    volume: np.ndarray,
    geometry: VolumeGeometry,
    lesion: Lesion,
    margin_mm: float = DEFAULT_MARGIN_MM,
    *,
    sigma_mm: float = DEFAULT_SIGMA_MM,
) -> FeatureRow:
    """Gradient features of the eight octants of a lesion's margin, always the same names in the same order.

    Args:
        volume: MRI ``[k, j, i]``.
        geometry: its place; the octants are cut in LPS, so oblique grids are cut by the patient's planes.
        lesion: on the MRI's grid.
        margin_mm: thickness of the margin under the GTV's surface.
        sigma_mm: scale of the gradient, see :func:`.gradients.gradient_maps`.

    Returns:
        Feature name to number, or None with a sentence in ``.reasons``.

    Raises:
        InputError: see :func:`.gradients.gradient_maps`; a margin that is not positive.
    """
    check_margin(margin_mm)
    maps = gradient_maps(volume, geometry, lesion, sigma_mm=sigma_mm)
    scale = intensity_scale_of(volume, geometry, lesion)
    margin = lesion.mask & ~core_of(lesion, geometry, margin_mm)
    place = geometry.cropped(lesion.offset, lesion.mask.shape)
    octants = _octant_of(np.argwhere(margin), place, maps.centre_lps)
    magnitudes, radials = maps.magnitude[margin].astype(float), maps.radial[margin].astype(float)
    row = FeatureRow()
    for measure, values in (
        ("magnitude_mean_per_mm", magnitudes / scale if scale else np.full(magnitudes.shape, np.nan)),
        ("radial_mean", radials),
    ):
        reason = "" if scale or measure == "radial_mean" else no_scale(scale)
        _put(row, measure, [values[(octants == n) & np.isfinite(values)] for n in range(len(OCTANTS))], reason)
    return row


def _octant_of(index_kji: np.ndarray, place: VolumeGeometry, centre_lps: np.ndarray) -> np.ndarray:
    """Number of each voxel's octant in the order of :data:`OCTANTS`."""
    from_centre = place.to_lps(index_kji[:, ::-1]) - centre_lps
    # LPS: what is larger lies more to the left, posterior, superior; rounding must not decide on which side a plane is.
    left, posterior = (from_centre[:, axis] > 1e-6 for axis in (0, 1))
    inferior = from_centre[:, 2] < -1e-6
    return 4 * left + 2 * posterior + inferior


def _put(row: FeatureRow, measure: str, values: list[np.ndarray], reason: str) -> None:
    means = np.array([each.mean() if len(each) >= LEAST_VOXELS else np.nan for each in values])
    few = f"the octant has fewer than {LEAST_VOXELS} voxels of margin with a value"
    for name, mean in zip(OCTANTS, means, strict=True):
        row.put(f"octant_{name}_{measure}", mean, reason or few)
    known = means[np.isfinite(means)]
    opposite = means - means[::-1]  # the last octant differs from the first on all three sides, and so on
    opposite = opposite[np.isfinite(opposite)]
    found = {
        "lowest": known.min() if len(known) else None,
        "highest": known.max() if len(known) else None,
        "range": np.ptp(known) if len(known) > 1 else None,
        "sd": known.std(ddof=1) if len(known) > 1 else None,
        "opposite": np.abs(opposite).max() if len(opposite) else None,
    }
    for name, value in found.items():
        row.put(f"octant_{name}_{measure}", value, reason or "too few octants have enough voxels of margin")
