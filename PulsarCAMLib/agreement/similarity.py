"""How much two maps of one lesion say the same."""

from __future__ import annotations

import numpy as np

TOP_SHARE = 0.25
"""Share of the GTV that counts as a map's top."""


def is_constant(values: np.ndarray) -> bool:
    """Whether a map is the same number everywhere; it then ranks nothing."""
    return bool(values.size == 0 or np.ptp(values) == 0)


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Rank correlation of two maps over the same pixels, -1..1.

    Two constant maps look alike and count as 1; a constant map beside one that is not counts as 0.
    """
    flat = is_constant(first), is_constant(second)
    if any(flat):
        return float(all(flat))
    from scipy.stats import rankdata  # takes a second: not before it is needed

    a, b = (ranks - ranks.mean() for ranks in (rankdata(first), rankdata(second)))
    return float(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1, 1))


def top_dice(first: np.ndarray, second: np.ndarray, share: float = TOP_SHARE) -> float:
    """Dice overlap of the top ``share`` of two maps over the same pixels; pixels tied at the limit belong in part.

    A map shares 1 with itself and ``share`` with a constant one.
    """
    count = max(1, round(share * first.size))
    return float(np.minimum(_top(first, count), _top(second, count)).sum() / count)


def _top(values: np.ndarray, count: int) -> np.ndarray:
    """Membership 0..1 in the ``count`` highest."""
    limit = np.partition(values, -count)[-count]
    above, tied = values > limit, values == limit
    return above + tied * ((count - above.sum()) / tied.sum())
