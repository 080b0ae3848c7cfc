"""From an image to one channel: resampled onto the sample's grid, corrected, and scaled by a stated rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...core.case import Image
from ...core.errors import InputError
from ...core.geometry.volume import moved
from ...core.inputs import DOSE, InputRole
from ...lesions.resampling import image_around, resample
from .preprocessing import FIXED, Z_SCORE, VolumePreprocessing

if TYPE_CHECKING:
    from ...core.geometry.volume import VolumeGeometry

BIAS_SPACING_MM = 4.0
"""N4 looks at voxels of about this size; the field it finds is smooth, and is applied to all voxels."""

BIAS_ITERATIONS = (30, 20, 10)
"""Of N4, coarse to fine."""


def on_grid(image: Image, grid: VolumeGeometry, role: InputRole, way: np.ndarray | None = None) -> np.ndarray:
    """The image on the sample's grid; beyond its own edge it goes on as it ends there, but there is no dose.

    Args:
        image: in its own millimetres.
        grid: of the sample, in the common space.
        role: of the image.
        way: 4x4, LPS millimetres of the common space to those of the image; None: they are the same.

    Raises:
        InputError: they do not meet.
    """
    reach = image.geometry.to_ijk(moved(grid.corners_lps(), way))
    shape = np.array(image.geometry.shape)[::-1]
    if (reach.max(axis=0) < -0.5).any() or (reach.min(axis=0) > shape - 0.5).any():
        raise InputError(f"The {role.title} does not reach the place that is looked at; was another patient's chosen?")
    source = image_around(image.voxels, image.geometry, grid, way)
    return resample(source, grid, edges=role.kind != DOSE, matrix=way)


def doubts(
    image: Image, grid: VolumeGeometry, role: InputRole, inside: np.ndarray, way: np.ndarray | None = None
) -> Iterator[str]:
    """What an image lacks where the unit is, as parts of sentences."""
    at = image.geometry.to_ijk(moved(grid.to_lps(np.argwhere(inside)[:, ::-1]), way))
    beyond = ((at < -0.5) | (at > np.array(image.geometry.shape)[::-1] - 0.5)).any(axis=1).mean()
    if beyond and role.kind != DOSE:
        share = f"{max(beyond, 0.01):.0%}"
        yield f"the {role.title} does not cover {share} of it; beyond its edge it goes on as it ends there"


def standardised(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Mean 0 and standard deviation 1 over the voxels inside; only the mean where they are constant."""
    mean, deviation = float(values[inside].mean()), float(values[inside].std())
    return ((values - mean) / (deviation or 1.0)).astype(np.float32)


def scaled_dose(values: np.ndarray, inside: np.ndarray, preprocessing: VolumePreprocessing) -> np.ndarray:
    """A dose in Gy by the rule of the preprocessing; one that is divided stays zero where there is none."""
    if preprocessing.dose_scale == Z_SCORE:
        return standardised(values, inside)
    divisor = preprocessing.dose_gy if preprocessing.dose_scale == FIXED else float(values.max()) or 1.0
    return (values / divisor).astype(np.float32)


def bias_corrected(image: Image, inside: np.ndarray | None = None) -> Image:
    """The image without its slow change of brightness: N4 (Tustison et al., IEEE TMI 29:1310, 2010) by SimpleITK.

    The field is found on coarse voxels and applied to the image's own; values below zero count as zero.

    Args:
        image: an MRI.
        inside: bool ``[k, j, i]``, where the field is found; None: where the image is above zero.

    Raises:
        InputError: nothing of it is above zero.
    """
    import SimpleITK as sitk

    voxels = np.nan_to_num(image.voxels.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0).clip(min=0)
    inside = (voxels > 0) if inside is None else inside & (voxels > 0)
    if not inside.any():
        raise InputError("The bias of an MRI without a voxel above zero cannot be corrected; export the image again.")
    whole = image.geometry.to_sitk(voxels)
    mask = image.geometry.to_sitk(inside.astype(np.uint8))
    factors = [
        min(n, max(1, round(BIAS_SPACING_MM / s)))
        for s, n in zip(image.geometry.spacing, image.geometry.shape[::-1], strict=True)
    ]
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(BIAS_ITERATIONS)
    n4.SetNumberOfThreads(1)  # so that the sums are made in one order
    n4.SetNumberOfWorkUnits(1)
    n4.Execute(sitk.Shrink(whole, factors), sitk.Shrink(mask, factors))
    field = sitk.GetArrayFromImage(sitk.Cast(n4.GetLogBiasFieldAsImage(whole), sitk.sitkFloat32))
    return Image((voxels / np.exp(field)).astype(np.float32), image.geometry, image.source)
