"""Sets of classes: what they promise by simulation, by patient, and that few patients are told so."""

import math

import numpy as np
import pytest
from scipy.special import softmax

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.task import GIVEN, PATIENT, LabelRule, Task, TaskClass
from PulsarCAMLib.evaluation.conformal import conformal_section, coverage_for_others, patient_scores
from PulsarCAMLib.systems.bundles.conformal import CANNOT_TELL, Conformal, fewest_patients
from PulsarCAMLib.systems.registry import system_of

TASK = system_of().task
THREE = Task(
    "three", "Three", tuple(TaskClass(n, n, n, "#000000") for n in "abc"), "a", "a", unit=PATIENT,
    label=LabelRule(GIVEN),
)  # fmt: skip


def a_cohort(rng, patients, classes=2, most=4):
    """Patients whose lesions share an error of the network, and a network that is far too sure."""
    whose = np.repeat(np.arange(patients), rng.integers(1, most + 1, patients))
    labels = rng.integers(0, classes, len(whose))
    seen = 1.5 * np.eye(classes)[labels] + rng.normal(size=(patients, classes))[whose]
    return labels, softmax(4 * (seen + 0.5 * rng.normal(size=seen.shape)), axis=1), whose


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("rate", [0.1, 0.2])
def test_new_patients_are_covered_as_promised(classes, rate):
    """Exactly: ceil((n + 1)(1 - a)) / (n + 1) of new patients, for scores without ties; 4 sd of the simulation."""
    rng, count, task = np.random.default_rng(7), 19, TASK if classes == 2 else THREE
    hits, patients, lesions = 0, 0, 0
    for _ in range(150):
        labels, probabilities, whose = a_cohort(rng, count, classes)
        found = Conformal(tuple(sorted(patient_scores(labels, probabilities, whose).values())))
        labels, probabilities, whose = a_cohort(rng, 10, classes)
        inside = [
            task.names[label] in found.answer(p, task, rate).classes
            for label, p in zip(labels, probabilities, strict=True)
        ]
        kept = np.array([np.all(np.array(inside)[whose == each]) for each in range(10)])
        hits, patients, lesions = hits + kept.sum(), patients + 10, lesions + np.mean(inside)
    promised = math.ceil((count + 1) * (1 - rate) - 1e-9) / (count + 1)
    assert promised >= 1 - rate
    assert hits / patients == pytest.approx(promised, abs=0.06)
    assert lesions / 150 >= 1 - rate, "single lesions are covered at least as often"


def test_scores_are_of_patients_and_not_of_lesions():
    scores = patient_scores(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]), np.array([5, 5, 6]))
    assert scores == {5: pytest.approx(0.6), 6: pytest.approx(0.2)}


@pytest.mark.parametrize(("rate", "fewest"), [(0.1, 9), (0.2, 4), (0.05, 19), (0.5, 1), (0.01, 99)])
def test_fewest_patients(rate, fewest):
    assert fewest_patients(rate) == fewest
    assert Conformal((0.5,) * fewest).limit(rate) == 0.5
    few = Conformal((0.5,) * (fewest - 1))
    assert few.limit(rate) is None
    assert few.answer(np.array([0.5, 0.5]), TASK, rate) is None
    assert str(fewest - 1) in few.refusal(rate)
    assert "not offered" in few.refusal(rate)


def test_words():
    found = Conformal(tuple(np.linspace(0.1, 0.7, 9)))
    first, second = TASK.names
    answers = {p: found.answer(np.array([p, 1 - p]), TASK).words for p in (0.9, 0.5, 0.1)}
    assert answers == {0.9: first, 0.5: CANNOT_TELL, 0.1: second}
    narrow = Conformal((0.2,) * 9)
    nothing = narrow.answer(np.array([0.5, 0.5]), TASK)
    assert (nothing.classes, nothing.words) == ((), CANNOT_TELL)
    assert narrow.answer(np.array([0.05, 0.1, 0.85]), THREE).words == "c"
    assert Conformal((0.6,) * 9).answer(np.array([0.05, 0.45, 0.5]), THREE).words == "b or c"
    for wrong in (0, 1, -0.1):
        with pytest.raises(InputError, match="error rate"):
            found.limit(wrong)


def test_what_the_card_keeps():
    labels, probabilities, whose = a_cohort(np.random.default_rng(3), 30)
    section = conformal_section(labels, probabilities, whose, TASK, also_chosen="The epoch, too")
    assert section["patients"] == len(section["scores"]) == 30
    covered = section["coverage"]["covered"]
    assert section["coverage"]["low"] < covered / 30 < section["coverage"]["high"]
    assert f"{covered} (" in section["text"]
    assert "The epoch, too" in section["about"]
    assert Conformal.from_card(section).limit() == sorted(section["scores"])[27]
    few = conformal_section(labels[whose < 8], probabilities[whose < 8], whose[whose < 8], TASK)
    assert few["coverage"] is None
    assert "at least nine validation patients, and the model has 8" in few["text"]


def test_coverage_is_of_patients_who_did_not_calibrate():
    labels, whose = np.zeros(20, int), np.arange(20)
    probabilities = np.stack([np.linspace(0.05, 1, 20), 1 - np.linspace(0.05, 1, 20)], axis=1)
    own = conformal_section(labels, probabilities, whose, TASK)["coverage"]
    assert own["covered"] == 18, "the 18th smallest of the 19 others: of the two worst each misses"


def test_coverage_for_others_counts_patients_and_not_lesions():
    both = TASK.names
    labels, patients = [0, 1, 1, 0, 1], ["a", "a", "b", "c", "c"]
    sets = [(both[0],), (both[0],), (both[1],), both, ()]
    found = coverage_for_others(labels, sets, patients, TASK)
    assert (found["covered"], found["patients"], found["units"]) == (1, 3, 5)  # a and c lose one lesion each
    assert found["single"] == 3 / 5
    assert found["low"] < 1 / 3 < found["high"]
