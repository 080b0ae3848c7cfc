"""The class of one lesion or patient, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

FROM_VOLUMES, FROM_MASKS, FROM_BOTH, TYPED, UNKNOWN = "volumes", "masks", "volume and mask", "typed", "unknown"
SOURCES = (FROM_VOLUMES, FROM_MASKS, FROM_BOTH, TYPED, UNKNOWN)


@dataclass(frozen=True)
class LesionLabel:
    """What became of one lesion.

    Attributes:
        patient, lesion: which.
        response: number of its class in the task's order (1 response, 0 non-response); None where nothing says.
        source: where that comes from, one of :data:`SOURCES`, or the name of a system's rule.
        volume_cm3, followup_volume_cm3: the volumes it was computed from; None where unknown.
        rows: the table's rows of this lesion (one per MRI), by number.
        why: what decided, in words, where a system's rule did.
    """

    patient: str
    lesion: str
    response: int | None
    source: str
    volume_cm3: float | None
    followup_volume_cm3: float | None
    rows: tuple[int, ...]
    why: str = ""

    @property
    def change(self) -> float | None:
        """Share of the first volume that was gained (positive) or lost (negative)."""
        if not self.volume_cm3 or self.followup_volume_cm3 is None:
            return None
        return self.followup_volume_cm3 / self.volume_cm3 - 1
