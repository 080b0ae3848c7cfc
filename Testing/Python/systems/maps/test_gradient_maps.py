"""Saliency, SmoothGrad and integrated gradients: known answers, and captum as referee, in double precision."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, NoiseTunnel, Saliency
from making_networks import SIZE, Linear, Smooth, a_system, evidence_of
from torch import nn

from PulsarCAMLib.systems.maps.gradients import (
    INTEGRATED_GRADIENTS,
    SALIENCY,
    SMOOTHGRAD,
    input_gradients,
    integrated_gradients,
    smooth_gradients,
)

CLASSES = ("one", "two", "three")


@pytest.fixture
def evidence():
    return evidence_of(Smooth())


def of_class(found, n):
    return found[n][0].detach().numpy()


def test_gradients_are_those_of_captum(evidence):
    member = evidence.members[0]
    found = input_gradients(evidence, member, evidence.images)
    for n in range(3):
        wanted = Saliency(member).attribute(evidence.images.clone(), target=n, abs=False)
        np.testing.assert_allclose(of_class(found, n), wanted[0].numpy(), rtol=1e-9, atol=1e-14)


def test_saliency_is_the_largest_over_the_channels_that_are_asked_for(evidence):
    member = evidence.members[0]
    maps = SALIENCY.compute(evidence)
    for n, name in enumerate(CLASSES):
        wanted = Saliency(member).attribute(evidence.images.clone(), target=n)[0].numpy()
        np.testing.assert_allclose(maps[name][0, 0].numpy(), wanted.max(axis=0), rtol=1e-9)
        for role, channels in evidence.inputs.items():
            np.testing.assert_allclose(maps[name, role][0, 0].numpy(), wanted[list(channels)].max(axis=0), rtol=1e-9)


def test_smoothgrad_without_noise_is_saliency_and_with_noise_its_mean_over_the_same_copies(evidence, monkeypatch):
    from PulsarCAMLib.systems.maps import gradients

    member, image = evidence.members[0], evidence.images
    still = smooth_gradients(evidence, member, 3, 0.0, 0)
    np.testing.assert_allclose(of_class(still, 1), of_class(input_gradients(evidence, member, image), 1), rtol=1e-9)
    found = smooth_gradients(evidence, member, 5, 0.2, 7)
    drawn = torch.Generator().manual_seed(7)
    deviation = 0.2 * (image.amax(dim=(2, 3, 4), keepdim=True) - image.amin(dim=(2, 3, 4), keepdim=True))
    copies = [image + deviation * torch.randn(image.shape, generator=drawn, dtype=torch.float64) for _ in range(5)]
    wanted = np.mean([of_class(input_gradients(evidence, member, copy), 2) for copy in copies], axis=0)
    np.testing.assert_allclose(of_class(found, 2), wanted, rtol=1e-9)
    monkeypatch.setattr(gradients, "VOXELS_AT_ONCE", 1)  # one at a time
    np.testing.assert_allclose(of_class(smooth_gradients(evidence, member, 5, 0.2, 7), 2), wanted, rtol=1e-9)


def test_smoothgrad_comes_near_to_captums_of_other_noise(evidence):
    """The noise is drawn otherwise there, so that the two agree as closely as the noise lets them."""
    alike = evidence_of(Smooth(), images=evidence.images[:, :1].repeat(1, 3, 1, 1, 1))
    member = alike.members[0]
    deviation = 2 * float(np.ptp(alike.images.numpy()))
    found = of_class(smooth_gradients(alike, member, 300, 2.0, 0), 0)
    torch.manual_seed(0)
    settings = {"nt_samples": 300, "nt_samples_batch_size": 100, "stdevs": deviation, "target": 0, "abs": False}
    wanted = NoiseTunnel(Saliency(member)).attribute(alike.images.clone(), **settings)[0].numpy()
    plain = of_class(input_gradients(alike, member, alike.images), 0)
    assert np.abs(found - wanted).mean() < 0.4 * np.abs(plain - wanted).mean()


def test_the_same_seed_gives_the_same_map_and_another_does_not(evidence):
    member = evidence.members[0]
    first, again, other = (of_class(smooth_gradients(evidence, member, 2, 0.2, seed), 0) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_integrated_gradients_of_a_linear_network_are_its_weights_times_the_image():
    evidence = evidence_of(Linear())
    member = evidence.members[0]
    found = integrated_gradients(evidence, member, 1)
    for n in range(3):
        wanted = member.head.weight[n].reshape(evidence.images[0].shape) * evidence.images[0]
        np.testing.assert_allclose(of_class(found, n), wanted.detach().numpy(), rtol=1e-12)


def test_integrated_gradients_are_complete_and_those_of_captum(evidence):
    member, image = evidence.members[0], evidence.images
    found = integrated_gradients(evidence, member, 32)
    with torch.no_grad():
        difference = (member(image) - member(torch.zeros_like(image)))[0].numpy()
    np.testing.assert_allclose([of_class(found, n).sum() for n in range(3)], difference, rtol=1e-9)
    for n in range(3):
        wanted = IntegratedGradients(member).attribute(image.clone(), target=n, n_steps=32)
        np.testing.assert_allclose(of_class(found, n), wanted[0].numpy(), rtol=1e-7, atol=1e-12)


def test_too_few_steps_are_not_complete(evidence):
    member, image = evidence.members[0], evidence.images
    with torch.no_grad():
        difference = (member(image) - member(torch.zeros_like(image)))[0, 0].item()
    assert of_class(integrated_gradients(evidence, member, 1), 0).sum() != pytest.approx(difference, rel=1e-4)


@pytest.mark.parametrize("method", [SALIENCY, SMOOTHGRAD, INTEGRATED_GRADIENTS], ids=lambda method: method.name)
def test_a_network_that_reads_one_channel_has_maps_of_its_input_only(method):
    evidence = evidence_of(Smooth(reads=(1,)))
    maps = method.compute(evidence)
    for name in CLASSES:
        assert maps[name, "middle"].any()
        assert not maps[name, "outer"].any()
        np.testing.assert_array_equal(maps[name].numpy(), maps[name, "middle"].numpy())
        assert maps[name].shape == (1, 1, *SIZE)
        assert (maps[name] >= 0).all()


@pytest.mark.parametrize("method", [SALIENCY, SMOOTHGRAD, INTEGRATED_GRADIENTS], ids=lambda method: method.name)
def test_without_several_inputs_there_are_only_maps_of_all(method):
    assert list(method.compute(evidence_of(Smooth(), inputs={}))) == list(CLASSES)


def test_a_network_with_one_output_answers_for_both_classes():
    class One(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Smooth()

        def forward(self, images, masks=None):
            return self.inner(images)[:, 0]

    evidence = evidence_of(One(), system=a_system(("no", "yes")))
    no, yes = (each[0].numpy() for each in input_gradients(evidence, evidence.members[0], evidence.images))
    np.testing.assert_array_equal(no, -yes)
    inner = evidence_of(evidence.members[0].inner)
    wanted = of_class(input_gradients(inner, inner.members[0], inner.images), 0)
    np.testing.assert_allclose(yes, wanted, rtol=1e-12)


@pytest.mark.parametrize("method", [SMOOTHGRAD, INTEGRATED_GRADIENTS], ids=lambda method: method.name)
def test_what_takes_long_tells_how_far_it_is_and_can_be_stopped(method, monkeypatch):
    from PulsarCAMLib.systems.maps import gradients

    monkeypatch.setattr(gradients, "VOXELS_AT_ONCE", 3 * 6 * 5 * 7 * 8)  # eight copies at once
    told = []
    method.compute(replace(evidence_of(Smooth(), Smooth()), tell=told.append))
    assert told == sorted(told)
    assert len(told) == 2 * method.cost / 8
    assert told[-1] == pytest.approx(1)

    def stop(fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        method.compute(replace(evidence_of(Smooth()), tell=stop))


def test_what_a_method_costs_grows_with_the_classes():
    """One pass forward, and one back, which is as long as two, for every class."""
    assert SALIENCY.passes(4) == 9
    assert SMOOTHGRAD.passes(2) == 16 * 5
    assert INTEGRATED_GRADIENTS.passes(2) == 32 * 5


def test_maps_of_integrated_gradients_are_what_speaks_for_the_class_after_adding_up_the_channels(evidence):
    maps = INTEGRATED_GRADIENTS.compute(evidence)
    whole = integrated_gradients(evidence, evidence.members[0], 32)
    for n, name in enumerate(CLASSES):
        shares = of_class(whole, n)
        np.testing.assert_allclose(maps[name][0, 0].numpy(), np.maximum(shares.sum(axis=0), 0), rtol=1e-12)
        wanted = np.maximum(shares[[0, 2]].sum(axis=0), 0)
        np.testing.assert_allclose(maps[name, "outer"][0, 0].numpy(), wanted, rtol=1e-12)
