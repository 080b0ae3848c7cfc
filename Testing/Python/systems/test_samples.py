"""Rotated copies: real tissue in the corners, the lesion in the middle, the label unchanged."""

import numpy as np
import pytest

from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.systems.autoencoder.learning.settings import PAPER_ROTATIONS, TrainingSettings
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER
from PulsarCAMLib.systems.contract import LabelledUnit
from PulsarCAMLib.training.units.samples import collect_samples
from PulsarCAMLib.training.units.synthetic_cases import synthetic_samples


def unit_of(volume, lesion, label, patient="P1"):
    image = Image(volume, VolumeGeometry(volume.shape))
    return LabelledUnit(patient, Case({"t1c": image}, (lesion,), "t1c"), lesion.name, label)


def collected(*units, **settings):
    return collect_samples(units, AUTOENCODER, TrainingSettings(**settings))


def unit(response=1, patient="P1"):
    """A disc beside a bright square on a ramp that is nowhere zero."""
    volume = np.broadcast_to(100.0 + np.arange(160.0), (3, 160, 160)).copy()
    j, i = np.mgrid[:160, :160]
    disc = np.hypot(j - 80, i - 80) < 12
    volume[:, 76:85, 96:105] += 300
    mask = np.zeros(volume.shape, dtype=bool)
    mask[1] = disc
    return unit_of(volume, Lesion.from_mask("A", mask), response, patient)


def test_a_lesion_gives_the_original_and_five_rotations():
    samples = collected(unit())
    assert PAPER_ROTATIONS == (10, 15, 30, 45, 90)
    assert samples.changes.tolist() == [0, 10, 15, 30, 45, 90]
    assert samples.images.shape == samples.masks.shape == (6, 1, 64, 64)
    assert samples.labels.tolist() == [1] * 6
    assert len(samples.originals()) == 1


def test_a_quarter_turn_is_the_turned_picture():
    samples = collected(unit())
    original, turned = samples.images[0, 0], samples.images[-1, 0]
    errors = [np.abs(np.rot90(original, k)[2:-2, 2:-2] - turned[2:-2, 2:-2]).mean() for k in (1, 3)]
    assert min(errors) < 0.02


def test_corners_hold_tissue_and_not_black():
    known = unit().case
    volume = np.full_like(known.reference_image.voxels, 50.0)
    volume[:, 60, 60] = 90.0
    flat = unit_of(volume, known.lesions[0], 0)
    for image in collected(flat, preprocessing=Preprocessing(percentiles=(0, 100))).images[:, 0]:
        assert max(image[0, 0], image[0, -1], image[-1, 0], image[-1, -1]) < 0.05
        assert np.ptp([image[0, 0], image[0, -1], image[-1, 0], image[-1, -1]]) < 1e-6


def test_the_mask_turns_with_the_image_and_keeps_its_area():
    samples = collected(unit())
    areas = samples.masks.sum(axis=(1, 2, 3))
    assert np.ptp(areas) <= 0.05 * areas[0]
    for mask in samples.masks[:, 0]:
        np.testing.assert_allclose(np.argwhere(mask).mean(axis=0), 31.5, atol=1.0)


def test_samples_can_be_chosen_by_patient():
    samples = collected(unit(), unit(0, "P2"), rotations=(90.0,))
    assert len(samples.of_patients(["P2"])) == 2
    assert set(samples.of_patients(["P2"]).labels) == {0}


def test_no_case_is_refused():
    with pytest.raises(InputError):
        collected()


def test_synthetic_samples_have_the_labels_of_their_lesions():
    settings = CohortSettings(patients=2, seed=4, lesions=(2, 2))
    samples = synthetic_samples(settings, only_original=True)
    assert samples.units.tolist() == ["Lesion 1", "Lesion 2"] * 2
    assert len(np.unique(samples.patients)) == 2
    assert samples.images.min() == 0
    assert samples.images.max() == 1
