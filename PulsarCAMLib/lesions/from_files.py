"""Lesions from label volumes and from 3D Slicer's ``.seg.nrrd`` segmentations, on the MRI's grid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core.errors import Cure, InputError
from ..core.geometry import LPS_RAS, VolumeGeometry, kji_of
from ..core.lesion import Lesion
from ..io.volumes import read_image
from .from_labels import lesions_from_labels, lesions_from_masks
from .overlap import box_ras_of, check_fits, same_size_elsewhere
from .resampling import block_of, resample

BY_SEGMENT = Cure(
    "choose them",
    "by --segments",
    panel="choose them by name in the list of lesions",
    column="write one of them into the column segment",
)
BY_LABEL = Cure("choose", "by --labels", panel="choose the label values", column="use the column label_value")

# Warnings are kept with the results, so they name no file: a file's name may be a patient's.
RESAMPLED = (
    "The segmentation has another grid than the MRI; its masks were brought to the voxels of the MRI by linear "
    "interpolation (inside from one half on)."
)


@dataclass(frozen=True)
class _Segment:
    """One entry of a ``.seg.nrrd`` header."""

    name: str
    id: str
    value: int
    layer: int


@dataclass(frozen=True)
class _Place:
    """Where a lesion lies relative to the MRI; see :class:`PulsarCAMLib.lesions.overlap.Placed`."""

    voxels: int
    share_inside: float
    box_ras: np.ndarray | None


def read_lesions(
    path: str | Path,
    geometry: VolumeGeometry,
    parts: str = "auto",
    labels: Sequence[int] | None = None,
    segments: Sequence[str] | None = None,
) -> tuple[list[Lesion], list[str]]:
    """Lesions from a file, on the MRI's grid.

    A mask on another grid is brought to the MRI's: each lesion's mask by linear interpolation, inside from one half
    on; a lesion that no voxel centre of the MRI meets keeps the voxel nearest to its centre of mass. Masks that do not
    lie on the MRI are refused by the rule of :func:`PulsarCAMLib.lesions.overlap.check_fits`.

    Args:
        path: a label volume (any format SimpleITK reads), or a ``.seg.nrrd`` of 3D Slicer, of today's layout (layers
            for overlapping segments) or the old one with one 3D image per segment.
        geometry: of the MRI.
        parts: how unconnected parts become lesions; see :func:`~.from_labels.lesions_from_labels`.
            "auto" keeps a named segment together.
        labels: only these values of a label volume.
        segments: only these segments, by name or ID.

    Returns:
        The lesions and warnings for the user.

    Raises:
        InputError: not a mask, an empty one, or a chosen label or segment that it does not have.
        GeometryError: mask and MRI are apart in space.
    """
    own, found, warnings = read_own_lesions(path, parts, labels, segments)
    name = f"The segmentation {Path(path).name}"
    lesions, more = lesions_on_grid(name, found, own, geometry, must_use_all=bool(labels or segments))
    return lesions, warnings + more


def read_own_lesions(
    path: str | Path, parts: str = "auto", labels: Sequence[int] | None = None, segments: Sequence[str] | None = None
) -> tuple[VolumeGeometry, list[Lesion], list[str]]:
    """Lesions from a file on the file's own grid, where their volume is the one that was drawn.

    Args and errors as :func:`read_lesions`.

    Returns:
        The file's own grid, the lesions on it, and warnings for the user.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the segmentation as one file (.seg.nrrd or a label volume).")
    name = f"The segmentation {path.name}"
    image = read_image(path, name)
    header = _segments_of(image)
    if header:
        if labels:
            raise InputError(f"{name} has named segments, not label values", BY_SEGMENT)
        return _from_segments(name, image, header, parts, segments)
    if segments:
        raise InputError(f"{name} is a label volume without segment names", BY_LABEL)
    return _from_labels(name, image, parts, labels)


def _from_labels(name: str, image, parts: str, labels: Sequence[int] | None):
    if image.GetDimension() == 4 and image.GetSize()[3] == 1:
        image = image[:, :, :, 0]
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"{name} is not one 3D label volume; give one with a single value per voxel.")
    import SimpleITK as sitk

    values = _whole_numbers(name, sitk.GetArrayViewFromImage(image))
    lesions, warnings = lesions_from_labels(values, None, parts, list(labels) if labels else None)
    return VolumeGeometry.from_sitk(image), lesions, warnings


