"""A heat map as DICOM Parametric Map, 32-bit floating point, in real-world values. highdicom writes it.

What it writes by default is shown wrong: dcmqi, which is Slicer's reader, takes the number of a frame for that of its
slice, while highdicom stores frames along the descending normal (the map is then upside down), and it ends where Frame
Anatomy is missing. So frames are put into ascending order, and the anatomy is named. OHIF wants rows and columns of the
source, and the series that is referred to.

Source: DICOM PS3.3 A.75, C.8.32; C.7.6.16.2.8 (frame anatomy), C.7.6.16.2.11 (real world value mapping).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .maker import Maker, for_writing, private, short
from .source import SourceSeries
from .tracking import site_of


def parametric_map_of(
    values: np.ndarray,
    source: SourceSeries,
    maker: Maker,
    description: str,
    quantity: tuple[str, str],
    unit: str,
    shown: tuple[float, float],
    inside: tuple[int, int] | None = None,
) -> Any:
    """The object, not yet written.

    Args:
        values: ``[k, j, i]`` on the grid of the source.
        source: the MRI.
        maker: of the result.
        description: what the map is, a few words.
        quantity: short name (at most 16 characters) and words of what is measured.
        unit: of the values, in words; in UCUM they have none.
        shown: lowest and highest value that a display should span.
        inside: first slice, and the one after the last, outside of which all is zero; None: all slices are written.
    """
    import highdicom as hd
    from pydicom.sr.codedict import codes

    first, stop = _slices(values.shape[0], inside)
    headers, ks = source.part(first, stop)
    frames = _in_order(values, ks).astype(np.float32, copy=False)
    low, high = min(float(frames.min()), shown[0]), max(float(frames.max()), shown[1])
    mapping = hd.pm.RealWorldValueMapping(
        lut_label=quantity[0],
        lut_explanation=short(f"{quantity[1]}: {unit}"),
        unit=codes.UCUM.NoUnits,
        value_range=(low, high),
        slope=1.0,
        intercept=0.0,
        quantity_definition=private(quantity[0], quantity[1]),
    )
    width = max(shown[1] - shown[0], 1e-6)
    made = for_writing(hd.pm.ParametricMap, own_pixels=True)(
        source_images=headers,
        pixel_array=frames,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[
            hd.VOILUTTransformation(sum(shown) / 2, width, voi_lut_function=hd.VOILUTFunctionValues.LINEAR_EXACT)
        ],
        derivation=private("model-map", "Map of what a model's answer rests on"),
        **maker.common(description),
        **maker.content(description),
    )
    anatomy = hd.sr.CodedConcept.from_code(site_of(source))
    _set_anatomy(made, anatomy)
    _ascending(made, frames, source.geometry.to_lps(np.stack([0 * ks, 0 * ks, ks], axis=1)))
    return made


def _slices(count: int, inside: tuple[int, int] | None) -> tuple[int, int]:
    """First and the one after the last: at least two, for one frame alone has no distance to the next."""
    first, stop = inside or (0, count)
    first, stop = max(first, 0), min(max(stop, first + 2), count)
    return max(min(first, stop - 2), 0), stop


def _set_anatomy(made: Any, region: Any) -> None:
    """Frame Anatomy for all frames; what is in the head has no side (PS3.3 C.7.6.16.2.8)."""
    from pydicom.dataset import Dataset

    anatomy = Dataset()
    anatomy.FrameLaterality = "U"
    anatomy.AnatomicRegionSequence = [region]
    made.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = [anatomy]


def _ascending(made: Any, frames: np.ndarray, places: np.ndarray) -> None:
    """Put the frames into the order of their places along the normal of rows and columns.

    Args:
        made: the object, whose frames lie in any order.
        frames: ``[frame, row, column]``.
        places: of the frames, LPS millimetres ``[frame, 3]``.
    """
    groups = list(made.PerFrameFunctionalGroupsSequence)
    cosines = np.array(
        made.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient, dtype=float
    )
    normal = np.cross(cosines[:3], cosines[3:])
    heights = [float(np.array(g.PlanePositionSequence[0].ImagePositionPatient, dtype=float) @ normal) for g in groups]
    groups = [groups[n] for n in np.argsort(heights)]
    for number, group in enumerate(groups, start=1):
        group.FrameContentSequence[0].DimensionIndexValues = [number]
    made.PerFrameFunctionalGroupsSequence = groups
    ascending = _in_order(frames, np.argsort(places @ normal))
    made.FloatPixelData = ascending.astype("<f4", copy=False).tobytes()


def _in_order(frames: np.ndarray, order: np.ndarray) -> np.ndarray:
    """``frames[order]``; where that is one after another, forwards or backwards, without copying hundreds of MB."""
    steps = np.diff(order)
    if len(order) > 1 and (steps == 1).all():
        return frames[order[0] : order[-1] + 1]
    if len(order) > 1 and (steps == -1).all():
        return frames[order[-1] : order[0] + 1][::-1]
    return frames[order]
