"""The space that all images of a case are brought to, and the ways between it and each image's own millimetres.

A way is a 4x4 matrix that takes LPS millimetres of the common space to those of one image, as ITK resamples; None
stands for one that changes nothing, so that images that are not registered stay as they are bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...core.geometry.volume import VolumeGeometry, kji_of, moved
from ...core.lesion import Lesion
from .cache import as_array, from_array

if TYPE_CHECKING:
    from .quality import Quality

RIGID_TOLERANCE = 1e-4
"""How far a rigid matrix may be from orthogonal; a file's rounding stays below."""


@dataclass(frozen=True, eq=False)
class Space:
    """Where the images of a case lie in their common space.

    Attributes:
        ways: role to its matrix; a role that is not named lies as its header says.
        brains: time point to the brain on the grid of the time point's first MRI, where there is one.
        leads: time point to the role of its first MRI, which stands for the others.
        quality: of every registration.
        warnings: sentences for the user.
    """

    ways: Mapping[str, np.ndarray | None] = field(default_factory=dict)
    brains: Mapping[str, Lesion] = field(default_factory=dict)
    leads: Mapping[str, str] = field(default_factory=dict)
    quality: tuple[Quality, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_arrays(self) -> dict[str, np.ndarray]:
        """For :mod:`.cache`; :meth:`from_arrays` reads them."""
        told = {
            "ways": {role: None if way is None else way.tolist() for role, way in self.ways.items()},
            "brains": {point: list(map(int, brain.offset)) for point, brain in self.brains.items()},
            "leads": dict(self.leads),
            "quality": [each.to_card() for each in self.quality],
            "warnings": list(self.warnings),
        }
        masks = {f"brain_{n}": brain.mask for n, brain in enumerate(self.brains.values())}
        return {"space": as_array(told), **masks}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Space:
        """From :meth:`to_arrays`'s values."""
        from .quality import Quality

        told = from_array(arrays["space"])
        brains = {
            point: Lesion("brain", arrays[f"brain_{n}"], kji_of(offset))
            for n, (point, offset) in enumerate(told["brains"].items())
        }
        ways = {role: None if way is None else np.array(way) for role, way in told["ways"].items()}
        quality = tuple(map(Quality.from_card, told["quality"]))
        return cls(ways, brains, told["leads"], quality, tuple(told["warnings"]))

    def way(self, role: str) -> np.ndarray | None:
        """Matrix of a role; None: it stays where it is."""
        return self.ways.get(role)


def inverse(matrix: np.ndarray | None) -> np.ndarray | None:
    """The way back."""
    return None if matrix is None else np.linalg.inv(matrix)


def chained(*matrices: np.ndarray | None) -> np.ndarray | None:
    """One matrix for several, the last of which is applied first."""
    found = None
    for matrix in matrices:
        found = matrix if found is None else found if matrix is None else found @ matrix
    return found


def middle_of(matrices: Iterable[np.ndarray]) -> np.ndarray:
    """The mean of rigid motions: the exponential of the mean of their logarithms; of two, one of them at rest, the half
    of the other, so that half twice is the whole.
    """
    from scipy.linalg import expm, logm

    logarithms = [np.real(logm(np.asarray(each, dtype=float))) for each in matrices]
    return rigid(np.real(expm(np.mean(logarithms, axis=0))))


def rigid(matrix: np.ndarray) -> np.ndarray:
    """The matrix with its rotation made exactly orthogonal (the nearest one)."""
    found = np.eye(4)
    u, _, v = np.linalg.svd(matrix[:3, :3])
    found[:3, :3] = u @ v
    found[:3, 3] = matrix[:3, 3]
    return found


def is_rigid(matrix: np.ndarray) -> bool:
    """Whether distances and handedness stay."""
    turn = matrix[:3, :3]
    return bool(np.abs(turn.T @ turn - np.eye(3)).max() < RIGID_TOLERANCE and np.linalg.det(turn) > 0)


def volume_factor(matrix: np.ndarray | None) -> float:
    """By how much a volume of the image grows when it is brought to the common space: 1 for a rigid matrix."""
    return 1.0 if matrix is None else 1 / abs(float(np.linalg.det(matrix[:3, :3])))


def degrees_of(matrix: np.ndarray) -> float:
    """Angle of the rotation nearest to the matrix."""
    turn = rigid(matrix)[:3, :3]
    return float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))


def shift_mm(one: np.ndarray, other: np.ndarray, points: np.ndarray) -> float:
    """Largest distance in millimetres between where two matrices take LPS points ``[n, 3]``."""
    return float(np.linalg.norm(moved(points, one) - moved(points, other), axis=-1).max())


def box_lps(unit: Lesion, geometry: VolumeGeometry, matrix: np.ndarray | None) -> np.ndarray:
    """Lowest and highest LPS millimetres ``[2, 3]`` of a unit's voxels, brought to the common space."""
    along = unit.mask.any(axis=2)
    first = unit.mask.argmax(axis=2)
    last = unit.mask.shape[2] - 1 - unit.mask[:, :, ::-1].argmax(axis=2)
    kj = np.argwhere(along)
    ends = [np.column_stack([kj, which[along]]) for which in (first, last)]
    points = geometry.to_lps((np.concatenate(ends) + unit.offset)[:, ::-1])
    points = moved(points, inverse(matrix))
    return np.stack([points.min(axis=0), points.max(axis=0)])
