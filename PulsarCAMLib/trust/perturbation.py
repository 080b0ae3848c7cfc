"""The same lesions, seen slightly differently, and the way back for their maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from ..systems.autoencoder.patches import LesionPatches
from .subjects import Subject

SHIFTS = ((0, 1), (0, -1), (1, 0), (-1, 0), (0, 2), (0, -2), (2, 0), (-2, 0))
"""Rows and columns by which a patch is moved."""

KINDS = ("shift", "rotation", "noise")


@dataclass(frozen=True, eq=False)
class Perturbed:
    """N lesions after one perturbation.

    Attributes:
        kind: in :data:`KINDS`.
        images, masks: ``[N, 1, s, s]``.
        back: of the lesion's number and values ``[s, s]`` on the perturbed patch: values on the original one.
    """

    kind: str
    images: np.ndarray
    masks: np.ndarray
    back: Callable[[int, np.ndarray], np.ndarray]


def perturbations(subjects: Sequence[Subject], noise: float, rng: np.random.Generator) -> Iterator[Perturbed]:
    """All perturbations that these lesions allow.

    Args:
        subjects: N lesions.
        noise: standard deviation of the noise, as a share of the patch's own.
        rng: of the noise.
    """
    images, masks = np.stack([s.image for s in subjects]), np.stack([s.mask for s in subjects])
    for rows, columns in SHIFTS:
        yield Perturbed("shift", shifted(images, rows, columns), shifted(masks, rows, columns, "constant"),
                        lambda n, values, by=(-rows, -columns): shifted(values, *by))  # fmt: skip
    if all(len(s.turned) == len(subjects[0].turned) for s in subjects):
        for which in range(len(subjects[0].turned)):
            turned = [s.turned[which] for s in subjects]
            yield Perturbed(
                "rotation",
                np.stack([t.images[t.main] for t in turned]),
                np.stack([t.masks[t.main] for t in turned]),
                lambda n, values, turned=turned: turned_back(turned[n], values, subjects[n].patches),
            )
    yield Perturbed("noise", noisy(images, noise, rng), masks, lambda n, values: values)


def shifted(values: np.ndarray, rows: int, columns: int, mode: str = "edge") -> np.ndarray:
    """``values [..., s, s]`` moved down and to the right; what comes in continues the edge, or is zero (constant)."""
    around = [(0, 0)] * (values.ndim - 2) + [(max(n, 0), max(-n, 0)) for n in (rows, columns)]
    height, width = values.shape[-2:]
    top, left = max(-rows, 0), max(-columns, 0)
    return np.ascontiguousarray(np.pad(values, around, mode=mode)[..., top : top + height, left : left + width])


def noisy(images: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Images ``[N, 1, s, s]`` with Gaussian noise of ``share`` of each patch's standard deviation, kept in 0..1."""
    spread = share * images.std(axis=(1, 2, 3), keepdims=True)
    return np.clip(images + spread * rng.standard_normal(images.shape), 0, 1).astype(np.float32)


def shuffled(images: np.ndarray, masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Images ``[N, 1, s, s]`` whose pixels inside the GTV have changed places at random."""
    mixed = images.copy()
    for image, mask in zip(mixed, masks, strict=True):
        image[mask] = rng.permutation(image[mask])
    return mixed


def turned_back(turned: LesionPatches, values: np.ndarray, onto: LesionPatches) -> np.ndarray:
    """Values ``[s, s]`` on one lesion's patch at another rotation, by linear interpolation on its original patch."""
    rows, columns = np.mgrid[: onto.patch_size, : onto.patch_size]
    top, left = onto.corners[onto.main]
    ijk = np.stack([left + columns, top + rows, np.full_like(rows, onto.slices[onto.main])], axis=-1)
    at = turned.grid.to_ijk(onto.grid.to_lps(ijk))
    top, left = turned.corners[turned.main]
    return map_coordinates(values, [at[..., 1] - top, at[..., 0] - left], order=1, mode="nearest")
