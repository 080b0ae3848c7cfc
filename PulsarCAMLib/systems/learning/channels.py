"""Some channels of samples, in memory or in a file. No NumPy here until it is used."""

from __future__ import annotations

from typing import Any

ZEROS = -1
"""Instead of a channel's number: a channel of zeros."""


def taken(values: Any, channels: tuple[int, ...] | None, axis: int) -> Any:
    """Channels of an array in a new order, those of :data:`ZEROS` empty; None: as they are."""
    import numpy as np

    if channels is None:
        return values
    found = np.take(values, [max(number, 0) for number in channels], axis=axis)
    found[(slice(None),) * axis + ([n for n, number in enumerate(channels) if number == ZEROS],)] = 0
    return found
