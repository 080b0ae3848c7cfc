"""One 3D sample for every unit of a case, and the way back; see :class:`.system.VolumeSystem`.

A unit is a lesion, seen in a box around it, or the patient: the brain where its mask is known, else the reference
image's voxels that are not zero. A channel is an input that is no mask, in the system's order (see
:mod:`.channels`), brought to the common space of the case (:mod:`.space`), resampled linearly onto the sample's grid
and z-scored over the unit's voxels or the brain (a dose as the preprocessing says). An optional input that is missing
is a channel of zeros, and a sentence says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import InputError
from ...core.geometry.volume import VolumeGeometry, kji_of, moved
from ...core.inputs import DOSE, InputRole
from ...core.lesion import Lesion
from ...core.task import LESION
from ...lesions.resampling import block_of, resample
from ..contract import PastedMap, System
from .align import common_space
from .cache import Arrays, Cache, as_array, from_array, key_of, sha256_of_mask
from .grids import Located, grid_of, warning_of_size
from .intensities import bias_corrected, doubts, on_grid, scaled_dose, standardised
from .preprocessing import PATIENT_AXES, VolumePreprocessing
from .space import Space, chained, inverse

if TYPE_CHECKING:
    from ...core.case import Case, Image
    from .system import VolumeSystem


@dataclass(frozen=True, eq=False)
class Place:
    """Where an input of a sample lies.

    Attributes:
        geometry: the input's own grid.
        way: 4x4, LPS millimetres of the common space to the input's own; None: they are the same.
        counted: role of the input on whose grid the unit is known for this one; empty: the reference.
        unit: the unit on this input's grid, where it is known there.
    """

    geometry: VolumeGeometry
    way: np.ndarray | None = None
    counted: str = ""
    unit: Lesion | None = None


@dataclass(frozen=True, eq=False)
class VolumeSamples:
    """One volume of one unit; see :class:`..contract.Samples`.

    Attributes:
        name: of the unit.
        lesion: the unit on the reference grid.
        images: float32 ``[1, channels, k, j, i]``.
        masks: bool ``[1, 1, k, j, i]``, the unit.
        grid: the sample's place in the common space.
        warnings: sentences for the user.
        main: 0, the only one.
        reference: role of the input on whose grid maps are written.
        places: role to the place of its image, of all inputs that are there.
        space: what is known about the common space; pages show its quality.
    """

    name: str
    lesion: Lesion
    images: np.ndarray
    masks: np.ndarray
    grid: VolumeGeometry
    warnings: tuple[str, ...] = ()
    main: int = 0
    reference: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)
    space: Space = field(default_factory=Space)

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
        """LPS millimetres ``[1, 3]`` of the middle of the unit, in the reference image's own space."""
        return moved(self.grid.to_lps(np.argwhere(self.masks[0, 0]).mean(axis=0)[::-1])[None], self._place(None).way)

    def paste(
        self, maps: np.ndarray, geometry: VolumeGeometry, restrict: bool = True, role: str | None = None
    ) -> PastedMap:
        """Maps ``[1, k, j, i]`` interpolated linearly; zero beyond the sample and, if restricted, off the unit.

        Args:
            maps: on the sample's grid.
            geometry: of the input that is named.
            restrict: zero off the unit, which for another input than the reference is carried over to its grid.
            role: of an input; None: the reference.

        Raises:
            InputError: the maps have another size, or there is no such input.
        """
        if maps.shape != (1, *self.grid.shape):
            raise InputError(f"One map of {self.grid.shape} voxels is needed, not shape {maps.shape}.")
        place = self._place(role)
        unit = self._unit_on(geometry, role) if restrict else None
        if unit is not None:
            low, high = np.array(unit.offset), np.array(unit.offset) + unit.mask.shape
        else:
            low, high = block_of(self.grid, geometry, matrix=place.way)
        stack = self.grid.to_sitk(np.ascontiguousarray(maps[0], dtype=np.float32))
        values = resample(stack, geometry.cropped(kji_of(low), kji_of(high - low)), matrix=inverse(place.way))
        if unit is not None:
            values = np.where(unit.mask, values, np.float32(0))
        return PastedMap(values, kji_of(low))

    def way_to(self, role: str) -> np.ndarray | None:
        """4x4 from LPS millimetres of the reference image to those of an input; None: they are the same."""
        return chained(self._place(role).way, inverse(self._place(None).way))

    def _place(self, role: str | None) -> Place:
        name = role or self.reference
        if name in self.places:
            return self.places[name]
        if role is None:  # samples that nobody told where they lie
            return Place(self.grid)
        known = ", ".join(self.places) or "none"
        raise InputError(f"This case has no image {role!r} to bring a map to; there are {known}.")

    def _unit_on(self, geometry: VolumeGeometry, role: str | None) -> Lesion:
        """The unit on the grid of an input."""
        if role is None or role == self.reference:
            return self.lesion
        place = self.places[role]
        if place.unit is not None:
            return place.unit
        source = self.places[place.counted or self.reference]
        known = source.unit if source.unit is not None else self.lesion
        box = source.geometry.cropped(_less(known.offset), kji_of(n + 2 for n in known.mask.shape))
        way = chained(source.way, inverse(place.way))
        low, high = block_of(box, geometry, matrix=inverse(way))
        part = geometry.cropped(kji_of(low), kji_of(high - low))
        mask = resample(box.to_sitk(np.pad(known.mask, 1).astype(np.float32)), part, matrix=way) >= 0.5
        return Lesion(self.name, mask, kji_of(low))


