"""One slice of one lesion opened up: everything between the patch and its maps (the paper's figures 4 and 5).

Maps, logits and probabilities are those of the result, not computed anew; features, gradients, weights and the
reconstruction, which a result does not keep, come from one more pass through the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ....core.display import check_choice
from ....core.errors import InputError
from ....core.geometry.upsampling import upsample
from ...contract import network_masks
from ..task import NON_RESPONSE, RESPONSE, TASK
from .closed_form import METHODS, SIGNED

if TYPE_CHECKING:
    from ...bundles.bundle import ModelBundle
    from ..model.ensemble import Ensemble

LOGIT_TOLERANCE = 1e-3
"""Relative; a result whose logit differs by more was made by another model."""


@dataclass(frozen=True, eq=False)
class SliceInspection:
    """What the model sees, keeps and answers on one slice; s is the patch's side, c the bottleneck's, F its features.

    With ``member`` None, image-like results are means over the ensemble; features, gradients and weights are then those
    of the first member, because the features of different members do not correspond and have no mean.

    Attributes:
        lesion: its name.
        slice: index of the patch among the lesion's, from 0.
        slices: how many patches the lesion has.
        answers: whether this slice's answer is the lesion's.
        member: index of the member shown, None for the ensemble.
        members: how many there are.
        feature_member: index of the member whose features, gradients and weights these are.
        footer: what the answers are worth, and where the model comes from, a line each.
        synthetic: whether it was trained on synthetic lesions.
        image: ``[s, s]``, 0 to 1, the input.
        mask: bool ``[s, s]``, the GTV.
        cells: M, bool ``[c, c]``, the GTV at the bottleneck by the model's mask rule.
        reconstruction: ``[s, s]``, 0 to 1.
        features: P ``[F, c, c]``, before the mask.
        masked: A = P * M ``[F, c, c]``, which classifier and decoder see.
        gradients: g_k = ds/dA_k ``[F, c, c]``, zero outside the mask; s is the logit of response.
        dead: bool ``[F]``, features that are zero on all slices of this lesion.
        weights: ``(method, class)`` to w_k ``[F]`` of Grad-CAM and Grad-CAM++.
        maps: ``(method, class)`` to ``[c, c]``, raw.
        signed: S ``[c, c]``; ``signed.sum() + rest`` is the logit.
        logit: s.
        probability: of response, after the card's temperature.
        spread: standard deviation of the probability over the ensemble; 0 for one member.
        spacing_mm: (row, column) size of a patch pixel.
        directions_lps: 3x3, columns are where columns, rows and slices of the patch run to.
        centre_ras: millimetres ``[3]`` of the GTV's centre of mass on this slice.
        place: number and position of the slice in the MRI, for the picture; empty where nobody told.
    """

    lesion: str
    slice: int
    slices: int
    answers: bool
    member: int | None
    members: int
    feature_member: int
    footer: str
    synthetic: bool
    image: np.ndarray
    mask: np.ndarray
    cells: np.ndarray
    reconstruction: np.ndarray
    features: np.ndarray
    masked: np.ndarray
    gradients: np.ndarray
    dead: np.ndarray
    weights: dict[tuple[str, str], np.ndarray]
    maps: dict[tuple[str, str], np.ndarray]
    signed: np.ndarray
    logit: float
    probability: float
    spread: float
    spacing_mm: tuple[float, float]
    directions_lps: np.ndarray
    centre_ras: np.ndarray
    place: str = ""

    task = TASK
    signed_title = f"signed pixel-wise map\n- {NON_RESPONSE}, + {RESPONSE}"
    about = (
        f"Features, gradients and the signed map are cells of the bottleneck; s is the logit of {RESPONSE}. Under each "
        f"gradient: w, its mean over all cells, is the Grad-CAM weight of {RESPONSE} (of {NON_RESPONSE}: the other "
        f"sign); w++ are the Grad-CAM++ weights of {NON_RESPONSE} | {RESPONSE}. Maps: each method has one scale for "
        "both classes, from 0 to its largest value in the GTV of this slice."
    )

    @property
    def usual_methods(self) -> tuple[str, ...]:
        """Names of the methods that are drawn unless others are asked for."""
        return tuple(each.name for each in METHODS if each.always and not each.signed)

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods with a map for each class."""
        return tuple(dict.fromkeys(method for method, _ in self.maps))

    @property
    def map_sum(self) -> float:
        """Part of the logit that the signed map places in cells."""
        return float(self.signed.sum())

    @property
    def rest(self) -> float:
        """Part of the logit that no cell explains (biases and batch norm)."""
        return self.logit - self.map_sum

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, counted from 1."""
        return tuple(f"Feature {k}" for k in range(1, len(self.masked) + 1))

    @property
    def member_name(self) -> str:
        """Which member, or that it is the mean of all."""
        if self.members == 1:
            return "the only member"
        if self.member is None:
            return f"mean of {self.members} members"
        return f"member {self.member + 1} of {self.members}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences without which the pictures would be misread."""
        notes = []
        if self.member is None and self.members > 1:
            notes.append(
                f"Features and gradients are those of member {self.feature_member + 1} of {self.members}, because the "
                "features of different members do not correspond; reconstruction and maps are means over all members."
            )
        if self.dead.any():
            names = ", ".join(name for name, dead in zip(self.feature_names, self.dead, strict=True) if dead)
            notes.append(f"Zero on every slice of this lesion, so without any say: {names}.")
        return tuple(notes)

    def weight_words(self, k: int) -> str:
        """The three weights of feature k, for under its gradient."""
        found = {key: float(weights[k]) for key, weights in self.weights.items()}
        plus = " | ".join(f"{found['gradcam++', name]:.2g}" for name in TASK.names)
        return f"w {found['gradcam', RESPONSE]:+.2g}\nw++ {plus}"

    def patch_map(self, method: str, target: str = TASK.explained) -> np.ndarray:
        """Raw map ``[s, s]`` on the patch, bilinear; ``"pixelwise-signed"`` needs no class."""
        if method == SIGNED:
            return upsample(self.signed, len(self.image))
        check_choice("method", method, (*self.methods, SIGNED))
        check_choice("class", target, TASK.names)
        return upsample(self.maps[method, target], len(self.image))

    def joint_maximum(self, method: str) -> float:
        """Largest value of the method's two maps inside the GTV on this slice: the top of their common scale."""
        if method == SIGNED:
            return float(np.abs(self.patch_map(method)[self.mask]).max())
        return max(float(self.patch_map(method, name)[self.mask].max()) for name in TASK.names)


