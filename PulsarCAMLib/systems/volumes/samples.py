"""One 3D sample for every unit of a case, and the way back: what a system with a plain 3D network is built on.

A unit is a lesion, seen in a box around it, or the patient: the reference image's voxels that are not zero. A channel
is an input that is no mask, in the system's order, resampled linearly onto the sample's grid and z-scored over the
unit's voxels (a dose as well). An optional input that is missing is a channel of zeros, and a sentence says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...core.errors import BundleError, InputError
from ...core.inputs import DOSE, MASK, InputRole
from ...core.lesion import Lesion
from ...core.settings import Settings, option
from ...core.task import LESION
from ...lesions.resampling import block_of, image_around, resample
from ..contract import Copy, LabelledUnit, PastedMap, Samples, System
from ..plain_settings import PlainSettings

if TYPE_CHECKING:
    from ...core.case import Case, Image
    from ...core.geometry import VolumeGeometry

NON_FINITE_LIMIT = 0.5
"""An image with a larger share of NaN or infinite voxels is refused: nothing is left to judge."""

MARGIN = 0.25
"""Free room around a unit on each side, as a share of its extent, where no spacing is given."""


@dataclass(frozen=True)
class VolumePreprocessing(Settings):
    """How a case becomes volumes.

    Attributes:
        size: of a sample in voxels ``(k, j, i)``.
        spacing: millimetres along ``(i, j, k)``; None: as large as the unit with some room around it needs.

    Raises:
        BundleError: a size or spacing that is not usable.
    """

    who = "the preprocessing"
    error = BundleError

    size: tuple[int, int, int] = option((16, 16, 16), at_least=1, at_most=1024)
    spacing: tuple[float, float, float] | None = option(None, at_least=0.05, at_most=50)

    def in_words(self) -> str:
        """One line for people."""
        k, j, i = self.size
        spacing = "spaced so that all of it fits" if self.spacing is None else "of {:g} x {:g} x {:g} mm".format(
            *self.spacing
        )  # fmt: skip
        return f"{i} x {j} x {k} voxels {spacing}, mean 0 and standard deviation 1 inside"


@dataclass(frozen=True, eq=False)
class VolumeSamples:
    """One volume of one unit; see :class:`..contract.Samples`.

    Attributes:
        name: of the unit.
        lesion: the unit on the reference grid.
        images: float32 ``[1, channels, k, j, i]``.
        masks: bool ``[1, 1, k, j, i]``, the unit.
        grid: the sample's place.
        warnings: sentences for the user.
        main: 0, the only one.
    """

    name: str
    lesion: Lesion
    images: np.ndarray
    masks: np.ndarray
    grid: VolumeGeometry
    warnings: tuple[str, ...] = ()
    main: int = 0

    def __len__(self) -> int:
        return 1

    def facts(self) -> dict[str, object]:
        """Nothing."""
        return {}

    def sample_facts(self, n: int) -> dict[str, object]:
        """Nothing."""
        return {}

    def cell_mm(self, cells: int) -> float:
        """Side in millimetres of a cell where the sample has ``cells`` along its last axis."""
        return float(self.grid.shape[2] / cells * self.grid.spacing[0])

    def centres_lps(self) -> np.ndarray:
        """LPS millimetres ``[1, 3]`` of the middle of the unit."""
        return self.grid.to_lps(np.argwhere(self.masks[0, 0]).mean(axis=0)[::-1])[None]

    def paste(self, maps: np.ndarray, geometry: VolumeGeometry, restrict: bool = True) -> PastedMap:
        """Maps ``[1, k, j, i]`` interpolated linearly; zero beyond the sample and, if restricted, off the unit."""
        if maps.shape != (1, *self.grid.shape):
            raise InputError(f"One map of {self.grid.shape} voxels is needed, not shape {maps.shape}.")
        low, high = np.array(self.lesion.offset), np.array(self.lesion.offset) + self.lesion.mask.shape
        if not restrict:
            low, high = block_of(self.grid, geometry)
        stack = self.grid.to_sitk(np.ascontiguousarray(maps[0], dtype=np.float32))
        values = resample(stack, geometry.cropped(tuple(low), tuple(high - low)))
        if restrict:
            values = np.where(self.lesion.mask, values, np.float32(0))
        return PastedMap(values, (int(low[0]), int(low[1]), int(low[2])))


def volume_samples(system: System, case: Case, unit: Lesion, preprocessing: VolumePreprocessing) -> VolumeSamples:
    """The sample of one unit.

    Args:
        system: whose inputs are its channels.
        case: with every needed role.
        unit: on the reference grid.
        preprocessing: of the model.

    Raises:
        InputError: an image cannot be used there.
    """
    grid = _grid_of(unit, case.geometry, preprocessing)
    source = case.geometry.cropped(_less(unit.offset), tuple(n + 2 for n in unit.mask.shape))
    inside = resample(source.to_sitk(np.pad(unit.mask, 1).astype(np.float32)), grid) >= 0.5
    if not inside.any():  # smaller than a voxel of the sample
        centre = np.rint(grid.to_ijk(unit.centroid_lps(case.geometry))).astype(int)[::-1]
        inside[tuple(np.clip(centre, 0, np.array(grid.shape) - 1))] = True
    channels, warnings = [], _warning_of_size(unit, case.geometry, grid)
    for role in system.inputs:
        if role.kind == MASK:
            continue
        image = case.images.get(role.name)
        if image is not None:
            channels.append(_standardised(_on(image, grid, role), inside))
            warnings += [f"“{unit.name}”: {what}." for what in _doubts(image, grid, role, inside)]
        else:
            channels.append(np.zeros(grid.shape, dtype=np.float32))
            warnings.append(f"“{unit.name}”: there is no {role.title}; the model answers without it.")
    return VolumeSamples(unit.name, unit, np.stack(channels)[None], inside[None, None], grid, tuple(warnings))


def patient_unit(case: Case, name: str) -> Lesion:
    """The voxels of the reference image that are not zero (brain after skull stripping), or all where none is zero.

    Raises:
        InputError: the image is zero everywhere.
    """
    voxels = case.reference_image.voxels
    counted = np.isfinite(voxels) & (voxels != 0)
    if not counted.any():
        raise InputError("The first image is zero, NaN or infinite everywhere; choose or export it again.")
    return Lesion.from_mask(name, counted)


class VolumeSystem(System):
    """A system whose network takes one volume of every unit.

    It need only give ``name``, ``title``, ``task``, ``inputs``, ``maps``, :meth:`network` (logits ``[n, classes]`` of
    images ``[n, channels, k, j, i]``, one channel for each input that is no mask) and, for Grad-CAM,
    :meth:`explained_layer`.
    """

    preprocessing: ClassVar[Any] = VolumePreprocessing
    settings: ClassVar[Any] = PlainSettings

    def prepare(self, case: Case, preprocessing: Any, tell: Callable[[float, str], None]) -> list[Samples]:
        """One sample of every lesion, or of the patient."""
        if self.task.unit == LESION and not case.lesions:
            raise InputError("There is no lesion: choose at least one segment.")
        units = self._units(case, "patient")
        found: list[Samples] = []
        for n, unit in enumerate(units):
            tell(n / len(units), f"Preparing {unit.name}")
            found.append(volume_samples(self, case, unit, preprocessing))
        return found

    def copies(self, unit: LabelledUnit, settings: Any, *, only_original: bool = False) -> Iterator[Copy]:
        """The unit as it is."""
        for each in self._units(unit.case, unit.name):
            sample = volume_samples(self, unit.case, each, settings.preprocessing)
            yield Copy(sample.images[0], sample.masks[0], 0.0, sample.warnings)

    def probe_input(self, architecture: Any, preprocessing: Any) -> tuple[np.ndarray, np.ndarray]:
        """Waves in balls: three volumes by formula, the same on every machine."""
        size = preprocessing.size
        channels = sum(role.kind != MASK for role in self.inputs)
        z, y, x = (np.moveaxis(np.mgrid[: size[0], : size[1], : size[2]], 0, -1) / np.array(size)).transpose(3, 0, 1, 2)
        waves = [np.sin(2 * np.pi * (2 * x + (n + 1) * y + n * z)) for n in range(3 + channels)]
        images = np.stack([np.stack(waves[n : n + channels]) for n in range(3)])
        masks = np.stack([(x - 0.5) ** 2 + (y - 0.5) ** 2 + (z - 0.5) ** 2 < r**2 for r in (0.2, 0.35, 0.5)])[:, None]
        return images.astype(np.float32), masks

    def _units(self, case: Case, patient: str) -> tuple[Lesion, ...]:
        """Every lesion, or the patient under a name."""
        self._refuse_missing(case)
        return case.lesions if self.task.unit == LESION else (patient_unit(case, patient),)

    def _refuse_missing(self, case: Case) -> None:
        for role in self.needed_inputs:
            there = bool(case.lesions) if role.kind == MASK else role.name in case.images
            if not there:
                raise InputError(
                    f"The {role.title} is missing ({role.about or role.kind}); name it, for {self.title} gives no "
                    "answer without it."
                )


def _less(offset: tuple[int, ...]) -> tuple[int, int, int]:
    k, j, i = offset
    return k - 1, j - 1, i - 1


def _grid_of(unit: Lesion, geometry: VolumeGeometry, preprocessing: VolumePreprocessing) -> VolumeGeometry:
    """The sample's grid: along the reference image's axes, in the middle of the unit's box."""
    from ...core.geometry import VolumeGeometry as Geometry

    size = np.array(preprocessing.size)
    extent = np.array(unit.mask.shape) * np.array(geometry.spacing[::-1])
    spacing = extent * (1 + 2 * MARGIN) / size if preprocessing.spacing is None else preprocessing.spacing[::-1]
    spacing = np.asarray(spacing, dtype=float)
    middle = geometry.to_lps((np.array(unit.offset) + (np.array(unit.mask.shape) - 1) / 2)[::-1])
    first = middle - np.asarray(geometry.direction) @ ((size - 1) / 2 * spacing)[::-1]
    k, j, i = preprocessing.size
    return Geometry((k, j, i), tuple(spacing[::-1]), tuple(first), geometry.direction)


