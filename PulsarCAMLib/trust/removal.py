"""Deletion and insertion: take the pixels a map names out of the GTV, and see what the prediction loses.

After Petsiuk et al. 2018 (RISE). Random orders are drawn on the bottleneck's grid, where the model's maps live: an
order that picks single pixels destroys fine texture everywhere after a few steps and so beats every smooth map,
whatever it knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from ..core.errors import InputError
from ..core.upsampling import upsample

if TYPE_CHECKING:
    from ..systems.autoencoder.ensemble import Ensemble

INFILLS = ("blurred", "mean")
BLUR_PIXELS = 3.0
"""Standard deviation of the blurred infill: wider than fine texture, narrower than lesions."""


class Curves(NamedTuple):
    """Scores of the shown class while pixels of the GTV go or come, highest of the map first.

    Attributes:
        deletion, insertion: ``[orders, steps + 1]``, logit of the shown class, mean over the members.
        deletion_probability, insertion_probability: the same for its probability.
    """

    deletion: np.ndarray
    insertion: np.ndarray
    deletion_probability: np.ndarray
    insertion_probability: np.ndarray


def infill(image: np.ndarray, inside: np.ndarray, kind: str | float) -> np.ndarray:
    """What stands in for removed pixels ``[s, s]``: the blurred image, the GTV's mean, or a number."""
    if isinstance(kind, (int, float)):
        return np.full_like(image, kind)
    if kind == "blurred":
        return gaussian_filter(image, BLUR_PIXELS, mode="nearest")
    if kind == "mean":
        return np.full_like(image, image[inside].mean())
    raise InputError(f"The infill must be one of {', '.join(INFILLS)} or a number; it is {kind!r}.")


def random_field(size: int, cells: int, rng: np.random.Generator) -> np.ndarray:
    """A map ``[size, size]`` that knows nothing, as smooth as the model's."""
    return upsample(rng.random((cells, cells)), size)


def as_smooth(values: np.ndarray, cells: int) -> np.ndarray:
    """A map ``[s, s]`` brought to the bottleneck's grid and back, so that it removes pixels as the model's maps do."""
    size = len(values)
    return upsample(values.reshape(cells, size // cells, cells, size // cells).mean(axis=(1, 3)), size)


def removal_order(values: np.ndarray, inside: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """Place of each pixel ``[s, s]`` in the order of removal: highest first, then by ``ties``; pixels outside never."""
    places = np.full(values.shape, values.size)
    order = np.lexsort((-ties[inside], -values[inside].astype(np.float64)))
    numbers = np.empty(len(order), dtype=int)
    numbers[order] = np.arange(len(order))
    places[inside] = numbers
    return places


def removal_curves(
    ensemble: Ensemble,
    image: np.ndarray,
    inside: np.ndarray,
    orders: np.ndarray,
    *,
    responds: bool,
    kind: str | float = "blurred",
    steps: int = 16,
    temperature: float = 1.0,
) -> Curves:
    """Curves of one lesion, all orders in one batch.

    Args:
        ensemble: the model.
        image: float32 ``[s, s]``.
        inside: bool ``[s, s]``, the GTV.
        orders: ``[orders, s, s]`` of :func:`removal_order`.
        responds: whether the shown class is response.
        kind: of infill.
        steps: equal parts of the GTV.
        temperature: of the card, for the probability.
    """
    limits = np.round(np.linspace(0, inside.sum(), steps + 1))
    taken = orders[:, None] < limits[:, None, None]
    filled = infill(image, inside, kind)
    emptied = np.where(inside, filled, image)
    batch = np.stack([np.where(taken, filled, image), np.where(taken, image, emptied)]).astype(np.float32)
    batch = batch.reshape(-1, 1, *image.shape)
    masks = np.broadcast_to(inside, batch.shape).copy()
    logits = np.concatenate([part.numpy() for part in ensemble.in_chunks(ensemble.logits, batch, masks)], axis=1)
    logits = (logits if responds else -logits).astype(np.float64)
    scores = logits.mean(axis=0).reshape(2, len(orders), steps + 1)
    with np.errstate(over="ignore"):
        chances = (1 / (1 + np.exp(-logits / temperature))).mean(axis=0).reshape(scores.shape)
    return Curves(*scores, *chances)


def area(curves: np.ndarray) -> np.ndarray:
    """Area under curves ``[..., steps + 1]`` over the share of the GTV, 0 to 1 (trapezium rule)."""
    return ((curves[..., 1:] + curves[..., :-1]) / 2).mean(axis=-1)


def removal_scores(
    ensemble: Ensemble,
    image: np.ndarray,
    inside: np.ndarray,
    maps: Mapping[str, np.ndarray],
    rng: np.random.Generator,
    *,
    random_orders: int = 5,
    **options,
) -> dict[str, dict[str, float]]:
    """How much better than random orders each map names the pixels that carry one lesion's prediction.

    Args:
        ensemble, image, inside: as :func:`removal_curves`.
        maps: name to ``[s, s]``.
        rng: of the random orders, and of the one that breaks ties.
        random_orders: whose mean area is the baseline.
        **options: of :func:`removal_curves`.

    Returns:
        Map to the gains in area: deletion (random minus map) and insertion (map minus random), in logits and in
        probability; above 0 is better than random.
    """
    size, cells = len(image), ensemble.architecture.cells
    fields = [random_field(size, cells, rng) for _ in range(random_orders + 1)]
    ranked = [removal_order(values, inside, fields[-1]) for values in maps.values()]
    chance = [removal_order(field, inside, field) for field in fields[:-1]]
    curves = removal_curves(ensemble, image, inside, np.stack(ranked + chance), **options)
    gains = {}
    for name, sign, values in zip(Curves._fields, (-1, 1, -1, 1), curves, strict=True):
        areas = area(values)
        gains[name] = sign * (areas[: len(ranked)] - areas[len(ranked) :].mean())
    return {each: {name: float(gain[n]) for name, gain in gains.items()} for n, each in enumerate(maps)}
