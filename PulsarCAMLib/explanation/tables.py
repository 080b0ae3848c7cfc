"""Tables of a result: one row per lesion, one row per slice; column names carry the units."""

from __future__ import annotations

import numpy as np

from ..core.geometry import VolumeGeometry
from ..core.lesion import Lesion
from ..core.map_methods import CLASSES, METHODS, Threshold
from ..lesions.distances import depth_of
from .result import LesionResult, ScanResult

DEFAULT_MARGIN_MM = 2.0
"""Thickness of the shell under the GTV's surface that is called margin; the remainder is core."""


def depth_mm(lesion: Lesion, geometry: VolumeGeometry) -> np.ndarray:
    """Depth of every voxel under the lesion's surface in millimetres, in the lesion's box; negative outside the GTV.

    The distance from a voxel's centre to the nearest middle of a face of the surface: in the outermost layer half a
    voxel, along the axis that the surface crosses. Beyond the box and the MRI all is outside.
    """
    return depth_of(np.pad(lesion.mask, 1), geometry.spacing[::-1])[1:-1, 1:-1, 1:-1]


def core_of(lesion: Lesion, geometry: VolumeGeometry, margin_mm: float = DEFAULT_MARGIN_MM) -> np.ndarray:
    """Voxels deeper than ``margin_mm`` under the surface, bool in the lesion's box; see :func:`depth_mm`.

    A voxel is core or margin as a whole: across flat slices the margin is as many of them thick as come nearest to it.
    """
    return depth_mm(lesion, geometry) > margin_mm


def lesion_table(
    result: ScanResult,
    method: str = METHODS[0],
    target: str = CLASSES[0],
    threshold: Threshold | None = None,
    margin_mm: float = DEFAULT_MARGIN_MM,
) -> list[dict]:
    """One row per lesion: identity, prediction, spread, and where the activation lies.

    ``probability_spread`` is the standard deviation over the ensemble; ``logit_map_sum`` and ``logit_rest`` split the
    ensemble's mean logit at the answering slice into what the pixel-wise map places in the lesion and what it cannot.
    """
    regions = result.sub_regions(method, target, threshold)
    voxel_cm3 = result.geometry.voxel_volume_mm3 / 1000
    rows = []
    for lesion, region in zip(result.lesions, regions, strict=True):
        core = core_of(lesion.lesion, result.geometry, margin_mm)
        active, in_core = int(region.mask.sum()), int((region.mask & core).sum())
        main = lesion.main
        rows.append(
            {
                "lesion": lesion.name,
                "volume_cm3": lesion.lesion.volume_cm3(result.geometry),
                "slices": len(lesion.patches),
                "probability_response": lesion.probability,
                "probability_spread": lesion.spread,
                "predicted_class": lesion.predicted_class,
                "logit": float(lesion.logits[:, main].mean()),
                "logit_map_sum": float(lesion.signed[:, main].sum(axis=(1, 2)).mean()),
                "logit_rest": float(lesion.rest[:, main].mean()),
                "map_method": method,
                "map_class": lesion.predicted_class if target == "predicted" else target,
                "activated_volume_cm3": active * voxel_cm3,
                "activated_share": active / lesion.lesion.voxels,
                "core_volume_cm3": int(core.sum()) * voxel_cm3,
                "activated_core_cm3": in_core * voxel_cm3,
                "activated_margin_cm3": (active - in_core) * voxel_cm3,
                "margin_mm": margin_mm,
                "patch_scale": lesion.patches.scale,
                **_place("centroid", lesion.lesion.centroid_lps(result.geometry)),
            }
        )
    return rows


def slice_table(result: ScanResult) -> list[dict]:
    """One row per slice of every lesion; ``mri_slice`` is the MRI's nearest slice index k, counted from 0."""
    rows = []
    for lesion in result.lesions:
        centres = lesion.patches.centres_lps()
        for n in range(len(lesion.patches)):
            rows.append(
                {
                    "lesion": lesion.name,
                    "slice": n,
                    "mri_slice": round(float(result.geometry.to_ijk(centres[n])[2])),
                    "answers": n == lesion.main,
                    "area_mm2": float(lesion.patches.areas_mm2[n]),
                    **_slice_values(lesion, n),
                    **_place("centre", centres[n]),
                }
            )
    return rows


def _slice_values(lesion: LesionResult, n: int) -> dict:
    return {
        "probability_response": float(lesion.slice_probabilities[n]),
        "probability_spread": float(lesion.slice_spread[n]),
        "logit": float(lesion.logits[:, n].mean()),
        "logit_map_sum": float(lesion.signed[:, n].sum(axis=(1, 2)).mean()),
        "logit_rest": float(lesion.rest[:, n].mean()),
    }


def _place(what: str, lps: np.ndarray) -> dict:
    r, a, s = -lps[0], -lps[1], lps[2]
    return {f"{what}_r_mm": float(r), f"{what}_a_mm": float(a), f"{what}_s_mm": float(s)}
