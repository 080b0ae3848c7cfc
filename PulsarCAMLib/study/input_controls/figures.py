"""Controls of inputs in figures: each beside the network, with the paired difference on the same splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.input_control import VOLUME
from ...core.vocabulary import BASELINE, LEAVE_ONE_OUT
from ...systems.registry import system_of
from ..figures.entries import judged
from ..figures.model_results import ModelResults
from ..figures.pairs import differences
from ..run import Study
from .unit_volumes import VOLUMES
from .words import PIXELS, verdicts


def input_controls_of(
    summary: dict[str, Any], everything: Sequence[ModelResults], study: Study, resamples: int
) -> dict[str, Any] | None:
    """JSON values: ``protocol``, ``rows`` (the network first) and ``sentences``; None where no control is finished.

    AUC and difference are means over splits with the interval for repeated splits; of leave-one-patient-out, those of
    the pool with a bootstrap over patients. Differences are the network minus the control.

    Args:
        summary: with ``table``.
        everything: answers by protocol, model and MRI.
        study: whose.
        resamples: bootstrap samples.
    """
    settings, system = study.settings, system_of(study.settings.system)
    for protocol in settings.control_protocols:
        found = {each.model: each for each in everything if (each.protocol, each.time_point) == (protocol, BASELINE)}
        network = found.get(settings.network)
        if network is None or not network.trials:
            continue
        entries = {
            entry["model"]: entry
            for entry in summary["table"]
            if (entry["protocol"], entry["time_point"]) == (protocol, BASELINE)
        }
        rows = [_row(entries[settings.network], "network", system.title, None)]
        for model, name in settings.controlled.items():
            control = found.get(model)
            if control is None or not control.trials:
                continue
            (pair,) = differences([network, control], study.lesions.patients, resamples)
            known = system.input_control(name)
            assert known is not None  # the settings have none that the system lacks
            rows.append(_row(entries[model], name, known.title, _difference(pair)))
        if len(rows) > 1:
            counted = volumes_are_pixels(study, [row["name"] for row in rows[1:]])
            own = {"note": PIXELS} if counted else {}
            return {"protocol": protocol, "rows": rows, "sentences": verdicts(rows, system), **own}
    return None


def volumes_are_pixels(study: Study, names: Sequence[str]) -> bool:
    """Whether one of these controls answers by volume, and the study was begun before volumes were kept."""
    known = map(system_of(study.settings.system).input_control, names)
    by_volume = any(each is not None and each.column == VOLUME for each in known)
    return by_volume and not (study.folder / VOLUMES).is_file()


def _row(entry: dict[str, Any], name: str, title: str, difference: dict[str, Any] | None) -> dict[str, Any]:
    decisive = judged(entry) or {"auc": None, "low": None, "high": None, "differs": None}
    auc = entry["metrics"]["auc"]["mean"] if decisive["auc"] is None else decisive["auc"]
    return {
        "name": name,
        "title": title,
        "auc": auc,
        "low": decisive["low"],
        "high": decisive["high"],
        "differs_from_chance": bool(decisive["differs"]) and bool(auc is not None and auc > 0.5),
        "difference": difference,
        "lesions": entry["lesions"],
        "patients": entry["patients"],
        "trials": entry["trials"],
    }


def _difference(pair: dict[str, Any]) -> dict[str, Any]:
    """Of the mean over splits, or of the pool where a trial holds one patient or there is one trial only."""
    split = pair["metrics"]["auc"]
    if pair["protocol"] != LEAVE_ONE_OUT and split["low"] is not None and np.isfinite(split["low"]):
        return {"value": split["mean"], "low": split["low"], "high": split["high"], "of": "splits"}
    pooled = pair["pooled_auc"]["difference"]
    return {"value": pooled["value"], "low": pooled["low"], "high": pooled["high"], "of": "pool"}
