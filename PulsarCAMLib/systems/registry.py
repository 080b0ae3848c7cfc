"""Which systems there are. Nothing heavy is imported: a system's own files import torch when they compute."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import BundleError
from ..core.map_method import MapMethod
from .contract import System

if TYPE_CHECKING:
    from .learning.learner import Trained

_REGISTERED: dict[str, System] = {}
DEFAULT = "autoencoder-classifier"

NEEDED = ("name", "title", "task", "inputs", "maps", "preprocessing", "settings")
"""What every system must say of itself."""


def register(system: System) -> System:
    """Make a system known under its name; a later one of the same name takes the earlier one's place.

    Raises:
        BundleError: a slip in the system: it lacks what it is asked for.
    """
    lacking = [name for name in NEEDED if not hasattr(system, name)]
    if lacking:
        raise BundleError(
            f"The system {getattr(system, 'name', type(system).__name__)} does not say its {', '.join(lacking)}; see "
            "systems/contract.py."
        )
    _REGISTERED[system.name] = system
    return system


def unregister(name: str) -> None:
    """Forget a system."""
    _REGISTERED.pop(name, None)


def systems() -> tuple[System, ...]:
    """All systems that are known, those that come with PulsarCAM first."""
    _load_own()
    return tuple(_REGISTERED.values())


def system_of(name: str = DEFAULT) -> System:
    """The system of that name.

    Raises:
        BundleError: none is known by it.
    """
    _load_own()
    if name not in _REGISTERED:
        raise BundleError(f"There is no system {name!r}; this PulsarCAM knows {', '.join(_REGISTERED)}.")
    return _REGISTERED[name]


def system_of_settings(settings: Trained) -> System:
    """The system whose training these are settings of.

    Raises:
        BundleError: none is known by the name in their architecture.
    """
    return system_of(settings.architecture.to_card()["name"])


def settings_from_card(card: Mapping[str, Any]) -> Trained:
    """Settings of a training from their card, of whatever system.

    Raises:
        BundleError: the system is not known.
        InputError: a field is missing, unknown or not usable.
    """
    return system_of(card["architecture"]["name"]).settings.from_card(card)


def all_methods() -> Iterator[MapMethod]:
    """Every method of every system, each name once."""
    seen = set()
    for system in systems():
        for method in system.maps:
            if method.name not in seen:
                seen.add(method.name)
                yield method


def method_title(name: str) -> str:
    """Title of a method for people; the name itself where no system knows it, as in tables of another version."""
    return next((method.title for method in all_methods() if method.name == name), name)


def all_measures() -> dict[str, str]:
    """Columns of tables that say how large a unit of any system is, with their titles for people."""
    return {column: title for system in systems() for column, title in system.measures.items()}


def map_text(name: str, target: str) -> str:
    """What a method's map of a class is, as in "evidence for response"; so, too, where no system knows the method."""
    known = (method.tells for method in all_methods() if method.name == name)
    return next(known, MapMethod.tells).format(target)


def _load_own() -> None:
    """Every folder beside this file whose ``system.py`` has a ``SYSTEM``: a new one needs no line here."""
    if DEFAULT in _REGISTERED:
        return
    others = dict(_REGISTERED)
    _REGISTERED.clear()
    here = Path(__file__).parent
    folders = sorted(path.parent.name for path in here.glob("*/system.py") if (path.parent / "__init__.py").exists())
    modules = [importlib.import_module(f".{name}.system", __package__) for name in folders]
    found = [module.SYSTEM for module in modules if hasattr(module, "SYSTEM")]
    for system in sorted(found, key=lambda system: system.name != DEFAULT):
        register(system)
    _REGISTERED.update(others)
