"""``pulsarcam explain`` for many patients: of a cohort table, and of a folder with several patients' DICOM files."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from making_files import PLAIN, a_volume, two_boxes
from making_structures import a_series, a_square, a_structure_set, on_plane

from PulsarCAMLib.cli.many.running import LOST, outcomes
from PulsarCAMLib.cli.many.source import One
from PulsarCAMLib.cli.many.work import BEGUN, LEFT, Outcome
from PulsarCAMLib.core.errors import OutputError

QUICK = ("--no-pictures", "--no-stability", "--quiet", "--jobs", "1")


def a_table(folder, patients=("Doe", "Roe", "Poe"), damaged=(), second=(), seed=0):
    """A cohort of patients with two lesions each, as NRRD."""
    folder.mkdir(exist_ok=True)
    lines = ["patient,lesion,time_point,image,segmentation,label_value"]
    for n, name in enumerate(patients):
        for point in ("baseline", *(["second"] if name in second else [])):
            stem = f"{name}-{point}"
            sitk.WriteImage(
                PLAIN.to_sitk(a_volume(PLAIN, seed=seed + n + 10 * len(point))), str(folder / f"{stem}.nrrd")
            )
            sitk.WriteImage(PLAIN.to_sitk(two_boxes(PLAIN, 2)), str(folder / f"{stem}-mask.nrrd"))
            if name in damaged:
                (folder / f"{stem}.nrrd").write_bytes(b"NRRD0004\nno image of " + name.encode())
            lines += [f"{name},left {v},{point},{stem}.nrrd,{stem}-mask.nrrd,{v}" for v in (1, 2)]
    (folder / "cohort.csv").write_text("\n".join(lines) + "\n")
    return folder / "cohort.csv"


def summary_of(folder):
    with (folder / "summary.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def bytes_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_table_is_explained_patient_by_patient_and_a_bad_one_stops_nobody(tmp_path, pulsarcam):
    table = a_table(tmp_path / "in", damaged=("Roe",), second=("Poe",))
    code, out, err = pulsarcam("explain", table, "-o", tmp_path / "out", *QUICK[:2], "--jobs", "1")
    assert code == 6, err
    assert "3 of 4 explained (6 lesions)." in out
    assert err.count("\n") == 2
    assert "error: 1 of 4 patients could not be explained; the others are done, and summary.csv says why" in err
    assert "warning: P002 (row 4 5): " in err
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == [
        "P001",
        "P003",
        "P003-second",
    ]
    rows = summary_of(tmp_path / "out")
    assert [(row["patient"], row["mri"], row["lesion"]) for row in rows] == [
        ("P001", "", "left 1"), ("P001", "", "left 2"), ("P002", "", ""),
        ("P003", "", "left 1"), ("P003", "", "left 2"), ("P003", "second", "left 1"), ("P003", "second", "left 2"),
    ]  # fmt: skip
    assert [bool(row["problem"]) for row in rows] == [False, False, True, False, False, False, False]
    with (tmp_path / "out" / "P001" / "lesions.csv").open() as file:
        alone = list(csv.DictReader(file))
    assert [row["probability_response"] for row in rows[:2]] == [row["probability_response"] for row in alone]
    for path, content in bytes_of(tmp_path / "out").items():
        for word in (b"Doe", b"Roe", b"Poe", str(tmp_path).encode()):
            assert word not in content, (path, word)


def test_the_answers_are_those_of_each_patient_alone(tmp_path, pulsarcam):
    table = a_table(tmp_path / "in", patients=("Doe",))
    assert pulsarcam("explain", table, "-o", tmp_path / "many", *QUICK)[0] == 0
    one = (
        "explain",
        table.parent / "Doe-baseline.nrrd",
        table.parent / "Doe-baseline-mask.nrrd",
        "-o",
        tmp_path / "one",
    )
    assert pulsarcam(*one, *QUICK[:3])[0] == 0
    many, alone = tmp_path / "many" / "P001", tmp_path / "one"
    assert bytes_of(many).keys() == bytes_of(alone).keys()
    for path in bytes_of(many):
        if path.suffix == ".nrrd" and ".seg" not in path.name:
            first, second = (sitk.GetArrayFromImage(sitk.ReadImage(str(at / path))) for at in (many, alone))
            assert np.array_equal(first, second)


def test_a_run_goes_on_where_it_was_and_notices_what_has_changed(tmp_path, pulsarcam, monkeypatch):
    table, out = a_table(tmp_path / "in"), tmp_path / "out"
    from PulsarCAMLib.cli.many import work

    explained, real = [], work._explained

    def watched(one, *rest):
        if len(explained) == 1:
            raise KeyboardInterrupt
        found = real(one, *rest)
        explained.append((one.folder, found.kept))
        return found

    monkeypatch.setattr(work, "_explained", watched)
    code, _, err = pulsarcam("explain", table, "-o", out, *QUICK)
    assert (code, err.count("\n")) == (130, 1)
    assert "1 of 3 patients are done, and kept in" in err
    assert not list(out.glob(f".*{BEGUN}"))
    monkeypatch.setattr(work, "_explained", real)
    first = (out / "P001" / "result.json").stat().st_mtime_ns
    code, said, _ = pulsarcam("explain", table, "-o", out, *QUICK[:2], "--jobs", "1")
    assert code == 0
    assert "3 of 3 explained (6 lesions), 1 of them in an earlier run." in said
    assert (out / "P001" / "result.json").stat().st_mtime_ns == first
    before = bytes_of(out / "P002")
    sitk.WriteImage(PLAIN.to_sitk(a_volume(PLAIN, seed=99)), str(table.parent / "Roe-baseline.nrrd"))
    code, said, err = pulsarcam("explain", table, "-o", out, *QUICK[:2], "--jobs", "1")
    assert "2 of 3 explained" in said
    assert "P002 (row 4 5): Its files or the options are not those of the result that is there" in err
    assert bytes_of(out / "P002") == before
    code, said, err = pulsarcam("explain", table, "-o", out, *QUICK[:2], "--jobs", "1", "--overwrite")
    assert (code, err) == (0, "")
    assert "3 of 3 explained (6 lesions), 2 of them in an earlier run." in said
    assert bytes_of(out / "P002") != before
    assert pulsarcam("explain", table, "-o", out, *QUICK, "--threshold", "percentile:90")[0] == 3


def test_a_refused_run_leaves_the_summary_of_all_as_it_was(tmp_path, pulsarcam):
    table, out = a_table(tmp_path / "in", ("Doe", "Roe")), tmp_path / "out"
    assert pulsarcam("explain", table, "-o", out, *QUICK)[0] == 0
    before = bytes_of(out)
    code, said, err = pulsarcam("explain", table, "-o", out, *QUICK, "--threshold", "percentile:90")
    assert (code, said, err.count("\n")) == (3, "", 1)
    assert "holds results of other files or options" in err
    for name in ("Doe", "Roe"):
        (table.parent / f"{name}-baseline-mask.nrrd").rename(table.parent / f"{name}.away")
    code, _, err = pulsarcam("explain", table, "-o", out, *QUICK)
    assert code == 3
    assert "stays as it was" in err
    assert bytes_of(out) == before


def test_another_cohort_leaves_nobody_of_the_earlier_one_behind(tmp_path, pulsarcam):
    out = tmp_path / "out"
    assert pulsarcam("explain", a_table(tmp_path / "in", ("Doe", "Roe", "Poe")), "-o", out, *QUICK)[0] == 0
    before = bytes_of(out)
    fewer = a_table(tmp_path / "in", ("Doe", "Roe"))
    code, _, err = pulsarcam("explain", fewer, "-o", out, *QUICK)
    assert (code, err.count("\n")) == (3, 1)
    assert "results of an earlier run for P003, who is not among these patients" in err
    assert bytes_of(out) == before
    other = a_table(tmp_path / "other", ("Xa", "Xb"), damaged=("Xb",), seed=50)
    (out / "P003" / "mine.txt").write_text("mine")
    code, _, err = pulsarcam("explain", other, "-o", out, *QUICK, "--overwrite")
    assert (code, err.count("\n")) == (5, 1)
    assert "P003 is not replaced because it holds files that PulsarCAM did not write" in err
    (out / "P003" / "mine.txt").unlink()
    assert bytes_of(out) == before
    code, _, err = pulsarcam("explain", other, "-o", out, *QUICK, "--overwrite")
    assert code == 6, err
    assert "Removed of an earlier run, as --overwrite allows: P003." in err
    # the second one failed, so the result of the earlier cohort's second one is gone, too
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == ["P001"]
    assert [bool(row["problem"]) for row in summary_of(out)] == [False, False, True]


def test_a_result_that_stays_of_an_earlier_run_is_told(tmp_path, pulsarcam):
    table, out = a_table(tmp_path / "in", ("Doe", "Roe")), tmp_path / "out"
    assert pulsarcam("explain", table, "-o", out, *QUICK)[0] == 0
    (table.parent / "Roe-baseline-mask.nrrd").unlink()
    assert pulsarcam("explain", table, "-o", out, *QUICK)[0] == 6
    assert summary_of(out)[-1]["problem"].endswith(LEFT)


def test_a_row_that_is_there_twice_is_one_lesion_and_told(tmp_path, pulsarcam):
    table, out = a_table(tmp_path / "in", ("Doe",)), tmp_path / "out"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines, lines[1]]) + "\n")
    assert pulsarcam("explain", table, "-o", out, *QUICK)[0] == 0
    assert [row["lesion"] for row in summary_of(out)] == ["left 1", "left 2"]
    warnings = json.loads((out / "P001" / "result.json").read_text())["warnings"]
    assert warnings[1:] == ["Row 4 of the table is left out: The baseline MRI of this lesion is in row 2 already; "
                        "remove one, or name lesion or time_point differently."]  # fmt: skip


def test_how_many_are_done_when_it_is_interrupted(tmp_path, pulsarcam, monkeypatch):
    table, out = a_table(tmp_path / "in", ("Doe", "Roe")), tmp_path / "out"
    assert pulsarcam("explain", table, "-o", out, *QUICK)[0] == 0
    shutil.rmtree(out / "P002")

    def interrupted(*_args, **_more):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("PulsarCAMLib.cli.many.command.outcomes", interrupted)
    code, _, err = pulsarcam("explain", table, "-o", out, *QUICK)
    assert code == 130
    assert "1 of 2 patients are done" in err


def test_pseudonyms_that_cannot_be_written_leave_nothing(tmp_path, pulsarcam, monkeypatch):
    table, out = a_table(tmp_path / "in", ("Doe",)), tmp_path / "out"
    (tmp_path / "who").mkdir()
    code, _, err = pulsarcam("explain", table, "-o", out, *QUICK, "--pseudonyms", tmp_path / "who")
    assert (code, err.count("\n"), out.exists()) == (5, 1, False)

    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PulsarCAMLib.io.atomic.replace_file", full)
    out.mkdir()
    code, _, err = pulsarcam("explain", table, "-o", out, *QUICK, "--pseudonyms", tmp_path / "who.csv")
    assert code == 5
    assert "cannot be written" in err
    assert not list(out.iterdir())


def test_what_is_wrong_with_one_folder_or_file_is_told_of_that_patient(tmp_path, pulsarcam):
    table, out = a_table(tmp_path / "in"), tmp_path / "out"
    (out / "P001").mkdir(parents=True)
    (out / "P001" / "mine.txt").write_text("mine")
    (out / "many.json").write_text('{"format": "PulsarCAM results of many patients"}')
    (table.parent / "Roe-baseline-mask.nrrd").unlink()
    code, said, err = pulsarcam("explain", table, "-o", out, *QUICK, "--overwrite")
    assert (code, said) == (6, "")
    first, second, last = err.splitlines()
    assert first.endswith("P001 (row 2 3): Its folder holds a damaged result, or files that PulsarCAM did not write; "
                          "move it elsewhere and start again.")  # fmt: skip
    assert "P002 (row 4 5): The file in the column segmentation (row 4) cannot be read (No such file" in second
    assert "error: 2 of 3 patients could not be explained" in last
    assert (out / "P001" / "mine.txt").read_text() == "mine"


def test_a_scheduler_that_does_not_answer_leaves_nothing(tmp_path, pulsarcam):
    pytest.importorskip("distributed")
    table = a_table(tmp_path / "in", patients=("Doe",))
    code, _, err = pulsarcam("explain", table, "-o", tmp_path / "out", *QUICK, "--scheduler", "no-address:x")
    assert (code, err.count("\n")) == (3, 1)
    assert not (tmp_path / "out").exists()


def test_the_page_begins_with_the_verdict_and_leads_to_every_patient(tmp_path, pulsarcam):
    table = a_table(tmp_path / "in", ("Doe", "Poe"), damaged=("Poe",))
    code, _, err = pulsarcam("explain", table, "-o", tmp_path / "out", "--no-stability", "--quiet", "--jobs", "1")
    assert code == 6, err
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    verdict = json.loads((tmp_path / "out" / "P001" / "result.json").read_text())["verdict"]["sentence"]
    assert page.index(verdict) < page.index("P001")
    links = re.findall(r'href="([^"]+)"', page)
    assert links == ["P001/report.html"] * 2
    assert all((tmp_path / "out" / link).is_file() for link in links)
    assert "1 of 2 explained" in page
    assert "<dt>P002</dt>" in page


def a_patient(folder, name, number, sets=1):
    """A series and structure sets of one patient, in a folder called after the patient."""

    def whose(data, _n=0):
        data.PatientName, data.PatientID = f"{name}^Jane", f"ID-{number}"
        data.StudyInstanceUID = f"1.2.3.1.{number}"
        data.FrameOfReferenceUID = f"1.2.3.3.{number}"

    a_series(folder / name / "mr", a_volume(PLAIN, seed=number), PLAIN, f"1.2.3.2.{number}", whose)
    for n in range(sets):
        planes = [on_plane(a_square(6.0), k, PLAIN) for k in (3, 4, 5)]
        own = {"frame": f"1.2.3.3.{number}", "SOPInstanceUID": f"1.2.3.5.{number}.{n}"}
        a_structure_set(folder / name / f"RS{n}.dcm", [("GTV", planes)], kinds=("GTV",), change=whose, **own)


def test_a_folder_of_patients_is_explained_and_an_ambiguous_one_is_told(tmp_path, pulsarcam):
    for n, (name, sets) in enumerate([("Abel", 1), ("Bates", 2), ("Caine", 1)], start=1):
        a_patient(tmp_path / "in", name, n, sets)
    who = tmp_path / "who.csv"
    code, out, err = pulsarcam("explain", tmp_path / "in", "-o", tmp_path / "out", *QUICK[:2], "--jobs", "1",
                               "--pseudonyms", who)  # fmt: skip
    assert code == 6, err
    assert "2 of 3 explained (2 lesions)." in out
    assert "P002: The folder … holds several structure sets: structure set 2" in err
    assert "explain this one alone and choose." in err
    assert not re.search("Abel|Bates|Caine|Jane|ID-", out + err)
    assert [row["patient"] for row in summary_of(tmp_path / "out")] == ["P001", "P002", "P003"]
    kept = list(csv.DictReader(who.open()))
    assert [(row["pseudonym"], row["patient"]) for row in kept] == [
        ("P001", "ID-1"),
        ("P002", "ID-2"),
        ("P003", "ID-3"),
    ]
    assert "Abel^Jane" in kept[0]["about"]
    if os.name == "posix":
        assert who.stat().st_mode & 0o077 == 0
    # one more patient before the others: pseudonyms stay, and nobody is done again
    a_patient(tmp_path / "in", "Aaron", 4)
    again = ("explain", tmp_path / "in", "-o", tmp_path / "out", *QUICK[:2], "--jobs", "1", "--pseudonyms", who)
    code, out, err = pulsarcam(*again)
    assert "3 of 4 explained (3 lesions), 2 of them in an earlier run." in out
    assert [row["pseudonym"] for row in csv.DictReader(who.open())] == ["P001", "P002", "P003", "P004"]


def test_a_folder_that_is_searched_is_not_written_into_and_not_named(tmp_path, pulsarcam, monkeypatch):
    monkeypatch.chdir(tmp_path)
    a_patient(tmp_path / "in", "Abel", 1)
    a_patient(tmp_path / "in", "Bates", 2, sets=2)
    a_patient(tmp_path / "in", "Caine", 3, sets=0)
    for at in ("in", "in/Abel/out"):
        code, _, err = pulsarcam("explain", "in", "-o", at, *QUICK)
        assert (code, err.count("\n")) == (5, 1)
    assert "would lie in in, which is searched for images; choose a place outside it." in err
    assert pulsarcam("cohort", "from-dicom", "in", "-o", "in/cohort.csv")[0] == 5
    assert not Path("in/Abel/out").exists()
    assert pulsarcam("explain", "in", "-o", "out", *QUICK)[0] == 6
    problems = [row["problem"] for row in summary_of(tmp_path / "out")]
    assert problems[0] == ""
    assert problems[1].startswith("The folder … holds several structure sets: ")
    assert problems[2] == ("The folder … holds 1 image series and no structure set of this patient (RTSTRUCT, SEG); "
                           "explain this one alone with a segmentation.")  # fmt: skip


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--segments", "a"), "--segments cannot be given; the table names these"),
        (("--pseudonyms", "OUT/who.csv"), "who is who in the folder of the results"),
        (("--pseudonyms", "notes.csv"), "is no file of pseudonyms"),
        (("--pseudonyms", "none/who.csv"), "There is no folder none for the pseudonyms"),
        (("--pseudonyms", "in/cohort.csv"), "is what this command reads"),
        (("--class", "both", "--method", "no-such"), "invalid choice"),
        (("in/cohort.csv",), "a segmentation cannot be given"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_made(tmp_path, pulsarcam, monkeypatch, more, says):
    monkeypatch.chdir(tmp_path)
    a_table(tmp_path / "in", patients=("Doe",))
    (tmp_path / "notes.csv").write_text("my,own\n1,2\n")
    code, _, err = pulsarcam("explain", "in/cohort.csv", *more, "-o", "OUT", *QUICK)
    assert code in (2, 3, 5)
    assert says in err
    assert not (tmp_path / "OUT").exists()
    assert (tmp_path / "notes.csv").read_text() == "my,own\n1,2\n"


def test_a_folder_of_somebody_else_and_options_for_many_are_refused(tmp_path, pulsarcam):
    table = a_table(tmp_path / "in", patients=("Doe",))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    code, _, err = pulsarcam("explain", table, "-o", tmp_path / "out", *QUICK)
    assert code == 5
    assert "is not a folder of many patients' results" in err
    one = (table.parent / "Doe-baseline.nrrd", table.parent / "Doe-baseline-mask.nrrd", "-o", tmp_path / "one")
    code, _, err = pulsarcam("explain", *one, "--jobs", "2")
    assert (code, err.count("\n")) == (3, 1)
    assert "--jobs means nothing for one patient" in err


def falls(one, folder, fatal):
    """As :func:`.work.explain_one`; one patient takes its process along every time."""
    mark = folder / f".{one.folder}{BEGUN}"
    mark.touch()
    with (folder / "begun.txt").open("a") as file:
        file.write(f"{one.folder}\n")
    if one.folder == fatal:
        os._exit(1)
    mark.unlink()
    return Outcome(rows=({"lesion": one.folder},))


def test_a_patient_that_ends_its_process_is_told_of_and_takes_nobody_along(tmp_path, monkeypatch):
    monkeypatch.setattr("PulsarCAMLib.cli.many.running.ATTEMPTS", 2)
    ones = [One(f"P{n}", f"P{n}", "", None) for n in range(4)]
    found = dict(outcomes(ones, falls, ("P1",), tmp_path, at_once=2))
    assert sorted(found) == list(range(4))
    assert found[1].problem == LOST
    assert all(found[n].rows and not found[n].problem for n in (0, 2, 3))
    assert (tmp_path / "begun.txt").read_text().split().count("P1") == 2
    assert not list(tmp_path.glob(f".*{BEGUN}"))


def full(one, folder):
    raise OutputError("the disk is full")


def test_what_concerns_all_ends_the_run(tmp_path):
    with pytest.raises(OutputError, match="full"):
        list(outcomes([One("P1", "P1", "", None)], full, (), Path(tmp_path), at_once=1))
