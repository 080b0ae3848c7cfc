"""Structure sets (RTSTRUCT): what was contoured, by name, with the points of every contour in LPS millimetres.

Sources: DICOM PS3.3 A.19 (the object), C.8.8.5 (structure set), C.8.8.6 (ROI contour), C.8.8.8 (ROI observations).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import InputError
from ...core.visible import visible
from ..apart import apart
from ..headers.limits import FARTHEST_MM, damaged
from ..names import unlike
from ..plain_files import plain_file
from .files import quiet, text_of
from .identity import TAGS, Identity
from .own import is_own_structure
from .structure import pixel_bytes

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
"""Kinds of contours that enclose something (PS3.3 C.8.8.6.1, C.8.8.6.3); points and open lines do not."""

_TAGS = (
    "SpecificCharacterSet", "FrameOfReferenceUID", "ReferencedFrameOfReferenceSequence", "StructureSetROISequence",
    "ROIContourSequence", "RTROIObservationsSequence", *TAGS,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Structure:
    """One region of interest of a structure set.

    Attributes:
        name: ROI Name, made unlike those of the others by a number in brackets; "ROI <number>" where it has none, or
            one that holds the patient's name, number or birth date.
        own_name: as it stands in the file.
        number: ROI Number, as text; two structures may have the same.
        kind: RT ROI Interpreted Type, such as "GTV"; empty where it is not said.
        frame: UID of the frame of reference that the contours are in; empty where it is not said.
        contours: points ``[n, 3]`` of the closed contours, LPS millimetres, the first point not repeated.
        left_out: contours that enclose nothing, by kind.
        problem: why its contours cannot be used; empty where they can.
        result: whether it is a sub-region or a boost that PulsarCAM drew, and no lesion.
    """

    name: str
    own_name: str
    number: str
    kind: str
    frame: str
    contours: tuple[np.ndarray, ...]
    left_out: dict[str, int]
    problem: str = ""
    result: bool = False


@dataclass(frozen=True)
class StructureSet:
    """A structure set.

    Attributes:
        structures: in the file's order.
        frame: UID of its frame of reference, as the file says it for all; empty where it does not.
        warnings: what is odd about it, for the user.
    """

    structures: tuple[Structure, ...]
    frame: str
    warnings: tuple[str, ...]


def read_structures(path: str | Path) -> StructureSet:
    """The structures of an RTSTRUCT.

    Raises:
        InputError: no such file, another object, or one that is damaged.
    """
    path = plain_file(path)
    told, points = _parsed(path)
    structures, at = [], 0
    for each in told["structures"]:
        contours = []
        for length in each.pop("lengths"):
            contours.append(points[at : at + length])
            at += length
        structures.append(Structure(contours=tuple(contours), **each))
    return StructureSet(tuple(structures), told["frame"], tuple(told["warnings"]))


@apart
def _parsed(path: str | Path) -> tuple[dict[str, Any], np.ndarray]:
    """What a structure set says, in what can be sent between processes, and the points of all contours ``[n, 3]``."""
    import pydicom

    name = f"The structure set {visible(Path(path).name)}"
    try:
        with quiet(), Path(path).open("rb") as file:
            data = pydicom.dcmread(file, specific_tags=[*_TAGS, "Modality"], force=True)
            # a file that ends too early is read without a word, and its last contours are lost
            pixel_bytes(file, str(data.file_meta.get("TransferSyntaxUID", "")))
            if text_of(data, "Modality") != "RTSTRUCT":
                raise InputError(f"{name} is no DICOM RTSTRUCT; give the structure set.")
            return _told(data, name)
    except InputError:
        raise
    except Exception as error:  # pydicom raises many kinds for damaged files
        raise damaged(name, "its elements cannot be read") from error


def _told(data: Any, name: str) -> tuple[dict[str, Any], np.ndarray]:
    frames = [text_of(each, "FrameOfReferenceUID") for each in _items(data, "ReferencedFrameOfReferenceSequence")]
    frame = frames[0] if len(set(frames)) == 1 else text_of(data, "FrameOfReferenceUID")
    kinds = {text_of(o, "ReferencedROINumber"): text_of(o, "RTROIInterpretedType").upper()
             for o in _items(data, "RTROIObservationsSequence")}  # fmt: skip
    drawn: dict[str, list[Any]] = {}
    for item in _items(data, "ROIContourSequence"):
        drawn.setdefault(text_of(item, "ReferencedROINumber"), []).append(item)
    regions = list(_items(data, "StructureSetROISequence"))
    if not regions:
        raise InputError(f"{name} names no structures; export it again.")
    of_number = Counter(text_of(region, "ROINumber") for region in regions)
    somebody = Identity.of(data)
    rank: Counter[str] = Counter()
    taken: set[str] = set()
    structures: list[dict[str, Any]] = []
    points: list[np.ndarray] = []
    doubled: list[str] = []
    for region in regions:
        number = text_of(region, "ROINumber")
        own_name = text_of(region, "ROIName")
        items, problem = drawn.get(number, []), ""
        if of_number[number] > 1:
            doubled += [number] if number not in doubled else []
            if len(items) == of_number[number]:  # both lists are in one order
                items = items[rank[number] : rank[number] + 1]
            elif items:
                items, problem = [], f"{of_number[number]} structures have the number {number}"
        rank[number] += 1
        try:
            own, left_out = _contours(items)
        except ValueError as error:
            own, left_out, problem = [], {}, str(error)
        points += own
        structures.append({
            "name": unlike("" if somebody.is_in(own_name) else visible(own_name), taken, f"ROI {visible(number)}"),
            "own_name": own_name,
            "number": number,
            "kind": kinds.get(number, ""),
            "frame": text_of(region, "ReferencedFrameOfReferenceUID") or frame,
            "lengths": [len(each) for each in own],
            "left_out": left_out,
            "problem": problem,
            "result": is_own_structure(region),
        })  # fmt: skip
    warnings = [
        f"{of_number[number]} structures have the number {visible(number)}; each is taken with the contours that stand "
        "at its place in the list."
        for number in doubled
        if len(drawn.get(number, [])) == of_number[number]
    ]
    told = {"structures": structures, "frame": frame, "warnings": warnings}
    return told, np.concatenate(points) if points else np.zeros((0, 3))


def _contours(items: list[Any]) -> tuple[list[np.ndarray], dict[str, int]]:
    """Closed contours of a structure, and the kinds and numbers of the others.

    Raises:
        ValueError: why the points of one cannot be used.
    """
    found, left_out = [], Counter[str]()
    for contour in (c for item in items for c in _items(item, "ContourSequence")):
        kind = _stored(contour, "ContourGeometricType").upper()
        if kind not in CLOSED:
            left_out[kind or "of no kind"] += 1
            continue
        points = _points(contour)
        if len(points) > 1 and (points[0] == points[-1]).all():  # against the standard, but usual
            points = points[:-1]
        if len(points) < 3:
            left_out["of fewer than three points"] += 1
        else:
            found.append(points)
    return found, dict(left_out)


def _points(contour: Any) -> np.ndarray:
    """Contour Data as an array ``[n, 3]``.

    Raises:
        ValueError: why they cannot be used.
    """
    text = _stored(contour, "ContourData")
    if not text:
        return np.zeros((0, 3))
    try:
        values = np.array(text.split("\\"), dtype=np.float64)
        said = int(_stored(contour, "NumberOfContourPoints") or len(values) // 3)
    except ValueError:
        raise ValueError("points of a contour are no numbers") from None
    if len(values) % 3 or not np.isfinite(values).all() or np.abs(values).max() > FARTHEST_MM:
        raise ValueError("points of a contour are not x, y and z in millimetres")
    if said != len(values) // 3:
        raise ValueError(f"a contour holds {len(values) // 3} of its {said} points")
    return values.reshape(-1, 3)


def _stored(data: Any, keyword: str) -> str:
    """The text of an element as it stands in the file.

    pydicom's own objects, one a number, would take most of the time that a structure set takes.
    """
    value = data.get_item(keyword).value if keyword in data else None
    return value.decode("ascii", "replace").strip(" \0") if isinstance(value, bytes) else str(value or "")


def _items(data: Any, sequence: str) -> Iterator[Any]:
    found = data.get(sequence)
    yield from found if found is not None else ()
