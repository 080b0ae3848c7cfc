"""Ensembles: members side by side are the members one after another; patients set aside; curves for a card."""

import os
import signal
from functools import partial

import numpy as np
import pytest
from making_samples import SMALL, stripes

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings
from PulsarCAMLib.training.bundles.card import curves
from PulsarCAMLib.training.members import share_done, train_members
from PulsarCAMLib.training.units.holdout import hold_out_patients
from PulsarCAMLib.training.units.samples import TrainingSamples

QUICK = TrainingSettings(architecture=SMALL, epochs=2, batch_size=8)
MEMBERS = [QUICK, QUICK.with_seed(1)]


def test_members_do_not_depend_on_how_they_were_spread_over_processes(tmp_path):
    told = []
    first = train_members(stripes(16), None, MEMBERS, tmp_path / "a", progress=lambda share, _: told.append(share))
    spread = train_members(stripes(16), None, MEMBERS, tmp_path / "b", jobs=2, progress=lambda *_: None)
    assert [each.sha256 for each in first] == [each.sha256 for each in spread]
    assert first[0].sha256 != first[1].sha256
    assert told == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("times", [1, 9])
def test_a_member_that_is_lost_with_its_process_is_trained_again(tmp_path, monkeypatch, times):
    from PulsarCAMLib.io import workers
    from PulsarCAMLib.training import members

    sound = train_members(stripes(16), None, MEMBERS, tmp_path / "sound")
    monkeypatch.setattr(members, "_in_worker", partial(dying, tmp_path, times))
    if times == 1:
        found = train_members(stripes(16), None, MEMBERS, tmp_path / "a", jobs=2)
        assert [each.sha256 for each in found] == [each.sha256 for each in sound]
        assert list(tmp_path.glob("died-*"))
    else:
        monkeypatch.setattr(workers, "ATTEMPTS", 1)
        with pytest.raises(
            InputError, match=r"2 members .* lost with the process 1 times, the first of them .*member-001"
        ):
            train_members(stripes(16), None, MEMBERS, tmp_path / "a", jobs=2)


def dying(folder, times, system, *given):
    """A worker that is killed so many times before it trains."""
    from PulsarCAMLib.training.members import _in_worker

    died = len(list(folder.glob("died-*")))
    if died < times:
        (folder / f"died-{died}-{os.getpid()}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return _in_worker(system, *given)


def test_how_far_a_trial_is_can_be_seen_from_its_folder(tmp_path):
    assert share_done(tmp_path, QUICK) == 0
    (tmp_path / "history.csv").write_text("epoch,total\n1,0.5\n")
    assert share_done(tmp_path, QUICK) == 0.5
    (tmp_path / "result.json").write_text("{}")
    assert share_done(tmp_path, QUICK) == 1


def test_a_card_gets_every_curve_and_not_too_many_numbers(tmp_path, monkeypatch):
    from PulsarCAMLib.training.bundles import card

    trained = train_members(stripes(16), stripes(8, 1), MEMBERS, tmp_path)
    found = curves(trained)
    assert len(found) == 2
    assert found[0]["epoch"] == [1, 2]
    assert found[0]["total"][1] == pytest.approx(trained[0].history[1]["total"], rel=1e-3)
    monkeypatch.setattr(card, "LARGEST_CURVES", len(trained[0].history[0]) * 2)
    assert curves(trained)[0]["epoch"] == [1, 2], "first and last epoch are always there"


def cohort(patients=20, seed=0):
    """Patients with one to four lesions, each with a copy."""
    rng = np.random.default_rng(seed)
    names = np.repeat([f"P{n}" for n in range(patients)], rng.integers(1, 5, patients))
    labels = (rng.random(len(names)) < 0.3).astype(int)
    names, labels = np.repeat(names, 2), np.repeat(labels, 2)
    images = np.zeros((len(names), 1, 16, 16), dtype=np.float32)
    angles = np.tile([0.0, 90.0], len(names) // 2)
    return TrainingSamples(images, images > 1, labels, names, names, angles)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_no_patient_is_on_both_sides_and_both_sides_have_both_classes(share):
    samples = cohort()
    for seed in range(5):
        training, aside = hold_out_patients(samples, share, seed)
        assert not set(training.patients) & set(aside.patients)
        assert len(training) + 2 * len(aside) == len(samples)
        assert not aside.changes.any()
        assert set(training.labels) == set(aside.labels) == {0, 1}
        assert abs(len(aside) / (len(samples) / 2) - share) < 0.1


def test_the_choice_of_patients_depends_on_the_seed_only():
    chosen = [set(hold_out_patients(cohort(), 0.2, seed)[1].patients) for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_none_or_too_few_patients_to_set_aside():
    samples = cohort()
    training, aside = hold_out_patients(samples, 0, 0)
    assert (len(training), len(aside)) == (len(samples), 0)
    with pytest.raises(InputError, match="no way to set"):
        hold_out_patients(samples.where(samples.labels == 0), 0.2, 0)
    with pytest.raises(InputError, match="between 0 and"):
        hold_out_patients(samples, 1.0, 0)
