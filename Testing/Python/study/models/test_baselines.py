"""What a network has to beat: answers, probabilities, and which of them it does not beat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.vocabulary import BASELINES, why_unknown
from PulsarCAMLib.study.models.baselines import Baseline, not_beaten, read_numbers
from PulsarCAMLib.study.settings import StudySettings
from PulsarCAMLib.systems.registry import system_of
from PulsarCAMLib.training.study_models import TrialTask


def a_task(labels, train, asked, question=None):
    wanted = (("baseline", np.array(asked)),)
    return TrialTask(np.array(train), np.array(labels), np.arange(len(labels)), wanted, 0, Path(), question=question)


@pytest.fixture
def numbers(tmp_path):
    path = tmp_path / "numbers.csv"
    rows = [
        "class_by_rule,growth",
        *(f"{rule},{growth}" for rule, growth in zip("0123", "1234", strict=True)),
        ",",
        "3,4",
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_the_commonest_class_looks_at_nothing_but_training_labels():
    found = Baseline("majority", Path("nowhere")).fit_predict(a_task([0, 1, 1, 1, 0, 0], [0, 1, 2, 3], [4, 5]))
    assert found.probabilities[0].tolist() == [0.75, 0.75]
    task = system_of("rano").task
    found = Baseline("majority", Path("nowhere")).fit_predict(a_task([0, 3, 3, 1], [0, 1, 2], [3], task))
    assert found.probabilities[0] == pytest.approx(np.array([[1 / 3, 0, 0, 2 / 3]]))


def test_the_rule_answers_by_itself_and_with_frequencies_where_it_cannot(numbers):
    task = a_task([0, 1, 2, 3, 3, 3], [0, 1, 5], [2, 4], system_of("rano").task)
    found = Baseline("volume-rule", numbers).fit_predict(task).probabilities[0]
    assert found[0].tolist() == [0, 0, 1, 0]
    assert found[1] == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3])


def test_growth_is_learnt_and_unknown_numbers_and_classes_are_borne(numbers):
    task = a_task([0, 1, 2, 3, 3, 3], [0, 1, 3], [5, 4], system_of("rano").task)
    found = Baseline("growth", numbers).fit_predict(task).probabilities[0]
    assert found.sum(axis=1) == pytest.approx([1, 1])
    assert found[:, 2].tolist() == [0, 0]
    assert int(found[0].argmax()) == 3


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "numbers.csv").write_text("growth\n1\n", encoding="utf-8")
    with pytest.raises(InputError, match="run the study anew"):
        read_numbers(tmp_path / "numbers.csv")


def test_what_the_network_does_not_exceed_is_named_the_strongest_first():
    figures = {"rano": 0.4, "majority": 0.25, "growth": 0.4, "volume-rule": 0.5}
    assert not_beaten(list(BASELINES), figures, "rano") == ["volume-rule", "growth"]
    assert not_beaten(list(BASELINES), {"majority": 0.3}, "rano") == []


def test_names_are_known_and_sizes_are_asked_of_systems_that_have_them():
    assert not any(why_unknown(name) for name in BASELINES)
    assert StudySettings(models=("cam", "majority")).feature_models == ()
    with pytest.raises(InputError, match="volume-rule need sizes"):
        StudySettings(models=("cam", "volume-rule"))
