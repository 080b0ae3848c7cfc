"""A system that nobody knows (3D, three classes, patients) is studied like any other, each trial beside its control."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from making_files import files_in, written
from reading_reports import Page, table_of
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from stranger import STRANGER

from PulsarCAMLib.cli import main
from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.study_lesions import StudyLesions
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.evaluation.small_samples import wilson
from PulsarCAMLib.outputs.study import write_study_report
from PulsarCAMLib.outputs.study.console import summary_lines
from PulsarCAMLib.outputs.study.curves import model_curves, rows as curve_rows
from PulsarCAMLib.outputs.study.figures import differences, protocols
from PulsarCAMLib.outputs.study.plots import class_calibration
from PulsarCAMLib.study.figures.card_section import protocols_section
from PulsarCAMLib.study.figures.entries import entry_of
from PulsarCAMLib.study.figures.model_results import model_results_of
from PulsarCAMLib.study.figures.narrative import sentences, verdict
from PulsarCAMLib.study.figures.summary import summarise
from PulsarCAMLib.study.run import open_study, run_study
from PulsarCAMLib.study.settings import StudySettings, usual_protocols
from PulsarCAMLib.systems.registry import register, unregister

GRID = VolumeGeometry((8, 20, 18), (1.0, 1.0, 2.0), (5.0, -7.0, 3.0))
HEADINGS = ("patient", "flair", "rtdose", "size")


@pytest.fixture(scope="module", autouse=True)
def stranger():
    register(STRANGER)
    yield STRANGER
    unregister(STRANGER.name)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    lines = [HEADINGS]
    for n in range(18):
        voxels = np.random.default_rng(n).normal(100, 5, GRID.shape)
        voxels[2:6, 4 : 8 + 4 * (n % 3), 4 : 8 + 3 * (n % 3)] += 200
        written(folder / f"flair{n}.nrrd", voxels.astype(np.float32), GRID)
        lines.append((f"P{n:02d}", f"flair{n}.nrrd", "", STRANGER.task.names[n % 3]))
    with (folder / "cohort.csv").open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return folder / "cohort.csv"


@pytest.fixture(scope="module")
def settings(stranger):
    training = STRANGER.training_settings(epochs=2, batch_size=4)
    protocols = ("patients", "leave-one-patient-out")
    return StudySettings(system="stranger", protocols=protocols, trials=3, controls=3, folds=3, training=training)


@pytest.fixture(scope="module")
def study(table, settings, tmp_path_factory):
    cohort = read_cohort(table, STRANGER)
    folder = tmp_path_factory.mktemp("studies") / "run"
    return run_study(cohort, label_cohort(cohort, system=STRANGER), settings, folder)


@pytest.fixture(scope="module")
def summary(study):
    return summarise(study, 50)


def test_its_patients_are_units_with_class_numbers_and_answers_of_three_classes(study):
    assert study.lesions.labels.tolist() == [0, 1, 2] * 6
    assert (study.folder / "lesions.csv").read_text().splitlines()[0] == "unit,patient,size,baseline_row,second_row"
    for record in study.records:
        (answers,) = record.answers
        assert answers.probabilities.shape == (len(answers.lesions), 3)
        assert answers.probabilities.sum(axis=1) == pytest.approx(1)
        assert record.model == "stranger"
    controls = study.of("stranger", "patients", control=True)
    assert all(sorted(each.labels) == sorted(study.lesions.labels) for each in controls)
    assert any(each.labels.tolist() != study.lesions.labels.tolist() for each in controls)


def test_it_is_read_again_with_every_digit_and_goes_on_without_training_anew(study, table, settings):
    again = open_study(study.folder)
    assert again.settings == settings
    assert again.missing == 0
    for mine, other in zip(study.records, again.records, strict=True):
        assert np.array_equal(mine.answers[0].probabilities, other.answers[0].probabilities)
    before = {path: (study.folder / path).stat().st_mtime_ns for path in files_in(study.folder) if "trials" in path}
    cohort = read_cohort(table, STRANGER)
    run_study(cohort, label_cohort(cohort, system=STRANGER), settings, study.folder)
    assert before == {path: (study.folder / path).stat().st_mtime_ns for path in before}


def test_its_figures_are_scikit_learns_and_stand_beside_their_control(study, summary):
    entry = entry_of(summary, "patients", "stranger", "baseline")
    records = study.of("stranger", "patients")
    truth = [study.lesions.labels[record.answers[0].lesions] for record in records]
    answers = [record.answers[0].probabilities for record in records]
    expected = [balanced_accuracy_score(t, p.argmax(axis=1)) for t, p in zip(truth, answers, strict=True)]
    assert entry["metrics"]["balanced_accuracy"]["mean"] == pytest.approx(np.mean(expected))
    expected = [roc_auc_score(t, p, multi_class="ovr", average="macro") for t, p in zip(truth, answers, strict=True)]
    assert entry["metrics"]["auc"]["mean"] == pytest.approx(np.mean(expected))
    assert entry["control"]["trials"] == 3
    assert entry["against_control"]["difference"] is not None
    alone = entry_of(summary, "leave-one-patient-out", "stranger", "baseline")
    assert np.sum(alone["pooled"]["confusion"]) == 18
    assert alone["against_control"]["differs"] in (True, False)
    json.dumps(summary, allow_nan=False)


def test_the_card_keeps_its_figures(study, summary):
    section = protocols_section(summary, study.facts)
    assert section["system"] == "stranger"
    assert section["positive"] == "large"
    assert "these patients" in section["about"]
    found = summary["table"][0]["pooled"]["values"]["auc"]["value"]
    assert section["table"][0]["pooled_auc"]["value"] == pytest.approx(found)


def test_pools_take_the_mean_of_every_class(study):
    results = model_results_of(study)[0]
    pool = results.pooled(study.lesions.patients)
    of_patient_4 = [trial.probabilities[trial.lesions == 4] for trial in results.trials]
    assert pool.probabilities[4] == pytest.approx(np.concatenate(of_patient_4).mean(axis=0))


def test_the_report_says_its_words_and_no_others(study, summary, undrawn, tmp_path):
    page = write_study_report(study, tmp_path / "report", resamples=20)
    told = Page(page.read_text(encoding="utf-8")).text + "\n".join(summary_lines(summary))
    for words in ("respon", "lesion", "Peng", "GTV", "gradient index"):
        assert words not in told, words
    assert "Size of what is bright" in told
    assert "probability of medium" in told
    assert "macro AUC" in told
    assert "Calibration of every class" in told
    assert 'aria-label="Calibration: medium, (c) split by patient' in page.read_text(encoding="utf-8")
    curves = json.loads((page.parent / "results.json").read_text(encoding="utf-8"))["curves"]
    assert {"observed_low", "observed_high", "count"} <= set(curves[0]["calibration_by_class"]["medium"][0])
    rows = table_of(page.parent / "predictions.csv")
    assert {"probability_small", "probability_medium", "probability_large"} <= set(rows[0])
    assert {row["metric"] for row in table_of(page.parent / "table1.csv")} >= {"f1", "recall_medium"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"protocols": ("lesions",)}, "answers for patients; choose “patients”"),
        ({"gi_limit": 3.0}, "leave the limit out"),
        ({"threshold": "inner"}, "chosen between two classes, and Stranger has 3"),
        ({"models": ("stranger", "gradients"), "features": {"table": {}}}, "leave them out"),
    ],
)
def test_what_it_cannot_be_asked_is_refused_with_a_sentence(settings, change, says):
    with pytest.raises(InputError, match=says):
        replace(settings, **change)


def test_protocols_with_a_second_mri_need_a_system_that_takes_one_mri_at_a_time(settings, monkeypatch):
    assert usual_protocols(STRANGER) == ("paper", "patients")
    flair, dose = STRANGER.inputs
    monkeypatch.setattr(type(STRANGER), "inputs", (flair, replace(flair, name="later", time_point="second"), dose))
    assert usual_protocols(STRANGER) == ("patients",)
    with pytest.raises(InputError, match="needs the MRIs of several time points"):
        replace(settings, protocols=("paper",))


def test_no_mri_is_called_the_first_where_several_are_looked_at_together(summary, monkeypatch):
    entry = entry_of(summary, "patients", "stranger", "baseline")
    title = "(c) split by patient"
    assert verdict(entry, STRANGER).startswith("on the first MRI of patients it had not seen")
    assert any(f"{title}, first MRI: " in line for line in summary_lines(summary))
    flair, dose = STRANGER.inputs
    monkeypatch.setattr(type(STRANGER), "inputs", (flair, replace(flair, name="later", time_point="second"), dose))
    assert verdict(entry, STRANGER).startswith("on patients it had not seen")
    anew = summary | {"sentences": sentences(summary)}
    assert any(f"{title}: " in line for line in summary_lines(anew))
    told = [*summary_lines(anew), *map(str, (protocols(anew), differences(anew)))]
    assert [words for words in told if "first MRI" in words] == []


def test_lesions_csv_of_an_older_study_is_read(tmp_path):
    (tmp_path / "lesions.csv").write_text("lesion,patient,response,baseline_row,second_row\n0,1,1,2,\n1,1,0,3,7\n")
    found = StudyLesions.from_csv(tmp_path / "lesions.csv")
    assert (found.labels.tolist(), found.rows["second"].tolist()) == ([1, 0], [-1, 7])
    assert found.to_csv() == (tmp_path / "lesions.csv").read_text()


def test_the_command_studies_it(table, tmp_path, capsys):
    command = ["study", str(table), "-o", str(tmp_path / "run"), "--system", "stranger", "--protocols", "patients"]
    command += ["--trials", "1", "--controls", "1", "--folds", "3", "--epochs", "1", "--batch-size", "4", "--no-report"]
    assert main(command) == 0
    assert [record.model for record in open_study(tmp_path / "run").records] == ["stranger"] * 2
    assert main([*command, "--protocols", "lesions"]) == 3
    assert "choose “patients”" in capsys.readouterr().err


def test_calibration_of_every_class_is_counted_drawn_and_kept(study, tmp_path):
    """Each class against all others: shares and counts as a plain count gives them, intervals around them."""
    results = next(each for each in model_results_of(study) if each.protocol == "patients")
    pool = results.pooled(study.lesions.patients)
    found = model_curves(results, study.lesions.patients).by_class
    assert tuple(found) == STRANGER.task.names
    for n, points in enumerate(found.values()):
        assert sum(point.count for point in points) == len(pool.labels) == 18
        (point,) = points  # 18 patients make one point of twelve or more
        assert point.observed == pytest.approx((pool.labels == n).mean())
        assert point.predicted == pytest.approx(pool.probabilities[:, n].mean())
        low, high = point.interval()
        assert (low, high) == wilson(6, 18)
    figure = class_calibration([model_curves(results, study.lesions.patients)], "medium", {"stranger": "S"}, {"stranger": "#000000"}, "t")  # fmt: skip # noqa: E501
    assert figure.axes[0].get_ylabel() == "share that was medium"
    assert figure.legends[0].get_texts()[0].get_text() == "S (18 a point)"
    lines = list(curve_rows([model_curves(results, study.lesions.patients)], []))
    assert {line[0] for line in lines} == {f"calibration pooled of {name}" for name in STRANGER.task.names}
