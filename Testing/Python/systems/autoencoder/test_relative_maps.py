"""Relative maps: the closed form beside autograd, what their rest means, and what they show that the others cannot.

Referees: float64 autograd, integrated gradients by numerical integration, and captum's DeepLift.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from making_models import random_members, random_patches
from torch import nn

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.autoencoder.maps.closed_form import Evidence, class_maps
from PulsarCAMLib.systems.autoencoder.maps.compute import explain_patches
from PulsarCAMLib.systems.autoencoder.maps.relative import RelativeSettings, reference_section, with_reference
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.model.ensemble import Ensemble

RELATIVE = ("pixelwise-relative", "gradcam-relative")
SIGN = {"non-response": -1, "response": 1}
LESION = dict.fromkeys(RELATIVE, RelativeSettings("lesion"))
SMALL = Architecture(filters=4, features=3, dense_units=9)


def explained(choices=None, architecture=SMALL, sharpness=1.0, count=7, near=False):
    """Members with a reference; ``near``: so near to the lesions that no unit of the head switches on the way."""
    images, masks = random_patches(count)
    members = [each.double() for each in random_members(2, architecture, sharpness)]
    members = with_reference(members, images.double().numpy(), masks.numpy())
    if near:
        with torch.no_grad():
            for member in members:
                member.dense.weight *= 1e-3
    ensemble = Ensemble(members)
    found = explain_patches(ensemble, images.double().numpy(), masks.numpy(), (*RELATIVE, "pixelwise"), choices=choices)
    return members, images.double(), masks, found


def features_of(member, image, mask, kind):
    """A and R M ``[1, features, c, c]``, and M, by the modules themselves."""
    out = member(image, mask)
    a, cells = out.masked.detach(), out.cells
    r = a.sum(dim=(2, 3)) / cells.sum().clamp(min=1) if kind == "lesion" else member.reference[None]
    return a, r[:, :, None, None] * cells, cells


def signed_of(found, method):
    return found.maps[method, "response"] - found.maps[method, "non-response"]


def close(found, wanted, tolerance=1e-11):
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * max(np.abs(wanted).max(), 1e-3))


def units_of(member, a):
    """What the head's kinks look at ``[units]``, and the factor c behind each (method.md 2.1)."""
    norm = member.norm
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    u = member.dense(a.flatten(1))[0]
    if member.architecture.norm == "before":
        return (u - norm.running_mean) * scale + norm.bias, member.logit.weight[0]
    return u, member.logit.weight[0] * scale


@pytest.mark.parametrize("norm", ["after", "before"])
@pytest.mark.parametrize("kind", ["cohort", "lesion"])
@pytest.mark.parametrize("sharpness", [1.0, 1000.0])
def test_relative_maps_are_autograds(norm, kind, sharpness):
    choices = LESION if kind == "lesion" else None
    members, images, masks, found = explained(choices, replace(SMALL, norm=norm), sharpness, 5)
    for k, member in enumerate(members):
        for n in range(len(images)):
            a, r, cells = features_of(member, images[[n]], masks[[n]], kind)
            leaf = a.clone().requires_grad_()
            (g,) = torch.autograd.grad(member.classify(leaf * cells).sum(), leaf)
            less = a - r
            weights = g.mean((2, 3), keepdim=True)
            for name, sign in SIGN.items():
                close(found.maps["pixelwise-relative", name][k, n], torch.relu(sign * (g * less).sum(1))[0].numpy())
                close(found.maps["gradcam-relative", name][k, n], torch.relu(sign * (weights * less).sum(1))[0].numpy())


@pytest.mark.parametrize("kind", ["cohort", "lesion"])
def test_the_rest_is_the_logit_of_a_lesion_with_reference_features_where_no_unit_switches(kind):
    members, images, masks, found = explained(LESION if kind == "lesion" else None, near=True)
    for k, member in enumerate(members):
        for n in range(len(images)):
            a, r, _ = features_of(member, images[[n]], masks[[n]], kind)
            assert ((units_of(member, a)[0] > 0) == (units_of(member, r)[0] > 0)).all()
            rest = found.logits[k, n] - signed_of(found, "pixelwise-relative")[k, n].sum()
            close(rest, member.classify(r).item(), 1e-12)


