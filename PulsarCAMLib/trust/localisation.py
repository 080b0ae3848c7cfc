"""How well a heat map finds tissue that is known voxel by voxel.

All scores look at voxels inside the GTV only: finding the lesion itself is no merit, the contour was given.
Ties count as they would on average if they were broken at random, so that a uniform map scores chance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from ..core.errors import InputError

NOTHING, EVERYTHING = "no planted tissue", "the whole GTV is planted"
"""Why there are no scores."""


class Localisation(NamedTuple):
    """Scores of one map in one lesion; NaN where undefined.

    Attributes:
        auroc: of the map's values, planted against other voxels of the GTV; 0.5 is chance.
        dice: of the planted tissue with the equally many voxels of highest value; the planted share is chance.
        pointing: 1 if the highest voxel is planted, else 0 (ties: their planted share).
        chance: planted share of the GTV, what a uniform map gets for ``dice`` and ``pointing``.
        undefined: why there are no scores, or an empty text.
    """

    auroc: float
    dice: float
    pointing: float
    chance: float
    undefined: str = ""


def localisation(values: np.ndarray, truth: np.ndarray, inside: np.ndarray) -> Localisation:
    """Scores of a map.

    Args:
        values: the map, any shape.
        truth: bool, planted tissue, same shape.
        inside: bool, the GTV, same shape.

    Raises:
        InputError: shapes differ, or the map is not finite inside.
    """
    if not values.shape == truth.shape == inside.shape:
        raise InputError(f"Map {values.shape}, truth {truth.shape} and GTV {inside.shape} must have the same shape.")
    values, truth = values[inside].astype(np.float64), truth[inside].astype(bool)
    if not np.isfinite(values).all():
        raise InputError("The heat map has values that are not finite inside the lesion.")
    planted, count = int(truth.sum()), len(truth)
    nan = float("nan")
    if planted == 0:
        return Localisation(nan, nan, nan, 0.0, NOTHING)
    if planted == count:
        return Localisation(nan, nan, nan, 1.0, EVERYTHING)
    ranks = rankdata(values)
    auroc = (ranks[truth].sum() - planted * (planted + 1) / 2) / (planted * (count - planted))
    return Localisation(
        auroc=float(auroc),
        dice=_expected_hits(values, truth, planted) / planted,
        pointing=float(truth[values == values.max()].mean()),
        chance=planted / count,
    )


def _expected_hits(values: np.ndarray, truth: np.ndarray, count: int) -> float:
    """Planted voxels among the ``count`` highest, ties at the limit taken in proportion."""
    limit = np.partition(values, -count)[-count]
    above, tied = values > limit, values == limit
    return float(truth[above].sum() + (count - above.sum()) * truth[tied].mean())


TRIVIAL = ("intensity", "intensity reversed", "near the centre", "near the margin", "uniform")
"""Maps that know nothing of the model; an explanation worth showing beats them."""


def trivial_maps(
    image: np.ndarray, inside: np.ndarray, spacing_kji: tuple[float, float, float]
) -> dict[str, np.ndarray]:
    """The maps of :data:`TRIVIAL` for one lesion.

    Args:
        image: MRI ``[k, j, i]``.
        inside: bool, the GTV.
        spacing_kji: voxel size in mm along the array's axes, for the distance from the GTV's centre of mass.
    """
    where = np.argwhere(inside) * np.asarray(spacing_kji)
    distance = np.zeros(image.shape)
    distance[inside] = np.linalg.norm(where - where.mean(axis=0), axis=1)
    image = image.astype(np.float64)
    return dict(zip(TRIVIAL, (image, -image, -distance, distance, np.zeros(image.shape)), strict=True))
