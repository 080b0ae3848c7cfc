"""Options of the command line made of the fields of settings, and settings made of parsed options."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import Field, fields
from typing import Any, TypeVar, get_args, get_origin

from ...core.errors import PulsarCAMError
from ...core.settings import Option, Settings, default_of, hints_of, option_of, without_none
from .numbers import number, number_in, numbers, whole_number

S = TypeVar("S", bound=Settings)


def add_settings(group, kind: type[Settings], section: str = "", **changes: dict[str, Any]) -> None:
    """Add the options of a section of settings.

    Args:
        group: parser or group of arguments.
        kind: whose fields.
        section: only fields of this section.
        changes: by field: arguments of ``add_argument`` that a command has otherwise, such as its default.
    """
    for each in _listed(kind, section):
        group.add_argument(option_of(each).flag, **(_arguments(kind, each, changes.get(each.name, {}))))


def settings_from(kind: type[S], options: argparse.Namespace, **given: Any) -> S:
    """Settings that parsed options mean; what was not asked, or not said, is as usual.

    Args:
        kind: of settings.
        options: parsed.
        given: values by field that no option tells.

    Raises:
        PulsarCAMError: values do not go together.
    """
    values: dict[str, Any] = {}
    for each in fields(kind):  # type: ignore[arg-type]  # every subclass is a dataclass
        about, hint = option_of(each), hints_of(kind)[each.name]
        if each.name in given:
            continue
        if about.flag and hasattr(options, about.dest):
            value = getattr(options, about.dest)
            if value is not None or without_none(hint) != hint:
                value = about.words.get(value, value) if isinstance(value, str) else value
                values[each.name] = hint(*value) if _is_settings(hint) else value
        elif _is_settings(hint):
            values[each.name] = settings_from(hint, options)
    return kind(**values, **given)


def _listed(kind: type[Settings], section: str) -> list[Field]:
    """Fields of a section that have a flag, each behind the one that it names."""
    found = [each for each in fields(kind) if option_of(each).flag and option_of(each).section == section]  # type: ignore[arg-type]
    listed = [each for each in found if not option_of(each).after]
    for each in found:
        if option_of(each).after:
            listed.insert([e.name for e in listed].index(option_of(each).after) + 1, each)
    return listed


def _arguments(kind: type[Settings], each: Field, changes: dict[str, Any]) -> dict[str, Any]:
    about, default = option_of(each), default_of(each)
    if isinstance(default, bool):
        return {"action": "store_true", "help": about.help} | changes
    usual = {"default": _typed(about, default), "help": about.help, "metavar": about.metavar}
    wanted = usual | ({"choices": _choices(about)} if _is_one_of(about, default) else {"type": _reader(kind, each)})
    wanted |= changes
    if wanted["help"] != argparse.SUPPRESS and not wanted["help"].endswith(")"):
        wanted["help"] = f"{wanted['help']} (%(default)s)".lstrip()
    return wanted


def _is_one_of(about: Option, default: Any) -> bool:
    return bool(about.choices) and isinstance(default, str)


def _choices(about: Option) -> tuple[str, ...]:
    return tuple(about.words) or about.choices


def _typed(about: Option, value: Any) -> Any:
    """A value as it would be typed, in text where argparse must read it."""
    for word, meant in about.words.items():
        if value == meant:
            return word
    value = tuple(vars(value).values()) if isinstance(value, Settings) else value
    if isinstance(value, tuple):
        return ",".join(each if isinstance(each, str) else f"{each:g}" for each in value)
    return value


def _reader(kind: type[Settings], each: Field) -> Callable[[str], Any]:
    about, hint = option_of(each), without_none(hints_of(kind)[each.name])
    if _is_settings(hint) or get_origin(hint) is tuple:
        return _list_reader(about, hint, _typed(about, default_of(each)))
    if hint is int:
        return whole_number(int(about.within.at_least or 0), about.most_typed)
    plain = number_in(about.within, about.unit)
    return _word_or(about, plain) if about.words else plain


def _word_or(about: Option, read: Callable[[str], float]) -> Callable[[str], Any]:
    words = " or ".join(map(repr, about.words))
    ends = f"{about.within.at_least:g} and {about.within.at_most:g} {about.unit}"

    def word_or_number(text: str) -> Any:
        if text in about.words:
            return about.words[text]
        if about.within.refusal(number(text)):
            raise argparse.ArgumentTypeError(f"{text} is neither {words} nor between {ends}")
        return read(text)

    return word_or_number


def _list_reader(about: Option, hint: Any, example: str) -> Callable[[str], tuple]:
    if str in get_args(hint):
        return names_of(about.choices)
    whole = int in get_args(hint)
    count = len(fields(hint)) if _is_settings(hint) else len([a for a in get_args(hint) if a is not Ellipsis])
    fixed = _is_settings(hint) or Ellipsis not in get_args(hint)

    def read(text: str) -> tuple[float, ...]:
        found = numbers(text)
        if whole and not all(value.is_integer() for value in found):
            raise argparse.ArgumentTypeError(f"{text!r} is not whole numbers, such as {example}")
        found = tuple(map(int, found)) if whole else found
        if fixed and len(found) != count:
            raise argparse.ArgumentTypeError(f"{text!r} is not {count} numbers, such as {example}")
        problem = about.problem(found) if about.problem else None
        try:
            _ = hint(*found) if _is_settings(hint) else None
        except PulsarCAMError as error:
            problem = str(error)
        if problem:
            raise argparse.ArgumentTypeError(problem)
        return found

    return read


def names_of(known: tuple[str, ...], none: str = "") -> Callable[[str], tuple[str, ...]]:
    """A type for argparse: names with commas between them, none twice; the word ``none`` stands for no name."""

    def names(text: str) -> tuple[str, ...]:
        if none and text.strip() == none:
            return ()
        found = tuple(part.strip() for part in text.split(",") if part.strip())
        if not found or any(name not in known for name in found if known):
            raise argparse.ArgumentTypeError(f"{text!r} is not a list of {', '.join(known)}")
        if twice := [name for name, count in Counter(found).items() if count > 1]:
            raise argparse.ArgumentTypeError(f"{text!r} names {' and '.join(twice)} twice; name each once")
        return found

    names.__name__ = "list"
    return names


def _is_settings(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Settings)
