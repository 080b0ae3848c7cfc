"""A study from a cohort table to a folder that can be continued and read again."""

import json
from dataclasses import replace

import numpy as np
import pytest
from making_files import files_in

from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError, OutputError
from PulsarCAMLib.io.locking import only_one
from PulsarCAMLib.study import prepare as module
from PulsarCAMLib.study.models.samples_file import load_samples
from PulsarCAMLib.study.models.study_models import tuned_settings
from PulsarCAMLib.study.run import open_study, run_study
from PulsarCAMLib.study.settings import StudySettings
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture

TINY = TrainingSettings(architecture=Architecture(filters=2), epochs=1, rotations=(90.0,), batch_size=8)
SETTINGS = StudySettings(trials=2, paper_trials=1, controls=1, folds=3, training=TINY)


@pytest.fixture(scope="module")
def cohort(synthetic_cohort):
    settings = CohortSettings(patients=6, seed=3, lesions=(2, 3), second_mri=True)
    table = read_cohort(synthetic_cohort(settings))
    return table, label_cohort(table)


@pytest.fixture(scope="module")
def study(cohort, tmp_path_factory):
    return run_study(*cohort, SETTINGS, tmp_path_factory.mktemp("studies") / "run")


def test_all_protocols_are_run_and_the_study_is_read_again_as_it_is(study):
    again = open_study(study.folder)
    assert again.settings == study.settings == SETTINGS
    assert (len(again.records), again.missing) == (8, 0)
    assert [(r.protocol, r.control) for r in again.records] == [(r.protocol, r.control) for r in study.records]
    assert [len(again.of("cam", name)) for name in SETTINGS.protocols] == [1, 2, 2]
    assert all((again.folder_of(record) / "training" / "weights.safetensors").is_file() for record in again.records)


def test_lesions_and_patches_are_those_of_the_table(study, cohort):
    table, labels = cohort
    responses = {(label.patient, label.lesion): label.response for label in labels}
    rows = {row.row: row for row in table.rows}
    for lesion in range(len(study.lesions)):
        first, second = (rows[study.lesions.rows[point][lesion]] for point in ("baseline", "second"))
        assert first.key == second.key
        assert (first.time_point, second.time_point) == ("baseline", "second")
        assert responses[first.key] == study.lesions.labels[lesion]
    sets = load_samples(study.folder / "samples.npz")
    assert sets["baseline"].units.tolist() == np.repeat(np.arange(len(study.lesions)), 2).tolist()
    assert sets["second"].units.tolist() == list(range(len(study.lesions)))
    assert np.array_equal(sets["baseline"].labels, study.lesions.labels[sets["baseline"].units])
    assert not np.array_equal(sets["second"].images, sets["baseline"].originals().images)


def test_no_name_of_a_patient_or_file_is_kept(study, cohort):
    names = {row.patient for row in cohort[0].rows} | {row.image.name for row in cohort[0].rows}
    for path in files_in(study.folder):
        content = (study.folder / path).read_bytes()
        assert not [name for name in names if name.encode() in content], path


def test_going_on_computes_nothing_twice_and_more_can_be_asked(cohort, tmp_path, monkeypatch):
    few = replace(SETTINGS, protocols=("patients",), trials=1, controls=0)
    run_study(*cohort, few, tmp_path / "run")
    weights = next((tmp_path / "run").rglob("weights.safetensors"))
    before = weights.stat().st_mtime_ns
    monkeypatch.setattr(module, "_patches", None)
    more = run_study(*cohort, replace(few, trials=2, protocols=("patients", "lesions")), tmp_path / "run")
    assert len(more.records) == 4
    assert weights.stat().st_mtime_ns == before


@pytest.mark.parametrize("change", [{"seed": 1}, {"folds": 2}, {"training": replace(TINY, rotations=(45.0,))}])
def test_another_study_is_not_put_on_top(cohort, study, change):
    before = {path: (study.folder / path).read_bytes() for path in files_in(study.folder)}
    with pytest.raises(InputError, match="holds a study of other data"):
        run_study(*cohort, replace(SETTINGS, **change), study.folder)
    assert {path: (study.folder / path).read_bytes() for path in files_in(study.folder)} == before


def test_trials_of_other_settings_are_refused_and_can_still_be_read(cohort, study):
    before = {path: (study.folder / path).read_bytes() for path in files_in(study.folder)}
    with pytest.raises(InputError, match="other settings"):
        run_study(*cohort, replace(SETTINGS, training=replace(TINY, epochs=2)), study.folder)
    assert {path: (study.folder / path).read_bytes() for path in files_in(study.folder)} == before
    assert open_study(study.folder).missing == 0


def test_responses_that_have_changed_since_are_other_data(cohort, study):
    table, labels = cohort
    turned = [replace(label, response=1 - label.response) for label in labels]
    with pytest.raises(InputError, match="holds a study of other data"):
        run_study(table, turned, SETTINGS, study.folder)


