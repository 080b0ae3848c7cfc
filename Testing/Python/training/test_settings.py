"""Settings: the paper's defaults, JSON and back, what counts as the same training."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.autoencoder.learning.settings import LossWeights, TrainingSettings
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing


def test_defaults_are_the_papers_and_our_stated_readings():
    s = TrainingSettings()
    assert (s.epochs, s.batch_size, s.learning_rate, s.weight_decay) == (150, 64, 5e-4, 1e-4)
    assert (s.betas, s.epsilon) == ((0.9, 0.999), 1e-8)
    assert s.rotations == (10, 15, 30, 45, 90)
    assert s.loss == LossWeights(0.6, 0.2, 0.2, 1.0)
    assert (s.mode, s.imbalance, s.patience, s.settle_norm) == ("joint", "none", None, False)
    a, p = s.architecture, s.preprocessing
    assert (a.filters, a.dense_activation, a.norm, a.dropout) == (16, "relu", "after", 0.1)
    assert (p.in_plane_spacing_mm, p.percentiles) == (1.0, (1, 99))
    assert (p.mask_rule, p.large_lesion, p.answering_slice) == ("any", "scale", "largest-area")
    assert (a.features, a.dense_units, s.initial_weights, s.reconstruct) == (5, 32, "glorot", "crop")


def test_later_options_do_not_make_finished_trainings_others():
    """Hashes and fields written down before there were these options: runs and cards from then go on as they are."""
    before = Preprocessing(lattice="as-before", mask_edges="sharp")
    settings = TrainingSettings(preprocessing=before)
    assert settings.identity() == "8991047b06619812395a1d3a82f517f52d62cf8e320369940ac674a413d36c8e"
    sequential = TrainingSettings(epochs=3, mode="sequential", preprocessing=before)
    assert sequential.identity() == "48f64f0689a679f9b879b22fc658597a603b8087356e564a767e197f1c4bd5d3"
    assert not {"initial_weights", "reconstruct"} & set(settings.to_card())
    assert not {"lattice", "mask_edges"} & set(settings.to_card()["preprocessing"])
    assert TrainingSettings().identity() != settings.identity()
    assert TrainingSettings.from_card(settings.to_card()) == settings


def test_settings_survive_json():
    unusual = TrainingSettings(
        epochs=3,
        betas=(0.8, 0.99),
        loss=LossWeights(0.1, 0.2, 0.3, 0.4),
        rotations=(5.0,),
        architecture=Architecture(patch_size=32, norm="before"),
        preprocessing=Preprocessing(patch_size=32, in_plane_spacing_mm=None),
        mode="sequential",
        patience=7,
        device="cpu",
        initial_weights="torch",
        reconstruct="gtv",
    )
    assert TrainingSettings.from_card(json.loads(json.dumps(unusual.to_card()))) == unusual


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.pop("seed"),
        lambda card: card.update(unknown=1),
        lambda card: card.update(epochs="many"),
        lambda card: card["loss"].update(unknown=1),
        lambda card: card["architecture"].update(filters=-1),
    ],
)
def test_settings_that_are_not_ours_are_refused(change):
    card = TrainingSettings().to_card()
    change(card)
    with pytest.raises(InputError):
        TrainingSettings.from_card(card)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 1},
        {"mode": "both"},
        {"imbalance": "some"},
        {"device": "tpu"},
        {"patience": 0},
        {"learning_rate": 0},
        {"betas": (0.9, 1.0)},
        {"seed": -1},
        {"seed": 2**64},
        {"threads": 0},
        {"architecture": Architecture(patch_size=32)},
        {"initial_weights": "zeros"},
        {"reconstruct": "nothing"},
        {"rotations": (0.0,)},
        {"rotations": (1e-9,)},
        {"rotations": (-360.0,)},
        {"rotations": (720.0,)},
        {"rotations": (1e9,)},
        {"rotations": (float("nan"),)},
        {"rotations": (10.0, 10.0)},
        {"rotations": (-45.0, 315.0)},
    ],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(InputError):
        TrainingSettings(**wrong)


@pytest.mark.parametrize("rotations", [(), (-45.0,), (90.0, 180.0, 270.0), (359.0, 1.0), (10.0, 10.5)])
def test_other_turns_are_copies(rotations):
    assert TrainingSettings(rotations=rotations).rotations == rotations


def test_what_is_kept_of_a_run_does_not_make_it_another_one():
    settings = TrainingSettings()
    assert replace(settings, checkpoint_seconds=1, pictures_every=5).identity() == settings.identity()
    assert settings.with_seed(1).identity() != settings.identity()
    changes = [
        {"loss": LossWeights(0.5)},
        {"initial_weights": "torch"},
        {"reconstruct": "gtv"},
        {"preprocessing": Preprocessing(mask_rule="half")},
        {"preprocessing": Preprocessing(large_lesion="fill")},
        {"preprocessing": Preprocessing(answering_slice="middle")},
        {"preprocessing": Preprocessing(percentiles=(0, 100))},
    ]
    others = {replace(settings, **change).identity() for change in changes}
    assert len(others - {settings.identity()}) == len(changes)


@pytest.mark.parametrize("weights", [(-0.1, 1, 1, 1), (float("nan"),), (1, float("inf")), (0, 0, 0, 0)])
def test_losses_that_weigh_nothing_or_less_are_refused(weights):
    with pytest.raises(InputError, match="weights of the loss"):
        LossWeights(*weights)


def test_sequential_training_has_as_many_epochs_for_each_phase():
    settings = TrainingSettings(epochs=3, mode="sequential")
    assert settings.all_epochs == 6
    assert [settings.phase_of(n) for n in range(1, 7)] == ["autoencoder"] * 3 + ["classifier"] * 3


def test_settings_do_not_need_torch():
    code = "import sys, PulsarCAMLib.systems.autoencoder.learning.settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
