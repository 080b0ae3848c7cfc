"""Cells of a table that people typed: numbers, dates, classes. What can be read in two ways is not read."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence

from ...core.settings import ANY_NUMBER, Range
from ...core.vocabulary import BASELINE, TIME_POINTS

BLANK = {"", "-", "–", "n/a", "na", "nan", "none", "null"}
"""What people write for "nothing" into cells that are not free text."""

BROKEN = {"#n/a", "#ref!", "#value!", "#div/0!", "#name?", "#num!", "#null!"}
"""What spreadsheets write for a formula that failed."""

CLASSES = {"1": 1, "response": 1, "responder": 1, "0": 0, "non-response": 0, "non-responder": 0}


YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class Unreadable(ValueError):  # noqa: N818 - becomes a finding, not an error of the program
    """A cell that does not say what its column needs; the message says what it needs."""


class Impossible(ValueError):  # noqa: N818 - as above
    """A cell that can be read and cannot be meant; what it is and what it must be, as parts of sentences."""

    def __init__(self, is_what: str, needed: str):
        super().__init__(is_what)
        self.needed = needed


def as_text(value: object) -> str:
    """What a spreadsheet's cell shows: whole numbers without ".0", dates without a time."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(sep=" ")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def read_cell(
    text: str, kind: str, decimal_comma: bool = False, choices: Sequence[str] = (), within: Range = ANY_NUMBER
):
    """A cell as its column's kind.

    Args:
        text: of :func:`as_text`.
        kind: see :class:`~PulsarCAMLib.cohort.tables.columns.Column`.
        decimal_comma: whether "1,234" is a decimal fraction, as in tables separated by semicolons; else it is
            ambiguous.
        choices: words of a column whose kind is "word".
        within: numbers of a column that can be meant; of a date its year.

    Returns:
        Text, number, date, bool or class; None for an empty cell (``"baseline"`` for a time point).

    Raises:
        Unreadable: the message ends the sentence "... ; write".
        Impossible: it can be read and is not ``within``.
    """
    if text.lower() in BROKEN:
        raise Unreadable("a value instead of the formula that failed")
    if kind in ("text", "file", "label"):
        return text or None
    if text.lower() in BLANK:
        return BASELINE if kind == "time point" else None
    value = {
        "number": lambda: as_number(text, decimal_comma),
        "whole": lambda: _as_whole(text),
        "date": lambda: as_date(text),
        "class": lambda: _as_class(text),
        "time point": lambda: _as_time_point(text),
        "yes or no": lambda: _as_yes_or_no(text),
        "word": lambda: _as_word(text, choices),
    }[kind]()
    if kind == "number" and (refusal := within.refusal(value)):
        raise Impossible(refusal, str(within))
    if kind == "date" and (refusal := within.refusal(value.year)):
        years = f"{within.at_least:g} to {within.at_most:g}"
        raise Impossible(f"has a year that {refusal}", f"a date of the years {years}")
    return value


def as_number(text: str, decimal_comma: bool = False) -> float:
    """A number with a point or, where that cannot be misread, a comma.

    Raises:
        Unreadable: not a finite number, or ambiguous.
    """
    plain = text
    if re.fullmatch(r"[+-]?\d+,\d+", text) and (decimal_comma or not re.fullmatch(r"[+-]?\d{1,3},\d{3}", text)):
        plain = text.replace(",", ".")
    try:
        number = float(plain)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or "_" in plain:
        raise Unreadable("a number with a point, without unit, such as 1.25")
    return number


def as_date(text: str) -> datetime.date:
    """A date written in a way that has one meaning.

    Raises:
        Unreadable: no date, or one with two meanings such as 03/04/2026.
    """
    patterns = (r"(\d{4})-(\d{1,2})-(\d{1,2})", r"(\d{4})(\d{2})(\d{2})", r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
    for number, pattern in enumerate(patterns):
        found = re.fullmatch(pattern + r"(?:[ T]\d{2}:\d{2}.*)?", text)
        if found:
            parts = [int(part) for part in found.groups()]
            try:
                return datetime.date(*(parts if number < 2 else reversed(parts)))
            except ValueError:
                break
    raise Unreadable("a date such as 2026-01-31")


def _as_whole(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number != int(number) or number < 1:
        raise Unreadable("a whole number from 1 on")
    return int(number)


def _as_class(text: str) -> int:
    plain = as_text(float(text)) if re.fullmatch(r"[01]\.0+", text) else text.lower()
    if plain not in CLASSES:
        raise Unreadable("1 (response) or 0 (non-response)")
    return CLASSES[plain]


def _as_yes_or_no(text: str) -> bool:
    if text.lower() not in YES_OR_NO:
        raise Unreadable("yes or no; leave it empty where it is not known")
    return YES_OR_NO[text.lower()]


def _as_word(text: str, choices: Sequence[str]) -> str:
    if text.lower() not in choices:
        raise Unreadable(f"{', '.join(choices[:-1])} or {choices[-1]}; leave it empty where it is not known")
    return text.lower()


def _as_time_point(text: str) -> str:
    plain = text.lower()
    if plain not in TIME_POINTS:
        raise Unreadable(
            "'baseline' or 'second' (what is known about the follow-up belongs into the columns followup_... of the "
            "baseline row)"
        )
    return plain
