"""From a network's cells to its samples: linear with half-pixel centres along each axis (method.md 1.6, reading 22)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=8)
def interpolation_matrix(cells: int, size: int) -> np.ndarray:
    """``[size, cells]``: rows are the weights of the cells for each pixel.

    Pixel p lies at cell coordinate ``(p + 1/2) * cells / size - 1/2``; beyond the outermost centres the edge continues.
    """
    at = np.clip((np.arange(size) + 0.5) * cells / size - 0.5, 0, cells - 1)
    left = np.minimum(at.astype(int), max(cells - 2, 0))
    matrix = np.zeros((size, cells))
    matrix[np.arange(size), left] = 1 - (at - left)
    matrix[np.arange(size), np.minimum(left + 1, cells - 1)] += at - left
    return matrix


def upsample(maps: np.ndarray, size: int) -> np.ndarray:
    """Maps ``[..., c, c]`` to ``[..., size, size]`` in their own precision."""
    matrix = interpolation_matrix(maps.shape[-1], size).astype(maps.dtype)
    return matrix @ maps @ matrix.T


def upsample_to(maps: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Maps ``[..., *cells]`` to ``[..., *size]`` in their own precision, with as many axes as ``size`` has."""
    if maps.shape[-len(size) :] == size:
        return maps
    if len(size) == 2 and size[0] == size[1] and maps.shape[-1] == maps.shape[-2]:
        return upsample(maps, size[0])
    for axis in range(-len(size), 0):
        matrix = interpolation_matrix(maps.shape[axis], size[axis]).astype(maps.dtype)
        maps = np.moveaxis(np.moveaxis(maps, axis, -1) @ matrix.T, -1, axis)
    return maps
