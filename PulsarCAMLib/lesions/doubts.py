"""Whether voxels are a mask at all: label values as whole numbers, no image, no background taken for a lesion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..core.errors import Cure, InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..core.pluralize import pluralize

NEAR = 1e-3
"""A label value that is this close to a whole number was rounded on its way."""

COARSEST = 0.05
"""Labels that a NIfTI scales (``scl_slope``) may be off by a step of the scale, but by no more than this."""

LARGEST_LABEL = 2**53
"""Whole numbers beyond are not all representable as 64-bit floats."""

FEW_VALUES = 20
"""A volume of so many label values is taken for a mask without looking at how they are spread."""

FEWEST_PAIRS = 50
ALIKE = 0.5
"""In a mask more than this share of neighbouring voxels have the same value: its labels are regions."""

MOST_LESIONS = 200
"""Nobody contours more lesions than this one by one; they are speckles, or regions of something else."""

LARGEST_CM3 = 500.0
"""No lesion is larger, and more than twenty label values that are larger together are parts of the brain."""

SAME_SHARE, SAME_CM3 = 0.1, 0.05
"""A typed volume and that of its mask may differ by a tenth, or by this much: programs count the border differently."""

SMALL_VOXELS = 1000
"""A file of fewer voxels may be cropped to a lesion."""

LEAST_SLICES = 3
"""Contours on so many slices with gaps between all of them are hardly separate parts."""

FEW_VOXELS = 4
"""So many voxels and fewer are told: at their border, which is all that they have, every one is half something else."""

FILLS = 0.5
"""A lesion that fills more than this share of the MRI is doubted."""

LESIONS_BY_LABEL = Cure(
    "choose those of the lesions",
    "by --labels",
    panel="leave only the lesions ticked in the list",
    column="name one in the column label_value",
)
LESIONS_BY_SEGMENT = Cure(
    "choose those of the lesions",
    "by --segments",
    panel="leave only the lesions ticked in the list",
    column="name one in the column segment",
)
BY_PARTS = Cure(
    "say which is meant",
    "by --parts together (one lesion) or --parts separate (each a lesion)",
    panel="choose whether they are one lesion or each a lesion",
)

LEAVE_OUT = Cure(
    "leave it out",
    "by naming the others with --labels or --segments",
    panel="untick it in the list of lesions",
    column="name the lesion in the column label_value or segment",
)


def volumes_differ(typed_cm3: float, mask_cm3: float) -> bool:
    """Whether a typed volume is not the mask's.

    Examples:
        >>> volumes_differ(1.05, 1.0), volumes_differ(1.2, 1.0), volumes_differ(0.01, 0.0)
        (False, True, False)
    """
    return abs(typed_cm3 - mask_cm3) > max(SAME_CM3, SAME_SHARE * max(typed_cm3, mask_cm3))


def whole_numbers(name: str, values: np.ndarray, step: float = 0.0) -> np.ndarray:
    """Label values as integers, slice by slice: a volume must not cost several copies.

    Args:
        name: of the mask, for sentences.
        values: ``[k, j, i]``, any numeric type.
        step: distance of neighbouring values that the file can hold (``scl_slope`` of a NIfTI), 0 where unknown.

    Returns:
        The same array where it has an integer type; else int32, or int64 where that does not hold the values.

    Raises:
        InputError: fractions, NaN, complex or very large numbers.

    Examples:
        >>> whole_numbers("The mask", np.array([[[0.0, 0.9999999, 3e9]]])).tolist()
        [[[0, 1, 3000000000]]]
    """
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    if values.dtype.kind not in "iuf":
        raise InputError(f"{name} holds {values.dtype} numbers, not label values; save it as whole numbers.")
    low, high = _range(name, values)
    if max(abs(low), abs(high)) > LARGEST_LABEL:
        raise InputError(f"{name} holds values up to {max(abs(low), abs(high)):.3g}, which are no label values.")
    if values.dtype.kind in "iu":
        return values
    near = max(NEAR, min(abs(step), COARSEST))
    small = np.iinfo(np.int32).min <= low and high <= np.iinfo(np.int32).max
    whole = np.empty(values.shape, np.int32 if small else np.int64)
    for k, plane in enumerate(values):
        rounded = np.rint(plane)
        if (np.abs(plane - rounded) > near).any():
            raise InputError(_fractions(name, low, high))
        whole[k] = rounded
    return whole


def _range(name: str, values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):  # NaN and infinity come through min and max
        raise InputError(
            f"{name} holds fractions or NaN: it is an image, not a mask; were the two swapped? If it is a mask, write "
            "0 where it is NaN."
        )
    return low, high


def _fractions(name: str, low: float, high: float) -> str:
    if low >= 0 and high <= 1 + NEAR:
        return (
            f"{name} holds fractions between 0 and 1: it is an image, not a mask (were the two swapped?), or a map of "
            "probabilities or shares; make it a mask first, such as 1 from one half on."
        )
    return f"{name} holds fractions or NaN: it is an image, not a mask; were the two swapped?"


def quoted(names: Iterable[str]) -> str:
    """Names for a sentence."""
    return ", ".join(f"“{n}”" for n in names)


def refuse_image(name: str, values: np.ndarray) -> None:
    """Refuse whole numbers that lie as grey values do, each beside others, not as labels do, in regions.

    Looked at are neighbours along the two fastest axes of which both are not 0, without the most frequent value, which
    is background or the inside of a map of shares.

    Args:
        name: of the mask, for sentences.
        values: integers ``[k, j, i]``.

    Raises:
        InputError: with the guess what it is.
    """
    inside = values[values != 0]
    if not inside.size or inside.min() == inside.max():
        return
    found, counts = np.unique(inside, return_counts=True)
    if len(found) <= FEW_VALUES:
        return
    main = found[np.argmax(counts)]
    shares = [_alike(values, axis, main) for axis in (2, 1)]
    if max(shares) > ALIKE:
        return
    graded = main == found[-1] and counts.max() > inside.size / 10
    if graded:
        raise InputError(
            f"{name} holds {len(found)} values up to {main}, most of them at a rim: it is a map of shares or "
            f"probabilities, not of labels; make it a mask first, such as 1 from {main / 2:g} on."
        )
    raise InputError(
        f"{name} holds {len(found)} different values that lie side by side: it is an image, not a mask; were the two "
        "swapped?"
    )


def _alike(values: np.ndarray, axis: int, main: int) -> float:
    """Share of neighbours along an axis that have one value; 1 where there are too few to tell."""
    turned = np.moveaxis(values, axis, 0)
    one, other = turned[:-1], turned[1:]
    looked_at = (one != 0) & (other != 0) & (one != main) & (other != main)
    pairs = int(np.count_nonzero(looked_at))
    return float((one == other)[looked_at].mean()) if pairs >= FEWEST_PAIRS else 1.0


def refuse_no_lesions(
    name: str, values: np.ndarray, voxel_mm3: float, chosen: Sequence[int] | None = None, asks: bool = True
) -> None:
    """Refuse label volumes whose values cannot all be lesions, unless values are chosen.

    Args:
        name: of the mask, for sentences.
        values: integers ``[k, j, i]``.
        voxel_mm3: volume of a voxel.
        chosen: label values that the person named, which answers the question.
        asks: whether very many values are a question; not where they are taken together.

    Raises:
        InputError: with the guess what it is, and how to choose.
    """
    if chosen or not values.size:
        return
    low = int(values.min())
    if low < 0:
        raise InputError(f"{name} holds negative label values ({low}), which are no lesions", LESIONS_BY_LABEL)
    inside = values[values != 0]
    found, counts = np.unique(inside, return_counts=True)
    if len(found) > 1 and inside.size == values.size:
        main, share = int(found[np.argmax(counts)]), counts.max() / values.size
        raise InputError(
            f"{name} has no background: no voxel is 0, and the value {main} fills {share:.1%} of it", LESIONS_BY_LABEL
        )
    if not asks:
        return
    large = inside.size * voxel_mm3 / 1000
    if len(found) > FEW_VALUES and large >= LARGEST_CM3:
        raise InputError(
            f"{name} holds {len(found)} label values of {large:.0f} cm³ together, which looks like anatomy "
            "(FreeSurfer, TotalSegmentator), not like lesions",
            LESIONS_BY_LABEL,
        )
    if len(found) >= MOST_LESIONS:
        raise InputError(f"{name} holds {len(found)} label values, which are hardly all lesions", LESIONS_BY_LABEL)


def refuse_speckles(name: str, parts: int) -> None:
    """Ask about a mask of one value that falls into hundreds of parts.

    Raises:
        InputError: with their number.
    """
    if parts >= MOST_LESIONS:
        raise InputError(f"{name} has {parts} parts that do not touch, which are hardly all lesions", BY_PARTS)


def is_background(lesion: Lesion, geometry: VolumeGeometry) -> bool:
    """Whether a mask holds all eight corners of its MRI."""
    return _touches_all_faces(lesion, geometry) and bool(lesion.mask[np.ix_(*[[0, -1]] * 3)].all())


def _touches_all_faces(lesion: Lesion, geometry: VolumeGeometry) -> bool:
    at_ends = zip(lesion.offset, lesion.mask.shape, geometry.shape, strict=True)
    return all(first == 0 and first + n == size for first, n, size in at_ends)


def refuse_background(name: str, lesions: Iterable[Lesion], own: VolumeGeometry) -> None:
    """Refuse lesions that hold all eight corners of their own file, where no MRI is known yet.

    A file that is cropped to a lesion may be full of it, or small; but then nothing else is at its corners.

    Raises:
        InputError: one of them does.
    """
    size = int(np.prod(own.shape))
    for lesion in lesions if size >= SMALL_VOXELS else ():
        if is_background(lesion, own) and lesion.voxels < size:
            _refuse_background(name, lesion, f"{lesion.voxels / size:.1%} of it")


def _refuse_background(name: str, lesion: Lesion, filled: str) -> None:
    raise InputError(
        f"{name}: “{lesion.name}” fills {filled} and holds all its corners, so it is background, not a lesion",
        LEAVE_OUT,
    )


def doubts_on_all(lesions: Sequence[Lesion], geometry: VolumeGeometry, name: str) -> Iterator[str]:
    """Doubts about the lesions of one mask, one sentence each; arguments and errors as :func:`doubts_on`."""
    for lesion in lesions:
        yield from doubts_on(lesion, geometry, name)
    for n, lesion in enumerate(lesions):
        for other in lesions[:n]:
            if lesion.offset == other.offset and np.array_equal(lesion.mask, other.mask):
                yield f"“{other.name}” and “{lesion.name}” are the very same voxels; was one copied and not redrawn?"


def doubts_on_few_voxels(lesions: Sequence[Lesion], geometry: VolumeGeometry) -> list[str]:
    """One sentence on the lesions of hardly any voxel, with the figures; none where there is no such lesion."""
    few = [
        f"“{each.name}” ({pluralize(each.voxels, 'voxel')}, {each.volume_cm3(geometry):.2g} cm³)"
        for each in lesions
        if each.voxels <= FEW_VOXELS
    ]
    return [f"Of so few voxels a model sees next to nothing: {', '.join(few)}; is the mask right?"] if few else []


def doubts_on(lesion: Lesion, geometry: VolumeGeometry, name: str) -> list[str]:
    """Doubts about a lesion on the grid of its MRI, one sentence each.

    Args:
        lesion: on that grid.
        geometry: of the MRI.
        name: of the mask, for sentences.

    Raises:
        InputError: it holds all eight corners of the MRI, so it is background.
    """
    share = lesion.voxels / float(np.prod(geometry.shape))
    if is_background(lesion, geometry):
        _refuse_background(name, lesion, f"{share:.1%} of the MRI")
    told = f"“{lesion.name}” fills {share:.1%} of the MRI"
    if _touches_all_faces(lesion, geometry):
        return [f"{told} and touches all its six faces; is it background, or the body?"]
    if share > FILLS:
        return [f"{told}; is it background, the brain or the body?"]
    if _skips_slices(lesion):
        return [f"“{lesion.name}” is drawn on every second slice or fewer; were the slices between them left out?"]
    cm3 = lesion.volume_cm3(geometry)
    return [f"“{lesion.name}” has {cm3:.0f} cm³, more than a lesion has; is it the brain?"] if cm3 > LARGEST_CM3 else []


def _skips_slices(lesion: Lesion) -> bool:
    """Whether a mask has voxels on three slices or more along an axis, and on no two neighbours."""
    for axis in range(3):
        filled = np.asarray(lesion.mask.any(axis=tuple(each for each in range(3) if each != axis)))
        if filled.sum() >= LEAST_SLICES and not (filled[1:] & filled[:-1]).any():
            return True
    return False