def _whole_numbers(name: str, values: np.ndarray) -> np.ndarray:
    """Labels as integers, slice by slice: a float volume must not cost several copies."""
    if values.dtype.kind != "f":
        return values
    whole = np.empty(values.shape, np.int32)
    for k, plane in enumerate(values):
        if not np.isfinite(plane).all() or (plane != np.rint(plane)).any():
            raise InputError(f"{name} holds fractions or NaN: it is an image, not a mask; were the two swapped?")
        whole[k] = plane
    return whole


def _segments_of(image) -> list[_Segment]:
    """Segments named in the header, in its order; names made unique as "GTV", "GTV [2]", ..."""
    fields: dict[int, dict[str, str]] = {}
    for key in image.GetMetaDataKeys():
        match = re.fullmatch(r"Segment(\d+)_(ID|Name|LabelValue|Layer)", key)
        if match:
            fields.setdefault(int(match[1]), {})[match[2]] = image.GetMetaData(key)
    taken: set[str] = set()
    segments = []
    for number, field in sorted(fields.items()):
        base = field.get("Name") or field.get("ID") or f"Segment {number + 1}"
        name, count = base, 1
        while name in taken:
            count += 1
            name = f"{base} [{count}]"
        taken.add(name)
        old = image.GetDimension() == 4
        value = 1 if old else int(field.get("LabelValue", 1))
        segments.append(_Segment(name, field.get("ID", name), value, int(field.get("Layer", number if old else 0))))
    return segments


def _from_segments(name: str, image, header: list[_Segment], parts: str, wanted: Sequence[str] | None):
    known = {s.name for s in header} | {s.id for s in header}
    unknown = [w for w in wanted or () if w not in known]
    if unknown:
        raise InputError(f"{name} has no segment {_quoted(unknown)}; it has {_quoted(s.name for s in header)}.")
    chosen = [s for s in header if wanted is None or s.name in wanted or s.id in wanted]
    geometry, layers = _layers(name, image)
    if any(s.layer >= len(layers) for s in chosen):
        raise InputError(f"{name} is damaged: its header names a layer that it does not hold; save it again.")
    filled = {n: np.flatnonzero(layers[n]) for n in {s.layer for s in chosen}}
    lesions: list[Lesion] = []
    empty = []
    for segment in chosen:
        layer, where = layers[segment.layer], filled[segment.layer]
        at = where[layer.ravel()[where] == segment.value]
        if not at.size:
            empty.append(segment.name)
            continue
        block, offset = _block(np.unravel_index(at, layer.shape))
        found, _ = lesions_from_masks({segment.name: block}, "together" if parts == "auto" else parts)
        lesions += [_moved(lesion, offset) for lesion in found]
    if empty and (wanted is not None or not lesions):
        raise InputError(f"{name} has empty segments: {_quoted(empty)}; contour them or leave them out.")
    return geometry, lesions, [f"Left out because empty: {_quoted(empty)}."] if empty else []


def _block(kji: tuple[np.ndarray, ...]) -> tuple[np.ndarray, tuple[int, ...]]:
    """Smallest mask that holds the voxels, and its offset."""
    offset = tuple(int(a.min()) for a in kji)
    block = np.zeros([int(a.max()) - o + 1 for a, o in zip(kji, offset, strict=True)], dtype=bool)
    block[tuple(a - o for a, o in zip(kji, offset, strict=True))] = True
    return block, offset


def _moved(lesion: Lesion, offset: Iterable[int]) -> Lesion:
    return replace(lesion, offset=kji_of(a + b for a, b in zip(lesion.offset, offset, strict=True)))


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"“{n}”" for n in names)


