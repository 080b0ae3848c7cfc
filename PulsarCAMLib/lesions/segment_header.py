"""Headers of 3D Slicer's ``.seg.nrrd``, read and doubted: which voxels are which segment. Others write them, too.

Of today's layout a file holds one 3D image or a list of them (layers), and each segment says its layer and its value
there. Of the old one (Slicer 4.10 and before) it holds a 3D image for each segment. What 3D Slicer itself makes of a
field that is missing or odd was tried in slicer-core; where that is not what is read here, a warning says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.errors import InputError
from ..core.visible import decoded
from ..io.names import unlike
from .doubts import NEAR, quoted

_FIELD = re.compile(r"Segment(0|[1-9]\d{0,8})_(ID|Name|LabelValue|Layer|Extent)")

_LARGEST = 2**31


@dataclass(frozen=True)
class Segment:
    """One entry of a header.

    Attributes:
        name: that no other segment has ("GTV", "GTV [2]", ...).
        own_name: as it stands in the header.
        id: of 3D Slicer; the name where there is none.
        layer: which 3D image holds it, from 0.
        value: of its voxels there; None: the header does not say.
        extent: lowest and highest index ``(k, j, i)`` that 3D Slicer shows of its layer, by its own account; None: all.
    """

    name: str
    own_name: str
    id: str
    layer: int
    value: int | None
    extent: tuple[tuple[int, ...], tuple[int, ...]] | None = None


@dataclass(frozen=True)
class Header:
    """What a header says of all segments.

    Attributes:
        segments: in its order.
        unseen: names of those that 3D Slicer itself leaves out, because of a field that is missing.
        fractional: whether voxels hold the share that is inside (fractional label map), not values of segments.
    """

    segments: tuple[Segment, ...]
    unseen: tuple[str, ...] = ()
    fractional: bool = False

    def chosen(self, name: str, wanted: Sequence[str] | None) -> list[Segment]:
        """Those that are wanted, in the header's order; a name goes before an ID, and two of one name are both meant.

        Args:
            name: of the file, for sentences.
            wanted: names or IDs; None: all.

        Raises:
            InputError: one that is not there.
        """
        if wanted is None:
            return list(self.segments)
        found: list[Segment] = []
        for text in wanted:
            for which in ("own_name", "name", "id"):
                if matching := [s for s in self.segments if getattr(s, which) == text]:
                    found += matching
                    break
        unknown = [w for w in wanted if not any(w in (s.own_name, s.name, s.id) for s in found)]
        if unknown:
            known = quoted(s.name for s in self.segments)
            raise InputError(f"{name} has no segment {quoted(unknown)}; it has {known}.")
        return [s for s in self.segments if s in found]

    def is_cut(self, segment: Segment, low: Sequence[int], high: Sequence[int]) -> bool:
        """Whether 3D Slicer cuts a segment, whose voxels lie between two indices ``(k, j, i)``.

        It keeps of a layer what lies within the extents of all its segments together, whatever the voxels say.
        """
        extents = [s.extent for s in self.segments if s.layer == segment.layer]
        boxes = [box for box in extents if box is not None]
        if len(boxes) < len(extents):
            return False
        known = [box for box in boxes if all(a <= b for a, b in zip(*box, strict=True))]
        if not known:
            return True
        least = np.min([box[0] for box in known], axis=0)
        most = np.max([box[1] for box in known], axis=0)
        return bool(np.less(low, least).any() or np.greater(high, most).any())


def read_header(name: str, image) -> Header:
    """Segments that a SimpleITK image's header names; none where it is a plain volume.

    Raises:
        InputError: a layer that is no number.
    """
    fields: dict[int, dict[str, str]] = {}
    for key in image.GetMetaDataKeys():
        if match := _FIELD.fullmatch(key):
            fields.setdefault(int(match[1]), {})[match[2]] = decoded(image.GetMetaData(key))
    old = image.GetDimension() == 4
    count = image.GetSize()[3] if old else image.GetNumberOfComponentsPerPixel()
    taken: set[str] = set()
    segments, unseen, ended = [], [], False
    for place, (number, field) in enumerate(sorted(fields.items())):
        own_name = field.get("Name") or field.get("ID") or f"Segment {number + 1}"
        unique = unlike(own_name, taken)
        layer = _layer(name, unique, field.get("Layer"), number, count, old)
        value = None if old else _whole(field.get("LabelValue")) or None  # 0 is background
        extent = None if old or "Extent" not in field else _extent(field["Extent"])
        segments.append(Segment(unique, own_name, field.get("ID") or own_name, layer, value, extent))
        # 3D Slicer ends its list at the first number without an ID, and takes a missing layer for the segment's number.
        ended = ended or number != place or "ID" not in field
        if not old and (ended or ("Layer" not in field and number >= count)):
            unseen.append(unique)
    if "ID" not in fields.get(0, {}):
        unseen = []  # then it makes a segment of every label value
    return Header(tuple(segments), tuple(unseen), _is_fractional(image))


def numbers_in(name: str, field: str, text: str, count: int) -> list[int]:
    """Whole numbers of a header's field, such as an extent.

    Raises:
        InputError: others, or not so many.
    """
    found = [_whole(part) for part in text.split()]
    if len(found) != count or None in found:
        raise InputError(f"{name} is damaged: {field} in its header is “{text[:40]}”; save it again in 3D Slicer.")
    return [int(number) for number in found if number is not None]


def settled(name: str, chosen: Iterable[Segment], header: Header, layers: Mapping[int, np.ndarray]) -> dict[str, int]:
    """Segment name to the value of its voxels, where the header does not say it too.

    A segment without a value (none, a word, or 0, which is background) has the one value of its layer that no other
    segment has. 3D Slicer itself takes 1 where it is missing, and the background where it is a word or 0.

    Args:
        name: of the file, for sentences.
        chosen: the segments that are wanted.
        header: with all of them.
        layers: layer to the values other than 0 that it holds.

    Raises:
        InputError: it is not clear which voxels are meant.
    """
    values: dict[str, int] = {}
    for segment in chosen:
        others = [s for s in header.segments if s.layer == segment.layer and s.name != segment.name]
        if segment.value is not None:
            alike = [s.name for s in others if s.value == segment.value]
        else:
            claimed = [s.value for s in others if s.value is not None]
            free = [int(v) for v in layers[segment.layer] if v not in claimed]
            alike = [s.name for s in others if s.value is None] if free else []
            if len(free) > 1:
                raise InputError(
                    f"{name} does not say which value “{segment.name}” has (LabelValue in its header), and its voxels "
                    f"have {len(free)} values; save it again in 3D Slicer."
                )
            values[segment.name] = free[0] if free else 0
        if alike:
            raise InputError(
                f"{name} is damaged: its header gives {quoted([segment.name, *alike])} the same voxels, so it is not "
                "clear which one is which; save it again from the program that drew it."
            )
        values.setdefault(segment.name, segment.value or 0)
    return values


def _layer(name: str, segment: str, text: str | None, number: int, count: int, old: bool) -> int:
    if text is None:
        return number if old or count > 1 else 0
    layer = _whole(text)
    if layer is None:
        raise InputError(f"{name} is damaged: its header says layer “{text[:40]}” for “{segment}”; save it again.")
    return layer


def _extent(text: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of six numbers; the empty one where they are none, as 3D Slicer takes it."""
    found = [number for number in map(_whole, text.split()) if number is not None]
    ends = found if len(found) == len(text.split()) == 6 else [0, -1] * 3
    return tuple(ends[4::-2]), tuple(ends[5::-2])


def _whole(text: str | None) -> int | None:
    """A whole number, also as "1.0"; None where it is none, or beyond all that a file can hold."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    if not math.isfinite(number) or abs(number) > _LARGEST or abs(number - round(number)) > NEAR:
        return None
    return round(number)


def _is_fractional(image) -> bool:
    names = [f"Segmentation_{which}Representation" for which in ("Master", "Source")]
    said = [decoded(image.GetMetaData(key)) for key in names if image.HasMetaDataKey(key)]
    return any("fractional" in text.casefold() for text in said)
