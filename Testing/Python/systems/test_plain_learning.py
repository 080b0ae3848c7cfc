"""What the settings of a plain training do (samples, unequal classes, rates, memory), and that it resumes."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from making_volumes import BLOCK, Block, blocks

from PulsarCAMLib.core.errors import Cancelled, InputError
from PulsarCAMLib.systems.learning.augmentation import augment, generator_of
from PulsarCAMLib.systems.learning.augmentation_settings import Augmentation
from PulsarCAMLib.systems.learning.class_balance import class_weights, epoch_order, soft_targets
from PulsarCAMLib.systems.learning.plain_learner import PlainLearner
from PulsarCAMLib.systems.registry import register, unregister
from PulsarCAMLib.training.engine import Engine, own_random_numbers
from PulsarCAMLib.training.loop import train_member
from PulsarCAMLib.training.schedule import MOST_RISES, Schedule
from PulsarCAMLib.training.trial import finished_trial, train_trial

ROOT = Path(__file__).resolve().parents[3]
QUICK = {"epochs": 3, "batch_size": 4, "learning_rate": 0.02, "checkpoint_seconds": 0}
EVERYTHING = Augmentation(
    flip_chance=0.5, scale_chance=0.7, rotation_chance=0.7, elastic_chance=0.7, elastic_grid=4, contrast_chance=0.7,
    intensity_chance=0.7, noise_chance=0.7,
)  # fmt: skip


@pytest.fixture(autouse=True)
def known():
    register(BLOCK)
    yield
    unregister(BLOCK.name)


def settings(**more):
    return BLOCK.training_settings(**QUICK | more)


def weights_of(**more):
    model = train_member(blocks(), None, settings(**more)).model
    return torch.cat([value.float().flatten() for value in model.state_dict().values()])


def batch(seed=0, size=(9, 11, 13)):
    rng = np.random.default_rng(seed)
    images = torch.from_numpy(rng.normal(size=(3, 2, *size)).astype(np.float32))
    return images, images[:, :1] > 0.3


def changed(augmentation, epoch=1, **more):
    images, masks = batch()
    return augment(images, masks, augmentation, [generator_of(5, epoch, n) for n in range(3)], **more)


def test_what_is_drawn_depends_on_seed_epoch_and_sample_and_not_on_the_batch():
    images, masks = batch()
    whole = augment(images, masks, EVERYTHING, [generator_of(5, 2, n) for n in range(3)])
    alone = augment(images[1:2], masks[1:2], EVERYTHING, [generator_of(5, 2, 1)])
    assert torch.equal(whole[0][1], alone[0][0])
    assert torch.equal(whole[1][1], alone[1][0])
    assert not torch.equal(changed(EVERYTHING, 2)[0], changed(EVERYTHING, 3)[0])
    assert not torch.equal(*(torch.rand(3, generator=generator_of(5, 2, 1, n)) for n in (0, 1)))


def test_without_chances_nothing_changes_and_a_flip_is_exact():
    images, masks = batch()
    assert torch.equal(changed(Augmentation())[0], images)
    seen, inside = changed(Augmentation(flip_chance=1.0))
    assert torch.equal(seen, images.flip((-3, -2, -1)))
    assert torch.equal(inside, masks.flip((-3, -2, -1)))


def ball(size, centre, radius, spacing=(1.0, 1.0, 1.0)):
    at = np.moveaxis(np.indices(size), 0, -1) * np.array(spacing)
    return torch.from_numpy(np.exp(-(((at - centre) / radius) ** 2).sum(-1) / 2).astype(np.float32))[None, None]


def middle_of(image, spacing=(1.0, 1.0, 1.0)):
    weights = image[0, 0].double()
    axes = torch.meshgrid(*[torch.arange(n) for n in weights.shape], indexing="ij")
    return np.array([float((axis * weights).sum() / weights.sum()) * s for axis, s in zip(axes, spacing, strict=True)])


def test_a_turn_and_a_scale_move_a_point_as_they_should_also_where_voxels_are_not_cubes():
    size, spacing = (17, 33, 33), (2.0, 1.0, 1.0)
    centre = np.array([(n - 1) / 2 * s for n, s in zip(size, spacing, strict=True)])
    there = centre + np.array([6.0, 0.0, 3.0])
    image = ball(size, there, 2.5, spacing)
    own = Augmentation(rotation_chance=1.0, rotation=40)
    turned, mask = augment(image, image > 0.5, own, [generator_of(1, 1, 1)], spacing)
    found = middle_of(turned, spacing)
    assert np.linalg.norm(found - there) > 1.0
    assert np.linalg.norm(found - centre) == pytest.approx(np.linalg.norm(there - centre), abs=0.1)
    inside = middle_of(mask.float(), spacing)
    assert np.linalg.norm(inside - found) < 0.5, "the mask moves with the image"
    own = Augmentation(scale_chance=1.0, scale=0.3)
    grown = middle_of(augment(image, image > 0.5, own, [generator_of(4, 1, 1)], spacing)[0], spacing) - centre
    factor = grown[0] / 6.0
    assert 0.7 <= factor <= 1.3
    assert abs(factor - 1) > 0.02
    np.testing.assert_allclose(grown, factor * np.array([6.0, 0.0, 3.0]), atol=0.1)


def test_a_bend_is_smooth_and_as_large_as_it_is_said_to_be():
    from PulsarCAMLib.systems.learning.augmentation import _bend

    fields = torch.stack([_bend((24, 24, 24), Augmentation(elastic=2.0, elastic_grid=4), generator_of(0, 0, n))
                          for n in range(6)])  # fmt: skip
    # of independent control points a cubic spline keeps (sum of squared weights)^1.5 of the variance
    assert float(fields.std()) == pytest.approx(2.0 * 0.4794**1.5, rel=0.1)
    assert float(fields.diff(dim=1).abs().max()) < 2.0


def test_contrast_keeps_the_range_and_a_dose_keeps_its_values():
    images, _ = batch()
    seen, _ = changed(Augmentation(contrast_chance=1.0, contrast=1.0), intensities=[0])
    assert torch.equal(seen[:, 1], images[:, 1])
    assert not torch.equal(seen[:, 0], images[:, 0])
    torch.testing.assert_close(seen.amax((2, 3, 4)), images.amax((2, 3, 4)))
    torch.testing.assert_close(seen.amin((2, 3, 4)), images.amin((2, 3, 4)))
    noisy, _ = changed(Augmentation(noise_chance=1.0, noise=0.25), intensities=[1])
    assert torch.equal(noisy[:, 0], images[:, 0])
    assert float((noisy - images)[:, 1].std()) == pytest.approx(0.25, rel=0.1)
    brighter, _ = changed(Augmentation(intensity_chance=1.0, intensity=0.2), intensities=[0])
    factors = (brighter / images)[:, 0].flatten(1)
    torch.testing.assert_close(factors, factors[:, :1].expand_as(factors))
    assert 0.05 < float((factors - 1).abs().max()) <= 0.2001


def test_classes_weigh_and_are_drawn_as_said():
    labels = torch.tensor([0] * 6 + [1] * 2)
    assert class_weights(labels, 3).tolist() == pytest.approx([8 / 6, 4, 0])
    generator = torch.Generator().manual_seed(0)
    assert sorted(epoch_order(labels, False, "shuffle", generator).tolist()) == list(range(8))
    for balanced, sampler, share in ((True, "shuffle", 0.5), (False, "complement", 0.75 * 2 / (0.25 * 6 + 0.75 * 2))):
        drawn = torch.cat([epoch_order(labels, balanced, sampler, generator) for _ in range(500)])
        assert float((labels[drawn] == 1).double().mean()) == pytest.approx(share, abs=0.03)
    assert soft_targets(torch.tensor([1]), torch.tensor([0.7]), 3)[0].tolist() == pytest.approx([0.15, 0.7, 0.15])


def test_weighted_loss_is_the_weighted_mean_and_soft_labels_are_their_cross_entropy():
    logits = torch.tensor([[1.0, -1.0], [0.5, 2.0], [0.0, 0.3]])
    labels, weights = torch.tensor([0, 1, 1]), torch.tensor([3.0, 1.0])
    expected = torch.nn.functional.cross_entropy(logits, labels, weight=weights)
    torch.testing.assert_close(BLOCK.loss(logits, labels, weights[labels]), expected)
    shares = soft_targets(labels, torch.tensor([1.0, 0.8, 0.5]), 2)
    by_hand = -(shares * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(BLOCK.loss(logits, shares), by_hand)


def test_every_switch_changes_the_weights_and_those_that_must_not_do_not():
    plain = weights_of()
    assert torch.equal(plain, weights_of())
    for switch in (
        {"optimiser": "adam"}, {"schedule": "cosine"}, {"imbalance": "balanced"}, {"imbalance": "weighted"},
        {"sampler": "complement"}, {"augmentation": EVERYTHING},
    ):  # fmt: skip
        assert not torch.equal(plain, weights_of(**switch)), switch
    assert torch.equal(plain, weights_of(gradient_checkpointing=True)), "computed again, the same"
    assert torch.equal(plain, weights_of(soft_labels=True)), "nobody said how sure a label is"
    assert torch.equal(plain, weights_of(mixed_precision=True)), "only on a GPU"
    # a bias before batch norm has no gradient but rounding, which Adam makes large: losses are compared, not weights
    losses = [[row["total"] for row in train_member(blocks(), None, settings(channels_last=last)).history]
              for last in (False, True)]  # fmt: skip
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_old_cards_stay_as_they_were_and_new_ones_come_back():
    assert set(settings().to_card()) == {
        "architecture", "preprocessing", "epochs", "batch_size", "learning_rate", "weight_decay", "betas", "epsilon",
        "patience", "seed", "validate_every", "threads", "device", "checkpoint_seconds",
    }  # fmt: skip
    changed = settings(augmentation=EVERYTHING, optimiser="adam", schedule="cosine", ensemble="majority")
    assert type(changed).from_card(json.loads(json.dumps(changed.to_card()))) == changed
    assert replace(changed, ensemble="mean").identity() == changed.identity() != settings().identity()
    with pytest.raises(InputError, match="equally often already"):
        settings(imbalance="balanced", sampler="complement")


def test_the_cosine_falls_to_nothing_and_rises_cut_the_rate_and_bring_the_best_back():
    model = torch.nn.Linear(2, 1)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
    cosine, rates = Schedule("cosine", 0.5, 4), []
    for epoch in range(1, 5):
        cosine.before_epoch(epoch, optimiser)
        rates.append(optimiser.param_groups[0]["lr"])
    np.testing.assert_allclose(rates, [0.5 * (1 + np.cos(np.pi * n / 4)) / 2 for n in range(4)])
    cut = Schedule("cut-on-rise", 0.5, 100)
    cut.after_epoch(1.0, model)
    best = model.weight.detach().clone()
    with torch.no_grad():
        model.weight += 1
    cut.after_epoch(1.0, model)
    assert torch.equal(model.weight, best)
    cut.before_epoch(3, optimiser)
    assert optimiser.param_groups[0]["lr"] == pytest.approx(0.05)
    cut.after_epoch(0.9, model)
    assert cut.rises == 0
    for _ in range(MOST_RISES):
        assert not cut.over
        cut.after_epoch(2.0, model)
    assert cut.over


def test_a_training_whose_loss_only_rises_stops_and_keeps_the_best_weights():
    with own_random_numbers(wild := settings(epochs=40, learning_rate=0.9, schedule="cut-on-rise")):
        engine = Engine(wild, blocks(), None)
        engine.run()
    losses = [row["total"] for row in engine.history]
    assert engine.kept_epoch == 1 + int(np.argmin(losses))
    best = engine.schedule.best[1]
    assert all(torch.equal(value, best[name]) for name, value in engine.model.state_dict().items())


KINDS = {
    "everything": {"augmentation": EVERYTHING, "imbalance": "balanced", "optimiser": "adam", "schedule": "cosine"},
    "cut-on-rise": {"schedule": "cut-on-rise", "learning_rate": 0.5, "sampler": "complement", "imbalance": "weighted"},
    "less memory": {"gradient_checkpointing": True, "channels_last": True, "patience": 2, "epochs": 6},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_stopped_after_every_epoch_ends_with_the_weights_of_an_unbroken_one(kind, tmp_path):
    own = settings(**KINDS[kind])
    whole = train_trial(blocks(), own, tmp_path / "whole", blocks(6, seed=1))
    for _ in range(own.epochs):
        try:
            parts = train_trial(blocks(), own, tmp_path / "parts", blocks(6, seed=1), cancelled=lambda: True)
        except Cancelled:
            continue
    assert parts.sha256 == whole.sha256
    assert parts.history == whole.history
    assert parts.best_epoch == whole.best_epoch


DOOMED = """
import json, os, signal, sys
sys.path[:0] = [{root!r}, {root!r} + "/Testing/Python"]
from making_volumes import BLOCK, blocks
from PulsarCAMLib.systems.learning.plain_learner import PlainLearner
from PulsarCAMLib.systems.registry import register, settings_from_card
from PulsarCAMLib.training.trial import train_trial
register(BLOCK)
steps, real = [0], PlainLearner.backward
def backward(self, index):
    steps[0] += 1
    if steps[0] == 8:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, index)