def _on(image: Image, grid: VolumeGeometry, role: InputRole) -> np.ndarray:
    """The image on the sample's grid; beyond its own edge it goes on as it ends there, but there is no dose.

    Raises:
        InputError: they do not meet.
    """
    reach = image.geometry.to_ijk(grid.corners_lps())
    shape = np.array(image.geometry.shape)[::-1]
    if (reach.max(axis=0) < -0.5).any() or (reach.min(axis=0) > shape - 0.5).any():
        raise InputError(f"The {role.title} does not reach the place that is looked at; was another patient's chosen?")
    if not_finite(image) > NON_FINITE_LIMIT:
        raise InputError(f"{not_finite(image):.0%} of the {role.title} is NaN or infinite; mend the image first.")
    return resample(image_around(image.voxels, image.geometry, grid), grid, edges=role.kind != DOSE)


def not_finite(image: Image) -> float:
    """Share of an image's voxels that are NaN or infinite."""
    return 1 - float(np.isfinite(image.voxels).mean()) if image.voxels.dtype.kind == "f" else 0.0


def _doubts(image: Image, grid: VolumeGeometry, role: InputRole, inside: np.ndarray) -> Iterator[str]:
    """What an image lacks where the unit is, as parts of sentences."""
    if not_finite(image):
        yield f"{not_finite(image):.0%} of the {role.title} is NaN or infinite; the lowest value stands in"
    at = image.geometry.to_ijk(grid.to_lps(np.argwhere(inside)[:, ::-1]))
    beyond = ((at < -0.5) | (at > np.array(image.geometry.shape)[::-1] - 0.5)).any(axis=1).mean()
    if beyond and role.kind != DOSE:
        share = f"{max(beyond, 0.01):.0%}"
        yield f"the {role.title} does not cover {share} of it; beyond its edge it goes on as it ends there"


def _warning_of_size(unit: Lesion, geometry: VolumeGeometry, grid: VolumeGeometry) -> list[str]:
    """What part of a unit lies beyond its sample."""
    at = grid.to_ijk(geometry.to_lps((np.argwhere(unit.mask) + unit.offset)[:, ::-1]))
    beyond = ((at < -0.5) | (at > np.array(grid.shape)[::-1] - 0.5)).any(axis=1).mean()
    if not beyond:
        return []
    return [f"“{unit.name}” is larger than what the model sees of it: {max(beyond, 0.01):.0%} lies outside."]


def _standardised(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Mean 0 and standard deviation 1 over the unit's voxels; only the mean where it is constant."""
    mean, deviation = float(values[inside].mean()), float(values[inside].std())
    return ((values - mean) / (deviation or 1.0)).astype(np.float32)
