"""Options of map methods that have settings of their own, made of these settings' fields."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ...core.errors import InputError
from ...core.settings import option_of
from ...systems.registry import all_methods, system_of
from ..options.setting_options import add_settings, settings_from

if TYPE_CHECKING:
    from ...core.map_method import MapMethod
    from ...systems.bundles.card import ModelCard


def add_choices(parser: argparse.ArgumentParser) -> None:
    """One group of options for every method that has some, or for several that share them."""
    for section, methods in _sections().items():
        named = " or ".join(method.name for method in methods)
        title = f"{methods[0].title.lower() if len(methods) == 1 else f'{section} maps'} (--method {named})"
        title += "" if methods[0] in system_of().maps else ", for models of whole volumes"
        add_settings(parser.add_argument_group(title), methods[0].choices, section)  # type: ignore[arg-type]


def choices_of(options: argparse.Namespace, card: ModelCard, methods: Sequence[str]) -> dict[str, Any]:
    """Settings by method of those that were chosen otherwise than usual.

    Args:
        options: parsed.
        card: of the model, which tells what nobody types.
        methods: that are asked for.

    Raises:
        InputError: values do not go together, or settings are given of a method that is not asked for.
    """
    found: dict[str, Any] = {}
    for section, those in _sections().items():
        if not _typed(options, those[0]):
            continue
        names = [method.name for method in those]
        if not set(names) & set(methods):
            raise InputError(
                f"Settings of the method {' or '.join(names)} are given, and no such map is asked for; add --method "
                f"{names[0]}, or leave them out."
            )
        for own in (method for method in card.system.maps if method.choices is not None and method.options == section):
            found[own.name] = settings_from(own.choices, options, **own.given(card.system, card.preprocessing))  # type: ignore[type-var]
    return found


def choices_of_text(text: str, card: ModelCard, method: str) -> dict[str, Any]:
    """The same from one line, as in "block 16, fill noise, within": options of one method without what they begin with.

    Args:
        text: values behind a space or "="; options with commas between them. Empty: all is as usual.
        card: of the model.
        method: name; one without settings has none.

    Raises:
        InputError: an option is not known, or values cannot be meant.
    """
    own = card.system.method(method)
    if own.choices is None or not text.strip():
        return {}
    words = [word for part in text.split(",") for word in _typed_as(part, own.options)]
    parser = _Line(prog=own.options, usage=own.choices.example, add_help=False, allow_abbrev=False)
    add_settings(parser, own.choices, own.options)
    return choices_of(parser.parse_args(words), card, (method,))


def told(method: MapMethod) -> str:
    """What may be written into such a line."""
    if method.choices is None:
        return ""
    known = [option_of(each) for each in fields(method.choices) if option_of(each).flag]
    return "; ".join(f"{each.flag.removeprefix(f'--{method.options}-')}: {each.help}" for each in known)


def _typed_as(part: str, section: str) -> list[str]:
    name, _, value = part.strip().replace("=", " ", 1).partition(" ")
    return [f"--{section}-{name}", *([value.strip()] if value.strip() else [])] if name else []


class _Line(argparse.ArgumentParser):
    """Says what is wrong instead of ending the program."""

    def error(self, message: str):
        raise InputError(
            f"The settings of the method {self.prog} cannot be used "
            f"({message.replace(f'--{self.prog}-', '')}); write them as in “{self.usage}”."
        )


def _sections() -> dict[str, list[MapMethod]]:
    """Methods with settings, by what their options begin with."""
    found: dict[str, list[MapMethod]] = {}
    for method in all_methods():
        if method.choices is not None:
            found.setdefault(method.options, []).append(method)
    return found


def _typed(options: argparse.Namespace, method: MapMethod) -> bool:
    """Whether an option is not as usual."""
    usual = argparse.ArgumentParser()
    add_settings(usual, method.choices, method.options)  # type: ignore[arg-type]
    own = vars(usual.parse_args([]))
    dests = [option_of(each).dest for each in fields(method.choices) if option_of(each).flag]  # type: ignore[arg-type]
    return any(getattr(options, dest, own[dest]) != own[dest] for dest in dests)