def volume_samples(
    system: VolumeSystem,
    case: Case,
    unit: Lesion,
    preprocessing: VolumePreprocessing,
    space: Space | None = None,
) -> VolumeSamples:
    """The sample of one unit.

    Args:
        system: whose inputs are its channels.
        case: with every needed role.
        unit: on the reference grid.
        preprocessing: of the model.
        space: of the case; None: it is found first.

    Raises:
        InputError: an image cannot be used there.
    """
    space = common_space(system.inputs, case, preprocessing) if space is None else space
    reference = case.reference or next(iter(case.images))
    own = (unit, case.geometry, space.way(reference))
    heads = _heads(system, case, space, preprocessing)
    grid = grid_of([own, *heads.values()] if system.task.unit != LESION else [own], preprocessing)

    def make() -> Arrays:
        images, inside, clauses = _filled(system, case, own, preprocessing, space, heads, grid)
        return {"images": images, "inside": np.packbits(inside), "clauses": as_array(clauses)}

    found = Cache.here().remembered(lambda: _key(system, case, own, preprocessing, space), make)
    inside = np.unpackbits(found["inside"], count=int(np.prod(grid.shape))).reshape(grid.shape).astype(bool)
    told = [f"“{unit.name}”: {clause}." for clause in from_array(found["clauses"])]
    return VolumeSamples(
        unit.name, unit, found["images"][None], inside[None, None], grid,
        (*space.warnings, *warning_of_size(*own[:2], grid, own[2]), *told),
        reference=reference, places=_places(system, case, unit, space), space=space,
    )  # fmt: skip


