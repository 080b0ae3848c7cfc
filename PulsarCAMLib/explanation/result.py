"""The result for one scan: stored on the bottleneck grid, brought to the MRI's grid when asked.

Changing method, class, statistic, normalisation or threshold costs an interpolation, never another pass of the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.errors import InputError
from ..core.geometry import VolumeGeometry
from ..core.lesion import Lesion
from ..core.map_methods import CLASSES, METHODS, NORMALISATIONS, SIGNED, STATISTICS, TARGETS, Threshold, check_choice
from ..systems.autoencoder.patches import LesionPatches, PastedMap, paste_maps
from ..systems.autoencoder.upsampling import upsample
from ..systems.card import ModelCard


@dataclass(frozen=True, eq=False)
class LesionResult:
    """Prediction and maps of one lesion with n slices, K members and c x c cells.

    Attributes:
        patches: the lesion's patches and their way back.
        logits: ``[K, n]``.
        probabilities: ``[K, n]``, of response, after the card's temperature.
        signed: ``[K, n, c, c]``, the signed pixel-wise map.
        maps: ``(method, class)`` to ``[K, n, c, c]``, raw.
        predicted_class: ``"response"`` or ``"non-response"``.
    """

    patches: LesionPatches
    logits: np.ndarray
    probabilities: np.ndarray
    signed: np.ndarray
    maps: dict[tuple[str, str], np.ndarray]
    predicted_class: str

    @property
    def name(self) -> str:
        """The lesion's name."""
        return self.lesion.name

    @property
    def lesion(self) -> Lesion:
        """The lesion."""
        return self.patches.lesion

    @property
    def main(self) -> int:
        """Index of the slice whose answer is the lesion's (reading 13)."""
        return self.patches.main

    @property
    def probability(self) -> float:
        """Probability of response: mean over the members at the answering slice."""
        return float(self.slice_probabilities[self.main])

    @property
    def spread(self) -> float:
        """Standard deviation of that probability over the members."""
        return float(self.slice_spread[self.main])

    @property
    def slice_probabilities(self) -> np.ndarray:
        """``[n]``, mean over the members."""
        return self.probabilities.mean(axis=0)

    @property
    def slice_spread(self) -> np.ndarray:
        """``[n]``, standard deviation over the members."""
        return self.probabilities.std(axis=0)

    @property
    def rest(self) -> np.ndarray:
        """``[K, n]``: the part of each logit that the signed map does not place in any cell."""
        return self.logits - self.signed.sum(axis=(2, 3))

    def patch_maps(self, method: str, target: str, statistic: str = "mean", member: int | None = None) -> np.ndarray:
        """Raw maps ``[n, s, s]`` on the patches.

        Args:
            method: a computed method, or ``"pixelwise-signed"`` (whose target is ignored).
            target: ``"non-response"``, ``"response"`` or ``"predicted"``.
            statistic: ``"mean"`` or ``"std"`` over the members.
            member: this member's own map instead.
        """
        check_choice("class", target, TARGETS)
        check_choice("statistic", statistic, STATISTICS)
        target = self.predicted_class if target == "predicted" else target
        if method == SIGNED:
            maps = self.signed
        elif (method, target) in self.maps:
            maps = self.maps[method, target]
        else:
            raise InputError(f"Method {method!r} was not computed; there are {', '.join(self.methods)}.")
        size = self.patches.patch_size
        if member is not None:
            return upsample(maps[member], size)
        if statistic == "mean":
            return upsample(maps.mean(axis=0), size)
        return upsample(maps, size).std(axis=0)

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the computed methods."""
        return (*dict.fromkeys(method for method, _ in self.maps), SIGNED)

    def joint_maximum(self, method: str) -> float:
        """Largest value of the mean map inside the GTV, over all slices and both classes."""
        inside = self.patches.masks[:, 0]
        return max(float(np.abs(self.patch_maps(method, target)[inside]).max()) for target in CLASSES)

    def is_empty(self, method: str, target: str) -> bool:
        """Whether every member's map at the answering slice is zero everywhere."""
        target = self.predicted_class if target == "predicted" else target
        return not self.maps[method, target][:, self.main].any()


