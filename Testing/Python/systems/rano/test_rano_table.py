"""RANO in a cohort table: visits, the row before, categories that are typed, computed or not to be told."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from making_files import written

from PulsarCAMLib.cohort.checks import check_cohort
from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.systems.rano.system import RANO
from PulsarCAMLib.training.units.cohort_cases import cohort_cases, usable_rows

GRID = VolumeGeometry((6, 40, 40), (1.0, 1.0, 5.0))
KNOWN = {"new_lesion": "no", "steroids_mg": "0", "neurological_status": "stable", "t2_flair": "stable"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images of three visits, and masks of squares 20, 12 and 0 voxels wide."""
    place, rng = tmp_path_factory.mktemp("rano"), np.random.default_rng(0)
    for visit, width in enumerate((20, 12, 0), start=1):
        for name in ("t1", "t2", "flair"):
            written(place / f"{name}-{visit}.nrrd", rng.uniform(1, 9, GRID.shape).astype(np.float32) + visit, GRID)
        mask = np.zeros(GRID.shape, np.uint8)
        mask[2, 5 : 5 + width, 5 : 5 + width] = 1
        written(place / f"tumour-{visit}.nrrd", mask, GRID)
    return place


def a_row(visit, patient="P1", **cells):
    images = {name: f"{name}-{visit}.nrrd" for name in ("t1", "t2", "flair")}
    return {"patient": patient, "visit": f"week {visit}", **images, **cells}


def three(**cells):
    return [a_row(visit, tumour=f"tumour-{visit}.nrrd", **KNOWN, **cells) for visit in (1, 2, 3)]


@pytest.fixture
def table(folder):
    def of(*rows):
        path = folder / "cohort.csv"
        names = list(dict.fromkeys(name for row in rows for name in row))
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)
        return read_cohort(path, RANO)

    return of


def found_in(cohort, **options):
    return [(each.row, each.kind) for each in check_cohort(cohort, system=RANO, **options)]


def test_every_visit_but_the_first_is_a_unit(table):
    cohort = table(*three(), a_row(1, "P2"))
    assert list(cohort.units("visit")) == [("P1", "week 2"), ("P1", "week 3")]
    assert {row: before.row for row, before in cohort.previous.items()} == {3: 2, 4: 3}


def test_visits_are_called_by_name_date_or_number(table):
    rows = [a_row(1), a_row(2, date="2024-03-01"), a_row(3)]
    for row in rows[1:]:
        row["visit"] = ""
    assert [row.lesion for row in table(*rows).rows] == ["week 1", "2024-03-01", "visit 3"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("imaging-2.0", ["pr", "cr"]), ("rano-2010", ["pr", "cr"]), ("rano-2.0-volumes", ["sd", "cr"])],
)
def test_categories_are_computed_from_masks_by_the_named_rule(table, rule, expected):
    """A square of 12 mm is 64 % less than one of 20: partial response by products, not quite by volumes."""
    labels = label_cohort(table(*three()), system=RANO, rule=rule)
    assert [RANO.task.names[each.response] for each in labels] == expected
    assert {each.source for each in labels} == {rule}
    assert all(each.why for each in labels)


def test_the_usual_rule_needs_nothing_but_segmentations(table):
    rows = [a_row(visit, tumour=f"tumour-{visit}.nrrd") for visit in (1, 2, 3)]
    labels = label_cohort(table(*rows), system=RANO)
    assert [RANO.task.names[each.response] for each in labels] == ["pr", "cr"]
    whole = label_cohort(table(*rows), system=RANO, rule="rano-2.0")
    assert [each.response for each in whole] == [None, None]
    assert "whether there is a new lesion" in whole[0].why


def test_numbers_of_the_table_go_before_masks_and_need_none(table):
    rows = [a_row(visit, product_mm2=size, measurable="yes") for visit, size in ((1, 400), (2, 380), (3, 600))]
    labels = label_cohort(table(*rows), system=RANO)
    assert [RANO.task.names[each.response] for each in labels] == ["sd", "pd"]
    rows[1]["product_mm2"] = 0
    labels = label_cohort(table(*rows), system=RANO)
    assert [RANO.task.names[each.response] for each in labels] == ["cr", "pd"]
    rows = three()
    rows[1]["product_mm2"] = 2000
    assert RANO.task.names[label_cohort(table(*rows), system=RANO)[0].response] == "pd"


def test_a_typed_category_counts_and_a_rule_that_disagrees_is_told(table):
    rows = three()
    rows[1]["rano"], rows[2]["rano"] = "PD", "CR"
    cohort = table(*rows)
    assert [each.source for each in label_cohort(cohort, system=RANO)] == ["typed", "typed"]
    assert found_in(cohort) == [(0, "one class only"), (3, "label differs")]


def test_what_cannot_be_told_is_a_finding_and_no_label(table):
    cohort = table(*three(), a_row(1, "P2"), a_row(2, "P2"))
    assert (6, "label not computed") in found_in(cohort)
    assert (6, "label not computed") not in found_in(cohort, read_images=False)
    assert label_cohort(cohort, system=RANO)[-1].response is None


