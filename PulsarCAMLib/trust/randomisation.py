"""Models with layers drawn anew: a map that stays the same does not show what the model learned (Adebayo 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..systems.contract import Predictor, System

ALL = "all layers"
MOST_NAMED = 4
"""Layers of a stage that are named one by one."""


def stages_of(layers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What is drawn anew together, by name: first the cascade, one more layer at each step from the output on.

    Then each other layer alone; the output alone is the cascade's first step.

    Examples:
        >>> list(stages_of(("head", "features")))
        ['head', 'all layers', 'features']
        >>> list(stages_of([f"net.block{n}" for n in (6, 5, 4, 3, 2, 1)]))[4]
        'block6 to block2'
    """
    every = tuple(layers)
    cascade = [every[: n + 1] for n in range(len(every))]
    return {stage_name(part, every): part for part in (*cascade, *((layer,) for layer in every[1:]))}


def stage_name(part: tuple[str, ...], every: tuple[str, ...]) -> str:
    """Such as ``"logit + norm"``, or from where to where; without what all names begin with."""
    if part == every:
        return ALL
    shared = _shared(every)
    names = ["+".join(name[len(shared) :] for name in layer.split("+")) or "network" for layer in part]
    return " + ".join(names) if len(names) <= MOST_NAMED else f"{names[0]} to {names[-1]}"


def _shared(layers: Sequence[str]) -> str:
    """Folders that the names of all modules begin with, such as ``"densenet."``."""
    names = [name.split(".")[:-1] for layer in layers for name in layer.split("+")]
    shared = takewhile(lambda parts: len(set(parts)) == 1, zip(*names, strict=False))
    return "".join(f"{parts[0]}." for parts in shared)


def randomised(system: System, predictor: Predictor, layers: Sequence[str], seed: int, draw: int = 0) -> Predictor:
    """A copy of a model with some layers drawn anew, every member on its own.

    Args:
        system: whose model it is.
        predictor: stays as it is.
        layers: names of the system's layers.
        seed, draw: the same pair gives the same weights; a layer does not depend on which others are drawn.
    """
    members = predictor.members  # type: ignore[attr-defined]
    return system.predictor(system.with_new_layers(members, layers, seed, draw))