PlainLearner.backward = backward
train_trial(blocks(), settings_from_card(json.loads({settings!r})), {folder!r})
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_a_training_killed_by_force_and_continued_ends_with_the_weights_of_an_unbroken_one(tmp_path):
    own = settings(**KINDS["everything"])
    whole = train_trial(blocks(), own, tmp_path / "whole")
    texts = {"root": str(ROOT), "settings": json.dumps(own.to_card()), "folder": str(tmp_path / "killed")}
    done = subprocess.run([sys.executable, "-c", DOOMED.format(**texts)], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    assert finished_trial(tmp_path / "killed") is None
    assert train_trial(blocks(), own, tmp_path / "killed").sha256 == whole.sha256


def test_samples_in_a_file_train_to_the_same_weights_as_in_memory(tmp_path):
    from PulsarCAMLib.systems.learning.learner import StoredArray
    from PulsarCAMLib.training.units.samples import collect_samples

    units = [BLOCK.unit(n) for n in range(8)]
    memory, stored = (collect_samples(units, BLOCK, settings(), store=store, most_bytes=4000)
                      for store in (None, tmp_path / "prepared"))  # fmt: skip
    assert isinstance(stored.images, StoredArray)
    np.testing.assert_array_equal(np.asarray(stored.images), memory.images)
    own = settings(augmentation=EVERYTHING)
    first, second = (train_trial(part.of_patients([f"P{n}" for n in range(6)]), own, tmp_path / name)
                     for name, part in (("memory", memory), ("stored", stored)))  # fmt: skip
    assert first.sha256 == second.sha256
    assert first.identity == second.identity
    np.testing.assert_array_equal(first.logits(memory), first.logits(stored))


def test_a_batch_of_stored_samples_reads_only_its_rows(tmp_path):
    from PulsarCAMLib.training.units.samples import collect_samples

    stored = collect_samples([BLOCK.unit(n) for n in range(8)], BLOCK, settings(), store=tmp_path, most_bytes=1)
    learner = PlainLearner(BLOCK, settings(), stored, torch.device("cpu"))
    images, _ = learner._batch(torch.tensor([5, 2]))
    np.testing.assert_array_equal(images.numpy(), np.asarray(stored.images[[5, 2]]))
    assert not hasattr(learner, "images")


def test_samples_that_processes_share_are_copied_before_torch_may_write_to_them():
    shared = blocks()
    shared.images.setflags(write=False)
    learner = PlainLearner(BLOCK, settings(), shared, torch.device("cpu"))
    assert not np.shares_memory(learner.images.numpy(), shared.images)
    assert np.shares_memory(learner.masks.numpy(), shared.masks)


def test_confidence_softens_labels_only_when_asked():
    unsure = replace(blocks(), confidence=np.full(len(blocks()), 0.6))
    sure = train_member(blocks(), None, settings()).model.state_dict()
    asked = train_member(unsure, None, settings(soft_labels=True)).model.state_dict()
    ignored = train_member(unsure, None, settings()).model.state_dict()
    assert all(torch.equal(value, ignored[name]) for name, value in sure.items())
    assert any(not torch.equal(value, asked[name]) for name, value in sure.items())


def test_the_default_parts_that_forget_are_the_networks_children():
    assert len(BLOCK.checkpointed_parts(Block())) == 2
