"""What a system needs: images and masks by role. Selectors, command-line options and table columns come from these."""

from __future__ import annotations

from dataclasses import dataclass

from .vocabulary import BASELINE

MRI, DOSE, MASK = "MRI", "dose", "mask"
KINDS = (MRI, DOSE, MASK)


@dataclass(frozen=True)
class InputRole:
    """One input of a system.

    Attributes:
        name: short, small letters: of the option ``--name``, and of the column where ``column`` is empty.
        title: for people.
        kind: :data:`MRI`, :data:`DOSE` (Gy) or :data:`MASK` (lesions: a segmentation or label map).
        about: what belongs there, one clause.
        time_point: of the cohort table's row whose column it is.
        needed: whether there is no answer without it; what is optional and missing is absent, never zeros.
        column: of the cohort table; empty: ``name``.
    """

    name: str
    title: str
    kind: str = MRI
    about: str = ""
    time_point: str = BASELINE
    needed: bool = True
    column: str = ""

    @property
    def table_column(self) -> str:
        """Its column in a cohort table."""
        return self.column or self.name
