"""LUMIERE on a folder of the documented layout: categories, what is none, order of weeks, missing files, masks."""

import numpy as np
import pytest
from making_files import PLAIN, written

from PulsarCAMLib.cohort.checks import check_cohort
from PulsarCAMLib.cohort.importers.imported import save_imported
from PulsarCAMLib.cohort.importers.lumiere import DEEPBRATUMIA, NONE, import_lumiere
from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.registry import system_of

RATING = (
    "Rating (according to RANO, PD: Progressive disease, SD: Stable disease, PR: Partial response, "
    "CR: Complete response, Pre-Op: Pre-Operative, Post-Op: Post-Operative)"
)
WHY = (
    "Rating rationale (CRET: complete resection of the enhancing tumor, PRET: partial resection of the enhancing "
    "tumor, T2-Progr.: T2-Progression, L: Lesion)"
)
HEADINGS = f'Patient,Date,LessThan3Months,NonMeasurableLesions,"{RATING}","{WHY}"'
PEOPLE = (
    "Patient,Survival time (weeks),Sex,Age at surgery (years),IDH (WT: wild type),IDH method,MGMT qualitative,"
    "MGMT quantitative"
)
HD_GLIO = "HD-GLIO-AUTO-segmentation/native/segmentation_CT1_origspace.nii.gz"
ALL = ("T1", "T2", "FLAIR", "CT1", "mask")


def a_download(folder, lines, images=None, people=("Patient-001,72,female,57,WT,BES,not methylated,0.00%",)):
    """A folder as it is unpacked; ``images``: "Patient-001/week-044" to the files there."""
    folder.mkdir(exist_ok=True)
    (folder / "LUMIERE-ExpertRating-v202211.csv").write_text("\n".join([HEADINGS, *lines]) + "\n")
    (folder / "LUMIERE-Demographics_Pathology.csv").write_text("\n".join([PEOPLE, *people]) + "\n")
    for visit, names in (images or {}).items():
        for name in names:
            path = folder / "Imaging" / visit / (HD_GLIO if name == "mask" else f"{name}.nii.gz")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return folder


def visits(*names, lacking=()):
    return {f"Patient-001/week-{name}": [each for each in ALL if each not in lacking] for name in names}


def kinds(found, kind):
    return [(each.row, each.patient, each.lesion, each.what) for each in found.findings if each.kind == kind]


def test_visits_stand_in_the_order_of_weeks_with_their_categories(tmp_path):
    lines = ["Patient-001,week-056,,,PD,T2-Progr.", "Patient-001,week-000-2,,,Post-Op ,CRET",
             "Patient-001,week-000-1,,,Pre-Op,", "Patient-001,week-044,,x,SD,"]  # fmt: skip
    images = visits("000-1", "000-2", "044", "056")
    found = import_lumiere(a_download(tmp_path / "LUMIERE", lines, images))
    rows = found.table.rows
    assert [row.lesion for row in rows] == ["week-000-1", "week-000-2", "week-044", "week-056"]
    assert [row.row for row in rows] == [2, 3, 4, 5]
    assert [row.value("rano") for row in rows] == [None, None, "sd", "pd"]
    assert [row.value("surgery") for row in rows] == [None, True, None, None], "said only where it is known"
    assert [what for *_, what in kinds(found, "rating not used")] == [
        "“Pre-Op” is no category of RANO", "“Post-Op ” is no category of RANO".replace(" ”", "”"),
    ]  # fmt: skip
    assert len(kinds(found, "taken as")) == 3, "twice out of order, and whose masks"
    assert rows[2].note == {"rating": "SD", "week": "44", "not_measurable": "x", "survival_weeks": "72.0"}
    assert rows[0].clinical == {"age": 57.0, "sex": "female", "idh": "WT", "mgmt": "not methylated"}
    assert rows[0].value("t1").name == "T1.nii.gz"
    assert rows[0].value("t1c").name == "CT1.nii.gz"
    assert {row.label_value for row in rows} == {2}
    assert all(row.value("tumour").name == "segmentation_CT1_origspace.nii.gz" for row in rows)


def test_the_table_comes_back_and_the_expert_s_ratings_are_its_labels(tmp_path):
    names = ["000-1", "000-2", "010", "020", "030", "040"]
    said = ["Pre-Op", "Post-Op", "CR", "PR", "SD", "PD"]
    lines = [f"Patient-001,week-{name},,,{rating}," for name, rating in zip(names, said, strict=True)]
    found = import_lumiere(a_download(tmp_path / "LUMIERE", lines, visits(*names)), NONE)
    table, _ = save_imported(found, tmp_path / "lumiere.csv")
    rano = system_of("rano")
    back = read_cohort(table, rano)
    assert back.problems == ()
    assert back.rows == found.table.rows
    assert [label.response for label in label_cohort(back, system=rano)] == [None, 0, 1, 2, 3]
    problems = check_cohort(back, read_images=False, system=rano)
    assert [each.kind for each in problems if each.severity == "error"] == []


