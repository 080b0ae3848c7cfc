"""Names of the autoencoder-classifier's methods and classes: on their way out, ask a system's ``maps`` and ``task``."""

from __future__ import annotations

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
