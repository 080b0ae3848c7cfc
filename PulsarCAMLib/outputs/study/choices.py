"""What the trials chose: features of feature models, settings that were tuned, thresholds."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from ...study.records import TrialRecord
from ...study.run import Study

MOST_SHOWN = 15


def model_choices(study: Study) -> list[dict[str, Any]]:
    """For every model and protocol with finished trials, as JSON values: ``features``, ``settings``, ``threshold``."""
    found = []
    for model in study.settings.models:
        for protocol in study.settings.protocols:
            records = study.of(model, protocol)
            if records:
                own = {"model": model, "protocol": protocol, "trials": len(records)}
                found.append(own | {"features": _features(records), "meaning": _meaning(records)} | _chosen(records))
    return found


def _features(records: list[TrialRecord]) -> list[dict[str, Any]]:
    """How often each feature was selected, the most frequent first, with its mean weight where it was."""
    weights: dict[str, list[float]] = {}
    for record in records:
        for each in _details(record).get("selected", ()):
            weights.setdefault(each["feature"], []).append(each["weight"])
    found = [
        {"feature": name, "times": len(values), "trials": len(records), "mean_weight": float(np.mean(values))}
        for name, values in weights.items()
    ]
    return sorted(found, key=lambda each: (-each["times"], each["feature"]))


def _meaning(records: list[TrialRecord]) -> list[str]:
    return list(dict.fromkeys(str(_details(r)["weights_are"]) for r in records if "weights_are" in _details(r)))


def _chosen(records: list[TrialRecord]) -> dict[str, Any]:
    settings = Counter(words for record in records if (words := _settings_words(_details(record))))
    thresholds = np.array([record.threshold for record in records])
    spread = float(thresholds.std(ddof=1)) if len(thresholds) > 1 else None
    return {
        "settings": [{"chosen": words, "times": times} for words, times in settings.most_common()],
        "threshold": {"mean": float(thresholds.mean()), "sd": spread, "from": records[0].threshold_from},
    }


def _settings_words(details: dict[str, Any]) -> str:
    if isinstance(details.get("tuning"), dict):
        return str(details["tuning"].get("chosen", ""))
    chosen = details.get("chosen", {})
    return ", ".join(f"{name.replace('_', ' ')} {_plain(chosen[name])}" for name in sorted(chosen))


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _details(record: TrialRecord) -> dict[str, Any]:
    return record.details or {}
