"""Choices inside the training lesions: nothing of the tested lesions is looked at."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from making_trials import Guesser, some_jobs, some_lesions

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.evaluation.thresholds import choose_threshold
from PulsarCAMLib.study.jobs import run_jobs
from PulsarCAMLib.study.models.nested_cv import Tuned, inner_answers
from PulsarCAMLib.training.study_models import Fitted, TrialTask


@dataclass(frozen=True)
class Reader(Guesser):
    """Reads the true answer off the lesion, more or less well, and never looks at labels it may not see."""

    noise: float = 0.0
    truth: tuple = ()

    def identity(self):
        return f"reader {self.noise}"

    def fit_predict(self, task):
        hidden = np.full(len(task.labels), np.nan)
        hidden[task.train] = task.labels[task.train]
        assert not np.isnan(hidden[task.train]).any()
        rng = np.random.default_rng(task.seed)
        truth = np.array(self.truth)
        return Fitted(
            tuple(0.2 + 0.1 * truth[at] + self.noise * rng.standard_normal(len(at)) for _, at in task.asked),
            {"saw": sorted(set(task.patients[task.train].tolist()))},
        )


def a_task(tmp_path, lesions):
    everybody = np.arange(len(lesions))
    train, test = everybody[:-6], everybody[-6:]
    return TrialTask(train, lesions.labels, lesions.patients, (("baseline", test),), 3, tmp_path)


def test_every_training_lesion_is_answered_by_a_model_that_did_not_see_its_patient(tmp_path):
    lesions, seen = some_lesions(), []

    class Spy(Guesser):
        def fit_predict(self, task):
            ((_, asked),) = task.asked
            seen.append((set(task.patients[task.train]), set(task.patients[asked]), set(asked)))
            return super().fit_predict(task)

    task = a_task(tmp_path, lesions)
    inner = inner_answers(Spy(), task, 3)
    assert np.isfinite(inner.probabilities).all()
    assert np.array_equal(inner.lesions, task.train)
    assert all(not known & asked for known, asked, _ in seen)
    assert set().union(*(asked for *_, asked in seen)) == set(task.train)


def test_the_inner_threshold_is_the_best_one_on_inner_answers(tmp_path):
    lesions = some_lesions()
    reader = Reader(truth=tuple(lesions.labels))
    records = run_jobs(some_jobs(tmp_path / "inner", reader, rule="inner", trials=5, controls=0))
    assert all(0.2 < record.threshold < 0.3 for record in records), "0.5 would call every lesion non-response"
    assert all("inner splits" in record.threshold_from for record in records)
    fixed = run_jobs(some_jobs(tmp_path / "fixed", reader, trials=5, controls=0))
    assert {record.threshold for record in fixed} == {0.5}
    expected = choose_threshold(lesions.labels, 0.2 + 0.1 * lesions.labels).value
    assert records[0].threshold == pytest.approx(expected)


def test_labels_of_tested_lesions_change_neither_threshold_nor_choice(tmp_path):
    lesions = some_lesions()
    task = a_task(tmp_path / "a", lesions)
    poisoned = lesions.labels.copy()
    poisoned[-6:] = 1 - poisoned[-6:]
    candidates = [Reader(truth=tuple(lesions.labels), noise=noise) for noise in (0.2, 0.01)]
    tuned = Tuned.among(candidates, ["much noise", "little noise"], 3)
    first = tuned.fit_predict(task)
    second = tuned.fit_predict(replace(task, labels=poisoned, folder=tmp_path / "b"))
    assert first.details == second.details
    assert np.array_equal(first.probabilities[0], second.probabilities[0])


def test_the_candidate_that_does_best_inside_is_taken_and_the_record_says_so(tmp_path):
    lesions = some_lesions()
    truth = tuple(lesions.labels)
    tuned = Tuned.among([Reader(truth=truth, noise=5.0), Reader(truth=truth)], ["noisy", "sharp"], 3)
    (record, *_) = run_jobs(some_jobs(tmp_path, tuned, rule="inner", trials=5, controls=0))
    assert record.details["tuning"]["chosen"] == "sharp"
    assert record.details["tuning"]["inner_auc"]["sharp"] == 1.0
    assert record.details["tuning"]["inner_auc"]["noisy"] < 1.0
    assert not set(record.details["saw"]) & set(lesions.patients[record.answers[0].lesions])


def test_too_few_lesions_for_inner_splits_are_refused(tmp_path):
    lesions = some_lesions()
    task = replace(a_task(tmp_path, lesions), labels=np.arange(len(lesions)) == 0)
    with pytest.raises(InputError, match="too few training lesions"):
        inner_answers(Guesser(), task, 3)
