"""Whether the columns of Table 1 are of the same lesions, and the columns again on the lesions that they share.

A lesion whose features could not be computed is neither learnt from nor answered for by the models that need them, so
columns may differ; the late fusion answers where all of its members do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...cohort.study_lesions import NO_ROW, StudyLesions
from ...core.vocabulary import FIXED, IMBALANCE
from ..run import Study
from ..settings import StudySettings
from .model_results import Asked, ModelResults

MEANING = {
    "none": "every {} counts once",
    "weighted": "{} classes count the same",
    "balanced": "the rarer class is drawn more often",
    "resampled": "the rarer class is drawn more often",
}

MOST_ROWS = 12
"""Rows of the cohort table that a sentence lists."""


def column_groups(everything: Sequence[ModelResults], study: Study) -> tuple[list[dict[str, Any]], list[ModelResults]]:
    """Columns of each protocol and MRI held against each other, and the results again where they differ.

    Only trials that all of them have finished are compared.

    Args:
        everything: of :func:`.model_results.model_results_of`.
        study: whose.

    Returns:
        For every protocol and MRI with several models, JSON values: ``same`` (all answered for the same lesions in
        every trial), how many lesions each model answered for (``lesions``) and all of them (``shared``), the rows of
        the cohort table without an answer (``without``), and the mean number of lesions learnt from (``learnt_from``).
        And the results of those that differ, on the lesions that all models answered for in the same trial.
    """
    groups: dict[tuple[str, str], list[ModelResults]] = {}
    for results in everything:
        if results.trials:
            groups.setdefault((results.protocol, results.time_point), []).append(results)
    told, shared = [], []
    for (protocol, point), own in groups.items():
        if len(own) < 2:
            continue
        common = [
            _on_shared(own, [results.trials for results in own]),
            _on_shared(own, [results.controls for results in own]),
        ]
        there = [_answered(_finished_by_all(own, results)) for results in own]
        same = all(
            np.array_equal(a.lesions[a.answered], b.lesions)
            for results, trials in zip(own, common[0], strict=True)
            for a, b in zip(_finished_by_all(own, results), trials, strict=True)
        )
        everywhere = sorted(set.intersection(*there))
        told.append(
            {
                "protocol": protocol,
                "time_point": point,
                "same": same,
                "lesions": {results.model: len(found) for results, found in zip(own, there, strict=True)},
                "shared": len(everywhere),
                "without": {
                    results.model: _rows(study.lesions, point, set.union(*there) - found)
                    for results, found in zip(own, there, strict=True)
                },
                "learnt_from": _learnt_from(study, protocol, [results.model for results in own]),
            }
        )
        if not same:
            parts = zip(own, *common, strict=True)
            shared += [
                replace(results, trials=_some(trials), controls=_some(controls)) for results, trials, controls in parts
            ]
    return told, shared


def _finished_by_all(group: Sequence[ModelResults], results: ModelResults) -> list[Asked]:
    numbers = set.intersection(*({trial.number for trial in each.trials} for each in group))
    return [trial for trial in results.trials if trial.number in numbers]


def _answered(trials: Iterable[Asked]) -> set[int]:
    return {lesion for trial in trials for lesion in trial.lesions[trial.answered].tolist()}


def _on_shared(group: Sequence[ModelResults], trials: list[list[Asked]]) -> list[list[Asked]]:
    """For each results its trials that all have finished, on the lesions that all answered for in the same trial."""
    numbered = [{trial.number: trial for trial in own} for own in trials]
    numbers = [n for n in numbered[0] if all(n in own for own in numbered)]
    found: list[list[Asked]] = [[] for _ in group]
    for number in numbers:
        same = [own[number] for own in numbered]
        lesions = set.intersection(*(set(trial.lesions[trial.answered].tolist()) for trial in same))
        for own, trial in zip(found, same, strict=True):
            at = np.isin(trial.lesions, sorted(lesions))
            kept = {name: getattr(trial, name)[at] for name in ("lesions", "labels", "probabilities")}
            own.append(replace(trial, **kept))
    return found


def _some(trials: list[Asked]) -> list[Asked]:
    return [trial for trial in trials if len(trial.lesions)]


def _rows(lesions: StudyLesions, point: str, which: set[int]) -> list[int]:
    return [int(row) for row in lesions.rows[point][sorted(which)] if row != NO_ROW]


def _learnt_from(study: Study, protocol: str, models: Sequence[str]) -> dict[str, float]:
    """Mean number of lesions that trials learnt from; models on features tell it, for they skip those without."""
    found = {}
    for model in models:
        counts = [(r.details or {}).get("lesions", len(r.train)) for r in study.of(model, protocol)]
        if counts:
            found[model] = float(np.mean(counts))
    return found


def column_sentences(groups: list[dict[str, Any]], titles: dict[tuple[str, str], str]) -> list[str]:
    """Whether all models meet the same lesions, with the figures.

    Args:
        groups: of :func:`column_groups`.
        titles: of protocol and MRI.
    """
    if not groups:
        return []
    found = []
    same = [titles[each["protocol"], each["time_point"]] for each in groups if each["same"]]
    if same:
        where = "In each of these tables" if len(same) == len(groups) else f"In {'; '.join(same)}:"
        found.append(f"{where} all models are judged on the same lesions.")
    for each in groups:
        if not each["same"]:
            title = titles[each["protocol"], each["time_point"]]
            found.append(f"{title}: the columns are NOT of the same lesions. {_unlike(each)}")
    uneven = next((each for each in groups if len(set(each["learnt_from"].values())) > 1), None)
    if uneven:
        counts = ", ".join(f"{model} {count:.1f}" for model, count in uneven["learnt_from"].items())
        found.append(
            f"They do not learn from the same lesions: {counts} on average in a trial of "
            f"{titles[uneven['protocol'], uneven['time_point']]}."
        )
    return found


def _unlike(group: dict[str, Any]) -> str:
    counts = ", ".join(f"{model} {count}" for model, count in group["lesions"].items())
    without = "; ".join(f"{model} gave none for {_listed(rows)}" for model, rows in group["without"].items() if rows)
    reason = f" ({without})" if without else " (in single trials)"
    return (
        f"Lesions answered for: {counts}{reason}. A lesion whose features could not be computed is neither learnt from "
        f"nor answered for by the models that need them. On the {group['shared']} lesions that all answered for, the "
        "columns are shown once more."
    )


def _listed(rows: list[int]) -> str:
    more = f" and {len(rows) - MOST_ROWS} more" if len(rows) > MOST_ROWS else ""
    return f"row{'s' * (len(rows) > 1)} {', '.join(map(str, rows[:MOST_ROWS]))}{more}"


def _meaning(imbalance: str, settings: StudySettings) -> str:
    words = {"none": settings.task.unit, "weighted": "both" if settings.task.binary else "all"}
    return MEANING[imbalance].format(words.get(imbalance, ""))


def imbalance_sentence(settings: StudySettings) -> str:
    """How the models were told of unequal classes, and what of them compares therefore."""
    network = getattr(settings.training, "imbalance", "none") if settings.network in settings.models else None
    others = settings.features["model"]["imbalance"] if settings.feature_models else None
    if network is None and others is None:
        return "No model of this study is told of unequal classes."
    fixed = settings.threshold == FIXED
    judged = "at a probability of 0.5" if fixed else "at thresholds chosen in each trial"
    if not settings.task.binary:
        judged = "by the likeliest class"
    if network is None or others is None:
        who, chosen = ("The network is", network) if network else ("The models on features are", others)
    elif IMBALANCE[network] == others:
        who, chosen = "All models are", network
    else:
        caution = (
            ": sensitivity, specificity, accuracy, precision and F1 of the two kinds do not compare where classes are "
            "unequal, the AUC does; --imbalance sets both"
        )
        mine, theirs = _meaning(network, settings), _meaning(others, settings)
        return (
            f"The network is trained with imbalance “{network}” ({mine}), the models on features with "
            f"“{others}” ({theirs}), and all are judged {judged}{caution if fixed else ''}."
        )
    return f"{who} trained with imbalance “{chosen}” ({_meaning(chosen, settings)}) and judged {judged}."
