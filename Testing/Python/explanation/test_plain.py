"""Plain words for one answer: certain or not by the stated rule, with the range that it was judged by."""

from types import SimpleNamespace

import numpy as np
import pytest

from PulsarCAMLib.core.task import GIVEN, LabelRule, Task, TaskClass
from PulsarCAMLib.core.vocabulary import MAJORITY, MEAN
from PulsarCAMLib.explanation.plain import UNCERTAIN, plain_answer
from PulsarCAMLib.explanation.sets import with_sets
from PulsarCAMLib.systems.bundles.conformal import Conformal, ConformalAnswer
from PulsarCAMLib.systems.registry import system_of

TASK = system_of().task
THREE = Task("three", "Three", tuple(TaskClass(n, n, n, "#000000") for n in "abc"), "a", "a", label=LabelRule(GIVEN))
CARD = SimpleNamespace(decision_threshold=0.5, ensemble_rule=MEAN)


def a_unit(members, stability=None, conformal=None, task=TASK):
    """Of the members' probabilities: of response, or of every class."""
    own = np.asarray(members, float)
    if own.ndim == 1:
        own = np.stack([1 - own, own] if task.index(task.positive) == 1 else [own, 1 - own])
    called = task.names[int(own.mean(axis=1).argmax())]
    return SimpleNamespace(
        name="Lesion 2", task=task, class_probabilities=own[:, :, None], main=0, predicted_class=called,
        stability=stability, conformal=conformal,
    )  # fmt: skip


def moved(lowest, highest, kept=(True, True)):
    return SimpleNamespace(lowest=lowest, highest=highest, kept=np.array(kept))


@pytest.mark.parametrize(("unit", "said"), [
    (a_unit([0.9, 0.95]), "Lesion 2: response, p(response) 0.93 (0.90 to 0.95)"),
    (a_unit([0.27, 0.89]), "Lesion 2: uncertain, p(response) 0.58 (0.27 to 0.89)"),
    (a_unit([0.1, 0.2]), "Lesion 2: non-response, p(response) 0.15 (0.10 to 0.20)"),
    (a_unit([0.6, 0.7], moved(0.45, 0.8)), "Lesion 2: uncertain, p(response) 0.65 (0.45 to 0.80)"),
    (a_unit([0.6, 0.7], moved(0.55, 0.8)), "Lesion 2: response, p(response) 0.65 (0.55 to 0.80)"),
    (a_unit([0.9]), "Lesion 2: response, p(response) 0.90"),
    (a_unit([0.5, 0.6]), "Lesion 2: response, p(response) 0.55 (0.50 to 0.60)"),
    (a_unit([[0.6, 0.5], [0.3, 0.4], [0.1, 0.1]], task=THREE), "Lesion 2: a, p(a) 0.55 (0.50 to 0.60)"),
    (a_unit([[0.9, 0.4], [0.05, 0.5], [0.05, 0.1]], task=THREE), "Lesion 2: uncertain, p(a) 0.65 (0.40 to 0.90)"),
])  # fmt: skip
def test_words(unit, said):
    assert plain_answer(unit, CARD).sentence == said


def test_what_cannot_be_told_is_uncertain():
    for classes, answer in ((TASK.names, UNCERTAIN), ((), UNCERTAIN), (("response",), "response")):
        assert plain_answer(a_unit([0.9, 0.95], conformal=ConformalAnswer(classes, 0.1, TASK)), CARD).answer == answer
    changed = a_unit([0.9, 0.95], moved(0.6, 0.97, (True, False)))
    assert plain_answer(changed, CARD).answer == UNCERTAIN


def test_votes_are_judged_by_their_majority():
    card = SimpleNamespace(decision_threshold=0.3, ensemble_rule=MAJORITY)
    assert plain_answer(a_unit([1.0, 1.0]), card).answer == "response"
    assert plain_answer(a_unit([1.0, 0.0, 1.0]), card).answer == UNCERTAIN


def test_sets_are_of_probabilities_without_temperature_and_need_a_calibrated_model():
    from dataclasses import dataclass

    @dataclass
    class Unit:
        logits: np.ndarray
        main: int = 0
        conformal: object = None

    own = {"name": "m", "system": SimpleNamespace(task=TASK), "temperature": 9.0}
    card = SimpleNamespace(**own, conformal=Conformal((0.3,) * 9), fields={"conformal": {"error_rate": 0.1}})
    (found,), refused = with_sets([Unit(np.full((2, 1), np.log(0.8 / 0.2)))], card)
    assert (found.conformal.words, refused) == ("response", [])
    (found,), refused = with_sets([Unit(np.zeros((2, 1)))], card, 0.05)
    assert found.conformal is None
    assert "at least 19 validation patients, and the model has 9" in refused[0]
    none = SimpleNamespace(**own, conformal=None)
    assert "was not calibrated" in with_sets([], none, 0.1)[1][0]
