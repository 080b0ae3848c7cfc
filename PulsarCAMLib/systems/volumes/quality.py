"""How well two images lie on each other: numbers before and after a registration, and what is doubtful about them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quality:
    """What one registration did. Nothing here says whose images they were.

    Attributes:
        moving, fixed: titles of the inputs that were brought together.
        kind: "rigid" or "affine".
        same_modality: whether grey values mean the same in both, so that their correlation counts.
        information_before, information_after: normalised mutual information where both have voxels, 1 (nothing in
            common) to 2 (Studholme et al., Pattern Recognition 32:71, 1999).
        correlation_before, correlation_after: Pearson's, of the same voxels.
        overlap: share of the fixed image's foreground that the moving image covers afterwards.
        moved_mm, turned_degrees: by how much the image was moved: largest shift within the head, and angle.
        apart_mm: largest distance within the head between the two directions' answers (each image to the other); None
            where only one was asked.
        volume_factor: by how much volumes of the moving image grow.
    """

    moving: str
    fixed: str
    kind: str = "rigid"
    same_modality: bool = False
    information_before: float = 0.0
    information_after: float = 0.0
    correlation_before: float = 0.0
    correlation_after: float = 0.0
    overlap: float = 0.0
    moved_mm: float = 0.0
    turned_degrees: float = 0.0
    apart_mm: float | None = None
    volume_factor: float = 1.0
