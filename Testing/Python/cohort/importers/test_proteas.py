"""PROTEAS on folders of the documented layout: masks, follow-up, dose, prescription; and what is told."""

import numpy as np
import openpyxl
import pytest
import SimpleITK as sitk
from making_files import PLAIN, files_in, written

from PulsarCAMLib.cohort.checks import check_cohort
from PulsarCAMLib.cohort.importers.imported import save_imported
from PulsarCAMLib.cohort.importers.proteas import import_proteas
from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError, OutputError

CLINICAL = "PROTEAS-Clinical_and_demographic_data.xlsx"


def a_patient(source, name, points=("baseline", "fu1"), inner="tumor segmentation", dose=True, masks=None):
    folder = source / name
    for point in points:
        image = folder / "BraTS" / point / "t1c.nii.gz"
        image.parent.mkdir(parents=True)
        image.touch()
    (folder / inner).mkdir(parents=True)
    for point in points if masks is None else masks:
        (folder / inner / f"{name}_tumor_mask_{point}.nii.gz").touch()
    if dose:
        (folder / f"{name}_RTP.nii.gz").touch()
    return folder


def a_clinical_table(source, *rows):
    book = openpyxl.Workbook()
    book.active.title = "Legend"
    sheet = book.create_sheet("PROTEAS")
    for row in (("Patient ID (Zenodo)", "Age", "Rx dose at tumor margins", "Fractions"), *rows):
        sheet.append(row)
    book.save(source / CLINICAL)


def told(found, kind):
    return [each.what for each in found.findings if each.kind == kind]


def test_a_patient_becomes_a_lesion_with_masks_dose_and_prescription(tmp_path):
    folder = a_patient(tmp_path, "P01")
    a_patient(tmp_path, "P02", inner="tumor_segmentation")
    a_clinical_table(tmp_path, ("P01", 60, "20 Gy ", 1), ("P02", 71, "35 Gy", 7))
    found = import_proteas(tmp_path)
    first, second = found.table.rows
    assert first.key == ("P01", "all")
    assert first.image == folder / "BraTS/baseline/t1c.nii.gz"
    assert first.segmentation == folder / "tumor segmentation/P01_tumor_mask_baseline.nii.gz"
    assert first.followup_segmentation == folder / "tumor segmentation/P01_tumor_mask_fu1.nii.gz"
    assert first.followup_image == folder / "BraTS/fu1/t1c.nii.gz"
    assert (first.dose, first.label_value) == (folder / "P01_RTP.nii.gz", 2)
    assert first.clinical == {"prescription_gy": 20.0, "fractions": 1.0}
    assert second.clinical == {"prescription_gy": 35.0, "fractions": 7.0}
    assert second.segmentation.parent.name == "tumor_segmentation"
    assert any("not taken over: age" in what for what in told(found, "taken as")), "columns that are left are told"
    table, findings = save_imported(found, tmp_path / "proteas.csv")
    assert read_cohort(table).rows == found.table.rows
    assert findings.read_text(encoding="utf-8-sig").count("\n") == 1 + len(found.findings)


def test_parts_of_a_patient_stay_one_patient(tmp_path):
    a_patient(tmp_path, "P04a")
    a_patient(tmp_path, "P04b")
    a_clinical_table(tmp_path, ("P04a", 60, "18 Gy", 1), ("P04b", 60, "20 Gy", 1))
    found = import_proteas(tmp_path)
    assert [row.key for row in found.table.rows] == [("P04", "a"), ("P04", "b")]
    assert [row.clinical["prescription_gy"] for row in found.table.rows] == [18, 20]
    assert sum("is a part of P04" in what for what in told(found, "taken as")) == 2


def test_what_is_missing_is_told_and_a_missing_mask_is_no_vanished_tumour(tmp_path):
    a_patient(tmp_path, "P01", masks=("baseline",))
    a_patient(tmp_path, "P02", masks=("fu1",))
    a_patient(tmp_path, "P03", points=("baseline",), dose=False)
    (tmp_path / "P05.zip").touch()
    found = import_proteas(tmp_path)
    rows = {row.patient: row for row in found.table.rows}
    assert set(rows) == {"P01", "P03"}
    assert rows["P01"].followup_segmentation is None
    assert rows["P01"].followup_volume_cm3 is None
    assert {(each.row, each.patient) for each in found.findings if each.kind == "no mask"} == {
        (2, "P01"), (0, "P02"), (3, "P03"),
    }  # fmt: skip
    assert told(found, "missing modality") == ["There is no planned dose P03_RTP.nii.gz"]
    assert told(found, "left out") == ["P05.zip is not unpacked"]


def test_doses_that_contradict_each_other_or_are_no_numbers_are_not_used(tmp_path):
    for name in ("P01", "P02"):
        a_patient(tmp_path, name)
    a_clinical_table(tmp_path, ("P01", 60, "20 Gy", 1), ("P01", 60, "18 Gy", 1), ("P02", 60, "20-24 Gy", 1))
    found = import_proteas(tmp_path)
    assert [dict(row.clinical) for row in found.table.rows] == [{}, {"fractions": 1.0}]
    assert len(told(found, "left out")) == 2