def test_what_the_expert_did_not_rate_no_rule_rates_instead(tmp_path):
    lines = ["Patient-001,week-000,,,Pre-Op,", "Patient-001,week-010,,,n.d.,", "Patient-001,week-020,,,,",
             "Patient-001,week-030,,,Post-Op/PD,", "Patient-001,week-040,x,,PD,",
             "Patient-001,week-050,,,PD,less than 3 months after RT"]  # fmt: skip
    names = ("000", "010", "020", "030", "040", "050", "060")
    source = a_download(tmp_path / "LUMIERE", lines, visits(*names))
    found = import_lumiere(source)
    rows = found.table.rows
    assert [row.lesion for row in rows][-1] == "week-060", "images without a rating are a visit to compare with"
    assert {row.value("rano") for row in rows} == {None}
    assert [bool(row.value("tumour")) for row in rows] == [True, False, False, True, False, False, False]
    told = [what for *_, what in kinds(found, "rating not used")]
    assert len(told) == 7
    assert "“n.d.” is no category of RANO" in told
    assert "The visit is not rated" in told
    assert "“Post-Op/PD” is no category of RANO" in told
    assert sum("three months" in what for what in told) == 2
    assert "The images have no line in the table of ratings" in told
    assert [row.value("rano") for row in import_lumiere(source, keep_early=True).table.rows][4:6] == ["pd", "pd"]


def test_a_visit_without_a_needed_sequence_is_left_out_and_told(tmp_path):
    lines = [f"Patient-001,week-{week},,,SD," for week in ("000", "010", "020")]
    images = visits("000", lacking=("CT1", "mask")) | visits("010", lacking=("FLAIR", "T2")) | visits("020")
    found = import_lumiere(a_download(tmp_path / "LUMIERE", lines, images))
    assert [row.lesion for row in found.table.rows] == ["week-000", "week-020"]
    (left,) = kinds(found, "left out")
    assert left[:3] == (0, "Patient-001", "week-010")
    assert "T2.nii.gz, FLAIR.nii.gz" in left[3]
    assert kinds(found, "missing modality") == [(2, "Patient-001", "week-000", "There is no CT1.nii.gz")]
    assert [each[0] for each in kinds(found, "no mask")] == [2]
    ((row, *_, what),) = kinds(found, "rating not used")
    assert row == 2
    assert "none before" in what, "a rated first visit cannot be learnt from"


def test_lines_that_say_no_visit_or_one_twice_are_told(tmp_path):
    lines = ["Patient-001,week-000,,,SD,", "Patient-001,week-000,,,PD,", "Patient-001,spring,,,PD,"]
    found = import_lumiere(a_download(tmp_path / "LUMIERE", lines, visits("000")))
    assert [row.value("rano") for row in found.table.rows] == ["sd"]
    assert [what[:9] for *_, what in kinds(found, "left out")] == ["Line 3 of", "Line 4 of"]


def test_ratings_alone_make_a_table_and_no_ratings_none(tmp_path):
    source = a_download(tmp_path / "LUMIERE", ["Patient-001,week-000,,,Pre-Op,", "Patient-002,week-000,,,CR,"])
    found = import_lumiere(source)
    assert len(found.table.rows) == 2
    assert len(kinds(found, "missing modality")) == 1
    (source / "LUMIERE-Demographics_Pathology.csv").unlink()
    (source / "Imaging").mkdir()
    assert any("no clinical columns" in each.what for each in import_lumiere(source).findings)
    with pytest.raises(InputError, match="There is no LUMIERE-ExpertRating"):
        import_lumiere(source / "Imaging")
    (source / "LUMIERE-ExpertRating-v202211.csv").write_text("Patient,Date\nPatient-001,week-000\n")
    with pytest.raises(InputError, match="no columns Date and Rating"):
        import_lumiere(source)
    with pytest.raises(InputError, match="no folder"):
        import_lumiere(tmp_path / "nowhere")


def test_the_other_program_s_masks_are_named_with_a_warning(tmp_path):
    source = a_download(tmp_path / "LUMIERE", ["Patient-001,week-000,,,SD,"], visits("000"))
    other = source / "Imaging/Patient-001/week-000/DeepBraTumIA-segmentation/native/segmentation/ct1_seg_mask.nii.gz"
    other.parent.mkdir(parents=True)
    other.touch()
    found = import_lumiere(source, DEEPBRATUMIA)
    assert (found.table.rows[0].value("tumour"), found.table.rows[0].label_value) == (other, 1)
    assert any("public code disagrees" in each.what for each in found.findings)


def test_masks_that_can_be_read_rate_no_visit_that_the_expert_did_not(tmp_path):
    said = {"000": "Pre-Op", "010": "Post-Op", "020": "", "030": "PD", "040": "Pre-Op"}
    lines = [f"Patient-001,week-{name},,,{rating}," for name, rating in said.items()]
    source = a_download(tmp_path / "LUMIERE", lines, visits(*said))
    for length, name in zip((20, 12, 20, 20, 24), said, strict=True):
        labels = np.zeros(PLAIN.shape, np.uint8)
        labels[3:9, 10:40, 10:40] = 1
        labels[4:8, 12 : 12 + length, 12 : 12 + length] = 2
        written(source / "Imaging" / "Patient-001" / f"week-{name}" / HD_GLIO, labels, PLAIN)
    rano = system_of("rano")
    table, _ = save_imported(import_lumiere(source), tmp_path / "lumiere.csv")
    found = label_cohort(read_cohort(table, rano), system=rano)
    assert [(label.lesion, label.response) for label in found if label.response is not None] == [("week-030", 3)]
