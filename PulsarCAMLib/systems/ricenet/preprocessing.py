"""How two MRIs and a dose become the channels of a network, and which of them it sees. No NumPy here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...core.settings import option
from ..volumes.preprocessing import (
    BRAINS,
    DOSE_SCALES,
    FIXED,
    HALFWAY,
    PATIENT_AXES,
    REGISTRATIONS,
    TOOL,
    VolumePreprocessing,
)
from .task import CHANNELS, INPUTS


@dataclass(frozen=True)
class RicePreprocessing(VolumePreprocessing):
    """Those of :class:`VolumePreprocessing`, and what the network sees.

    The paper's: registered, brain only, z-score, crop of 224 x 224 x 224. Where it is silent: voxels of 1 mm along the
    patient's axes, the two time points rigidly in a halfway space, the dose divided by 60 Gy and not z-scored, for its
    Gy mean something.

    Attributes:
        inputs: that the network sees, as channels in the paper's order; a case that lacks one is refused.

    Raises:
        BundleError: a value is not usable.
    """

    size: tuple[int, int, int] = option(
        (224, 224, 224), "--size", "of what the network sees, voxels k,j,i", metavar="K,J,I", at_least=1, at_most=1024
    )
    spacing: tuple[float, float, float] | None = option(
        (1.0, 1.0, 1.0), "--spacing", "its millimetres along i,j,k", metavar="I,J,K", at_least=0.05, at_most=50
    )
    axes: str = option(PATIENT_AXES, choices=("image", PATIENT_AXES))
    registration: str = option(
        HALFWAY, "--registration", "of the time points: as the headers say, rigidly in a halfway space, to an atlas",
        choices=REGISTRATIONS,
    )  # fmt: skip
    brain: str = option(
        TOOL, "--brain", "mask inside which intensities are judged: none, given, or by a tool where none is given",
        choices=BRAINS,
    )  # fmt: skip
    dose_scale: str = option(
        FIXED, "--dose-scale", "as an MRI, divided by a fixed dose, or by its own maximum", choices=DOSE_SCALES
    )
    inputs: tuple[str, ...] = option(
        CHANNELS, "--inputs", "that the network sees", metavar="A,B", choices=CHANNELS, in_order=True
    )

    def disagreements(self) -> Iterator[str]:
        """The two MRIs are channels, not a difference."""
        yield from super().disagreements()
        if self.subtraction:
            yield "This network sees both MRIs as channels of their own; leave the subtraction out."

    def in_words(self) -> str:
        """One line for people."""
        titles = {role.name: role.title for role in INPUTS}
        return f"{', '.join(titles[name] for name in self.inputs)}; {super().in_words()}"
