"""The dose of many patients: by a column of the table, over all of them, and never guessed."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk
from cli.explain.test_many import QUICK, a_table, bytes_of, summary_of
from making_files import PLAIN

from PulsarCAMLib.cli.many.dose_told import dose_of
from PulsarCAMLib.cli.many.source import _doses_of
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.registry import system_of


def a_dose(path, geometry=PLAIN, top=30.0):
    """A ramp that lies over the whole MRI."""
    ramp = np.broadcast_to(np.linspace(10, top, geometry.shape[2]), geometry.shape).astype(np.float32)
    sitk.WriteImage(geometry.to_sitk(ramp), str(path))
    return path


def with_doses(table, doses):
    """The table with a column dose, by patient or by patient and lesion."""
    head, *lines = table.read_text().splitlines()
    named = [doses.get(line.split(",")[0], doses.get(tuple(line.split(",")[:2]), "")) for line in lines]
    table.write_text("\n".join([f"{head},dose", *(f"{a},{b}" for a, b in zip(lines, named, strict=True))]) + "\n")
    return table


def test_doses_of_a_table_are_told_per_patient_and_over_all(tmp_path, pulsarcam):
    table, out = a_table(tmp_path / "in", ("Doe", "Roe", "Poe")), tmp_path / "out"
    a_dose(table.parent / "Doe-rd.nrrd", top=300.0)
    doses = {"Doe": "Doe-rd.nrrd", "Roe": "Doe-rd.nrrd", "Poe": "Poe-none.nrrd"}
    more = ("--least-dose-voxels", "1")
    code, _, err = pulsarcam("explain", with_doses(table, doses), "-o", out, *QUICK, *more)
    assert (code, err) == (0, "")
    rows = {(row["patient"], row["lesion"]): row for row in summary_of(out)}
    own, contrast = (next(csv.DictReader((out / "P001" / name).open())) for name in ("dose.csv", "dose_contrast.csv"))
    first = rows["P001", "left 1"]
    assert (first["dose_mean_gy"], first["dose_d98_gy"]) == (own["mean_gy"], own["d98_gy"])
    assert float(first["dose_difference_gy"]) == float(contrast["difference_gy"])
    assert (first["dose_activated_gets"], first["dose_undefined"]) == (contrast["answer"], "")
    assert rows["P003", "left 1"]["dose_mean_gy"] == ""
    told = {n: json.loads((out / f"P00{n}" / "result.json").read_text())["warnings"] for n in (1, 3)}
    assert any("column dose (row 6) is not there" in text for text in told[3])
    assert any("The dose reaches 300 Gy, more than patients are given" in text for text in told[1])
    page = (out / "report.html").read_text(encoding="utf-8")
    assert ">Dose (Gy)</th>" in page
    assert "Over the patients the activated parts" in page
    assert "4 lesions of 2 patients" in page
    for path, content in bytes_of(out).items():
        assert not any(word in content for word in (b"Doe", b"Poe-none")), path


def test_damaged_tables_of_the_dose_name_no_folder(tmp_path):
    rows = [{"lesion": "GTV", "map_method": "a", "map_class": "b"}]
    (tmp_path / "dose.csv").write_text("lesion,region\nGTV,lesion\n")
    for text in ("lesion\nGTV\n", "lesion,map_method,map_class,map_input,quantity,difference_gy,"
                 "difference_at_equal_depth_gy\nGTV,a,b,,Gy,much,1\n"):  # fmt: skip
        (tmp_path / "dose_contrast.csv").write_text(text)
        with pytest.raises(InputError) as told:
            dose_of(tmp_path, rows)
        assert str(told.value) == "Its tables of the dose are damaged; delete its folder and start again."


def test_several_doses_of_one_mri_are_not_guessed_from_and_none_is_refused(tmp_path, pulsarcam):
    table = a_table(tmp_path / "in", ("Doe",))
    for name in ("a", "b"):
        a_dose(table.parent / f"{name}.nrrd")
    two = with_doses(table, {("Doe", "left 1"): "a.nrrd", ("Doe", "left 2"): "b.nrrd"})
    doses, (note,) = _doses_of(read_cohort(two).rows, system_of())
    assert doses == ()
    assert "the rows of this MRI name 2 files in the column dose (rows 2, 3)" in note
    with_doses(a_table(tmp_path / "in", ("Doe",)), {"Doe": "b.nrrd"})
    assert _doses_of(read_cohort(table).rows, system_of()) == ((table.parent / "b.nrrd",), ())
    a_table(tmp_path / "in", ("Doe",))
    code, _, err = pulsarcam("explain", table, "-o", tmp_path / "x", *QUICK, "--prescription", "15")
    assert code == 3
    assert "no planned dose to tell of in the table's column dose" in err
    assert not (tmp_path / "x").exists()
