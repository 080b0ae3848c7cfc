"""What a synthetic cohort of glioblastoma follow-ups is made of. No NumPy here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...core.settings import MOST_SEED, Settings, option


@dataclass(frozen=True)
class RanoCohort(Settings):
    """Recipe of a cohort; the same recipe always gives the same patients.

    Attributes:
        patients: how many.
        seed: of the whole cohort; patient k depends on the seed and on k only.
        visits: of each patient; every visit but the first is a case.
        voxels: along each side of an image.
        spacing_mm: of the voxels; the head is about 160 mm long.
        misregistration: how far the head lies otherwise at every visit: 1 stands for turns of up to 4 degrees and
            shifts of up to 3 mm, 0 for images that are aligned.
        contrast: whether there is a contrast-enhanced T1 as well.
        no_signal: leaves the images of all visits without any tumour, so that nothing can be learnt; masks and labels
            are as they would be.

    Raises:
        InputError: a value is not usable.
    """

    who = "a synthetic cohort"

    patients: int = option(32, "--patients", "how many", metavar="N", at_least=1, most_typed=100_000)
    seed: int = option(0, "--seed", "the same seed gives the same patients", at_least=0, most_typed=MOST_SEED)
    visits: int = option(
        2, "--visits", "of each patient; all but the first are cases", metavar="N", at_least=2, at_most=8, most_typed=8
    )
    voxels: int = option(
        48, "--voxels", "along each side of an image", metavar="N", at_least=8, at_most=256, most_typed=256
    )
    spacing_mm: float = option(3.5, "--spacing-mm", "of the voxels", metavar="MM", at_least=0.5, at_most=20)
    misregistration: float = option(
        1.0, "--misregistration", "how far visits are from each other: 1 up to 4 degrees and 3 mm, 0 aligned",
        metavar="X", at_least=0, at_most=5,
    )  # fmt: skip
    contrast: bool = option(False, "--contrast", "make a contrast-enhanced T1 as well")
    no_signal: bool = option(False, "--no-signal", "leave the tumour out of the images: nothing can be learnt")

    def disagreements(self) -> Iterator[str]:
        """An image must hold the head."""
        if self.voxels * self.spacing_mm < 120:
            yield (
                f"Images of {self.voxels} voxels of {self.spacing_mm:g} mm are smaller than the head; ask for more "
                "voxels or larger ones."
            )
