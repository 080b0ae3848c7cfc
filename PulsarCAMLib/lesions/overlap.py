"""Whether a mask and an MRI belong together in space: one rule for files and for scenes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from ..core.errors import GeometryError
from ..core.geometry.volume import VolumeGeometry
from ..io.headers.limits import rounded_mm

WHOLE_SHARE = 0.9995
"""A mask of which this share lies within the image counts as lying wholly within it."""

LEAST_SHARE = 0.5
"""At least one lesion must have this share of its voxels within the image."""

SAME_SPACING = 1e-3
"""Relative difference up to which two voxel sizes are the same."""


SAME_ANGLE = 0.1
"""Degrees up to which two volumes are turned alike."""

REMEDY = "its header is probably wrong, so export it again from the program that drew it."

OFF_IMAGE = "lies outside the MRI and is not seen by the model."
"""End of the warning about a lesion of which a part is not on the MRI."""


class Placed(Protocol):
    """Where a mask lies relative to an image.

    Attributes:
        voxels: number of its non-zero voxels, also outside the image.
        share_inside: share of these whose centre lies within the image, 0..1.
        box_ras: lowest and highest RAS millimetres ``[2, 3]`` of their centres; None if there is none.
    """

    @property
    def voxels(self) -> int: ...

    @property
    def share_inside(self) -> float: ...

    @property
    def box_ras(self) -> np.ndarray | None: ...


def box_ras_of(geometry: VolumeGeometry) -> np.ndarray:
    """Lowest and highest RAS millimetres ``[2, 3]`` of the outer faces of a volume's voxels."""
    ends = np.array([[-0.5, n - 0.5] for n in geometry.shape[::-1]])
    ras = geometry.to_lps(np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3)) * [-1, -1, 1]
    return np.stack([ras.min(axis=0), ras.max(axis=0)])


def same_size_elsewhere(image: VolumeGeometry, mask: VolumeGeometry) -> bool:
    """Whether a mask has the image's voxels by number and size, but its header puts them elsewhere."""
    same_size = image.shape == mask.shape and np.allclose(image.spacing, mask.spacing, rtol=SAME_SPACING)
    return bool(same_size) and not image.same_grid(mask)


def where_else(image: VolumeGeometry, mask: VolumeGeometry) -> str:
    """A warning where a mask has the image's voxels by number and size, but its header puts them elsewhere.

    A header that is wrong and leaves the lesions inside the image cannot be told from a right one, so the person is
    told by how much, and along which axes, they differ. Empty where there is nothing to say.

    Examples:
        >>> image = VolumeGeometry((10, 64, 64), (1, 1, 3))
        >>> where_else(image, VolumeGeometry((10, 64, 64), (1, 1, 3), (0.5, 0.5, 1.5)))[:91]
        'The segmentation has the size of the MRI, but its header puts it 1.7 mm away from it (R -0.'
    """
    if image.shape == mask.shape and not np.allclose(image.spacing, mask.spacing, rtol=SAME_SPACING):
        sizes = [" x ".join(f"{mm:.3g}" for mm in each.spacing) for each in (mask, image)]
        return (
            f"The segmentation has as many voxels as the MRI, but its header gives them {sizes[0]} mm and not "
            f"{sizes[1]} mm: if it was drawn on this MRI, its header is wrong and so is every volume; look at both "
            "together before you go on."
        )
    if not same_size_elsewhere(image, mask):
        return ""
    middle = (np.array(image.shape[::-1]) - 1) / 2
    shift = (mask.to_lps(middle) - image.to_lps(middle)) * [-1, -1, 1]
    turn = np.asarray(image.direction).T @ np.asarray(mask.direction)
    backward = [n for n in range(3) if turn[n, n] < -np.cos(np.pi / 4)]
    said = []
    if backward:
        ways = [_WAYS[int(np.argmax(np.abs(np.asarray(image.direction)[:, n])))] for n in backward]
        named = " and ".join(f"{'ijk'[n]} ({way})" for n, way in zip(backward, ways, strict=True))
        said.append(f"runs the {'axis' if len(backward) == 1 else 'axes'} {named} the other way")
    elif np.abs(mask.corners_lps() - image.corners_lps()).max() <= rounded_mm(image.spacing):
        return ""
    signs = np.where(np.isin(range(3), backward), -1.0, 1.0)
    angle = float(np.degrees(np.arccos(np.clip(((np.diag(turn) * signs).sum() - 1) / 2, -1, 1))))
    if angle > SAME_ANGLE:
        said.append(f"turns it by {angle:.1f} degrees")
    if np.abs(shift).max() > rounded_mm(image.spacing):
        parts = ", ".join(f"{axis} {mm:.1f}" for axis, mm in zip("RAS", np.round(shift, 1) + 0.0, strict=True))
        said.append(f"puts it {np.linalg.norm(shift):.1f} mm away from it ({parts})")
    if not said:
        return ""
    only_turned_round = bool(backward) and len(said) == 1
    meaning = (
        "right if a program has reordered the axes, but if signs were lost on the way every lesion is mirrored"
        if only_turned_round
        else "if it was drawn on this MRI, its header is wrong and every lesion is in the wrong place"
    )
    return (
        f"The segmentation has the size of the MRI, but its header {' and '.join(said)}: {meaning}; look at both "
        "together before you go on."
    )


