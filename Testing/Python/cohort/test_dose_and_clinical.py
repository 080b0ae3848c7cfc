"""Planned doses and clinical columns of a synthetic cohort: beside the images, independent of them."""

import csv

import numpy as np
import pytest
import SimpleITK as sitk

from PulsarCAMLib.cohort.synthetic.dose_and_clinical import planned_dose
from PulsarCAMLib.cohort.synthetic.patients import generate_patient
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.cohort.synthetic.store import write_cohort
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.features.dose import dose_features

SETTINGS = CohortSettings(patients=1, seed=3, lesions=(2, 2))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohorts") / "cohort"
    return read_cohort(write_cohort(folder, SETTINGS, dose=True, clinical=True))


def test_the_table_names_a_dose_and_the_facts_of_every_row(table):
    first, second = table.rows
    assert first.dose == second.dose
    assert first.dose.is_file()
    assert first.clinical["prescription_gy"] in (15, 16.5, 18)
    assert first.clinical["age"] == second.clinical["age"]
    assert isinstance(first.clinical["primary"], str)
    assert table.problems == ()


def test_the_images_are_those_of_the_cohort_without_dose(table):
    image = sitk.GetArrayFromImage(sitk.ReadImage(str(table.rows[0].image)))
    np.testing.assert_array_equal(image, generate_patient(SETTINGS, 0).scans["baseline"].image)


def test_a_lesion_gets_its_prescription_and_the_gradient_index_that_was_planned(table):
    scan = generate_patient(SETTINGS, 0, images=()).scans["baseline"]
    dose = planned_dose(SETTINGS, 0, scan)
    lesions = [Lesion.from_mask(str(label), scan.mask(label)) for label in (1, 2)]
    for label, lesion in enumerate(lesions, start=1):
        row = dose_features(
            dose.values, dose.geometry, scan.geometry, lesion,
            prescription_gy=dose.prescriptions_gy[label], others=[other for other in lesions if other is not lesion],
        )  # fmt: skip
        assert row["dose_min"] >= dose.prescriptions_gy[label] - 0.3
        planned = (1 + np.log(2) / np.log(1 / dose.shares[label])) ** 1.5
        assert row["dose_gradient_index"] == pytest.approx(planned, rel=0.05)


def test_nothing_of_it_is_there_unasked(tmp_path):
    path = write_cohort(tmp_path / "plain", CohortSettings(patients=1, seed=3, lesions=(1, 1)))
    with path.open(encoding="utf-8", newline="") as file:
        assert not {"dose", "clinical_age"} & set(next(csv.reader(file)))
    assert not list(tmp_path.rglob("*dose*"))
