"""The same units, seen slightly differently, and the way back for their maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .subjects import Subject

if TYPE_CHECKING:
    from ..systems.contract import System

STEPS = (1, 2)
"""Pixels or voxels by which a sample is moved along each axis, to either side."""

KINDS = ("shift", "rotation", "noise")


@dataclass(frozen=True, eq=False)
class Perturbed:
    """N units after one perturbation.

    Attributes:
        kind: in :data:`KINDS`.
        images, masks: ``[N, channels, *size]`` and ``[N, 1, *size]``.
        back: of the unit's number and values ``[*size]`` on the perturbed sample: values on the original one.
    """

    kind: str
    images: np.ndarray
    masks: np.ndarray
    back: Callable[[int, np.ndarray], np.ndarray]


def perturbations(
    system: System, subjects: Sequence[Subject], noise: float, rng: np.random.Generator
) -> Iterator[Perturbed]:
    """All perturbations that these units allow.

    Args:
        system: that knows the range of a sample's values.
        subjects: N units.
        noise: standard deviation of the noise, as a share of each channel's own.
        rng: of the noise.
    """
    images, masks = np.stack([s.image for s in subjects]), np.stack([s.told for s in subjects])
    for by in shifts(images.ndim - 2):
        yield Perturbed("shift", shifted(images, by), shifted(masks, by, "constant"),
                        lambda n, values, by=by: shifted(values, tuple(-step for step in by)))  # fmt: skip
    if all(len(s.turned) == len(subjects[0].turned) for s in subjects):
        for which in range(len(subjects[0].turned)):
            turned = [s.turned[which] for s in subjects]
            yield Perturbed(
                "rotation",
                np.stack([t.image for t in turned]),
                np.stack([t.mask for t in turned]),
                lambda n, values, turned=turned: turned[n].back(values),
            )
    yield Perturbed("noise", noisy(system, images, noise, rng), masks, lambda n, values: values)


def shifts(axes: int) -> Iterator[tuple[int, ...]]:
    """By how much a sample with so many axes is moved along each of them."""
    for step in STEPS:
        for axis in reversed(range(axes)):
            for sign in (1, -1):
                yield tuple(sign * step if each == axis else 0 for each in range(axes))


def shifted(values: np.ndarray, by: Sequence[int], mode: str = "edge") -> np.ndarray:
    """``values [..., *size]`` moved along their last axes; what comes in continues the edge, or is zero (constant)."""
    around = [(0, 0)] * (values.ndim - len(by)) + [(max(n, 0), max(-n, 0)) for n in by]
    kept = tuple(slice(max(-n, 0), max(-n, 0) + size) for n, size in zip(by, values.shape[-len(by) :], strict=True))
    return np.ascontiguousarray(np.pad(values, around, mode=mode)[(..., *kept)])


def noisy(system: System, images: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Images ``[N, channels, *size]`` with Gaussian noise of ``share`` of each channel's standard deviation."""
    spread = share * images.std(axis=tuple(range(2, images.ndim)), keepdims=True)
    return system.in_range(images + spread * rng.standard_normal(images.shape)).astype(np.float32)


def shuffled(images: np.ndarray, masks: np.ndarray, rng: np.random.Generator, channel: int | None = None) -> np.ndarray:
    """Images ``[N, channels, *size]`` whose pixels within the unit have changed places at random, channel by channel.

    Args:
        images: stay as they are.
        masks: bool ``[N, 1, *size]``.
        rng: of the places.
        channel: only this one.
    """
    mixed = images.copy()
    for image, mask in zip(mixed, masks, strict=True):
        for values in image if channel is None else image[channel : channel + 1]:
            values[mask[0]] = rng.permutation(values[mask[0]])
    return mixed
