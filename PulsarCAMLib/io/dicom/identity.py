"""Who a DICOM file is about, for nothing but keeping that out of what is written.

A name that somebody gave a structure is useful and is kept; one that holds the patient's name, number or birth date is
not shown anywhere, and a number stands in its place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .files import is_dicom, quiet, text_of

NAMES = (
    "PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "ReferringPhysicianName",
    "PerformingPhysicianName", "PhysiciansOfRecord", "OperatorsName", "ReviewerName", "ResponsiblePerson",
)  # fmt: skip
NUMBERS = ("PatientID", "OtherPatientIDs", "AccessionNumber", "PatientBirthDate")
TAGS = (*NAMES, *NUMBERS)
"""Elements that say who it is (DICOM PS3.3 C.2.2, C.2.3, C.7.1.1)."""

SHORTEST = 3
"""Letters of a name that are looked for within other words; shorter ones are looked for as words."""

SHORTEST_FILE = 4
"""Letters of a file's name that sentences are searched for; shorter ones are words such as "MR"."""

WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe"})
"""How letters are written where there are none of them; "ß" is "ss" in small letters already."""

UID = re.compile(r"\d+(\.\d+){4,}")
"""A unique identifier, or what may be one."""


@dataclass(frozen=True)
class Identity:
    """Texts by which somebody can be known, as :func:`_plain` has them.

    Attributes:
        texts: parts of names, numbers, and dates in several spellings.
    """

    texts: frozenset[str] = field(default=frozenset(), repr=False)

    @classmethod
    def of(cls, data: Any) -> Identity:
        """Of a data set in which :data:`TAGS` were read."""
        texts: set[str] = set()
        for keyword in NAMES:
            for part in re.split(r"[\^=\\\s,;\-\[\]']+", text_of(data, keyword)):
                texts |= _spellings(part)
        for keyword in NUMBERS:
            texts |= _spellings(text_of(data, keyword))
        birth = _plain(text_of(data, "PatientBirthDate"))
        if len(birth) == 8:
            year, month, day = birth[:4], birth[4:6], birth[6:]
            texts |= {day + month + year, month + day + year, day + month + year[2:], year[2:] + month + day}
        return cls(frozenset(each for each in texts if _tells(each)))

    @classmethod
    def named(cls, *names: str) -> Identity:
        """Of names as they stand in a table."""
        parts = [part for name in names for part in (name, *re.split(r"[\W_]+", name))]
        return cls(frozenset(each for part in parts for each in _spellings(part) if _tells(each)))

    def is_in(self, text: str) -> bool:
        """Whether a text holds any of it, in capitals or not, with other signs between or without; or a UID.

        Examples:
            >>> somebody = Identity(frozenset({"doe", "id4711", "li"}))
            >>> [somebody.is_in(text) for text in ("GTV_DOE", "gtv id 4711", "GTV Li", "GTV left", "1.2.840.10008.1")]
            [True, True, True, False, True]
            >>> [Identity.named(name).is_in(text) for name, text in (("Müller", "GTV mueller"), ("Voß", "VOSS"))]
            [True, True]
        """
        if UID.search(text):
            return True
        wholes = _spellings(text)
        words = {each for word in re.findall(r"[^\W_]+", text) for each in _spellings(word)}
        return any(
            any(each in whole for whole in wholes) if len(each) >= SHORTEST else each in words for each in self.texts
        )

    def kept_out(self, sentence: str) -> str:
        """A sentence without words, and without names in quotes, that hold any of it.

        Examples:
            >>> Identity(frozenset({"doe"})).kept_out("Left out because empty: “left of Doe”, “iso”; see DOE.")
            'Left out because empty: “…”, “iso”; see …'
        """
        quoted = re.sub(r"“([^”]*)”", lambda found: "“…”" if self.is_in(found[1]) else found[0], sentence)
        return " ".join("…" if self.is_in(word) else word for word in quoted.split(" "))

    def __or__(self, other: Identity) -> Identity:
        return Identity(self.texts | other.texts)


def patient_of(data: Any) -> str:
    """What tells a patient apart: the ID and its issuer, a line each; empty where there is no ID."""
    number = text_of(data, "PatientID")
    return f"{number}\n{text_of(data, 'IssuerOfPatientID')}" if number else ""


def may_be_same(one: str, other: str) -> bool:
    """Whether two texts of :func:`patient_of` may be one patient: one ID, and not of two issuers.

    Many programs leave the issuer out, so an ID without one goes with any; what has no ID cannot be told apart.

    Examples:
        >>> may_be_same("1\\nA", "1\\n"), may_be_same("1\\nA", "1\\nB"), may_be_same("1\\n", "2\\n")
        (True, False, False)
    """
    if not (one and other):
        return True
    (number, _, issuer), (number_2, _, issuer_2) = one.partition("\n"), other.partition("\n")
    return number == number_2 and (issuer == issuer_2 or not (issuer and issuer_2))


def told_without(sentence: str, somebody: Identity, paths: Iterable[Path]) -> str:
    """A sentence without who it is, and without paths and names of files."""
    from ..plain_files import shown_path

    hidden: set[str] = set()
    for path in paths:
        hidden |= {str(path), shown_path(path), path.name}
        hidden |= {text for parent in list(path.parents)[:-1] for text in (str(parent), shown_path(parent))}
    for text in sorted(hidden, key=len, reverse=True):
        sentence = sentence.replace(text, "…") if len(text) >= SHORTEST_FILE else sentence
    return somebody.kept_out(sentence)


def identity_of(path: str | Path) -> Identity:
    """Who a DICOM file, or the first one of a folder, is about; nobody where there is none or it cannot be read."""
    import pydicom

    first = next(_dicom_files(Path(path)), None)
    if first is None:
        return Identity()
    try:
        with quiet(), first.open("rb") as file:
            tags = ["SpecificCharacterSet", *TAGS]
            return Identity.of(pydicom.dcmread(file, stop_before_pixels=True, specific_tags=tags, force=True))
    except Exception:  # pydicom raises many kinds; whoever reads the file for its content tells of it
        return Identity()


def _dicom_files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (each for each in sorted(path.rglob("*")) if is_dicom(each))
    elif is_dicom(path):
        yield path


def _tells(text: str) -> bool:
    """Whether a part of a name tells who it is: not one letter, nor a number of two digits, as lesions have."""
    return len(text) > 1 and not (text.isdigit() and len(text) < SHORTEST)


def _spellings(text: str) -> set[str]:
    """A text as :func:`_plain` has it, and the same where letters such as "ü" are written out as "ue"."""
    composed = unicodedata.normalize("NFC", text).casefold()
    return {_plain(text), _plain(composed.translate(WRITTEN_OUT))}


def _plain(text: str) -> str:
    """Letters and digits alone, small and without accents."""
    text = unicodedata.normalize("NFKD", text)
    return "".join(c for c in text.casefold() if c.isalnum() and not unicodedata.combining(c))
