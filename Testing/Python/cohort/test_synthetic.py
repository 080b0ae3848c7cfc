"""Synthetic patients: reproducible, labelled by their volumes, planted where they say."""

import subprocess
import sys
from functools import lru_cache

import numpy as np
import pytest

from PulsarCAMLib.cohort.synthetic.patients import generate_cohort, generate_patient, response_from_volumes
from PulsarCAMLib.cohort.synthetic.settings import DIFFICULTIES, CohortSettings
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.phantom.anatomy import Head
from PulsarCAMLib.systems.phantom.random_fields import Grid, Waves


@lru_cache(maxsize=1)
def patients():
    return tuple(generate_cohort(CohortSettings(patients=6, seed=11, second_mri=True)))


@lru_cache(maxsize=4)
def masks_only(difficulty, count=60):
    return tuple(generate_cohort(CohortSettings(patients=count, seed=5, difficulty=difficulty), images=()))


def lesions_of(cohort):
    return [lesion for patient in cohort for lesion in patient.lesions]


def test_the_same_seed_gives_the_same_patient_and_another_seed_another():
    first = generate_patient(CohortSettings(patients=1, seed=3), 0)
    again = generate_patient(CohortSettings(patients=1, seed=3), 0)
    other = generate_patient(CohortSettings(patients=1, seed=4), 0)
    assert first.lesions == again.lesions
    for time, scan in first.scans.items():
        np.testing.assert_array_equal(scan.image, again.scans[time].image)
        np.testing.assert_array_equal(scan.planted, again.scans[time].planted)
    assert first.lesions != other.lesions


def test_patient_k_does_not_depend_on_how_many_patients_there_are():
    small, large = CohortSettings(patients=3, seed=9), CohortSettings(patients=300, seed=9)
    alone = generate_patient(large, 2, images=("baseline",))
    within = list(generate_cohort(small, images=("baseline",)))[2]
    np.testing.assert_array_equal(alone.scans["baseline"].image, within.scans["baseline"].image)
    assert alone.lesions == within.lesions


def test_leaving_images_out_changes_nothing_else():
    full, lean = patients()[0], generate_patient(CohortSettings(patients=6, seed=11, second_mri=True), 0, images=())
    assert full.lesions == lean.lesions
    assert all(scan.image is None for scan in lean.scans.values())
    for time in full.scans:
        np.testing.assert_array_equal(full.scans[time].lesions, lean.scans[time].lesions)
        np.testing.assert_array_equal(full.scans[time].confounders, lean.scans[time].confounders)


def test_the_response_is_computed_from_the_two_mask_volumes():
    for patient in patients():
        for lesion in patient.lesions:
            volumes = []
            for time in ("baseline", "followup"):
                scan = patient.scans[time]
                voxels = np.count_nonzero(scan.lesions == lesion.label)
                volumes.append(voxels * np.prod(scan.geometry.spacing) / 1000)
            assert volumes == pytest.approx([lesion.volume_cm3, lesion.followup_volume_cm3])
            assert lesion.response == int(volumes[1] < 0.8 * volumes[0])


def test_exactly_twenty_per_cent_of_shrinkage_is_not_a_response():
    assert response_from_volumes(10.0, 8.0) == 0
    assert response_from_volumes(10.0, 7.999) == 1
    assert response_from_volumes(10.0, 12.0) == 0


def test_planted_tissue_lies_inside_its_lesion_and_confounders_outside_the_planted_tissue():
    for patient in patients():
        for scan in patient.scans.values():
            planted = scan.planted > 0
            np.testing.assert_array_equal(scan.planted[planted], scan.lesions[planted])
            assert not np.any((scan.confounders > 0) & planted)
            assert not np.any((scan.confounders > 0) & (scan.lesions == 0))


def test_resistant_tissue_is_seen_in_the_slice_of_largest_area():
    shares = []
    for patient in masks_only("standard"):
        scan = patient.scans["baseline"]
        for lesion in patient.lesions:
            if lesion.resistant:
                mask = scan.mask(lesion.label)
                k = mask.sum((1, 2)).argmax()
                shares.append((scan.planted[k] == lesion.label)[mask[k]].mean())
    assert min(shares) > 0.12
    assert 0.25 < np.mean(shares) < 0.55


def test_classes_are_roughly_balanced_and_lesions_are_wide_enough_for_the_bottleneck():
    for difficulty in ("standard", "none"):
        lesions = lesions_of(masks_only(difficulty))
        assert 0.35 < np.mean([lesion.response for lesion in lesions]) < 0.65
        diameters = [(6000 * lesion.volume_cm3 / np.pi) ** (1 / 3) for lesion in lesions]
        assert min(diameters) > 13
        assert max(diameters) < 42


