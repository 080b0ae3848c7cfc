"""The contestants of the many-trials benchmark train the same network with the same loss on the same samples."""

import importlib
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from making_samples import stripes

from PulsarCAMLib.study.models.network_model import samples_of
from PulsarCAMLib.study.models.samples_file import save_samples
from PulsarCAMLib.systems.autoencoder.learning.losses import joint_loss
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.model.network import AutoencoderClassifier
from PulsarCAMLib.training.loop import train_member
from PulsarCAMLib.training.units.samples import TrainingSamples
from PulsarCAMLib.training.validation import predict_logits

BENCHMARKS = Path(__file__).resolve().parents[2] / "Benchmarks"
KERAS = BENCHMARKS.parents[1] / ".venv-keras" / "bin" / "python"
WITHOUT_DROPOUT = Architecture(dropout=0.0)
STEPS = 4

OF_ROUNDING = 1e-3
"""AdamW's first steps go by the sign of a gradient, however small: float32 and float64 part as far in as few steps."""

ASK_KERAS = """
import json, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import trials_keras as contestant
given = dict(np.load(sys.argv[2]))
images, masks = contestant.channels_last(given.pop("images"), given.pop("masks"))
labels = given.pop("labels")[:, None].astype("float32")
model = contestant.build(dropout=0.0)
contestant.take_weights(model, given)
data = ([images, masks], [images, labels])
known = model.predict(data[0], verbose=0)[1][:, 0].tolist()
losses = []
for _ in range(int(sys.argv[3])):
    model.reset_metrics()  # else the loss is the mean of all steps
    losses.append(float(model.train_on_batch(*data, return_dict=True)["loss"]))
print(json.dumps({"probabilities": known, "losses": losses}))
"""


@pytest.fixture
def benchmark_module(monkeypatch):
    """Gives a module of Testing/Benchmarks by its name; what its import left behind is undone."""
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(BENCHMARKS) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def plain(benchmark_module):
    """The plain PyTorch contestant."""
    return benchmark_module("trials_plain")


def one_batch(count=24):
    samples = stripes(count)
    tensors = (samples.images, samples.masks.astype(np.float32), samples.labels.astype(np.float32))
    return samples, [torch.from_numpy(array) for array in tensors]


def test_the_plain_network_starts_from_the_same_weights(plain):
    torch.manual_seed(5)
    ours = AutoencoderClassifier().state_dict()
    torch.manual_seed(5)
    theirs = plain.PlainNet().state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_plain_loop_computes_the_same_loss_and_gradients(plain):
    torch.manual_seed(5)
    ours = AutoencoderClassifier(WITHOUT_DROPOUT).train()
    theirs = plain.PlainNet(dropout=0.0).train()
    theirs.load_state_dict(ours.state_dict())
    _, (images, masks, labels) = one_batch()
    expected = joint_loss(ours(images, masks), images, labels).total
    found = plain.plain_loss(theirs, images, masks, labels)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    expected.backward()
    found.backward()
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad, rtol=1e-4, atol=1e-7, msg=name)


def test_the_plain_loop_and_the_engine_train_to_the_same_model(plain, benchmark_module, monkeypatch):
    samples, _ = one_batch(40)
    settings = TrainingSettings(epochs=3, seed=5, architecture=WITHOUT_DROPOUT, device="cpu")
    ours = predict_logits(train_member(samples, None, settings).model, samples)
    monkeypatch.setattr(plain, "PlainNet", partial(plain.PlainNet, dropout=0.0))
    asked = ((samples.images, samples.masks),)
    labels = samples.labels.astype(np.float32)
    trial = benchmark_module("trial_data").Trial(samples.images, samples.masks, labels, asked, seed=5)
    (theirs,) = plain.probabilities(plain.train(trial, 3), trial)
    np.testing.assert_allclose(theirs, 1 / (1 + np.exp(-ours)), atol=OF_ROUNDING)


def test_other_contestants_get_the_samples_that_a_trial_gets(benchmark_module, tmp_path):
    first = stripes(12)
    numbers = np.arange(12) % 6
    first = TrainingSamples(first.images, first.masks, first.labels, numbers, numbers, np.repeat([0.0, 90.0], 6))
    second = first.originals().where(np.arange(6)[::-1])
    save_samples(tmp_path / "samples.npz", {"baseline": first, "second": second})
    split = {"train": [0, 2, 3], "labels": [0, 1, 1, 0, 1, 0], "asked": [["baseline", [4]], ["second", [5, 1]]]}
    (tmp_path / "trials.json").write_text(json.dumps([split | {"seed": 9}]))
    trial = benchmark_module("trial_data").Trials(tmp_path)[0]
    chosen = np.isin(first.units, split["train"])
    assert np.array_equal(trial.images, first.images[chosen])
    assert np.array_equal(trial.masks, first.masks[chosen])
    assert trial.labels.tolist() == [0, 1, 0, 0, 1, 0]
    assert np.array_equal(trial.asked[0][0], samples_of(first, [4]).images)
    assert np.array_equal(trial.asked[1][0], samples_of(second, [5, 1]).images)


def test_a_short_run_is_extrapolated_to_what_the_whole_one_takes(benchmark_module):
    start, besides, epoch = 7.0, 0.5, 0.25
    short, long = besides + epoch, besides + 8 * epoch
    costs = benchmark_module("trials").Costs(2, 8, start + short, [short], [long])
    assert costs.whole(0) == pytest.approx(start + 25 * (besides + 150 * epoch))


@pytest.mark.parametrize(("busy", "verdicts"), [(0.0, {"met", "MISSED", ""}), (60.0, {""})])
def test_targets_are_judged_on_a_quiet_machine_only(benchmark_module, busy, verdicts):
    trials = benchmark_module("trials")
    times = {trials.OURS: [10.0, 20.0, 10.0], trials.ALONE: [17.0, 34.0, 15.0], trials.PLAIN: [50.0, 60.0, 40.0]}
    rows = list(trials.ratios("group", times, busy))
    assert [row.value for row in rows] == pytest.approx([4.0, 1.7, 40 / 15])
    assert {row.verdict for row in rows} == verdicts


@pytest.mark.slow
@pytest.mark.skipif(not KERAS.exists(), reason='Keras is installed by make bench ARGS="--keras" only')
def test_keras_computes_the_same_answers_and_the_same_losses_step_by_step(plain, tmp_path):
    samples, (images, masks, labels) = one_batch()
    torch.manual_seed(5)
    model = plain.PlainNet(dropout=0.0)
    state = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    given = {"images": samples.images, "masks": samples.masks, "labels": samples.labels}
    np.savez(tmp_path / "given.npz", **state, **given)
    command = [str(KERAS), "-c", ASK_KERAS, str(BENCHMARKS), str(tmp_path / "given.npz"), str(STEPS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    model.eval()
    with torch.no_grad():
        probabilities = torch.sigmoid(model(images, masks)[0])
    np.testing.assert_allclose(found["probabilities"], probabilities, atol=1e-5)
    optimiser = torch.optim.AdamW(model.parameters(), lr=plain.LEARNING_RATE, weight_decay=plain.WEIGHT_DECAY)
    model.train()
    for number in range(STEPS):
        optimiser.zero_grad()
        loss = plain.plain_loss(model, images, masks, labels)
        loss.backward()
        optimiser.step()
        assert found["losses"][number] == pytest.approx(loss.item(), rel=OF_ROUNDING if number else 1e-5), number
