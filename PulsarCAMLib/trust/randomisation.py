"""Models with layers drawn anew: a map that stays the same does not show what the model learned (Adebayo 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..systems.contract import Predictor, System

ALL = "all layers"


def stages_of(layers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What is drawn anew together, by name: first the cascade, one more layer at each step from the output on.

    Then each other layer alone; the output alone is the cascade's first step.

    Examples:
        >>> list(stages_of(("head", "features")))
        ['head', 'all layers', 'features']
    """
    every = tuple(layers)
    cascade = [every[: n + 1] for n in range(len(every))]
    return {stage_name(part, every): part for part in (*cascade, *((layer,) for layer in every[1:]))}


def stage_name(part: tuple[str, ...], every: tuple[str, ...]) -> str:
    """Such as ``"logit + norm"``."""
    return ALL if part == every else " + ".join(name or "network" for name in part)


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
