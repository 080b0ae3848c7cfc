"""Settings that people write by hand as JSON are what they should be, or are refused with a sentence."""

from __future__ import annotations

import math
from dataclasses import fields
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from .errors import InputError

WORDS = {int: "a whole number", float: "a number", str: "a word", type(None): "null"}
LISTS = {int: "a list of whole numbers", float: "a list of numbers", str: "a list of words"}


def typed(kind: type, given: dict[str, Any], source: str) -> dict[str, Any]:
    """Settings as the fields of a dataclass want them: lists become tuples, everything else stays.

    A text is no list of its letters, and true is no number.

    Args:
        kind: dataclass whose fields are str, int, float, tuples of these, or None.
        given: JSON values by name.
        source: who says so, as the beginning of a sentence.

    Raises:
        InputError: a name is not known or a value is of another kind.
    """
    hints = _hints(kind)
    for name, value in given.items():
        if name not in hints:
            raise InputError(f"{source} has a setting {name!r} that is not known; there are {', '.join(hints)}.")
        if not _fits(value, hints[name]):
            raise InputError(
                f"{source} has a setting {name!r} of the wrong kind: it must be {_words(hints[name])}, not {value!r}."
            )
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


@cache
def _hints(kind: type) -> dict[str, Any]:
    found = get_type_hints(kind)
    return {field.name: found[field.name] for field in fields(kind)}


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, each) for each in get_args(hint))
    if get_origin(hint) is tuple:
        return isinstance(value, (list, tuple)) and all(_fits(each, get_args(hint)[0]) for each in value)
    if isinstance(value, bool):
        return hint is bool
    if hint is float:
        return isinstance(value, (int, float)) and math.isfinite(value)
    return isinstance(value, hint)


def _words(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(map(_words, get_args(hint)))
    return LISTS[get_args(hint)[0]] if get_origin(hint) is tuple else WORDS[hint]
