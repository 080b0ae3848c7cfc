"""How well the maps of one explained case find a mask, on the grid that the user sees them on, beside trivial maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...core.task import PREDICTED
from ...systems.contract import Sliced
from ..localisation import Localisation, localisation, trivial_maps
from ..maps import MapNames

if TYPE_CHECKING:
    from ...core.geometry.volume import VolumeGeometry
    from ...explanation.result import CaseResult, UnitResult
    from ...systems.contract import Samples

VOLUME, SLICE = "volume", "slice"
SPACES = (VOLUME, SLICE)
"""Maps are scored on all voxels of the unit and, where samples are slices, on those of the slice that answers."""


@dataclass(frozen=True)
class MapScores:
    """One unit: how well each map finds what is to be found.

    Attributes:
        patient: whose it is.
        maps: ``(space, map)`` to scores.
        empty: methods whose map is zero in the whole unit.
    """

    patient: str
    maps: dict[tuple[str, str], Localisation] = field(default_factory=dict)
    empty: tuple[str, ...] = ()


def scores_of_unit(
    result: CaseResult,
    unit: UnitResult,
    channels: Sequence[np.ndarray],
    truth: np.ndarray,
    names: MapNames,
    target: str,
) -> tuple[dict[tuple[str, str], Localisation], tuple[str, ...]]:
    """Scores of every map, and which methods have an empty one.

    Args:
        result: with all methods of ``names``.
        unit: of that result.
        channels: what trivial maps are made of, each ``[k, j, i]`` on the reference grid; the reference image first.
        truth: bool ``[k, j, i]`` on the reference grid, what is to be found; what lies off the unit does not count.
        names: of the maps, with one title for each of ``channels``.
        target: the class whose maps are looked at, or "predicted".
    """
    box, inside, task = unit.lesion.box, unit.lesion.mask, result.task
    wanted = unit.predicted_class if target == PREDICTED else target
    maps, empty = {}, []
    for name in names.model:
        if unit.is_signed(name):
            values = result.pasted(unit, name).values
            maps[name] = values if task.sign(wanted) > 0 else -values
            continue
        maps[name] = result.pasted(unit, name, wanted).values
        if not maps[name][inside].any():
            empty.append(name)
    scores = {}
    for space, where in _spaces(unit.samples, result.geometry, inside, box):
        trivial = trivial_maps(channels[0][box], where, result.geometry.spacing[::-1])
        trivial |= {name: each[box] for name, each in zip(names.intensities[1:], channels[1:], strict=True)}
        for name, values in {**maps, **trivial}.items():
            scores[space, name] = localisation(values, truth[box], where)
    return scores, tuple(empty)


def _spaces(
    samples: Samples, geometry: VolumeGeometry, inside: np.ndarray, box: tuple[slice, slice, slice]
) -> Iterator[tuple[str, np.ndarray]]:
    yield VOLUME, inside
    if isinstance(samples, Sliced):
        yield SLICE, inside & answering_slice(samples, geometry)[box]


def answering_slice(samples: Samples, geometry: VolumeGeometry) -> np.ndarray:
    """Voxels ``[k, j, i]`` of the image's slice whose answer is the unit's, bool; for samples that are slices."""
    k = round(float(geometry.to_ijk(samples.centres_lps()[samples.main])[2]))
    voxels = np.zeros(geometry.shape, dtype=bool)
    voxels[k] = True
    return voxels
