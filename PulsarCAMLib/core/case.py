"""A case: the images of one patient by role, the lesions on their reference grid, and where the images came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .geometry.volume import VolumeGeometry
from .lesion import Lesion


@dataclass(frozen=True)
class DicomSource:
    """The DICOM series that an image was read from, so that objects that refer to it can be written later.

    UIDs only: no name, no patient ID, no date.

    Attributes:
        study_uid, series_uid, frame_of_reference_uid: of the series (DICOM PS3.3 C.7.2, C.7.3, C.7.4).
        sop_class_uid: of its instances.
        instance_uids: SOP instance UIDs in the order of the array's slices, k = 0 first; of a multi-frame object one.
    """

    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    sop_class_uid: str
    instance_uids: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Image:
    """One image.

    Attributes:
        voxels: ``[k, j, i]``, any numeric type; Gy for a dose.
        geometry: its place (LPS).
        source: the DICOM series it came from; None for other files and for nodes without one.
        notes: what the person should know of how it was read; one sentence each.
    """

    voxels: np.ndarray
    geometry: VolumeGeometry
    source: DicomSource | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Case:
    """What one answer is asked about.

    Attributes:
        images: role to image; a role that is optional and missing is absent.
        lesions: on the reference grid; perhaps none.
        reference: role whose grid the maps are written on.
        outlined: lesions of other time points by role of their mask, on the grid of that time point's first MRI; an
            empty one says that none was there.
        warnings: sentences from reading, for the user.
        transforms: role to a 4x4 matrix that takes LPS millimetres of a space common to all images to those of this
            image (as ITK resamples); known before, so that nothing is registered. A role without one lies where the
            first image of its time point does; empty: nothing is known.
    """

    images: Mapping[str, Image]
    lesions: tuple[Lesion, ...] = ()
    reference: str = ""
    warnings: tuple[str, ...] = field(default=())
    transforms: Mapping[str, np.ndarray] = field(default_factory=dict)
    outlined: Mapping[str, tuple[Lesion, ...]] = field(default_factory=dict)

    @property
    def reference_image(self) -> Image:
        """The image whose grid the maps are written on: that of ``reference``, else the first."""
        return self.images[self.reference] if self.reference else next(iter(self.images.values()))

    @property
    def geometry(self) -> VolumeGeometry:
        """Of the reference image."""
        return self.reference_image.geometry
