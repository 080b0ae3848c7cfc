"""How a case becomes volumes: part of the model, kept in its card. No NumPy here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...core.errors import BundleError
from ...core.settings import Settings, option

NONE = "none"

HALFWAY, ATLAS, GIVEN = "halfway", "atlas", "given"
REGISTRATIONS = (NONE, HALFWAY, ATLAS, GIVEN)

TOOL = "tool"
BRAINS = (NONE, GIVEN, TOOL)

IMAGE_AXES, PATIENT_AXES = "image", "patient"

Z_SCORE, FIXED, MAXIMUM = "z-score", "fixed", "maximum"
DOSE_SCALES = (Z_SCORE, FIXED, MAXIMUM)

_REGISTRATION_WORDS = {
    HALFWAY: "the MRIs of the time points rigidly to each other in a halfway space",
    ATLAS: "each time point by an affine to an atlas, which changes volumes",
    GIVEN: "by transforms that are given",
}
_DOSE_WORDS = {FIXED: "dose divided by {:g} Gy", MAXIMUM: "dose divided by its own maximum"}


@dataclass(frozen=True)
class VolumePreprocessing(Settings):
    """How a case becomes volumes. The defaults are the plainest: images as their headers place them.

    Attributes:
        size: of a sample in voxels ``(k, j, i)``.
        spacing: millimetres along ``(i, j, k)``; None: as large as the unit with some room around it needs.
        axes: of the sample: ``"image"``, those of the reference image; ``"patient"``: left, posterior, superior, so
            that the network sees every head the same way round.
        registration: ``"none"``: as the headers say (also for images that are aligned already); ``"halfway"``: time
            points rigidly to each other, in the space halfway between them, and the images of a time point rigidly to
            its first one; ``"atlas"``: of each time point the most isotropic image by an affine to an atlas, the
            others rigidly to it (the way of arXiv 2504.18268; volumes change); ``"given"``: transforms of the case.
            Transforms that a case brings are used in any case.
        atlas_sha256: of the atlas's file that the model was trained with; empty: any.
        brain: mask of the brain: ``"given"`` by the case, ``"tool"``: by deepbet where none is given and it is
            installed; ``"none"``. Where there is one, MRIs are z-scored inside it and zero outside; where there is
            none, what is not zero counts.
        bias_correction: N4 on every MRI.
        subtraction: one channel for each modality: later time point minus earlier one, after the z-score.
        dose_scale: ``"z-score"``, as the MRIs; ``"fixed"``: divided by ``dose_gy``; ``"maximum"``: by its own maximum.
        dose_gy: Gy that become 1.

    Raises:
        BundleError: a value is not usable, or two do not go together.
    """

    who = "the preprocessing"
    error = BundleError

    size: tuple[int, int, int] = option((16, 16, 16), at_least=1, at_most=1024)
    spacing: tuple[float, float, float] | None = option(None, at_least=0.05, at_most=50)
    axes: str = option(IMAGE_AXES, choices=(IMAGE_AXES, PATIENT_AXES), untold=True)
    registration: str = option(
        NONE, "--registration", "of the time points: as the headers say, rigidly in a halfway space, to an atlas",
        choices=REGISTRATIONS, untold=True,
    )  # fmt: skip
    atlas_sha256: str = option("", untold=True)
    brain: str = option(
        NONE, "--brain", "mask inside which intensities are judged: none, given, or by a tool where none is given",
        choices=BRAINS, untold=True,
    )  # fmt: skip
    bias_correction: bool = option(False, "--bias-correction", "N4 on every MRI", untold=True)
    subtraction: bool = option(False, "--subtraction", "later MRI minus earlier one, as the channels", untold=True)
    dose_scale: str = option(
        Z_SCORE, "--dose-scale", "as an MRI, divided by a fixed dose, or by its own maximum",
        choices=DOSE_SCALES, untold=True,
    )  # fmt: skip
    dose_gy: float = option(60.0, "--dose-gy", "that become 1", metavar="GY", above=0, at_most=200, untold=True)

    def disagreements(self) -> Iterator[str]:
        """A common space has no image's axes."""
        if self.registration in (HALFWAY, ATLAS) and self.axes != PATIENT_AXES:
            yield (
                f"The registration {self.registration!r} makes a space that is no image's own; set the axes of the "
                f"preprocessing to {PATIENT_AXES!r}."
            )

    def in_words(self) -> str:
        """One line for people."""
        k, j, i = self.size
        spacing = "spaced so that all of it fits" if self.spacing is None else "of {:g} x {:g} x {:g} mm".format(
            *self.spacing
        )  # fmt: skip
        brain = "inside" if self.brain == NONE else "inside the brain"
        told = [f"{i} x {j} x {k} voxels {spacing}, mean 0 and standard deviation 1 {brain}"]
        if self.axes == PATIENT_AXES:
            told.append("along the patient's axes")
        if self.registration != NONE:
            told.append(f"registered: {_REGISTRATION_WORDS[self.registration]}")
        if self.bias_correction:
            told.append("bias corrected (N4)")
        if self.subtraction:
            told.append("later minus earlier")
        if self.dose_scale != Z_SCORE:
            told.append(_DOSE_WORDS[self.dose_scale].format(self.dose_gy))
        return "; ".join(told)
