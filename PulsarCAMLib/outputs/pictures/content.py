"""What a picture shows, as plain arrays: small enough to be handed to a drawing process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.geometry import VolumeGeometry
from ...core.map_methods import CLASSES, SIGNED, TITLES
from ...explanation.result import CaseResult, UnitResult
from ...lesions.resampling import image_around, resample

PIXELS = 288
"""Side of the displayed square in pixels; the MRI is interpolated linearly."""

FIELD_MM = (64.0, 200.0)
"""Smallest and largest displayed side."""

GREY_PERCENTILES = (0.5, 99.8)

OBLIQUE = 0.38
"""Sine of 22 degrees: from here on an axis carries two letters."""

UNITS = {
    "pixelwise": "contribution to the logit",
    SIGNED: "contribution to the logit",
    "gradcam": "Grad-CAM weight, logit scale",
    "gradcam++": "Grad-CAM++ weight, no unit",
}


@dataclass(frozen=True)
class Picture:
    """One lesion's picture.

    Attributes:
        title, subtitle, footer: texts.
        grey: MRI 0..1 ``[p, p]``, rows downwards as displayed.
        mask: share of GTV 0..1 ``[p, p]``, for the contour.
        maps: heading to heat map ``[p, p]``, zero outside the GTV; the first is the large one.
        top: value at the upper end of the colour scale; the lower end is 0, or -top for signed maps.
        signed: whether maps have both signs.
        scale_text: what the colour means.
        side_mm: side of the square.
        letters: anatomical letters at the left, right, top and bottom edge.
        plane: such as "axial slice 14 of 25".
        areas_mm2, probabilities, spreads: of each slice ``[n]``.
        slices: the MRI's slice numbers ``[n]``, counted from 0.
        main: index of the answering slice.
        threshold: probability from which a lesion is called response.
    """

    title: str
    subtitle: str
    footer: str
    grey: np.ndarray
    mask: np.ndarray
    maps: dict[str, np.ndarray]
    top: float
    signed: bool
    scale_text: str
    side_mm: float
    letters: tuple[str, str, str, str]
    plane: str
    areas_mm2: np.ndarray
    probabilities: np.ndarray
    spreads: np.ndarray
    slices: np.ndarray
    main: int
    threshold: float


def picture_of(
    result: CaseResult,
    lesion: UnitResult,
    volume: np.ndarray,
    method: str,
    target: str,
    normalisation: str = "none",
) -> Picture:
    """Everything that the picture of one lesion shows.

    Args:
        result: of the scan.
        lesion: one of its lesions.
        volume: the MRI ``[k, j, i]``.
        method: a computed method or the signed map.
        target: class of the large panel; the other class is shown beside it on the same scale.
        normalisation: as of the written maps.
    """
    grid = display_grid(lesion, result.geometry)
    image = resample(image_around(volume, result.geometry, grid), grid)[0]
    mask = _resampled_mask(lesion, result.geometry, grid)
    target = lesion.predicted_class if target == "predicted" else target
    maps = {}
    targets = [target] if method == SIGNED else [target, *(c for c in CLASSES if c != target)]
    for name in targets:
        heading = "response (red), non-response (blue)" if method == SIGNED else name
        maps[f"Evidence for {heading}"] = _resampled_map(result, lesion, method, name, normalisation, grid, mask)
    largest = lesion.joint_maximum(method) if normalisation == "none" else None
    top = largest if largest is not None else result.display_range(method, normalisation)[1]
    return Picture(
        title=lesion.name,
        subtitle=_prediction(lesion, result.card.members),
        footer=f"Model: {result.card.origin}. Research use only, not for diagnosis or treatment decisions.",
        grey=_grey(image),
        mask=mask,
        maps=maps,
        top=float(top) or 1.0,
        signed=method == SIGNED,
        scale_text=_scale_text(method, normalisation),
        side_mm=grid.spacing[0] * PIXELS,
        letters=edge_letters(np.asarray(grid.direction)),
        plane=_plane_text(result.geometry, lesion, grid),
        areas_mm2=np.asarray(lesion.samples.areas_mm2),
        probabilities=lesion.sample_probabilities,
        spreads=lesion.sample_spread,
        slices=_slice_numbers(lesion, result.geometry),
        main=lesion.main,
        threshold=result.card.decision_threshold,
    )


def display_grid(lesion: UnitResult, geometry: VolumeGeometry) -> VolumeGeometry:
    """One slice of square pixels in the plane of the answering slice, centred on the lesion's section there."""
    patches = lesion.samples
    rows, columns = np.nonzero(patches.masks[patches.main, 0])
    middle = patches.patch_to_lps(patches.main, (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2)
    ends = [[0, n - 1] for n in lesion.lesion.mask.shape[::-1]]
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3) + np.array(lesion.lesion.offset[::-1])
    axes = np.asarray(patches.grid.direction)
    reach = np.ptp(geometry.to_lps(corners) @ axes[:, :2], axis=0).max()
    side = float(np.clip(2.0 * reach, *FIELD_MM))
    spacing = side / PIXELS
    origin = middle - axes[:, :2].sum(axis=1) * spacing * (PIXELS - 1) / 2
    return VolumeGeometry(
        (1, PIXELS, PIXELS), (spacing, spacing, 1.0), tuple(origin), tuple(map(tuple, patches.grid.direction))
    )


