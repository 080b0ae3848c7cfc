"""A trial in its folder: killed, stopped, continued, finished once, and never mixed up with another."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from making_samples import SMALL, stripes

from PulsarCAMLib.core.errors import Cancelled, InputError, OutputError
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings
from PulsarCAMLib.training import trial
from PulsarCAMLib.training.trial import finished_trial, train_trial

ROOT = Path(__file__).resolve().parents[3]
QUICK = TrainingSettings(architecture=SMALL, epochs=4, batch_size=8, checkpoint_seconds=0)

KINDS = {
    "joint": {"settle_norm": True},
    "plain": {"micro_batch": 0},
    "sequential": {"mode": "sequential", "epochs": 3},
    "stopping early": {"patience": 2, "epochs": 12, "learning_rate": 0.02, "imbalance": "balanced"},
    "weighted": {"imbalance": "weighted"},
}

DOOMED = """
import json, os, signal, sys
sys.path[:0] = [{root!r}, {root!r} + "/Testing/Python"]
import torch._dynamo
from making_samples import stripes
from PulsarCAMLib.systems.autoencoder.learning.learner import AutoencoderLearner
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings
from PulsarCAMLib.training.trial import train_trial
for card, last, folder in json.loads({trainings!r}):
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    steps, real = [0], AutoencoderLearner.backward
    def backward(self, index):
        steps[0] += 1
        if steps[0] == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, index)
    AutoencoderLearner.backward = backward
    train_trial(stripes(24), TrainingSettings.from_card(card), folder, stripes(8, seed=1))
    os._exit(0)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Folders by kind, in which a process trained and was killed by force before a step.

    Each is a process of its own; they branch off from one, which has imported PyTorch for all of them.
    """
    folder = tmp_path_factory.mktemp("killed")
    trainings = [
        # 3 steps an epoch: killed in the third epoch, sequential in the first one of the second phase
        (replace(QUICK, **own).to_card(), 11 if kind == "sequential" else 8, str(folder / kind))
        for kind, own in KINDS.items()
    ]
    code = DOOMED.format(root=str(ROOT), trainings=json.dumps(trainings))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["-9"] * len(KINDS), done.stderr
    return folder


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
@pytest.mark.parametrize("kind", KINDS)
def test_a_training_killed_by_force_and_continued_ends_with_the_weights_of_an_unbroken_one(kind, killed, tmp_path):
    settings, folder = replace(QUICK, **KINDS[kind]), killed / kind
    whole = train_trial(stripes(24), settings, tmp_path / "whole", stripes(8, seed=1))
    assert (folder / "checkpoint.safetensors").exists()
    assert finished_trial(folder) is None
    continued = train_trial(stripes(24), settings, folder, stripes(8, seed=1))
    first, second = (each.joinpath("weights.safetensors").read_bytes() for each in (tmp_path / "whole", folder))
    assert first == second
    assert whole.history == continued.history
    assert whole.best_epoch == continued.best_epoch
    assert not (folder / "checkpoint.safetensors").exists()


def test_a_training_interrupted_after_every_single_epoch_ends_with_the_same_weights(tmp_path):
    whole = train_trial(stripes(24), QUICK, tmp_path / "whole")
    rarely = replace(QUICK, checkpoint_seconds=1000)
    for _ in range(QUICK.epochs - 1):
        with pytest.raises(Cancelled):
            train_trial(stripes(24), rarely, tmp_path / "parts", cancelled=lambda: True)
    assert train_trial(stripes(24), QUICK, tmp_path / "parts").sha256 == whole.sha256


def test_ctrl_c_between_epochs_keeps_the_epochs_done_without_a_checkpoint_being_due(tmp_path):
    def interrupt(share, _text):
        if share >= 0.5:
            raise KeyboardInterrupt

    rarely = replace(QUICK, checkpoint_seconds=1000)
    with pytest.raises(KeyboardInterrupt):
        train_trial(stripes(24), rarely, tmp_path, progress=interrupt)
    shares = []
    train_trial(stripes(24), rarely, tmp_path, progress=lambda share, _: shares.append(share))
    assert shares == [0.75, 1.0]


def test_a_finished_trial_is_not_computed_twice(tmp_path, monkeypatch):
    first = train_trial(stripes(24), QUICK, tmp_path)
    monkeypatch.setattr(trial, "Engine", None)
    again = train_trial(stripes(24), QUICK, tmp_path)
    assert again == first
    assert again.model().architecture == SMALL
    np.testing.assert_array_equal(again.logits(stripes(6, 3)), first.logits(stripes(6, 3)))


def test_a_trial_is_what_training_in_memory_gives(tmp_path):
    from PulsarCAMLib.training.loop import train_member

    member = train_member(stripes(24), None, QUICK)
    model = train_trial(stripes(24), QUICK, tmp_path).model()
    assert all(torch.equal(a, b) for a, b in zip(member.model.state_dict().values(), model.state_dict().values()))  # noqa: B905


@pytest.mark.parametrize(
    "change",
    [
        lambda samples, settings: (samples, replace(settings, learning_rate=1e-3)),
        lambda samples, settings: (samples, settings.with_seed(9)),
        lambda samples, settings: (samples.where(np.arange(24)[::-1]), settings),
        lambda samples, settings: (replace(samples, labels=1 - samples.labels), settings),
    ],
)
def test_a_folder_of_other_settings_or_data_is_refused_in_one_sentence(change, tmp_path):
    with pytest.raises(Cancelled):
        train_trial(stripes(24), QUICK, tmp_path, cancelled=lambda: True)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    samples, settings = change(stripes(24), QUICK)
    with pytest.raises(InputError, match="other settings or other data") as error:
        train_trial(samples, settings, tmp_path)
    sentence_ends = re.findall(r"\.(?=\s|$)", str(error.value).replace(str(tmp_path), ""))
    assert len(sentence_ends) == 1
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


def test_a_checkpoint_of_another_trial_is_refused(tmp_path):
    for name, settings in (("a", QUICK), ("b", QUICK.with_seed(1))):
        with pytest.raises(Cancelled):
            train_trial(stripes(24), settings, tmp_path / name, cancelled=lambda: True)
    (tmp_path / "a" / "checkpoint.safetensors").replace(tmp_path / "b" / "checkpoint.safetensors")
    with pytest.raises(InputError, match="begun with other settings"):
        train_trial(stripes(24), QUICK.with_seed(1), tmp_path / "b")


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"\x80\x04K\x01."])
def test_a_damaged_checkpoint_is_said_to_be_one(damage, tmp_path):
    with pytest.raises(Cancelled):
        train_trial(stripes(24), QUICK, tmp_path, cancelled=lambda: True)
    file = tmp_path / "checkpoint.safetensors"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(InputError, match="is damaged; delete"):
        train_trial(stripes(24), QUICK, tmp_path)


def test_changed_weights_of_a_finished_trial_are_found(tmp_path):
    train_trial(stripes(24), QUICK, tmp_path)
    weights = tmp_path / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        train_trial(stripes(24), QUICK, tmp_path)


def test_a_full_disk_leaves_the_last_checkpoint_and_says_so(tmp_path, monkeypatch):
    with pytest.raises(Cancelled):
        train_trial(stripes(24), QUICK, tmp_path, cancelled=lambda: True)
    before = sorted((p.name, p.stat().st_size) for p in tmp_path.iterdir())

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OutputError, match="No space left on device"):
            train_trial(stripes(24), QUICK, tmp_path)
    assert sorted((p.name, p.stat().st_size) for p in tmp_path.iterdir()) == before
    assert train_trial(stripes(24), QUICK, tmp_path).epochs == QUICK.epochs


def test_curves_are_written_for_people_and_nothing_names_a_patient(tmp_path):
    result = train_trial(stripes(24), replace(QUICK, pictures_every=2), tmp_path, stripes(8, seed=1))
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert len(lines) == 1 + result.epochs
    for column in ("epoch", "total", "accuracy", "validation_total", "validation_accuracy", "validation_auc"):
        assert column in lines[0].split(",")
    assert sorted(p.name for p in (tmp_path / "pictures").iterdir()) == ["epoch-0002.png", "epoch-0004.png"]
    texts = "".join((tmp_path / name).read_text() for name in ("trial.json", "result.json", "history.csv"))
    assert "P1" not in texts
    assert json.loads((tmp_path / "trial.json").read_text())["training"] == {
        "patients": 24,
        "lesions": 24,
        "responses": 12,
        "samples": 24,
    }


def test_pictures_show_slices_reconstructions_and_feature_maps(tmp_path):
    from matplotlib.image import imread

    train_trial(stripes(24), replace(QUICK, epochs=1, pictures_every=1), tmp_path)
    picture = imread(tmp_path / "pictures" / "epoch-0001.png")
    assert picture.shape[:2] == (6 * 68, (3 + 5) * 68)
    first = stripes(24).images[0, 0]
    np.testing.assert_allclose(picture[2:66, 2:66, 0], first, atol=2 / 255)
