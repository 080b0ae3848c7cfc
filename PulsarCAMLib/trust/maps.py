"""The maps that are checked: those of the model, and trivial ones that know nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..core.upsampling import upsample
from ..systems.registry import system_of
from .localisation import TRIVIAL, trivial_maps

if TYPE_CHECKING:
    from ..systems.contract import Predictor

SYSTEM = system_of()
"""The checks need two classes and samples in a plane; this is the system that has them."""

METHODS = SYSTEM.usual_maps
SIGNED = next(method.name for method in SYSTEM.maps if method.signed)
OTHER, POSITIVE = sorted(SYSTEM.task.names, key=SYSTEM.task.positive.__eq__)
TITLES = {method.name: method.title for method in SYSTEM.maps}

MODEL_MAPS = (*METHODS, SIGNED)
"""Maps for the predicted class; the signed one with its sign turned where that is not the positive one."""

RANDOM = "random"
"""As smooth as the model's maps, and drawn anew whenever it is computed."""

KNOW_NOTHING = (*TRIVIAL, RANDOM)
MAPS = (*MODEL_MAPS, *KNOW_NOTHING)


class Mapped(NamedTuple):
    """What a model says about N lesions.

    Attributes:
        logits: ``[members, N]``, of the positive class.
        maps: name in :data:`MAPS` to ``[N, s, s]``, the mean over the members.
        members: name in :data:`MODEL_MAPS` to ``[members, N, c, c]``, every member's own.
    """

    logits: np.ndarray
    maps: dict[str, np.ndarray]
    members: dict[str, np.ndarray]


def mapped(
    ensemble: Predictor, images: np.ndarray, masks: np.ndarray, responds: np.ndarray, rng: np.random.Generator
) -> Mapped:
    """Every map of N lesions.

    Args:
        ensemble: the model.
        images: ``[N, 1, s, s]``, 0 to 1.
        masks: bool ``[N, 1, s, s]``.
        responds: bool ``[N]``, whether the map shown is that of the positive class or that of the other.
        rng: of the random map.
    """
    found = SYSTEM.explain(ensemble, images, masks, METHODS)
    signed = found.maps[SIGNED, ""]
    chosen = responds[None, :, None, None]
    members = {m: np.where(chosen, found.maps[m, POSITIVE], found.maps[m, OTHER]) for m in METHODS}
    members[SIGNED] = np.where(chosen, signed, -signed)
    size = images.shape[-1]
    maps = {name: upsample(values.mean(axis=0), size) for name, values in members.items()}
    trivial = [trivial_maps(i[0], m[0], (1.0, 1.0)) for i, m in zip(images, masks, strict=True)]
    maps |= {name: np.stack([each[name] for each in trivial]) for name in TRIVIAL}
    maps[RANDOM] = upsample(rng.random((len(images), *signed.shape[2:])), size)
    return Mapped(found.logits, maps, members)