@pytest.mark.parametrize(
    ("change", "says"), [({"folds": 9}, "use fewer folds"), ({"tune": {"colour": (1, 2)}}, "cannot be tuned")]
)
def test_what_cannot_be_run_is_refused_before_any_work(cohort, tmp_path, change, says):
    with pytest.raises(InputError, match=says):
        run_study(*cohort, replace(SETTINGS, **change), tmp_path / "run")
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("protocol", ["patients", "leave-one-patient-out"])
def test_responses_of_one_patient_only_are_refused_before_any_work(cohort, tmp_path, protocol):
    table, labels = cohort
    only = [replace(label, response=int(label.patient == labels[0].patient)) for label in labels]
    with pytest.raises(InputError, match="same response"):
        run_study(table, only, replace(SETTINGS, protocols=(protocol,), trials=3, folds=2), tmp_path / "run")
    assert files_in(tmp_path) == []


def test_a_folder_with_other_things_is_left_alone(cohort, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="other files"):
        run_study(*cohort, SETTINGS, tmp_path)
    assert files_in(tmp_path) == ["thesis.txt"]


def test_settings_are_chosen_inside_every_trial(cohort, tmp_path):
    settings = replace(SETTINGS, protocols=("patients",), trials=1, controls=0, inner_folds=2, threshold="inner")
    study = run_study(*cohort, replace(settings, tune={"filters": (1, 2)}), tmp_path / "run")
    (record,) = study.records
    assert record.details["tuning"]["chosen"] in ("filters 1", "filters 2")
    assert set(record.details["tuning"]["inner_auc"]) == {"filters 1", "filters 2"}
    folders = {path.parent.parent.name for path in (tmp_path / "run").rglob("weights.safetensors")}
    assert {"trial-001", "inner-1", "inner-2"} <= folders
    assert open_study(study.folder).missing == 0


def test_only_known_settings_can_be_tuned():
    changed = tuned_settings(TINY, {"filters": 8, "learning_rate": 0.01})
    assert (changed.architecture.filters, changed.learning_rate) == (8, 0.01)
    with pytest.raises(InputError, match="cannot be tuned"):
        tuned_settings(TINY, {"preprocessing": 1})


@pytest.mark.parametrize(
    "change",
    [{"protocols": ("magic",)}, {"protocols": ()}, {"models": ()}, {"trials": 0}, {"threshold": "best"}, {"folds": 1}],
)
def test_settings_that_make_no_study_are_refused(change):
    with pytest.raises(InputError):
        replace(SETTINGS, **change)


def test_what_is_no_study_is_said_so(tmp_path, study):
    with pytest.raises(InputError, match="no study"):
        open_study(tmp_path)
    (tmp_path / "study.json").write_text(json.dumps({"format": "PulsarCAM study", "format_version": 99}))
    with pytest.raises(InputError, match="another version"):
        open_study(tmp_path)


def test_two_runs_in_one_folder_do_not_disturb_each_other(cohort, study):
    before = {path: (study.folder / path).read_bytes() for path in files_in(study.folder)}
    with only_one(study.folder, "study"), pytest.raises(InputError, match="Another process is running the study"):
        run_study(*cohort, SETTINGS, study.folder)
    assert {path: (study.folder / path).read_bytes() for path in files_in(study.folder)} == before
    assert len(run_study(*cohort, SETTINGS, study.folder).records) == 8


def test_the_table_is_hashed_once_and_every_split_and_job_is_made_once(cohort, tmp_path, monkeypatch):
    from PulsarCAMLib.io import hashing
    from PulsarCAMLib.study import plan as planning

    counts = {"hashed": [], "split": [], "jobs": []}

    def counted(name, function, of):
        def call(*arguments, **options):
            counts[name].append(of(*arguments))
            return function(*arguments, **options)

        return call

    monkeypatch.setattr(hashing, "sha256_of", counted("hashed", hashing.sha256_of, lambda path: path))
    monkeypatch.setattr(module, "protocol_splits", counted("split", module.protocol_splits, lambda _, name: name))
    made = counted("jobs", planning.Job, lambda model, split, *_: (model.name, split.protocol, split.place))
    monkeypatch.setattr(planning, "Job", made)
    for call in (lambda: run_study(*cohort, SETTINGS, tmp_path / "run"), lambda: open_study(tmp_path / "run")):
        for found in counts.values():
            found.clear()
        assert len(call().records) == 8
        assert counts["split"] == list(SETTINGS.protocols)
        assert len(counts["jobs"]) == len(set(counts["jobs"])) == 8
    assert not counts["hashed"], "a study is read again without its table"
    run_study(*cohort, SETTINGS, tmp_path / "run")
    assert counts["hashed"].count(cohort[0].path) == 1
