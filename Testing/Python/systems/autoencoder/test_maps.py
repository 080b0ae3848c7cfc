"""The closed forms against float64 autograd, and the properties the paper's equations promise."""

import numpy as np
import pytest
import torch
from making_models import random_members, random_patches

from PulsarCAMLib.systems.autoencoder.maps.closed_form import Evidence, class_maps
from PulsarCAMLib.systems.autoencoder.maps.compute import explain_patches
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.model.ensemble import Ensemble

EVERY = ("pixelwise", "gradcam", "gradcam++", "gradcam++-sigmoid", "pixelwise-probability", "gradcam-probability")
SIGN = {"non-response": -1, "response": 1}


def explained(sharpness=1.0, count=8, architecture=None, members=2, methods=EVERY, mask_rule="any"):
    ensemble = Ensemble(random_members(members, architecture, sharpness, mask_rule)).to(torch.float64)
    images, masks = random_patches(count)
    images = images.double().numpy()
    return ensemble, images, masks.numpy(), explain_patches(ensemble, images, masks.numpy(), methods)


def features_and_score(member, image, mask):
    """P with its gradient on, M, and the score as a function of P: the gradient through the mask is gated."""
    out = member(image, mask)
    features = out.features.detach().requires_grad_()
    return features, out.cells, member.classify(features * out.cells)


def close(found, wanted, tolerance):
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * max(np.abs(wanted).max(), 1e-300))


@pytest.mark.parametrize("sharpness", [1.0, 20.0, 1000.0])
@pytest.mark.parametrize("norm", ["after", "before"])
@pytest.mark.parametrize("mask_rule", ["any", "half"])
def test_gradcam_and_pixelwise_are_autograds(sharpness, norm, mask_rule):
    ensemble, images, masks, found = explained(sharpness, architecture=Architecture(norm=norm), mask_rule=mask_rule)
    for k, member in enumerate(ensemble.members):
        for n in range(len(images)):
            p, m, s = features_and_score(member, torch.from_numpy(images[[n]]), torch.from_numpy(masks[[n]]))
            (g,) = torch.autograd.grad(s, p)
            a = (p * m).detach()
            close(found.logits[k, n], s.item(), 1e-12)
            for name, sign in SIGN.items():
                pixelwise = torch.relu(sign * (g * a).sum(1))[0].numpy()
                gradcam = torch.relu((sign * g.mean((2, 3), keepdim=True) * a).sum(1))[0].numpy()
                close(found.maps["pixelwise", name][k, n], pixelwise, 1e-11)
                close(found.maps["gradcam", name][k, n], gradcam, 1e-11)


def derivatives_at_one_cell(member, a, channel, row, column, score):
    """First to third derivative of ``score(logit)`` with respect to one A_ij^k, by autograd."""
    value = a[0, channel, row, column].clone().requires_grad_()
    at = torch.zeros_like(a)
    at[0, channel, row, column] = 1
    y = score(member.classify(a + at * (value - value.detach())))
    found = []
    for _ in range(3):
        (y,) = torch.autograd.grad(y.sum(), value, create_graph=True)
        found.append(y.item())
    return found


def by_equation_4(member, image, mask, sign, score):
    """Grad-CAM++ to the letter: alpha from second and third derivatives cell by cell (paper Eq. 3 and 4)."""
    out = member(image, mask)
    a, cells = out.masked.detach(), out.cells
    weights = torch.zeros(a.shape[1], dtype=a.dtype)
    for channel in range(a.shape[1]):
        total = a[0, channel].sum().item()
        for row, column in np.argwhere(cells[0, 0].numpy() > 0):
            d1, d2, d3 = derivatives_at_one_cell(member, a, channel, row, column, lambda s: score(sign * s))
            below = 2 * d2 + total * d3
            weights[channel] += (d2 / below if below != 0 else 0.0) * max(d1, 0.0)
    return torch.relu((weights[:, None, None] * a[0]).sum(0)).numpy()


@pytest.mark.parametrize("sharpness", [1.0, 8.0])
@pytest.mark.parametrize(("method", "score"), [("gradcam++", torch.exp), ("gradcam++-sigmoid", torch.sigmoid)])
def test_gradcam_plus_plus_is_equation_4_by_autograd(method, score, sharpness):
    architecture = Architecture(filters=4, features=2, dense_units=6)
    ensemble, images, masks, found = explained(sharpness, 5, architecture, members=2)
    for k, member in enumerate(ensemble.members):
        for n in (1, 3):
            image, mask = torch.from_numpy(images[[n]]), torch.from_numpy(masks[[n]])
            for name, sign in SIGN.items():
                wanted = by_equation_4(member, image, mask, sign, score)
                # The exp map leaves out the common factor exp(+-s) of its score.
                factor = np.exp(-sign * found.logits[k, n]) if method == "gradcam++" else 1.0
                close(found.maps[method, name][k, n], wanted * factor, 1e-8)


