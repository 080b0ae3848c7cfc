"""What the stability of an answer asks of a system: the same case, seen a little differently.

Every :class:`.contract.System` has these; one that knows better, or has a faster way, overrides them in its own folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:  # names of systems are listed before NumPy is there
    from ..core.case import Case
    from ..core.geometry.volume import VolumeGeometry
    from ..core.lesion import Lesion


class Perturbations:
    """Base of :class:`.contract.System`.

    Attributes:
        tells_stability: whether it is told unless it is not wanted. Default: only if it is wanted, for every way in
            which a case is changed prepares it anew, which takes volumes that are registered minutes.
    """

    tells_stability: ClassVar[bool] = False

    def perturbed(self, case: Case) -> Iterator[tuple[str, Case]]:
        """A case in all ways in which it is changed, each with its name in words; nothing is random."""
        from ..lesions.perturbing import perturbed

        return perturbed(case)

    def reach_mm(
        self, preprocessing: Any, lesion: Lesion, geometry: VolumeGeometry
    ) -> tuple[float, float, float] | None:
        """How far around a lesion's box its only image decides an answer, along its i, j and k; None: everywhere."""
        return None
