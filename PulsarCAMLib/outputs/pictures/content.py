"""What a picture shows, as plain arrays: small enough to be handed to a drawing process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.geometry.slice_place import slice_place
from ...core.geometry.volume import VolumeGeometry, kji_of
from ...core.pluralize import capital
from ...core.task import LESION, PREDICTED, Task
from ...explanation.plain import plain_answer
from ...explanation.result import CaseResult, UnitResult
from ...explanation.stability import range_text
from ...lesions.resampling import block_of, image_around, resample
from ...systems.bundles.card import ModelCard
from ...systems.contract import Sliced

PIXELS = 288
"""Side of the displayed square in pixels; the MRI is interpolated linearly."""

FIELD_MM = (64.0, 200.0)
"""Smallest and largest displayed side."""

GREY_PERCENTILES = (0.5, 99.8)

OBLIQUE = 0.38
"""Sine of 22 degrees: from here on an axis carries two letters."""


@dataclass(frozen=True)
class Profile:
    """The answers of a unit's slices.

    Attributes:
        areas_mm2, probabilities, spreads: of each slice ``[n]``.
        slices: the reference image's slice numbers ``[n]``, counted from 1.
        main: index of the answering slice.
        threshold: probability from which a unit is called positive.
        title, short_title: of the probability.
    """

    areas_mm2: np.ndarray
    probabilities: np.ndarray
    spreads: np.ndarray
    slices: np.ndarray
    main: int
    threshold: float
    title: str
    short_title: str


@dataclass(frozen=True)
class ClassBars:
    """The answer of a unit that is one sample, or has more than two classes.

    Attributes:
        names, colors: of the classes.
        probabilities, spreads: of each class.
    """

    names: tuple[str, ...]
    colors: tuple[str, ...]
    probabilities: np.ndarray
    spreads: np.ndarray


@dataclass(frozen=True)
class Picture:
    """One unit's picture.

    Attributes:
        title, subtitle, footer: texts.
        grey: MRI 0..1 ``[p, p]``, rows downwards as displayed.
        mask: share of GTV 0..1 ``[p, p]``, for the contour.
        maps: heading to heat map ``[p, p]``, zero outside the GTV; the first is the large one.
        top: value at the upper end of the colour scale; the lower end is 0, or -top for signed maps.
        signed: whether maps have both signs.
        scale_text: what the colour means.
        bare_text: above the panel without a map.
        side_mm: side of the square.
        letters: anatomical letters at the left, right, top and bottom edge.
        plane: such as "axial, S 35.0 mm, slice 12 of 25".
        answers: what is plotted beside the maps.
        measured: share 0..1 ``[p, p]`` of what was outlined on this image and measured; None: nothing was.
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
    bare_text: str
    side_mm: float
    letters: tuple[str, str, str, str]
    plane: str
    answers: Profile | ClassBars
    measured: np.ndarray | None = None


def sentence(text: str) -> str:
    """With a capital letter and a full stop; empty stays empty."""
    return f"{capital(text)}." if text else ""


def picture_of(
    result: CaseResult,
    lesion: UnitResult,
    volume: np.ndarray,
    method: str,
    target: str,
    normalisation: str = "none",
) -> Picture:
    """Everything that the picture of one unit shows.

    Args:
        result: of the case.
        lesion: one of its units.
        volume: the reference image ``[k, j, i]``.
        method: a computed method.
        target: class of the large panel; the other classes are shown beside it on the same scale.
        normalisation: as of the written maps.
    """
    task, signed = result.task, result.method(method).signed
    target = lesion.predicted_class if target == PREDICTED else target
    grid = display_grid(lesion, result.geometry, strongest_slice(result, lesion, method, target))
    image = resample(image_around(volume, result.geometry, grid), grid)[0]
    mask = resampled_mask(lesion, result.geometry, grid)
    maps = {}
    targets = [target] if signed else [target, *(name for name in task.names if name != target)]
    for name in targets:
        heading = both_signs(task) if signed else name
        maps[capital(result.method(method).tells.format(heading))] = resampled_map(
            result, lesion, method, name, normalisation, grid, mask
        )
    largest = lesion.joint_maximum(method) if normalisation == "none" else None
    top = largest if largest is not None else result.display_range(method, normalisation)[1]
    return Picture(
        title=lesion.name,
        subtitle=_prediction(lesion, result.card),
        footer=result.card.footer,
        grey=grey(image),
        mask=mask,
        maps=maps,
        top=float(top) or 1.0,
        signed=signed,
        scale_text=scale_text(result, method, normalisation),
        bare_text="MRI and contour (GTV)" if task.unit == LESION else "MRI and outline",
        side_mm=grid.spacing[0] * PIXELS,
        letters=edge_letters(np.asarray(grid.direction)),
        plane=plane_text(result.geometry, lesion, grid),
        answers=answers_of(result, lesion),
    )