_WAYS = ("left-right", "front-back", "head-foot")


def check_fits(
    image_name: str,
    image_box_ras: np.ndarray,
    mask_name: str,
    placed: Mapping[str, Placed],
    *,
    same_size_elsewhere: bool = False,
    remedy: str = REMEDY,
) -> list[str]:
    """Refuse a mask that does not lie on the image; say what of it lies outside.

    A mask on another grid than the image's is legitimate (another series, a cropped volume, reversed axes): its header
    says where it is. The header is taken for wrong, and the mask refused, when

    - no lesion has at least half of its voxels within the image, or
    - the mask has exactly the image's number and size of voxels, so that it was drawn on this image, and yet its
      header puts any part of a lesion outside of it.

    Otherwise each lesion that reaches out of the image is named in a warning. A wrong header that leaves all lesions
    inside the image cannot be told from a right one.

    Args:
        image_name: what the user calls the image, such as "the MRI".
        image_box_ras: its outer faces, ``[2, 3]``.
        mask_name: what the user calls the mask.
        placed: lesion name to its place.
        same_size_elsewhere: see :func:`same_size_elsewhere`.
        remedy: end of the error's sentence: the likely cause and what to do.

    Returns:
        Warnings, one sentence each.

    Raises:
        GeometryError: mask and image are apart.
    """
    filled = {name: place for name, place in placed.items() if place.voxels}
    if not filled:
        return []
    boxes = np.stack([place.box_ras for place in filled.values() if place.box_ras is not None])
    box = np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])
    inside = sum(p.share_inside * p.voxels for p in filled.values()) / sum(p.voxels for p in filled.values())
    if max(place.share_inside for place in filled.values()) < LEAST_SHARE:
        raise GeometryError(_apart(image_name, image_box_ras, mask_name, box, inside) + remedy)
    if same_size_elsewhere and inside < WHOLE_SHARE:
        raise GeometryError(
            f"{mask_name} has the size of {image_name}, but its header puts {_percent(1 - inside)} of it outside "
            f"({_spans(image_box_ras, box)}): {remedy}"
        )
    return [
        f"{_percent(1 - place.share_inside)} of “{name}” {OFF_IMAGE}"
        for name, place in filled.items()
        if 0 < place.share_inside < WHOLE_SHARE
    ]


def _apart(image_name: str, image_box: np.ndarray, mask_name: str, box: np.ndarray, inside: float) -> str:
    if inside > 0:
        return (
            f"{mask_name} lies with {_percent(1 - inside)} of its voxels outside {image_name} "
            f"({_spans(image_box, box)}): "
        )
    gap = float(np.maximum(np.maximum(box[0] - image_box[1], image_box[0] - box[1]), 0).max())
    far = f" by {gap:.0f} mm" if gap >= 1 else ""
    return f"{mask_name} lies outside {image_name}{far} ({_spans(image_box, box)}): "


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _spans(image_box: np.ndarray, box: np.ndarray) -> str:
    return f"the image spans {_box(image_box)}; the mask {_box(box)} mm"


def _box(box: np.ndarray) -> str:
    return ", ".join(f"{axis} {round(a)} to {round(b)}" for axis, a, b in zip("RAS", *box.tolist(), strict=True))
