"""Columns of a cohort table that RANO categories are computed from. Needs neither NumPy nor torch."""

from __future__ import annotations

from ...core.inputs import TableColumn
from ...core.settings import Range
from .criteria import CHANGES

TUMOUR, PRODUCT, VOLUME = "tumour", "product_mm2", "tumour_cm3"

LARGEST_MM2, LARGEST_CM3 = 50_000, 500
"""Five lesions of 10 x 10 cm, and more than any enhancing tumour: whatever is larger has another unit."""

MOST_STEROIDS_MG, MOST_WEEKS = 200, 2000
"""More dexamethasone than anybody is given in a day, and weeks of nearly forty years: a date or days, then."""

COLUMNS = (
    TableColumn(PRODUCT, "number", "sum of products of perpendicular diameters of enhancing tumour, 0 if it is gone",
                within=Range(0, LARGEST_MM2)),
    TableColumn(VOLUME, "number", "volume of enhancing tumour, 0 if it is gone; both measured on the mask when empty",
                within=Range(0, LARGEST_CM3)),
    TableColumn("measurable", "yes or no", "whether a lesion has two perpendicular diameters of 10 mm; as above"),
    TableColumn("new_lesion", "yes or no", "whether there is a measurable lesion that was not there at the baseline"),
    TableColumn("nonmeasurable_worse", "yes or no", "whether disease that cannot be measured has clearly progressed"),
    TableColumn("t2_flair", "word", "T2/FLAIR that does not enhance, against the baseline", CHANGES),
    TableColumn("steroids_mg", "number", "mg of dexamethasone a day; 0 also for replacement doses only",
                within=Range(0, MOST_STEROIDS_MG)),
    TableColumn(
        "neurological_status", "word", "against the baseline: improved, stable, or worse for no cause but the tumour",
        CHANGES,
    ),
    TableColumn("surgery", "yes or no", "whether the tumour was operated on since the visit before"),
    TableColumn("radiotherapy", "yes or no", "whether this is the first scan after radiotherapy"),
    TableColumn("rano_baseline", "yes or no", "whether this is the scan that what follows is compared with"),
    TableColumn("weeks_after_radiotherapy", "number", "since its end", within=Range(0, MOST_WEEKS)),
    TableColumn("outside_field", "yes or no", "whether what is new lies outside of the radiation field"),
    TableColumn("confirmed", "yes or no", "whether a scan four weeks later has borne out what this one shows"),
)  # fmt: skip
"""Columns from which categories are computed; an empty cell says that it is not known, never "no"."""