def both_signs(task: Task) -> str:
    other = next(name for name in task.names if name != task.positive)
    return f"{task.positive} (red), {other} (blue)"


def answers_of(result: CaseResult, lesion: UnitResult) -> Profile | ClassBars:
    task = result.task
    if not isinstance(lesion.samples, Sliced) or not task.binary:
        at = lesion.class_probabilities[:, :, lesion.main]
        return ClassBars(task.names, tuple(each.color for each in task.classes), at.mean(axis=1), at.std(axis=1))
    return Profile(
        areas_mm2=np.asarray(lesion.samples.areas_mm2),
        probabilities=lesion.sample_probabilities,
        spreads=lesion.sample_spread,
        slices=_slice_numbers(lesion, result.geometry),
        main=lesion.main,
        threshold=result.card.decision_threshold,
        title=task.probability_title(),
        short_title=task.short_probability_title(),
    )


def strongest_slice(result: CaseResult, lesion: UnitResult, method: str, target: str) -> int | None:
    """Slice k of the reference image in which a map is strongest; None for samples that are slices themselves."""
    if isinstance(lesion.samples, Sliced):
        return None
    pasted = result.pasted(lesion, method, target)
    strength = np.abs(pasted.values).max(axis=(1, 2))
    return pasted.offset[0] + int(np.argmax(strength)) if strength.any() else None


def display_grid(lesion: UnitResult, geometry: VolumeGeometry, k: int | None = None) -> VolumeGeometry:
    """One slice of square pixels, centred on the unit's section there.

    Args:
        lesion: the unit.
        geometry: of the reference image.
        k: slice of the reference image; None: in the plane of the answering slice where samples are slices, else the
            slice in the unit's middle.
    """
    if k is None and isinstance(lesion.samples, Sliced):
        middle, axes = lesion.samples.plane(lesion.main)
    else:
        middle, axes = _section_middle(lesion, geometry, k), np.asarray(geometry.direction)
    ends = [[0, n - 1] for n in lesion.lesion.mask.shape[::-1]]
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3) + np.array(lesion.lesion.offset[::-1])
    reach = np.ptp(geometry.to_lps(corners) @ axes[:, :2], axis=0).max()
    side = float(np.clip(2.0 * reach, *FIELD_MM))
    spacing = side / PIXELS
    origin = middle - axes[:, :2].sum(axis=1) * spacing * (PIXELS - 1) / 2
    return VolumeGeometry((1, PIXELS, PIXELS), (spacing, spacing, 1.0), tuple(origin), tuple(map(tuple, axes)))


def _section_middle(lesion: UnitResult, geometry: VolumeGeometry, k: int | None) -> np.ndarray:
    """LPS millimetres of the middle of the rectangle around the unit on slice k, or on the slice nearest its middle."""
    used = np.flatnonzero(lesion.lesion.mask.any(axis=(1, 2))) + lesion.lesion.offset[0]
    wanted = (used[0] + used[-1]) / 2 if k is None else k
    k = int(used[np.argmin(np.abs(used - wanted))])
    rows, columns = np.nonzero(lesion.lesion.mask[k - lesion.lesion.offset[0]])
    j, i = ((at.min() + at.max()) / 2 + o for at, o in zip((rows, columns), lesion.lesion.offset[1:], strict=True))
    return geometry.to_lps([i, j, k])


