"""Deletion and insertion: take the pixels a map names out of the unit, and see what the prediction loses.

After Petsiuk et al. 2018 (RISE). All inputs go and come together. Random orders are drawn by regions of a few pixels,
and maps that are finer are brought to these regions (for the lesion system the bottleneck's grid, where its maps live):
an order that picks single pixels destroys fine texture everywhere after a few steps and so beats every smooth map,
whatever it knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from ..core.errors import InputError
from ..core.geometry.upsampling import upsample_to
from ..systems.map_checks.asked import PIECE_BYTES
from .answers import chances, log_odds
from .maps import regions_of

if TYPE_CHECKING:
    from ..systems.contract import Predictor, System

INFILLS = ("blurred", "mean")
BLUR_PIXELS = 3.0
"""Standard deviation of the blurred infill: wider than fine texture, narrower than lesions."""


class Curves(NamedTuple):
    """Scores of the shown class while pixels of the unit go or come, highest of the map first.

    Attributes:
        deletion, insertion: ``[orders, steps + 1]``, log odds of the shown class (of one output its logit), mean over
            the members.
        deletion_probability, insertion_probability: the same for its probability.
    """

    deletion: np.ndarray
    insertion: np.ndarray
    deletion_probability: np.ndarray
    insertion_probability: np.ndarray


def infill(channel: np.ndarray, inside: np.ndarray, kind: str | float) -> np.ndarray:
    """What stands in for removed pixels of a channel ``[*size]``: the blurred image, the unit's mean, or a number."""
    if isinstance(kind, (int, float)):
        return np.full_like(channel, kind)
    if kind == "blurred":
        return gaussian_filter(channel, BLUR_PIXELS, mode="nearest")
    if kind == "mean":
        return np.full_like(channel, channel[inside].mean())
    raise InputError(f"The infill must be one of {', '.join(INFILLS)} or a number; it is {kind!r}.")


def random_field(size: Sequence[int], regions: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """A map ``[*size]`` that knows nothing, as smooth as regions are."""
    return upsample_to(rng.random(tuple(regions)), tuple(size))


def as_smooth(values: np.ndarray, regions: Sequence[int]) -> np.ndarray:
    """A map ``[*size]`` brought to regions (their means) and back, so that it removes pixels as smooth maps do."""
    size, means = values.shape, values
    if all(n % cells == 0 for n, cells in zip(size, regions, strict=True)):
        pairs = [each for n, cells in zip(size, regions, strict=True) for each in (cells, n // cells)]
        means = values.reshape(pairs).mean(axis=tuple(range(1, 2 * len(size), 2)))
    else:
        for axis, (n, cells) in enumerate(zip(size, regions, strict=True)):
            starts = np.unique(np.ceil(np.arange(cells) * n / cells).astype(int))
            counts = np.diff([*starts, n]).reshape([-1 if each == axis else 1 for each in range(len(size))])
            means = np.add.reduceat(means, starts, axis=axis) / counts
    return upsample_to(means, size)


def removal_order(values: np.ndarray, inside: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """Place of each pixel ``[*size]`` in the order of removal: highest first, then by ``ties``; pixels outside never.

    Examples:
        >>> values, inside = np.array([[1.0, 3.0]]), np.array([[True, True]])
        >>> removal_order(values, inside, ties=values).tolist()
        [[1, 0]]
    """
    places = np.full(values.shape, values.size)
    order = np.lexsort((-ties[inside], -values[inside].astype(np.float64)))
    numbers = np.empty(len(order), dtype=int)
    numbers[order] = np.arange(len(order))
    places[inside] = numbers
    return places


def removal_curves(
    system: System,
    predictor: Predictor,
    image: np.ndarray,
    inside: np.ndarray,
    orders: np.ndarray,
    *,
    shown: int,
    kind: str | float = "blurred",
    steps: int = 16,
    temperature: float = 1.0,
    told: np.ndarray | None = None,
) -> Curves:
    """Curves of one unit for all orders.

    Args:
        system: whose model it is.
        predictor: the model.
        image: float32 ``[channels, *size]``.
        inside: bool ``[*size]``, the unit.
        orders: ``[orders, *size]`` of :func:`removal_order`.
        shown: number of the class.
        kind: of infill.
        steps: equal parts of the unit.
        temperature: of the card, for the probability.
        told: ``[1, *size]``, what the network is told of the unit; None: ``inside``.
    """
    told = inside[None] if told is None else told
    limits = np.round(np.linspace(0, inside.sum(), steps + 1))
    filled = np.stack([infill(channel, inside, kind) for channel in image])
    emptied = np.where(inside, filled, image)
    shape = (2, len(orders), steps + 1)
    size, found = max(1, PIECE_BYTES // image.nbytes), []
    for numbers in np.array_split(np.arange(np.prod(shape)), -(-int(np.prod(shape)) // size)):
        way, order, step = (each.reshape(-1, *[1] * image.ndim) for each in np.unravel_index(numbers, shape))
        taken = (orders[order.ravel()] < limits[step].reshape(-1, *[1] * inside.ndim))[:, None]
        batch = np.where(taken, np.where(way == 0, filled, image), np.where(way == 0, image, emptied))
        masks = np.broadcast_to(told, (len(batch), *told.shape)).copy()
        found.append(system.answers(predictor, batch.astype(np.float32), masks))
    logits = np.concatenate(found, axis=1)
    scores = log_odds(logits, shown, system.task).astype(np.float64).mean(axis=0)
    each = chances(logits.astype(np.float64), shown, system.task, temperature).mean(axis=0)
    return Curves(*scores.reshape(shape), *each.reshape(shape))


def area(curves: np.ndarray) -> np.ndarray:
    """Area under curves ``[..., steps + 1]`` over the share of the unit, 0 to 1 (trapezium rule)."""
    return ((curves[..., 1:] + curves[..., :-1]) / 2).mean(axis=-1)


def removal_scores(
    system: System,
    predictor: Predictor,
    image: np.ndarray,
    inside: np.ndarray,
    maps: Mapping[str, np.ndarray],
    rng: np.random.Generator,
    *,
    random_orders: int = 5,
    **options,
) -> dict[str, dict[str, float]]:
    """How much better than random orders each map names the pixels that carry one unit's prediction.

    Args:
        system, predictor, image, inside: as :func:`removal_curves`.
        maps: name to ``[*size]``.
        rng: of the random orders, and of the one that breaks ties.
        random_orders: whose mean area is the baseline.
        **options: of :func:`removal_curves`.

    Returns:
        Map to the gains in area: deletion (random minus map) and insertion (map minus random), in log odds and in
        probability; above 0 is better than random.
    """
    fields = [random_field(inside.shape, regions_of(inside.shape), rng) for _ in range(random_orders + 1)]
    ranked = [removal_order(values, inside, fields[-1]) for values in maps.values()]
    chance = [removal_order(field, inside, field) for field in fields[:-1]]
    curves = removal_curves(system, predictor, image, inside, np.stack(ranked + chance), **options)
    gains = {}
    for name, sign, values in zip(Curves._fields, (-1, 1, -1, 1), curves, strict=True):
        areas = area(values)
        gains[name] = sign * (areas[: len(ranked)] - areas[len(ranked) :].mean())
    return {each: {name: float(gain[n]) for name, gain in gains.items()} for n, each in enumerate(maps)}
