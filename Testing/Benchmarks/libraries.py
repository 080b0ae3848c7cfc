"""(b) The same maps by the libraries that a user would otherwise take, one thread each.

They get a member as a module with one input (image and mask as channels), one score per class, and a named place
whose gradient is gated by the mask, so that their maps are ours
(Testing/Python/systems/autoencoder/test_referees.py). Each is timed with the module as it is and with a channels-last
input, image by image and in batches; its fastest time is held against ours. pytorch-grad-cam scales its maps to 0..1
and to the image's size, which cannot be switched off; captum and MONAI are asked for raw maps. grad-cam imports
torchvision, whose compiled part does not load beside a CPU build of torch: see torchvision_on_cpu.py, which declares
two operators that are never called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from making import members, patches
from measuring import Row, Times, take_turns
from torch import Tensor, nn
from torchvision_on_cpu import import_torchvision

from PulsarCAMLib.core.geometry.upsampling import upsample
from PulsarCAMLib.systems.autoencoder.maps.compute import explain_patches
from PulsarCAMLib.systems.autoencoder.model.ensemble import Ensemble
from PulsarCAMLib.systems.autoencoder.model.layout import channels_last
from PulsarCAMLib.systems.autoencoder.model.network import AutoencoderClassifier

OURS_SLICES = 480
GROUP = "(b) one member, one thread: how many times faster we are"
BATCHES = (16, 64)
Maps = Callable[[Tensor], object]


class TwoScores(nn.Module):
    """A member as the libraries want it; ``fast`` gives its first convolution a channels-last input."""

    def __init__(self, member: AutoencoderClassifier, fast: bool) -> None:
        super().__init__()
        self.member, self.fast = member, fast
        self.probe = nn.Identity()

    def forward(self, both: Tensor) -> Tensor:
        """Scores ``[n, 2]`` of non-response and response from ``[n, 2, s, s]``."""
        images = both[:, :1].contiguous()
        features = self.member.encode(channels_last(images) if self.fast else images)
        cells = nn.functional.max_pool2d(both[:, 1:], 4)
        logits = self.member.classify(self.probe(features * cells) * cells)
        return torch.stack([-logits, logits], dim=1)


def grad_cam(model: TwoScores) -> Maps:
    """Six maps by pytorch-grad-cam."""
    import_torchvision()
    from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, HiResCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    def run(inputs: Tensor) -> None:
        for method in (GradCAM, GradCAMPlusPlus, HiResCAM):
            with method(model, [model.probe]) as cam:
                for index in (0, 1):
                    cam(inputs, [ClassifierOutputTarget(index)] * len(inputs))

    return run


def captum(model: TwoScores) -> Maps:
    """Four maps by captum, which has no Grad-CAM++."""
    from captum.attr import LayerGradCam, LayerGradientXActivation

    gradcam, pixelwise = LayerGradCam(model, model.probe), LayerGradientXActivation(model, model.probe)

    def run(inputs: Tensor) -> None:
        for index in (0, 1):
            gradcam.attribute(inputs, target=index, relu_attributions=True)
            pixelwise.attribute(inputs, target=index).sum(dim=1).clamp_(min=0)

    return run


def monai(model: TwoScores) -> Maps:
    """Two maps by MONAI's GradCAM."""
    from monai.visualize import GradCAM

    cam = GradCAM(model, target_layers="probe")
    return lambda inputs: [cam.compute_map(inputs, class_idx=index) for index in (0, 1)]


def monai_plus_plus(model: TwoScores) -> Maps:
    """Two maps by MONAI's GradCAMpp; another formula than ours, and for one image at a time."""
    from monai.visualize import GradCAMpp

    cam = GradCAMpp(model, target_layers="probe")
    return lambda inputs: [cam.compute_map(inputs, class_idx=index) for index in (0, 1)]


PEERS = (
    ("pytorch-grad-cam, 3 methods x 2 classes", grad_cam, ("pixelwise", "gradcam", "gradcam++"), BATCHES, ">= 12"),
    ("captum, 2 methods x 2 classes", captum, ("pixelwise", "gradcam"), BATCHES, ">= 5"),
    ("MONAI GradCAM, 2 classes", monai, ("gradcam",), BATCHES, ">= 5"),
    ("MONAI GradCAMpp, 2 classes", monai_plus_plus, ("gradcam++",), (), ">= 5"),
)


def rows(quick: bool) -> Iterator[Row]:
    """The report's lines."""
    torch.set_num_threads(1)
    (member,) = members(1)
    images, masks = patches(OURS_SLICES)
    ensemble = Ensemble([member])
    for name, make, methods, batches, limit in PEERS:
        ours = {"ours": lambda methods=methods: explain_patches(ensemble, images, masks, methods)}
        yield from _compare(name, make, member, ours, images, masks, batches, limit, quick)
    yield _enlarged(ensemble, images, masks)


def _compare(name, make, member, ours, images, masks, batches, limit, quick) -> Iterator[Row]:
    both = torch.from_numpy(np.concatenate([images, masks.astype(np.float32)], axis=1))
    for batch in (1, *batches):
        count = max(batch, 16 if quick else 48)
        contestants, used = dict(ours), {"ours": OURS_SLICES}
        for fast in (False, True):
            try:
                run = make(TwoScores(member, fast).eval())
            except ImportError as error:
                yield Row(GROUP, f"{name}: not measured", float("nan"), "x", "", f"cannot be imported ({error})")
                return
            label = "channels last" if fast else "as it is"
            contestants[label] = lambda run=run, b=batch, n=count: [run(both[i : i + b]) for i in range(0, n, b)]
            used[label] = count
        times = take_turns(contestants, 2 if quick else 5, seconds=12)
        yield _row(f"{name}, {'image by image' if batch == 1 else f'batches of {batch}'}", times, used, limit)


def _row(what: str, times: dict[str, Times], used: dict[str, int], limit: str) -> Row:
    per_slice = {label: 1e6 * t.best / used[label] for label, t in times.items()}
    theirs = min((label for label in times if label != "ours"), key=per_slice.get)
    figures = ", ".join(f"{label} {value:.0f}" for label, value in per_slice.items())
    value = per_slice[theirs] / per_slice["ours"]
    return Row(GROUP, what, value, "x", limit, f"µs a slice: {figures}")


def _enlarged(ensemble: Ensemble, images: np.ndarray, masks: np.ndarray) -> Row:
    """With all maps enlarged, as pytorch-grad-cam always does; the product enlarges a map when it is asked for."""

    def run() -> None:
        for maps in explain_patches(ensemble, images, masks, PEERS[0][2]).maps.values():
            upsample(maps, 64)

    best = take_turns({"enlarged": run}, 3)["enlarged"].best
    return Row(GROUP, "ours with all six maps enlarged to 64 x 64", 1e6 * best / len(images), "µs", "", "per slice")
