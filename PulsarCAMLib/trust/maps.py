"""The maps that are checked: those of the model, and trivial ones that know nothing of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..core.errors import Cure, InputError
from ..core.geometry.upsampling import upsample_to
from .answers import class_index
from .localisation import TEXTURE, TRIVIAL, trivial_maps

if TYPE_CHECKING:
    from ..systems.contract import Predictor, System

RANDOM = "random"
"""As smooth as regions are, and drawn anew whenever it is computed."""

OF_CHANNEL = "intensity of "
"""Begins the name of the intensity map of a channel besides the first; the channel's title follows."""

REGION = 4
"""Side in pixels or voxels of the regions that are removed together."""

TRIVIAL_TITLES = {
    "intensity": "image intensity",
    "intensity reversed": "image intensity, reversed",
    TEXTURE: "local texture of the image",
    "near the centre": "nearness to the centre",
    "near the margin": "nearness to the margin",
    "uniform": "uniform (chance)",
    RANDOM: "random",
}

KEPT_BYTES = 2**28
"""Maps of all classes and members are kept for so many samples at once as take no more memory than this."""


@dataclass(frozen=True)
class MapNames:
    """Which maps are checked.

    Attributes:
        system: whose.
        model: names of its methods: maps for the class shown; a signed one with its sign turned for another class.
        channels: titles of the channels of a sample.
        choices: settings of methods that are not the usual ones.

    Raises:
        InputError: a method that the system does not have.
    """

    system: System
    model: tuple[str, ...]
    channels: tuple[str, ...] = ("image",)
    choices: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in self.model:
            self.system.method(name)
        if not self.model:
            raise InputError(f"{self.system.title} has no map that could be checked", Cure("name one", "with --method"))

    @property
    def intensities(self) -> tuple[str, ...]:
        """Maps that are a channel as it is."""
        return (TRIVIAL[0], *(OF_CHANNEL + title for title in self.channels[1:]))

    @property
    def trivial(self) -> tuple[str, ...]:
        """Maps that know nothing of the model."""
        return (*TRIVIAL, *self.intensities[1:])

    @property
    def every(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.model, *self.trivial, RANDOM)


def map_names(
    system: System,
    channels: tuple[str, ...] = ("image",),
    methods: Sequence[str] | None = None,
    choices: Mapping[str, Any] | None = None,
) -> MapNames:
    """The maps of a system that are checked; ``methods`` instead of the usual ones, with some ``choices``."""
    named = tuple(system.checked_maps if methods is None else methods)
    return MapNames(system, named, channels, {n: each for n, each in (choices or {}).items() if n in named})


def map_title(name: str) -> str:
    """A map for people, whosever it is."""
    from ..systems.registry import method_title

    return TRIVIAL_TITLES.get(name) or method_title(name)


def is_trivial(name: str) -> bool:
    """Whether a map knows nothing of the model."""
    return name in TRIVIAL_TITLES or name.startswith(OF_CHANNEL)


def regions_of(size: Sequence[int]) -> tuple[int, ...]:
    """Regions along each axis of a sample."""
    return tuple(max(1, n // REGION) for n in size)


class Found(NamedTuple):
    """What a model says about N units: answers, and its maps for the class shown of each.

    Attributes:
        logits: ``[members, N]`` or ``[members, N, classes]``.
        members: method to ``[members, N, *cells]``.
    """

    logits: np.ndarray
    members: dict[str, np.ndarray]


class Explainer:
    """Asks models of one system for their maps.

    Attributes:
        names: of the maps.
        rng: of the random maps.
    """

    def __init__(self, names: MapNames, rng: np.random.Generator) -> None:
        self.names, self.rng = names, rng

    def found(self, predictor: Predictor, images: np.ndarray, masks: np.ndarray, shown: np.ndarray) -> Found:
        """Answers and maps.

        Args:
            predictor: the model.
            images: ``[N, channels, *size]``.
            masks: ``[N, 1, *size]``, as the network is told of the units.
            shown: int ``[N]``, the class whose map is wanted.
        """
        system = self.names.system
        bytes_each = len(predictor) * len(system.task.classes) * len(self.names.model) * images[:1, :1].nbytes
        size = max(1, KEPT_BYTES // max(1, bytes_each))
        parts = []
        for start in range(0, len(images), size):
            part = slice(start, start + size)
            own: dict[str, Any] = {"choices": self.names.choices} if self.names.choices else {}
            explained = system.explain(predictor, images[part], masks[part], self.names.model, **own)
            members = {name: self._of_class(explained.maps, name, shown[part]) for name in self.names.model}
            parts.append(Found(explained.logits, members))
        if len(parts) == 1:
            return parts[0]
        return Found(
            np.concatenate([each.logits for each in parts], axis=1),
            {name: np.concatenate([each.members[name] for each in parts], axis=1) for name in self.names.model},
        )

    def _of_class(self, maps, name: str, shown: np.ndarray) -> np.ndarray:
        """``[members, n, *cells]`` of each unit's class."""
        task = self.names.system.task
        if (name, "") in maps:
            signed = maps[name, ""]
            positive = shown == class_index(task)
            return np.where(positive.reshape(1, -1, *[1] * (signed.ndim - 2)), signed, -signed)
        chosen = np.array(maps[name, task.names[0]])
        for number, target in enumerate(task.names):
            chosen[:, shown == number] = maps[name, target][:, shown == number]
        return chosen

    def maps(self, found: Found, images: np.ndarray, masks: np.ndarray) -> dict[str, np.ndarray]:
        """Every map of N units ``[N, *size]``, the model's as the mean over its members."""
        size = images.shape[2:]
        maps = {name: upsample_to(values.mean(axis=0), size) for name, values in found.members.items()}
        trivial = [self._trivial(image, mask[0]) for image, mask in zip(images, masks, strict=True)]
        maps |= {name: np.stack([each[name] for each in trivial]) for name in self.names.trivial}
        return maps | {RANDOM: self.random(len(images), size)}

    def random(self, count: int, size: tuple[int, ...]) -> np.ndarray:
        """Maps drawn anew ``[count, *size]``."""
        return upsample_to(self.rng.random((count, *regions_of(size))), size)

    def _trivial(self, image: np.ndarray, inside: np.ndarray) -> dict[str, np.ndarray]:
        maps = trivial_maps(image[0], inside, (1.0,) * inside.ndim)
        further = zip(self.names.intensities[1:], image[1:], strict=True)
        return maps | {name: channel.astype(np.float64) for name, channel in further}
