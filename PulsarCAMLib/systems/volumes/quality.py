"""How well two images lie on each other: numbers before and after a registration, and what is doubtful about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.case import Image
from ...core.geometry.volume import VolumeGeometry
from ...lesions.resampling import image_around, resample

LOOKED_AT_MM = 3.0
"""Numbers are taken in voxels of this size, so that noise and fine structure do not hide the place."""

FOREGROUND = 0.1
"""Where no mask is given, voxels above this part of the 99th percentile belong to the head."""

BINS = 32

SAME_LIMIT = 0.7
"""Images of one modality with a smaller correlation afterwards are doubtful. Seen: 0.95 between two FLAIRs of one
patient 81 days apart; 0.30 and 0.64 between two patients.
"""

OTHER_LIMIT = 1.03
"""Images of two modalities with less normalised mutual information afterwards are doubtful. Seen: 1.037 to 1.069 in one
patient, 1.026 between two; a weak sign.
"""

OVERLAP_LIMIT = 0.8
"""Less of the head in both images is doubtful."""

APART_LIMIT_MM = 2.0
"""Two directions that differ by more are doubtful."""


@dataclass(frozen=True)
class Likeness:
    """How like two images are where both have voxels.

    Attributes:
        information: normalised mutual information, 1 (nothing in common) to 2 (Studholme et al., Pattern Recognition
            32:71, 1999).
        correlation: Pearson's.
        overlap: share of the fixed image's foreground that the moving image covers.
    """

    information: float
    correlation: float
    overlap: float


@dataclass(frozen=True)
class Quality:
    """What one registration did. Nothing here says whose images they were.

    Attributes:
        moving, fixed: names of the inputs that were brought together; of an atlas "atlas".
        kind: "rigid" or "affine".
        same_modality: whether grey values mean the same in both, so that their correlation counts.
        before, after: as the headers place them, and as they are used.
        moved_mm, turned_degrees: by how much the image was moved: largest shift within the head, and angle.
        apart_mm: largest distance within the head between the two directions' answers (each image to the other); None
            where only one was asked.
        volume_factor: by how much volumes of the moving image grow.
    """

    moving: str
    fixed: str
    kind: str
    same_modality: bool
    before: Likeness
    after: Likeness
    moved_mm: float
    turned_degrees: float
    apart_mm: float | None = None
    volume_factor: float = 1.0

    def doubts(self) -> Iterator[str]:
        """What speaks against it, as parts of a sentence."""
        if self.after.overlap < OVERLAP_LIMIT:
            yield f"only {self.after.overlap:.0%} of the head lies in both"
        if self.same_modality and self.after.correlation < SAME_LIMIT:
            yield f"their correlation is {self.after.correlation:.2f}, below {SAME_LIMIT:g}"
        if not self.same_modality and self.after.information < OTHER_LIMIT:
            yield f"their mutual information is {self.after.information:.3f}, below {OTHER_LIMIT:g}"
        if self.apart_mm is not None and self.apart_mm > APART_LIMIT_MM:
            yield f"the two directions differ by {self.apart_mm:.1f} mm"

    def to_card(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            **{name: value for name, value in vars(self).items() if not isinstance(value, Likeness)},
            "before": vars(self.before),
            "after": vars(self.after),
        }

    @classmethod
    def from_card(cls, card: dict[str, Any]) -> Quality:
        """From :meth:`to_card`'s values."""
        return cls(**{**card, "before": Likeness(**card["before"]), "after": Likeness(**card["after"])})


def head_points(image: Image, inside: np.ndarray | None = None) -> np.ndarray:
    """LPS millimetres ``[8, 3]`` of the corners of the box around the head, in the image's own space."""
    where = foreground(image.voxels) if inside is None else inside
    kji = [np.flatnonzero(where.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    ends = [(at[0], at[-1]) if at.size else (0, where.shape[axis] - 1) for axis, at in enumerate(kji)]
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3)
    return image.geometry.to_lps(corners[:, ::-1])


def foreground(voxels: np.ndarray) -> np.ndarray:
    """Voxels of the head, roughly."""
    finite = np.nan_to_num(voxels.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    return finite > FOREGROUND * np.percentile(finite, 99)


def likeness(fixed: Image, moving: Image, way: np.ndarray | None, inside: np.ndarray | None = None) -> Likeness:
    """How like a moving image is to a fixed one in its foreground.

    Args:
        fixed, moving: images.
        way: 4x4, LPS millimetres of the fixed image to those of the moving one; None: they are the same.
        inside: bool on the fixed image's grid; None: its :func:`foreground`.
    """
    grid = _coarse(fixed.geometry)
    head = foreground(fixed.voxels) if inside is None else inside
    where = resample(image_around(head.astype(np.float32), fixed.geometry, grid), grid) >= 0.5
    one = resample(image_around(fixed.voxels, fixed.geometry, grid), grid)
    covered = Image(np.ones(moving.geometry.shape, np.float32), moving.geometry)
    both = where & (_brought(covered, grid, way) >= 0.5)
    overlap = float(both.sum() / max(1, where.sum()))
    if both.sum() < BINS:
        return Likeness(1.0, 0.0, overlap)
    a, b = one[both].astype(float), _brought(moving, grid, way)[both].astype(float)
    flat = a.std() == 0 or b.std() == 0
    return Likeness(_normalised_information(a, b), 0.0 if flat else float(np.corrcoef(a, b)[0, 1]), overlap)


def _brought(image: Image, grid: VolumeGeometry, way: np.ndarray | None) -> np.ndarray:
    return resample(image_around(image.voxels, image.geometry, grid, way), grid, matrix=way)


def _coarse(geometry: VolumeGeometry) -> VolumeGeometry:
    size = np.array(geometry.shape[::-1])
    spacing = np.array(geometry.spacing)
    wanted = np.maximum(1, np.ceil(size * spacing / LOOKED_AT_MM)).astype(int)
    new = size * spacing / wanted
    first = geometry.to_lps((new / spacing - 1) / 2)
    i, j, k = (int(n) for n in wanted)
    return VolumeGeometry((k, j, i), tuple(new), tuple(first), geometry.direction)


def _normalised_information(a: np.ndarray, b: np.ndarray) -> float:
    """(H(a) + H(b)) / H(a, b) of histograms between the 1st and the 99th percentile."""

    def binned(values: np.ndarray) -> np.ndarray:
        low, high = np.percentile(values, (1, 99))
        return np.clip((values - low) / ((high - low) or 1.0) * BINS, 0, BINS - 1).astype(int)

    joint = np.bincount(binned(a) * BINS + binned(b), minlength=BINS * BINS).reshape(BINS, BINS) / len(a)

    def entropy(p: np.ndarray) -> float:
        p = p[p > 0]
        return float(-(p * np.log(p)).sum())

    together = entropy(joint)
    return (entropy(joint.sum(axis=1)) + entropy(joint.sum(axis=0))) / together if together > 0 else 1.0
