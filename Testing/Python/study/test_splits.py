"""Protocols: who is learnt from and who is asked."""

import numpy as np
import pytest
from making_trials import COUNTS, some_lesions

from PulsarCAMLib.cohort.study_lesions import StudyLesions
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.vocabulary import PROTOCOLS
from PulsarCAMLib.study.splits import permuted, protocol_splits

FIRST_TESTED = {"lesions": [1, 4, 7, 9, 14, 21], "patients": [3, 4, 8, 10, 21, 22]}


def splits_of(protocol, lesions=None, **counts):
    return list(protocol_splits(lesions or some_lesions(), protocol, **{**COUNTS, **counts}))


@pytest.mark.parametrize("protocol", ["lesions", "patients"])
def test_every_division_tests_every_lesion_once_and_50_trials_ten_times(protocol):
    lesions = some_lesions()
    trials = [split for split in splits_of(protocol, lesions, trials=50) if not split.control]
    tested = [split.asked[0][1] for split in trials]
    for first in range(0, 50, 5):
        assert np.array_equal(np.sort(np.concatenate(tested[first : first + 5])), np.arange(len(lesions)))
    assert len({tuple(part) for part in tested}) > 30, "divisions are drawn anew"


@pytest.mark.parametrize("protocol", ["lesions", "patients", "leave-one-patient-out"])
def test_a_tested_lesion_is_never_learnt_from(protocol):
    for split in splits_of(protocol):
        assert not set(split.train) & set(split.asked[0][1])
        assert len(split.train) + len(split.asked[0][1]) == len(some_lesions())


@pytest.mark.parametrize("protocol", ["patients", "leave-one-patient-out"])
def test_no_patient_is_on_both_sides_not_in_controls_either(protocol):
    lesions = some_lesions()
    for split in splits_of(protocol, lesions):
        asked = np.concatenate([part for _, part in split.asked])
        assert not set(lesions.patients[split.train]) & set(lesions.patients[asked])


def test_by_lesion_patients_are_on_both_sides():
    lesions = some_lesions()
    shared = [
        set(lesions.patients[split.train]) & set(lesions.patients[split.asked[0][1]])
        for split in splits_of("lesions", lesions)
    ]
    assert all(shared), "that is what makes it flatter"


def test_the_papers_protocol_tests_the_second_mri_of_the_lesions_it_learnt_from():
    lesions = some_lesions()
    for split in splits_of("paper", lesions):
        assert np.array_equal(split.train, np.arange(len(lesions)))
        ((point, asked),) = split.asked
        assert point == "second"
        assert np.array_equal(asked, np.arange(len(lesions) - 1)), "the last lesion has no second MRI"


def test_every_patient_is_left_out_once():
    lesions = some_lesions()
    trials = [split for split in splits_of("leave-one-patient-out", lesions) if not split.control]
    assert [set(lesions.patients[split.asked[0][1]]) for split in trials] == [{n} for n in range(1, 16)]
    assert len(splits_of("leave-one-patient-out", controls=0)) == 15, "no control unless it is asked for"


def test_controls_deal_the_labels_out_anew_and_each_in_its_own_way():
    lesions = some_lesions()
    for protocol in PROTOCOLS:
        splits = splits_of(protocol, lesions)
        controls = [split for split in splits if split.control]
        assert len(controls) == (15 if protocol == "leave-one-patient-out" else 3)
        assert all(split.labels.sum() == lesions.labels.sum() for split in controls)
        assert len({tuple(split.labels) for split in (*controls, splits[0])}) == 1 + len(controls)
        assert all(np.array_equal(s.labels, lesions.labels) for s in splits if not s.control)


def test_permuting_breaks_any_relation():
    labels = np.arange(2000) % 2
    agreement = [np.mean(permuted(labels, 0, number) == labels) for number in range(20)]
    assert np.mean(agreement) == pytest.approx(0.5, abs=0.01)


def test_asking_for_more_trials_leaves_the_first_ones_as_they_are():
    for protocol in PROTOCOLS:
        few, many = splits_of(protocol, controls=0), splits_of(protocol, controls=0, trials=20)
        for one, other in zip(few, many, strict=False):
            assert one.seed == other.seed
            assert np.array_equal(one.train, other.train)


def test_trainings_have_different_seeds():
    seeds = [split.seed for protocol in PROTOCOLS for split in splits_of(protocol)]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(
    ("protocol", "change", "words"),
    [
        ("paper", {"second": False}, "no lesion of the cohort has one"),
        ("patients", {"patients": 4}, "4 patients"),
        ("magic", {}, "not known"),
    ],
)
def test_lesions_that_cannot_be_split_are_refused_in_one_sentence(protocol, change, words):
    with pytest.raises(InputError, match=words):
        splits_of(protocol, some_lesions(**change))


def test_one_class_cannot_be_judged():
    lesions = some_lesions()
    with pytest.raises(InputError, match="0 responding"):
        splits_of("patients", StudyLesions(lesions.patients, 0 * lesions.labels, lesions.rows))


def test_lesions_survive_their_file(tmp_path):
    lesions = some_lesions()
    (tmp_path / "lesions.csv").write_text(lesions.to_csv())
    again = StudyLesions.from_csv(tmp_path / "lesions.csv")
    assert np.array_equal(again.patients, lesions.patients)
    assert np.array_equal(again.labels, lesions.labels)
    assert all(np.array_equal(again.rows[point], lesions.rows[point]) for point in lesions.rows)
    (tmp_path / "lesions.csv").write_text("lesion,patient\n0,1\n")
    with pytest.raises(InputError, match="damaged"):
        StudyLesions.from_csv(tmp_path / "lesions.csv")


@pytest.mark.parametrize("protocol", ["lesions", "patients"])
@pytest.mark.parametrize("seed", [2**31 - 1, 2**32 - 1, 10**20])
def test_the_largest_seeds_divide_too(protocol, seed):
    tested = [split.asked[0][1] for split in splits_of(protocol, trials=5, controls=0, seed=seed)]
    assert np.array_equal(np.sort(np.concatenate(tested)), np.arange(len(some_lesions())))


def test_ordinary_seeds_divide_as_ever():
    """Written down before large seeds were allowed."""
    first = {p: splits_of(p, trials=1, controls=0, seed=7)[0].asked[0][1].tolist() for p in ("lesions", "patients")}
    assert first == FIRST_TESTED