def edge_letters(direction: np.ndarray) -> tuple[str, str, str, str]:
    """Letters at the left, right, top and bottom edge, for axes (columns of ``direction``) in LPS."""
    right, bottom = direction[:, 0], direction[:, 1]
    return _letters(-right), _letters(right), _letters(-bottom), _letters(bottom)


def _letters(towards: np.ndarray) -> str:
    order = np.argsort(-np.abs(towards))
    pairs = ("RL", "AP", "IS")
    kept = [n for n in order if abs(towards[n]) >= OBLIQUE] or [order[0]]
    return "".join(pairs[n][int(towards[n] > 0)] for n in kept)


def resampled_mask(lesion: UnitResult, geometry: VolumeGeometry, grid: VolumeGeometry) -> np.ndarray:
    padded = np.pad(lesion.lesion.mask, 1).astype(np.float32)
    place = geometry.cropped(tuple(o - 1 for o in lesion.lesion.offset), padded.shape)
    return resample(place.to_sitk(padded), grid)[0]


def resampled_map(result, lesion, method, target, normalisation, grid, mask, input="") -> np.ndarray:
    """The map as written, without the fall to zero that interpolation would make at the GTV's border."""
    low, high = block_of(grid, result.geometry, margin=1)
    part = result.geometry.cropped(kji_of(low), kji_of(high - low))
    how = {"restrict": False, "input": input, "on_reference": True, "part": part}
    pasted = result.pasted(lesion, method, target, "mean", normalisation, **how)
    place = part.cropped(pasted.offset, pasted.values.shape)
    values = resample(place.to_sitk(np.ascontiguousarray(pasted.values, dtype=np.float32)), grid, edges=True)[0]
    return np.where(mask >= 0.5, values, np.float32(0))


def grey(image: np.ndarray) -> np.ndarray:
    low, high = window(image)
    return np.clip((image - low) / (high - low), 0, 1).astype(np.float32)


def window(image: np.ndarray) -> tuple[float, float]:
    """Of the middle of the picture, so that fat and skull at its edge do not darken the lesion."""
    quarter = PIXELS // 4
    low, high = np.percentile(image[quarter:-quarter, quarter:-quarter], GREY_PERCENTILES)
    return float(low), float(high if high > low else low + 1.0)


def _prediction(lesion: UnitResult, card: ModelCard) -> str:
    task, members = lesion.task, card.members
    answer = capital(plain_answer(lesion, card).answer)
    told = task.positive if task.binary else lesion.predicted_class
    at = lesion.class_probabilities[task.index(told), :, lesion.main]
    spread = f" ± {at.std():.2f} (ensemble of {members})" if members > 1 else ""
    found = lesion.stability if told == task.positive else None
    moves = "" if found is None else f", {range_text(found.lowest, found.highest)}"
    figures = f"{task.probability_title(told)} {at.mean():.2f}{spread}{moves}"
    return f"{answer}: {figures}: predicted {lesion.predicted_class}"


def scale_text(result: CaseResult, method: str, normalisation: str) -> str:
    found = result.method(method)
    if normalisation == "none":
        return f"{found.title}: {found.unit}"
    whose = result.task.unit if normalisation == "lesion" else normalisation
    return f"{found.title}: share of the {whose}'s joint maximum"


def _slice_numbers(lesion: UnitResult, geometry: VolumeGeometry) -> np.ndarray:
    return np.array([slice_place(geometry, centre).number for centre in lesion.samples.centres_lps()])


def plane_text(geometry: VolumeGeometry, lesion: UnitResult, grid: VolumeGeometry) -> str:
    normal = np.asarray(grid.direction)[:, 2]
    name = ("sagittal", "coronal", "axial")[int(np.argmax(np.abs(normal)))]
    if np.abs(normal).max() < 1 - OBLIQUE**2 / 2:
        name = f"oblique, near {name}"
    along = abs(np.asarray(geometry.direction)[:, 2] @ normal)
    if along < 1 - 1e-3:
        return f"{name} (resampled)"
    is_slice = isinstance(lesion.samples, Sliced)
    at = lesion.samples.centres_lps()[lesion.main] if is_slice else grid.to_lps([0, 0, 0])
    return f"{name}, {slice_place(geometry, at).words}"
