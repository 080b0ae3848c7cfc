"""Lesions of a mask's own grid on the MRI's: refused, warned of, or brought to its voxels; for files and for scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..core.errors import InputError
from ..core.geometry.volume import VolumeGeometry, kji_of
from ..core.lesion import Lesion
from .doubts import LEAVE_OUT, doubts_on_all, doubts_on_few_voxels, quoted
from .filling import fill
from .overlap import REMEDY, box_ras_of, check_fits, same_size_elsewhere, where_else

# Warnings are kept with the results, so they name no file: a file's name may be a patient's.
RESAMPLED = (
    "The segmentation has another grid than the MRI; each mask is as many voxels of the MRI as it has volume, those "
    "that it fills most. Volumes are told as drawn."
)


@dataclass(frozen=True)
class _Place:
    """Where a lesion lies relative to the MRI; see :class:`PulsarCAMLib.lesions.overlap.Placed`."""

    voxels: int
    share_inside: float
    box_ras: np.ndarray | None


def lesions_on_grid(
    name: str,
    lesions: list[Lesion],
    own: VolumeGeometry,
    geometry: VolumeGeometry,
    must_use_all: bool,
    image_name: str = "the MRI",
    remedy: str = REMEDY,
    by_header: bool = True,
) -> tuple[list[Lesion], list[str]]:
    """Lesions of the mask's own grid on the MRI's.

    Where both have one grid, the lesions are what they were. Else each is brought to the MRI by
    :func:`PulsarCAMLib.lesions.filling.fill`, keeps the volume that was drawn, and is refused or warned of by the rules
    of :mod:`.overlap`.

    Args:
        name: of the mask, for sentences.
        lesions: on its own grid.
        own: that grid.
        geometry: of the MRI.
        must_use_all: whether each lesion was asked for, so that one outside the MRI is an error.
        image_name: of the MRI, for sentences.
        remedy: what to do where mask and MRI are apart.
        by_header: whether headers alone say where both lie; not where transforms of a scene have put one elsewhere.

    Returns:
        The lesions on the MRI's grid, and warnings.

    Raises:
        InputError: a lesion is the background, or outside the MRI though it was asked for.
        GeometryError: mask and MRI are apart in space.
    """
    if own.same_grid(geometry):
        return lesions, [*doubts_on_all(lesions, geometry, name), *doubts_on_few_voxels(lesions, geometry)]
    told = where_else(geometry, own) if by_header else ""
    return placed_on_grid(
        name,
        [(lesion, own) for lesion in lesions],
        geometry,
        must_use_all,
        image_name,
        remedy,
        elsewhere=by_header and same_size_elsewhere(geometry, own),
        doubt=told,
    )


def placed_on_grid(
    name: str,
    placed: Sequence[tuple[Lesion, VolumeGeometry]],
    geometry: VolumeGeometry,
    must_use_all: bool,
    image_name: str = "the MRI",
    remedy: str = REMEDY,
    *,
    elsewhere: bool = False,
    doubt: str = "",
) -> tuple[list[Lesion], list[str]]:
    """Lesions that have a grid of their own each on the MRI's; see :func:`lesions_on_grid`.

    Args:
        name, geometry, must_use_all, image_name, remedy: as there.
        placed: lesions, each with its grid.
        elsewhere: see :func:`.overlap.same_size_elsewhere`.
        doubt: a further warning about where they lie.

    Raises:
        InputError, GeometryError: as there.
    """
    places = {lesion.name: _place(lesion, own, geometry) for lesion, own in placed}
    warnings = check_fits(image_name, box_ras_of(geometry), name, places, same_size_elsewhere=elsewhere, remedy=remedy)
    warnings += [doubt] if doubt else []
    outside = [n for n, place in places.items() if place.share_inside == 0]
    if outside and must_use_all:
        raise InputError(f"{name}: {quoted(outside)} lie outside the MRI", LEAVE_OUT)
    if outside:
        warnings.append(f"Left out because outside the MRI: {quoted(outside)}.")
    brought = [bring(lesion, own, geometry) for lesion, own in placed if lesion.name not in outside]
    return [each.lesion for each in brought], warnings + doubts_about(name, brought, geometry)


class Brought(NamedTuple):
    """A lesion on the MRI's grid.

    Attributes:
        lesion: there, with the volume that was drawn.
        resampled: whether its voxels are no voxels of the MRI.
        kept: whether it is as large as the MRI can show; else one voxel stands for it.
    """

    lesion: Lesion
    resampled: bool
    kept: bool


def bring(lesion: Lesion, own: VolumeGeometry, geometry: VolumeGeometry) -> Brought:
    """A lesion of its own grid on the MRI's, by the rule of :mod:`.filling`."""
    filled = fill(lesion, own, geometry)
    there = Lesion.from_mask(lesion.name, filled.mask)
    at = kji_of(a + b for a, b in zip(there.offset, filled.offset, strict=True))
    shared = shares_lattice(own, geometry)
    drawn = lesion.drawn_mm3
    if drawn is None and not (shared and there.voxels == lesion.voxels):
        drawn = lesion.voxels * own.voxel_volume_mm3
    return Brought(replace(there, offset=at, drawn_mm3=drawn, contours=lesion.contours), not shared, filled.kept)


def doubts_about(name: str, brought: Sequence[Brought], geometry: VolumeGeometry) -> list[str]:
    """What is to be said of lesions that were brought to the MRI's grid.

    Raises:
        InputError: one is the background.
    """
    told = [RESAMPLED] if any(each.resampled for each in brought) else []
    if small := [each.lesion.name for each in brought if not each.kept]:
        told.append(f"Smaller than the MRI can show, taken as one voxel: {quoted(small)}.")
    shown = [each.lesion for each in brought if each.kept]
    return [
        *told,
        *doubts_on_all([each.lesion for each in brought], geometry, name),
        *doubts_on_few_voxels(shown, geometry),
    ]


def _place(lesion: Lesion, own: VolumeGeometry, geometry: VolumeGeometry) -> _Place:
    lps = own.to_lps((np.argwhere(lesion.mask) + lesion.offset)[:, ::-1])
    ijk = geometry.to_ijk(lps)
    inside = ((ijk > -0.5) & (ijk < np.array(geometry.shape[::-1]) - 0.5)).all(axis=1)
    ras = lps * [-1, -1, 1]
    return _Place(len(lps), float(inside.mean()), np.stack([ras.min(axis=0), ras.max(axis=0)]))


def shares_lattice(own: VolumeGeometry, geometry: VolumeGeometry) -> bool:
    """Whether the mask's voxels are voxels of the MRI: cropped, padded or with reversed axes."""
    ijk = geometry.to_ijk(own.corners_lps())
    step = np.abs(np.linalg.inv(geometry.ijk_to_lps[:3, :3]) @ own.ijk_to_lps[:3, :3])
    return bool(np.abs(ijk - np.rint(ijk)).max() < 1e-2 and np.allclose(step, np.rint(step), atol=1e-4)) and bool(
        np.allclose(step.sum(axis=0), 1, atol=1e-3)
    )
