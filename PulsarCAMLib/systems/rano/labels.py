"""RANO categories of a patient's visits, from the cells of a cohort table and the masks that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.inputs import TableColumn
from ..contract import ComputedLabel
from .criteria import CATEGORIES, CHANGES, RULES, Visit, assess_all
from .measurements import Measurement, measure_file

TUMOUR, PRODUCT, VOLUME = "tumour", "product_mm2", "tumour_cm3"

COLUMNS = (
    TableColumn(PRODUCT, "number", "sum of products of perpendicular diameters of enhancing tumour, 0 if gone"),
    TableColumn(VOLUME, "number", "volume of enhancing tumour, 0 if gone; both are measured on the mask when empty"),
    TableColumn("measurable", "yes or no", "whether a lesion has two perpendicular diameters of 10 mm; as above"),
    TableColumn("new_lesion", "yes or no", "whether there is a measurable lesion that was not there at the baseline"),
    TableColumn("nonmeasurable_worse", "yes or no", "whether disease that cannot be measured has clearly progressed"),
    TableColumn("t2_flair", "word", "T2/FLAIR without enhancement against baseline: improved, stable, worse", CHANGES),
    TableColumn("steroids_mg", "number", "mg of dexamethasone a day; 0 also for replacement doses only"),
    TableColumn(
        "neurological_status", "word", "against the baseline: improved, stable, or worse for no cause but the tumour",
        CHANGES,
    ),
    TableColumn("surgery", "yes or no", "whether the tumour was operated on since the visit before"),
    TableColumn("radiotherapy", "yes or no", "whether this is the first scan after radiotherapy"),
    TableColumn("rano_baseline", "yes or no", "whether this is the scan that what follows is compared with"),
    TableColumn("weeks_after_radiotherapy", "number", "since its end"),
    TableColumn("outside_field", "yes or no", "whether what is new lies outside of the radiation field"),
    TableColumn("confirmed", "yes or no", "whether a scan four weeks later has borne out what this one shows"),
)  # fmt: skip
"""Columns from which categories are computed; an empty cell says that it is not known, never "no"."""

_AS_THEY_ARE = (
    *("measurable", "new_lesion", "nonmeasurable_worse", "t2_flair", "steroids_mg", "surgery", "radiotherapy"),
    *("weeks_after_radiotherapy", "outside_field", "confirmed"),
)


def visit_of(cells: Mapping[str, Any], measured: Measurement | None = None) -> Visit:
    """What is known of a visit.

    Args:
        cells: of its row by column; what is empty is absent.
        measured: of its mask; the table's own numbers go before it.
    """
    product, volume = cells.get(PRODUCT), cells.get(VOLUME)
    facts = {name: cells.get(name) for name in _AS_THEY_ARE}
    gone = True if 0 in (product, volume) else None if product is None and volume is None else False
    if measured:
        product = measured.product_mm2 if product is None else product
        volume = measured.volume_cm3 if volume is None else volume
        gone = measured.gone if gone is None else gone
        facts["measurable"] = measured.measurable if facts["measurable"] is None else facts["measurable"]
    if gone:
        facts["measurable"] = False
    return Visit(
        product_mm2=product,
        volume_cm3=volume,
        gone=gone,
        clinical=cells.get("neurological_status"),
        baseline=cells.get("rano_baseline"),
        day=cells["date"].toordinal() if cells.get("date") else None,
        **facts,
    )


def labels_of(visits: Sequence[Mapping[str, Any]], rule: str, *, read_files: bool = True) -> list[ComputedLabel]:
    """See :meth:`..contract.System.computed_labels`."""
    known, wrong = [], []
    for cells in visits:
        measured, problem = _measured(cells) if read_files else (None, "")
        known.append(visit_of(cells, measured))
        wrong.append(problem)
    found = assess_all(known, RULES[rule])
    return [
        ComputedLabel(None if each.category is None else CATEGORIES.index(each.category), each.why, problem)
        for each, problem in zip(found, wrong, strict=True)
    ]


def _measured(cells: Mapping[str, Any]) -> tuple[Measurement | None, str]:
    """Of the row's mask, where numbers are lacking and there is one; and why it cannot be used."""
    path = cells.get(TUMOUR)
    complete = all(cells.get(name) is not None for name in (PRODUCT, VOLUME, "measurable"))
    if path is None or complete or not Path(path).exists():  # a missing file is a finding of its own
        return None, ""
    try:
        return measure_file(Path(path), cells.get("label_value"), cells.get("segment")), ""
    except InputError as error:
        return None, str(error).rstrip(".")