@pytest.mark.parametrize("sharpness", [1.0, 1000.0])
def test_the_signed_map_and_its_rest_are_the_logit(sharpness):
    _, _, _, found = explained(sharpness, members=3)
    np.testing.assert_allclose(found.signed.sum(axis=(2, 3)) + found.rest, found.logits, rtol=1e-12, atol=1e-12)
    both = found.maps["pixelwise", "response"] - found.maps["pixelwise", "non-response"]
    np.testing.assert_allclose(both, found.signed, rtol=1e-12, atol=1e-15)


def test_the_rest_is_what_the_head_says_of_an_empty_lesion_when_no_unit_switches():
    """With a linear dense layer the logit is affine in A, so the rest is the logit of A = 0 for every lesion."""
    ensemble, images, _, found = explained(architecture=Architecture(dense_activation="linear"))
    nothing = ensemble.logits(torch.from_numpy(images[:1]), torch.zeros(1, 1, 64, 64, dtype=torch.bool))
    np.testing.assert_allclose(found.rest, np.broadcast_to(nothing.numpy(), found.rest.shape), rtol=1e-9)


@pytest.mark.parametrize("method", EVERY)
def test_maps_are_zero_outside_the_lesion_and_never_negative(method):
    _, _, masks, found = explained()
    on = masks.reshape(len(masks), 16, 4, 16, 4).any(axis=(2, 4))
    for name in SIGN:
        maps = found.maps[method, name]
        assert (maps >= 0).all()
        assert not maps[:, ~on].any()


@pytest.mark.parametrize("method", EVERY)
def test_an_empty_mask_gives_empty_maps_and_finite_numbers(method):
    _, _, _, found = explained(50.0)
    for name in SIGN:
        assert np.isfinite(found.maps[method, name]).all()
        assert not found.maps[method, name][:, 0].any()


def test_saturated_scores_keep_their_maps_in_single_precision():
    """Where float32 autograd of the probability is exactly zero, the closed form still has the whole map."""
    ensemble = Ensemble(random_members(1, sharpness=5000.0))
    images, masks = random_patches(6)
    found = explain_patches(ensemble, images.numpy(), masks.numpy())
    member = ensemble.members[0]
    n = 3 + int(np.argmax(np.abs(found.logits[0, 3:])))
    assert abs(found.logits[0, n]) > 30
    a = member(images[[n]], masks[[n]]).masked.detach().requires_grad_()
    p = torch.sigmoid(member.classify(a).abs())
    assert not torch.autograd.grad(p, a)[0].any()
    assert any(found.maps["pixelwise", name][0, n].any() for name in SIGN)


def test_the_probability_maps_are_the_logit_maps_times_the_sigmoids_slope():
    _, _, _, found = explained(3.0)
    slope = (1 / (1 + np.exp(-found.logits)) / (1 + np.exp(found.logits)))[:, :, None, None]
    for name in SIGN:
        for method in ("pixelwise", "gradcam"):
            close(found.maps[f"{method}-probability", name], slope * found.maps[method, name], 1e-12)


def test_turning_the_logit_swaps_the_classes():
    ensemble, images, masks, found = explained(methods=EVERY)
    for member in ensemble.members:
        with torch.no_grad():
            member.logit.weight.neg_()
            member.logit.bias.neg_()
    turned = explain_patches(Ensemble(ensemble.members), images, masks, EVERY)
    np.testing.assert_allclose(turned.logits, -found.logits, rtol=1e-12)
    for method in EVERY:
        close(turned.maps[method, "response"], found.maps[method, "non-response"], 1e-9)


def test_the_literal_equation_4_is_empty_for_confident_predictions_and_says_so():
    """method.md 2.3: q -> 1 gives r -> -1, so alpha falls below zero wherever sum(A) g > 2."""
    g = torch.full((1, 1, 1, 4), 3.0, dtype=torch.float64)
    evidence = Evidence(torch.tensor([[9.0]], dtype=torch.float64), torch.ones(1, 1, 1, 4, dtype=torch.float64), g)
    assert not class_maps(evidence, "gradcam++-sigmoid")["response"].any()
    assert class_maps(evidence, "gradcam++")["response"].all()


def test_an_undecided_logit_has_no_literal_weights():
    evidence = Evidence(*(torch.tensor(v, dtype=torch.float64) for v in ([[0.0]], [[[[1.0]]]], [[[[2.0]]]])))
    found = class_maps(evidence, "gradcam++-sigmoid")
    assert not found["response"].any()
    assert not found["non-response"].any()
