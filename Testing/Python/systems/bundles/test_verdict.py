"""The verdict: what a card says a model is worth for new patients, level by level, and in which words."""

import subprocess
import sys

import pytest

from PulsarCAMLib.core.task import GIVEN, LabelRule, Task, TaskClass
from PulsarCAMLib.systems.bundles.bundle import find_card
from PulsarCAMLib.systems.bundles.verdict import (
    BETTER,
    CHANCE,
    CONTROL,
    TOO_FEW,
    UNKNOWN,
    evidence_of_entry,
    verdict_of,
)
from PulsarCAMLib.systems.registry import DEFAULT, system_of

TASK = system_of().task
THREE = Task(
    "three", "Three", tuple(TaskClass(n, n, n, "#000000") for n in "abc"), "a", "a", label=LabelRule(GIVEN)
)  # fmt: skip


def entry(auc=0.78, low=0.66, high=0.89, apart=(0.2, 0.1, 0.3), controls=5, patients=60, **more):
    control = None if apart is None else auc - apart[0]
    compared = dict(zip(("difference", "low", "high"), apart or (None,) * 3, strict=True))
    own = {"auc": auc, "low": low, "high": high, "differs": not low <= 0.5 <= high}
    return {
        "protocol": "patients", "model": "cam", "patients": patients, "by_split": own, "pooled_auc": None,
        "controls": controls, "control_auc": {"mean": control}, "against_control": compared, **more,
    }  # fmt: skip


def said(found, synthetic=False, controls=None, task=TASK, system=DEFAULT, **more):
    fields = {"synthetic": synthetic, "protocols": {"table": [found] if found else []}, "performance": more}
    if controls is not None:
        more["input_controls"] = controls
    return verdict_of(fields, task, system)


def input_control(name, auc=0.9, low=-0.05, difference=0.0):
    own = {"interval": [auc - 0.1, auc + 0.1], "lesions": 100, "patients": 60}
    return {"name": name, "auc": auc, "difference": difference, "difference_interval": [low, low + 0.2], **own}


def test_plain_words():
    found = said(entry())
    assert found.level == BETTER
    assert not found.warns
    assert found.sentence == "For new patients the network is better than guessing, AUC 0.78 (0.66 to 0.89)."
    assert "95 % interval 0.660 to 0.890" in found.reasons[0]
    assert "five controls" in found.reasons[0]


def test_three_controls_that_decide_nothing_are_too_few():
    found = said(entry(apart=(0.2, -0.1, 0.5), controls=3))
    assert found.level == TOO_FEW
    assert found.warns
    assert found.sentence.endswith("AUC 0.78 (0.66 to 0.89); three controls are too few to be sure.")
    assert said(entry(apart=(0.2, -0.1, 0.5), controls=5)).level == CONTROL, "five are enough to count against it"
    assert said(entry(apart=(0.2, 0.1, 0.5), controls=3)).level == BETTER, "three that decide are enough"
    assert "without a control" in said(entry(apart=None, controls=0)).sentence


@pytest.mark.parametrize(("auc", "low", "high", "words"), [
    (0.33, 0.12, 0.55, "not better than guessing, AUC 0.33 (0.12 to 0.55)"),
    (0.56, 0.45, 0.67, "not better than guessing"), (0.2, 0.1, 0.3, "worse than guessing"),
])  # fmt: skip
def test_not_better_than_chance(auc, low, high, words):
    found = said(entry(auc, low, high))
    assert found.level == CHANCE
    assert words in found.sentence


def test_not_better_than_permuted_labels():
    found = said(entry(apart=(-0.02, -0.3, 0.3), controls=2))
    assert found.level == CONTROL
    assert (
        "not better than one that learnt from permuted labels, AUC 0.78 (0.66 to 0.89) against 0.80" in found.sentence
    )


def test_twelve_patients_are_too_few():
    found = said(entry(patients=12))
    assert found.level == TOO_FEW
    assert "twelve patients are too few to be sure" in found.sentence


@pytest.mark.parametrize("name", ["mask only", "mask-only", "volume only", "volume_only"])
def test_a_control_of_inputs_that_does_as_well(name):
    found = said(entry(), controls=[input_control("mean intensity only"), input_control(name)])
    assert found.level == CONTROL
    assert f"not better than the {name[:4]}" in found.sentence
    assert "maps then need not show anything" in found.sentence
    assert said(entry(), controls=[input_control(name, low=0.01)]).level == BETTER
    assert said(entry(), controls=[input_control("mean intensity only")]).level == BETTER


def test_synthetic_is_still_said():
    for found in (said(entry(), True), said(None, True), said(entry(0.5, 0.4, 0.6), True)):
        assert found.sentence.startswith("SYNTHETIC model, not for patients: ")
    assert "SYNTHETIC" not in said(entry()).sentence


def test_patients_set_aside_where_there_is_no_protocol():
    part = {"auc": 0.8, "low": 0.6, "high": 0.95, "differs_from_chance": True, "patients": 40}
    found = said(None, validation=part)
    assert found.level == TOO_FEW
    assert "without a control that learnt from permuted labels" in found.sentence
    assert said(None, validation=part | {"differs_from_chance": False, "low": 0.4}).level == CHANCE
    assert said(entry(0.4, 0.3, 0.5), validation=part).level == CHANCE, "the protocol's figure goes before"


@pytest.mark.parametrize(("performance", "protocols"), [
    ({}, {}), ({"validation": {"text": "AUC 0.9"}}, {"table": [{"protocol": "patients", "model": "cam"}]}),
    ({"validation": 3, "input_controls": "x"}, {"table": 7}),
    ({}, {"table": [entry() | {"protocol": "paper"}]}), ({}, {"table": [entry() | {"model": "radiomics"}]}),
])  # fmt: skip
def test_what_is_not_measured_or_not_readable_is_unknown(performance, protocols):
    found = verdict_of({"synthetic": False, "performance": performance, "protocols": protocols}, TASK, DEFAULT)
    assert found.level == UNKNOWN
    assert found.warns
    assert "not known" in found.sentence


def test_several_classes_are_judged_by_balanced_accuracy():
    judged = {"chance": 1 / 3, "value": 0.4, "low": 0.35, "high": 0.45, "differs": True, "control": 0.41,
              "against_control": {"difference": -0.01, "low": -0.1, "high": 0.1}}  # fmt: skip
    found = said(entry(0.9, 0.8, 0.95, model="three", judged=judged), task=THREE, system="three")
    assert found.level == CONTROL
    assert "balanced accuracy 0.40 (0.35 to 0.45) against 0.41" in found.sentence
    judged |= {"against_control": {"difference": 0.1, "low": 0.05, "high": 0.15}, "control": 0.3}
    assert said(entry(model="three", judged=judged), task=THREE, system="three").level == BETTER


def test_leave_one_out_is_judged_by_its_pool():
    pooled = {"value": 0.7, "low": 0.55, "high": 0.8}
    found = evidence_of_entry(
        entry(protocol="leave-one-patient-out", by_split=None, pooled_auc=pooled, by_trial_means_little=True,
              control_pooled={"auc": {"value": 0.45}}), TASK,
    )  # fmt: skip
    assert (found.value, found.control, found.differs) == (0.7, 0.45, True)


def test_the_shipped_model_needs_neither_numpy_nor_torch():
    code = (
        "import sys; from PulsarCAMLib.systems.bundles.bundle import find_card; "
        "v = find_card('synthetic-demo').verdict; "
        "assert v.level == 'better', v; assert not {'numpy', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert find_card("synthetic-demo").facts()["modelVerdict"].startswith("SYNTHETIC")
