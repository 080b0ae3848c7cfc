"""Maps by libraries that know nothing of the closed form: captum, MONAI and pytorch-grad-cam, in float64.

All run the network and its gradient by autograd. Where their conventions differ, the test says how.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from making_models import random_members, random_patches
from torch import nn

from PulsarCAMLib.core.geometry.upsampling import upsample
from PulsarCAMLib.systems.autoencoder.maps.compute import explain_patches
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.model.ensemble import Ensemble

BENCHMARKS = Path(__file__).resolve().parents[3] / "Benchmarks"
CLASSES = ("non-response", "response")
SATURATED = 2000.0
CASES = [
    pytest.param((Architecture(), 1.0), id="plain"),
    pytest.param((Architecture(), SATURATED), id="saturated"),
    pytest.param((Architecture(norm="before"), 1.0), id="norm before"),
    pytest.param((Architecture(dense_activation="linear"), 1.0), id="linear"),
    pytest.param((Architecture(filters=8, features=3, dense_units=7), 40.0), id="small"),
]


class TwoScores(nn.Module):
    """A member as the libraries want it: one input (image and mask as channels), one score per class.

    The mask is applied on both sides of ``probe``: it changes no value, and the gradient seen there is gated.
    ``unmasked`` is the obvious place to look at, the features themselves.
    """

    def __init__(self, member):
        super().__init__()
        self.member = member
        self.unmasked = nn.Identity()
        self.probe = nn.Identity()

    def forward(self, both):
        features = self.unmasked(self.member.encode(both[:, :1]))
        cells = nn.functional.max_pool2d(both[:, 1:], 4)
        logits = self.member.classify(self.probe(features * cells) * cells)
        return torch.stack([-logits, logits], dim=1)


class Case:
    """Inputs, our maps, and each member as :class:`TwoScores`."""

    def __init__(self, architecture=None, sharpness=1.0, members=3, count=9):
        ensemble = Ensemble(random_members(members, architecture, sharpness)).to(torch.float64)
        images, self.masks = random_patches(count)
        self.inputs = torch.cat([images, self.masks], dim=1).double()
        self.found = explain_patches(ensemble, images.double().numpy(), self.masks.numpy())
        self.models = [TwoScores(m) for m in ensemble.members]

    def each(self):
        """Member, its model, and class; the answers that a library has to give again."""
        for k, model in enumerate(self.models):
            for index, name in enumerate(CLASSES):
                yield k, model, index, name


def close(found, wanted, tolerance=1e-12):
    """Relative to the largest value of each slice; slices without evidence must be zero in both."""
    scale = np.abs(wanted).max(axis=(1, 2), keepdims=True)
    assert (np.abs(found - wanted) <= tolerance * scale).all()


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return Case(*request.param)


def test_the_cases_hold_what_they_should():
    saturated = Case(sharpness=SATURATED)
    assert (np.abs(saturated.found.logits) > 30).mean() > 0.9
    assert not saturated.masks[0].any()
    assert saturated.masks[1].sum() == 1
    assert saturated.masks[2].all()
    assert all(maps[:, 1:].any() for maps in saturated.found.maps.values())
    assert not any(maps[:, 0].any() for maps in saturated.found.maps.values())


def test_captum_gives_the_same_gradcam(case):
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    for k, model, index, name in case.each():
        referee = attr.LayerGradCam(model, model.probe)
        theirs = referee.attribute(case.inputs, target=index, relu_attributions=True)
        close(case.found.maps["gradcam", name][k], theirs[:, 0].detach().numpy())


def test_captum_gives_the_same_pixelwise_map(case):
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    for k, model, index, name in case.each():
        theirs = attr.LayerGradientXActivation(model, model.probe).attribute(case.inputs, target=index).sum(1)
        close(case.found.maps["pixelwise", name][k], theirs.clamp(min=0).detach().numpy())
        close(case.found.signed[k], (theirs if name == "response" else -theirs).detach().numpy())


def test_monai_gives_the_same_gradcam(case):
    visualize = pytest.importorskip("monai.visualize", reason="MONAI is not installed")
    for k, model, index, name in case.each():
        theirs = visualize.GradCAM(model, target_layers="probe").compute_map(case.inputs, class_idx=index)
        close(case.found.maps["gradcam", name][k], theirs[:, 0].detach().numpy())


@pytest.fixture(scope="module")
def grad_cam():
    """pytorch-grad-cam, which also needs torchvision beside a CPU build of torch."""
    pytest.importorskip("ttach", reason="pytorch-grad-cam is not installed (make bench installs it)")
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from torchvision_on_cpu import import_torchvision

        import_torchvision()
        return pytest.importorskip("pytorch_grad_cam", reason="pytorch-grad-cam is not installed")
    except ImportError as error:
        pytest.skip(f"pytorch-grad-cam does not import here ({error})")
    finally:
        sys.path.remove(str(BENCHMARKS))


def raw_and_shown(cam, inputs, index):
    """A library's map before and after it is scaled to 0..1 and to the image's size."""
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    targets = [ClassifierOutputTarget(index)] * len(inputs)
    shown = cam(inputs, targets)
    seen = cam.activations_and_grads
    a, g = seen.activations[0].numpy(), seen.gradients[0].numpy()
    return np.maximum(cam.get_cam_image(inputs, cam.target_layers[0], targets, a, g, False), 0), shown, a, g


@pytest.mark.parametrize(("method", "theirs"), [("gradcam", "GradCAM"), ("pixelwise", "HiResCAM")])
def test_grad_cam_gives_the_same_raw_maps(case, grad_cam, method, theirs):
    for k, model, index, name in case.each():
        with getattr(grad_cam, theirs)(model, [model.probe]) as cam:
            raw, *_ = raw_and_shown(cam, case.inputs, index)
        close(case.found.maps[method, name][k], raw)


def test_grad_cam_shows_our_map_scaled_and_enlarged(case, grad_cam):
    for k, model, index, name in case.each():
        with grad_cam.HiResCAM(model, [model.probe]) as cam:
            _, shown, *_ = raw_and_shown(cam, case.inputs, index)
        ours = upsample(case.found.maps["pixelwise", name][k], 64)
        ours -= ours.min(axis=(1, 2), keepdims=True)
        top = ours.max(axis=(1, 2), keepdims=True)
        some = top[:, 0, 0] > 1e-3  # the library adds 1e-7 to what it divides by
        assert some.any()
        np.testing.assert_allclose(shown[some], (ours / np.where(top > 0, top, 1))[some], atol=5e-4)


def test_grad_cam_gives_the_same_gradcam_plus_plus_but_for_its_epsilon(case, grad_cam):
    """It adds 1e-6 to alpha's denominator, 2 g^2 + sum(A) g^3: with it in our formula the maps are the same."""
    for k, model, index, name in case.each():
        with grad_cam.GradCAMPlusPlus(model, [model.probe]) as cam:
            raw, _, a, g = raw_and_shown(cam, case.inputs, index)
        passed, total = np.maximum(g, 0), a.sum(axis=(2, 3), keepdims=True)

        def by_formula(epsilon, passed=passed, total=total, a=a):
            below = 2 * passed**2 + total * passed**3 + epsilon
            alpha = np.divide(passed**2, below, out=np.zeros_like(passed), where=passed > 0)
            return np.maximum(((alpha * passed).sum(axis=(2, 3), keepdims=True) * a).sum(axis=1), 0)

        close(case.found.maps["gradcam++", name][k], by_formula(0.0), 1e-11)
        close(raw, by_formula(1e-6), 1e-9)


def test_grad_cam_plus_plus_agrees_where_gradients_are_not_tiny(grad_cam):
    case = Case(sharpness=SATURATED)
    for k, model, index, name in case.each():
        with grad_cam.GradCAMPlusPlus(model, [model.probe]) as cam:
            raw, *_ = raw_and_shown(cam, case.inputs, index)
        close(case.found.maps["gradcam++", name][k], raw, 1e-5)


def test_without_the_gate_a_library_lights_up_outside_the_lesion(grad_cam):
    """Why the mask is on both sides of the probe: at the features themselves Grad-CAM leaves the GTV."""
    case = Case()
    with grad_cam.GradCAM(case.models[0], [case.models[0].unmasked]) as cam:
        raw, *_ = raw_and_shown(cam, case.inputs, CLASSES.index("response"))
    cells = nn.functional.max_pool2d(case.masks.double(), 4)[:, 0].numpy()
    close(case.found.maps["gradcam", "response"][0], raw * cells)
    assert (raw * (1 - cells)).any()
