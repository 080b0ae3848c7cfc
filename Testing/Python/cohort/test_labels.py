"""The response of a lesion: computed from volumes, strictly, at any threshold; typed only where there are none."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from making_files import PLAIN, two_boxes, written

from PulsarCAMLib.cohort.checks import check_cohort
from PulsarCAMLib.cohort.importers.openbtai import import_openbtai
from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.labels.response import responds
from PulsarCAMLib.cohort.tables.table import CohortRow, CohortTable, read_cohort, save_cohort_table
from PulsarCAMLib.core.errors import InputError


def a_cohort(*rows):
    return CohortTable(tuple(CohortRow(n, **row) for n, row in enumerate(rows, start=2)), ())


def labels_of(*rows, **options):
    return [label.response for label in label_cohort(a_cohort(*rows), **options)]


def test_exactly_the_threshold_is_no_response_whatever_binary_fractions_do():
    assert 0.8 * 0.1 > 0.08, "the trap"
    assert responds(0.1, 0.08) == 0
    assert responds(10, 8) == 0
    assert responds(10, 7.999) == 1
    assert responds(10, 7, 0.3) == 0
    assert responds(10, 4.999, 0.5) == 1
    assert responds(10, 0) == 1
    assert responds(10, 12) == 0


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.sampled_from([20, 30, 50, 25, 99]))
def test_the_rule_is_that_of_whole_numbers(first, last, percent):
    assert responds(first / 1000, last / 1000, percent / 100) == int(100 * last < (100 - percent) * first)


def test_lesions_are_labelled_at_the_threshold_asked_for():
    rows = [{"patient": "a", "lesion": str(v), "volume_cm3": 10.0, "followup_volume_cm3": v} for v in (7.5, 6.0, 4.0)]
    assert labels_of(*rows) == [1, 1, 1]
    assert labels_of(*rows, shrinkage=0.3) == [0, 1, 1]
    assert labels_of(*rows, shrinkage=0.5) == [0, 0, 1]


@pytest.mark.parametrize("shrinkage", [0, 1, -0.2, 20])
def test_a_threshold_that_is_no_share_is_refused(shrinkage):
    with pytest.raises(InputError, match="between 0 and 1"):
        labels_of({"patient": "a", "lesion": "1"}, shrinkage=shrinkage)


def test_the_second_mri_shares_the_label_of_the_first():
    rows = (
        {"patient": "a", "lesion": "1", "time_point": "second", "volume_cm3": 5.0},
        {"patient": "a", "lesion": "1", "volume_cm3": 10.0, "followup_volume_cm3": 6.0},
    )
    (label,) = label_cohort(a_cohort(*rows))
    assert (label.response, label.source, label.volume_cm3, label.rows) == (1, "volumes", 10.0, (2, 3))
    assert label.change == pytest.approx(-0.4)


def test_a_typed_response_counts_only_where_no_volume_exists():
    known = {"volume_cm3": 10.0, "followup_volume_cm3": 10.0}
    table = a_cohort(
        {"patient": "a", "lesion": "1", "response": 1},
        {"patient": "a", "lesion": "2", "response": 0, **known},
        {"patient": "a", "lesion": "3"},
    )
    assert [(x.response, x.source) for x in label_cohort(table)] == [(1, "typed"), (0, "volumes"), (None, "unknown")]


def test_a_volume_that_the_table_does_not_give_is_measured_on_its_own_mask(tmp_path):
    labels = two_boxes(PLAIN, second=2)
    mask = written(tmp_path / "first.nrrd", labels, PLAIN)
    smaller = np.where(labels == 1, 0, labels)
    smaller[3:8, 10:24, 8:10] = 1
    follow = written(tmp_path / "last.nrrd", smaller, PLAIN)
    files = {"patient": "a", "segmentation": mask, "followup_segmentation": follow}
    table = a_cohort({**files, "lesion": "1", "label_value": 1}, {**files, "lesion": "2", "label_value": 2})
    found = label_cohort(table)
    assert [(x.response, x.source) for x in found] == [(1, "masks"), (0, "masks")]
    voxel = PLAIN.voxel_volume_mm3 / 1000
    assert found[0].volume_cm3 == pytest.approx(5 * 14 * 14 * voxel)
    assert found[0].followup_volume_cm3 == pytest.approx(5 * 14 * 2 * voxel)
    mixed = a_cohort({**files, "lesion": "1", "label_value": 1, "followup_volume_cm3": 2.6})
    assert label_cohort(mixed)[0].source == "volume and mask"


def test_a_mask_that_is_missing_or_empty_stops_the_labelling(tmp_path):
    row = {"patient": "a", "lesion": "1", "segmentation": tmp_path / "none.nrrd", "followup_volume_cm3": 1.0}
    with pytest.raises(InputError, match="check the table first"):
        label_cohort(a_cohort(row))
    written(tmp_path / "none.nrrd", np.zeros(PLAIN.shape, np.uint8), PLAIN)
    with pytest.raises(InputError, match="check the table first"):
        label_cohort(a_cohort(row))


def test_openbtai_gives_the_published_counts(shared_data, tmp_path):
    table = import_openbtai(shared_data / "tables" / "OpenBTAI_MORPHOLOGICAL_MEASUREMENTS.xlsx")
    assert (len(table.rows), len(table.patients)) == (97, 51)
    assert all(60 <= (row.followup_date - row.date).days <= 120 for row in table.rows)
    found = label_cohort(table)
    assert sum(label.response for label in found) == 16
    assert sum(label.change >= 0.2 for label in found) == 59
    assert [sum(x.response for x in label_cohort(table, share)) for share in (0.3, 0.5)] == [11, 5]
    assert [finding.kind for finding in check_cohort(table)] == ["no images"]
    back = read_cohort(save_cohort_table(table, tmp_path / "openbtai.csv"))
    assert back.rows == table.rows


def test_another_window_gives_other_pairs_and_another_table_is_refused(shared_data):
    path = shared_data / "tables" / "OpenBTAI_MORPHOLOGICAL_MEASUREMENTS.xlsx"
    assert len(import_openbtai(path, (0, 10000)).rows) == 147, "all lesions that have a second date"
    with pytest.raises(InputError, match="not the volume table of OpenBTAI"):
        import_openbtai(shared_data / "tables" / "Brain-TR-GammaKnife-Clinical-Information.xlsx")


def test_a_follow_up_is_counted_from_the_first_scan(tmp_path):
    lines = ["PATIENT,LESION,TIME POINT,TOTALVOLUME", "1,1,19010301,1.0", "1,1,19010101,2.0", "1,1,19010201,9.0"]
    path = tmp_path / "openbtai.csv"
    path.write_text("\n".join([*lines, "1,2,19010101,1.0", "1,2,19010301,0.8"]) + "\n")
    first, second = import_openbtai(path, (59, 59)).rows
    assert (first.volume_cm3, first.followup_volume_cm3) == (2.0, 1.0), "dates are sorted, days counted from the first"
    assert [x.response for x in label_cohort(CohortTable((second,), ()))] == [0], "exactly 20 % is no response"
    path.write_text("\n".join([*lines, "1,2,19010101,much"]) + "\n")
    with pytest.raises(InputError, match="Row 5"):
        import_openbtai(path)
