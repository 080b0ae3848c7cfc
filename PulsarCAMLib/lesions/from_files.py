"""Lesions from label volumes, 3D Slicer's ``.seg.nrrd`` segmentations and DICOM structure sets, on the MRI's grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import Cure, InputError
from ..core.geometry.volume import LPS_RAS, VolumeGeometry, kji_of
from ..core.lesion import Lesion
from ..io.dicom import modality
from ..io.headers import is_made_here
from ..io.plain_files import is_file, is_folder
from ..io.volumes import read_image
from .doubts import LESIONS_BY_SEGMENT, MOST_LESIONS, quoted, refuse_background, refuse_image, whole_numbers
from .from_dicom_segments import lesions_from_dicom_segments
from .from_labels import lesions_from_label_volume, lesions_from_masks
from .from_structures import BY_SEGMENT, lesions_from_structures
from .on_grid import lesions_on_grid
from .segment_header import Header, Segment, numbers_in, read_header, settled

BY_LABEL = Cure("choose", "by --labels", panel="choose the label values", column="use the column label_value")

_OF_DICOM = {"RTSTRUCT": lesions_from_structures, "SEG": lesions_from_dicom_segments}


def read_lesions(
    path: str | Path,
    geometry: VolumeGeometry,
    parts: str = "auto",
    labels: Sequence[int] | None = None,
    segments: Sequence[str] | None = None,
    asks: bool = True,
    may_be_empty: bool = False,
    frame: str | None = None,
    registration: np.ndarray | None = None,
) -> tuple[list[Lesion], list[str]]:
    """Lesions from a file, on the MRI's grid.

    A mask on another grid is brought to the MRI's by :func:`PulsarCAMLib.lesions.on_grid.lesions_on_grid`; what does
    not look like a mask of lesions is refused by the rules of :mod:`.doubts`.

    Args:
        path: a label volume (NRRD, NIfTI, MetaImage), a DICOM RTSTRUCT or SEG, or a ``.seg.nrrd`` of 3D
            Slicer, of today's layout (layers for overlapping segments) or the old one with one 3D image per segment.
        geometry: of the MRI.
        parts: how unconnected parts become lesions; see :func:`~.from_labels.lesions_from_labels`.
            "auto" keeps a named segment together.
        labels: only these values of a label volume.
        segments: only these segments, by name or ID; a name goes before an ID.
        asks: whether hundreds of values or parts are refused with the question what they are; not where all of them
            are taken together anyway.
        may_be_empty: whether a mask for which :func:`is_empty` is true holds no lesion, rather than being refused.
        frame, registration: for DICOM objects, see :func:`~.from_structures.lesions_from_structures`; without ``frame``
            these are refused, for nobody has asked whether MRI and contours lie in one.

    Returns:
        The lesions and warnings for the user.

    Raises:
        InputError: not a mask, an empty one, or a chosen label or segment that it does not have.
        GeometryError: mask and MRI are apart in space.
    """
    name = f"The segmentation {Path(path).name}"
    kind = modality(Path(path)) if frame is not None and is_file(path) else ""
    if kind in _OF_DICOM and frame is not None:
        if labels:
            raise InputError(f"{name} has named structures or segments, not label values", BY_SEGMENT)
        return _OF_DICOM[kind](path, geometry, parts, segments, asks, frame, registration)
    own, found, warnings = read_own_lesions(path, parts, labels, segments, asks, may_be_empty)
    if not found:
        return [], warnings
    lesions, more = lesions_on_grid(name, found, own, geometry, must_use_all=bool(labels or segments))
    return lesions, warnings + more


def read_own_lesions(
    path: str | Path,
    parts: str = "auto",
    labels: Sequence[int] | None = None,
    segments: Sequence[str] | None = None,
    asks: bool = True,
    may_be_empty: bool = False,
) -> tuple[VolumeGeometry, list[Lesion], list[str]]:
    """Lesions from a file on the file's own grid, where their volume is the one that was drawn.

    Args and errors as :func:`read_lesions`.

    Returns:
        The file's own grid, the lesions on it, and warnings for the user.
    """
    name, image, header = _opened(path)
    if segments is None and is_made_here(Path(path), name):
        raise InputError(
            f"{name} holds what PulsarCAM drew (sub-regions, boosts or a map), which are no lesions; give the contours "
            "that were explained."
        )
    if may_be_empty and all(_is_empty(name, image, header, each) for each in labels or (None,)):
        return _layers(name, image if header.segments else _volume_of(name, image))[0], [], []
    return _own_lesions(name, image, header, parts, labels, segments, asks)


def _opened(path: str | Path) -> tuple[str, Any, Header]:
    """Name for sentences, SimpleITK image and header of a segmentation."""
    path = Path(path)
    if is_folder(path):
        raise InputError(f"{path} is a folder; give the segmentation as one file (.seg.nrrd or a label volume).")
    name = f"The segmentation {path.name}"
    image = read_image(path, name)
    return name, image, read_header(name, image)


def _own_lesions(
    name: str,
    image: Any,
    header: Header,
    parts: str,
    labels: Sequence[int] | None,
    segments: Sequence[str] | None,
    asks: bool,
) -> tuple[VolumeGeometry, list[Lesion], list[str]]:
    if header.segments:
        if labels:
            raise InputError(f"{name} has named segments, not label values", BY_SEGMENT)
        return _from_segments(name, image, header, parts, segments, asks)
    if segments:
        raise InputError(f"{name} is a label volume without segment names", BY_LABEL)
    return _from_labels(name, image, parts, labels, asks)


def is_empty(path: Path, label_value: int | None = None) -> bool:
    """Whether a mask holds nothing, or not this label value, as after a complete response.

    Raises:
        InputError: it is no mask, so that nothing can be said.
    """
    return are_empty(path, label_value)[0]


def are_empty(path: Path, *label_values: int | None) -> tuple[bool, ...]:
    """:func:`is_empty` for several label values (None: all together), from one reading."""
    opened = _opened(path)
    return tuple(_is_empty(*opened, value) for value in label_values)


def _is_empty(name: str, image: Any, header: Header, label_value: int | None) -> bool:
    import SimpleITK as sitk

    values = sitk.GetArrayViewFromImage(image)
    if header.fractional:
        return bool(values.min() == values.max())
    values = whole_numbers(name, values, _step_of(image))
    if not header.segments:
        refuse_image(name, values)
    return not (values.any() if label_value is None else (values == label_value).any())


def _from_labels(name: str, image, parts: str, labels: Sequence[int] | None, asks: bool):
    import SimpleITK as sitk

    image = _volume_of(name, image)
    geometry = VolumeGeometry.from_sitk(image)
    lesions, warnings = lesions_from_label_volume(
        name, sitk.GetArrayViewFromImage(image), geometry, None, parts, labels, asks, _step_of(image)
    )
    return geometry, lesions, warnings


def _volume_of(name: str, image: Any) -> Any:
    """The one 3D image of a label volume."""
    if image.GetDimension() == 4 and image.GetSize()[3] == 1:
        image = image[:, :, :, 0]
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"{name} is not one 3D label volume; give one with a single value per voxel.")
    return image


def _step_of(image) -> float:
    """Distance of the values that a NIfTI can hold, 0 for other files."""
    try:
        return float(image.GetMetaData("scl_slope")) if image.HasMetaDataKey("scl_slope") else 0.0
    except ValueError:
        return 0.0


def _from_segments(name: str, image, header: Header, parts: str, wanted: Sequence[str] | None, asks: bool):
    if header.fractional:  # then voxels hold no values of segments
        header = replace(header, segments=tuple(replace(s, value=None) for s in header.segments))
    chosen = header.chosen(name, wanted)
    if asks and wanted is None and len(chosen) >= MOST_LESIONS:
        raise InputError(f"{name} has {len(chosen)} segments, which are hardly all lesions", LESIONS_BY_SEGMENT)
    geometry, layers = _layers(name, image)
    if any(not 0 <= s.layer < len(layers) for s in chosen):
        raise InputError(f"{name} is damaged: its header names a layer that it does not hold; save it again.")
    used = {s.layer for s in chosen}
    warnings = []
    if header.fractional:
        layers, told = _halved(layers)
        warnings.append(told)
    else:
        stored = layers
        layers = [whole_numbers(name, layer) if n in used else layer for n, layer in enumerate(stored)]
        if any((stored[n].astype(layers[n].dtype) != layers[n]).any() for n in used):
            warnings.append(
                "The segmentation's values are off whole numbers by rounding; 3D Slicer itself cuts the fractions off, "
                "and takes some voxels for another segment or for background."
            )
        for n in used:
            refuse_image(name, layers[n])
    filled = {n: np.flatnonzero(layers[n]) for n in used}
    held = {n: layers[n].ravel()[at] for n, at in filled.items()}
    values = settled(name, chosen, header, {n: np.unique(each) for n, each in held.items()})
    warnings += _otherwise_in_slicer(chosen, header, values)
    warnings += _of_no_segment(header, values, held, geometry)
    lesions: list[Lesion] = []
    empty, cut = [], []
    for segment in chosen:
        layer, where = layers[segment.layer], filled[segment.layer]
        at = where[layer.ravel()[where] == values[segment.name]]
        if not at.size:
            empty.append(segment.name)
            continue
        block, offset = _block(np.unravel_index(at, layer.shape))
        if header.is_cut(segment, offset, [o + n - 1 for o, n in zip(offset, block.shape, strict=True)]):
            cut.append(segment.name)
        found, _ = lesions_from_masks({segment.name: block}, "together" if parts == "auto" else parts)
        lesions += [_moved(lesion, offset) for lesion in found]
    refuse_background(name, lesions, geometry)
    if cut:
        warnings.append(
            f"3D Slicer itself cuts {quoted(cut)} to the Extent in the segmentation's header; here all voxels are read."
        )
    if empty and (wanted is not None or not lesions):
        raise InputError(f"{name} has empty segments: {quoted(empty)}; contour them or leave them out.")
    return geometry, lesions, warnings + ([f"Left out because empty: {quoted(empty)}."] if empty else [])


def _halved(layers: list[np.ndarray]) -> tuple[list[np.ndarray], str]:
    """Masks of 0 and 1 from a fractional label map, whose voxels hold the share that is inside, and what was done.

    The range of the values is not said in the file; it is taken from the least to the largest value of all layers.
    """
    low, high = (float(pick(layer.min() if pick is min else layer.max() for layer in layers)) for pick in (min, max))
    half = (low + high) / 2
    told = (
        f"The segmentation is a fractional label map (values {low:g} to {high:g}); voxels of half the range, {half:g}, "
        "and above are inside. 3D Slicer itself reads only voxels of one value."
    )
    return [((layer >= half) & (layer > low)).astype(np.uint8) for layer in layers], told


def _of_no_segment(
    header: Header, values: dict[str, int], filled: dict[int, np.ndarray], geometry: VolumeGeometry
) -> list[str]:
    """Values of voxels that belong to no segment, with their volume; one sentence for all.

    Args:
        header: with all segments.
        values: of the chosen segments, as :func:`.segment_header.settled` found them.
        filled: layer to the values other than 0 of its voxels.
        geometry: of the file.
    """
    found: dict[int, int] = {}
    for layer, held in filled.items():
        told = [values.get(s.name, s.value) for s in header.segments if s.layer == layer]
        own = [value for value in told if value is not None]
        if len(own) < len(told):
            continue  # a segment that is not chosen has some of them, and it is not known which
        others, counts = np.unique(held[~np.isin(held, own)], return_counts=True)
        for value, count in zip(others.tolist(), counts.tolist(), strict=True):
            found[value] = found.get(value, 0) + count
    if not found:
        return []
    listed = [f"{value} ({n * geometry.voxel_volume_mm3 / 1000:.2f} cm³)" for value, n in sorted(found.items())]
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
    which = f"the value{'s' * (len(listed) > 1)} {', '.join(listed[:5])}{more}"
    return [
        f"The segmentation holds voxels of {which}, which none of its segments has, so they belong to no lesion; was a "
        "segment lost? Look at the outlines in 3D Slicer."
    ]


def _otherwise_in_slicer(chosen: list[Segment], header: Header, values: dict[str, int]) -> list[str]:
    """Where 3D Slicer itself makes something else of the header, one sentence each."""
    told = []
    if unseen := [s.name for s in chosen if s.name in header.unseen]:
        told.append(
            f"3D Slicer itself leaves {quoted(unseen)} out, because a field is missing in the segmentation's header "
            "(ID, Layer); here its voxels are read."
        )
    if unsaid := [s.name for s in chosen if s.value is None and values[s.name] not in (0, 1) and not header.fractional]:
        told.append(
            f"The segmentation's header says no usable LabelValue for {quoted(unsaid)}: taken are the voxels that no "
            "other segment has. 3D Slicer itself reads it otherwise."
        )
    return told


def _block(kji: tuple[np.ndarray, ...]) -> tuple[np.ndarray, tuple[int, ...]]:
    """Smallest mask that holds the voxels, and its offset."""
    offset = tuple(int(a.min()) for a in kji)
    block = np.zeros([int(a.max()) - o + 1 for a, o in zip(kji, offset, strict=True)], dtype=bool)
    block[tuple(a - o for a, o in zip(kji, offset, strict=True))] = True
    return block, offset


def _moved(lesion: Lesion, offset: Iterable[int]) -> Lesion:
    return replace(lesion, offset=kji_of(a + b for a, b in zip(lesion.offset, offset, strict=True)))


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
    start = numbers_in(name, keys[0], image.GetMetaData(keys[0]), 6)[::2] if keys else [0, 0, 0]
    matrix[:3, 3] += matrix[:3, :3] @ start
    return VolumeGeometry.from_ijk_to_lps(matrix, array.shape[1:]), list(array)