@pytest.mark.parametrize("norm", ["after", "before"])
@pytest.mark.parametrize("kind", ["cohort", "lesion"])
def test_elsewhere_the_rest_differs_by_the_units_that_switch_and_by_no_more_than_the_bound(norm, kind):
    choices = LESION if kind == "lesion" else None
    members, images, masks, found = explained(choices, replace(SMALL, dense_units=64, norm=norm))
    switched = 0
    for k, member in enumerate(members):
        for n in range(len(images)):
            a, r, _ = features_of(member, images[[n]], masks[[n]], kind)
            (at, c), (there, _) = units_of(member, a), units_of(member, r)
            flips = (at > 0) != (there > 0)
            switched += int(flips.sum())
            rest = found.logits[k, n] - signed_of(found, "pixelwise-relative")[k, n].sum()
            apart = rest - member.classify(r).item()
            close(apart, (c * there * ((at > 0).double() - (there > 0).double())).sum().item(), 1e-9)
            assert abs(apart) <= (c.abs() * (at - there).abs())[flips].sum().item() + 1e-12
            assert flips.any() or abs(apart) < 1e-12
    assert switched > 5


class Head(nn.Module):
    """Response from A by the member's own modules; the ReLU as a module, for captum hooks it."""

    def __init__(self, member):
        super().__init__()
        self.member, self.relu = member, nn.ReLU()

    def forward(self, a):
        u = self.member.dense(a.flatten(1))
        hidden = self.relu(self.member.norm(u)) if self.member.architecture.norm == "before" else None
        hidden = self.member.norm(self.relu(u)) if hidden is None else hidden
        return self.member.logit(hidden)


def integrated(member, a, r, steps=4000):
    """Integrated gradients from R M to A by the midpoint rule, summed over features ``[c, c]``."""
    t = ((torch.arange(steps, dtype=a.dtype) + 0.5) / steps)[:, None, None, None]
    path = (r + t * (a - r)).requires_grad_()
    (g,) = torch.autograd.grad(member.classify(path).sum(), path)
    return (g.mean(0) * (a - r)[0]).sum(0)


def with_mean_slopes(member, a, r):
    """What method.md 2.7 says both integrated gradients and DeepLift are here: slopes of the ReLU's chord."""
    (at, c), (there, _) = units_of(member, a), units_of(member, r)
    apart = at - there
    chord = torch.where(apart.abs() > 0, (torch.relu(at) - torch.relu(there)) / apart, (at > 0).to(at))
    norm = member.norm
    inner = 1.0
    if member.architecture.norm == "before":
        inner = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    g = ((c * chord * inner) @ member.dense.weight).view(a.shape[1:])
    return (g * (a - r)[0]).sum(0)


@pytest.mark.parametrize("norm", ["after", "before"])
def test_they_are_integrated_gradients_and_deeplift_where_no_unit_switches(norm):
    members, images, masks, found = explained(architecture=replace(SMALL, norm=norm), near=True)
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    for k, member in enumerate(members):
        a, r, _ = features_of(member, images[[4]], masks[[4]], "cohort")
        ours = signed_of(found, "pixelwise-relative")[k, 4]
        close(integrated(member, a, r, 8).detach().numpy(), ours, 1e-10)
        theirs = attr.DeepLift(Head(member)).attribute(a, baselines=r).sum(1)[0]
        close(theirs.detach().numpy(), ours, 1e-9)


@pytest.mark.parametrize("norm", ["after", "before"])
def test_elsewhere_both_take_the_chord_of_each_relu_and_end_at_the_logit_of_the_reference(norm):
    members, images, masks, found = explained(architecture=replace(SMALL, dense_units=40, norm=norm))
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    for k, member in enumerate(members):
        a, r, _ = features_of(member, images[[4]], masks[[4]], "cohort")
        chords = with_mean_slopes(member, a, r).detach().numpy()
        assert np.abs(chords - signed_of(found, "pixelwise-relative")[k, 4]).max() > 1e-3 * np.abs(chords).max()
        close(chords.sum(), (member.classify(a) - member.classify(r)).item(), 1e-10)
        close(integrated(member, a, r).detach().numpy(), chords, 2e-3)
        theirs = attr.DeepLift(Head(member)).attribute(a, baselines=r).sum(1)[0]
        close(theirs.detach().numpy(), chords, 1e-8)


def by_hand(features, gradient, cohort=None, choices=None):
    """Evidence of one member and one lesion with four cells, three of them inside; features ``[K, 4]``."""
    cells = torch.tensor([[1.0, 1.0, 1.0, 0.0]], dtype=torch.float64)
    a = torch.tensor([[features]], dtype=torch.float64) * cells
    g = torch.tensor([[gradient]], dtype=torch.float64) * cells
    r = None if cohort is None else torch.tensor([cohort], dtype=torch.float64)
    return Evidence((a * g).sum((2, 3)), a, g, None, cells, r, choices or {})


