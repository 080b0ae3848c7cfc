"""Gradient features of a lesion: gradient magnitude and radial gradient of core and margin, sharpness of the margin.

MRI intensities have no unit, so magnitudes, slopes and contrasts are divided by the intensity scale: the range from the
1st to the 99th percentile of the finite voxels within :data:`NEIGHBOURHOOD_MM` of the GTV, the GTV included. So no
feature changes when the image is multiplied by a positive number or a constant is added, but for the scale itself. It
and the counts of voxels and profiles, which change with the voxels' size, are :data:`GRADIENT_DIAGNOSTICS`: they stand
in the table to judge the others by, and no model learns from them.
"""

from __future__ import annotations

import numpy as np

from ..core.errors import InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..core.vocabulary import DEFAULT_MARGIN_MM, DEFAULT_SIGMA_MM
from ..explanation.tables import core_of
from .gradients import gradient_maps
from .margin_sharpness import PROFILE_REACH_MM, mean_edge, profiles_of, slopes
from .neighbourhood import Neighbourhood, neighbourhood_of
from .row import FeatureRow
from .values import DELTA, RELATIVE

NEIGHBOURHOOD_MM = 10.0
"""Tissue this near to the GTV decides what counts as a large difference of intensity."""

SCALE_PERCENTILES = (1.0, 99.0)

PERCENTILES = (10, 50, 90)

REGIONS = ("whole", "core", "margin")

_GILHUIJS = "margin sharpness of Gilhuijs et al., Med. Phys. 1998;25:1647"

GRADIENT_MEASURES = {
    "magnitude_mean_per_mm": f"mean gradient magnitude over the intensity scale, 1/mm; in the margin the {_GILHUIJS}",
    "magnitude_sd_per_mm": f"standard deviation of the same (n - 1); in the margin the variation of the {_GILHUIJS}",
    **{f"magnitude_p{p}_per_mm": f"{p}th percentile of the same" for p in PERCENTILES},
    "radial_mean": "mean radial gradient, -1 to 1, positive where the intensity falls away from the centre of mass",
    "radial_sd": "standard deviation of the radial gradient (n - 1)",
    "radial_inward_share": "share of voxels whose intensity rises towards the centre of mass (radial gradient above 0)",
    "radial_index": "radial gradient index: mean weighted by magnitude, after Kupinski and Giger, IEEE TMI 1998;17:510",
    "radial_undefined_voxels": "number of voxels left out of the radial measures: zero gradient, centre, or no value",
}
"""Measure to what it is; each is given for whole, core and margin as ``gradient_<region>_<measure>``."""

MARGIN_MEASURES = {
    "gradient_intensity_scale": "the intensity scale, in the MRI's own units",
    "gradient_core_voxels": "number of voxels deeper than the margin",
    "gradient_margin_voxels": "number of voxels in the margin",
    "gradient_edge_contrast": "mean of the margin less mean of the shell of the same thickness outside, over the scale",
    "gradient_edge_slope_mean_per_mm": "mean fall of intensity outwards across the contour (1 mm each side), over the "
    "scale, weighted by surface area; positive: brighter inside",
    "gradient_edge_slope_sd_per_mm": "standard deviation of the same over the surface, weighted by area",
    "gradient_edge_width_mm": "10-90 % width of the cumulative Gaussian that fits the mean profile across the surface, "
    "after Xu et al., Med. Phys. 2012;39:5405; includes the blur of voxels and of an inexact contour",
    "gradient_edge_offset_mm": "where that edge lies, millimetres outside the contour (negative: inside)",
    "gradient_edge_drop": "height of that edge, inside less outside, over the scale",
    "gradient_edge_profiles": "number of profiles across the surface that were used",
}
"""The other features, by their full name."""

GRADIENT_DIAGNOSTICS = frozenset(
    {
        "gradient_intensity_scale",
        "gradient_core_voxels",
        "gradient_margin_voxels",
        "gradient_edge_profiles",
        *(f"gradient_{region}_radial_undefined_voxels" for region in REGIONS),
    }
)
"""Columns in units of the scanner or of the grid, which are no features of the lesion."""


