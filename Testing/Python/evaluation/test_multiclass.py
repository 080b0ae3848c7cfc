"""Metrics of more than two classes against scikit-learn; the same bootstrap, the same rules of what is not defined."""

import numpy as np
import pytest
from sklearn import metrics as sk

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.task import PATIENT, LabelRule, Task, TaskClass
from PulsarCAMLib.evaluation import compare_models, discrimination, evaluate_predictions
from PulsarCAMLib.evaluation.card_sections import performance_section
from PulsarCAMLib.evaluation.curves import quantile_bins
from PulsarCAMLib.evaluation.metrics import across_trials, metric_title, metrics_of, shown_first
from PulsarCAMLib.evaluation.multiclass import ClassPredictions

KINDS = ("progression", "stable", "part-response")
TASK = Task(
    "kinds", "Kinds", tuple(TaskClass(n, f"{n}-like", n, "#000000") for n in KINDS), "progression", "stable",
    PATIENT, LabelRule(column="category"), ("balanced_accuracy", "f1", "auc", "sensitivity"),
)  # fmt: skip
OTHERS = ("balanced_accuracy", "f1", "accuracy", "auc")
RECALLS = ("recall_progression", "recall_stable", "recall_part_response")
PRECISIONS = ("precision_progression", "precision_stable", "precision_part_response")
CALIBRATION = "calibration_error"