def test_a_missing_part_that_speaks_for_non_response_is_lit_by_the_relative_maps_alone():
    """Feature 1 is the rim, which speaks for response; cell 2 lacks it, and nothing else tells."""
    rim, other = [2.0, 2.0, 0.0, 2.0], [1.0, 1.0, 1.0, 1.0]
    gradient = [[0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0]]
    evidence = by_hand([rim, other], gradient, cohort=[1.5, 0.7])
    for method in ("pixelwise", "gradcam", "gradcam++"):
        assert not class_maps(evidence, method)["non-response"].any()
    lit = class_maps(evidence, "pixelwise-relative")
    np.testing.assert_allclose(lit["non-response"][0, 0], [0, 0, 0.75, 0])
    np.testing.assert_allclose(lit["response"][0, 0], [0.25, 0.25, 0, 0])
    w = 3 * 0.5 / 4  # the mean is over all four cells
    lit = class_maps(evidence, "gradcam-relative")
    np.testing.assert_allclose(lit["non-response"][0, 0], [0, 0, 1.5 * w, 0])
    own = by_hand([rim, other], gradient, [1.5, 0.7], LESION)
    np.testing.assert_allclose(class_maps(own, "pixelwise-relative")["non-response"][0, 0], [0, 0, 2 / 3, 0])
    none_kept = by_hand([rim, other], gradient)  # as the lesion's own mean
    for method in RELATIVE:
        for name in SIGN:
            assert torch.equal(class_maps(none_kept, method)[name], class_maps(own, method)[name])


def test_a_lesion_that_looks_like_its_reference_has_empty_maps():
    evidence = by_hand([[2.0] * 4, [1.0] * 4], [[0.5] * 4, [-3.0] * 4], cohort=[2.0, 1.0])
    for method in RELATIVE:
        assert not any(values.any() for values in class_maps(evidence, method).values())


def test_they_are_zero_outside_and_for_an_empty_mask():
    _, _, masks, found = explained()
    on = masks.numpy().reshape(len(masks), 16, 4, 16, 4).any(axis=(2, 4))
    assert not on[0].any()
    for method in RELATIVE:
        for name in SIGN:
            maps = found.maps[method, name]
            assert np.isfinite(maps).all()
            assert maps[:, 1:].any()
            assert not maps[:, ~on].any()
    _, _, _, own = explained(LESION)
    assert not own.maps["pixelwise-relative", "response"][:, :2].any()  # nothing, and one cell that is its own mean


def test_the_reference_is_the_mean_over_the_cells_of_all_lesions():
    (member,) = random_members(1, SMALL)
    images, masks = random_patches(70)
    section = reference_section([member], images.numpy(), masks.numpy())
    with torch.no_grad():
        out = member(images, masks)
        inside = out.cells[:, 0] > 0
        wanted = out.features.movedim(1, -1)[inside].double().mean(0)
    np.testing.assert_allclose(section["features"][0], wanted, rtol=1e-5)
    assert (section["lesions"], section["cells"]) == (70, int(inside.sum()))


def test_the_papers_maps_do_not_know_of_a_reference():
    _, images, masks, found = explained()
    plain = Ensemble([each.double() for each in random_members(2, SMALL)])
    assert plain.reference is None
    alone = explain_patches(plain, images.numpy(), masks.numpy(), ["pixelwise"])
    for name in SIGN:
        assert np.array_equal(alone.maps["pixelwise", name], found.maps["pixelwise", name])
    with pytest.raises(InputError, match="does not keep the mean features of its training lesions"):
        explain_patches(
            plain, images.numpy(), masks.numpy(), RELATIVE, choices={RELATIVE[1]: RelativeSettings("cohort")}
        )


def test_a_model_drawn_anew_is_compared_by_a_reference_of_its_own():
    from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER

    members, images, masks, _ = explained()
    judged, given = Ensemble(members), (images.numpy(), masks.numpy())
    head = Ensemble(AUTOENCODER.with_new_layers(members, ("logit",), 0))
    assert torch.equal(head.reference, judged.reference)
    assert AUTOENCODER.referenced(head, judged, *given) is head
    encoder = Ensemble(AUTOENCODER.with_new_layers(members, ("logit", "encode_1"), 0))
    assert encoder.reference is None
    own = AUTOENCODER.referenced(encoder, judged, *given)
    wanted = reference_section(encoder.members, *given)["features"]
    np.testing.assert_allclose(own.reference, wanted)
    assert encoder.reference is None
    plain = Ensemble(random_members(2, SMALL))
    assert AUTOENCODER.referenced(encoder, plain, *given) is encoder
