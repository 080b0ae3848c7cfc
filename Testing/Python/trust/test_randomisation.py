"""Layers drawn anew, in models whose layers are known."""

import numpy as np
import pytest
import torch
from linear_models import linear_ensemble
from making_models import random_members, random_patches

from PulsarCAMLib.systems.autoencoder.model.ensemble import Ensemble
from PulsarCAMLib.systems.registry import system_of
from PulsarCAMLib.trust.maps import Explainer, map_names
from PulsarCAMLib.trust.randomisation import ALL, randomised, stages_of

LAYERS = system_of().layers(None)
CASCADE = list(stages_of(LAYERS).values())[: len(LAYERS)]
EVERYTHING = stages_of(LAYERS)[ALL]


def states(ensemble):
    return [m.state_dict() for m in ensemble.members]


@pytest.mark.parametrize("layer", LAYERS)
def test_one_layer_changes_and_no_other_and_the_model_itself_never(layer):
    ensemble = Ensemble(random_members(2))
    before = [{k: v.clone() for k, v in s.items()} for s in states(ensemble)]
    after = states(randomised(system_of(), ensemble, (layer,), seed=1))
    for old, kept, new in zip(before, states(ensemble), after, strict=True):
        assert all(torch.equal(old[k], kept[k]) for k in old)
        changed = {k for k in old if not torch.equal(old[k], new[k])}
        assert changed
        assert {k.split(".")[0] for k in changed} == {layer}


def test_the_same_seed_gives_the_same_model_and_members_and_draws_differ():
    ensemble = Ensemble(random_members(1) * 2)
    first, again, other = (randomised(system_of(), ensemble, EVERYTHING, 4, draw).dense_weight for draw in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


def test_a_layer_does_not_depend_on_which_others_are_drawn():
    ensemble = Ensemble(random_members(1))
    alone, together = (randomised(system_of(), ensemble, layers, 2).dense_weight for layers in (("dense",), EVERYTHING))
    assert torch.equal(alone, together)


def test_the_cascade_goes_from_the_output_to_the_input():
    assert CASCADE[0] == ("logit",)
    assert CASCADE[2] == ("logit", "norm", "dense")
    assert list(stages_of(LAYERS))[1:6] == ["logit + norm", "logit + norm + dense",
                                            "logit + norm + dense + encode_2", "all layers", "norm"]  # fmt: skip
    assert CASCADE[-1] == EVERYTHING == LAYERS


def test_a_drawn_output_of_one_unit_scales_or_turns_the_exact_map():
    images, masks = (t.numpy()[3:] for t in random_patches(9))
    ensemble = linear_ensemble(np.random.default_rng(0).normal(size=(16, 16)))
    explainer, responds = Explainer(map_names(system_of()), np.random.default_rng(0)), np.ones(6, int)

    def signed(model):
        return explainer.maps(explainer.found(model, images, masks, responds), images, masks)["pixelwise-signed"]

    original = signed(ensemble)
    signs = set()
    for draw in range(8):
        drawn = randomised(system_of(), ensemble, ("logit",), 0, draw)
        factor = float(drawn.logit_weight.squeeze())
        signs.add(np.sign(factor))
        np.testing.assert_allclose(signed(drawn), factor * original, rtol=1e-4, atol=1e-4)
    assert signs == {-1, 1}
