"""Files that a cohort table names, each read once while the table is checked: masks and images with what was found."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..core.case import Image
from ..core.errors import COLUMN, GeometryError, InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.inputs import MRI, InputRole
from ..core.lesion import Lesion
from .tables.table import CohortRow

ANY_MRI = InputRole("image", "MRI", MRI, "one that is meant")
"""The role of the columns image and followup_image, whatever the system."""

ImageKey = tuple[Path, str | None, str]
"""Path, series, kind of the role."""


@dataclass(frozen=True)
class MaskPlace:
    """Where a lesion's mask is to be found."""

    path: Path
    segment: str | None
    label_value: int | None


@dataclass(frozen=True)
class Placed:
    """An image that can be used.

    Attributes:
        geometry: its place.
        voxels: digest of them.
        doubts: about it, one sentence each.
    """

    geometry: VolumeGeometry
    voxels: bytes
    doubts: tuple[str, ...] = ()


@dataclass
class Reader:
    """Reads each file once: remembers places, volumes and faults of all, and voxels of the images at hand alone."""

    _images: dict[ImageKey, Image] = field(default_factory=dict)
    _known: dict[ImageKey, Placed | InputError] = field(default_factory=dict)
    _first: dict[bytes, tuple[CohortRow, Path]] = field(default_factory=dict)
    _masks: dict[MaskPlace, tuple[VolumeGeometry, Lesion, list[str]] | InputError] = field(default_factory=dict)

    def image(self, path: Path, series: str | None, role: InputRole = ANY_MRI) -> Placed:
        """Place of an image, which is read as a whole to see that it can be used.

        Raises:
            InputError: it cannot.
        """
        key = path, series, role.kind
        if key not in self._known:
            self._known[key] = _caught(self._read, key, role)
        return _given(self._known[key])

    def voxels(self, path: Path, series: str | None, role: InputRole = ANY_MRI) -> Image:
        """An image with its voxels; read again where they were let go.

        Raises:
            InputError: it cannot be used.
        """
        self.image(path, series, role)
        key = path, series, role.kind
        if key not in self._images:
            self._read(key, role)
        return self._images[key]

    def doubts(self, path: Path, series: str | None) -> tuple[str, ...]:
        """What is doubtful about an MRI that can be used: the first time it is asked, so that it is told once."""
        key = path, series, MRI
        known = self.image(path, series)
        self._known[key] = replace(known, doubts=())
        return known.doubts

    def copied_from(self, row: CohortRow, path: Path, series: str | None) -> str:
        """What to say where an MRI that can be used holds the very voxels of another patient's; else empty."""
        first, its_path = self._first.setdefault(self.image(path, series).voxels, (row, path))
        if first.patient == row.patient or its_path == path:
            return ""
        return (
            f"The image {path.name} holds the very voxels of {its_path.name} of the patient “{first.patient}” (row "
            f"{first.row})"
        )

    def keep(self, wanted: Collection[ImageKey] = ()) -> None:
        """Let go of the voxels of all images but these."""
        self._images = {key: image for key, image in self._images.items() if key in wanted}

    def _read(self, key: ImageKey, role: InputRole) -> Placed:
        from ..io.inputs import doubts_on, read_input

        path, series, kind = key
        image = read_input(path, role, series)
        self._images[key] = image
        doubts = doubts_on(image, kind, f"The image {path.name}")
        digest = hashlib.blake2b(np.ascontiguousarray(image.voxels).data, digest_size=16).digest()
        return Placed(image.geometry, digest, (*image.notes, *doubts))

    def mask(self, place: MaskPlace) -> tuple[VolumeGeometry, Lesion, list[str]]:
        """A mask on its own grid, and what is doubtful about it.

        Raises:
            InputError: it cannot be used.
        """
        if place not in self._masks:
            self._masks[place] = _caught(_read_mask, place)
        return _given(self._masks[place])

    def volume_cm3(self, place: MaskPlace) -> float:
        """Volume as drawn, on the mask's own grid."""
        grid, lesion, _ = self.mask(place)
        return lesion.volume_cm3(grid)


def _caught(read: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return read(*arguments)
    except InputError as error:
        return error


def _given(found: Any) -> Any:
    if isinstance(found, InputError):
        raise found
    return found


def _read_mask(place: MaskPlace) -> tuple[VolumeGeometry, Lesion, list[str]]:
    from ..lesions.from_files import read_own_lesions

    segments = [place.segment] if place.segment else None
    labels = [place.label_value] if place.label_value else None
    try:
        grid, lesions, warnings = read_own_lesions(place.path, "together", labels, segments)
    except GeometryError:
        raise
    except InputError as error:
        raise InputError(error.told(COLUMN)) from error
    if len(lesions) != 1:
        names = ", ".join(f"“{lesion.name}”" for lesion in lesions)
        raise InputError(f"The segmentation {place.path.name} holds {names}, so it is not clear which one is meant.")
    return grid, lesions[0], warnings