def test_another_follow_up_and_an_empty_folder(tmp_path):
    a_patient(tmp_path, "P01", points=("baseline", "fu1", "fu2"))
    (row,) = import_proteas(tmp_path, followup=2).table.rows
    assert row.followup_segmentation.name == "P01_tumor_mask_fu2.nii.gz"
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"unpack P01\.zip"):
        import_proteas(tmp_path / "empty")
    (tmp_path / "empty" / "P01").mkdir()
    with pytest.raises(InputError, match="No folder"):
        import_proteas(tmp_path / "empty")


def a_head(source, name, *masks):
    """A patient with real files: an MRI of noise, and masks with voxels of oedema, enhancing tumour and necrotic core.

    ``masks``: per time point, how many voxels of each.
    """
    points = ["baseline", "fu1"][: len(masks)]
    folder = a_patient(source, name, points=points, dose=False)
    for number, (point, counts) in enumerate(zip(points, masks, strict=True)):
        noise = np.random.default_rng(number).normal(400, 60, PLAIN.shape).astype(np.int16)
        written(folder / "BraTS" / point / "t1c.nii.gz", noise, PLAIN)
        block = np.zeros(30 * 30, np.uint8)
        block[: sum(counts)] = np.repeat((3, 2, 1), counts)
        labels = np.zeros(PLAIN.shape, np.uint8)
        labels[6, 20:50, 20:50] = block.reshape(30, 30)
        written(folder / "tumor segmentation" / f"{name}_tumor_mask_{point}.nii.gz", labels, PLAIN)


def test_with_cores_the_necrosis_belongs_to_the_tumour(tmp_path):
    source = tmp_path / "PROTEAS"
    a_head(source, "P01", (90, 60, 40), (200, 100, 0))
    a_head(source, "P02", (90, 60, 40), (90, 0, 0))
    a_head(source, "P03", (90, 0, 0), (90, 10, 10))
    a_head(source, "P04", (0, 100, 0), (0, 30, 20))
    found = import_proteas(source, cores=tmp_path / "cores")
    assert [(row.row, row.patient) for row in found.table.rows] == [(2, "P01"), (3, "P02"), (4, "P04")]
    assert files_in(tmp_path / "cores") == [
        "P01_core_baseline.nii.gz", "P01_core_fu1.nii.gz", "P02_core_baseline.nii.gz",
        "P04_core_baseline.nii.gz", "P04_core_fu1.nii.gz",
    ]  # fmt: skip
    assert told(found, "left out") == ["P03_tumor_mask_baseline.nii.gz has no tumour core"]
    assert any("counted as vanished" in what for what in told(found, "taken as"))
    assert {each.row for each in found.findings if each.patient == "P04"} == {4}, "rows are those of the table"
    back = read_cohort(save_imported(found, tmp_path / "proteas.csv")[0])
    assert [each.what for each in check_cohort(back) if each.severity == "error"] == []
    labels = label_cohort(back)
    assert [label.response for label in labels] == [0, 1, 1]
    assert [label.change for label in labels] == pytest.approx([0, -1, -0.5])
    assert labels[0].volume_cm3 == pytest.approx(100 * 0.9 * 1.0 * 3.0 / 1000)
    with pytest.raises(OutputError, match="exists already"):
        import_proteas(source, cores=tmp_path / "cores")
    assert import_proteas(source, cores=tmp_path / "cores", overwrite=True).table == found.table
    with pytest.raises(OutputError, match="other files than cores"):
        import_proteas(source, cores=source, overwrite=True)
    assert (source / "P01").is_dir(), "what somebody else has there is never removed"


def test_without_cores_the_enhancing_tumour_alone_counts(tmp_path):
    a_head(tmp_path, "P01", (90, 60, 40), (200, 100, 0))
    table, _ = save_imported(import_proteas(tmp_path), tmp_path / "proteas.csv")
    (label,) = label_cohort(read_cohort(table))
    assert label.change == pytest.approx(40 / 60)


def test_a_mask_that_cannot_be_read_leaves_no_cores(tmp_path):
    source = tmp_path / "PROTEAS"
    a_head(source, "P01", (90, 60, 40), (200, 100, 0))
    a_patient(source, "P02")
    with pytest.raises(InputError, match="P02_tumor_mask_baseline"):
        import_proteas(source, cores=tmp_path / "cores")
    assert [path.name for path in tmp_path.iterdir()] == ["PROTEAS"]


def test_cores_of_labels_that_are_off_by_rounding_have_not_vanished(tmp_path):
    """Nor are an image's values labels: else both would count as a tumour that is gone."""
    source = tmp_path / "PROTEAS"
    a_head(source, "P01", (90, 60, 40), (200, 100, 0))
    masks = source / "P01" / "tumor segmentation"
    for factor, point in ((0.9999999, "baseline"), (1.0000001, "fu1")):
        path = masks / f"P01_tumor_mask_{point}.nii.gz"
        labels = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        written(path, labels * factor, PLAIN)
    found = import_proteas(source, cores=tmp_path / "cores")
    (label,) = label_cohort(read_cohort(save_imported(found, tmp_path / "proteas.csv")[0]))
    assert label.change == pytest.approx(0)
    written(masks / "P01_tumor_mask_fu1.nii.gz", labels * 0.5, PLAIN)
    with pytest.raises(InputError, match=r"P01_tumor_mask_fu1\.nii\.gz holds fractions"):
        import_proteas(source, cores=tmp_path / "cores", overwrite=True)
