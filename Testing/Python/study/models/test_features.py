"""Models on features in a study: the same splits as the network's, their features computed once."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from making_files import files_in

from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.features.models.settings import FeatureModelSettings
from PulsarCAMLib.features.table import compute_features, read_features
from PulsarCAMLib.study.models import features as module
from PulsarCAMLib.study.models.features import feature_options, groups_of
from PulsarCAMLib.study.run import open_study, run_study
from PulsarCAMLib.study.settings import StudySettings

MODEL = FeatureModelSettings(inner_folds=0, selection="none")
NAMES = ("gradients", "gradients+delta")
SETTINGS = StudySettings(
    models=NAMES,
    protocols=("paper", "patients"),
    trials=3,
    paper_trials=1,
    controls=1,
    folds=3,
    features=feature_options(NAMES, model=MODEL),
)


@pytest.fixture(scope="module")
def cohort(synthetic_cohort):
    settings = CohortSettings(patients=6, seed=3, lesions=(2, 3), second_mri=True)
    table = read_cohort(synthetic_cohort(settings))
    return table, label_cohort(table)


@pytest.fixture(scope="module")
def computed(cohort, tmp_path_factory):
    """Table of the features command, and the folder with what was computed for it."""
    folder = tmp_path_factory.mktemp("features")
    return compute_features(cohort[0], ("gradient",), folder=folder), folder


def begun(computed, run):
    """A study's folder as one leaves it that was stopped after it computed its features, which takes a while."""
    run.mkdir()
    shutil.copytree(computed[1], run / "features")
    return run


@pytest.fixture(scope="module")
def study(cohort, tmp_path_factory):
    return run_study(*cohort, SETTINGS, tmp_path_factory.mktemp("studies") / "run")


def test_they_meet_the_same_splits_and_are_asked_on_the_mris_they_know(study):
    one, delta = (study.of(name, "patients") for name in NAMES)
    assert len(one) == len(delta) == 3
    for plain, changed in zip(one, delta, strict=True):
        assert np.array_equal(plain.train, changed.train)
        assert [each.time_point for each in plain.answers] == ["baseline", "second"]
        assert [each.time_point for each in changed.answers] == ["second"]
        assert np.array_equal(plain.answers[1].lesions, changed.answers[0].lesions)
        assert np.isfinite(plain.answers[0].probabilities).all()
    assert any(name.startswith("delta_") for name in read_features(study.folder / "features.csv").names)


def test_features_are_those_of_the_features_command(study, computed):
    alone, _ = computed
    kept = read_features(study.folder / "features.csv")
    assert kept.rows.tolist() == alone.rows.tolist()
    for name in alone.names:
        assert np.array_equal(kept.column(name), alone.column(name), equal_nan=True)


def test_no_name_of_a_patient_is_kept_with_the_features(study, cohort):
    patients = {row.patient for row in cohort[0].rows}
    for path in files_in(study.folder):
        content = (study.folder / path).read_bytes()
        assert not [name for name in patients if name.encode() in content], path


def test_a_model_can_join_later_and_leaves_what_is_there(cohort, computed, tmp_path):
    alone = replace(SETTINGS, models=NAMES[:1], features=feature_options(NAMES[:1], model=MODEL))
    run_study(*cohort, alone, begun(computed, tmp_path / "run"))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("result.json")}
    assert len(before) == 6
    more = run_study(*cohort, SETTINGS, tmp_path / "run")
    assert len(more.records) == 10, "the model of both MRIs has no place in the paper's protocol"
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert open_study(tmp_path / "run").missing == 0


def test_groups_follow_from_names_and_the_limit_of_the_gradient_index_needs_the_dose():
    assert groups_of(("radiomics", "gradients+delta"), None) == ("gradient", "radiomics")
    assert groups_of(("gradients",), 4.0) == ("dose", "gradient")


def test_what_is_not_known_is_refused_before_the_work(tmp_path):
    with pytest.raises(InputError, match="magic"):
        feature_options(("magic",))
    with pytest.raises(InputError, match="JSON"):
        feature_options(("gradients",), settings_file=tmp_path / "none.json")
    with pytest.raises(InputError, match="settings"):
        replace(SETTINGS, features={})


def test_a_cohort_without_features_ends_with_a_sentence(cohort, tmp_path, monkeypatch):
    told = []
    names = ("dose",)
    settings = replace(SETTINGS, models=names, features=feature_options(names, model=MODEL), protocols=("patients",))
    with pytest.raises(InputError, match="No lesion of the cohort has features"):
        run_study(*cohort, settings, tmp_path / "run", on_warning=told.append)
    assert module.FEATURES not in files_in(tmp_path / "run")


def test_trials_of_a_version_that_learnt_from_diagnostics_can_still_be_reported(
    study, cohort, computed, tmp_path, monkeypatch
):
    from PulsarCAMLib.features.models import data as feature_data

    with monkeypatch.context() as patch:
        patch.setattr(feature_data, "is_diagnostic", lambda name: False)
        before = run_study(*cohort, SETTINGS, begun(computed, tmp_path / "run"))
    again = open_study(tmp_path / "run")
    assert again.missing == 0
    assert [r.to_json("") for r in again.records] == [r.to_json("") for r in before.records]
    assert again.records[0].details["features"] > study.records[0].details["features"], "it did learn from more"
    with pytest.raises(InputError, match="other settings"):
        run_study(*cohort, SETTINGS, tmp_path / "run")
    features = tmp_path / "run" / "features.csv"
    features.write_text(features.read_text().replace("gradient_", "gradient_x", 1))
    with pytest.raises(InputError, match="other settings"):
        open_study(tmp_path / "run")


def test_trials_of_other_features_are_refused_and_keep_theirs(study, cohort):
    before = {name: (study.folder / name).read_bytes() for name in ("study.json", "features.csv")}
    table = SETTINGS.features["table"] | {"gradient": {"margin_mm": 3.0, "sigma_mm": 1.0}}
    with pytest.raises(InputError, match="other settings"):
        run_study(*cohort, replace(SETTINGS, features=SETTINGS.features | {"table": table}), study.folder)
    assert {name: (study.folder / name).read_bytes() for name in before} == before
    assert open_study(study.folder).missing == 0
