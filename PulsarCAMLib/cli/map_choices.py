"""Options of map methods that have settings of their own, made of these settings' fields."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError
from ..core.settings import option_of
from ..systems.registry import all_methods
from .setting_options import add_settings, settings_from

if TYPE_CHECKING:
    from ..core.map_method import MapMethod
    from ..systems.card import ModelCard


def add_choices(parser: argparse.ArgumentParser) -> None:
    """One group of options for every method that has some."""
    for method in _methods():
        title = f"{method.title.lower()} (--method {method.name}), for models of whole volumes"
        add_settings(parser.add_argument_group(title), method.choices, method.name)


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
    for method in _methods():
        if not _typed(options, method):
            continue
        if method.name not in methods:
            raise InputError(
                f"Settings of the method {method.name} are given, and no such map is asked for; add --method "
                f"{method.name}, or leave them out."
            )
        own = card.system.method(method.name)
        found[method.name] = settings_from(own.choices, options, **own.given(card.system, card.preprocessing))
    return found


def _methods() -> list[MapMethod]:
    return [method for method in all_methods() if method.choices is not None]


def _typed(options: argparse.Namespace, method: MapMethod) -> bool:
    """Whether an option is not as usual."""
    usual = argparse.ArgumentParser()
    add_settings(usual, method.choices, method.name)
    own = vars(usual.parse_args([]))
    dests = [option_of(each).dest for each in fields(method.choices) if option_of(each).flag]  # type: ignore[arg-type]
    return any(getattr(options, dest, own[dest]) != own[dest] for dest in dests)