def inspect_slice(
    bundle: ModelBundle, lesion: Any, n: int | None = None, member: int | None = None, place: str = ""
) -> SliceInspection:
    """Open up one slice.

    Args:
        bundle: the model that made the result.
        lesion: the ``UnitResult`` of one lesion.
        n: index of the slice (default: the one that answers).
        member: index of one member; None for the ensemble, see :class:`SliceInspection`.
        place: of the slice, see :class:`SliceInspection`.

    Raises:
        InputError: no such slice or member, or the result was made by another model.
    """
    n = lesion.main if n is None else n
    _check_index("slice", n, len(lesion.samples))
    if len(lesion.logits) != bundle.card.members:
        raise InputError(_OTHER_MODEL.format(lesion=lesion.name, model=bundle.card.title))
    if member is not None:
        _check_index("member", member, len(lesion.logits))
    shown = slice(None) if member is None else slice(member, member + 1)
    opened = _pass(bundle, lesion, n, member)
    patches = lesion.samples
    return SliceInspection(
        lesion=lesion.name,
        slice=n,
        slices=len(patches),
        answers=n == lesion.main,
        member=member,
        members=len(lesion.logits),
        feature_member=member or 0,
        footer=bundle.card.footer,
        synthetic=bundle.card.synthetic,
        image=patches.images[n, 0],
        mask=patches.masks[n, 0],
        weights=_weights(opened["masked"], opened["gradients"]),
        maps={key: maps[shown, n].mean(axis=0) for key, maps in lesion.maps.items() if key[1]},
        signed=lesion.maps[SIGNED, ""][shown, n].mean(axis=0),
        logit=float(lesion.logits[shown, n].mean()),
        probability=float(lesion.probabilities[shown, n].mean()),
        spread=float(lesion.probabilities[shown, n].std()),
        spacing_mm=(patches.grid.spacing[1], patches.grid.spacing[0]),
        directions_lps=np.asarray(patches.grid.direction),
        centre_ras=patches.centres_lps()[n] * [-1, -1, 1],
        place=place,
        **opened,
    )


_OTHER_MODEL = (
    "Lesion “{lesion}” was not explained by the model “{model}”, so its slices cannot be inspected with it; "
    "choose the model of the result or explain the scan again."
)


def _check_index(what: str, index: int, count: int) -> None:
    if not 0 <= index < count:
        raise InputError(f"There is no {what} {index}: the {count} {what}s are counted from 0 to {count - 1}.")


def _pass(bundle: ModelBundle, lesion: Any, n: int, member: int | None) -> dict[str, np.ndarray]:
    """Reconstruction, features and gradients of slice n.

    Raises:
        InputError: the logits are not those of the result.
    """
    import torch

    from ..model.network import bottleneck_mask

    ensemble = cast("Ensemble", bundle.ensemble)

    def as_input(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(ensemble.device, ensemble.dtype)

    with torch.inference_mode():
        images, masks = as_input(lesion.samples.images), as_input(network_masks(lesion.samples))
        outputs = [one(images[n : n + 1], masks[n : n + 1]) for one in ensemble.members]
        masked = torch.stack([o.masked for o in outputs])
        logits, gradients = ensemble.head(masked.flatten(3))
        found = logits[:, 0].cpu().numpy()
        if not np.allclose(found, lesion.logits[:, n], rtol=LOGIT_TOLERANCE, atol=LOGIT_TOLERANCE):
            raise InputError(_OTHER_MODEL.format(lesion=lesion.name, model=bundle.card.title))
        chosen = outputs if member is None else [outputs[member]]
        own = outputs[member or 0]
        cells = bottleneck_mask(masks, ensemble.dtype, ensemble.mask_rule)
        everywhere = ensemble.members[member or 0].encode(images) * cells
        return {
            "reconstruction": torch.stack([o.reconstruction[0, 0] for o in chosen]).mean(dim=0).cpu().numpy(),
            "features": own.features[0].cpu().numpy(),
            "cells": (own.cells[0, 0] > 0).cpu().numpy(),
            "masked": own.masked[0].cpu().numpy(),
            "gradients": (gradients[member or 0, 0].view_as(own.masked[0]) * own.cells[0]).cpu().numpy(),
            "dead": (everywhere == 0).flatten(2).all(dim=2).all(dim=0).cpu().numpy(),
        }


def _weights(masked: np.ndarray, gradients: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """w_k of both classes as in :mod:`~.closed_form`: ReLU(sum_k w_k A_k) is the map."""
    weights = {}
    total = masked.sum(axis=(1, 2), keepdims=True)
    for name, sign in zip(TASK.names, (-1, 1), strict=True):
        passed = np.maximum(sign * gradients, 0)
        weights["gradcam", name] = sign * gradients.mean(axis=(1, 2))
        weights["gradcam++", name] = (passed / (2 + total * passed)).sum(axis=(1, 2))
    return weights
