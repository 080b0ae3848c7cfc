"""Can columns that ought to have no say be told from images, and do they tell the class? On a study's own splits.

Three questions for each column, each beside its control (the column dealt out anew among the patients): is it told from
simple numbers of the inputs, is it told from what the network of the trial has learnt, and does it tell the class all
by itself. Every unit is answered by models that learnt from other patients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from ...core.task import Task, TaskClass
from ...core.vocabulary import LEAVE_ONE_OUT
from ...evaluation.metrics import evaluate_predictions
from ..figures.entries import HONEST
from ..jobs import Progress
from ..models.learnt import kept_features, network_of, originals_of
from ..models.study_models import study_models_of
from ..splits import Split, protocol_splits
from ..study import Study
from .columns import NamedColumn, read_columns
from .probe import image_numbers, told_from

INPUTS, NETWORK, CLASS = "inputs", "network", "class"
"""What a column is told from; the last stands for the other way round: the class is told from the column."""

FIGURES = ("balanced_accuracy", "auc")


@dataclass(frozen=True, eq=False)
class Asked:
    """One question about one column.

    Attributes:
        column: which.
        kind: :data:`INPUTS`, :data:`NETWORK` or :data:`CLASS`.
        of_input: the one input that is looked at; "": all of them.
        classes: int ``[L]`` that are to be told; -1 where a unit has none.
        count: of the classes.
        numbers: of a split: ``[L, p]`` that they are told from; None where there are none.
    """

    column: NamedColumn
    kind: str
    of_input: str
    classes: np.ndarray
    count: int
    numbers: Callable[[Split], np.ndarray | None]


def protocol_of(study: Study) -> str:
    """The honest protocol on whose splits shortcuts are looked for."""
    return next(name for name in HONEST if name in study.settings.protocols)


def splits_asked(study: Study) -> list[Split]:
    """Its trials; no control, for columns are dealt out anew on these very splits."""
    settings, protocol = study.settings, protocol_of(study)
    own = {"trials": settings.trials_of(protocol), "controls": 0, "folds": settings.folds, "seed": settings.seed}
    return list(protocol_splits(study.lesions, protocol, **own))


def keep_learnt_features(
    study: Study, progress: Progress | None = None, stop: Callable[[], None] | None = None
) -> None:
    """Compute beforehand what the trials' networks have learnt to see, the only part that takes long.

    Args:
        study: whose trainings are done.
        progress: called with the share done and a text.
        stop: raises what ends the work; what is computed so far is kept.
    """
    network, samples = _network(study)
    if network is None:
        return
    splits = splits_asked(study)
    for n, split in enumerate(splits):
        if stop:
            stop()
        if progress:
            progress(n / len(splits), f"{n} of {len(splits)} networks asked what they see")
        kept_features(study.folder, len(study.lesions), network, split, samples)
    if progress:
        progress(1.0, f"{len(splits)} of {len(splits)} networks asked what they see")


def shortcut_summary(study: Study, resamples: int) -> dict[str, Any]:
    """All figures as JSON values: protocol, units, patients, and one entry a question with its control."""
    patients = study.lesions.patients
    columns = read_columns(study.folder, len(study.lesions))
    splits = splits_asked(study)
    asked = _questions(study, columns)
    entries = [entry for each in asked if (entry := _entry(study, each, splits, resamples)) is not None]
    return {
        "protocol": protocol_of(study),
        "patients": len(np.unique(patients)),
        "columns": [_about(column, patients) for column in columns],
        "table": entries,
    }


def _about(column: NamedColumn, patients: np.ndarray) -> dict[str, Any]:
    there = column.classes >= 0
    return {
        "name": column.name,
        "title": column.title,
        "classes": [
            {"name": word, "units": int((column.classes == n).sum()),
             "patients": len(np.unique(patients[column.classes == n]))}
            for n, word in enumerate(column.words)
        ],
        "left_out": int((~there).sum()),
    }  # fmt: skip


def _network(study: Study) -> tuple[Any, Callable]:
    """The study's network of all inputs, and what gives its samples once; None where no network takes part."""
    names = study.settings.networks
    if not names:
        return None, lambda: None
    wanted = study.settings.network if study.settings.network in names else names[0]
    model = next(m for m in study_models_of(study.settings, study.facts, study.folder) if m.name == wanted)
    return network_of(model), cache(partial(originals_of, model))


def _questions(study: Study, columns: list[NamedColumn]) -> list[Asked]:
    """Of every column in its turn; images are looked at once."""
    units, labels = len(study.lesions), study.lesions.labels
    network, samples = _network(study)
    shown = samples() if network is not None else None
    seen = _seen(network, shown, units) if shown is not None and len(shown) else {}
    learnt = cache(lambda split: kept_features(study.folder, units, network, split, samples))
    found = []
    for column in columns:
        own = (column.classes, len(column.words))
        found += [Asked(column, INPUTS, name, *own, lambda _, flat=flat: flat) for name, flat in seen.items()]
        found += [Asked(column, NETWORK, "", *own, learnt)] if seen else []
        one_hot = np.where(column.classes[:, None] >= 0, np.eye(len(column.words))[column.classes], np.nan)
        known = np.where(column.classes >= 0, labels, -1)
        classes = len(study.settings.task.classes)
        found.append(Asked(column, CLASS, "", known, classes, lambda _, one_hot=one_hot: one_hot))
    return found


