"""A study in figures and words: Table 1 of every model under every protocol beside its control, as JSON values.

No network is trained; everything comes from the trials' records, volume changes from the networks that trials keep.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from ...cohort.study_lesions import StudyLesions
from ...core.errors import InputError
from ...core.task import SHRINKAGE, Task
from ...core.vocabulary import (
    BEST_EPOCH,
    FIXED,
    FLATTERING,
    LEAVE_ONE_OUT,
    PROTOCOL_TITLES,
    PROTOCOLS,
)
from ...evaluation.discrimination import discrimination
from ...evaluation.metrics import across_trials, evaluate_predictions, metric_title, metrics_of, shown_first
from ...evaluation.resampling import LEVEL
from ...systems.registry import DEFAULT
from ..run import Study
from .ablation import ablation_of
from .model_results import Asked, ModelResults, Pooled, model_results_of, model_titles
from .narrative import sentences
from .pairs import against_control, aucs, balanced_of_classes, by_split, differences, mean_interval
from .shared_lesions import column_groups, imbalance_sentence

FORMAT, FORMAT_VERSION = "PulsarCAM study summary", 1

RESAMPLES = 2000


def summarise(study: Study, resamples: int = RESAMPLES) -> dict[str, Any]:
    """All figures of a study, finished or not.

    Metrics by trial are means and standard deviations over trials, as in the paper's Table 1; trials share lesions, so
    this spread is no error of the mean. Pooled metrics take every lesion once, with its mean probability over the
    trials that answered for it and the mean of their thresholds, and have 95 % intervals of a bootstrap over patients.

    Args:
        study: of :func:`~..run.open_study`.
        resamples: bootstrap samples.

    Returns:
        JSON values: ``table`` (one entry per protocol, model and MRI), ``columns`` (whether these are of the same
        lesions), ``shared`` (entries again where they are not, on the lesions that all models answered for),
        ``differences``, ``sentences``, and what they are about.
    """
    everything = model_results_of(study)
    groups, shared = column_groups(everything, study)
    lesions, words, task = study.lesions, model_titles(study), study.lesions.task
    positive = lesions.labels == task.index(task.positive)
    system = {} if lesions.system == DEFAULT else {"system": lesions.system}
    summary = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **system,
        "synthetic": bool(study.facts.get("synthetic")),
        "positive": task.positive,
        "shrinkage": study.settings.shrinkage if task.label.kind == SHRINKAGE else None,
        "lesions": len(lesions),
        "patients": len(np.unique(lesions.patients)),
        "responses": int(positive.sum()),
        "prevalence": float(positive.mean()),
        "second_mri": int(lesions.having("second").sum()),
        "same_patient": same_patient(lesions),
        "missing": study.missing,
        "finished": len(study.records),
        "threshold": _threshold_words(study),
        "resamples": resamples,
        "level": LEVEL,
        "metrics": {name: metric_title(name, task) for name in metrics_of(task)},
        "table_1": list(shown_first(task)),
        "models": [{"name": n, "title": title, "about": about} for n, (title, about) in words.items()],
        "protocols": [_protocol(name, study) for name in study.settings.protocols],
        "table": [_entry(results, study, resamples) for results in everything],
        "columns": groups,
        "shared": [_entry(results, study, resamples) for results in shared if results.trials],
        "imbalance": imbalance_sentence(study.settings),
        "left_out": study.facts.get("left_out"),
        "differences": differences(
            [each for each in everything if each.trials and each.model not in study.settings.controlled],
            lesions.patients,
            resamples,
        ),
    }
    if study.settings.controlled:
        from ..input_controls.figures import input_controls_of

        summary["input_controls"] = input_controls_of(summary, everything, study, resamples)
    if study.settings.subsets:
        summary["ablation"] = ablation_of(summary, study.settings, task)
    if study.settings.volume_change:
        from .volume_change import change_summary

        summary["volume_change"] = change_summary(study, resamples)
    if study.settings.shortcuts:
        from ..shortcuts.tested import shortcut_summary

        summary["shortcuts"] = shortcut_summary(study, resamples)
    return summary | {"sentences": sentences(summary)}


def _threshold_words(study: Study) -> str:
    task = study.lesions.task
    unit = task.unit
    if not task.binary:
        return f"The likeliest class of a {unit} is called, in every trial; nothing was chosen."
    if study.settings.threshold == FIXED:
        adjective = task.of(task.positive).adjective
        return f"A {unit} is called {adjective} from a probability of 0.5 on, in every trial; nothing was chosen."
    return (
        "Every trial chose its threshold on inner splits of its training patients (best balanced accuracy); pooled "
        f"decisions compare a {unit}'s mean probability with the mean threshold of the trials it was tested in."
    )


def _protocol(name: str, study: Study) -> dict[str, Any]:
    trials, controls = wanted(name, study)
    own = {"name": name, "title": PROTOCOL_TITLES[name], "about": PROTOCOLS[name], "flatters": name in FLATTERING}
    return own | {"trials_wanted": trials, "controls_wanted": controls}


def wanted(protocol: str, study: Study) -> tuple[int, int]:
    """How many trials and controls each model has under a protocol when the study is finished."""
    if protocol != LEAVE_ONE_OUT:
        return study.settings.trials_of(protocol), study.settings.controls
    patients = len(np.unique(study.lesions.patients))
    return patients, patients if study.settings.controls else 0


def _entry(results: ModelResults, study: Study, resamples: int) -> dict[str, Any]:
    patients = study.lesions.patients
    pool, task = results.pooled(patients), results.task
    positive = pool.labels == task.index(task.positive)
    trials, controls = wanted(results.protocol, study)
    controls = (
        0 if results.model in study.settings.controlled else controls
    )  # they stand beside the network, not chance
    more = {"medians": _medians(results)} if results.protocol == BEST_EPOCH else {}
    pooled = _pooled(pool, task, resamples)
    control_pooled = _pooled(results.control_pool(patients), task, resamples) if results.one_by_one else None
    if not task.binary:
        apart = against_control(results, patients, resamples, "balanced_accuracy")
        more["judged"] = balanced_of_classes(results, pooled, control_pooled, apart)
    return more | {
        "protocol": results.protocol,
        "model": results.model,
        "time_point": results.time_point,
        "flatters": results.protocol in FLATTERING,
        "by_trial_means_little": results.one_by_one,
        "trials": len(results.trials),
        "trials_wanted": trials,
        "lesions": len(pool.lesions),
        "patients": len(np.unique(pool.patients)),
        "responses": int(positive.sum()),
        "prevalence": float(positive.mean()) if len(positive) else None,
        "not_answered": _not_answered(results.trials),
        "metrics": _across(results.trials, task),
        "pooled": pooled,
        "chance": _chance(pool, task, resamples),
        "by_split": by_split(results),
        "control": {
            "trials": len(results.controls),
            "trials_wanted": controls,
            "not_answered": _not_answered(results.controls),
            "metrics": _across(results.controls, task),
            "auc_by_trial": aucs(results.controls).tolist(),
            "auc_interval": mean_interval(aucs(results.controls)),
            "pooled": control_pooled,
        },
        "against_control": against_control(results, patients, resamples),
    }


def _across(trials: list[Asked], task: Task) -> dict[str, Any]:
    found = across_trials([trial.evaluation for trial in trials], metrics_of(task))
    return {name: asdict(value) for name, value in found.items()}


def _medians(results: ModelResults) -> dict[str, Any]:
    """Median balanced accuracy over runs, as the RANO paper prints it: of the trials, and of the controls."""
    found = {}
    for name, trials in (("trials", results.trials), ("controls", results.controls)):
        values = [value for each in trials if (value := each.evaluation.values["balanced_accuracy"].value) is not None]
        found[name] = float(np.median(values)) if values else None
    return found


def _not_answered(trials: list[Asked]) -> dict[str, int]:
    """How many lesions no trial answered for although they were asked, and how many answers are missing in all."""
    empty = [np.zeros(0, dtype=int)]
    asked = np.concatenate([*empty, *(trial.lesions for trial in trials)])
    answered = np.concatenate([*empty, *(trial.lesions[trial.answered] for trial in trials)])
    return {"lesions": len(np.setdiff1d(asked, answered)), "answers": len(asked) - len(answered)}


def _pooled(pool: Pooled, task: Task, resamples: int) -> dict[str, Any] | None:
    if not len(pool.lesions):
        return None
    options = {"threshold": pool.thresholds, "resamples": resamples, "task": task}
    return evaluate_predictions(pool.labels, pool.probabilities, pool.patients, **options).as_dict()


def _chance(pool: Pooled, task: Task, resamples: int) -> dict[str, Any] | None:
    """Whether the pooled AUC can be told from 0.5; None where it is not defined."""
    try:
        found = discrimination(pool.labels, pool.probabilities, pool.patients, task=task, resamples=max(resamples, 1))
    except InputError:
        return None
    return {**asdict(found), "differs": found.differs_from_chance, "text": found.sentence(task)}


def same_patient(lesions: StudyLesions) -> dict[str, Any]:
    """How often two lesions of one patient respond alike, and how often two lesions of different patients do."""
    same = lesions.patients[:, None] == lesions.patients[None, :]
    alike = lesions.labels[:, None] == lesions.labels[None, :]
    upper = np.triu(np.ones(same.shape, dtype=bool), 1)
    own, others = same & upper, ~same & upper
    return {
        "pairs": int(own.sum()),
        "alike": float(alike[own].mean()) if own.any() else None,
        "alike_in_others": float(alike[others].mean()) if others.any() else None,
    }
