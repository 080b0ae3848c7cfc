import numpy as np
import pytest
import torch
from making_models import random_member, random_members, random_patches

from PulsarCAMLib.core.errors import BundleError
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.model.ensemble import Ensemble

VARIANTS = [
    Architecture(),
    Architecture(filters=8, features=3, dense_units=7),
    Architecture(dense_activation="linear"),
    Architecture(norm="before"),
    Architecture(norm="before", dense_activation="linear"),
]


@pytest.mark.parametrize("architecture", VARIANTS, ids=str)
def test_the_ensemble_gives_each_members_own_logits_and_features(architecture):
    members = [m.double() for m in random_members(3, architecture)]
    ensemble = Ensemble(members)
    images, masks = random_patches(7)
    images = images.double()
    masked, _ = ensemble.masked_features(images, masks)
    logits, _ = ensemble.head(masked)
    for k, member in enumerate(members):
        out = member(images, masks)
        torch.testing.assert_close(masked[k].reshape(out.masked.shape), out.masked, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(logits[k], out.logits, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("architecture", VARIANTS, ids=str)
@pytest.mark.parametrize("sharpness", [1.0, 300.0])
def test_the_closed_gradient_is_autograds(architecture, sharpness):
    members = [m.double() for m in random_members(2, architecture, sharpness)]
    ensemble = Ensemble(members)
    images, masks = random_patches(6)
    masked, _ = ensemble.masked_features(images.double(), masks)
    _, gradient = ensemble.head(masked)
    for k, member in enumerate(members):
        a = masked[k].reshape(6, architecture.features, 16, 16).clone().requires_grad_()
        (wanted,) = torch.autograd.grad(member.classify(a).sum(), a)
        torch.testing.assert_close(gradient[k].reshape(wanted.shape), wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("threads", [1, 2])
def test_chunks_give_the_same_whatever_the_threads_and_the_order(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        ensemble = Ensemble(random_members(3))
        images, masks = (t.numpy() for t in random_patches(61))
        seen = []
        parts = list(ensemble.in_chunks(ensemble.logits, images, masks, seen.append))
        assert len(parts) == 2
        assert seen[-1] == 61
        assert seen == sorted(seen)
        whole = ensemble.logits(torch.from_numpy(images), torch.from_numpy(masks))
        np.testing.assert_allclose(torch.cat(parts, 1).numpy(), whole.numpy(), rtol=1e-4, atol=1e-5)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_an_error_between_chunks_ends_the_run_and_frees_the_threads():
    ensemble = Ensemble(random_members(2))
    images, masks = (t.numpy() for t in random_patches(40))
    before = torch.get_num_threads()

    def stop(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(ensemble.in_chunks(ensemble.logits, images, masks, stop))
    assert torch.get_num_threads() == before


def test_members_of_different_sizes_are_no_ensemble():
    with pytest.raises(BundleError):
        Ensemble([random_member(0), random_member(1, Architecture(filters=8))])
    with pytest.raises(BundleError):
        Ensemble([])


def test_an_ensemble_changes_its_precision_with_its_members():
    ensemble = Ensemble(random_members(2))
    assert ensemble.to(torch.float64).dtype == torch.float64
    assert ensemble.encode_1.dtype == torch.float64
