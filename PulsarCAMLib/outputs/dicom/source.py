"""The DICOM series that objects are derived from: its headers in the order of the array's slices, made fit to copy.

Patient, study and frame of reference of everything that is written come from here and from nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...core.case import Image
from ...core.errors import InputError
from ...core.geometry.volume import VolumeGeometry
from ...io.dicom.files import numbers_of, quiet, text_of
from ...io.dicom.instances import instance_files, whole_headers

NEEDED = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate",
    "StudyTime", "ReferringPhysicianName",
)  # fmt: skip
"""Elements that may be empty, but must be there (type 2 of DICOM PS3.3 C.7.1.1 and C.7.2.1)."""

SEXES = ("M", "F", "O", "")
UTF_8 = "ISO_IR 192"
OFF_MM = 0.1
"""A slice of the series that lies by more than this beside the array's is another image."""


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """A series.

    Attributes:
        headers: pydicom's data sets: one a slice, k = 0 first, or one of a multi-frame object.
        slices: index k of each slice, or of each frame in the file's order.
        geometry: of the image that was read from it.
        fit: which headers have been made fit to copy, by their identity: it takes time, and few are copied from.
    """

    headers: tuple[Any, ...]
    slices: tuple[int, ...]
    geometry: VolumeGeometry
    fit: set[int] = field(default_factory=set)

    @property
    def first(self) -> Any:
        """Header that speaks for all."""
        return self.headers[0]

    @property
    def multi_frame(self) -> bool:
        """Whether it is one object with many frames."""
        return len(self.headers) < len(self.slices)

    def header_of(self, k: int) -> Any:
        """Of the instance that holds a slice."""
        return self.headers[0] if self.multi_frame else self.headers[k]

    def part(self, first: int, stop: int) -> tuple[list[Any], np.ndarray]:
        """Headers of the slices from ``first`` until before ``stop``, and the index of each in the array.

        Of a multi-frame object always all, for an object derived from it has as many frames.
        """
        if self.multi_frame:
            return [self.first], np.array(self.slices)
        _fit_to_copy(
            self.headers[first], self.fit
        )  # highdicom copies patient and study from the first that it is given
        return list(self.headers[first:stop]), np.arange(first, stop)


def read_source(image: Image, place: Path | Sequence[Path], what: str = "MRI") -> SourceSeries:
    """The series that an image was read from.

    Args:
        image: with its source.
        place: folder or file that it was read from, or all its files.
        what: the image is called, for the sentence.

    Raises:
        InputError: it is no DICOM series, has no frame of reference, or its files are no longer those that were read.
    """
    check_source(image, what)
    assert image.source is not None
    return series_of(whole_headers(instance_files(place, image.source)), image.geometry)


def check_source(image: Image, what: str = "MRI") -> None:
    """Refuse an image that no DICOM object can be derived from.

    Raises:
        InputError: with what to give instead.
    """
    if image.source is None:
        raise InputError(
            f"DICOM objects are written for images that are DICOM themselves, and the {what} is none (or its slices do "
            "not say their UIDs); give the folder of its DICOM series."
        )
    if not image.source.frame_of_reference_uid:
        raise InputError(
            f"The DICOM series of the {what} does not say its frame of reference, so that nothing could be placed on "
            "it; export it again."
        )


def series_of(headers: Sequence[Any], geometry: VolumeGeometry) -> SourceSeries:
    """A series of headers that are there already.

    Args:
        headers: as :attr:`SourceSeries.headers`, in any order; they are made fit to copy.
        geometry: of the image.

    Raises:
        InputError: the slices do not lie where the image does.
    """
    made = tuple(headers)
    places = _places(made)
    if any(place is None for place in places):
        raise InputError("The files of the MRI's DICOM series do not say where its slices lie; export it again.")
    ijk = geometry.to_ijk(np.array(places, dtype=float))
    k = np.rint(ijk[:, 2]).astype(int)
    off = np.abs((ijk - np.stack([0 * k, 0 * k, k], axis=1)) * geometry.spacing).max()
    if off > OFF_MM or sorted(k) != list(range(geometry.shape[0])):
        raise InputError("The files of the MRI's DICOM series are no longer those that were read; explain it again.")
    if len(made) == len(k):
        order = np.argsort(k)
        made, k = tuple(made[n] for n in order), k[order]
    fit: set[int] = set()
    _fit_to_copy(made[0], fit)
    for each in made:
        if "PerFrameFunctionalGroupsSequence" in each:
            _shared(each, geometry)
        elif not numbers_of(each, "SliceThickness", 1):
            each.SliceThickness = f"{geometry.spacing[2]:.6g}"
    return SourceSeries(made, tuple(int(n) for n in k), geometry, fit)


def _places(headers: Sequence[Any]) -> list[tuple[float, ...] | None]:
    if len(headers) > 1 or "PerFrameFunctionalGroupsSequence" not in headers[0]:
        return [numbers_of(each, "ImagePositionPatient", 3) for each in headers]
    found = []
    for frame in headers[0].PerFrameFunctionalGroupsSequence:
        own = frame.get("PlanePositionSequence")
        found.append(numbers_of(own[0], "ImagePositionPatient", 3) if own else None)
    return found


def _fit_to_copy(header: Any, fit: set[int]) -> None:
    """Make elements that are copied fit: missing ones become empty, those that no one can write are emptied.

    highdicom raises errors at dates and sexes that the standard does not know.
    """
    from pydicom.valuerep import DA, TM

    if id(header) in fit:
        return
    fit.add(id(header))
    with quiet():
        header.decode()  # from here on all its text is Unicode
    header.SpecificCharacterSet = UTF_8
    with quiet():
        for keyword in NEEDED:
            if keyword not in header or header.get(keyword) is None:
                setattr(header, keyword, "")
        if text_of(header, "PatientSex") not in SEXES:
            header.PatientSex = ""
        for keyword, kind in {"PatientBirthDate": DA, "StudyDate": DA, "StudyTime": TM}.items():
            try:
                kind(text_of(header, keyword))
            except (ValueError, TypeError):
                setattr(header, keyword, "")


def _shared(made: Any, geometry: VolumeGeometry) -> None:
    """Orientation and pixel size among the shared groups, where every frame says its own; they are all the same."""
    shared, first = made.SharedFunctionalGroupsSequence[0], made.PerFrameFunctionalGroupsSequence[0]
    for keyword in ("PlaneOrientationSequence", "PixelMeasuresSequence"):
        if keyword not in shared and keyword in first:
            setattr(shared, keyword, first.get(keyword))
    for measures in shared.get("PixelMeasuresSequence") or ():
        if not numbers_of(measures, "SliceThickness", 1):
            measures.SliceThickness = f"{geometry.spacing[2]:.6g}"
