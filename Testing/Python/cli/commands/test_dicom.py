"""``pulsarcam dicom list``, and ``pulsarcam explain`` on a folder as it comes from a planning system."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from making_files import OBLIQUE, a_volume
from making_structures import a_registration, a_series, a_square, a_structure_set, on_plane, shoelace_mm2

PLANTED = ("Doe^", "of Doe", "Jane", "ID-4711", "19620229", "SecretWard", "TopSecret", "1.2.3.")
"""Of headers, private elements and descriptions: nobody finds them in what is written."""


def plant(data, _n=0):
    data.PatientBirthDate, data.SeriesDescription, data.InstitutionName = "19620229", "T1 of Doe", "SecretWard"
    data.PatientID = "ID-4711"
    block = data.private_block(0x0011, "TopSecret", create=True)
    block.add_new(0x01, "LO", "TopSecret Doe")


def contours(*ks, half=6.0, at=(0.0, 0.0)):
    return [on_plane(a_square(half, at), k, OBLIQUE) for k in ks]


def an_export(folder, frame="1.2.3.3", **more):
    """A series spread over folders, with a structure set and a file that is no DICOM."""
    a_series(folder / "Doe^Jane" / "images", a_volume(), OBLIQUE, change=plant, spread=4)
    (folder / "Doe^Jane" / "notes.txt").write_text("Doe")
    sets = [("GTV left", contours(3, 4, 5)), ("Brain of Doe", contours(2, 3, 4, 5, half=12)), ("iso", [])]
    a_structure_set(folder / "Doe^Jane" / "RS.dcm", sets, kinds=("GTV", "ORGAN"), frame=frame, change=plant, **more)
    return folder


def rows_of(folder):
    with (folder / "lesions.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_list_names_nobody_unless_asked_for(tmp_path, pulsarcam):
    folder = an_export(tmp_path / "export")
    a_series(tmp_path / "export" / "flair", a_volume(), OBLIQUE, "1.2.3.22", plant)
    code, out, err = pulsarcam("dicom", "list", folder)
    assert (code, err) == (0, "")
    assert "patient 1  series 1 (MR, 12 slices)" in out
    assert "series 1 or series 2 (same frame of reference)" in out
    assert "No DICOM: 1 file" in out
    assert not [word for word in PLANTED if word in out.replace("Doe^Jane/notes.txt", "")]
    code, out, _ = pulsarcam("dicom", "list", folder, "--identities")
    assert "Doe^Jane, ID-4711, T1 of Doe" in out
    code, _, err = pulsarcam("dicom", "list", tmp_path / "none")
    assert (code, err.count("\n")) == (3, 1)
    (tmp_path / "empty").mkdir()
    assert "holds no DICOM series or object" in pulsarcam("dicom", "list", tmp_path / "empty")[2]


def test_a_folder_is_explained_and_nothing_of_its_patient_is_written(tmp_path, pulsarcam):
    folder = an_export(tmp_path / "export")
    code, _, err = pulsarcam("explain", folder, "-o", tmp_path / "out", "--report", "--no-stability")
    assert code == 0
    assert "Taken: series 1 (MR, 12 slices) with structure set 1 (RTSTRUCT, 3 structures): same frame of" in err
    assert "Left out of the structure set: “ROI 2”, “iso”." in err
    assert "Doe" not in err
    (row,) = rows_of(tmp_path / "out")
    assert row["lesion"] == "GTV left"
    drawn = sum(map(shoelace_mm2, contours(3, 4, 5))) * OBLIQUE.spacing[2] / 1000
    assert float(row["volume_cm3"]) == pytest.approx(drawn, rel=1e-3)
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    for path in written:
        content = path.read_bytes() + str(path.relative_to(tmp_path / "out")).encode()
        for word in PLANTED:
            assert word.encode() not in content, (path, word)


def test_what_is_ambiguous_is_asked_and_leaves_nothing(tmp_path, pulsarcam):
    folder = an_export(tmp_path / "export")
    a_series(folder / "flair", a_volume(), OBLIQUE, "1.2.3.22", plant)
    code, out, err = pulsarcam("explain", folder, "-o", tmp_path / "out")
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert "choose one with --series NUMBER." in err
    assert not (tmp_path / "out").exists()
    quick = ("-o", tmp_path / "out", "--no-pictures", "--no-stability", "--quiet")
    code, _, err = pulsarcam("explain", folder, "--series", "2", "--segments", "Brain of Doe", *quick)
    assert code == 0, err
    assert rows_of(tmp_path / "out")[0]["lesion"] == "ROI 2"
    code, _, err = pulsarcam("explain", folder, folder, "--structures", "1", "-o", tmp_path / "second")
    assert "--structures chooses" in err


def test_contours_of_another_frame_come_by_the_registration_in_the_folder(tmp_path, pulsarcam):
    folder = an_export(tmp_path / "export", frame="1.2.3.77")
    quick = ("-o", tmp_path / "out", "--no-pictures", "--no-stability", "--quiet")
    code, _, err = pulsarcam("explain", folder, *quick)
    assert code == 3
    assert "no registration (REG) leads from one to the other" in err
    shift = np.eye(4)
    shift[:3, 3] = 2 * OBLIQUE.ijk_to_lps[:3, 2]
    a_registration(folder / "REG.dcm", shift, source="1.2.3.77", PatientID="ID-4711")
    code, _, err = pulsarcam("explain", folder, *quick)
    assert code == 0, err
    with (tmp_path / "out" / "slices.csv").open(encoding="utf-8") as file:
        assert {int(row["mri_slice"]) for row in csv.DictReader(file)} == {5, 6, 7}


def test_the_list_promises_nothing_that_explaining_refuses(tmp_path, pulsarcam):
    folder = an_export(tmp_path / "export")
    assert "Cannot be explained" not in pulsarcam("dicom", "list", folder)[1]
    next((folder / "Doe^Jane" / "images").rglob("*7*")).unlink()
    a_structure_set(
        folder / "RS2.dcm",
        [("GTV", contours(3))],
        PatientID="ID-4711",
        PatientName="Roe^Ann",
        SOPInstanceUID="1.2.3.50.2",
    )
    code, out, err = pulsarcam("dicom", "list", folder)
    assert (code, err) == (0, "")
    assert "Cannot be explained as it is: Series 1: The DICOM slices in" in out
    assert "not equally spaced" in out
    assert "The files of patient 1 bear 2 different names and one ID" in out
    assert "Roe" not in out
    code, _, err = pulsarcam("explain", folder, "-o", tmp_path / "out", "--structures", "1", "--quiet")
    assert code == 3
    assert "not equally spaced" in err


def test_a_folder_without_dicom_is_told_as_such(tmp_path, pulsarcam):
    (tmp_path / "empty").mkdir()
    code, _, err = pulsarcam("explain", tmp_path / "empty", "-o", tmp_path / "out")
    assert (code, err.count("\n")) == (3, 1)
    assert "holds no DICOM series or object; give the folder with the images" in err


def test_the_published_patients_are_explained_as_folders(shared_data, tmp_path, pulsarcam):
    folder = shared_data / "dicom_mr_rtstruct" / "STS_008"
    assert pulsarcam("explain", folder, "-o", tmp_path / "out", "--no-pictures", "--no-stability")[0] == 0
    (row,) = rows_of(tmp_path / "out")
    assert float(row["volume_cm3"]) == pytest.approx(27.5704, abs=1e-3)
