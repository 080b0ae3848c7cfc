"""How two visits become the channels of a network: which modalities and visits, size, registration. No NumPy here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...core.inputs import MRI, InputRole
from ...core.settings import option
from ...core.vocabulary import BEFORE
from ..volumes.preprocessing import HALFWAY, PATIENT_AXES, REGISTRATIONS, VolumePreprocessing
from .task import EARLIER, MODALITIES, NOW, OPTIONAL

BOTH_VISITS = "both"


@dataclass(frozen=True)
class RanoPreprocessing(VolumePreprocessing):
    """Those of :class:`VolumePreprocessing`, and what the network is shown.

    Visits are registered to each other, rigidly, in the space halfway between them, so that volumes stay what they are;
    the paper's own way, each visit by an affine to an atlas, is ``"atlas"``.

    Attributes:
        modalities: that the network sees, in the order of its channels; one that a case lacks is refused.
        visits: ``"both"``; ``"now"`` or ``"before"`` alone: what the one is worth without the other.

    Raises:
        BundleError: a value is not usable.
    """

    size: tuple[int, int, int] = option(
        (155, 240, 240), "--size", "of what the network sees, voxels k,j,i", metavar="K,J,I", at_least=1, at_most=1024
    )
    spacing: tuple[float, float, float] | None = option(
        (1.0, 1.0, 1.0), "--spacing", "its millimetres along i,j,k", metavar="I,J,K", at_least=0.05, at_most=50
    )
    axes: str = option(PATIENT_AXES, choices=("image", PATIENT_AXES), untold=True)
    registration: str = option(
        HALFWAY, "--registration", "of the visits: as the headers say, rigidly in a halfway space, to an atlas",
        choices=REGISTRATIONS,
    )  # fmt: skip
    modalities: tuple[str, ...] = option(
        tuple(name for name in MODALITIES if name not in OPTIONAL), "--modalities", "that the network sees",
        metavar="A,B", choices=tuple(MODALITIES), in_order=True,
    )  # fmt: skip
    visits: str = option(
        BOTH_VISITS, "--visits", "that the network sees", choices=(BOTH_VISITS, NOW, EARLIER), untold=True
    )

    def disagreements(self) -> Iterator[str]:
        """One visit has nothing to be subtracted from."""
        yield from super().disagreements()
        if self.subtraction and self.visits != BOTH_VISITS:
            yield "The preprocessing subtracts one visit from the other; let the network see both."

    def seen(self, inputs: Iterable[InputRole]) -> tuple[InputRole, ...]:
        """Inputs that the network is shown, in the order of the system."""
        points = {NOW: (False,), EARLIER: (True,)}.get(self.visits, (False, True))
        return tuple(
            role
            for role in inputs
            if role.kind == MRI and role.table_column in self.modalities and (role.time_point == BEFORE) in points
        )

    def in_words(self) -> str:
        """One line for people."""
        names = ", ".join(MODALITIES[name] for name in self.modalities)
        which = {NOW: "this visit alone", EARLIER: "the visit before alone"}
        return f"{names} of {which.get(self.visits, 'this visit and the one before')}; {super().in_words()}"