def _seen(network: Any, shown: Any, units: int) -> dict[str, np.ndarray]:
    """Numbers ``[L, p]`` of all inputs together, under "", and of each of several."""
    numbers = image_numbers(shown.images)
    every = np.full((units, *numbers.shape[1:]), np.nan)
    every[shown.units] = numbers
    found, roles = {"": every}, network.system.channel_roles(network.settings.preprocessing)
    names = list(dict.fromkeys(name for each in roles for name in each))
    if len(names) > 1 and len(roles) == every.shape[1]:
        found |= {name: every[:, [n for n, each in enumerate(roles) if name in each]] for name in names}
    return {name: each.reshape(units, -1) for name, each in found.items()}


def _entry(study: Study, asked: Asked, splits: list[Split], resamples: int) -> dict[str, Any] | None:
    """None where no split can be asked: trainings that are not finished, or were tidied up."""
    patients = study.lesions.patients
    answers = [found for split in splits if (found := _answered(asked, split, asked.classes, None))]
    if not answers:
        return None
    units, labels, probabilities = _pooled(answers, asked)
    if len(np.unique(labels)) < 2:
        return None
    pool = _evaluated(labels, probabilities, patients[units], asked.count, resamples)
    alone, controls = protocol_of(study) == LEAVE_ONE_OUT, study.settings.controls
    wanted = len(splits) if alone and controls else controls
    dealt = [
        found
        for n in range(wanted)
        if (found := _answered(asked, splits[n % len(splits)], *_dealt(study, asked, n))) is not None
    ]
    return {
        "column": asked.column.name,
        "told_from": asked.kind,
        "input": asked.of_input,
        "classes": asked.count,
        "chance": 1 / len(np.unique(labels)),
        "units": len(units),
        "patients": len(np.unique(patients[units])),
        "trials": len(answers),
        **{name: asdict(pool.values[name]) for name in FIGURES},
        "control": _control(dealt, asked.count),
    }


def _dealt(study: Study, asked: Asked, number: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Classes to be told, and order of the rows they are told from (None: theirs), where the column is dealt out anew.

    A patient's units keep what they share: where all units of every patient have the same value, patients change
    places; else units do.
    """
    rng = np.random.default_rng([study.settings.seed, 2718, number])
    order = _dealt_out(asked.column.classes, study.lesions.patients, rng)
    if asked.kind == CLASS:
        return asked.classes, order
    return asked.classes[order], None


def _dealt_out(classes: np.ndarray, patients: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For every unit whose value it gets, int ``[L]``; only units with a value change theirs."""
    order, known = np.arange(len(classes)), np.flatnonzero(classes >= 0)
    names, first, whose = np.unique(patients[known], return_index=True, return_inverse=True)
    if (classes[known][first][whose] == classes[known]).all():
        order[known] = known[first][rng.permutation(len(names))][whose]
    else:
        order[known] = rng.permutation(known)
    return order


def _answered(asked: Asked, split: Split, classes: np.ndarray, order: np.ndarray | None) -> tuple | None:
    """Units that a split holds out, their classes and probabilities; None where there is nothing to learn or ask."""
    numbers = asked.numbers(split)
    if numbers is None:
        return None
    numbers = numbers if order is None else numbers[order]
    usable = (classes >= 0) & np.isfinite(numbers).any(axis=1)
    tested = np.unique(np.concatenate([units for _, units in split.asked]))
    train, tested = split.train[usable[split.train]], tested[usable[tested]]
    if not len(train) or not len(tested):
        return None
    return tested, classes[tested], told_from(numbers, classes, asked.count, train, tested, split.seed)


def _pooled(answers: list[tuple], asked: Asked) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every unit once, with the mean of its probabilities over the splits that held it out."""
    units, labels, probabilities = (np.concatenate(each) for each in zip(*answers, strict=True))
    names, first, where = np.unique(units, return_index=True, return_inverse=True)
    sums = np.zeros((len(names), asked.count))
    np.add.at(sums, where, probabilities)
    return names, labels[first], sums / np.bincount(where)[:, None]


def _evaluated(labels, probabilities, patients, count: int, resamples: int):
    task = _task(count)
    shown = probabilities[:, 1] if task.binary else probabilities
    return evaluate_predictions(labels, np.clip(shown, 0, 1), patients, resamples=resamples, task=task)


def _control(answers: list[tuple], count: int) -> dict[str, Any] | None:
    """Balanced accuracy of all answers of the controls, each on its own values; None where it is not defined."""
    if not answers:
        return None
    _, labels, probabilities = (np.concatenate(each) for each in zip(*answers, strict=True))
    value = _evaluated(labels, probabilities, None, count, 0).values["balanced_accuracy"].value
    return None if value is None else {"balanced_accuracy": value, "trials": len(answers)}


@cache
def _task(count: int) -> Task:
    """Of classes without names, so that the metrics of every other task serve."""
    classes = tuple(TaskClass(f"value {n + 1}", "", "", "#777777") for n in range(count))
    return Task("shortcut", "Value of a column", classes, classes[-1].name, classes[-1].name)
