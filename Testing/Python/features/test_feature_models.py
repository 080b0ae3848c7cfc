"""Feature models in a study: what they read, what they may look at, whom they answer for."""

from __future__ import annotations

import csv
import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from PulsarCAMLib.cohort.study_lesions import StudyLesions
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.features.models.data import lesion_features
from PulsarCAMLib.features.models.model import FeatureStudyModel, feature_study_models
from PulsarCAMLib.features.models.settings import FeatureModelSettings
from PulsarCAMLib.training.study_models import TrialTask

LESIONS = 40
LABELS = np.arange(LESIONS) % 2
PATIENTS = np.arange(LESIONS) // 2 + 1
TRAIN, TEST = np.arange(30), np.arange(30, LESIONS)
QUICK = FeatureModelSettings(inner_folds=2)
NO_SECOND = (33, 34)


def columns() -> dict[tuple[str, str], np.ndarray]:
    """(time point, feature) to ``[L]``. Radiomics tells on both MRIs, its change tells most; gradients tell nothing."""
    rng = np.random.default_rng(1)
    found = {}
    for point in ("baseline", "second"):
        found |= {(point, f"radiomics_{n}"): rng.normal(size=LESIONS) for n in range(8)}
        found |= {(point, f"gradient_{n}"): rng.normal(size=LESIONS) for n in range(3)}
        found[point, "radiomics_3"] += 3 * LABELS
        found[point, "dose_mean_gy"] = rng.normal(size=LESIONS)
        found[point, "dose_gradient_index"] = np.where(np.isin(np.arange(LESIONS), (2, 5, 31)), 4.5, 3.0)
    found["second", "delta_radiomics_1"] = rng.normal(size=LESIONS) + 6 * LABELS
    found["baseline", "delta_radiomics_1"] = np.full(LESIONS, np.nan)
    return found


def written(folder: Path, table=None, order=None) -> tuple[Path, Path]:
    """``features.csv`` and ``lesions.csv``; second MRIs stand in rows 101, 102, ... of the cohort table."""
    table = table or columns()
    names = order or list(dict.fromkeys(name for _, name in table))
    lesions = np.arange(LESIONS)
    second = np.where(np.isin(lesions, NO_SECOND), -1, 101 + lesions)
    rows = {"baseline": lesions + 2, "second": second}
    features, listed = folder / "features.csv", folder / "lesions.csv"
    listed.write_text(StudyLesions(PATIENTS, LABELS, rows).to_csv(), encoding="utf-8")
    with features.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "lesion_number", "time_point", *names])
        for point in ("second", "baseline"):
            for lesion in np.flatnonzero(rows[point] >= 0):
                values = [table[point, name][lesion] for name in names]
                shown = ["" if np.isnan(value) else repr(float(value)) for value in values]
                writer.writerow([rows[point][lesion], lesion, point, *shown])
    return features, listed


@pytest.fixture
def files(tmp_path) -> tuple[Path, Path]:
    return written(tmp_path)


def study_model(files, name="radiomics", **more) -> FeatureStudyModel:
    return feature_study_models([name], *files, settings=QUICK, **more)[0]


def task(train=TRAIN, labels=LABELS, asked=(("baseline", TEST), ("second", TEST)), seed=0) -> TrialTask:
    return TrialTask(train, labels, PATIENTS, asked, seed, Path("unused"))


def test_it_learns_on_the_first_mri_and_answers_on_both(files):
    fitted = study_model(files).fit_predict(task())
    first, second = fitted.probabilities
    assert roc_auc_score(LABELS[TEST], first) > 0.9
    there = ~np.isin(TEST, NO_SECOND)
    assert np.isnan(second[~there]).all()
    assert roc_auc_score(LABELS[TEST][there], second[there]) > 0.9
    assert fitted.details["selected"][0]["feature"] == "radiomics_3"
    assert fitted.details["not_answered"] == [0, 2]
    assert json.loads(json.dumps(fitted.details, allow_nan=False)) == fitted.details


def test_inner_answers_are_of_the_training_lesions(files):
    inner = study_model(files).fit_predict(task()).inner
    np.testing.assert_array_equal(inner.lesions, TRAIN)
    assert roc_auc_score(LABELS[TRAIN], inner.probabilities) > 0.9


