"""Everything that is wrong with a cohort is found, at once, and nothing is written."""

import csv
from datetime import date

import numpy as np
import pytest
from making_files import PLAIN, files_in, reversed_axes, two_boxes, written

from PulsarCAMLib.cohort.checks import check_cohort
from PulsarCAMLib.cohort.findings import KINDS, errors_in
from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.cohort.synthetic.store import segmentation_image, write_cohort
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.geometry.volume import VolumeGeometry

FIRST = {"patient": "P1", "lesion": "one", "image": "mri.nrrd", "segmentation": "mask.nrrd", "label_value": 1}
FIRST |= {"volume_cm3": 2.646, "followup_volume_cm3": 0.5, "date": "2025-01-02", "followup_date": "2025-04-02"}
SECOND = FIRST | {"lesion": "two", "label_value": 2, "volume_cm3": 1.944, "followup_volume_cm3": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One MRI with two lesions (5*14*14 and 4*12*15 voxels of 2.7 mm3), good and bad masks, and other images."""
    folder = tmp_path_factory.mktemp("cohort")
    labels = two_boxes(PLAIN, second=2)
    away = VolumeGeometry(PLAIN.shape, PLAIN.spacing, (500.0, 31.0, 8.0))
    aside = VolumeGeometry((12, 60, 60), PLAIN.spacing, (-20.0 - 12 * 0.9, 31.0, 8.0))
    noise = np.random.default_rng(0).normal(400, 60, PLAIN.shape).astype(np.int16)
    for name, array, grid in (
        ("mri.nrrd", noise, PLAIN),
        ("mri2.nrrd", noise[::-1], PLAIN),
        ("copy.nrrd", noise, PLAIN),
        ("flat.nrrd", np.zeros_like(noise), PLAIN),
        ("lost.nrrd", np.where(np.arange(12)[:, None, None] == 1, 0, noise), PLAIN),
        ("mask.nrrd", labels, PLAIN),
        ("mask2.nrrd", labels, PLAIN),
        ("grown.nrrd", np.where(labels == 0, 1, 0).astype(np.uint8), PLAIN),
        ("away.nrrd", labels, away),
        ("aside.nrrd", labels[:, :, :60], aside),
        ("mirrored.nrrd", labels, reversed_axes(PLAIN)),
        ("empty.nrrd", np.zeros_like(labels), PLAIN),
    ):
        written(folder / name, array, grid)
    image = segmentation_image(np.where(labels == 2, 0, labels), PLAIN, {1: "GTV 1", 2: "GTV 2"})
    import SimpleITK as sitk

    sitk.WriteImage(image, str(folder / "gtv.seg.nrrd"), True)
    (folder / "broken.nrrd").write_text("NRRD0004\nnothing")
    return folder


@pytest.fixture
def findings(folder):
    """Writes rows as a table beside the images, checks it, and gives kinds by row."""

    def check(*rows, **options):
        path = folder / "cohort.csv"
        columns = list(dict.fromkeys(name for row in rows for name in row))
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, columns)
            table.writeheader()
            table.writerows(rows)
        before = files_in(folder)
        found = check_cohort(read_cohort(path), **options)
        assert files_in(folder) == before, "a check writes nothing"
        for finding in found:
            assert finding.what
            assert finding.remedy
            assert "\n" not in finding.what
        return found

    return check


def kinds(found):
    return [(finding.row, finding.kind) for finding in found]


def test_a_good_table_has_no_finding(findings):
    assert findings(FIRST, SECOND) == []


@pytest.mark.parametrize("second_mri", [False, True])
def test_a_synthetic_cohort_has_no_finding_and_its_labels_are_those_of_the_generator(tmp_path, second_mri):
    settings = CohortSettings(patients=2, seed=8, second_mri=second_mri, lesions=(2, 2))
    table = read_cohort(write_cohort(tmp_path / "cohort", settings))
    assert check_cohort(table) == []
    assert len(table.rows) == 4 * (1 + second_mri)
    from dataclasses import replace

    from PulsarCAMLib.cohort.synthetic.patients import generate_cohort
    from PulsarCAMLib.cohort.tables.table import CohortTable

    truth = [x.response for patient in generate_cohort(settings, images=()) for x in patient.lesions]
    assert [label.response for label in label_cohort(table)] == truth
    bare = tuple(replace(row, volume_cm3=None, followup_volume_cm3=None) for row in table.rows)
    measured = label_cohort(CohortTable(bare, ()))
    assert [(label.response, label.source) for label in measured] == [(response, "masks") for response in truth]


def test_no_images_means_that_no_image_is_read(findings, monkeypatch):
    from PulsarCAMLib.cohort import reader
    from PulsarCAMLib.io import inputs

    def refuse(*_):
        raise AssertionError("an image was read")

    monkeypatch.setattr(inputs, "read_input", refuse)
    monkeypatch.setattr(reader, "_read_mask", refuse)
    assert findings(FIRST | {"segmentation": "away.nrrd"}, SECOND, read_images=False) == []


MRI_2 = {"image": "mri2.nrrd", "segmentation": "mask2.nrrd"}
FOLLOWED = {"followup_segmentation": "mask2.nrrd", "followup_volume_cm3": ""}
OTHER_MRI = {"time_point": "second", "image": "mri2.nrrd", "segmentation": "mask2.nrrd"}
ONE_CLASS = (0, "one class only")

CASES = {
    "a column nobody knows": ([FIRST | {"colour": "red"}, SECOND], [(0, "unknown column")]),
    "patients that a spreadsheet has shortened": (
        [FIRST, SECOND, SECOND | {"patient": "1.23E+11", "image": "mri2.nrrd", "segmentation": "mask2.nrrd"}],
        [(4, "unreadable cell")],
    ),
    "a volume in words": ([FIRST | {"volume_cm3": "big"}, SECOND], [(2, "unreadable cell")]),
    "a date to come": (
        [FIRST | {"date": "2150-01-02", "followup_date": "2150-04-02"}, SECOND],
        [(2, "doubtful value"), (2, "doubtful value")],
    ),
    "a row too long": ([FIRST, SECOND | {None: ["more"]}], [(3, "unreadable cell")]),
    "a follow-up as a row of its own": ([FIRST, SECOND, SECOND | {"time_point": "followup"}], [(4, "unreadable cell")]),
    "nobody's lesion": ([FIRST, SECOND, SECOND | {"patient": ""}], [(4, "missing value")]),
    "no mask named": ([FIRST, SECOND | {"segmentation": ""}], [(3, "missing value")]),
    "no such file": ([FIRST | {"image": "gone.nrrd"}, SECOND], [(2, "missing file")]),
    "an image that is damaged": ([FIRST | {"image": "broken.nrrd"}, SECOND], [(2, "unusable image")]),
    "an image of nothing": ([FIRST | {"image": "flat.nrrd"}, SECOND], [(2, "unusable image")]),
    "an image that has lost a slice": (
        [FIRST | {"image": "lost.nrrd"}, SECOND | {"image": "lost.nrrd"}],
        [(2, "doubtful image")],
    ),
    "a copy of another patient's image": (
        [FIRST, SECOND, FIRST | {"patient": "P2", "image": "copy.nrrd", "segmentation": "mask2.nrrd"}],
        [(4, "doubtful image")],
    ),
    "one name stored in two ways": (
        [FIRST | {"patient": "M\u00fcller"}, SECOND | MRI_2 | {"patient": "Mu\u0308ller"}],
        [(3, "names alike")],
    ),
    "a mask as an image": ([FIRST | {"image": "mask2.nrrd"}, SECOND], [(2, "unusable image")]),
    "one file as image and as mask": (
        [FIRST | {"image": "mask.nrrd"}, SECOND],
        [(2, "unusable image"), (2, "unusable image")],
    ),
    "an image as mask and as image": (
        [FIRST | {"segmentation": "mri.nrrd"}, SECOND],
        [(2, "unusable image"), (2, "unusable mask")],
    ),
    "an empty mask": ([FIRST | {"segmentation": "empty.nrrd"}, SECOND], [(2, "unusable mask")]),
    "an empty segment": (
        [FIRST, SECOND | {"segmentation": "gtv.seg.nrrd", "segment": "GTV 2", "label_value": ""}],
        [(3, "unusable mask")],
    ),
    "a label that is not there": ([FIRST | {"label_value": 7}, SECOND], [(2, "unusable mask")]),
    "no label named where there are two": ([FIRST, SECOND | {"label_value": ""}], [(3, "unusable mask")]),
    "an image as a mask": ([FIRST | {"segmentation": "mri2.nrrd"}, SECOND], [(2, "unusable mask")]),
    "segment and label": (
        [FIRST | {"segmentation": "gtv.seg.nrrd", "segment": "GTV 1"}, SECOND],
        [(2, "unusable mask"), (2, "unusable mask")],
    ),
    "a mask elsewhere": ([FIRST | {"segmentation": "away.nrrd"}, SECOND], [(2, "mask off the image")]),
    "a mask half elsewhere": (
        [FIRST | {"segmentation": "aside.nrrd"}, SECOND],
        [(2, "mask partly off the image")],
    ),
    "a mask with a mirrored header": ([FIRST | {"segmentation": "mirrored.nrrd"}, SECOND], [(2, "doubtful mask")]),
    "the same lesion twice": (
        [FIRST, SECOND, SECOND | {"segmentation": "mask2.nrrd"}],
        [(4, "duplicate lesion")],
    ),
    "one mask for two lesions": (
        [FIRST, SECOND, SECOND | {"lesion": "three"}],
        [(4, "duplicate lesion")],
    ),
    "a second MRI that is the first": (
        [FIRST, SECOND, FIRST | {"time_point": "second"}],
        [(4, "duplicate lesion")],
    ),
    "a follow-up MRI that is the first": (
        [FIRST | {"followup_image": "mri.nrrd"}, SECOND],
        [(2, "contradictory follow-up")],
    ),
    "a follow-up mask that is the first": (
        [FIRST, SECOND | {"followup_segmentation": "mask.nrrd", "followup_volume_cm3": 1.944}],
        [(3, "contradictory follow-up")],
    ),
    "one person under two names": (
        [FIRST, SECOND | {"patient": "Q9", "segmentation": "mask2.nrrd"}],
        [(3, "patients mixed")],
    ),
    "one patient spelt in two ways": (
        [FIRST, SECOND | {"patient": "p01", "image": "mri2.nrrd", "segmentation": "mask2.nrrd"}],
        [(3, "names alike")],
    ),
    "a second MRI alone": (
        [FIRST, SECOND, FIRST | OTHER_MRI | {"lesion": "three"}],
        [(4, "no baseline")],
    ),
    "no follow-up": ([FIRST, SECOND, FIRST | {"lesion": "3", "segmentation": "mask2.nrrd", "followup_volume_cm3": ""}],
                     [(4, "no follow-up")]),
    "a typed response against the volumes": ([FIRST | {"response": 0}, SECOND], [(2, "contradictory label")]),
    "masks against the volumes": (
        [FIRST | {"followup_segmentation": "mask2.nrrd"}, SECOND],
        [(2, "contradictory label"), (2, "volumes differ")],
    ),
    "a volume that is not its mask's": ([FIRST | {"volume_cm3": 4}, SECOND], [(2, "volumes differ")]),
    "two follow-ups": (
        [FIRST, SECOND, FIRST | OTHER_MRI | {"followup_volume_cm3": 2.5}],
        [(4, "contradictory follow-up")],
    ),
    "a volume below zero": ([FIRST | {"followup_volume_cm3": -1}, SECOND], [(2, "impossible volume")]),
    "cubic millimetres": ([FIRST, SECOND | {"followup_volume_cm3": 2646}], [(3, "impossible volume")]),
    "a follow-up before the MRI": ([FIRST, SECOND | {"followup_date": "2024-12-30"}], [(3, "dates out of order")]),
    "a second MRI before the first": (
        [FIRST, SECOND, FIRST | OTHER_MRI | {"date": "2024-12-30"}],
        [(4, "dates out of order")],
    ),
    "no image at all": (
        [{k: v for k, v in row.items() if k not in ("image", "segmentation")} for row in (FIRST, SECOND)],
        [(0, "no images")],
    ),
    "one class": ([FIRST], [ONE_CLASS]),
    "no outcome": ([FIRST | {"followup_volume_cm3": ""}], [(0, "nothing to learn"), (2, "no follow-up")]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_found_and_nothing_else(findings, case):
    rows, expected = CASES[case]
    assert kinds(findings(*rows)) == expected


def test_every_kind_of_finding_is_met_in_these_tests():
    # see training/test_other_system.py and systems/rano/test_rano_table.py
    of_other_systems = {"no label", "no visit before", "label differs", "label not computed"}
    of_other_systems |= {"unusable case", "doubtful case"}  # see test_case_checks.py
    of_other_systems |= {"impossible value"}  # see systems/rano/test_rano_table.py
    # see cohort/importers
    of_imports = {"left out", "rating not used", "missing modality", "no mask", "taken as"}
    met = {kind for _, expected in CASES.values() for _, kind in expected}
    assert met | of_other_systems | of_imports == set(KINDS)


def test_all_faults_are_reported_at_once_in_the_order_of_the_rows(findings):
    faults = [row for rows, _ in CASES.values() for row in rows if None not in row]
    found = findings(*faults)
    assert [finding.row for finding in found] == sorted(finding.row for finding in found)
    assert len({finding.kind for finding in found}) > 15
    assert len(found) == len(set(found))
    assert errors_in(found)


def test_a_vanished_lesion_has_volume_zero_and_is_a_response(findings):
    assert findings(FIRST | {"followup_volume_cm3": 0}, SECOND) == []


def test_a_label_contradicts_at_one_threshold_and_not_at_another(findings):
    rows = FIRST | {"followup_volume_cm3": 1.6, "response": 0}, SECOND
    assert kinds(findings(*rows)) == [(2, "contradictory label")]
    assert kinds(findings(*rows, threshold=0.5)) == [(0, "one class only")]


def test_the_mask_of_the_follow_up_is_called_as_at_baseline_unless_said_otherwise(findings):
    assert findings(FIRST | FOLLOWED | {"followup_image": "mri2.nrrd"}, SECOND | {"followup_volume_cm3": 0.1}) == []
    other = FIRST | FOLLOWED | {"followup_segmentation": "gtv.seg.nrrd", "followup_segment": "GTV 1"}
    assert findings(other, SECOND | {"followup_volume_cm3": 0.1}) == []
    wrong = findings(FIRST | FOLLOWED | {"followup_label_value": 9}, SECOND)
    assert kinds(wrong) == [(0, "one class only"), (2, "unusable mask")]
    assert "(follow-up)" in wrong[1].remedy


def test_a_misspelt_column_is_told_what_it_may_be(findings):
    row = {name.replace("followup_volume", "follow_up_volume"): value for name, value in FIRST.items()}
    found = findings(row)
    assert kinds(found)[:2] == [(0, "nothing to learn"), (0, "unknown column")]
    assert "followup_volume_cm3" in found[1].remedy


def test_both_mris_may_share_a_contour_and_two_segments_of_a_file_may_be_two_times(findings):
    assert findings(FIRST, SECOND, FIRST | {"time_point": "second", "image": "mri2.nrrd"}) == []
    two_times = {"followup_segmentation": "mask.nrrd", "followup_label_value": 2, "followup_volume_cm3": ""}
    assert kinds(findings(FIRST | two_times | {"lesion": "1"}, FIRST | OTHER_MRI)) == [
        (0, "one class only"),
        (3, "no baseline"),
    ]


def test_a_table_in_which_no_row_is_usable_is_still_checked(findings):
    found = findings(FIRST | {"patient": ""}, SECOND | {"time_point": "later"})
    assert kinds(found) == [(0, "nothing to learn"), (2, "missing value"), (3, "unreadable cell")]


def test_dates_are_those_of_the_calendar(findings, folder):
    findings(FIRST, SECOND)
    assert read_cohort(folder / "cohort.csv").rows[0].followup_date == date(2025, 4, 2)


def test_an_empty_mask_at_follow_up_asks_whether_the_lesion_has_vanished(findings):
    (found,) = errors_in(findings(FIRST | FOLLOWED | {"followup_segmentation": "empty.nrrd"}, SECOND))
    assert (found.row, found.kind) == (2, "unusable mask")
    assert "if the lesion has vanished, write followup_volume_cm3 0" in found.remedy


def test_real_images_are_checked_as_they_come(shared_data, tmp_path):
    """Two good lesions; a mask with the wrong header; a label of many parts; a structure set, which is not read."""
    brats = shared_data / "brats_gli_00001"
    sarcoma = shared_data / "dicom_mr_rtstruct" / "STS_008"
    brain = shared_data / "t1c_brain1"
    rows = [
        ("A", brain / "brain1_image.nrrd", brain / "brain1_label.nrrd", 1, 16.4127, 10),
        ("B", brats / "t1c.nii.gz", brats / "seg-BraTS23_1.nii.gz", 3, 23.327, 30),
        ("C", brats / "t1c.nii.gz", brats / "seg-BraTS23_1_mapped.nii.gz", 4, "", 30),
        ("D", sarcoma / "image", sarcoma / "MR_T1_mask.nii.gz", "", 27.6359, 9),
        ("E", sarcoma / "image", sarcoma / "mask/RS.dcm", "", "", 9),
    ]
    columns = ["patient", "image", "segmentation", "label_value", "volume_cm3", "followup_volume_cm3", "lesion"]
    path = tmp_path / "cohort.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *([*row, "1"] for row in rows)])
    found = check_cohort(read_cohort(path))
    assert kinds(found) == [
        (4, "patients mixed"),
        (4, "mask off the image"),
        (6, "patients mixed"),
        (6, "unusable mask"),
    ]
    assert "header" in found[1].what
    assert "RS.dcm" in found[3].what


def test_truncated_files_and_an_mri_as_mask_are_errors_of_their_rows(shared_cases):
    """``../shared/cases/input/32``: a follow-up of 0.3 cm3 would be a response against the lesion that was drawn."""
    found = check_cohort(read_cohort(shared_cases / "input/32-cohort-check-truncated/cohort.csv"))
    errors = [(each.row, each.kind) for each in found if each.severity == "error"]
    assert errors == [(2, "unusable mask"), (4, "unusable image"), (4, "unusable mask")]
    (swapped,) = [each.what for each in found if (each.row, each.kind) == (4, "unusable mask")]
    assert "it is an image, not a mask; were the two swapped?" in swapped


def test_a_truncated_mask_has_no_volume_and_so_no_label(findings, folder):
    (folder / "cut.nrrd").write_bytes((folder / "mask.nrrd").read_bytes()[:-60])
    found = findings(FIRST | {"segmentation": "cut.nrrd"}, SECOND)
    assert kinds(found) == [(2, "unusable mask")]
    assert "damaged" in found[0].what or "shorter" in found[0].what


def test_what_can_be_read_and_is_hardly_meant_is_a_warning(findings):
    tiny = FIRST | {"volume_cm3": 1e-7, "followup_volume_cm3": 1e-8, "segmentation": "", "label_value": ""}
    kinds = {
        "The volume_cm3 is 1e-07 cm³, less than a voxel": tiny,
        "The followup_volume_cm3 is 1e-08 cm³": tiny,
        "The date 2150-01-01 is in the future": FIRST | {"date": "2150-01-01", "followup_date": "2160-01-01"},
        "The followup_date 2160-01-01 is": FIRST | {"date": "2150-01-01", "followup_date": "2160-01-01"},
        "The clinical_age is 999, which is not from 0 to 120": FIRST | {"clinical_age": 999},
        "The clinical_prescription_gy is 2000": FIRST | {"clinical_prescription_gy": 2000},
        "“nan” in the column volume_cm3 is taken as empty": FIRST | {"volume_cm3": "nan"},
        "": FIRST | {"clinical_age": 61, "clinical_stage": 999, "followup_volume_cm3": 0},
    }
    for said, row in kinds.items():
        found = [each for each in findings(row, read_images=False) if each.kind == "doubtful value"]
        assert any(each.what.startswith(said) for each in found) is bool(said), said
        assert {each.severity for each in found} <= {"warning"}
