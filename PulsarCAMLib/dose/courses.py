"""Courses of treatment, and their doses as one: physical, or as the linear-quadratic model adds them up.

For a total dose D in n equal fractions (Fowler, Br J Radiol 1989;62:679-694; Bentzen et al., Radiother Oncol
2012;105:266-268), voxel by voxel and course by course before anything is added::

    BED  = D (1 + (D / n) / (alpha/beta))                                                             (D1)
    EQD2 = BED / (1 + 2 / (alpha/beta)) = D (D / n + alpha/beta) / (2 + alpha/beta)                   (D2)

Neither knows of time: repopulation and repair between pulses weeks apart are left out, and beyond some 8 to 10 Gy a
fraction the model is disputed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.errors import Cure, InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.pluralize import pluralize
from ..lesions.resampling import resample
from .settings import BED, PHYSICAL, DoseTold

BY_FRACTIONS = Cure(
    "say in how many",
    "with --fractions N, once for each dose",
    panel="enter the number of fractions",
)


@dataclass(frozen=True, eq=False)
class Course:
    """One planned dose.

    Attributes:
        dose: in Gy ``[k, j, i]``, of all fractions together.
        geometry: its place, in the MRI's space.
        fractions: number of equal fractions; None: not known.
        source: where the number comes from: "plan", "given", or nothing.
        file: its name, for sentences to whoever gave it; never written into results.
    """

    dose: np.ndarray
    geometry: VolumeGeometry
    fractions: int | None = None
    source: str = ""
    file: str = ""

    def called(self, number: int) -> str:
        """As in "Dose 2 (RD.dcm)"."""
        return f"Dose {number}{f' ({self.file})' if self.file else ''}"

    def told(self, number: int) -> str:
        """One sentence without names."""
        i, j, k = self.geometry.spacing
        if self.fractions is None:
            known = "in an unknown number of fractions"
        else:
            known = (
                f"in {pluralize(self.fractions, 'fraction')} ({'as given' if self.source == 'given' else 'as planned'})"
            )
        return f"Dose {number}: up to {self.dose.max():.2f} Gy {known}, voxels of {i:.3g} x {j:.3g} x {k:.3g} mm."


@dataclass(frozen=True, eq=False)
class Planned:
    """The doses of all courses as one.

    Attributes:
        dose: in the quantity of the settings ``[k, j, i]``, on the finest grid of the courses.
        geometry: of it.
        grids: of every course: only where all of them reach is the sum known.
    """

    dose: np.ndarray
    geometry: VolumeGeometry
    grids: tuple[VolumeGeometry, ...]

    @property
    def voxel_mm3(self) -> float:
        """Of the coarsest grid: no finer than that anything is known."""
        return max(grid.voxel_volume_mm3 for grid in self.grids)


def biological(dose: np.ndarray, fractions: int, settings: DoseTold) -> np.ndarray:
    """BED or EQD2 of a total dose in equal fractions, equations (D1) and (D2).

    Args:
        dose: in Gy, any shape.
        fractions: their number.
        settings: quantity and alpha/beta.

    Examples:
        >>> biological(np.array([60.0, 30.0]), 30, DoseTold(quantity="eqd2")).tolist()
        [60.0, 27.5]
        >>> biological(np.array([30.0]), 3, DoseTold(quantity="bed")).tolist()
        [60.0]
    """
    dose = np.asarray(dose, dtype=np.float64)
    bed = dose * (1 + dose / (fractions * settings.alpha_beta_gy))
    return bed if settings.quantity == BED else bed / (1 + 2 / settings.alpha_beta_gy)


def refuse_unknown(courses: Sequence[Course], settings: DoseTold) -> None:
    """Raise where a biological dose is asked for and a number of fractions is not known, or is none.

    Raises:
        InputError: so it is.
    """
    for course in courses:
        if course.fractions is not None and (course.fractions < 1 or course.fractions != int(course.fractions)):
            raise InputError(f"A dose is given in a whole number of fractions from 1 on, not in {course.fractions}.")
    unknown = [course.called(n) for n, course in enumerate(courses, start=1) if course.fractions is None]
    if settings.quantity != PHYSICAL and unknown:
        which = unknown[0] if len(courses) > 1 else "The dose"
        raise InputError(
            f"{which} does not say in how many fractions it is given, so there is no {settings.quantity.upper()} of it",
            BY_FRACTIONS,
        )


def planned(courses: Sequence[Course], settings: DoseTold) -> Planned:
    """All courses as one dose, resampled with cubic splines onto the finest of their grids.

    Raises:
        InputError: a number of fractions is needed and not known, or grids that do not meet.
    """
    refuse_unknown(courses, settings)
    doses = [
        course.dose.astype(np.float32)
        if settings.quantity == PHYSICAL
        else biological(course.dose, course.fractions or 1, settings).astype(np.float32)
        for course in courses
    ]
    grids = tuple(course.geometry for course in courses)
    finest = min(range(len(grids)), key=lambda n: grids[n].voxel_volume_mm3)
    total = doses[finest].astype(np.float64)
    for n, (dose, grid) in enumerate(zip(doses, grids, strict=True)):
        if n != finest:
            total += (
                dose if grid.same_grid(grids[finest]) else _brought(dose, grid, grids[finest], courses[n].called(n + 1))
            )
    return Planned(total.astype(np.float32), grids[finest], grids)


def _brought(dose: np.ndarray, grid: VolumeGeometry, target: VolumeGeometry, called: str) -> np.ndarray:
    """A dose on another grid; zero beyond its own."""
    ijk = grid.to_ijk(target.to_lps(np.argwhere(np.ones((2, 2, 2)))[:, ::-1] * (np.array(target.shape[::-1]) - 1)))
    if (ijk.max(axis=0) < -0.5).any() or (ijk.min(axis=0) > np.array(grid.shape[::-1]) - 0.5).any():
        raise InputError(
            f"{called} lies elsewhere than the others, so they cannot be added: they do not share a space, or "
            "belong to different patients."
        )
    return np.maximum(resample(grid.to_sitk(dose), target, cubic=True), 0)
