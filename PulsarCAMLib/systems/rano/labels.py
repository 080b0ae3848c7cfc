"""RANO categories of a patient's visits, from the cells of a cohort table and the masks that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...io.plain_files import is_there
from ..contract import ComputedLabel
from .columns import PRODUCT, TUMOUR, VOLUME
from .criteria import CATEGORIES, RULES, Visit, assess_all
from .measurements import Measurement, measure_file

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
    return Visit(
        product_mm2=product,
        volume_cm3=volume,
        gone=gone,
        clinical=cells.get("neurological_status"),
        baseline=cells.get("rano_baseline"),
        day=cells["date"].toordinal() if cells.get("date") else None,
        **facts,
    )


def visits_of(cells: Sequence[Mapping[str, Any]]) -> list[Visit]:
    """What is known of a patient's visits, masks measured.

    Raises:
        InputError: a mask cannot be used.
    """
    found = []
    for each in cells:
        measured, problem = _measured(each)
        if problem:
            raise InputError(f"{problem}; check the table first.")
        found.append(visit_of(each, measured))
    return found


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
    if path is None or complete or not is_there(path):  # a missing file is a finding of its own
        return None, ""
    try:
        return measure_file(Path(path), cells.get("label_value"), cells.get("segment")), ""
    except InputError as error:
        return None, str(error).rstrip(".")