def test_the_outcome_follows_the_planted_tissue_at_standard_and_not_without_signal():
    agreement = {}
    for difficulty in ("standard", "none"):
        lesions = lesions_of(masks_only(difficulty))
        agreement[difficulty] = np.mean([lesion.resistant != bool(lesion.response) for lesion in lesions])
    assert agreement["standard"] > 0.9
    count = len(lesions_of(masks_only("none")))
    assert abs(agreement["none"] - 0.5) < 3 * 0.5 / np.sqrt(count)


def test_size_does_not_tell_the_outcome():
    from scipy.stats import mannwhitneyu

    cohort = generate_cohort(CohortSettings(patients=150, seed=21), images=())
    lesions = lesions_of(cohort)
    groups = [[x.volume_cm3 for x in lesions if x.response == outcome] for outcome in (0, 1)]
    assert mannwhitneyu(*groups).pvalue > 0.01


def test_mean_brightness_of_planted_tissue_is_that_of_the_rest():
    differences = []
    for patient in patients():
        scan = patient.scans["baseline"]
        for lesion in patient.lesions:
            inside = scan.mask(lesion.label) & (scan.confounders == 0)
            planted = inside & (scan.planted > 0)
            if planted.sum() > 200:
                rest = scan.image[inside & ~planted].astype(float)
                differences.append((scan.image[planted].mean() - rest.mean()) / rest.mean())
    assert abs(np.mean(differences)) < 0.08


def test_the_second_mri_shows_the_same_lesions_under_other_conditions():
    for patient in patients():
        first, second = patient.scans["baseline"], patient.scans["second"]
        assert not first.geometry.same_grid(second.geometry)
        for lesion in patient.lesions:
            ratio = second.volume_cm3(lesion.label) / first.volume_cm3(lesion.label)
            assert 0.75 < ratio < 1.25


def test_scans_differ_in_spacing_orientation_and_units():
    scans = [patient.scans["baseline"] for patient in patients()]
    assert len({scan.geometry.spacing for scan in scans}) == len(scans)
    assert any(not np.allclose(np.abs(scan.geometry.direction), np.eye(3)) for scan in scans)
    brightest = [np.percentile(scan.image, 99) for scan in scans]
    assert max(brightest) > 2 * min(brightest)


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_every_difficulty_makes_a_patient(difficulty):
    patient = generate_patient(CohortSettings(difficulty=difficulty), 0)
    assert patient.scans["baseline"].image.dtype == np.int16
    assert 1 <= len(patient.lesions) <= 4


def test_a_single_factor_can_be_replaced():
    settings = CohortSettings(factors={"texture_amplitude": 0.0})
    assert settings.numbers.texture_amplitude == 0.0
    assert settings.numbers.noise == CohortSettings().numbers.noise


@pytest.mark.parametrize(
    "wrong",
    [
        {"difficulty": "impossible"},
        {"factors": {"wave": 1}},
        {"patients": 0},
        {"lesions": (0, 2)},
        {"diameter_mm": (2.0, 90.0)},
    ],
)
def test_settings_out_of_range_are_refused_in_one_sentence(wrong):
    with pytest.raises(InputError) as caught:
        CohortSettings(**wrong)
    assert str(caught.value).endswith(".")


def test_a_field_of_waves_is_the_same_tissue_on_any_grid():
    rng = np.random.default_rng(0)
    waves = Waves.draw(rng, (5, 30), 8)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = rotation * [0.9, 0.8, 2.0], [3, -4, 5]
    grid = Grid(affine, (3, 4, 5))
    direct = np.zeros(grid.shape)
    for vector, phase in zip(waves.vectors, waves.phases, strict=True):
        direct += np.cos(np.tensordot(vector, grid.points().astype(float), 1) + phase)
    np.testing.assert_allclose(waves.on(grid), direct * np.sqrt(2 / 8), atol=1e-5)
    box = (slice(1, 3), slice(2, 4), slice(0, 5))
    np.testing.assert_allclose(waves.on(grid.part(box)), waves.on(grid)[box], atol=1e-5)


def test_a_field_of_waves_has_zero_mean_and_unit_variance():
    values = Waves.draw(np.random.default_rng(1), (4, 8), 64).on(Grid(np.diag([1.7, 1.9, 2.3, 1]), (40, 40, 40)))
    assert abs(values.mean()) < 0.02
    assert values.std() == pytest.approx(1, abs=0.05)


def test_the_head_has_bright_scalp_dark_skull_and_air():
    head = Head.draw(np.random.default_rng(2))
    affine = np.eye(4)
    affine[:3, 3] = [0, -110, 0]
    line = head.tissue(Grid(affine, (1, 111, 1)))[0, :, 0]
    assert line[0] < 0.1
    scalp = int(np.argmax(line > 0.7))
    assert line[scalp : scalp + 12].min() < 0.2


def test_the_generator_does_not_need_torch():
    code = "import sys, PulsarCAMLib.cohort; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
