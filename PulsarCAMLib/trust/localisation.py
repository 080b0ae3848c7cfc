"""How well a heat map finds tissue that is known voxel by voxel.

All scores look at voxels inside the GTV only: finding the lesion itself is no merit, the contour was given.
Ties count as they would on average if they were broken at random, so that a uniform map scores chance.
"""

from __future__ import annotations

from collections.abc import Sequence
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


TEXTURE = "local texture"

TRIVIAL = ("intensity", "intensity reversed", TEXTURE, "near the centre", "near the margin", "uniform")
"""Maps that know nothing of the model; an explanation worth showing beats them."""


def trivial_maps(
    image: np.ndarray, inside: np.ndarray, spacing_kji: tuple[float, float, float]
) -> dict[str, np.ndarray]:
    """The maps of :data:`TRIVIAL` for one lesion.

    Args:
        image: MRI ``[k, j, i]``.
        inside: bool, the GTV.
        spacing_kji: voxel size in mm along the array's axes, for the distance from the GTV's centre of mass and for the
            window of the texture.
    """
    where = np.argwhere(inside) * np.asarray(spacing_kji)
    distance = np.zeros(image.shape)
    distance[inside] = np.linalg.norm(where - where.mean(axis=0), axis=1)
    image = image.astype(np.float64)
    texture = local_texture(image, inside, spacing_kji)
    return dict(zip(TRIVIAL, (image, -image, texture, -distance, distance, np.zeros(image.shape)), strict=True))


TEXTURE_WINDOW_MM = 5.0


def local_texture(image: np.ndarray, inside: np.ndarray, spacing_kji: Sequence[float]) -> np.ndarray:
    """Standard deviation of the brightness in a window of about 5 mm around each voxel, of the voxels in the GTV only.

    What lies outside is left out, so that the GTV's own edge is no texture.
    """
    from scipy.ndimage import uniform_filter

    size = [2 * max(1, round((TEXTURE_WINDOW_MM / each - 1) / 2)) + 1 if each <= TEXTURE_WINDOW_MM / 2 else 1
            for each in spacing_kji]  # fmt: skip
    found = np.zeros(image.shape)
    if not inside.any():
        return found
    values = np.where(inside, image - image[inside].mean(), 0.0)
    share, mean, square = (
        uniform_filter(each, size, mode="constant") for each in (inside.astype(np.float64), values, values**2)
    )
    share, mean, square = share[inside], mean[inside], square[inside]
    found[inside] = np.sqrt(np.maximum(square / share - (mean / share) ** 2, 0))
    return found