def edge_letters(direction: np.ndarray) -> tuple[str, str, str, str]:
    """Letters at the left, right, top and bottom edge, for axes (columns of ``direction``) in LPS."""
    right, bottom = direction[:, 0], direction[:, 1]
    return _letters(-right), _letters(right), _letters(-bottom), _letters(bottom)


def _letters(towards: np.ndarray) -> str:
    order = np.argsort(-np.abs(towards))
    pairs = ("RL", "AP", "IS")
    kept = [n for n in order if abs(towards[n]) >= OBLIQUE] or [order[0]]
    return "".join(pairs[n][int(towards[n] > 0)] for n in kept)


def _resampled_mask(lesion: UnitResult, geometry: VolumeGeometry, grid: VolumeGeometry) -> np.ndarray:
    padded = np.pad(lesion.lesion.mask, 1).astype(np.float32)
    place = geometry.cropped(tuple(o - 1 for o in lesion.lesion.offset), padded.shape)
    return resample(place.to_sitk(padded), grid)[0]


def _resampled_map(result, lesion, method, target, normalisation, grid, mask) -> np.ndarray:
    """The map as written, without the fall to zero that interpolation would make at the GTV's border."""
    pasted = result.pasted(lesion, method, target, "mean", normalisation, restrict=False)
    place = result.geometry.cropped(pasted.offset, pasted.values.shape)
    values = resample(place.to_sitk(np.ascontiguousarray(pasted.values, dtype=np.float32)), grid, edges=True)[0]
    return np.where(mask >= 0.5, values, np.float32(0))


def _grey(image: np.ndarray) -> np.ndarray:
    """Window of the middle of the picture, so that fat and skull at its edge do not darken the lesion."""
    quarter = PIXELS // 4
    low, high = np.percentile(image[quarter:-quarter, quarter:-quarter], GREY_PERCENTILES)
    return np.clip((image - low) / (high - low if high > low else 1.0), 0, 1).astype(np.float32)


def _prediction(lesion: UnitResult, members: int) -> str:
    spread = f" ± {lesion.spread:.2f} (ensemble of {members})" if members > 1 else ""
    return f"probability of response {lesion.probability:.2f}{spread}: predicted {lesion.predicted_class}"


def _scale_text(method: str, normalisation: str) -> str:
    if normalisation == "none":
        return f"{TITLES[method]}: {UNITS.get(method, 'no unit')}"
    return f"{TITLES[method]}: share of the {normalisation}'s joint maximum"


def _slice_numbers(lesion: UnitResult, geometry: VolumeGeometry) -> np.ndarray:
    return np.rint(geometry.to_ijk(lesion.samples.centres_lps())[:, 2]).astype(int)


def _plane_text(geometry: VolumeGeometry, lesion: UnitResult, grid: VolumeGeometry) -> str:
    normal = np.asarray(grid.direction)[:, 2]
    name = ("sagittal", "coronal", "axial")[int(np.argmax(np.abs(normal)))]
    if np.abs(normal).max() < 1 - OBLIQUE**2 / 2:
        name = f"oblique, near {name}"
    along = abs(np.asarray(geometry.direction)[:, 2] @ normal)
    if along < 1 - 1e-3:
        return f"{name} (resampled)"
    return f"{name}, MRI slice {_slice_numbers(lesion, geometry)[lesion.main]} (0 to {geometry.shape[0] - 1})"
