"""RANO categories of a patient's visits, from the cells of a cohort table and the masks that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...io.plain_files import is_there
from ...lesions.doubts import volumes_differ
from ..contract import ComputedLabel
from .columns import PRODUCT, TUMOUR, VOLUME
from .criteria import CATEGORIES, RULES, Visit, assess_all
from .measurements import Measurement, measure_file

SAME_RATIO, SAME_MM2 = 2.0, 100.0
"""A typed product may be this many times the mask's, or differ by this much (one lesion of 10 x 10 mm): hands choose
another slice, and leave small lesions out."""

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
    known, told = [], []
    for cells in visits:
        measured, problem = _measured(cells, always=True) if read_files else (None, "")
        known.append(visit_of(cells, measured))
        told.append((problem, tuple(_otherwise(cells, measured)) if measured else ()))
    found = assess_all(known, RULES[rule])
    return [
        ComputedLabel(None if each.category is None else CATEGORIES.index(each.category), each.why, *more)
        for each, more in zip(found, told, strict=True)
    ]


def _otherwise(cells: Mapping[str, Any], measured: Measurement) -> Iterator[str]:
    """What is typed and is not what the mask measures."""
    volume, product = cells.get(VOLUME), cells.get(PRODUCT)
    if volume is not None and volumes_differ(volume, measured.volume_cm3):
        yield f"{VOLUME} is {volume:.3g}, but the mask has {measured.volume_cm3:.3g} cm³"
    if product is not None:
        small, large = sorted((product, measured.product_mm2))
        if large > SAME_RATIO * small and large - small > SAME_MM2:
            yield f"{PRODUCT} is {product:.3g}, but the mask has {measured.product_mm2:.3g} mm²"


def _measured(cells: Mapping[str, Any], always: bool = False) -> tuple[Measurement | None, str]:
    """Of the row's mask, where numbers are lacking (or always) and there is one; and why it cannot be used."""
    path = cells.get(TUMOUR)
    complete = not always and all(cells.get(name) is not None for name in (PRODUCT, VOLUME, "measurable"))
    if path is None or complete or not is_there(path):  # a missing file is a finding of its own
        return None, ""
    try:
        return measure_file(Path(path), cells.get("label_value"), cells.get("segment")), ""
    except InputError as error:
        return None, str(error).rstrip(".")
