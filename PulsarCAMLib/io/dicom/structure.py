"""Do the elements of a DICOM file lie within it, and within each other? Native readers take memory by their lengths.

Source: DICOM PS3.5, 7 (the data set) and 7.5 (sequences); nothing of an element but its header is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

PIXEL_DATA = 0x7FE00010
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF

LONG = (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV")
"""Kinds of elements whose length has four bytes (DICOM PS3.5 7.1.2)."""

KINDS = (*LONG, *(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()))

IMPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
PLAIN = (IMPLICIT, "1.2.840.10008.1.2.1", BIG_ENDIAN)
"""Transfer syntaxes whose voxels lie in the file as they are: their bytes can be counted."""

DEFLATED = "1.2.840.10008.1.2.1.99"
DEEPEST = 16
"""Sequences in sequences; enhanced MR has four."""


@dataclass(frozen=True)
class Element:
    """The header of one element.

    Attributes:
        tag: group and element.
        at: first byte of the value.
        length: of the value in bytes, perhaps :data:`UNDEFINED`.
        sequence: whether it is one.
        unknown: whether its kind is not known (UN); what is in such a sequence is implicit (DICOM PS3.5 6.2.2).
    """

    tag: int
    at: int
    length: int
    sequence: bool
    unknown: bool = False


def pixel_bytes(file: BinaryIO, syntax: str) -> int | None:
    """Bytes of plain voxels in a file, whose other elements are looked at.

    Args:
        file: open; a preamble is passed over.
        syntax: its transfer syntax; empty where the file does not say it.

    Returns:
        None where voxels are compressed, 0 where there are none.

    Raises:
        ValueError: an element of an unknown kind, or one that reaches beyond the file or its sequence.
    """
    size = file.seek(0, 2)
    file.seek(128)
    at = 132 if file.read(4) == b"DICM" else 0
    while _group(file, at) == 2 and (element := _element(file, at, PLAIN[1])):
        at = _end(element, size)
    if syntax == DEFLATED:
        return None
    syntax = syntax or _guessed(file, at)
    found = -1
    while at < size - 7 and (element := _element(file, at, syntax)):
        if found >= 0 and element.tag <= PIXEL_DATA:
            raise ValueError("what follows the voxels are no elements")
        if element.tag == PIXEL_DATA:
            if element.length == UNDEFINED:
                return None
            found = min(element.length, size - element.at)
            at = element.at + found
        else:
            at = _behind(file, element, size, syntax, 0)
    return max(found, 0) if syntax in PLAIN else None


def _guessed(file: BinaryIO, at: int) -> str:
    """Whether a data set names the kinds of its elements, by the first."""
    file.seek(at + 4)
    return PLAIN[1] if file.read(2) in KINDS else IMPLICIT


def _group(file: BinaryIO, at: int) -> int:
    file.seek(at)
    return int.from_bytes(file.read(2), "little")


def _behind(file: BinaryIO, element: Element, end: int, syntax: str, depth: int) -> int:
    """First byte behind an element, whose items are looked at if it is a sequence."""
    if element.length != UNDEFINED and not element.sequence:
        return _end(element, end)
    if depth > DEEPEST:
        raise ValueError("sequences in sequences without an end")
    bound = end if element.length == UNDEFINED else _end(element, end)
    at, syntax = element.at, IMPLICIT if element.unknown else syntax
    while at < bound:
        item = _element(file, at, syntax)
        if item is None or item.tag not in (ITEM, SEQUENCE_END):
            raise ValueError("no item in a sequence")
        if item.tag == SEQUENCE_END:
            return item.at
        at = _behind_item(file, item, bound, syntax, depth)
    if element.length == UNDEFINED:
        raise ValueError("a sequence without an end")
    return bound


def _behind_item(file: BinaryIO, item: Element, end: int, syntax: str, depth: int) -> int:
    bound = end if item.length == UNDEFINED else _end(item, end)
    at = item.at
    while at < bound:
        element = _element(file, at, syntax)
        if element is None:
            break
        if element.tag == ITEM_END:
            return element.at
        at = _behind(file, element, bound, syntax, depth + 1)
    if item.length == UNDEFINED:
        raise ValueError("an item without an end")
    return bound


def _end(element: Element, end: int) -> int:
    if element.length == UNDEFINED or element.at + element.length > end:
        raise ValueError("an element reaches beyond its end")
    return element.at + element.length


def _element(file: BinaryIO, at: int, syntax: str) -> Element | None:
    """The element that begins at a byte; None at the end of the file."""
    file.seek(at)
    begin = file.read(12)
    order: Any = "big" if syntax == BIG_ENDIAN else "little"
    if len(begin) < 8:
        return None
    tag = (int.from_bytes(begin[:2], order) << 16) + int.from_bytes(begin[2:4], order)
    if syntax == IMPLICIT or tag in (ITEM, ITEM_END, SEQUENCE_END):
        length = int.from_bytes(begin[4:8], order)
        return Element(tag, at + 8, length, length == UNDEFINED and tag not in (ITEM, ITEM_END))
    kind = begin[4:6]
    if kind not in KINDS:
        raise ValueError("an element of an unknown kind")
    if kind not in LONG:
        return Element(tag, at + 8, int.from_bytes(begin[6:8], order), False)
    length = int.from_bytes(begin[8:12], order)
    unknown = kind == b"UN"
    return Element(tag, at + 12, length, kind == b"SQ" or (unknown and length == UNDEFINED), unknown)
