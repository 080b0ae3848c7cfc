"""Perturbations and the way back."""

import numpy as np
import pytest

from PulsarCAMLib.agreement.similarity import spearman
from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.systems.registry import system_of
from PulsarCAMLib.training.units.cohort_cases import usable_rows
from PulsarCAMLib.trust.cohort_subjects import cohort_subjects
from PulsarCAMLib.trust.perturbation import noisy, perturbations, shifted, shifts, shuffled
from PulsarCAMLib.trust.subjects import synthetic_subjects


def test_a_shift_moves_pixels_and_continues_the_edge():
    values = np.arange(9.0).reshape(3, 3)
    assert shifted(values, (1, 0)).tolist() == [[0, 1, 2], [0, 1, 2], [3, 4, 5]]
    assert shifted(values, (0, -1)).tolist() == [[1, 2, 2], [4, 5, 5], [7, 8, 8]]
    assert shifted(values > 0, (-2, 0), "constant").sum() == 3
    inner = shifted(shifted(values, (1, 1)), (-1, -1))[:2, :2]
    assert inner.tolist() == values[:2, :2].tolist()


def test_a_volume_is_moved_along_every_axis_to_both_sides_by_one_and_by_two():
    assert list(shifts(2)) == [(0, 1), (0, -1), (1, 0), (-1, 0), (0, 2), (0, -2), (2, 0), (-2, 0)]
    assert len(set(shifts(3))) == 12
    values = np.random.default_rng(0).random((2, 3, 4, 5))
    moved = shifted(values, (1, 0, -2))
    np.testing.assert_array_equal(moved[:, 1:, :, :-2], values[:, :-1, :, 2:])
    np.testing.assert_array_equal(moved[:, 0, :, 0], values[:, 0, :, 2])


def test_one_channel_may_be_shuffled_alone():
    rng = np.random.default_rng(0)
    images, masks = rng.random((1, 2, 4, 4, 4)), np.ones((1, 1, 4, 4, 4), bool)
    mixed = shuffled(images, masks, rng, 1)
    assert np.array_equal(mixed[:, 0], images[:, 0])
    assert not np.array_equal(mixed[:, 1], images[:, 1])


def test_shuffling_keeps_the_pixels_of_the_lesion_and_everything_outside():
    rng = np.random.default_rng(0)
    images = rng.random((2, 1, 16, 16)).astype(np.float32)
    masks = np.zeros(images.shape, bool)
    masks[:, :, 4:12, 4:12] = True
    mixed = shuffled(images, masks, rng)
    assert np.array_equal(mixed[~masks], images[~masks])
    assert not np.array_equal(mixed, images)
    assert np.array_equal(np.sort(mixed[masks]), np.sort(images[masks]))


def test_noise_has_the_stated_size_and_stays_in_range():
    images = np.full((1, 1, 64, 64), 0.5, np.float32)
    images[..., ::2] = 0.3
    noise = noisy(system_of(), images, 0.2, np.random.default_rng(0)) - images
    assert noise.std() == pytest.approx(0.2 * images.std(), rel=0.05)
    assert noisy(system_of(), images, 50, np.random.default_rng(0)).max() <= 1


@pytest.fixture(scope="module")
def subjects():
    return synthetic_subjects(CohortSettings(patients=2, seed=8301), system_of(), Preprocessing())


def test_what_is_seen_on_a_turned_patch_comes_back_to_where_it_was(subjects):
    for subject in subjects:
        inside = subject.mask[0]
        assert len(subject.turned) == 2
        for turned in subject.turned:
            there, here = turned.image[0], subject.image[0]
            back = turned.back(there)
            assert spearman(back[inside], here[inside]) > 0.9
            assert spearman(back[inside], here[inside]) > spearman(there[inside], here[inside]) + 0.02


def test_planted_tissue_lies_within_the_lesion_and_is_known_for_non_responders_only(subjects):
    known = [s for s in subjects if s.planted is not None]
    assert known
    for subject in subjects:
        assert (subject.planted is None) or (subject.label == 0 and not (subject.planted & ~subject.mask[0]).any())


def test_a_cohort_table_gives_the_same_lesions_with_what_was_planted(subjects, synthetic_cohort):
    path = synthetic_cohort(CohortSettings(patients=2, seed=8301))
    cohort = read_cohort(path)
    found = cohort_subjects(usable_rows(cohort, label_cohort(cohort)), path.parent, system_of(), Preprocessing())
    assert [(s.unit, s.label) for s in found] == [(s.unit, s.label) for s in subjects]
    for of_table, subject in zip(found, subjects, strict=True):
        np.testing.assert_allclose(of_table.image, subject.image, atol=2e-3)
        assert (of_table.planted is None) == (subject.planted is None)
        if subject.planted is not None:
            assert np.array_equal(of_table.planted, subject.planted)
        assert len(of_table.turned) == 2


def test_every_kind_of_perturbation_is_made(subjects):
    kinds = [p.kind for p in perturbations(system_of(), subjects, 0.1, np.random.default_rng(0))]
    assert (kinds.count("shift"), kinds.count("rotation"), kinds.count("noise")) == (8, 2, 1)
