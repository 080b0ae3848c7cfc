"""``pulsarcam features``: a table beside its reasons and settings, whole or not at all, resumable."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
from making_files import PLAIN, a_volume, files_in, two_boxes, written

from PulsarCAMLib.cli import main
from PulsarCAMLib.cli.commands import features as command
from PulsarCAMLib.core.errors import Cancelled
from PulsarCAMLib.features import table as feature_table
from PulsarCAMLib.features.values import GROUPS

MADE = ["f.csv", "f.reasons.csv", "f.settings.json"]


@pytest.fixture
def cohort(tmp_path):
    """Two lesions of Mrs Doe with two MRIs each, and a dose on the first one."""
    folder = tmp_path / "in"
    folder.mkdir()
    k = np.indices(PLAIN.shape)[0]
    written(folder / "dose.nrrd", np.clip(20 - 7 * np.abs(k - 6.0), 0, None).astype(np.float32), PLAIN)
    lines = ["patient,lesion,time_point,image,segmentation,label_value,dose,clinical_age"]
    for seed, point in enumerate(("baseline", "second")):
        written(folder / f"{point}.nrrd", a_volume(PLAIN, seed), PLAIN)
        written(folder / f"{point}-label.nrrd", two_boxes(PLAIN, 2), PLAIN)
        dose = "dose.nrrd" if point == "baseline" else ""
        lines += [f'"Doe, J.",GTV {n},{point},{point}.nrrd,{point}-label.nrrd,{n},{dose},61' for n in (1, 2)]
    path = folder / "cohort.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def features(cohort, out, *more, groups="gradients,dose,clinical"):
    return main(["features", str(cohort), "-o", str(out / "f.csv"), "--groups", groups, *map(str, more)])


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_per_lesion_and_time_point_with_the_users_own_names(cohort, out, capsys):
    assert features(cohort, out, "--delta") == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "4 rows, 2 lesions of 1 patients" in said.out
    assert files_in(out) == MADE
    rows = rows_of(out / "f.csv")
    assert [(r["patient"], r["lesion"], r["time_point"]) for r in rows] == [
        ("Doe, J.", f"GTV {n}", point) for point in ("baseline", "second") for n in (1, 2)
    ]
    assert float(rows[0]["dose_max"]) == pytest.approx(20)
    assert rows[2]["dose_max"] == rows[0]["delta_gradient_edge_width_mm"] == ""
    assert rows[2]["delta_gradient_whole_radial_mean"] != ""
    reasons = {(r["row"], r["feature"]): r["reason"] for r in rows_of(out / "f.reasons.csv")}
    assert reasons["4", "dose_*"] == "no dose is given for this row"
    assert "delta_clinical_age" not in rows[0]


def test_settings_are_kept_and_can_be_given_again(cohort, out, tmp_path, capsys):
    given = tmp_path / "mine.json"
    head = {"format": "PulsarCAM feature settings", "format_version": 1}
    given.write_text(json.dumps(head | {"settings": {"dose": {"thresholds_gy": [7.5]}}}))
    assert features(cohort, out, "--settings", given, groups="dose") == 0
    assert "dose_v7.5" in rows_of(out / "f.csv")[0]
    kept = json.loads((out / "f.settings.json").read_text())
    assert kept["settings"]["dose"]["thresholds_gy"] == [7.5]
    first = (out / "f.csv").read_bytes()
    again = out / "f.settings.json"
    assert main(["features", str(cohort), "-o", str(out / "g.csv"), "--groups", "dose", "--settings", str(again)]) == 0
    assert (out / "g.csv").read_bytes() == first
    for text in ("", "{}", json.dumps(head | {"settings": {"dose": {"limits_gy": []}}})):
        given.write_text(text)
        assert main(["features", str(cohort), "-o", str(out / "h.csv"), "--settings", str(given)]) == 3
    assert "limits_gy" in capsys.readouterr().err


def test_a_broken_lesion_is_listed_with_its_row_and_is_no_failure(cohort, out, capsys):
    (cohort.parent / "second.nrrd").write_text("broken")
    assert features(cohort, out) == 0
    said = capsys.readouterr()
    assert said.err.splitlines()[0].startswith("Row 4 (gradient): The image second.nrrd cannot be read")
    assert "2 rows could not be used in full" in said.out
    assert [r["gradient_whole_radial_mean"] != "" for r in rows_of(out / "f.csv")] == [True, True, False, False]
    assert "The image second.nrrd" in (out / "f.reasons.csv").read_text()


def test_when_no_lesion_can_be_used_nothing_is_written(cohort, out, capsys):
    for name in ("baseline", "second"):
        (cohort.parent / f"{name}.nrrd").unlink()
    assert features(cohort, out) == 3
    assert "None of the 4 rows" in capsys.readouterr().err
    assert files_in(out) == []


def test_what_is_there_is_never_replaced_unasked(cohort, out, capsys):
    (out / "f.reasons.csv").write_text("mine")
    assert features(cohort, out, groups="gradients") == 5
    assert "exists already" in capsys.readouterr().err
    assert files_in(out) == ["f.reasons.csv"]
    assert features(cohort, out, "--overwrite", groups="gradients") == 0
    assert files_in(out) == MADE
    (out / "f.csv.lesions").mkdir()
    (out / "f.csv.lesions" / "thesis.doc").write_text("mine")
    assert features(cohort, out, "--overwrite") == 5
    assert (out / "f.csv.lesions" / "thesis.doc").is_file()


def test_an_interrupted_run_goes_on_where_it_was(cohort, out, capsys, monkeypatch):
    each_of, made = feature_table.each_of, []

    def interrupted(works, *rest):
        for done in each_of(works, *rest):
            made.append(done.row)
            if len(made) == 3:
                raise KeyboardInterrupt
            yield done

    monkeypatch.setattr(feature_table, "each_of", interrupted)
    assert features(cohort, out) == 130
    assert "the same command goes on" in capsys.readouterr().err
    kept = files_in(out)
    assert len(kept) == 2 + 2 + 1, "gradients and dose of two lesions, gradients of the third, which has no dose"
    assert all(name.startswith("f.csv.lesions/") for name in kept)
    assert "Doe" not in "".join((out / name).read_text() + name for name in kept)
    assert features(cohort, out) == 0
    assert made == [2, 3, 4, 5]
    assert files_in(out) == MADE


def test_an_interruption_before_the_first_lesion_leaves_nothing(cohort, out, monkeypatch, capsys):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(feature_table, "each_of", stopped)
    assert features(cohort, out) == 130
    assert files_in(out) == []
    assert not (out / "f.csv.lesions").exists()


def test_finished_lesions_can_be_kept_for_other_tables(cohort, out, tmp_path, monkeypatch):
    assert features(cohort, out, "--keep", tmp_path / "kept", groups="gradients") == 0
    first = (out / "f.csv").read_bytes()

    def nothing_to_do(*_):
        raise Cancelled("something was computed again")

    monkeypatch.setattr(feature_table, "each_of", nothing_to_do)
    more = ("--keep", tmp_path / "kept", "--overwrite")
    assert features(cohort, out, *more, groups="gradients") == 0
    assert (out / "f.csv").read_bytes() == first
    assert features(cohort, out, *more, groups="dose") == 130


def test_wrong_usage_is_told_before_any_work(cohort, out, capsys):
    assert main(["features", str(cohort), "-o", str(out / "f.xlsx")]) == 3
    assert features(cohort, out, groups="gradients,shape") == 2
    assert features(cohort, out, groups=",") == 2
    text = cohort.read_text().replace("dose.nrrd", "").replace(",61", ",")
    cohort.write_text(text)
    assert features(cohort, out, groups="dose") == 3
    assert features(cohort, out, groups="clinical") == 3
    said = capsys.readouterr().err
    assert "column dose" in said
    assert "column that begins with clinical_" in said
    assert files_in(out) == []


def test_groups_are_those_of_the_library_and_help_imports_no_arrays():
    assert tuple(command.GROUPS.values()) == GROUPS
    code = (
        "import sys; from PulsarCAMLib.cli import main; main(['features', '--help']); sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.slow
def test_two_processes_write_the_same_table(cohort, out):
    assert features(cohort, out, "--quiet") == 0
    first = (out / "f.csv").read_bytes()
    assert features(cohort, out, "--jobs", "2", "--overwrite", "--quiet") == 0
    assert (out / "f.csv").read_bytes() == first


@pytest.mark.slow
def test_the_workers_of_a_dask_cluster_write_the_same_table(cohort, out, capsys):
    distributed = pytest.importorskip("distributed")
    assert features(cohort, out, "--quiet") == 0
    first = (out / "f.csv").read_bytes()
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        more = ("--scheduler", cluster.scheduler_address, "--overwrite", "--quiet")
        assert features(cohort, out, *more) == 0
    assert (out / "f.csv").read_bytes() == first


def test_radiomics_stand_beside_the_other_groups(cohort, out, tmp_path):
    pytest.importorskip("mirp")
    given = tmp_path / "fast.json"
    fast = {"images": ["original"], "families": ["firstorder", "shape"]}
    head = {"format": "PulsarCAM feature settings", "format_version": 1}
    given.write_text(json.dumps(head | {"settings": {"radiomics": fast}}))
    assert features(cohort, out, "--settings", given, groups="radiomics,clinical") == 0
    rows = rows_of(out / "f.csv")
    names = [name for name in rows[0] if name.startswith("radiomics_")]
    assert len(names) > 10
    assert all(row[names[0]] for row in rows)
    assert "mirp" in json.loads((out / "f.settings.json").read_text())["versions"]
