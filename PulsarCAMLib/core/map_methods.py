"""Names of methods, classes and thresholds; no torch, so that panel and command line can list them."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import InputError

METHODS = ("pixelwise", "gradcam", "gradcam++")
"""Computed for every scan."""

VARIANTS = ("gradcam++-sigmoid", "pixelwise-probability", "gradcam-probability")
"""Computed when asked for by name."""

TITLES = {
    "pixelwise": "Pixel-wise CAM",
    "gradcam": "Grad-CAM",
    "gradcam++": "Grad-CAM++",
    "gradcam++-sigmoid": "Grad-CAM++ (eq. 4 on the sigmoid)",
    "pixelwise-probability": "Pixel-wise CAM of the probability",
    "gradcam-probability": "Grad-CAM of the probability",
    "pixelwise-signed": "Pixel-wise CAM, signed",
}

SIGNED = "pixelwise-signed"
"""The pixel-wise map before its ReLU: positive for response, negative for non-response; needs no class."""

CLASSES = ("non-response", "response")
TARGETS = (*CLASSES, "predicted")
STATISTICS = ("mean", "std")
NORMALISATIONS = ("none", "lesion", "scan")
THRESHOLD_KINDS = ("fraction", "percentile", "value")


@dataclass(frozen=True)
class Threshold:
    """When a voxel counts as activated.

    Attributes:
        kind: ``"fraction"``: above this fraction of the lesion's joint maximum of both classes, so that a class with
            hardly any evidence has no sub-region; ``"percentile"``: above this percentile of the lesion's voxels (and
            above zero); ``"value"``: above this raw value.
        value: the number.

    Raises:
        InputError: unknown kind or a number out of range.
    """

    kind: str = "fraction"
    value: float = 0.5

    def __post_init__(self) -> None:
        top = {"fraction": 1.0, "percentile": 100.0, "value": float("inf")}.get(self.kind)
        if top is None:
            raise InputError(f"The threshold's kind must be one of {', '.join(THRESHOLD_KINDS)}, not {self.kind!r}.")
        if not 0 <= self.value <= top:
            raise InputError(f"A {self.kind} threshold must lie between 0 and {top:g}, not {self.value}.")

    def __str__(self) -> str:
        return {
            "fraction": f"above {self.value:.0%} of the lesion's joint maximum of both classes",
            "percentile": f"above percentile {self.value:g} of the lesion's voxels",
            "value": f"above {self.value:g}",
        }[self.kind]


def check_choice(what: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise InputError unless ``value`` is one of ``allowed``."""
    if value not in allowed:
        raise InputError(f"The {what} must be one of {', '.join(allowed)}; it is {value!r}.")
