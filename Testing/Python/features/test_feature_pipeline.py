"""Feature models against known answers, and the ways in which they could cheat or break."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr
from sklearn.metrics import roc_auc_score

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.features.models import tuning as feature_tuning
from PulsarCAMLib.features.models.pipeline import FeatureModel, fit_feature_model
from PulsarCAMLib.features.models.settings import CLASSIFIERS, IMBALANCE, SELECTIONS, FeatureModelSettings
from PulsarCAMLib.features.models.steps import DecorrelatedColumns, SparseColumns, VariableColumns, logistic
from PulsarCAMLib.features.models.tuning import first_steps, inner_folds


@pytest.fixture(autouse=True)
def _no_warnings_and_small_forests(monkeypatch):
    monkeypatch.setattr(feature_tuning, "TREES", 40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def names_of(count: int) -> list[str]:
    return [f"radiomics_{number:03d}" for number in range(count)]


def cohort(lesions=69, patients=39, features=500, responding=0.4, seed=0):
    """Noise: nothing tells the classes apart."""
    rng = np.random.default_rng(seed)
    owner = np.concatenate([np.arange(patients), rng.integers(0, patients, lesions - patients)])
    return rng.normal(size=(lesions, features)), (rng.random(lesions) < responding).astype(int), owner


def informative(lesions, shift=1.5, features=20, at=7, responding=0.5, seed=0):
    """One feature whose mean is ``shift`` standard deviations higher in response, so its AUC is ndtr(shift / √2)."""
    values, labels, _ = cohort(lesions, lesions, features, responding, seed)
    values[:, at] += shift * labels
    return values, labels, np.arange(lesions)


def fit(values, labels, patients, seed=0, **settings) -> FeatureModel:
    return fit_feature_model(
        values, names_of(values.shape[1]), labels, patients, FeatureModelSettings(**settings), seed
    )


def selected(model: FeatureModel) -> list[str]:
    return [each["feature"] for each in model.details["selected"]]


def test_on_noise_selection_inside_the_folds_finds_nothing_and_outside_finds_a_lot():
    inside, outside = [], []
    for seed in range(20):
        values, labels, patients = cohort(features=300, seed=seed)
        before = first_steps(FeatureModelSettings(), 0).fit(values, labels).transform(values)
        chosen = SparseColumns(3.0, most=10, balanced=True).fit(before, labels).transform(before)
        found = []
        for train, test in inner_folds(labels, patients, 2, seed)[0]:
            model = fit(values[train], labels[train], patients[train], inner_folds=2)
            peeked = logistic(1.0, balanced=True).fit(chosen[train], labels[train])
            answers = model.predict(values[test]), peeked.predict_proba(chosen[test])[:, 1]
            found.append([roc_auc_score(labels[test], answer) for answer in answers])
        for kept, auc in zip((inside, outside), np.mean(found, axis=0), strict=True):
            kept.append(auc)
    low, high = stats.t.interval(0.99, len(inside) - 1, np.mean(inside), stats.sem(inside))
    assert low < 0.5 < high < 0.6
    assert np.mean(outside) > 0.75
    assert min(outside) > 0.6


def test_a_known_feature_is_selected_and_reaches_its_auc():
    model = fit(*informative(400))
    assert selected(model)[0] == "radiomics_007"
    assert model.details["selected"][0]["weight"] > 5 * max(
        abs(f["weight"]) for f in model.details["selected"][1:] or [{"weight": 0}]
    )
    values, labels, _ = informative(4000, seed=1)
    assert roc_auc_score(labels, model.predict(values)) == pytest.approx(ndtr(1.5 / np.sqrt(2)), abs=0.02)
    assert model.details["inner_auc"] == pytest.approx(ndtr(1.5 / np.sqrt(2)), abs=0.05)


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_every_selection_goes_with_every_classifier_and_gives_probabilities(selection, classifier):
    settings = {"selection": selection, "classifier": classifier, "inner_folds": 2, "most_features": 3}
    model = fit(*informative(60, shift=3.0, features=6, at=2), **settings)
    values, labels, _ = informative(200, shift=3.0, features=6, at=2, seed=1)
    found = model.predict(values)
    assert ((found >= 0) & (found <= 1)).all()
    assert roc_auc_score(labels, found) > 0.9
    assert ((found > 0.5) == labels).mean() > 0.8
    assert "radiomics_002" in selected(model)
    assert len(selected(model)) <= (3 if selection != "none" else 6)


def test_probabilities_of_the_default_model_are_those_that_come_true():
    model = fit(*informative(600, shift=1.5, responding=0.3), imbalance="none")
    values, labels, _ = informative(6000, shift=1.5, responding=0.3, seed=1)
    found = model.predict(values)
    edges = np.quantile(found, np.linspace(0, 1, 6))
    for low, high in itertools.pairwise(edges):
        there = (found >= low) & (found <= high)
        assert found[there].mean() == pytest.approx(labels[there].mean(), abs=0.08)


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_against_imbalance_more_of_the_smaller_class_are_found_and_more_of_the_larger_missed(classifier):
    train, test = informative(150, shift=1.2, responding=0.15), informative(2000, shift=1.2, responding=0.15, seed=1)
    called = {}
    for imbalance in IMBALANCE:
        model = fit(*train, imbalance=imbalance, classifier=classifier, most_features=1, inner_folds=3)
        called[imbalance] = model.predict(test[0]) >= 0.5
    response = test[1] == 1
    for better in ("weighted", "resampled"):
        assert called[better][response].mean() > called["none"][response].mean() + 0.1
        assert called[better][~response].mean() > called["none"][~response].mean()


def test_inner_folds_hold_both_classes_on_both_sides_and_no_patient_on_both():
    _, labels, patients = cohort(lesions=50, patients=22, features=1, responding=0.2, seed=3)
    folds, reason = inner_folds(labels, patients, 5, seed=4)
    assert len(folds) >= 2
    assert reason == ""
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(50))
    for train, test in folds:
        assert not set(patients[train]) & set(patients[test])
        assert set(labels[train]) == set(labels[test]) == {0, 1}


def test_inner_answers_are_for_patients_that_were_not_learnt_from():
    # A feature that is the patient's own number tells the class of this patient's lesions, and nothing of others'.
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(30), 3)
    labels = rng.integers(0, 2, 30)[patients]
    values = (patients[:, None] == np.arange(30)).astype(float)
    model = fit(values, labels, patients, selection="none")
    assert roc_auc_score(labels, model.predict(values)) > 0.99
    assert len(np.unique(model.inner[labels == 1].round(3))) <= 5
    assert roc_auc_score(labels, model.inner) < 0.65


def test_what_is_learnt_depends_on_the_training_lesions_alone():
    values, labels, patients = informative(90, features=40)
    train, test = np.arange(60), np.arange(60, 90)
    model = fit(values[train], labels[train], patients[train])
    alone = [model.predict(values[[at]])[0] for at in test]
    np.testing.assert_allclose(model.predict(values[test]), alone, rtol=1e-12)


def test_the_same_seed_gives_the_same_model_and_another_seed_other_folds():
    data = informative(60, shift=0.7, features=40)
    models = [fit(*data, seed=seed, imbalance="resampled", inner_folds=2) for seed in (3, 3, 4)]
    answers = [model.predict(data[0]) for model in models]
    np.testing.assert_array_equal(answers[0], answers[1])
    assert models[0].details == models[1].details
    np.testing.assert_array_equal(models[0].inner, models[1].inner)
    assert not np.array_equal(models[0].inner, models[2].inner)


@pytest.mark.parametrize("selection", ["l1", "mutual-information"])
def test_the_order_of_the_columns_hardly_matters(selection):
    values, labels, patients = informative(80, features=30)
    order = np.random.default_rng(5).permutation(30)
    names = np.array(names_of(30))
    settings = FeatureModelSettings(selection=selection)
    models = [fit_feature_model(values[:, o], names[o], labels, patients, settings) for o in (np.arange(30), order)]
    new = informative(300, features=30, seed=1)[0]
    np.testing.assert_allclose(models[0].predict(new), models[1].predict(new[:, order]), atol=0.02)
    assert selected(models[0])[0] == selected(models[1])[0]


def test_gaps_constants_infinities_and_wild_scales_are_survived():
    values, labels, patients = informative(80, shift=2.5, features=9, at=4)
    values[:, 0] = 3.7
    values[:, 1] = np.nan
    values[::2, 2], values[1, 2] = np.nan, np.inf
    values[:, 3] = np.where(np.arange(80) < 79, np.nan, 1.0)
    values[:, 5] = values[:, 5] * 1e12 + 1e12
    values[:, 6] = 5e9 * (1 + 1e-13 * values[:, 6])
    values[::7, 4] = np.nan
    model = fit(values, labels, patients)
    assert model.details["left_after"]["variance"] == 4
    assert selected(model)[0] == "radiomics_004"
    assert np.isfinite(model.predict(values)).all()
    assert np.isfinite(model.predict(np.full((2, 9), np.nan))).all()


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_gives_its_share_and_says_so(label):
    values, _, patients = informative(12)
    model = fit(values, np.full(12, label), patients)
    np.testing.assert_array_equal(model.predict(values), np.full(12, float(label)))
    assert "one class" in model.details["notes"][0]
    assert np.isnan(model.inner).all()


def test_features_that_do_not_vary_give_the_share_of_response_and_say_so():
    model = fit(np.ones((8, 3)), np.array([0, 0, 0, 1] * 2), np.arange(8))
    np.testing.assert_array_equal(model.predict(np.zeros((2, 3))), [0.25, 0.25])
    assert "no feature varies" in model.details["notes"][0]


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_few_patients_get_stated_strengths_and_the_record_says_why(classifier):
    values, labels, patients = np.random.default_rng(0).normal(size=(9, 5)), np.array([1, 1] + [0] * 7), np.arange(9)
    patients[1] = 0  # both responding lesions are of one patient
    model = fit(values, labels, patients, classifier=classifier, imbalance="resampled")
    assert "too few patients" in model.details["notes"][0]
    assert model.details["inner_auc"] is None
    assert np.isnan(model.inner).all()
    assert np.isfinite(model.predict(values)).all()
    assert any("logistic regression instead" in note for note in model.details["notes"]) == (classifier == "svm")


def test_fewer_folds_are_taken_where_patients_are_few():
    values, labels, patients = informative(20, responding=0.0)
    labels[:3] = 1
    assert len(fit(values, labels, patients).details["inner_auc_by_fold"]) == 3


def test_of_features_that_go_together_the_more_related_one_or_the_first_one_stays():
    rng = np.random.default_rng(1)
    labels = np.arange(40) % 2
    base = rng.normal(size=40) + labels
    values = np.stack([base + rng.normal(size=40) * 0.3, base, rng.normal(size=40), -(base**3)], axis=1)
    assert list(DecorrelatedColumns(0.8, "first").fit(values, labels).kept_) == [0, 2]
    related = np.abs([roc_auc_score(labels, column) - 0.5 for column in values.T])
    best = int(np.argmax(related[[0, 1]]))
    assert list(DecorrelatedColumns(0.8, "related").fit(values, labels).kept_) == [best, 2]
    assert list(DecorrelatedColumns(1.0).fit(values, labels).kept_) == [0, 1, 2, 3]


def test_keeping_the_first_does_not_look_at_labels():
    values, labels, _ = informative(40, features=30)
    values[:, 1:9] = values[:, :8] + 0.1 * values[:, 1:9]
    one = DecorrelatedColumns(0.9, "first").fit(values, labels)
    other = DecorrelatedColumns(0.9, "first").fit(values, labels[::-1])
    np.testing.assert_array_equal(one.kept_, other.kept_)


def test_the_first_feature_of_the_sparse_path_enters_at_strength_one():
    values, labels, _ = informative(80, shift=0.8, responding=0.3)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    for balanced in (False, True):
        assert len(SparseColumns(1.15, balanced=balanced).fit(values, labels).kept_) == 1
        assert len(SparseColumns(20.0, balanced=balanced).fit(values, labels).kept_) == 10


def test_columns_need_enough_values_that_differ():
    values = np.array([[1, np.nan, 2, np.nan], [1, 1, 3, np.nan], [1, 2, np.nan, np.nan], [1, np.nan, 5, 1.0]])
    assert list(VariableColumns(0.5).fit(values).kept_) == [1, 2]
    assert list(VariableColumns(0.6).fit(values).kept_) == [2]


def test_settings_go_through_their_card_and_refuse_what_they_do_not_know():
    settings = FeatureModelSettings(selection="elastic-net", imbalance="resampled", seed=5)
    assert FeatureModelSettings.from_card(settings.to_card()) == settings
    assert settings.identity() != FeatureModelSettings().identity()
    for wrong in ({"selection": "best"}, {"classifier": "oracle"}, {"correlation_limit": 0}, {"inner_folds": 1}):
        with pytest.raises(InputError):
            FeatureModelSettings(**wrong)
    with pytest.raises(InputError, match="exactly these fields"):
        FeatureModelSettings.from_card({"selection": "l1"})
    with pytest.raises(InputError, match="wrong kind"):
        FeatureModelSettings.from_card(settings.to_card() | {"most_features": "ten"})
