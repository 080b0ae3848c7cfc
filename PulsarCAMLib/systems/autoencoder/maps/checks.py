"""What the checks of maps are told of the autoencoder-classifier: its layers, and patches seen slightly differently."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import map_coordinates

from ....core.geometry.volume import VolumeGeometry
from ....lesions.resampling import resample
from ...contract import Turned
from ...map_checks.asked import TURNS_DEG
from ..samples.patches import LesionPatches, extract_patches
from ..samples.preprocessing import Preprocessing

if TYPE_CHECKING:
    import torch

    from ....core.case import Case
    from ..model.network import AutoencoderClassifier

LAYERS = ("logit", "norm", "dense", "encode_2", "encode_1")
"""From the output to the input; the decoder has no part in prediction or maps."""


def with_new_layers(
    members: Sequence[AutoencoderClassifier], layers: Sequence[str], seed: int, draw: int
) -> list[AutoencoderClassifier]:
    """Copies of members with some layers drawn anew, every member on its own.

    Convolutions and dense layers get what training starts from (Glorot uniform, zero biases). The norm's units change
    places, which keeps the size of its numbers.
    """
    import torch

    found = []
    for index, member in enumerate(members):
        changed = copy.deepcopy(member)
        if any(layer.startswith("encode") for layer in layers):
            changed.reference = None  # features of the encoder that was there
        for layer in layers:
            entropy = np.random.SeedSequence([seed, draw, index, LAYERS.index(layer)]).generate_state(1, np.uint64)[0]
            with torch.no_grad():
                _draw(changed, layer, torch.Generator().manual_seed(int(entropy >> np.uint64(1))))
        found.append(changed)
    return found


def _draw(member: AutoencoderClassifier, name: str, generator: torch.Generator) -> None:
    import torch

    layer = getattr(member, name)
    if name == "norm":
        order = torch.randperm(len(layer.weight), generator=generator).to(layer.weight.device)
        for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
            values.copy_(values[order])
        return
    fan_in, fan_out = layer.weight[0].numel(), layer.weight[:, 0].numel()
    bound = float(np.sqrt(6 / (fan_in + fan_out)))
    drawn = torch.empty(layer.weight.shape, dtype=torch.float64).uniform_(-bound, bound, generator=generator)
    layer.weight.copy_(drawn)
    layer.bias.zero_()


def answering_patch(case: Case, preprocessing: Preprocessing, rotation_deg: float = 0.0) -> LesionPatches:
    """The answering slice of a case's only lesion, cut alone, at a rotation."""
    image, (lesion,) = case.reference_image, case.lesions
    return extract_patches(
        image.voxels, image.geometry, lesion, preprocessing, only_main=True, rotation_deg=rotation_deg
    )


def turned(case: Case, onto: LesionPatches, preprocessing: Preprocessing) -> Iterator[Turned]:
    """The lesion cut from the MRI again, at small rotations."""
    for angle in TURNS_DEG:
        cut = answering_patch(case, preprocessing, angle)

        def back(values: np.ndarray, cut: LesionPatches = cut) -> np.ndarray:
            return turned_back(cut, values, onto)

        yield Turned(cut.images[cut.main], cut.mask_levels[cut.main], back)


def turned_back(turned: LesionPatches, values: np.ndarray, onto: LesionPatches) -> np.ndarray:
    """Values ``[s, s]`` on one lesion's patch at another rotation, by linear interpolation on its original patch."""
    rows, columns = np.mgrid[: onto.patch_size, : onto.patch_size]
    top, left = onto.corners[onto.main]
    ijk = np.stack([left + columns, top + rows, np.full_like(rows, onto.slices[onto.main])], axis=-1)
    at = turned.grid.to_ijk(onto.grid.to_lps(ijk))
    top, left = turned.corners[turned.main]
    return map_coordinates(values, [at[..., 1] - top, at[..., 0] - left], order=1, mode="nearest")


def on_patch(truth: np.ndarray, geometry: VolumeGeometry, patches: LesionPatches) -> np.ndarray:
    """A mask of the MRI ``[k, j, i]`` on the answering slice ``[s, s]``, within the GTV."""
    top, left = patches.corners[patches.main]
    size = patches.patch_size
    stack = resample(geometry.to_sitk(truth.astype(np.float32)), patches.grid)
    section = stack[patches.slices[patches.main], top : top + size, left : left + size]
    return (section >= 0.5) & patches.masks[patches.main, 0]
