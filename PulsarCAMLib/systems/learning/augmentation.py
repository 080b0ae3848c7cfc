"""Random changes of a batch of volumes, in torch, so that they cost little and run where the network runs.

Every sample draws from a generator of its own, seeded by the training's seed, the epoch, the sample and how often the
epoch has drawn it already; so a change does not depend on who else is in the batch, nor on where training was resumed.
The numbers are drawn on the CPU: a GPU makes the same changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional

from .augmentation_settings import Augmentation

EDGE = 3
"""Control points beyond each edge that a cubic spline needs."""


def generator_of(seed: int, epoch: int, sample: int, drawn: int = 0) -> Generator:
    """Random numbers of one sample in one epoch."""
    key = np.random.SeedSequence((seed, epoch, sample, drawn)).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(key) >> 1)


def augment(
    images: Tensor,
    masks: Tensor,
    settings: Augmentation,
    generators: Sequence[Generator],
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    intensities: Sequence[int] | None = None,
) -> tuple[Tensor, Tensor]:
    """A changed batch; the one given stays as it is.

    Args:
        images: float32 ``[n, channels, k, j, i]``.
        masks: bool ``[n, 1, k, j, i]``; a voxel stays inside where the nearest one was.
        settings: what is changed and how often.
        generators: one a sample, of :func:`generator_of`.
        spacing: millimetres of a voxel along ``(k, j, i)``: a turn of an anisotropic sample stays a turn.
        intensities: channels whose contrast and noise may change; None: all.
    """
    channels = range(images.shape[1]) if intensities is None else intensities
    found_images, found_masks = [], []
    for image, mask, generator in zip(images, masks, generators, strict=True):
        image, mask = _flipped(image, mask, settings, generator)
        if settings.moves:
            image, mask = _moved(image, mask, settings, generator, spacing)
        found_images.append(_recoloured(image, settings, generator, channels))
        found_masks.append(mask)
    return torch.stack(found_images), torch.stack(found_masks)


def _chance(chance: float, generator: Generator) -> bool:
    """Whether it happens; a number is drawn in any case, so that one chance does not decide what others draw."""
    return float(torch.rand((), generator=generator)) < chance


def _between(low: float, high: float, generator: Generator, count: int = 1) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)


def _flipped(image: Tensor, mask: Tensor, settings: Augmentation, generator: Generator) -> tuple[Tensor, Tensor]:
    axes = [axis for axis in (-3, -2, -1) if _chance(settings.flip_chance, generator)]
    return (image.flip(axes), mask.flip(axes)) if axes else (image, mask)


def _moved(
    image: Tensor, mask: Tensor, settings: Augmentation, generator: Generator, spacing: tuple[float, float, float]
) -> tuple[Tensor, Tensor]:
    """Scaled, turned and bent by one interpolation; beyond its edge an image goes on as it ends there."""
    size = image.shape[-3:]
    scaled, turned, bent = (
        _chance(chance, generator)
        for chance in (settings.scale_chance, settings.rotation_chance, settings.elastic_chance)
    )
    matrix = torch.eye(3)
    grow = float(_between(1 - settings.scale, 1 + settings.scale, generator))
    angles = torch.deg2rad(_between(-settings.rotation, settings.rotation, generator, 3))
    if scaled:
        matrix = matrix / grow
    if turned:
        matrix = matrix @ _rotation(angles)
    bend = _bend(size, settings, generator) if bent else None
    if not (scaled or turned or bent):
        return image, mask
    # from millimetres (k, j, i) to grid_sample's -1..1, whose axes are (i, j, k)
    half = torch.tensor([(n - 1) / 2 * s for n, s in zip(size, spacing, strict=True)]).clamp(min=1e-6)
    own = (matrix * half[None, :]) / half[:, None]
    theta = torch.cat([own.flip(0, 1), torch.zeros(3, 1)], dim=1)[None].to(image.device)
    grid = functional.affine_grid(theta, [1, 1, *size], align_corners=True)
    if bend is not None:
        steps = torch.tensor([2 / max(n - 1, 1) for n in size[::-1]])
        grid = grid + (bend.flip(-1) * steps)[None].to(grid)
    seen = functional.grid_sample(image[None], grid, "bilinear", "border", align_corners=True)[0]
    inside = functional.grid_sample(mask[None].to(image.dtype), grid, "nearest", "zeros", align_corners=True)[0] > 0.5
    return seen, inside


def _rotation(angles: Tensor) -> Tensor:
    """About k, then j, then i, of coordinates ``(k, j, i)``."""
    found = torch.eye(3)
    for axis, angle in enumerate(angles):
        first, second = (each for each in range(3) if each != axis)
        turn = torch.eye(3)
        turn[first, first] = turn[second, second] = torch.cos(angle)
        turn[first, second], turn[second, first] = -torch.sin(angle), torch.sin(angle)
        found = found @ turn
    return found


def _bend(size: Sequence[int], settings: Augmentation, generator: Generator) -> Tensor:
    """Displacements in voxels ``[k, j, i, 3]``, components ``(k, j, i)``: cubic B-spline of random control points."""
    counts = [-(-n // settings.elastic_grid) + EDGE for n in size]
    points = settings.elastic * torch.randn(3, *counts, generator=generator)
    for axis, n in enumerate(size):
        weights = _spline_weights(n, settings.elastic_grid, counts[axis])
        points = torch.movedim(torch.tensordot(weights, torch.movedim(points, axis + 1, 0), dims=1), 0, axis + 1)
    return torch.movedim(points, 0, -1)


def _spline_weights(voxels: int, step: int, count: int) -> Tensor:
    """Weights ``[voxels, count]`` of a uniform cubic B-spline's control points."""
    at = torch.arange(voxels) / step
    cell = at.floor().long()
    u = at - cell
    parts = ((1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3)
    found = torch.zeros(voxels, count)
    for n, part in enumerate(parts):
        found[torch.arange(voxels), cell + n] = part / 6
    return found


def _recoloured(image: Tensor, settings: Augmentation, generator: Generator, channels: Sequence[int]) -> Tensor:
    """Another contrast, other intensities and noise for each channel by itself."""
    changed = None
    for channel in channels:
        chances = (settings.contrast_chance, settings.intensity_chance, settings.noise_chance)
        contrast, scaled, noisy = (_chance(chance, generator) for chance in chances)
        power, factor = _between(-1, 1, generator, 2).tolist()
        noise = torch.randn(image.shape[-3:], generator=generator).to(image.device) if noisy else None
        if not (contrast or scaled or noisy):
            continue
        changed = image.clone() if changed is None else changed
        values = changed[channel]
        if contrast:
            low, high = values.min(), values.max()
            reach = (high - low).clamp(min=1e-6)
            values = ((values - low) / reach) ** ((1 + settings.contrast) ** power) * reach + low
        if scaled:
            values = values * (1 + settings.intensity * factor)
        changed[channel] = values if noise is None else values + settings.noise * noise
    return image if changed is None else changed