def is_diagnostic(name: str) -> bool:
    """Whether a column of a table of features is one of :data:`GRADIENT_DIAGNOSTICS`, or how one of them changed."""
    return name.removeprefix(DELTA).removesuffix(RELATIVE) in GRADIENT_DIAGNOSTICS


def describe_gradient_feature(name: str) -> str:
    """One line on a feature of :func:`gradient_features`: what it is, its unit, its source.

    Raises:
        InputError: there is no such feature.
    """
    if name in MARGIN_MEASURES:
        return MARGIN_MEASURES[name]
    for region in REGIONS:
        measure = name.removeprefix(f"gradient_{region}_")
        if measure in GRADIENT_MEASURES:
            return f"{region} of the GTV: {GRADIENT_MEASURES[measure]}"
    raise InputError(f"There is no gradient feature called {name!r}.")


def gradient_features(
    volume: np.ndarray,
    geometry: VolumeGeometry,
    lesion: Lesion,
    margin_mm: float = DEFAULT_MARGIN_MM,
    *,
    sigma_mm: float = DEFAULT_SIGMA_MM,
) -> FeatureRow:
    """All gradient features of a lesion, always the same names in the same order.

    Args:
        volume: MRI ``[k, j, i]``.
        geometry: its place.
        lesion: on the MRI's grid.
        margin_mm: thickness of the margin under the GTV's surface and of the shell outside, see
            :func:`..explanation.tables.core_of`.
        sigma_mm: scale of the gradient, see :func:`.gradients.gradient_maps`; contrast and edge use the MRI as it is.

    Returns:
        Feature name to number, or None with a sentence in ``.reasons``.

    Raises:
        InputError: see :func:`.gradients.gradient_maps`; a margin that is not positive.
    """
    check_margin(margin_mm)
    maps = gradient_maps(volume, geometry, lesion, sigma_mm=sigma_mm)
    reach = max(NEIGHBOURHOOD_MM, PROFILE_REACH_MM, margin_mm + min(geometry.spacing))
    near = neighbourhood_of(volume, geometry, lesion, reach)
    outside = near.distance_outside_mm()
    core = core_of(lesion, geometry, margin_mm)
    scale = _intensity_scale(near, outside)
    row = FeatureRow()
    row.put("gradient_intensity_scale", scale, no_scale(scale))
    row.put("gradient_core_voxels", core.sum())
    row.put("gradient_margin_voxels", (lesion.mask & ~core).sum())
    for name, region in zip(REGIONS, (lesion.mask, core, lesion.mask & ~core), strict=True):
        _put_magnitude(row, f"gradient_{name}_", maps.magnitude[region].astype(float), scale)
        _put_radial(row, f"gradient_{name}_", maps.magnitude[region].astype(float), maps.radial[region].astype(float))
    _put_contrast(row, near, lesion.mask & ~core, outside, margin_mm, scale)
    _put_edge(row, near, scale)
    return row


def check_margin(margin_mm: float) -> None:
    """Refuse a margin without thickness.

    Raises:
        InputError: it is not above zero.
    """
    if not np.isfinite(margin_mm) or margin_mm <= 0:
        raise InputError(f"The margin must be thicker than zero millimetres, not {margin_mm}.")


def intensity_scale_of(volume: np.ndarray, geometry: VolumeGeometry, lesion: Lesion) -> float | None:
    """What magnitudes are divided by; 0 for a constant image, None where no voxel near the lesion has a value."""
    near = neighbourhood_of(volume, geometry, lesion, NEIGHBOURHOOD_MM)
    return _intensity_scale(near, near.distance_outside_mm())


def _intensity_scale(near: Neighbourhood, outside: np.ndarray) -> float | None:
    """Range between the percentiles, 0 for a constant image; None where no voxel has a value."""
    values = near.values[(outside <= NEIGHBOURHOOD_MM) & np.isfinite(near.values)]
    if not values.size:
        return None
    low, high = np.percentile(values, SCALE_PERCENTILES)
    # What interpolation between equal numbers leaves is no range.
    return float(high - low) if high - low > 1e-10 * np.abs(values).max() else 0.0