@dataclass(frozen=True, eq=False)
class ScanResult:
    """Prediction and explanation of all lesions of one MRI.

    Attributes:
        geometry: of the MRI.
        card: the model's.
        lesions: one result each, in the order given.
        warnings: sentences that the user must see.
    """

    geometry: VolumeGeometry
    card: ModelCard
    lesions: tuple[LesionResult, ...]
    warnings: tuple[str, ...] = ()

    def pasted(
        self,
        lesion: LesionResult,
        method: str = METHODS[0],
        target: str = CLASSES[0],
        statistic: str = "mean",
        normalisation: str = "none",
        restrict: bool = True,
    ) -> PastedMap:
        """One lesion's map on the MRI's grid; arguments as :meth:`heat_map`."""
        maps = lesion.patch_maps(method, target, statistic) / self._divisor(lesion, method, normalisation)
        return paste_maps(lesion.patches, maps, self.geometry, restrict=restrict)

    def heat_map(
        self,
        method: str = METHODS[0],
        target: str = CLASSES[0],
        statistic: str = "mean",
        normalisation: str = "none",
        restrict: bool = True,
    ) -> np.ndarray:
        """Heat map of all lesions on the MRI's grid, float32 ``[k, j, i]``, zero where there is no lesion.

        Args:
            method: ``"pixelwise"``, ``"gradcam"``, ``"gradcam++"``, ``"pixelwise-signed"`` or a computed variant.
            target: class whose evidence is shown; ``"predicted"`` takes each lesion's own.
            statistic: mean or standard deviation over the ensemble.
            normalisation: display only. ``"none"``: raw, in units of the logit; ``"lesion"``: divided by the joint
                maximum of both classes in each lesion; ``"scan"``: by that of the whole scan.
            restrict: False shows also what interpolation carries beyond the GTV's border.
        """
        volume = np.zeros(self.geometry.shape, dtype=np.float32)
        for lesion in self.lesions:
            self.pasted(lesion, method, target, statistic, normalisation, restrict).add_to(volume)
        return volume

    def sub_regions(
        self, method: str = METHODS[0], target: str = CLASSES[0], threshold: Threshold | None = None
    ) -> list[Lesion]:
        """Activated voxels of every lesion, as masks in the lesions' own boxes; a mask may be empty."""
        regions = []
        for lesion in self.lesions:
            values = self.pasted(lesion, method, target).values
            limit = self.threshold_value(lesion, method, values, threshold or Threshold())
            regions.append(Lesion(lesion.name, (values > limit) & lesion.lesion.mask, lesion.lesion.offset))
        return regions

    def threshold_value(self, lesion: LesionResult, method: str, values: np.ndarray, threshold: Threshold) -> float:
        """The raw value above which a voxel of ``lesion`` is activated, never below zero."""
        if threshold.kind == "value":
            return threshold.value
        if threshold.kind == "percentile":
            return max(0.0, float(np.percentile(values[lesion.lesion.mask], threshold.value)))
        return threshold.value * lesion.joint_maximum(method)

    def _divisor(self, lesion: LesionResult, method: str, normalisation: str) -> float:
        check_choice("normalisation", normalisation, NORMALISATIONS)
        if normalisation == "none":
            return 1.0
        among = [lesion] if normalisation == "lesion" else self.lesions
        return max(each.joint_maximum(method) for each in among) or 1.0

    def display_range(self, method: str, normalisation: str = "none") -> tuple[float, float]:
        """Lowest and highest value a display should span: from 0 (signed: symmetric) to the joint maximum."""
        top = 1.0 if normalisation != "none" else max(each.joint_maximum(method) for each in self.lesions) or 1.0
        return (-top if method == SIGNED else 0.0), top