def _filled(
    system: VolumeSystem,
    case: Case,
    own: Located,
    preprocessing: VolumePreprocessing,
    space: Space,
    heads: Mapping[str, Located],
    grid: VolumeGeometry,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Channels ``[channels, k, j, i]``, the unit on the sample's grid, and what is doubtful, as parts of sentences."""
    inside = _inside(*own, grid)
    in_head = {point: _inside(*head, grid) for point, head in heads.items()}
    if system.task.unit != LESION:
        inside = np.any([inside, *in_head.values()], axis=0)
    made: dict[str, np.ndarray] = {}
    clauses: list[str] = []

    def image_of(role: InputRole) -> np.ndarray | None:
        if role.name not in made and role.name in case.images:
            image, way = case.images[role.name], space.way(role.name)
            within = in_head.get(role.time_point)
            if role.kind == DOSE:
                made[role.name] = scaled_dose(on_grid(image, grid, role, way), inside, preprocessing)
            else:
                values = on_grid(_corrected(image, role, space, preprocessing), grid, role, way)
                made[role.name] = standardised(values, inside if within is None else within)
                if within is not None and role.time_point in space.brains:
                    made[role.name] = np.where(within, made[role.name], np.float32(0))
            clauses.extend(doubts(image, grid, role, inside, way))
        return made.get(role.name)

    channels: list[np.ndarray] = []
    for channel in system.channels(preprocessing):
        parts = [image_of(role) for role in channel.roles]
        for role, part in zip(channel.roles, parts, strict=True):
            if part is None:
                clauses.append(f"there is no {role.title}; the model answers without it")
        there = [part for part in parts if part is not None]
        if len(there) < len(parts):
            channels.append(np.zeros(grid.shape, dtype=np.float32))
        else:
            channels.append(there[0] if len(there) == 1 else there[0] - there[1])
    return np.stack(channels), inside, clauses


def _key(system: VolumeSystem, case: Case, own: Located, preprocessing: VolumePreprocessing, space: Space) -> str:
    """Of all that decides a sample."""
    unit = own[0]
    told = [system.name, system.task.unit, [[r.name, r.kind, r.time_point, r.title] for r in system.inputs]]
    channels = [channel.name for channel in system.channels(preprocessing)]
    ways = {role: None if way is None else way.tolist() for role, way in space.ways.items()}
    masks = [unit, *space.brains.values()]
    shapes = [[list(map(int, mask.offset)), mask.mask.shape, sha256_of_mask(mask.mask)] for mask in masks]
    return key_of("sample", case, [told, channels, preprocessing.identity(), ways, shapes, list(space.brains)])


def _where(case: Case, space: Space, role: str) -> tuple[VolumeGeometry, np.ndarray | None]:
    return case.images[role].geometry, space.way(role)


def _heads(system: System, case: Case, space: Space, preprocessing: VolumePreprocessing) -> dict[str, Located]:
    """Time point to its brain; where it is not known, and the sample has no image's axes, to what is not zero."""
    found = {}
    for point, name in space.leads.items():
        brain = space.brains.get(point)
        if brain is None and preprocessing.axes == PATIENT_AXES and system.task.unit != LESION:
            brain = _not_zero(case.images[name], "patient")
        if brain is not None:
            found[point] = (brain, *_where(case, space, name))
    return found


def _places(system: System, case: Case, unit: Lesion, space: Space) -> dict[str, Place]:
    """Of every image that is there; a patient's brain is known on the grid of each time point's first MRI."""
    found = {}
    for role in system.image_inputs:
        if role.name not in case.images:
            continue
        lead = space.leads.get(role.time_point, "")
        brain = space.brains.get(role.time_point) if system.task.unit != LESION else None
        counted = lead if brain is not None else ""
        known = brain if role.name == lead else None
        found[role.name] = Place(*_where(case, space, role.name), counted, known)
    return found


def _inside(unit: Lesion, geometry: VolumeGeometry, way: np.ndarray | None, grid: VolumeGeometry) -> np.ndarray:
    """Voxels of the sample that lie in a unit by half; at least the one in its middle."""
    source = geometry.cropped(_less(unit.offset), kji_of(n + 2 for n in unit.mask.shape))
    inside = resample(source.to_sitk(np.pad(unit.mask, 1).astype(np.float32)), grid, matrix=way) >= 0.5
    if not inside.any():  # smaller than a voxel of the sample
        centre = np.rint(grid.to_ijk(moved(unit.centroid_lps(geometry), inverse(way)))).astype(int)[::-1]
        inside[tuple(np.clip(centre, 0, np.array(grid.shape) - 1))] = True
    return inside


def _corrected(image: Image, role: InputRole, space: Space, preprocessing: VolumePreprocessing) -> Image:
    if not preprocessing.bias_correction:
        return image
    brain = space.brains.get(role.time_point) if role.name == space.leads.get(role.time_point) else None
    return bias_corrected(image, None if brain is None else brain.full_mask(image.geometry.shape))


def patient_unit(case: Case, name: str) -> Lesion:
    """The voxels of the reference image that are not zero (brain after skull stripping), or all where none is zero.

    Raises:
        InputError: the image is zero everywhere.
    """
    return _not_zero(case.reference_image, name)


def _not_zero(image: Image, name: str) -> Lesion:
    voxels = image.voxels
    counted = np.isfinite(voxels) & (voxels != 0)
    if not counted.any():
        raise InputError("The first image is zero, NaN or infinite everywhere; choose or export it again.")
    return Lesion.from_mask(name, counted)


def _less(offset: tuple[int, ...]) -> tuple[int, int, int]:
    k, j, i = offset
    return k - 1, j - 1, i - 1
