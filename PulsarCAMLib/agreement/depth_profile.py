"""Where the activation lies: core, margin, and shell by shell under the lesion's surface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..core.errors import InputError
from ..core.task import BOTH, PREDICTED
from ..core.vocabulary import DEFAULT_MARGIN_MM, DEFAULT_THICKNESS_MM
from ..explanation.result import CaseResult, UnitResult
from ..explanation.tables import depth_mm
from .correlations import EMPTY, heat_map_in, maps_to_compare
from .other_maps import MapInLesion, depth_rows


def shell_table(
    result: CaseResult,
    *,
    methods: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    lesions: Sequence[UnitResult] | None = None,
    margin_mm: float = DEFAULT_MARGIN_MM,
    thickness_mm: float = DEFAULT_THICKNESS_MM,
    others: Sequence[Mapping[str, MapInLesion]] | None = None,
) -> list[dict]:
    """One row per lesion, heat map and region; regions are ``core``, ``margin``, and shells from the surface inwards.

    Columns: lesion, map_method, map_class, region, from_mm and to_mm (depth under the surface, see
    :func:`..explanation.tables.depth_mm`; a core has no end), voxels, ``volume_share``, ``activation_share`` (of the
    sum of the map; core and margin sum to 1, and so do the shells), ``concentration`` (activation share / volume share:
    1 where the map is no higher than elsewhere), ``mean_value`` (raw), and ``undefined``, why a value is None.
    A signed map counts by its magnitude.

    Args:
        result: of the scan.
        methods: computed ones; None: those computed for every case.
        targets: classes, ``"predicted"`` takes each lesion's own; None: all.
        lesions: only these of the result.
        margin_mm: thickness of the margin.
        thickness_mm: of each shell; not finer than the voxels, or shells stay empty or are uneven.
        others: further maps in each of these lesions; each has rows of its own, with its name as ``map_method``.

    Raises:
        InputError: a thickness that is not positive, or an unknown method or class.
    """
    for what, value in (("margin", margin_mm), ("shells", thickness_mm)):
        if not np.isfinite(value) or value <= 0:
            raise InputError(f"The {what} must be thicker than zero millimetres, not {value}.")
    rows = []
    lesions = result.units if lesions is None else lesions
    for lesion, further in zip(lesions, others or [{}] * len(lesions), strict=True):
        inside = lesion.lesion.mask
        regions = list(_regions(depth_mm(lesion.lesion, result.geometry)[inside], margin_mm, thickness_mm))
        for method, target in maps_to_compare(result.system, methods, targets):
            values = heat_map_in(result, lesion, method, target)[inside].astype(np.float64)
            values = np.abs(values) if target == BOTH else values
            shown = lesion.predicted_class if target == PREDICTED else target
            about = {"lesion": lesion.name, "map_method": method, "map_class": shown}
            rows += [about | place | _shares(values, here) for place, here in regions]
        for name, placed in further.items():
            rows += depth_rows(name, placed, {"lesion": lesion.name}, regions, inside)
    return rows


def _regions(depth: np.ndarray, margin_mm: float, thickness_mm: float) -> Iterator[tuple[dict, np.ndarray]]:
    core = depth > margin_mm
    yield {"region": "core", "from_mm": margin_mm, "to_mm": None}, core
    yield {"region": "margin", "from_mm": 0.0, "to_mm": margin_mm}, ~core
    # A voxel exactly between two shells belongs to the outer one, as one at the margin's depth belongs to the margin.
    numbers = np.maximum(np.ceil(depth / thickness_mm - 1e-9).astype(int) - 1, 0)
    for number in range(int(numbers.max()) + 1):
        ends = {"from_mm": number * thickness_mm, "to_mm": (number + 1) * thickness_mm}
        yield {"region": f"shell {number + 1}", **ends}, numbers == number


def _shares(values: np.ndarray, here: np.ndarray) -> dict:
    total, count = float(values.sum()), int(here.sum())
    volume_share = count / len(values)
    share = float(values[here].sum()) / total if total > 0 else None
    why = EMPTY if share is None else "" if count else "no voxel lies at this depth"
    return {
        "voxels": count,
        "volume_share": volume_share,
        "activation_share": share,
        "concentration": share / volume_share if count and share is not None else None,
        "mean_value": float(values[here].mean()) if count else None,
        "undefined": why,
    }
