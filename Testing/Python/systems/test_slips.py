"""A slip in a system's own code is one sentence that names the system and what is wrong."""

import numpy as np
import pytest
import torch
from stranger import STRANGER, Stranger
from torch import nn

from PulsarCAMLib.cli import main
from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.errors import BundleError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.systems.contract import Copy, LabelledUnit, NoSizes
from PulsarCAMLib.systems.learning.learner import TrainingSamples
from PulsarCAMLib.systems.registry import register, unregister
from PulsarCAMLib.training.trial import train_trial
from PulsarCAMLib.training.units.samples import collect_samples


@pytest.fixture(autouse=True)
def forgotten():
    yield
    unregister(STRANGER.name)


def samples(count=6):
    images = np.random.default_rng(0).normal(size=(count, 2, 6, 6, 6)).astype(np.float32)
    labels, names = np.arange(count) % 3, np.array([f"P{n}" for n in range(count)])
    return TrainingSamples(images, np.ones((count, 1, 6, 6, 6), bool), labels, names, names, np.zeros(count))


class Net(nn.Module):
    """``outputs`` logits of ``channels`` channels."""

    def __init__(self, outputs=3, channels=2):
        super().__init__()
        self.features = nn.Conv3d(channels, 2, 1)
        self.head = nn.Linear(2, outputs)

    def forward(self, images, masks):
        return self.head(self.features(images).mean(dim=(2, 3, 4)))


@pytest.mark.parametrize(
    ("net", "says"),
    [
        ({"outputs": 2}, r"gives logits of shape 1 x 2 for 1 sample.*“size” has 3 classes, so 1 x 3 are needed"),
        ({"outputs": 4}, "gives logits of shape 1 x 4"),
        (
            {"channels": 1},
            r"fails on its own samples \(images 1 x 2 x 6 x 6 x 6, masks 1 x 1 x 6 x 6 x 6; Run",
        ),
    ],
)
def test_a_network_that_does_not_fit_is_told_before_anything_is_trained(tmp_path, net, says):
    class Wrong(Stranger):
        def network(self, architecture, preprocessing):
            return Net(**net)

    settings = register(Wrong()).training_settings(epochs=1, batch_size=2)
    with pytest.raises(BundleError, match=f"The network of the system stranger {says}"):
        train_trial(samples(), settings, tmp_path / "trial")
    assert list(tmp_path.iterdir()) == []


def explained(system, method, member=None):
    member = member or Net()
    own = samples(1)
    return system.explain(system.predictor([member]), own.images, own.masks, [method])


def test_a_map_of_a_layer_that_was_not_named_and_a_layer_that_is_not_there():
    class Silent(Stranger):
        explained_layer = Stranger.__mro__[2].explained_layer

    class Wrong(Stranger):
        def explained_layer(self, network):
            return network.nothing

    with pytest.raises(BundleError, match="stranger offers a map of a layer's features and does not say of which"):
        explained(Silent(), "gradcam")
    with pytest.raises(BundleError, match=r"The map method Grad-CAM of the system stranger fails .*nothing"):
        explained(Wrong(), "gradcam")


def test_a_map_or_an_answer_of_another_shape_is_not_put_anywhere(monkeypatch):
    saliency = STRANGER.maps[0]

    def flat(evidence):
        return {name: torch.zeros(1, 1, 5) for name in STRANGER.task.names}

    class Flat(Stranger):
        maps = (type(saliency)(**{**vars(saliency), "compute": flat}),)

    with pytest.raises(BundleError, match="Saliency of the system stranger gives a map of shape 1 x 1 x 5"):
        explained(Flat(), "saliency")
    with pytest.raises(BundleError, match="gives logits of shape 1 x 1 x 2"):
        explained(STRANGER, "saliency", Net(outputs=2))


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        (((6, 6, 6), (5, 6, 6)), "makes samples of different shapes, 2 x 5 x 6 x 6"),
        (((6, 6, 6),), "mask does not fit"),
    ],
)
def test_copies_that_do_not_fit_together(sizes, says):
    class Wrong(Stranger):
        def copies(self, unit, settings, *, only_original=False):
            for size in sizes:
                mask = (1, *size) if len(sizes) > 1 else size
                yield Copy(np.zeros((2, *size), np.float32), np.ones(mask, bool))

    case = Case({"flair": Image(np.ones((4, 4, 4)), VolumeGeometry((4, 4, 4), (1, 1, 1), (0, 0, 0)))})
    with pytest.raises(BundleError, match=f"The system stranger .*{says}"):
        collect_samples([LabelledUnit("P1", case, "P1", 0)], Wrong(), None)


def test_a_system_that_does_not_say_what_it_is_asked_is_refused_wherever_it_comes_from(monkeypatch, capsys):
    class Nameless(Stranger):
        pass

    monkeypatch.delattr(Stranger, "title")
    with pytest.raises(BundleError, match="The system stranger does not say its title"):
        register(Nameless())


def test_a_fault_while_options_are_made_is_a_sentence_as_well(monkeypatch, capsys):
    from PulsarCAMLib.cli import parser

    def broken(system=None):
        raise BundleError("The system x does not say its title.")

    monkeypatch.setattr(parser, "make_parser", broken)
    assert main(["models"]) == 4
    assert capsys.readouterr().err == "pulsarcam: error: The system x does not say its title.\n"


def test_networks_of_the_right_shape_pass(tmp_path):
    settings = register(STRANGER).training_settings(epochs=1, batch_size=2)
    assert train_trial(samples(), settings, tmp_path / "trial").epochs == 1
    assert NoSizes("stranger") == settings.architecture