def no_scale(scale: float | None) -> str:
    """Why there is nothing to divide by."""
    flat = "nearly all voxels around the lesion have the same intensity, so there is no scale to compare with"
    return flat if scale == 0 else "the MRI has no finite voxel around the lesion"


def _put_magnitude(row: FeatureRow, prefix: str, magnitude: np.ndarray, scale: float | None) -> None:
    values = magnitude[np.isfinite(magnitude)] / scale if scale else np.empty(0)
    reason = "the region has no voxel with a gradient" if scale else no_scale(scale)
    row.put(f"{prefix}magnitude_mean_per_mm", values.mean() if values.size else None, reason)
    spread = values.std(ddof=1) if values.size > 1 else None
    row.put(f"{prefix}magnitude_sd_per_mm", spread, reason if values.size < 1 else "the region is a single voxel")
    for p in PERCENTILES:
        row.put(f"{prefix}magnitude_p{p}_per_mm", np.percentile(values, p) if values.size else None, reason)


def _put_radial(row: FeatureRow, prefix: str, magnitude: np.ndarray, radial: np.ndarray) -> None:
    known = np.isfinite(radial)
    values, weights = radial[known], magnitude[known]
    reason = "no voxel of the region has a radial gradient"
    row.put(f"{prefix}radial_mean", values.mean() if values.size else None, reason)
    spread = values.std(ddof=1) if values.size > 1 else None
    row.put(f"{prefix}radial_sd", spread, reason if values.size < 1 else "only one voxel has a radial gradient")
    row.put(f"{prefix}radial_inward_share", (values > 0).mean() if values.size else None, reason)
    row.put(f"{prefix}radial_index", np.average(values, weights=weights) if values.size else None, reason)
    row.put(f"{prefix}radial_undefined_voxels", np.count_nonzero(~known))


def _put_contrast(
    row: FeatureRow,
    near: Neighbourhood,
    margin: np.ndarray,
    outside: np.ndarray,
    margin_mm: float,
    scale: float | None,
) -> None:
    finite = np.isfinite(near.values)
    within = np.zeros_like(near.inside)
    within[_lesion_box(near)] = margin
    shell = near.values[finite & ~near.inside & (outside <= margin_mm)]
    inner = near.values[finite & within]
    empty = "the margin" if not inner.size else "the shell outside the lesion"
    reason = f"{empty} has no voxel (voxels larger than the margin, or no value)" if scale else no_scale(scale)
    contrast = (inner.mean() - shell.mean()) / scale if scale and inner.size and shell.size else None
    row.put("gradient_edge_contrast", contrast, reason)


def _put_edge(row: FeatureRow, near: Neighbourhood, scale: float | None) -> None:
    profiles = profiles_of(near)
    weights = profiles.weights
    mean = spread = edge = None
    slope_reason = edge_reason = no_scale(scale)
    if scale:
        try:
            falls = slopes(profiles) / scale
            mean = float(np.average(falls, weights=weights))
            spread = float(np.sqrt(np.average((falls - mean) ** 2, weights=weights)))
            edge = mean_edge(profiles, scale)
        except ValueError as reason:
            slope_reason = edge_reason = str(reason)
    row.put("gradient_edge_slope_mean_per_mm", mean, slope_reason)
    row.put("gradient_edge_slope_sd_per_mm", spread, slope_reason)
    row.put("gradient_edge_width_mm", edge and edge.width_mm, edge_reason)
    row.put("gradient_edge_offset_mm", edge and edge.offset_mm, edge_reason)
    row.put("gradient_edge_drop", edge and edge.drop / scale, edge_reason)
    row.put("gradient_edge_profiles", len(profiles.values))


def _lesion_box(near: Neighbourhood) -> tuple[slice, ...]:
    found = np.argwhere(near.inside)
    return tuple(slice(int(a), int(b) + 1) for a, b in zip(found.min(axis=0), found.max(axis=0), strict=True))
