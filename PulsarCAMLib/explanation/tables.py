"""Tables of a result: one row per unit, one row per sample; column names carry the units."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..core.display import Threshold
from ..core.geometry.slice_place import slice_place
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..core.task import LESION, PREDICTED
from ..core.vocabulary import DEFAULT_MARGIN_MM
from ..lesions.distances import AROUND, depth_around
from ..systems.contract import Sliced
from .result import CaseResult, UnitResult

ALL_INPUTS = "all"
"""Stands in tables for the map of all inputs together."""


def depth_mm(lesion: Lesion, geometry: VolumeGeometry) -> np.ndarray:
    """Depth of every voxel under the lesion's surface in millimetres, in the lesion's box; negative outside the GTV.

    The distance from a voxel's centre to the nearest middle of a face of the surface: in the outermost layer half a
    voxel, along the axis that the surface crosses. Beyond the box and the MRI all is outside.
    """
    inner = slice(AROUND, -AROUND)
    return depth_around(lesion.mask, geometry.spacing[::-1])[inner, inner, inner]


@lru_cache(maxsize=64)  # lesions of a patient, none of which may push another out
def core_of(lesion: Lesion, geometry: VolumeGeometry, margin_mm: float = DEFAULT_MARGIN_MM) -> np.ndarray:
    """Voxels deeper than ``margin_mm`` under the surface, bool in the lesion's box; see :func:`depth_mm`.

    A voxel is core or margin as a whole: across flat slices the margin is as many of them thick as come nearest to it.
    Kept, for a patient's takes seconds and every map and every move of the threshold asks for it; not to be changed.
    """
    core = depth_mm(lesion, geometry) > margin_mm
    core.flags.writeable = False
    return core


def unit_table(
    result: CaseResult,
    method: str | None = None,
    target: str | None = None,
    threshold: Threshold | None = None,
    margin_mm: float = DEFAULT_MARGIN_MM,
    input: str = "",
) -> list[dict]:
    """One row per unit: identity, prediction, spread, and where the activation lies.

    ``answer`` is the class, or "uncertain" by the rule of method.md 5.1, ``answer_low`` and ``answer_high`` what it was
    judged by. Where the model was calibrated for it, ``classes_not_ruled_out`` and its ``error_rate`` (5.3) follow.

    ``probability_spread`` is the standard deviation over the ensemble of the positive class's probability; with more
    than two classes each has its own besides, such as ``spread_small``. Where it was asked, behind the predicted class
    stands how far that probability and the map's centre move by half a voxel (:mod:`.stability`). What follows is the
    system's own, such as ``logit_map_sum`` and ``logit_rest``, which split the ensemble's mean logit at the answering
    slice into what the pixel-wise map places in the lesion and what it cannot; and, where it was asked, by how much
    that logit moves without parts of the input (:mod:`.leaving_out`). Of volumes it is told how many of the method's
    cells a unit spans; of systems with several inputs, whose map it is. Volume, core and margin are a lesion's; where
    the unit is no lesion, ``region_volume_cm3`` is all that the model looked at.

    Examples:
        A result of :func:`.explain.explain_scan` gives one dictionary per lesion, ready for a CSV file:

        >>> for row in unit_table(result, "gradcam", "predicted"):  # doctest: +SKIP
        ...     print(row["lesion"], row["probability_response"], row["activated_core_cm3"])
    """
    method, target = method or result.default_method, target or result.task.explained
    regions = result.sub_regions(method, target, threshold, input)
    voxel_cm3, by_lesion = result.geometry.voxel_volume_mm3 / 1000, result.task.unit == LESION
    rows = []
    for unit, region, plain in zip(result.units, regions, result.plain, strict=True):
        active = int(region.mask.sum())
        rows.append(
            {
                result.task.unit: unit.name,
                "volume_cm3" if by_lesion else "region_volume_cm3": unit.lesion.volume_cm3(result.geometry),
                "slices": len(unit.samples),
                **_probabilities(unit, unit.main),
                "predicted_class": unit.predicted_class,
                **plain.row(),
                **conformal_row(unit),
                **(unit.stability.row() if unit.stability else {}),
                **unit.answer_facts(),
                **(unit.left_out.row() if unit.left_out else {}),
                "map_method": method,
                "map_class": unit.predicted_class if target == PREDICTED else target,
                **({"map_input": input or ALL_INPUTS} if len(result.system.shown_inputs) > 1 else {}),
                **_cells(unit, method),
                "activated_volume_cm3": active * voxel_cm3,
                "activated_share": active / unit.lesion.voxels,
                **(_core_and_margin(unit, region.mask, result.geometry, margin_mm) if by_lesion else {}),
                **_answering(unit, result.geometry),
                **unit.samples.facts(),
                **_place("centroid", unit.lesion.centroid_lps(result.geometry)),
            }
        )
    return rows


def _core_and_margin(
    unit: UnitResult, active: np.ndarray, geometry: VolumeGeometry, margin_mm: float
) -> dict[str, float]:
    """Of a lesion; ``active`` is bool in its box."""
    core, voxel_cm3 = core_of(unit.lesion, geometry, margin_mm), geometry.voxel_volume_mm3 / 1000
    in_core = int((active & core).sum())
    return {
        "core_volume_cm3": int(core.sum()) * voxel_cm3,
        "activated_core_cm3": in_core * voxel_cm3,
        "activated_margin_cm3": (int(active.sum()) - in_core) * voxel_cm3,
        "margin_mm": margin_mm,
    }


def conformal_row(unit: UnitResult) -> dict[str, object]:
    """The classes that cannot be ruled out; nothing where the model offers no such answer."""
    found = unit.conformal
    return {} if found is None else {"classes_not_ruled_out": found.words, "error_rate": found.error_rate}


def _answering(unit: UnitResult, geometry: VolumeGeometry) -> dict[str, object]:
    """The slice that answers, where samples are slices."""
    if not isinstance(unit.samples, Sliced):
        return {}
    return slice_place(geometry, unit.samples.centres_lps()[unit.main]).facts()


def cells_of_unit(unit: UnitResult, method: str) -> tuple[tuple[int, int, int], float] | None:
    """Cells of a method's map that a unit spans along i, j and k, and a cell's side in millimetres along i.

    Finer detail of the map is interpolation. None where samples are no volumes.
    """
    if len(unit.sample_size) != 3:
        return None
    inside, cells = unit.samples.masks[unit.main, 0], unit.cells_of(method)
    spans = []
    for axis, (voxels, size) in enumerate(zip(cells, unit.sample_size, strict=True)):
        used = np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))
        spans.append(int(np.ceil((used[-1] - used[0] + 1) * voxels / size - 1e-9)) if len(used) else 0)
    k, j, i = spans
    return (i, j, k), unit.samples.cell_mm(cells[-1])


def cells_text(unit: UnitResult, method: str) -> str:
    """As "the patient spans 2 x 2 x 1 cells of 28 mm"; empty where samples are no volumes."""
    found = cells_of_unit(unit, method)
    if found is None:
        return ""
    (i, j, k), side = found
    return f"the {unit.task.unit} spans {i} x {j} x {k} cells of {side:.3g} mm"


def _cells(unit: UnitResult, method: str) -> dict[str, object]:
    found = cells_of_unit(unit, method)
    return {} if found is None else {"map_cells": "x".join(map(str, found[0])), "map_cell_mm": found[1]}


def sample_table(result: CaseResult) -> list[dict]:
    """One row per sample of every unit.

    ``mri_slice`` is the MRI's nearest slice index k, counted from 0; ``mri_slice_number`` is the same as 3D Slicer
    counts it, from 1.
    """
    rows = []
    for unit in result.units:
        centres = unit.samples.centres_lps()
        for n in range(len(unit.samples)):
            rows.append(
                {
                    result.task.unit: unit.name,
                    "slice": n,
                    "mri_slice": round(float(result.geometry.to_ijk(centres[n])[2])),
                    **slice_place(result.geometry, centres[n]).facts(),
                    "answers": n == unit.main,
                    **unit.samples.sample_facts(n),
                    **_probabilities(unit, n),
                    **unit.answer_facts(n),
                    **_place("centre", centres[n]),
                }
            )
    return rows


def _probabilities(unit: UnitResult, sample: int) -> dict[str, float]:
    """Those that the task tells, the spread of the positive one, and of all where there are more than two."""
    task = unit.task
    told = {task.probability_column(name): unit.probability_of(name, sample) for name in task.told}
    told["probability_spread"] = float(unit.sample_spread[sample])
    if task.binary:
        return told
    spread = unit.class_probabilities[:, :, sample].std(axis=1)
    return told | {task.spread_column(name): float(spread[task.index(name)]) for name in task.told}


def _place(what: str, lps: np.ndarray) -> dict:
    r, a, s = -lps[0], -lps[1], lps[2]
    return {f"{what}_r_mm": float(r), f"{what}_a_mm": float(a), f"{what}_s_mm": float(s)}
