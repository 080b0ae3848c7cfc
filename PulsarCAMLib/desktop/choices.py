"""The choices of the panel: each value is the library's name for it, each label what the user reads.

The names (``PIXELWISE``) are what a saved scene holds: they stay as they are.
"""

from __future__ import annotations

import enum

from slicer.i18n import tr as _


class Parts(enum.Enum):
    """Whether parts that do not touch are lesions of their own."""

    AUTO = "auto"
    TOGETHER = "together"
    SEPARATE = "separate"

    def label(self) -> str:
        """What the user reads."""
        return {
            "auto": _("Automatic"),
            "together": _("Unconnected parts are one lesion"),
            "separate": _("Each part is a lesion"),
        }[self.value]


class Method(enum.Enum):
    """How the map is computed."""

    PIXELWISE = "pixelwise"
    GRADCAM = "gradcam"
    GRADCAMPP = "gradcam++"
    SIGNED = "pixelwise-signed"

    def label(self) -> str:
        """What the user reads."""
        return {
            "pixelwise": _("Pixel-wise CAM"),
            "gradcam": _("Grad-CAM"),
            "gradcam++": _("Grad-CAM++"),
            "pixelwise-signed": _("Pixel-wise CAM, signed (both classes)"),
        }[self.value]


class Target(enum.Enum):
    """The class whose evidence is shown."""

    NON_RESPONSE = "non-response"
    RESPONSE = "response"
    PREDICTED = "predicted"

    def label(self) -> str:
        """What the user reads."""
        return {
            "non-response": _("Non-response (does not shrink)"),
            "response": _("Response (shrinks)"),
            "predicted": _("Predicted class of each lesion"),
        }[self.value]


class Normalisation(enum.Enum):
    """What the map is divided by."""

    NONE = "none"
    LESION = "lesion"
    SCAN = "scan"

    def label(self) -> str:
        """What the user reads."""
        return {
            "none": _("Raw values"),
            "lesion": _("Each lesion by its maximum"),
            "scan": _("All by the maximum of the scan"),
        }[self.value]


class Statistic(enum.Enum):
    """What of the ensemble lies over the MRI."""

    MEAN = "mean"
    SPREAD = "std"

    def label(self) -> str:
        """What the user reads."""
        return {"mean": _("Mean of the ensemble"), "std": _("Spread of the ensemble")}[self.value]


class ColorMap(enum.Enum):
    """Colors of the overlay; automatic takes those made for what is shown."""

    AUTO = "auto"
    HEAT = "PulsarCAM heat"
    VIRIDIS = "PulsarCAM spread"
    GREY = "Grey"

    def label(self) -> str:
        """What the user reads."""
        return {
            "auto": _("Automatic"),
            "PulsarCAM heat": _("Heat (inferno)"),
            "PulsarCAM spread": _("Green to yellow (viridis)"),
            "Grey": _("Grey"),
        }[self.value]


class ImageFormat(enum.Enum):
    """File format of exported images."""

    NRRD = "nrrd"
    NIFTI = "nii.gz"

    def label(self) -> str:
        """What the user reads."""
        return {"nrrd": _("NRRD (.nrrd)"), "nii.gz": _("NIfTI (.nii.gz)")}[self.value]
