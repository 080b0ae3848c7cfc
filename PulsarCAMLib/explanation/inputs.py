"""How much every input matters in all, beside networks that have learnt nothing (method.md 4.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.task import BOTH
from ..systems.bundles.bundle import ModelBundle
from ..systems.contract import network_masks
from .result import CaseResult, UnitResult

CONTROLS = 3
"""At most so many networks that have learnt nothing are asked, one for each member from the first."""


def with_controls(
    units: Sequence[UnitResult],
    bundle: ModelBundle,
    methods: Sequence[str],
    inputs: Mapping[str, tuple[int, ...]],
    after_chunk: Callable[[float], None],
    choices: Mapping[str, Any] | None = None,
) -> list[UnitResult]:
    """The units with their ``control_shares``; as they are where no method has maps of single inputs.

    Args:
        units: explained, in the order of their samples.
        bundle: that answered.
        methods: that were computed.
        inputs: channels of every input.
        after_chunk: is told how many samples are done, and parts of one.
        choices: settings of methods that are not the usual ones.
    """
    system = bundle.card.system
    able = [name for name in methods if system.method(name).by_input]
    members = getattr(bundle.ensemble, "members", ())
    if not able or not inputs or not members:
        return list(units)
    from ..systems.maps.control import permuted

    images = np.concatenate([unit.samples.images[unit.main : unit.main + 1] for unit in units])
    masks = np.concatenate([network_masks(unit.samples)[unit.main : unit.main + 1] for unit in units])
    control = system.predictor(permuted(members, CONTROLS))
    own: dict[str, Any] = {"choices": choices} if choices else {}
    found = system.explain(control, images, masks, able, after_chunk, inputs, **own)
    finished = []
    for n, unit in enumerate(units):
        shares = {}
        for method, target, _ in found.input_maps:
            if (method, target) not in shares:
                maps = {key: found.input_maps[key][:, n] for key in found.input_maps if key[:2] == (method, target)}
                shares[method, target] = shares_of({key[2]: each for key, each in maps.items()}, unit)
        flat = {(*key, name): each for key, named in shares.items() for name, each in named.items()}
        finished.append(replace(unit, control_shares=flat))
    return finished


def shares_of(maps: Mapping[str, np.ndarray], unit: UnitResult) -> dict[str, np.ndarray]:
    """Share of every input, ``[K]``: the sum of its absolute map over the unit's voxels, divided by that of all inputs.

    The shares of a member add up to one, or are all NaN where its maps are empty. Inputs that share a channel share its
    map, so that each gets the same.

    Args:
        maps: input to raw maps ``[K, *cells]`` at the answering sample.
        unit: whose.
    """
    from ..core.geometry.upsampling import upsample_to

    inside = unit.samples.masks[unit.main, 0]
    sums = {
        name: upsample_to(np.abs(each), unit.sample_size)[:, inside].sum(axis=1, dtype=np.float64)
        for name, each in maps.items()
    }
    total = sum(sums.values())
    with np.errstate(invalid="ignore", divide="ignore"):
        return {name: each / total for name, each in sums.items()}


def input_shares(unit: UnitResult, method: str, target: str) -> dict[str, np.ndarray]:
    """Share of every input in a unit's map of a class, ``[K]``, one for each member; empty without such maps."""
    raw = {name: unit.raw_maps(method, target, name)[:, unit.main] for name in unit.inputs_of(method)}
    return shares_of(raw, unit)


def input_table(result: CaseResult) -> list[dict]:
    """One row per unit, method with maps of single inputs, class and input: its share, and that of its control.

    Shares are means over the members, spreads their standard deviations; None where a map is empty or was not computed.
    """
    rows = []
    for unit in result.units:
        for method, target in dict.fromkeys(key[:2] for key in unit.input_maps):
            shares = input_shares(unit, method, target or result.task.positive)
            for name, share in shares.items():
                control = unit.control_shares.get((method, target, name))
                rows.append(
                    {
                        result.task.unit: unit.name,
                        "map_method": method,
                        "map_class": target or BOTH,
                        "input": name,
                        "share": _mean(share),
                        "share_spread": _spread(share),
                        "control_share": None if control is None else _mean(control),
                        "control_spread": None if control is None else _spread(control),
                    }
                )
    return rows


def _mean(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _spread(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.std()) if len(known) else None
