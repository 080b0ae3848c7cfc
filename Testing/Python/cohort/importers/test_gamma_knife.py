"""Brain-TR-GammaKnife: the real table where it is there, and small ones of its layout with what people mistype."""

import openpyxl
import pytest

from PulsarCAMLib.cohort.importers.gamma_knife import import_gamma_knife
from PulsarCAMLib.cohort.importers.imported import save_imported
from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.registry import system_of

COURSE = ("unique_pt_id", "Course #", "Diagnosis (Only want Mets)", "Primary Diagnosis", "Age at Diagnosis", "Gender")
LESION = (
    "No.", "unique_pt_id", "Treatment Course", "Lesion #", "Lesion Location", "mri_type",
    "duration_tx_to_imag (months)", "Fractions", "Lesion Name in NRRD files", "Column1",
)  # fmt: skip


def a_table(path, lesions, courses, patients=(1, 2)):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, headings, rows in (
        ("course_level", COURSE, courses), ("lesion_level", LESION, lesions),
        ("pt_level", ("unique_pt_id",), [(each,) for each in patients]),
    ):  # fmt: skip
        sheet = book.create_sheet(name)
        for row in (headings, *rows):
            sheet.append(row)
    book.save(path)
    return path


def told(found, kind):
    return [(each.row, each.patient, each.what) for each in found.findings if each.kind == kind]


def test_the_real_table_gives_its_own_counts(shared_data, tmp_path):
    path = shared_data / "tables" / "Brain-TR-GammaKnife-Clinical-Information.xlsx"
    found = import_gamma_knife(path)
    rows = found.table.rows
    assert (len(rows), len(found.table.patients)) == (244, 47)
    types = [row.note["mri_type"] for row in rows]
    assert (types.count("stable"), types.count("recurrence")) == (221, 23)
    fractions = [row.clinical["fractions"] for row in rows]
    assert [fractions.count(n) for n in (1, 3, 5)] == [230, 1, 13]
    assert len({row.key for row in rows}) == 244
    assert {row.clinical["sex"] for row in rows} == {"female", "male"}
    strange = [what for *_, what in told(found, "taken as") if "primary tumour" in what]
    assert len(strange) == 2, "one writes lung here and breast there, one names two"
    assert {row.clinical["primary"] for row in rows if row.patient in ("314", "431")} == {"other"}
    assert told(found, "left out") == []
    assert told(found, "rating not used") == []
    assert all("mri_type" not in row.clinical and "months_to_imaging" not in row.clinical for row in rows)
    table, _ = save_imported(found, tmp_path / "lesions.csv")
    assert read_cohort(table).rows == rows


def test_the_real_table_by_patient_is_one_of_rice_net_only_when_asked(shared_data, tmp_path):
    path = shared_data / "tables" / "Brain-TR-GammaKnife-Clinical-Information.xlsx"
    lesions = import_gamma_knife(path).table.rows
    recurred = {row.patient for row in lesions if row.note["mri_type"] == "recurrence"}
    asked = import_gamma_knife(path, "patient", stable_is_rice=True)
    table, _ = save_imported(asked, tmp_path / "patients.csv")
    system = system_of("rice-net")
    labels = label_cohort(read_cohort(table, system), system=system)
    assert {label.patient for label in labels if label.response == 1} == recurred
    assert len(labels) == 47
    assert len(recurred) == 15
    plain = import_gamma_knife(path, "patient")
    assert {row.value("outcome") for row in plain.table.rows} == {"recurrence", None}, "stable is not rice by itself"
    assert len(told(plain, "rating not used")) == 32


def test_free_texts_become_one_spelling_and_what_cannot_be_read_is_told(tmp_path):
    courses = [(1, 1, "brain Mets Breast ", "Invasive ductal carcinoma", 50, "Female"),
               (2, 1, "RCC Brain Mets ", "Carcinoma", "about 60", "Male "), (2, 1, "x", "x", 1, "Male")]  # fmt: skip
    lesions = [(1, 1, 1, 1, "Lt Front", "Stable ", 3.2, 1, "GK.1_1_LLtFront", "Left occipital"),
               (2, 1, 1, 2, "Rt", "unclear", "soon", 2, "n", "vermis"),
               (3, 2, 1, 1, "Rt", "recurrence", 4, 5, "n", "right atrium"),
               (4, 2, 2, 1, "Rt", "stable", 4, 5, "n", "right temporal"),
               (5, 2, 2, 1, "Rt", "stable", 4, 5, "n", "right temporal")]  # fmt: skip
    found = import_gamma_knife(a_table(tmp_path / "gk.xlsx", lesions, courses, patients=(1, 2, 3)))
    first, second, third, fourth = found.table.rows
    assert first.clinical == {
        "age": 50.0, "sex": "female", "primary": "breast", "fractions": 1.0, "region": "occipital", "side": "left",
    }  # fmt: skip
    assert first.note["mri_type"] == "stable"
    assert second.clinical["region"] == "cerebellum"
    assert "mri_type" not in second.note
    assert third.clinical["primary"] == "kidney"
    assert "age" not in third.clinical
    assert fourth.clinical == {"fractions": 5.0, "region": "temporal", "side": "right"}
    assert [each[:2] for each in told(found, "rating not used")] == [(3, "1")]
    left = [what for *_, what in told(found, "left out")]
    assert len(left) == 5, "no age, a course twice, no months, a lesion twice, a patient without lesion"
    assert any("“about 60”" in what for what in left)
    assert any("“soon”" in what for what in left)
    taken = [what for *_, what in told(found, "taken as")]
    assert "The number of fractions is “2”, not 1, 3 or 5" in taken
    assert "course_level has no line for course 2" in taken
    assert "The place “right atrium” is taken as “other”" in taken


def test_another_table_is_refused(shared_data, tmp_path):
    with pytest.raises(InputError, match="is not the clinical table of Brain-TR-GammaKnife"):
        import_gamma_knife(shared_data / "tables" / "OpenBTAI_MORPHOLOGICAL_MEASUREMENTS.xlsx")
    with pytest.raises(InputError, match="There is no table"):
        import_gamma_knife(tmp_path / "nothing.xlsx")