def _layers(name: str, image) -> tuple[VolumeGeometry, list[np.ndarray]]:
    """The place of a segmentation and its 3D layers ``[k, j, i]``.

    The old layout (Slicer 4.10 and before) is 4D, one 3D image per segment, without a ``space`` field: its vectors are
    RAS, and voxel (0, 0, 0) sits at the first index of ``Segmentation_Extent``, not at ``space origin``.
    """
    import SimpleITK as sitk

    array = sitk.GetArrayFromImage(image)
    if image.GetDimension() == 3:
        layers = [array] if array.ndim == 3 else [np.ascontiguousarray(a) for a in np.moveaxis(array, -1, 0)]
        return VolumeGeometry.from_sitk(image), layers
    if image.GetDimension() != 4 or array.ndim != 4:
        raise InputError(f"{name} has a layout that is not known; open it in 3D Slicer and save it again.")
    matrix = np.eye(4)
    direction = np.reshape(image.GetDirection(), (4, 4))[:3, :3]
    matrix[:3, :3] = direction * np.array(image.GetSpacing())[:3]
    matrix[:3, 3] = image.GetOrigin()[:3]
    if not image.HasMetaDataKey("NRRD_space"):
        matrix = LPS_RAS @ matrix
    keys = [k for k in ("Segmentation_Extent", "Segment0_Extent") if image.HasMetaDataKey(k)]
    start = [int(e) for e in image.GetMetaData(keys[0]).split()][::2] if keys else [0, 0, 0]
    matrix[:3, 3] += matrix[:3, :3] @ start
    return VolumeGeometry.from_ijk_to_lps(matrix, array.shape[1:]), list(array)


def lesions_on_grid(
    name: str, lesions: list[Lesion], own: VolumeGeometry, geometry: VolumeGeometry, must_use_all: bool
) -> tuple[list[Lesion], list[str]]:
    """Lesions of the mask's own grid on the MRI's, with warnings; see :func:`read_lesions`."""
    if own.same_grid(geometry):
        return lesions, []
    places = {lesion.name: _place(lesion, own, geometry) for lesion in lesions}
    elsewhere = same_size_elsewhere(geometry, own)
    warnings = check_fits("the MRI", box_ras_of(geometry), name, places, same_size_elsewhere=elsewhere)
    if not _shares_lattice(own, geometry):
        warnings.append(RESAMPLED)
    outside = [n for n, place in places.items() if place.share_inside == 0]
    if outside and must_use_all:
        raise InputError(f"{name}: {_quoted(outside)} lie outside the MRI; leave them out.")
    if outside:
        warnings.append(f"Left out because outside the MRI: {_quoted(outside)}.")
    found, small = [], []
    for lesion in lesions:
        if lesion.name in outside:
            continue
        moved, kept = _resampled(lesion, own, geometry)
        found.append(moved)
        small += [] if kept else [lesion.name]
    if small:
        warnings.append(f"Smaller than the MRI can show, taken as one voxel: {_quoted(small)}.")
    return found, warnings


def _place(lesion: Lesion, own: VolumeGeometry, geometry: VolumeGeometry) -> _Place:
    lps = own.to_lps((np.argwhere(lesion.mask) + lesion.offset)[:, ::-1])
    ijk = geometry.to_ijk(lps)
    inside = ((ijk > -0.5) & (ijk < np.array(geometry.shape[::-1]) - 0.5)).all(axis=1)
    ras = lps * [-1, -1, 1]
    return _Place(len(lps), float(inside.mean()), np.stack([ras.min(axis=0), ras.max(axis=0)]))


def _shares_lattice(own: VolumeGeometry, geometry: VolumeGeometry) -> bool:
    """Whether the mask's voxels are voxels of the MRI: cropped, padded or with reversed axes."""
    ijk = geometry.to_ijk(own.corners_lps())
    step = np.abs(np.linalg.inv(geometry.ijk_to_lps[:3, :3]) @ own.ijk_to_lps[:3, :3])
    return bool(np.abs(ijk - np.rint(ijk)).max() < 1e-2 and np.allclose(step, np.rint(step), atol=1e-4)) and bool(
        np.allclose(step.sum(axis=0), 1, atol=1e-3)
    )


def _resampled(lesion: Lesion, own: VolumeGeometry, geometry: VolumeGeometry) -> tuple[Lesion, bool]:
    """A lesion on the MRI's grid, and whether interpolation kept any of it."""
    padded = np.pad(lesion.mask, 1).astype(np.float32)
    source = own.cropped(kji_of(o - 1 for o in lesion.offset), padded.shape)
    low, high = block_of(source, geometry, margin=1)
    inside = resample(source.to_sitk(padded), geometry.cropped(kji_of(low), kji_of(high - low))) >= 0.5
    kept = bool(inside.any())
    if not kept:
        nearest = np.rint(geometry.to_ijk(lesion.centroid_lps(own)))[::-1].astype(int) - low
        inside[tuple(np.clip(nearest, 0, np.array(inside.shape) - 1))] = True
    return _moved(Lesion.from_mask(lesion.name, inside), low), kept