def answers(seed=0, count=90, patients=30):
    """Labels, probabilities that know something of them, patients."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    raw = rng.random((count, 3)) + 0.5 * np.eye(3)[labels]
    return labels, raw / raw.sum(axis=1, keepdims=True), rng.integers(0, patients, count)


def by_sklearn(labels, probabilities, weights=None):
    called, options = probabilities.argmax(axis=1), {"sample_weight": weights}
    recalls = sk.recall_score(labels, called, average=None, **options)
    return {
        "balanced_accuracy": sk.balanced_accuracy_score(labels, called, **options),
        "f1": sk.f1_score(labels, called, average="macro", **options),
        "accuracy": sk.accuracy_score(labels, called, **options),
        "auc": sk.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro", **options),
        **dict(zip(RECALLS, recalls, strict=True)),
        **dict(zip(PRECISIONS, sk.precision_score(labels, called, average=None, **options), strict=True)),
        CALIBRATION: by_bins(labels == called, probabilities.max(axis=1), weights),
    }


def by_bins(right, sure, weights=None):
    """Share of the weight in each bin times how far the mean probability is from the share that is right."""
    weights = np.ones(len(sure)) if weights is None else weights
    bins, _ = quantile_bins(sure)
    parts = [(bins == n, weights[bins == n]) for n in np.unique(bins)]
    gaps = [w.sum() * abs(np.average(right[i], weights=w) - np.average(sure[i], weights=w)) for i, w in parts]
    return sum(gaps) / weights.sum()


def test_every_metric_is_scikit_learns():
    labels, probabilities, _ = answers()
    found = evaluate_predictions(labels, probabilities, task=TASK)
    assert metrics_of(TASK) == (*OTHERS, *RECALLS, *PRECISIONS, CALIBRATION) == tuple(found.values)
    for name, value in by_sklearn(labels, probabilities).items():
        assert found.values[name].value == pytest.approx(value, abs=1e-12), name
    assert np.array_equal(found.confusion, sk.confusion_matrix(labels, probabilities.argmax(axis=1)))
    assert found.prevalence == pytest.approx(np.mean(labels == 0))


def test_bootstrap_samples_are_scikit_learns_with_weights():
    labels, probabilities, _ = answers(1)
    weights = np.random.default_rng(2).integers(0, 3, (8, len(labels))).astype(np.float32)
    given = ClassPredictions.of(labels, probabilities, None, TASK)
    expected = [by_sklearn(labels, probabilities, row) for row in weights]
    for name in metrics_of(TASK):
        assert given.weighted(name, weights) == pytest.approx([each[name] for each in expected], abs=1e-12), name


def test_intervals_come_from_whole_patients_and_hold_the_value():
    labels, probabilities, patients = answers(3)
    found = evaluate_predictions(labels, probabilities, patients, task=TASK, resamples=400)
    assert found.patients == len(np.unique(patients))
    for name, value in found.values.items():
        if name != CALIBRATION:
            assert value.low < value.value < value.high
    assert found.values[CALIBRATION].reason.startswith("no interval")
    alone = evaluate_predictions(labels, probabilities, np.zeros(len(labels)), task=TASK, resamples=400)
    assert "at least two of them" in alone.values["auc"].reason


def test_what_is_not_defined_says_why_and_is_never_a_number():
    labels, probabilities, _ = answers(4)
    few = labels != 2
    found = evaluate_predictions(labels[few], probabilities[few], task=TASK).values
    assert found["auc"].value is None
    assert found["auc"].reason == "no patient is part-response, and all classes are needed"
    assert found["balanced_accuracy"].value is None
    assert found["recall_part_response"].reason == "no patient is part-response"
    assert found["precision_part_response"].value == 0, "some are predicted so"
    assert found["f1"].value is not None, "some are predicted so"
    never = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]])
    assert evaluate_predictions([0, 1], never, task=TASK).values["f1"].reason.endswith("part-response or predicted so")
    told = evaluate_predictions([0, 1], never, task=TASK).values["precision_part_response"]
    assert told.reason == "no patient is predicted part-response"
    nobody = evaluate_predictions([], np.zeros((0, 3)), task=TASK)
    assert {value.reason for value in nobody.values.values()} == {"there is no patient"}
    assert across_trials([nobody], metrics_of(TASK))["auc"].reason == "there is no patient"


@pytest.mark.parametrize(
    ("labels", "probabilities", "says"),
    [
        ([0, 1], [[0.5, 0.5, 0.0]], "3 probabilities for every patient"),
        ([0, 3], [[0.5, 0.5, 0.0]] * 2, r"2 \(part-response\); leave out patients without a known category"),
        ([0, 1], [[0.9, 0.5, 0.0]] * 2, "sum to 1"),
        ([0, 1], [[np.nan, 0.5, 0.5]] * 2, "none may be missing"),
    ],
)
def test_answers_that_are_none_are_refused(labels, probabilities, says):
    with pytest.raises(InputError, match=says):
        evaluate_predictions(labels, probabilities, task=TASK)


def test_discrimination_is_the_macro_auc_and_noise_is_not_told_from_chance():
    labels, probabilities, patients = answers(5)
    found = discrimination(labels, probabilities, patients, task=TASK, resamples=300)
    assert found.auc == pytest.approx(by_sklearn(labels, probabilities)["auc"])
    assert found.differs_from_chance
    assert found.sentence(TASK).startswith("Macro AUC")
    assert f"{found.responses} progression-like" in found.sentence(TASK)
    rng = np.random.default_rng(6)
    noise = rng.dirichlet((1, 1, 1), len(labels))
    assert not discrimination(labels, noise, patients, task=TASK, resamples=300).differs_from_chance
    with pytest.raises(InputError, match="progression-like and stable-like and part-response-like patients"):
        discrimination(labels % 2, probabilities, patients, task=TASK)


def test_two_models_are_compared_on_the_same_samples():
    labels, probabilities, patients = answers(7)
    found = compare_models(labels, probabilities, probabilities, patients, metric="f1", task=TASK, resamples=100)
    assert (found.difference.value, found.p_value) == (0.0, 1.0)
    uniform = np.full_like(probabilities, 1 / 3)
    better = compare_models(labels, probabilities, uniform, patients, task=TASK, resamples=200)
    assert better.difference.value > 0
    assert better.differs
    with pytest.raises(InputError, match="recall_stable"):
        compare_models(labels, probabilities, uniform, patients, metric="brier", task=TASK)


def test_words_and_the_section_of_a_card_come_from_the_task():
    assert shown_first(TASK) == ("balanced_accuracy", "f1", "auc")
    assert metric_title("recall_part_response", TASK) == "recall of part-response"
    assert metric_title("auc", TASK) == "macro AUC"
    labels, probabilities, patients = answers(8)
    section = performance_section(labels, probabilities, patients, task=TASK, resamples=50)
    assert section["classes"] == list(KINDS)
    assert sum(map(sum, section["confusion"])) == len(labels)
    assert set(section["metrics"]) == set(metrics_of(TASK))


def test_a_binary_task_of_other_words_gives_the_same_numbers():
    two = Task("two", "Two", tuple(TaskClass(n, f"{n}-like", n, "#000000") for n in ("bad", "good")), "bad", "bad")
    labels, probabilities, patients = answers(9)
    labels, p = (labels > 0).astype(int), probabilities[:, 0]
    mine = evaluate_predictions(labels, p, patients, task=two, resamples=50)
    ours = evaluate_predictions(1 - labels, p, patients, resamples=50)
    assert mine.values == ours.values
    assert mine.positive == "bad"
    assert discrimination(labels, p, patients, task=two, resamples=50).responses == int((labels == 0).sum())
