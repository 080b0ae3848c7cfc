"""Asking a model again about the same units, changed a little: one batched pass for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat

import numpy as np

from ..core.case import Case
from ..core.geometry.upsampling import upsample_to
from ..core.geometry.volume import VolumeGeometry
from ..core.task import LESION
from ..lesions.perturbing import around
from ..systems.bundles.bundle import ModelBundle
from ..systems.contract import Samples, network_masks
from .probabilities import answered, predicted_class
from .result import UnitResult
from .stability import Stability


def with_stability(
    units: Sequence[UnitResult], case: Case, bundle: ModelBundle, tell: Callable[[float, str], None]
) -> list[UnitResult]:
    """The same units, each with its :class:`.stability.Stability`; the model answers for one while the next is cut.

    Args:
        units: of the case, in its order.
        case: that was explained.
        bundle: that explained it.
        tell: is told the share done and what is being done; an error that it raises ends the work.
    """
    import torch  # is there: the model has answered

    def cut() -> Iterator[_Asked]:
        system, preprocessing = bundle.card.system, bundle.card.preprocessing
        for n, unit in enumerate(units):
            tell(n / len(units), f"Looking at {unit.name} half a voxel otherwise")

            def tell_of_way(text: str, done: float = n / len(units), slow: bool = not system.tells_stability) -> None:
                if slow:  # else the unit is done before anyone could read it
                    tell(done, text)

            alone = case
            if system.task.unit == LESION:
                alone = around(case, unit.lesion, system.reach_mm(preprocessing, unit.lesion, case.geometry))
            yield _cut(unit, alone, bundle, tell_of_way)

    with ThreadPoolExecutor(1) as beside:
        run = map if torch.get_num_threads() == 1 else beside.map
        found = run(_answered, units, repeat(bundle), cut())
        return [replace(unit, stability=each) for unit, each in zip(units, found, strict=True)]


@dataclass(frozen=True, eq=False)
class _Asked:
    """What the model is asked about one unit: as it is first, then otherwise; lists of one length.

    Attributes:
        ways: names in words.
        samples: what the network takes.
        places: geometry of the reference image.
    """

    ways: list[str]
    samples: list[Samples]
    places: list[VolumeGeometry]


def stability_of(
    unit: UnitResult,
    case: Case,
    bundle: ModelBundle,
    tell: Callable[[str], None],
    changes: Iterable[tuple[str, Case]] | None = None,
) -> Stability:
    """Of one unit.

    Args:
        unit: as it is.
        case: with this unit alone.
        bundle: the model.
        tell: is told what is being done; an error that it raises ends the work.
        changes: the case in other ways, each with its name; None: the system's own.
    """
    return _answered(unit, bundle, _cut(unit, case, bundle, tell, changes))


def _cut(
    unit: UnitResult,
    case: Case,
    bundle: ModelBundle,
    tell: Callable[[str], None],
    changes: Iterable[tuple[str, Case]] | None = None,
) -> _Asked:
    """Arguments as of :func:`stability_of`."""
    system, asked = bundle.card.system, _Asked([], [], [])
    for name, changed in [("", case), *(changes or system.perturbed(case))]:
        tell(f"Looking at {unit.name}: {name or 'as it is'}")
        asked.ways.append(name)
        asked.places.append(changed.geometry)
        asked.samples.append(system.answering_samples(changed, bundle.card.preprocessing))
    return asked


def _answered(unit: UnitResult, bundle: ModelBundle, cut: _Asked) -> Stability:
    system, card = bundle.card.system, bundle.card
    images = np.concatenate([each.images[[each.main]] for each in cut.samples])
    masks = np.concatenate([network_masks(each)[[each.main]] for each in cut.samples])
    method = system.usual_maps[0]
    asked = system.explain(bundle.ensemble, images, masks, (method,))
    probabilities, threshold = answered(asked.logits, card)
    mean = probabilities.mean(axis=1)  # [C, P]
    classes = np.array([predicted_class(each, system.task, threshold) for each in mean.T])
    maps = upsample_to(asked.maps[method, system.task.explained].mean(axis=0), unit.sample_size)
    centres = np.array([_centre(*each) for each in zip(cut.samples, maps, cut.places, strict=True)])
    positive = mean[system.task.index(system.task.positive)]
    return Stability(
        ways=tuple(cut.ways[1:]),
        probability=unit.probability,
        probabilities=positive[1:],
        kept=classes[1:] == unit.predicted_class,
        moved_mm=np.linalg.norm(centres[1:] - centres[0], axis=1),
    )


def _centre(samples: Samples, values: np.ndarray, geometry: VolumeGeometry) -> np.ndarray:
    """LPS millimetres of the centre of what a map holds above zero on the answering sample; NaN if that is nothing."""
    maps = np.zeros((len(samples), *values.shape), dtype=np.float32)
    maps[samples.main] = values
    pasted = samples.paste(maps, geometry)
    weights = np.maximum(pasted.values, 0).ravel().astype(float)
    if not weights.any():
        return np.full(3, np.nan)
    kji = np.indices(pasted.values.shape).reshape(3, -1) @ weights / weights.sum() + np.array(pasted.offset)
    return geometry.to_lps(kji[::-1])
