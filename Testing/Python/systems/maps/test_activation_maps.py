"""Grad-CAM, Grad-CAM++ and HiResCAM at two depths: known answers, with captum and MONAI as referees."""

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from making_networks import Smooth, evidence_of
from monai.visualize import GradCAM, GradCAMpp
from torch import nn

from PulsarCAMLib.systems.maps.cams import GRADCAM, GRADCAM_PLUS_PLUS, HIRESCAM, SHALLOW, at_depth, layer_gradients

CLASSES = ("one", "two", "three")
DEPTHS = {"": "deep", SHALLOW: "shallow"}


AS_IT_IS = {"upsampler": lambda size: lambda heat: heat, "postprocessing": lambda heat: heat}
"""For MONAI: the cells' own values."""


def of(method, depth):
    return at_depth(method, depth) if depth else method


@pytest.fixture(params=[nn.ReLU, nn.Softplus], ids=["relu", "softplus"])
def evidence(request):
    return evidence_of(Smooth(unit=request.param))


@pytest.mark.parametrize("depth", DEPTHS)
def test_grad_cam_is_that_of_captum_and_monai(evidence, depth):
    member = evidence.members[0]
    maps = of(GRADCAM, depth).compute(evidence)
    theirs = GradCAM(member, target_layers=DEPTHS[depth], **AS_IT_IS)
    for n, name in enumerate(CLASSES):
        captum = LayerGradCam(member, getattr(member, DEPTHS[depth])).attribute(evidence.images.clone(), target=n)
        wanted = captum.detach().clamp(min=0).numpy()[0]
        np.testing.assert_allclose(maps[name][0].numpy(), wanted, rtol=1e-9, atol=1e-15)
        monai = theirs(evidence.images.clone(), class_idx=n).detach().clamp(min=0).numpy()[0]
        np.testing.assert_allclose(maps[name][0].numpy(), monai, rtol=1e-9, atol=1e-15)


def test_grad_cam_plus_plus_is_that_of_monai_where_gradients_are_even(evidence):
    """At the last layer before the mean every cell has the same gradient; MONAI keeps the factor exp(y).

    It also adds 1e-7 to what it divides by, so that gradients must not be tiny here.
    """
    member = evidence.members[0]
    with torch.no_grad():
        member.head.weight.mul_(300)
    maps = GRADCAM_PLUS_PLUS.compute(evidence)
    theirs = GradCAMpp(member, target_layers="deep", **AS_IT_IS)
    with torch.no_grad():
        scores = member(evidence.images)[0].exp().numpy()
    for n, name in enumerate(CLASSES):
        wanted = theirs(evidence.images.clone(), class_idx=n).detach().clamp(min=0).numpy()[0]
        np.testing.assert_allclose(maps[name][0].numpy() * scores[n], wanted, rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize("depth", DEPTHS)
def test_grad_cam_plus_plus_is_its_equation(evidence, depth):
    """alpha = g^2 / (2 g^2 + sum(A) g^3) for every cell; weights sum(alpha ReLU(g))."""
    member = evidence.members[0]
    maps = of(GRADCAM_PLUS_PLUS, depth).compute(evidence)
    pairs = layer_gradients(evidence, member, getattr(member, DEPTHS[depth]))
    for name, (gradient, features) in zip(CLASSES, pairs, strict=True):
        g, a = gradient[0].numpy(), features[0].detach().numpy()
        up = np.where(g > 0, g, 1)  # where it is not above zero, the ReLU takes it out
        alpha = up**2 / (2 * up**2 + a.sum(axis=(1, 2, 3), keepdims=True) * up**3)
        weights = (alpha * np.maximum(g, 0)).sum(axis=(1, 2, 3))
        wanted = np.maximum(np.tensordot(weights, a, axes=1), 0)
        np.testing.assert_allclose(maps[name][0, 0].numpy(), wanted, rtol=1e-9, atol=1e-15)


def test_hirescam_adds_up_to_what_a_linear_head_adds_to_its_bias(evidence):
    member = evidence.members[0]
    with torch.no_grad():
        logits = member(evidence.images)[0] - member.head.bias
    for n, (gradient, features) in enumerate(layer_gradients(evidence, member, member.deep)):
        assert (gradient * features).sum().item() == pytest.approx(logits[n].item(), rel=1e-9)
        wanted = (gradient * features).sum(dim=1).clamp(min=0).detach().numpy()
        np.testing.assert_allclose(HIRESCAM.compute(evidence)[CLASSES[n]][0].numpy(), wanted, rtol=1e-12)


def test_hirescam_differs_from_grad_cam_where_gradients_are_uneven(evidence):
    shallow = [of(method, SHALLOW).compute(evidence)["one"] for method in (GRADCAM, HIRESCAM)]
    assert not np.allclose(*[each.numpy() for each in shallow])
    deep = [method.compute(evidence)["one"].numpy() for method in (GRADCAM, HIRESCAM)]
    np.testing.assert_allclose(*deep, rtol=1e-9)


def test_depths_have_cells_of_their_own_and_say_so_in_name_title_and_equation(evidence):
    found = {method.name: method for method in (of(each, SHALLOW) for each in (GRADCAM, GRADCAM_PLUS_PLUS, HIRESCAM))}
    assert list(found) == ["gradcam-shallow", "gradcam++-shallow", "hirescam-shallow"]
    assert found["gradcam-shallow"].title == "Grad-CAM, shallow"
    assert "at the shallow layer" in found["gradcam-shallow"].equation
    assert found["gradcam-shallow"].compute(evidence)["one"].shape == (1, 1, 6, 5, 7)
    assert GRADCAM.compute(evidence)["one"].shape == (1, 1, 3, 3, 4)


def test_a_unit_that_works_in_place_changes_nothing():
    """What follows the layer overwrites its output; the map is still made of what the layer gave."""
    plain, in_place = Smooth(unit=nn.ReLU), Smooth(unit=lambda: nn.ReLU(inplace=True))
    pairs = [list(layer_gradients(evidence_of(each), each, each.shallow[0])) for each in (plain, in_place)]
    for (g, a), (h, b) in zip(*pairs, strict=True):
        np.testing.assert_array_equal(g.numpy(), h.numpy())
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
    assert (pairs[1][0][1] < 0).any()
