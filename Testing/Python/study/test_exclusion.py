"""A limit of the dose gradient index belongs to the lesions of a study: whoever is above it leaves for all models."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from making_files import files_in

from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError, OutputError
from PulsarCAMLib.features import isodose
from PulsarCAMLib.features.models.settings import FeatureModelSettings
from PulsarCAMLib.features.table import compute_features
from PulsarCAMLib.outputs.study import write_study_report
from PulsarCAMLib.study import exclusion as module
from PulsarCAMLib.study.exclusion import left_out_sentences
from PulsarCAMLib.study.figures.summary import summarise
from PulsarCAMLib.study.models.features import feature_options
from PulsarCAMLib.study.run import open_study, run_study
from PulsarCAMLib.study.settings import StudySettings
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.systems.registry import system_of

TINY = TrainingSettings(architecture=Architecture(filters=2), epochs=1, rotations=(), batch_size=8)
MODEL = FeatureModelSettings(inner_folds=0, selection="none")
MODELS = ("cam", "clinical", "dose")
SETTINGS = StudySettings(
    models=MODELS,
    protocols=("paper", "patients"),
    trials=3,
    paper_trials=1,
    controls=1,
    folds=3,
    training=TINY,
    features=feature_options(MODELS[1:], model=MODEL),
)


@pytest.fixture(scope="module")
def cohort(synthetic_cohort):
    settings = CohortSettings(patients=6, seed=4, lesions=(2, 3), second_mri=True)
    table = read_cohort(synthetic_cohort(settings, dose=True, clinical=True))
    return table, label_cohort(table)


@pytest.fixture(scope="module", autouse=True)
def coarse():
    """Isodose volumes are counted on fewer voxels: who is above the limit is asked here, not how exact an index is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(isodose, "MOST_VOXELS", 150_000)
        yield


@pytest.fixture(scope="module")
def doses(tmp_path_factory):
    """Where finished dose features are kept, for they take a while."""
    return tmp_path_factory.mktemp("dose")


def begun(doses, run):
    """A study's folder as one leaves it that was stopped while it computed gradient indices."""
    run.mkdir()
    shutil.copytree(doses, run / "features")
    return run


@pytest.fixture(scope="module")
def indices(cohort, doses):
    """Largest gradient index of each lesion's two MRIs, as ``pulsarcam features`` has them."""
    table = compute_features(cohort[0], ("dose",), folder=doses)
    keys, found = {row.row: row.key for row in cohort[0].rows}, {}
    for row, value in zip(table.rows.tolist(), table.column("dose_gradient_index"), strict=True):
        found.setdefault(keys[row], []).append(value)
    return {key: np.nanmax(values) if np.isfinite(values).any() else np.nan for key, values in found.items()}


@pytest.fixture(scope="module")
def limit(indices):
    """Between two lesions, so that four are above it."""
    known = np.sort([value for value in indices.values() if np.isfinite(value)])
    return float((known[-5] + known[-4]) / 2)


@pytest.fixture(scope="module")
def study(cohort, limit, doses, tmp_path_factory):
    folder = begun(doses, tmp_path_factory.mktemp("studies") / "run")
    return run_study(*cohort, replace(SETTINGS, gi_limit=limit), folder)


def test_exactly_the_lesions_above_the_limit_leave_and_all_models_meet_the_others(study, cohort, indices, limit):
    rows = {row.row: row for row in cohort[0].rows}
    gone = {key for key, value in indices.items() if value > limit}
    stay = [key for key in indices if key not in gone]
    assert len(gone) == 4
    assert [rows[row].key for row in study.lesions.rows["baseline"]] == stay
    for model in MODELS:
        (paper,) = study.of(model, "paper")
        assert len(paper.train) == len(stay)
        assert (paper.details or {}).get("lesions", len(paper.train)) == len(stay)
        tested = {lesion for record in study.of(model, "patients") for lesion in record.answers[0].lesions.tolist()}
        assert tested == set(range(len(stay)))
        assert all(np.isfinite(answers.probabilities).all() for answers in paper.answers)
    assert {rows[each["baseline_row"]].key for each in study.facts["left_out"]["rows"]} == gone


