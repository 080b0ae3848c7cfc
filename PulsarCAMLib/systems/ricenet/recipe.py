"""What a synthetic cohort of irradiated glioblastoma is made of. No NumPy here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...core.settings import MOST_SEED, Settings, option

IMAGE, DOSE, BOTH, NOTHING = "image", "dose", "both", "nothing"
DECIDING = (IMAGE, DOSE, BOTH, NOTHING)


@dataclass(frozen=True)
class RiceCohort(Settings):
    """Recipe of a cohort; the same recipe always gives the same patients, in equal numbers of both outcomes.

    Attributes:
        patients: how many.
        seed: of the whole cohort; patient k depends on the seed and on k only.
        decides: what tells the outcome. ``"image"``: how the enhancement on the event MRI looks (recurrence a solid
            bright nodule, RICE a faint mottled cloud), while the dose is alike in both; ``"dose"``: a boost that only
            patients with RICE have had, while the enhancement is alike; ``"both"``; ``"nothing"``.
        voxels: along each side of an image.
        spacing_mm: of the voxels; the head is about 160 mm long.
        misregistration: how far the head lies otherwise on the event MRI: 1 stands for turns of up to 4 degrees and
            shifts of up to 3 mm, 0 for images that are aligned.

    Raises:
        InputError: a value is not usable.
    """

    who = "a synthetic cohort"

    patients: int = option(32, "--patients", "how many", metavar="N", at_least=1, most_typed=100_000)
    seed: int = option(0, "--seed", "the same seed gives the same patients", at_least=0, most_typed=MOST_SEED)
    decides: str = option(IMAGE, "--decides", "what tells the outcome", choices=DECIDING)
    voxels: int = option(
        48, "--voxels", "along each side of an image", metavar="N", at_least=8, at_most=256, most_typed=256
    )
    spacing_mm: float = option(3.5, "--spacing-mm", "of the voxels", metavar="MM", at_least=0.5, at_most=20)
    misregistration: float = option(
        0.0, "--misregistration", "how far the event MRI is from the other: 1 up to 4 degrees and 3 mm, 0 aligned",
        metavar="X", at_least=0, at_most=5,
    )  # fmt: skip

    def disagreements(self) -> Iterator[str]:
        """An image must hold the head."""
        if self.voxels * self.spacing_mm < 120:
            yield (
                f"Images of {self.voxels} voxels of {self.spacing_mm:g} mm are smaller than the head; ask for more "
                "voxels or larger ones."
            )
