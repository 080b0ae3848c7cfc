"""The columns of a cohort table, in one vocabulary: what people write, what the generator writes, what is read.

One row is one lesion on one MRI before treatment. A second MRI of the same lesion is a second row with the same patient
and lesion and ``time_point`` "second". The response is computed from the volumes and belongs to the lesion, so what is
said about the follow-up is said in the row of the baseline.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...core.inputs import MASK, InputRole
from ...core.settings import ANY_NUMBER, Range
from ...core.task import LESION, PATIENT, SHRINKAGE, VISIT, Task
from ...core.vocabulary import BASELINE
from ...systems.contract import System
from ...systems.registry import DEFAULT, systems

CONFIDENCE = "confidence"
"""How sure a class that is given is, 0 to 1."""

CLINICAL, NOTE, TRUTH = "clinical_", "note_", "truth_"

PREFIXES = {
    CLINICAL: "clinical facts of the lesion or patient, numbers or words; may serve as features "
    "(clinical_prescription_gy: the prescribed dose)",
    NOTE: "anything else worth keeping; never used",
    TRUTH: "what is known about generated lesions; for tests only",
}


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        kind: "text", "file", "number", "whole" (number), "date", "time point", "yes or no", "word" (one of
            ``choices``), "class" of the shrinkage rule, or "label": a class of some system, which only its task can
            read.
        about: what belongs there.
        required: whether a table without it is refused.
        choices: words that may be written.
        within: numbers that can be meant; of a date its year.
    """

    kind: str
    about: str
    required: bool = False
    choices: tuple[str, ...] = ()
    within: Range = ANY_NUMBER


YEARS = Range(1900, 2199)
"""In which an MRI can have been made, or seem so: those who take names out shift dates by decades."""

COLUMNS: dict[str, Column] = {
    "patient": Column("text", "identifies the patient; kept as written, so use a pseudonym", True),
    "lesion": Column("text", "identifies the lesion within the patient", True),
    "time_point": Column("time point", "'baseline' (also when empty) or 'second': a second MRI before treatment"),
    "date": Column("date", "of this MRI: 2026-01-31, 20260131 or 31.01.2026", within=YEARS),
    "image": Column("file", "contrast-enhanced T1 MRI: NRRD, NIfTI, MetaImage, or a folder of DICOM slices"),
    "series": Column("text", "number or UID of the series, where a DICOM folder holds several"),
    "segmentation": Column("file", "file with the lesion's contour on this MRI: .seg.nrrd or a label volume"),
    "segment": Column("text", "name or ID of the segment in a .seg.nrrd"),
    "label_value": Column("whole", "value of the lesion in a label volume"),
    "volume_cm3": Column("number", "volume of the lesion on this MRI; measured on the mask when empty"),
    "followup_date": Column("date", "of the follow-up MRI", within=YEARS),
    "followup_image": Column("file", "follow-up MRI; not needed for the response"),
    "followup_segmentation": Column("file", "file with the lesion's contour at follow-up"),
    "followup_segment": Column("text", "its segment there, if it is not called as in 'segment'"),
    "followup_label_value": Column("whole", "its value there, if it is not 'label_value'"),
    "followup_volume_cm3": Column("number", "volume at follow-up, 0 if it vanished; measured on the mask when empty"),
    "response": Column("class", "1 (response) or 0 (non-response); only where no volume can be had"),
    "dose": Column("file", "planned dose in Gy: RTDOSE, or a volume"),
}
"""Column name to what it holds. Paths are relative to the table's folder, or absolute."""


VISIT_ABOUT = "name of this time point; where it is empty the date, or the number of the patient's row"


def known_columns() -> dict[str, Column]:
    """:data:`COLUMNS`, and those that registered systems add: inputs, where the label is typed, and others."""
    found = dict(COLUMNS)
    for system in systems():
        for role in system.inputs:
            found.setdefault(role.table_column, _of_role(role))
        if system.task.label.kind != SHRINKAGE:
            found.setdefault(system.task.label.column, _of_label(system.task))
            sure = "how sure the class is, 0 to 1; counts with --soft-labels"
            found.setdefault(CONFIDENCE, Column("number", sure, within=Range(0, 1)))
        if system.task.unit == VISIT:
            found.setdefault(VISIT, Column("text", VISIT_ABOUT))
        for column in system.columns:
            found.setdefault(column.name, Column(column.kind, column.about, False, column.choices, column.within))
    return found


def _of_role(role: InputRole) -> Column:
    return Column("file", f"{role.about or role.title} ({role.kind}{'' if role.needed else ', may be empty'})")


def _of_label(task: Task) -> Column:
    numbered = ", ".join(f"{number} ({name})" for number, name in enumerate(task.names))
    return Column("label", f"{task.title}: {numbered}")


def required_columns(unit: str = LESION) -> tuple[str, ...]:
    """Columns without which there are no units."""
    return tuple(name for name, column in COLUMNS.items() if column.required and (name != "lesion" or unit == LESION))


def plain_name(heading: object) -> str:
    """A heading as a column name.

    Examples:
        >>> plain_name("Time point"), plain_name("TIME-POINT"), plain_name("Volume (cm³)")
        ('time_point', 'time_point', 'volume_cm3')
    """
    return re.sub(r"[^0-9a-z]+", "_", str(heading or "").strip().lower().replace("³", "3")).strip("_")


def prefix_of(name: str) -> str:
    """The prefix in :data:`PREFIXES` that a column name has; "" if none."""
    return next((prefix for prefix in PREFIXES if name.startswith(prefix) and len(name) > len(prefix)), "")


def columns_of(system: System) -> dict[str, Column]:
    """Those that a system reads, in the order of a table."""
    if system.name == DEFAULT:
        return COLUMNS
    own = dict.fromkeys(role.table_column for role in system.inputs)
    own |= dict.fromkeys([system.task.label.column, *(column.name for column in system.columns)])
    own |= dict.fromkeys([CONFIDENCE] if system.task.label.kind != SHRINKAGE else [])
    own |= dict.fromkeys(("segment", "label_value")) if system.role(MASK) else {}
    whose = {PATIENT: ("time_point",), VISIT: (VISIT,)}.get(system.task.unit, ("lesion", "time_point"))
    computed = tuple(COLUMNS) if system.task.label.kind == SHRINKAGE else ()
    this_row_last = sorted(system.inputs, key=lambda role: role.time_point == BASELINE)
    known = known_columns() | {role.table_column: _of_role(role) for role in this_row_last}
    return {name: known[name] for name in dict.fromkeys(("patient", *whose, "date", "series", *own, *computed))}


def described(system: System) -> str:
    """A system's columns and the prefixes in words, one a line."""
    names = {name: column.about for name, column in columns_of(system).items()}
    names |= {f"{prefix}...": about for prefix, about in PREFIXES.items()}
    width = max(map(len, names))
    return "\n".join(f"  {name:<{width}}  {about}" for name, about in names.items())
