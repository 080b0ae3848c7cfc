"""Radiomics features of a lesion: first order, shape and texture of the MRI and of its filtered images.

mirp computes them (EUPL 1.2, an optional package), after the definitions of the Image Biomarker Standardisation
Initiative; :mod:`.names` lists them, :mod:`.settings` the choices.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...core.geometry.volume import VolumeGeometry
from ...core.lesion import Lesion
from ...core.requirements import FOR_RADIOMICS, require
from ..row import FeatureRow
from .block import Block, IntensityScale, block_of
from .library import computed, filtered, quiet, resampled
from .names import ON_LEVELS, TEXTURE, features_of, name_of
from .settings import RadiomicsSettings

LEAST_RANGE = 1e-9
"""Intensities of a lesion that differ by less than this share of the neighbourhood's largest are the same."""

EXTRA = "compare"
"""The extra of the package that brings the library."""

IN_SLICER = (
    "call PulsarCAM.PulsarCAMLogic().ensureComparisonDependencies() in the Python console, which offers to install it "
    "(with ask=False: without a question)"
)


def radiomics_features(
    volume: np.ndarray,
    geometry: VolumeGeometry,
    lesion: Lesion,
    settings: RadiomicsSettings | None = None,
    *,
    scale: IntensityScale | None = None,
) -> FeatureRow:
    """All radiomics features of a lesion, always the same names in the same order for the same settings.

    Args:
        volume: MRI ``[k, j, i]``.
        geometry: its place; axes may be oblique, left-handed and stored in any order.
        lesion: on the MRI's grid; it may have several parts.
        settings: None: the defaults.
        scale: of :func:`.block.intensity_scale`, where an MRI has many lesions; None: found here.

    Returns:
        Feature name to number, or None with a sentence in ``.reasons``.

    Raises:
        DependencyError: mirp is not installed.
        InputError: the MRI is no 3D image of numbers, does not fit its geometry, or the lesion lies outside it.
    """
    require(FOR_RADIOMICS, EXTRA, IN_SLICER)
    settings = settings or RadiomicsSettings()
    block = block_of(volume, geometry, lesion, settings, scale)
    row = FeatureRow()
    with quiet():
        block = resampled(block, settings)
        box, least = _box(block.inside), LEAST_RANGE * float(np.abs(block.values).max())
        for name, image in filtered(block, settings):
            near = replace(block, values=image[box], inside=block.inside[box])
            _put_all(row, name, near, settings, least)
    return row


def _box(inside: np.ndarray) -> tuple[slice, ...]:
    """The GTV's box and two voxels around it, without which features do not change but take longer."""
    from scipy import ndimage

    found = ndimage.find_objects(inside.astype(np.uint8))
    return tuple(slice(max(s.start - 2, 0), s.stop + 2) for s in found[0]) if found else (slice(0, 0),) * 3


def _put_all(row: FeatureRow, name: str, near: Block, settings: RadiomicsSettings, least: float) -> None:
    """Adds the features of one image."""
    values = near.values[near.inside]
    reasons = {
        feature: _reason(*feature, values, settings, holes=near.holes, least=least)
        for feature in features_of(name, settings)
    }
    possible = [stem for (_, stem), reason in reasons.items() if not reason]
    numbers = computed(near.values, near.inside, near.spacing_kji, possible, settings) if possible else {}
    for (family, stem), reason in reasons.items():
        fallback = f"not defined for this lesion's shape and gray levels (number of voxels: {values.size})"
        row.put(name_of(name, family, stem), numbers.get(stem), reason or fallback)


def _reason(
    family: str, stem: str, values: np.ndarray, settings: RadiomicsSettings, *, holes: int, least: float
) -> str:
    """Why a feature does not exist on a lesion with these intensities; "" when nothing speaks against it."""
    if not values.size:
        return f"the lesion is too small or thin for cubes of {settings.spacing_mm:g} mm, to which the MRI is resampled"
    if family == "shape":
        return ""
    if holes:
        return f"the MRI has no value in {holes} voxels of the lesion"
    if np.ptp(values) <= least:
        if family in TEXTURE or stem in ("stat_skew", "stat_kurt", *ON_LEVELS):
            return "all voxels of the lesion have the same intensity"
    elif family in TEXTURE and settings.bin_width is not None and _levels(values, settings.bin_width) == 1:
        return "all voxels of the lesion have the same gray level"
    return ""


def _levels(values: np.ndarray, width: float) -> int:
    return len(np.unique(np.floor(values / width)))
