"""A sample of any number of axes, turned a little in the plane of its last two."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import rotate

from ..samples import Turned


def turned_in_plane(image: np.ndarray, mask: np.ndarray, degrees: float) -> Turned:
    """About its middle, by linear interpolation; what comes into the corners continues the edge, but not the mask.

    Args:
        image: float32 ``[channels, *size]``.
        mask: bool ``[1, *size]``.
        degrees: counted in voxels, as if they were square in that plane.
    """

    def turn(values: np.ndarray, by: float, mode: str = "nearest") -> np.ndarray:
        return rotate(values, by, axes=(-1, -2), reshape=False, order=1, mode=mode)

    inside = turn(mask.astype(np.float32), degrees, "constant") >= 0.5
    return Turned(turn(image, degrees).astype(np.float32), inside, lambda values: turn(values, -degrees))
