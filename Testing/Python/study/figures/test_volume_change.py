"""The volume change as a number: known answers, the study's own splits, its figures and its place in the report."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import r2_score

from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.vocabulary import CAM
from PulsarCAMLib.evaluation.regression import regression_figures
from PulsarCAMLib.features.models.regression import LEAST, fit_change_model, log_change
from PulsarCAMLib.features.models.settings import FeatureModelSettings
from PulsarCAMLib.outputs.study import write_study_report
from PulsarCAMLib.study.figures.volume_change import change_summary, predicted_changes
from PulsarCAMLib.study.models.features import feature_options
from PulsarCAMLib.study.models.network_model import samples_of
from PulsarCAMLib.study.run import open_study, run_study
from PulsarCAMLib.study.settings import StudySettings
from PulsarCAMLib.study.splits import permuted, protocol_splits
from PulsarCAMLib.study.volumes import read_changes, write_changes
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.registry import system_of

MODEL = FeatureModelSettings(inner_folds=0, selection="none")
SETTINGS = StudySettings(
    models=(CAM, "octants"),
    protocols=("patients",),
    trials=3,
    controls=1,
    folds=3,
    features=feature_options(("octants",), model=MODEL),
    training=system_of().training_settings(epochs=1, architecture=Architecture(filters=2), rotations=(), batch_size=8),
    volume_change=True,
)


def test_figures_are_those_of_scipy_and_scikit_learn():
    rng = np.random.default_rng(0)
    truth, patients = rng.normal(size=60), np.repeat(np.arange(30), 2)
    predicted = 0.5 * truth + rng.normal(0, 0.3, 60)
    found = regression_figures(truth, predicted, patients, 300)
    assert found["r2"].value == pytest.approx(r2_score(truth, predicted))
    assert found["spearman"].value == pytest.approx(spearmanr(truth, predicted).statistic)
    assert found["mean_absolute_error"].value == pytest.approx(np.abs(truth - predicted).mean())
    assert all(each.low < each.value < each.high for each in found.values())
    perfect = regression_figures(truth, truth, patients, 0)
    assert (perfect["r2"].value, perfect["mean_absolute_error"].value) == (1.0, 0.0)
    assert perfect["slope"].value == pytest.approx(1)
    assert perfect["r2"].low is None
    assert regression_figures(truth[:2], truth[:2], patients[:2])["r2"].value is None
    assert regression_figures(np.ones(9), truth[:9], patients[:9], 9)["r2"].value is None


def test_an_error_is_told_in_percent_with_the_interval_that_percent_have():
    rng = np.random.default_rng(4)
    truth, patients = rng.normal(size=40), np.repeat(np.arange(20), 2)
    predicted = truth + rng.normal(0, 0.3, 40)
    told = regression_figures(truth, predicted, patients, 50, told_as=lambda values: 100 * np.exp(values))
    percent = regression_figures(100 * np.exp(truth), 100 * np.exp(predicted), patients, 50)
    plain = regression_figures(truth, predicted, patients, 50)
    assert told["mean_absolute_error"] == percent["mean_absolute_error"] != plain["mean_absolute_error"]
    assert {name: told[name] for name in ("r2", "spearman", "slope")} == {
        name: plain[name] for name in ("r2", "spearman", "slope")
    }


def test_lesions_of_one_patient_are_drawn_together():
    """Copies of every lesion within its patient add no knowledge, so intervals stay as wide."""
    rng = np.random.default_rng(1)
    truth = rng.normal(size=25)
    predicted = truth + rng.normal(size=25)
    once = regression_figures(truth, predicted, np.arange(25), 400)["r2"]
    copies = regression_figures(np.repeat(truth, 4), np.repeat(predicted, 4), np.repeat(np.arange(25), 4), 400)["r2"]
    assert copies.low == pytest.approx(once.low, abs=1e-9)
    assert copies.high == pytest.approx(once.high, abs=1e-9)


def test_what_is_planted_is_found_and_no_answer_leaves_what_was_seen():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(80, 6))
    changes = 0.8 * values[:, 2] - 0.3
    values[5, 1], values[:, 4], values[:, 5] = np.nan, np.nan, 7.0
    model = fit_change_model(values[:60], changes[:60])
    np.testing.assert_allclose(model.predict(values[60:]), changes[60:], atol=0.05)
    far = model.predict(np.full((1, 6), 1e3))
    assert far[0] == pytest.approx(changes[:60].max() + np.log(2))
    assert fit_change_model(values[:3], changes[:3]).predict(values[60:62]).tolist() == [changes[:3].mean()] * 2
    assert log_change(np.array([0.0, 1.0])).tolist() == [np.log(LEAST), 0.0]


@pytest.fixture(scope="module")
def study(synthetic_cohort, tmp_path_factory):
    table = read_cohort(synthetic_cohort(CohortSettings(patients=5, seed=3, lesions=(2, 3))))
    labels = label_cohort(table)
    return run_study(table, labels, SETTINGS, tmp_path_factory.mktemp("studies") / "run"), labels


def test_every_lesion_is_answered_by_models_that_did_not_see_its_patient(study):
    study, labels = study
    shares = read_changes(study.folder, len(study.lesions))
    assert sorted(shares) == pytest.approx(sorted(1 + each.change for each in labels if each.change is not None))
    found = {(each.model, each.control): each for each in predicted_changes(open_study(study.folder))}
    assert set(found) == {(CAM, False), (CAM, True), ("octants", False), ("octants", True)}
    for model in (CAM, "octants"):
        own = found[model, False]
        assert own.lesions.tolist() == list(range(len(study.lesions)))
        np.testing.assert_allclose(own.truth, log_change(shares))
    control = next(s for s in protocol_splits(study.lesions, "patients", trials=3, controls=1, folds=3, seed=0) if s.control)  # fmt: skip # noqa: E501
    dealt = permuted(log_change(shares), 0, control.number)
    tested = dict(control.asked)["baseline"]
    np.testing.assert_allclose(found["octants", True].truth, dealt[tested])


def test_a_networks_samples_are_gathered_once_for_all_trials_and_what_it_learnt_is_kept(study, monkeypatch):
    from PulsarCAMLib.study.models import learnt as module

    gathered = []
    monkeypatch.setattr(module, "samples_of", lambda *own: gathered.append(1) or samples_of(*own))
    for kept in study[0].folder.rglob(module.KEPT):
        kept.unlink()
    first = predicted_changes(open_study(study[0].folder))
    assert len(gathered) == 1
    again = predicted_changes(open_study(study[0].folder))
    assert len(gathered) == 1
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.predicted, other.predicted)


def test_a_leaking_feature_is_learnt_and_told(study, tmp_path, monkeypatch):
    """A column that is the answer itself gives R2 near 1, and its control does not."""
    from PulsarCAMLib.study.figures import volume_change as module

    study, _ = study
    shares = log_change(read_changes(study.folder, len(study.lesions)))
    monkeypatch.setattr(module, "_columns", lambda *_: shares[:, None])
    entry = next(each for each in change_summary(study, 50) if each["model"] == "octants")
    assert entry["figures"]["r2"]["value"] > 0.9
    assert entry["control"]["r2"]["value"] < 0.5


def test_the_report_has_table_plot_and_file(study, undrawn, tmp_path):
    study, _ = study
    page = write_study_report(study, tmp_path / "report", resamples=50).read_text(encoding="utf-8")
    assert "Volume at follow-up as a number" in page
    assert 'aria-label="Predicted volume' in page
    with (tmp_path / "report" / "volume_change.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["model"] for row in rows} == {CAM, "octants"}
    assert len(rows) == 2 * len(study.lesions)
    results = json.loads((tmp_path / "report" / "results.json").read_text(encoding="utf-8"))
    assert "Volume at follow-up" in results["summary"]["text"]
    plain = replace(study, settings=replace(study.settings, volume_change=False))
    page = write_study_report(plain, tmp_path / "plain", resamples=50).read_text(encoding="utf-8")
    assert "Volume at follow-up as a number" not in page
    assert not (tmp_path / "plain" / "volume_change.csv").exists()


def test_what_cannot_be_predicted_is_refused(study, tmp_path):
    with pytest.raises(InputError, match="volume at both times"):
        write_changes(tmp_path, {}, np.arange(3))
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="missing or damaged"):
        read_changes(tmp_path, 3)