def test_gradients_that_tell_nothing_predict_nothing_and_groups_keep_apart(files):
    fitted = study_model(files, "gradients").fit_predict(task())
    assert all(each["feature"].startswith("gradient_") for each in fitted.details["selected"])
    assert fitted.details["features_by_group"] == {"gradient": 3}
    assert study_model(files, "combined").fit_predict(task()).details["features_by_group"] == {
        "radiomics": 8,
        "gradient": 3,
        "dose": 2,
        "clinical": 0,
    }


def test_delta_models_learn_from_and_answer_for_the_second_mri_only(files):
    model = study_model(files, "radiomics+delta")
    assert model.time_points == ("second",)
    fitted = model.fit_predict(task(asked=(("second", TEST),)))
    assert fitted.details["selected"][0]["feature"] == "delta_radiomics_1"
    assert np.isnan(fitted.probabilities[0][np.isin(TEST, NO_SECOND)]).all()
    assert fitted.details["features"] == 9
    assert study_model(files).time_points == ("baseline", "second")


def test_lesions_above_the_limit_of_the_gradient_index_neither_teach_nor_get_answers(files, tmp_path):
    limited = study_model(files, gi_limit=4.0)
    fitted = limited.fit_predict(task())
    assert fitted.details["lesions"] == 28
    assert fitted.details["above_gi_limit"] == {"training": 2, "asked": [1, 1]}
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(fitted.probabilities[0])), [1])
    table = columns()
    for name in ("radiomics_3", "radiomics_5"):
        table["baseline", name][[2, 5]] = 1000.0
    (tmp_path / "other").mkdir()
    other = study_model(written(tmp_path / "other", table), gi_limit=4.0).fit_predict(task())
    np.testing.assert_array_equal(other.probabilities[0], fitted.probabilities[0])


def test_a_gradient_index_that_is_not_known_excludes_nobody(tmp_path):
    table = columns()
    for point in ("baseline", "second"):
        table[point, "dose_gradient_index"][:] = np.nan
    fitted = study_model(written(tmp_path, table), gi_limit=4.0).fit_predict(task())
    assert fitted.details["above_gi_limit"] == {"training": 0, "asked": [0, 0]}


def test_the_very_mris_that_were_learnt_from_get_no_answer(files):
    everybody = np.arange(LESIONS)
    asked = (("baseline", everybody), ("second", everybody))
    first, second = study_model(files).fit_predict(task(train=TRAIN, asked=asked)).probabilities
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(first)), TRAIN)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(second)), NO_SECOND)
    delta = study_model(files, "radiomics+delta").fit_predict(task(train=everybody, asked=asked[1:]))
    assert np.isnan(delta.probabilities[0]).all()
    assert delta.details["asked_though_learnt_from"] == [LESIONS]


def test_labels_and_features_of_test_lesions_do_not_change_the_model(files, tmp_path):
    before = study_model(files).fit_predict(task(asked=(("baseline", TEST[:1]),)))
    labels = LABELS.copy()
    labels[TEST] = 1 - labels[TEST]
    table = columns()
    for name in (name for point, name in table if point == "baseline"):
        table["baseline", name][TEST[1:]] = 1e6
        table["second", name][:] = -1e6
    (tmp_path / "other").mkdir()
    after = study_model(written(tmp_path / "other", table)).fit_predict(
        task(labels=labels, asked=(("baseline", TEST[:1]),))
    )
    assert before.details == after.details
    np.testing.assert_array_equal(before.probabilities[0], after.probabilities[0])
    np.testing.assert_array_equal(before.inner.probabilities, after.inner.probabilities)


def test_labels_of_training_lesions_do(files):
    labels = LABELS.copy()
    labels[TRAIN] = np.random.default_rng(0).permutation(labels[TRAIN])
    one, other = (study_model(files).fit_predict(task(labels=each)).probabilities[0] for each in (LABELS, labels))
    assert not np.allclose(one, other)


def test_the_order_of_the_columns_in_the_file_changes_nothing(files, tmp_path):
    names = sorted({name for _, name in columns()}, reverse=True)
    (tmp_path / "other").mkdir()
    other = written(tmp_path / "other", order=names)
    one, two = (study_model(each, "combined").fit_predict(task()) for each in (files, other))
    np.testing.assert_array_equal(one.probabilities[0], two.probabilities[0])


