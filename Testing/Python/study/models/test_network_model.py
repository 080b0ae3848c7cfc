"""The autoencoder-classifier in a study: it learns from the lesions it may; controls tell what is learnt by heart."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from making_samples import SMALL
from scipy.special import expit

from PulsarCAMLib.cohort.study_lesions import StudyLesions
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.study.jobs import Job, run_jobs
from PulsarCAMLib.study.models.network_model import NetworkStudyModel, samples_of
from PulsarCAMLib.study.models.samples_file import load_samples, save_samples
from PulsarCAMLib.study.splits import protocol_splits
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings
from PulsarCAMLib.training.study_models import TrialTask
from PulsarCAMLib.training.trial import train_trial
from PulsarCAMLib.training.units.samples import StoredArray, TrainingSamples

LESIONS = 30


def noise_samples(noise, seed=0, rotations=(0.0,)):
    """Every lesion has a texture of its own, the same on both MRIs but for some noise; labels say nothing about it."""
    own = np.random.default_rng(5).random((LESIONS, 1, 16, 16)).repeat(4, axis=2).repeat(4, axis=3)
    rng = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(LESIONS), len(rotations))
    images = np.clip(own[numbers] + noise * rng.standard_normal((len(numbers), 1, 64, 64)), 0, 1).astype(np.float32)
    masks = np.zeros(images.shape, dtype=bool)
    masks[:, :, 8:56, 8:56] = True
    labels = numbers % 2
    return TrainingSamples(images, masks, labels, numbers + 1, numbers, np.tile(rotations, LESIONS))


@pytest.fixture
def model(tmp_path):
    sets = {"baseline": noise_samples(0.02, 0, (0.0, 90.0)), "second": noise_samples(0.02, 1)}
    digest = save_samples(tmp_path / "samples.npz", sets)
    settings = TrainingSettings(architecture=SMALL, epochs=25, batch_size=16, learning_rate=5e-3)
    return NetworkStudyModel(tmp_path / "samples.npz", digest, settings)


def lesions():
    rows = np.arange(LESIONS) + 2
    return StudyLesions(np.arange(LESIONS) + 1, np.arange(LESIONS) % 2, {"baseline": rows, "second": rows + 100})


def test_patches_survive_their_file_and_the_same_patches_give_the_same_hash(tmp_path):
    sets = {"baseline": noise_samples(0.02, 0, (0.0, 90.0)), "second": noise_samples(0.02, 1)}
    digest = save_samples(tmp_path / "a.npz", sets)
    assert digest == save_samples(tmp_path / "b.npz", sets)
    assert digest == hashlib.sha256((tmp_path / "a.npz").read_bytes()).hexdigest()
    again = load_samples(tmp_path / "a.npz")
    for point, samples in sets.items():
        for name, values in vars(samples).items():
            assert np.array_equal(getattr(again[point], name), values)
    (tmp_path / "b.npz").write_bytes(b"PK not really")
    with pytest.raises(InputError, match="damaged"):
        load_samples(tmp_path / "b.npz")


def test_large_samples_stay_in_the_file_and_give_the_same_rows(tmp_path):
    sure = np.linspace(0.5, 1, 2 * LESIONS)
    samples = replace(noise_samples(0.02, 0, (0.0, 90.0)), confidence=sure)
    save_samples(tmp_path / "a.npz", {"baseline": samples})
    with np.load(tmp_path / "a.npz") as plain:
        np.testing.assert_array_equal(plain["baseline_images"], samples.images)
    again = load_samples(tmp_path / "a.npz", most_bytes=2000)["baseline"]
    assert isinstance(again.images, StoredArray)
    assert isinstance(again.masks, StoredArray)
    assert isinstance(again.labels, np.ndarray)
    np.testing.assert_array_equal(again.confidence, sure)
    chosen = again.originals().where([4, 1])
    assert isinstance(chosen.images, StoredArray), "choosing reads nothing"
    np.testing.assert_array_equal(np.asarray(chosen.images), samples.originals().where([4, 1]).images)
    np.testing.assert_array_equal(chosen.masks[0:1], samples.originals().where([4, 1]).masks[:1])
    digest = save_samples(tmp_path / "b.npz", {"baseline": again})
    assert digest == hashlib.sha256((tmp_path / "a.npz").read_bytes()).hexdigest(), "and are written again from there"


def test_slices_come_in_the_order_asked_for_and_never_rotated():
    found = samples_of(noise_samples(0.02, 0, (0.0, 90.0)), [7, 3, 21])
    assert found.units.tolist() == [7, 3, 21]
    assert (found.changes == 0).all()
    with pytest.raises(InputError, match="lesion 77"):
        samples_of(noise_samples(0.02), [77])


def test_it_is_the_training_of_exactly_the_training_lesions_with_their_copies(model, tmp_path):
    train = np.arange(0, 20)
    labels = np.random.default_rng(0).permutation(lesions().labels)
    task = TrialTask(train, labels, lesions().patients, (("second", np.array([25, 22])),), 11, tmp_path / "trial")
    fitted = model.fit_predict(task)
    first = load_samples(model.samples)["baseline"]
    known = first.where(np.isin(first.units, train))
    known = TrainingSamples(**{**vars(known), "labels": labels[known.units]})
    assert len(known) == 40
    alone = train_trial(known, model.settings.with_seed(11), tmp_path / "alone")
    second = load_samples(model.samples)["second"]
    assert np.array_equal(fitted.probabilities[0], expit(alone.logits(second.where(np.array([25, 22])))))
    assert fitted.details["weights_sha256"] == alone.sha256


def test_labels_of_other_lesions_do_not_change_a_bit(model, tmp_path):
    asked = (("baseline", np.arange(20, 30)),)
    labels = lesions().labels
    poisoned = np.where(np.arange(LESIONS) >= 20, 1 - labels, labels)
    one, other = (
        model.fit_predict(TrialTask(np.arange(20), own, lesions().patients, asked, 3, tmp_path / name))
        for name, own in (("a", labels), ("b", poisoned))
    )
    assert np.array_equal(one.probabilities[0], other.probabilities[0])


def test_random_labels_look_like_skill_in_the_papers_protocol_and_not_on_new_patients(model, tmp_path):
    """Why the paper's protocol is never shown without its control."""
    from sklearn.metrics import roc_auc_score

    aucs = {}
    for protocol, trials in (("paper", 1), ("patients", 5)):
        splits = protocol_splits(lesions(), protocol, trials=trials, controls=0, folds=5, seed=0)
        records = run_jobs([Job(model, split, lesions().patients, tmp_path, "fixed", 3) for split in splits])
        answers = [each for record in records for each in record.answers if each.time_point == "second"]
        asked = np.concatenate([each.lesions for each in answers])
        assert len(asked) == LESIONS
        aucs[protocol] = roc_auc_score(lesions().labels[asked], np.concatenate([a.probabilities for a in answers]))
    assert aucs["paper"] > 0.95
    assert 0.2 < aucs["patients"] < 0.75
