"""Columns of a cohort table that RANO categories are computed from. Needs neither NumPy nor torch."""

from __future__ import annotations

from ...core.inputs import TableColumn
from .criteria import CHANGES

TUMOUR, PRODUCT, VOLUME = "tumour", "product_mm2", "tumour_cm3"

COLUMNS = (
    TableColumn(PRODUCT, "number", "sum of products of perpendicular diameters of enhancing tumour, 0 if it is gone"),
    TableColumn(VOLUME, "number", "volume of enhancing tumour, 0 if it is gone; both measured on the mask when empty"),
    TableColumn("measurable", "yes or no", "whether a lesion has two perpendicular diameters of 10 mm; as above"),
    TableColumn("new_lesion", "yes or no", "whether there is a measurable lesion that was not there at the baseline"),
    TableColumn("nonmeasurable_worse", "yes or no", "whether disease that cannot be measured has clearly progressed"),
    TableColumn("t2_flair", "word", "T2/FLAIR that does not enhance, against the baseline", CHANGES),
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