def test_asking_about_nobody_or_in_another_order_is_answered_so(files):
    fitted = study_model(files).fit_predict(
        task(asked=(("baseline", TEST), ("baseline", TEST[::-1]), ("second", TEST[:0])))
    )
    np.testing.assert_array_equal(fitted.probabilities[0][::-1], fitted.probabilities[1])
    assert fitted.probabilities[2].shape == (0,)


def test_training_lesions_without_features_or_of_one_class_end_in_a_stated_answer(files):
    none = study_model(files, "radiomics+delta").fit_predict(task(train=np.array(NO_SECOND), asked=(("second", TEST),)))
    assert np.isnan(none.probabilities[0]).all()
    one = study_model(files).fit_predict(task(train=TRAIN[::2]))
    np.testing.assert_array_equal(one.probabilities[0], np.zeros(len(TEST)))
    for fitted in (none, one):
        assert "so every lesion gets their share" in fitted.details["notes"][0]
        json.dumps(fitted.details, allow_nan=False)


def test_the_identity_follows_content_and_choices_and_not_the_place(files, tmp_path):
    own = study_model(files).identity()
    (tmp_path / "copy").mkdir()
    assert study_model(written(tmp_path / "copy")).identity() == own
    table = columns()
    table["second", "dose_mean_gy"][7] += 1e-9
    (tmp_path / "elsewhere").mkdir()
    assert study_model(written(tmp_path / "elsewhere", table)).identity() == own, "other models may join later"
    table["second", "radiomics_2"][7] += 1e-9
    (tmp_path / "changed").mkdir()
    others = [
        study_model(written(tmp_path / "changed", table)),
        study_model(files, "gradients"),
        study_model(files, "radiomics+delta"),
        study_model(files, gi_limit=4.0),
        replace(study_model(files), settings=FeatureModelSettings(inner_folds=3)),
    ]
    assert len({own, *(each.identity() for each in others)}) == 6


def test_a_file_that_was_written_anew_is_read_anew(files, tmp_path):
    before = lesion_features(*files)
    assert lesion_features(*files) is before
    own = study_model(files).identity()
    table = columns()
    table["baseline", "radiomics_0"][0] = 123.0
    written(tmp_path, table)
    assert lesion_features(*files).values["baseline"][0, before.names.index("radiomics_0")] == 123.0
    assert study_model(files).identity() != own


def test_it_travels_to_another_process(files):
    here = study_model(files, "radiomics+dose", gi_limit=4.0)
    there = pickle.loads(pickle.dumps(here))
    assert there == here
    assert there.identity() == here.identity()
    np.testing.assert_array_equal(there.fit_predict(task()).probabilities[0], here.fit_predict(task()).probabilities[0])


def test_names_say_groups_titles_and_what_is_not_known(files):
    found = feature_study_models(["radiomics", "gradients", "dosiomics", "combined", "clinical+dose+delta"], *files)
    assert [each.groups for each in found] == [
        ("radiomics",),
        ("gradient",),
        ("dose", "clinical"),
        ("radiomics", "gradient", "dose", "clinical"),
        ("dose", "clinical"),
    ]
    assert [each.delta for each in found] == [False] * 4 + [True]
    assert found[2].title == "Dose and clinical columns"
    assert all(each.about.endswith(".") for each in found)
    assert feature_study_models(["radiomics+delta"], *files)[0].title == "Radiomics and their change to the second MRI"
    for wrong in ("texture", "delta", "radiomics+x", ""):
        with pytest.raises(InputError, match="no feature model"):
            feature_study_models([wrong], *files)
    with pytest.raises(InputError, match="Groups of features"):
        FeatureStudyModel("mine", *files, groups=("texture",))


def test_what_cannot_be_learnt_from_is_refused_before_the_work(files, tmp_path):
    study_model(files).check()
    with pytest.raises(InputError, match="no column of clinical"):
        study_model(files, "clinical").check()
    with pytest.raises(InputError, match="how they changed"):
        study_model(files, "gradients+delta").check()
    (tmp_path / "bare").mkdir()
    bare = written(tmp_path / "bare", {key: value for key, value in columns().items() if "dose" not in key[1]})
    with pytest.raises(InputError, match="dose_gradient_index"):
        study_model(bare, gi_limit=4.0).check()
    files[0].write_text("row,lesion_number,time_point,radiomics_1\n2,0,baseline,much\n", encoding="utf-8")
    with pytest.raises(InputError, match="no number"):
        study_model(files).check()
    files[0].unlink()
    with pytest.raises(InputError, match="missing"):
        study_model(files).identity()