def test_who_left_and_why_is_in_the_record_the_console_and_the_report(study, cohort, limit, undrawn, tmp_path):
    left = open_study(study.folder).facts["left_out"]
    assert (left["gi_limit"], left["lesions"], left["of_lesions"]) == (limit, 4, len(study.lesions) + 4)
    responses = {(label.patient, label.lesion): label.response for label in cohort[1]}
    rows = {row.row: row.key for row in cohort[0].rows}
    assert left["responses"] == sum(responses[rows[each["baseline_row"]]] for each in left["rows"])
    (told, *_) = left_out_sentences(left, system_of().task)
    page = write_study_report(study, tmp_path / "report", resamples=20)
    results = json.loads((page.parent / "results.json").read_text(encoding="utf-8"))
    assert told.startswith(f"4 of {len(study.lesions) + 4} lesions")
    assert told in results["summary"]["text"]
    assert told in page.read_text(encoding="utf-8").replace("\u00a0", " ")
    assert results["study"]["settings"]["gi_limit"] == limit
    assert "In each of these tables all models are judged on the same lesions." in results["summary"]["text"]
    counts = f"{len(study.lesions)} of {len(np.unique(study.lesions.patients))}"
    line = next(each for each in results["summary"]["text"] if each.startswith("lesions of patients"))
    assert line.split("  ")[0] == "lesions of patients"
    assert line.count(counts) == len(MODELS) + 1


def test_no_name_of_a_patient_is_kept(study, cohort):
    patients = {row.patient for row in cohort[0].rows}
    for path in files_in(study.folder):
        content = (study.folder / path).read_bytes()
        assert not [name for name in patients if name.encode() in content], path


def test_the_network_alone_has_the_limit_too(cohort, study, limit, doses, tmp_path):
    alone = replace(SETTINGS, models=("cam",), protocols=("patients",), trials=1, controls=0, features={})
    found = run_study(*cohort, replace(alone, gi_limit=limit), begun(doses, tmp_path / "run"))
    assert found.lesions.to_csv() == study.lesions.to_csv()
    free = run_study(*cohort, alone, tmp_path / "free")
    assert len(free.lesions) == len(study.lesions) + 4
    assert "left_out" not in free.facts
    assert summarise(free, 20)["sentences"]["left_out"] == []


def test_the_same_command_computes_nothing_anew_and_another_limit_is_another_study(cohort, study, limit):
    before = {path: (study.folder / path).stat().st_mtime_ns for path in files_in(study.folder) if "trials" in path}
    again = run_study(*cohort, replace(SETTINGS, gi_limit=limit), study.folder)
    assert len(again.records) == len(study.records)
    assert {path: (study.folder / path).stat().st_mtime_ns for path in before} == before
    content = {path: (study.folder / path).read_bytes() for path in files_in(study.folder)}
    for other in (None, limit + 1):
        with pytest.raises(InputError, match="limit of the gradient index"):
            run_study(*cohort, replace(SETTINGS, gi_limit=other), study.folder)
    assert {path: (study.folder / path).read_bytes() for path in files_in(study.folder)} == content


def test_a_folder_with_other_features_is_left_alone(cohort, doses, limit, tmp_path):
    folder = begun(doses, tmp_path / "run")
    (folder / "features" / "mine.csv").write_text("kept")
    before = files_in(folder)
    with pytest.raises(OutputError, match="other files"):
        run_study(*cohort, replace(SETTINGS, gi_limit=limit), folder)
    assert files_in(folder) == before


def test_limits_that_cannot_be_applied_are_refused(cohort, indices, doses, tmp_path, monkeypatch):
    table, labels = cohort
    bare = replace(table, rows=tuple(replace(row, dose=None) for row in table.rows))
    with pytest.raises(InputError, match="fill in the column dose"):
        run_study(bare, labels, replace(SETTINGS, gi_limit=4.0), tmp_path / "run")
    assert files_in(tmp_path) == []
    known = {key for key, value in indices.items() if np.isfinite(value)}
    nobody, told = replace(SETTINGS, gi_limit=0.1), []
    assert len(known) == len(indices) - 1, "one lesion has no index, and stays"
    with pytest.raises(InputError, match="The cohort has 0 responding and 1 non"):
        run_study(*cohort, nobody, begun(doses, tmp_path / "run"), on_warning=told.append)
    assert told[1:] == ["1 lesion has no gradient index and stays."]
    for index, says in ((5.0, f"All {len(indices)} lesions have"), (np.nan, "No lesion has a dose gradient index")):
        monkeypatch.setattr(module, "_indices", lambda *_, index=index: (dict.fromkeys(indices, index), ()))
        with pytest.raises(InputError, match=says):
            run_study(*cohort, nobody, tmp_path / "run")
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="number above 0"):
            replace(SETTINGS, gi_limit=wrong)


def test_settings_of_studies_from_before_the_limit_stay_what_they_were():
    before = Preprocessing(lattice="as-before", mask_edges="sharp")  # said since; then there was but one
    plain = StudySettings(training=TrainingSettings(preprocessing=before))
    assert plain.identity() == "19ee100ceeab102869375fe6986c4cee6d7de7bdf57d387f1e7e2d633e3dff02"
    card = plain.to_card()
    del card["gi_limit"]
    assert StudySettings.from_card(card) == plain
    limited = replace(plain, gi_limit=4.0)
    assert limited.identity() != plain.identity()
    assert StudySettings.from_card(limited.to_card()) == limited
