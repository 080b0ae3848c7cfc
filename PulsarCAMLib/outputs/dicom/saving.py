"""DICOM objects to files: pydicom writes them, and is spared what it does again for each of thousands of items.

For every item of every sequence pydicom searches all items in it for elements whose kind depends on others (PS3.5 A),
and for every element it finds out anew how text is encoded. Here that search is done once, elements that were encoded
before are not encoded again (codes and UIDs are most of an object), and the items are put together. The bytes are
those that pydicom alone writes; only what a file that was read gave no length (PS3.5 7.5.2) has one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ITEM = struct.pack("<HH", 0xFFFE, 0xE000)


def save(made: Any, path: Path) -> None:
    """Write an object.

    Args:
        made: little endian, with its file meta information; it is left as it was.
        path: of the file.
    """
    from pydicom.charset import convert_encodings, default_encoding
    from pydicom.dataelem import RawDataElement
    from pydicom.filewriter import correct_ambiguous_vr

    implicit = made.file_meta.TransferSyntaxUID.is_implicit_VR
    correct_ambiguous_vr(made, True)
    letters = made.get("SpecificCharacterSet")
    encoder = _Encoder(implicit)
    sequences = [element for element in made if element.VR == "SQ"]
    try:
        for each in sequences:
            value = encoder.items(each.value, letters or default_encoding)
            made[each.tag] = RawDataElement(each.tag, "SQ", len(value), value, 0, implicit, True, True)
        made.set_original_encoding(implicit, True, convert_encodings(letters) if letters else default_encoding)
        made.save_as(path, enforce_file_format=True)
    finally:
        for each in sequences:
            made[each.tag] = each


class _Encoder:
    """Bytes of items, by pydicom element by element.

    Args:
        implicit: whether kinds of elements are not written.
    """

    def __init__(self, implicit: bool) -> None:
        self._implicit = implicit
        self._known: dict[tuple, bytes] = {}

    def items(self, items: Iterable[Any], letters: Any) -> bytes:
        """Of a sequence, without its own header; ``letters``: how text outside is encoded."""
        bodies = [self._item(item, letters) for item in items]
        return b"".join(part for body in bodies for part in (ITEM, struct.pack("<L", len(body)), body))

    def _item(self, item: Any, letters: Any) -> bytes:
        from pydicom.charset import default_encoding

        letters = item.get("SpecificCharacterSet", letters)
        as_stored = (*item.original_encoding, item.original_character_set) == (self._implicit, True, default_encoding)
        found = []
        for tag in sorted(item.keys()):
            if tag.element == 0 and tag.group > 6:  # lengths of groups (retired, PS3.5 7.2)
                continue
            element = item.get_item(tag)
            found.append(self._element(item[tag] if element.is_raw and not as_stored else element, letters))
        return b"".join(found)

    def _element(self, element: Any, letters: Any) -> bytes:
        if element.VR == "SQ" and not element.is_raw:
            value = self.items(element.value, letters)
            kind = b"" if self._implicit else b"SQ\0\0"
            head = struct.pack("<HH", element.tag.group, element.tag.element) + kind
            return head + struct.pack("<L", len(value)) + value
        value = element.value
        if not isinstance(value, str) and type(value) is not int:  # numbers that are text keep how they were written
            return self._by_pydicom(element, letters)
        key = (element.tag, element.VR, type(value), value, str(letters))
        if key not in self._known:
            self._known[key] = self._by_pydicom(element, letters)
        return self._known[key]

    def _by_pydicom(self, element: Any, letters: Any) -> bytes:
        from pydicom.filebase import DicomBytesIO
        from pydicom.filewriter import write_data_element

        made = DicomBytesIO()
        made.is_little_endian, made.is_implicit_VR = True, self._implicit
        write_data_element(made, element, letters)
        return made.getvalue()
