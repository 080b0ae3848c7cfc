"""How much of a heat map's activated part lies where another map is above a threshold, beside what chance gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..core.display import Threshold
from ..core.task import BOTH, PREDICTED
from ..explanation.result import CaseResult, UnitResult
from .correlations import heat_map_in
from .other_maps import MapInLesion, OtherMap

NOTHING = "no voxel of the lesion is activated"
NOTHING_ABOVE = "no voxel of the lesion lies above the map's threshold"


def overlap_table(
    result: CaseResult,
    lesion: UnitResult,
    maps: Sequence[tuple[str, str]],
    others: Sequence[OtherMap],
    placed: Mapping[str, MapInLesion],
    threshold: Threshold,
) -> list[dict]:
    """One row per heat map with a class and other map, of one lesion; a signed map has no activated part.

    Counted are the voxels of the lesion in which the other map has a value (n). With a of them activated and b above
    the other map's threshold, ``dice`` is 2 |A and B| / (a + b), and ``dice_by_chance`` what is expected of it where
    one of the parts is placed blindly: 2 a b / (n (a + b)). Columns: lesion, map_method, map_class, other_map,
    above (in words), limit (the map's unit), voxels, activated, above_voxels, both, dice, jaccard, dice_by_chance,
    share_of_activated and share_of_rest (above the threshold), and ``undefined``.

    Args:
        result: of the scan.
        lesion: of the result.
        maps: pairs of method and class.
        others: the maps that are compared with.
        placed: each in this lesion.
        threshold: what counts as activated.
    """
    rows = []
    for method, target in maps:
        if target == BOTH:
            continue
        values = heat_map_in(result, lesion, method, target)
        active = values > result.threshold_value(lesion, method, values, threshold)
        shown = lesion.predicted_class if target == PREDICTED else target
        about = {"lesion": lesion.name, "map_method": method, "map_class": shown}
        rows += [
            about | {"other_map": o.name} | _overlap(o, placed[o.name], active, lesion.lesion.mask) for o in others
        ]
    return rows


def _overlap(other: OtherMap, placed: MapInLesion, active: np.ndarray, mask: np.ndarray) -> dict:
    known = mask & np.isfinite(placed.values)
    a, b = active[known], (placed.values > placed.limit)[known]
    n, one, two, both = known.sum(), a.sum(), b.sum(), (a & b).sum()
    why = placed.undefined or (NOTHING if not one else NOTHING_ABOVE if not two else "")
    told = not why
    dice = float(2 * both / (one + two)) if told else None
    return {
        "above": other.above,
        "limit": None if placed.undefined else placed.limit,
        "voxels": int(n),
        "activated": int(one),
        "above_voxels": int(two),
        "both": int(both),
        "dice": dice,
        "jaccard": None if dice is None else dice / (2 - dice),
        "dice_by_chance": float(2 * one * two / (n * (one + two))) if told else None,
        "share_of_activated": float(both / one) if told else None,
        "share_of_rest": float((two - both) / (n - one)) if told and n > one else None,
        "undefined": why,
    }
