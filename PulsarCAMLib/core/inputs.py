"""What a system needs: images and masks by role. Selectors, command-line options and table columns come from these."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .settings import ANY_NUMBER, Range
from .vocabulary import BASELINE

MRI, DOSE, MASK, BRAIN = "MRI", "dose", "mask", "brain"
KINDS = (MRI, DOSE, MASK, BRAIN)

CHOOSES = ("-segments", "-labels")
"""End the options that choose in a mask of another visit, and so no input's name."""

TAKEN = (
    "alpha-beta",
    "dose",
    "dose-levels",
    "dose-quantity",
    "fractions",
    "least-dose-voxels",
    "prescription",
    "error-rate",
    "dicom-out",
    "structures",
    "no-stability",
    "occlusion-block",
    "occlusion-coarse",
    "occlusion-fill",
    "occlusion-minutes",
    "occlusion-partial",
    "occlusion-seed",
    "occlusion-share",
    "occlusion-stride",
    "occlusion-within",
    "stability",
    "aligned",
    "transform",
    "all",
    "class",
    "compare",
    "compare-above",
    "compare-with",
    "debug",
    "dicom-out",
    "help",
    "input",
    "labels",
    "method",
    "model",
    "normalisation",
    "output",
    "overwrite",
    "parts",
    "pictures",
    "quiet",
    "relative-reference",
    "report",
    "safe-reading",
    "scene",
    "segments",
    "series",
    "paint",
    "paint-anyway",
    "paint-beyond-gtv",
    "paint-dose",
    "paint-high-gy",
    "paint-least-mm3",
    "paint-low-gy",
    "paint-margin-mm",
    "paint-midpoint",
    "paint-organ-mm",
    "paint-organs",
    "paint-parts",
    "paint-range",
    "paint-steepness",
    "threads",
    "threshold",
    "timings",
    "patient",
    "lesion",
    "margin-mm",
    "no-pictures",
    "shell-mm",
    "sigma-mm",
    "volume",
    "segmentation",
    "jobs",
    "scheduler",
    "pseudonyms",
)
"""Names that a role cannot have: those of options and of the table's own columns."""


@dataclass(frozen=True)
class TableColumn:
    """A column of a cohort table that only one system's labels or models need, besides its inputs.

    Attributes:
        name: small letters.
        kind: "text", "file", "number", "yes or no", or "word": one of ``choices``.
        about: what belongs there, one clause.
        choices: words that may be written.
        within: numbers that can be meant; others are a finding, and nothing starts.
    """

    name: str
    kind: str
    about: str
    choices: tuple[str, ...] = ()
    within: Range = ANY_NUMBER


@dataclass(frozen=True)
class InputRole:
    """One input of a system.

    Attributes:
        name: short, small letters: of the option ``--name``, and of the column where ``column`` is empty.
        title: for people.
        kind: :data:`MRI`, :data:`DOSE` (Gy), :data:`MASK` (lesions: a segmentation or label map), or :data:`BRAIN` (an
            image that is not zero in the brain, of one time point; tells where, and is never shown to a network).
        about: what belongs there, one clause.
        time_point: of the cohort table's row whose column it is; :data:`.vocabulary.BEFORE`: the patient's row before.
        needed: whether there is no answer without it; what is optional and missing is told, never zeros in silence.
        column: of the cohort table; empty: ``name``.

    Raises:
        ValueError: a programmer's mistake: a name that no option can have or that is taken, or an unknown kind.
    """

    name: str
    title: str
    kind: str = MRI
    about: str = ""
    time_point: str = BASELINE
    needed: bool = True
    column: str = ""

    def __post_init__(self) -> None:
        taken = self.name in TAKEN or self.name.endswith(CHOOSES)
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.name) or taken or self.kind not in KINDS:
            raise ValueError(
                f"An input has small letters as its name, not those of an option, and a known kind: {self}"
            )

    @property
    def table_column(self) -> str:
        """Its column in a cohort table."""
        return self.column or self.name
