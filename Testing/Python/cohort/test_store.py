"""Cohorts on disk: readable by anybody, complete or absent."""

import csv
import json
from functools import lru_cache

import numpy as np
import pytest
import SimpleITK as sitk

from PulsarCAMLib.cohort.synthetic import store
from PulsarCAMLib.cohort.synthetic.patients import generate_patient
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.cohort.synthetic.store import write_cohort
from PulsarCAMLib.core.errors import OutputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry

SETTINGS = CohortSettings(patients=2, seed=8, second_mri=True, lesions=(2, 2))
FILES = (
    "image",
    "segmentation",
    "followup_image",
    "followup_segmentation",
    "truth_label_map",
    "truth_planted_map",
    "truth_confounder_map",
)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("cohorts") / "cohort", SETTINGS)


@lru_cache(maxsize=2)
def patient(index):
    return generate_patient(SETTINGS, index)


def rows_of(table):
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_one_row_per_lesion_and_pre_treatment_mri(table):
    rows = rows_of(table)
    assert len(rows) == 2 * 2 * 2
    assert {row["time_point"] for row in rows} == {"baseline", "second"}
    assert tuple(rows[0]) == store.COLUMNS


def test_files_in_the_table_exist_and_hold_what_it_says(table):
    for row in rows_of(table):
        for column in FILES:
            assert (table.parent / row[column]).is_file()
        labels = sitk.ReadImage(str(table.parent / row["truth_label_map"]))
        voxels = np.count_nonzero(sitk.GetArrayViewFromImage(labels) == int(row["truth_label_value"]))
        assert voxels * np.prod(labels.GetSpacing()) / 1000 == pytest.approx(float(row["volume_cm3"]), abs=1e-5)


def test_an_image_read_back_is_the_generated_one_in_the_same_place(table):
    scan = patient(1).scans["second"]
    image = sitk.ReadImage(str(table.parent / patient(1).name / "second.nrrd"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), scan.image)
    assert VolumeGeometry.from_sitk(image).same_grid(scan.geometry)


def test_the_segmentation_names_its_lesions_for_slicer(table):
    slicerio = pytest.importorskip("slicerio")
    scan = patient(0).scans["baseline"]
    segmentation = slicerio.read_segmentation(str(table.parent / patient(0).name / "baseline.seg.nrrd"))
    assert slicerio.segment_names(segmentation) == ["Lesion 1", "Lesion 2"]
    segment = slicerio.segment_from_name(segmentation, "Lesion 2")
    inside = int(segment["labelValue"]) == segmentation["voxels"].T
    np.testing.assert_array_equal(inside, scan.lesions == 2)


def test_the_recipe_says_that_the_cohort_is_synthetic_and_how_it_was_made(table):
    recipe = json.loads((table.parent / "recipe.json").read_text(encoding="utf-8"))
    assert recipe["synthetic"] is True
    assert recipe["seed"] == 8
    assert recipe["numbers"]["outcome_follows_tissue"] is True


def test_an_existing_folder_is_kept_unless_told_otherwise(tmp_path):
    tiny = CohortSettings(patients=1, seed=1, lesions=(1, 1))
    table = write_cohort(tmp_path / "cohort", tiny)
    before = table.read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        write_cohort(tmp_path / "cohort", tiny)
    write_cohort(tmp_path / "cohort", CohortSettings(patients=1, seed=2, lesions=(1, 1)), overwrite=True)
    assert table.read_bytes() != before
    assert [path.name for path in tmp_path.iterdir()] == ["cohort"]


def test_a_folder_that_is_not_a_cohort_is_never_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(OutputError, match="never replaced"):
        write_cohort(tmp_path / "thesis", SETTINGS, overwrite=True)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    calls = []

    def full_disk(folder, patient):
        calls.append(folder)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        folder.mkdir()

    monkeypatch.setattr(store, "_write_scans", full_disk)
    with pytest.raises(OutputError, match="No space left"):
        write_cohort(tmp_path / "cohort", SETTINGS)
    assert list(tmp_path.iterdir()) == []
