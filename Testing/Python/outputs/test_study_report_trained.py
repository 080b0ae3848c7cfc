"""The report of a study that was really trained: curves, galleries, members, and what a tidied folder lacks."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from making_samples import SMALL
from making_studies import made_study, noise
from reading_reports import Page, table_of

from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.outputs.study import write_study_report
from PulsarCAMLib.outputs.study.gallery import chosen, explain, held_out
from PulsarCAMLib.study.run import Study, open_study, run_study
from PulsarCAMLib.study.settings import StudySettings
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings
from PulsarCAMLib.training.trial import TrialResult

QUICK = {"resamples": 50}


def test_the_gallery_follows_its_rule(tmp_path):
    made = made_study(tmp_path, noise, protocols=("patients",))
    everybody, shown = held_out(made), chosen(made)
    assert [each.lesion for each in everybody] == list(range(len(made.lesions)))
    for each in everybody:
        assert each.record.protocol == "patients"
        assert each.lesion not in each.record.train
        assert each.record.number == min(
            r.number for r in made.of("cam", "patients") if each.lesion in r.answers[0].lesions
        )
    groups = {}
    for each in shown:
        groups.setdefault((each.label, each.right), []).append(each)
    assert list(groups) == [(1, True), (1, False), (0, True), (0, False)]
    for key, group in groups.items():
        sure = [abs(e.probability - 0.5) for e in everybody if (e.label, e.right) == key]
        assert abs(group[0].probability - 0.5) == max(sure)
        assert abs(group[-1].probability - 0.5) == min(sure)
        assert len(group) == 3


@pytest.fixture(scope="module")
def cohort(synthetic_cohort):
    settings = CohortSettings(patients=6, seed=3, lesions=(2, 3), second_mri=True)
    return read_cohort(synthetic_cohort(settings))


@pytest.fixture(scope="module")
def trained(cohort, tmp_path_factory):
    """A real study: two epochs of a small network."""
    training = TrainingSettings(epochs=2, architecture=SMALL, rotations=())
    settings = StudySettings(protocols=("patients",), trials=2, controls=1, folds=2, training=training)
    folder = tmp_path_factory.mktemp("trained") / "run"
    run_study(cohort, label_cohort(cohort), settings, folder)
    return open_study(folder)


@pytest.fixture(scope="module")
def trained_report(trained, tmp_path_factory):
    """The page, and what was told of the progress."""
    told = []
    place = tmp_path_factory.mktemp("trained-report") / "report"
    return write_study_report(trained, place, progress=lambda *said: told.append(said), **QUICK), told


def test_a_trained_study_shows_curves_maps_and_reconstructions(trained, trained_report):
    path, told = trained_report
    results = json.loads((path.parent / "results.json").read_text())
    shown = results["gallery"]["lesions"]
    page = Page(path.read_text(encoding="utf-8"))
    pictures = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert len(pictures) == len(shown) + sum(each["rank"] == "the surest" for each in shown)
    assert all(value.startswith("data:image/png;base64,") for value in pictures)
    assert f"Lesion {shown[0]['lesion']} of patient {shown[0]['patient']}" in page.text
    curve = next(c for c in results["training"] if not c["control"])
    assert curve["trainings"] == 2
    assert len(curve["terms"]["total"]["mean"]) == 2
    assert curve["terms"]["total"]["low"][0] <= curve["terms"]["total"]["mean"][0] <= curve["terms"]["total"]["high"][0]
    assert results["study"]["sha256"] == trained.facts["sha256"]
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_no_name_of_a_patient_or_file_is_in_the_report(trained_report, cohort):
    names = {row.patient for row in cohort.rows} | {row.image.name for row in cohort.rows} | {str(cohort.path.parent)}
    for path in trained_report[0].parent.iterdir():
        content = path.read_text(encoding="utf-8")
        assert not [name for name in names if name in content], path.name


def test_patches_that_were_taken_away_leave_no_picture(trained, tmp_path):
    bare = Study(tmp_path, trained.settings, trained.lesions, trained.facts, trained.records)
    assert explain(bare, chosen(trained)[0]) is None


def test_the_curves_of_the_bundles_members_are_beside_those_of_the_trials(trained, undrawn, tmp_path):
    rows = [{"epoch": n, "total": 2.0 / n, "accuracy": n / 4} for n in (1, 2, 3)]
    for n in (0, 2):
        rows[n] |= {"validation_total": 2.5, "validation_accuracy": 0.5 + n / 10}
    members = [TrialResult(tmp_path, trained.settings.training, "", rows, 3, best, "") for best in (3, 2)]
    path = write_study_report(trained, tmp_path / "report", members=members, **QUICK)
    results = json.loads((path.parent / "results.json").read_text())
    assert [each["best_epoch"] for each in results["members"]] == [3, 2]
    assert results["members"][1]["training"]["accuracy"] == [0.25, 0.5, 0.75]
    assert results["members"][1]["validation"] == {"total": [2.5, None, 2.5], "accuracy": [0.5, None, 0.7]}
    lines = [r for r in table_of(path.parent / "curves.csv") if r["curve"] == "member validation accuracy"]
    assert [(r["model"], r["x"], float(r["y"])) for r in lines] == [
        (f"member-{n}", x, y) for n in (1, 2) for x, y in (("1", 0.5), ("3", 0.7))
    ]
    page = Page(path.read_text(encoding="utf-8"))
    assert "Of the bundle itself, 2 members, one line each." in page.text
    drawn = [value for _, name, value in page.attributes if name == "aria-label" and value.startswith("Members")]
    assert drawn == ["Members: accuracy", "Members: total loss"]


def test_a_study_of_its_own_has_no_members(trained_report):
    assert "Of the bundle itself" not in trained_report[0].read_text(encoding="utf-8")


def test_what_a_tidied_folder_lacks_is_said_on_the_page_and_to_the_caller(trained, undrawn, tmp_path):
    said, whole = [], tmp_path / "whole"
    write_study_report(trained, tmp_path / "first", on_warning=said.append, **QUICK)
    assert said == []
    shutil.copytree(trained.folder, whole)
    for folder in whole.glob("trials/cam/*/*/training"):
        shutil.rmtree(folder)
    path = write_study_report(open_study(whole), tmp_path / "second", on_warning=said.append, **QUICK)
    assert len(said) == 1
    assert "lacks the networks of 3 of 3 trials and controls" in said[0]
    (whole / "samples.npz").unlink()
    path = write_study_report(open_study(whole), tmp_path / "third", on_warning=said.append, **QUICK)
    assert "lacks the patches" in said[-1]
    text = Page(path.read_text(encoding="utf-8")).text
    for sentence in said:
        assert sentence in text
    assert json.loads((path.parent / "results.json").read_text())["gaps"] == said[1:]
    for heading in ("Training There are no curves", "Reconstructions and feature maps of held-out lesions There is no"):
        assert heading in text


def test_a_training_that_came_to_nan_is_reported_too(tmp_path):
    study = made_study(tmp_path / "run", noise, protocols=("patients",))
    broken = replace(study.records[0], details={"last_epoch": {"total": float("nan"), "accuracy": 0.5}})
    page = write_study_report(replace(study, records=(broken, *study.records[1:])), tmp_path / "report", resamples=10)
    results = json.loads((page.parent / "results.json").read_text(encoding="utf-8"))
    assert results["trials"][0]["details"] == {"last_epoch": {"total": None, "accuracy": 0.5}}