def test_a_patient_with_one_visit_and_visits_out_of_order_are_findings(table):
    rows = [a_row(1, date="2024-03-01"), a_row(2, date="2024-02-01", rano="SD"), a_row(3, "P2", rano="PD")]
    kinds = [kind for _, kind in found_in(table(*rows))]
    assert "dates out of order" in kinds
    assert "no visit before" in kinds


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"new_lesion": "perhaps"}, "yes or no"),
        ({"neurological_status": "fine"}, "improved, stable or worse"),
        ({"rano": "better"}, "0 (cr), 1 (pr)"),
    ],
)
def test_cells_that_say_nothing_are_findings(table, cells, says):
    rows = three()
    rows[1] |= cells
    found = [each for each in check_cohort(table(*rows), system=RANO) if each.kind == "unreadable cell"]
    assert len(found) == 1
    assert says in found[0].remedy


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"product_mm2": "-5"}, "“-5” in the column product_mm2 is below 0; write a number from 0 to 50000"),
        ({"product_mm2": "70000"}, "is above 50000"),
        ({"tumour_cm3": "900"}, "“900” in the column tumour_cm3 is above 500; write a number from 0 to 500"),
        ({"weeks_after_radiotherapy": "-3"}, "is below 0; write a number from 0 to 2000"),
        ({"steroids_mg": "-1"}, "is below 0; write a number from 0 to 200"),
        ({"confidence": "1.5"}, "is above 1; write a number from 0 to 1"),
        ({"date": "1024-01-01"}, "has a year that is below 1900; write a date of the years 1900 to 2199"),
        ({"date": "2924-01-01"}, "has a year that is above 2199"),
    ],
)
def test_numbers_and_dates_that_cannot_be_meant_are_errors(table, cells, says):
    """The limits stand with the columns; nothing starts, so that -5 mm² never becomes a category."""
    rows = three()
    rows[1] |= cells
    found = [each for each in check_cohort(table(*rows), system=RANO) if each.kind == "impossible value"]
    assert [(each.row, each.severity) for each in found] == [(3, "error")]
    assert says in f"{found[0].what}; {found[0].remedy}"


def test_numbers_at_their_limits_are_none_of_these(table):
    rows = three()
    rows[1] |= {"product_mm2": "50000", "weeks_after_radiotherapy": "0", "date": "1900-01-01"}
    assert "impossible value" not in [kind for _, kind in found_in(table(*rows), read_images=False)]


def test_sizes_that_are_not_their_masks_are_told(table):
    """The mask of the second visit is 12 x 12 x 5 mm: 0.72 cm³ and 265 mm² across (the first 2 cm³, 761 mm²)."""
    rows = three(measurable="yes")
    rows[0] |= {"tumour_cm3": 2.1, "product_mm2": 400}
    rows[1] |= {"tumour_cm3": 90, "product_mm2": 1440}
    found = [each for each in check_cohort(table(*rows), system=RANO) if each.kind == "volumes differ"]
    assert [(each.row, each.what) for each in found] == [
        (3, "tumour_cm3 is 90, but the mask has 0.72 cm³"),
        (3, "product_mm2 is 1.44e+03, but the mask has 265 mm²"),
    ]


def test_a_label_value_that_no_mask_holds_is_an_error_and_one_that_is_gone_a_doubt(table, folder):
    rows = three(label_value=7)
    found = [each for each in check_cohort(table(*rows), system=RANO) if "nothing would be there" in each.what]
    assert [(each.row, each.kind) for each in found] == [(2, "unusable mask"), (3, "unusable mask")]
    assert "holds other values and no 7" in found[0].what
    mask = np.zeros(GRID.shape, np.uint8)
    mask[2, 5:20, 5:20] = 2
    written(folder / "cavity.nrrd", mask, GRID)
    rows = three(label_value=1)
    rows[2]["tumour"] = "cavity.nrrd"
    assert (4, "doubtful mask") in found_in(table(*rows))
    assert "unusable mask" not in [kind for _, kind in found_in(table(*rows))]


def test_a_mask_that_is_none_is_told_with_its_row(table, folder):
    rows = three()
    rows[1]["tumour"] = "t1-1.nrrd"
    assert (3, "unusable mask") in found_in(table(*rows))
    with pytest.raises(InputError, match=r"Row 3: The segmentation t1-1\.nrrd holds fractions"):
        label_cohort(table(*rows), system=RANO)


def test_an_unknown_rule_is_refused_by_name(table):
    with pytest.raises(InputError, match=r"imaging-2\.0"):
        label_cohort(table(*three()), system=RANO, rule="recist")


def test_a_case_has_this_visit_and_the_one_before(table, folder):
    cohort = table(*three())
    rows = usable_rows(cohort, label_cohort(cohort, system=RANO), system=RANO)
    first, second = cohort_cases(rows, system=RANO)
    assert [unit.name for unit in (first, second)] == ["week 2", "week 3"]
    means = {name: float(image.voxels.mean()) for name, image in second.case.images.items()}
    assert set(means) == {"t1", "t1-before", "t2", "t2-before", "flair", "flair-before"}
    assert all(round(means[name] - means[f"{name}-before"]) == 1 for name in ("t1", "t2", "flair"))
    assert [len(unit.case.lesions) for unit in (first, second)] == [1, 0]


def test_a_visit_whose_predecessor_lacks_an_image_is_left_out(table):
    rows = three()
    rows[0]["t2"] = ""
    cohort = table(*rows)
    used = usable_rows(cohort, label_cohort(cohort, system=RANO), system=RANO)
    assert [row.lesion for row, _ in used] == ["week 3"]
