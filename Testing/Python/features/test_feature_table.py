"""Tables of features: what a cohort gives, resumed, spread, with a broken lesion, and back from a file."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from making_files import PLAIN, a_volume, two_boxes, written

from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import Cancelled, InputError
from PulsarCAMLib.features import work as feature_work
from PulsarCAMLib.features.clinical import clinical_features
from PulsarCAMLib.features.settings import FeatureSettings, GradientSettings, read_feature_settings
from PulsarCAMLib.features.table import (
    FeatureTable,
    Problem,
    compute_features,
    excluded_by_gradient_index,
    group_of,
    read_features,
    with_delta,
)
from PulsarCAMLib.features.values import NO_CHANGE_YET, NO_PAIR

HEAD = ("patient", "lesion", "time_point", "image", "segmentation", "label_value", "dose")
FAST = ("gradient", "dose", "clinical")


def a_cohort(folder: Path, seed=0):
    """Two patients with two lesions each; the first has two MRIs."""
    folder.mkdir(exist_ok=True)
    lines = [",".join((*HEAD, "clinical_age", "clinical_primary", "clinical_prescription_gy"))]
    k = np.indices(PLAIN.shape)[0]
    written(folder / "dose.nrrd", np.clip(20 - 7 * np.abs(k - 6.0), 0, None).astype(np.float32), PLAIN)
    for patient, point in (("Doe", "baseline"), ("Doe", "second"), ("Roe", "baseline")):
        stem = f"{patient}-{point}"
        written(folder / f"{stem}.nrrd", a_volume(PLAIN, seed + len(lines)), PLAIN)
        written(folder / f"{stem}-label.nrrd", two_boxes(PLAIN, 2), PLAIN)
        for lesion in (1, 2):
            lines.append(
                f"{patient},L{lesion},{point},{stem}.nrrd,{stem}-label.nrrd,{lesion},dose.nrrd,"
                f"{50 + len(patient)},{'Lung' if lesion == 1 else 'breast' if patient == 'Doe' else ''},18"
            )
    path = folder / "cohort.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_cohort(path)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return a_cohort(tmp_path_factory.mktemp("cohort") / "c")


@pytest.fixture(scope="module")
def computed(cohort, tmp_path_factory):
    return compute_features(cohort, FAST, folder=tmp_path_factory.mktemp("kept"))


@pytest.fixture
def calls(monkeypatch):
    """Counts what is computed in this process."""
    made = []
    compute = feature_work._Mri.compute

    def counted(self, group, work):
        made.append((work.row.row, group))
        return compute(self, group, work)

    monkeypatch.setattr(feature_work._Mri, "compute", counted)
    return made


def same(one: FeatureTable, two: FeatureTable) -> bool:
    keys = all(getattr(one, name) == getattr(two, name) for name in ("time_points", "names", "reasons", "problems"))
    arrays = zip((one.rows, one.lesions, one.values), (two.rows, two.lesions, two.values), strict=True)
    return keys and all(np.array_equal(a, b, equal_nan=True) for a, b in arrays)


def test_every_row_has_its_features_by_group(computed):
    assert computed.rows.tolist() == [2, 3, 4, 5, 6, 7]
    assert computed.lesions.tolist() == [0, 1, 0, 1, 2, 3]
    assert computed.time_points == ("baseline", "baseline", "second", "second", "baseline", "baseline")
    assert {group_of(name) for name in computed.names} == set(FAST)
    assert computed.problems == ()
    assert computed.column("dose_prescription").tolist() == [18.0] * 6
    assert computed.column("dose_max").tolist() == [20.0] * 6
    assert computed.column("clinical_age").tolist() == [53.0] * 6
    assert np.isfinite(computed.column("gradient_whole_radial_mean")).all()


def test_words_become_features_unless_one_patient_only_has_them(computed):
    assert [name for name in computed.names if name.startswith("clinical_primary")] == ["clinical_primary=lung"]
    assert computed.column("clinical_primary=lung").tolist()[:5] == [1, 0, 1, 0, 1]
    assert np.isnan(computed.column("clinical_primary=lung")[5])
    assert computed.reasons[7, "clinical_primary=lung"] == "the cell is empty"


def test_a_column_in_which_every_patient_has_a_word_of_his_own_is_left_out(cohort):
    rows = [
        replace(row, clinical={"name": row.patient, "kps": 80.0 if row.row == 2 else " High"}) for row in cohort.rows
    ]
    found, problems = clinical_features(rows)
    assert list(found[2]) == ["clinical_kps=high"]
    assert [problem.row for problem in problems] == [0]
    assert "clinical_name" in problems[0].sentence


def test_what_is_finished_is_never_computed_again(cohort, computed, calls, tmp_path):
    stop = iter([False, False, True])
    with pytest.raises(Cancelled):
        compute_features(cohort, FAST, folder=tmp_path, cancelled=lambda: next(stop))
    assert len(calls) == 4, "two lesions; clinical facts need no computing"
    told = []
    again = compute_features(cohort, FAST, folder=tmp_path, progress=lambda share, text: told.append(share))
    assert len(calls) == len(set(calls)) == 12
    assert told[-1] == 1.0
    assert told == sorted(told)
    assert same(again, computed)
    compute_features(cohort, ("dose",), folder=tmp_path)
    assert len(calls) == 12
    compute_features(cohort, FAST, FeatureSettings(gradient=GradientSettings(margin_mm=3)), tmp_path)
    assert len(calls) == 18, "only the group whose settings changed"


def test_a_changed_image_or_a_damaged_file_is_computed_again(tmp_path, calls):
    cohort = a_cohort(tmp_path / "c")
    first = compute_features(cohort, ("gradient",), folder=tmp_path / "kept")
    written(tmp_path / "c" / "Roe-baseline.nrrd", a_volume(PLAIN, 99), PLAIN)
    next((tmp_path / "kept").iterdir()).write_text("{")
    again = compute_features(cohort, ("gradient",), folder=tmp_path / "kept")
    assert len(calls) in (6 + 2, 6 + 2 + 1)
    assert np.array_equal(first.values[:4], again.values[:4], equal_nan=True)
    assert not np.array_equal(first.values[4:], again.values[4:], equal_nan=True)


def test_one_broken_lesion_is_listed_and_the_rest_goes_on(tmp_path, monkeypatch):
    cohort = a_cohort(tmp_path / "c")
    (tmp_path / "c" / "Doe-second.nrrd").write_bytes(b"not an image")
    rows = list(cohort.rows)
    rows[0] = replace(rows[0], label_value=7)
    rows[1] = replace(rows[1], dose=None)
    rows.append(replace(rows[4], row=8))
    rows.append(replace(rows[4], row=9, lesion="L9", image=None))
    rows.append(replace(rows[4], row=10, lesion="L10", segmentation=tmp_path / "none.nrrd"))
    found = compute_features(replace(cohort, rows=tuple(rows)), FAST, folder=tmp_path / "kept")
    listed = [(problem.row, problem.group) for problem in found.problems]
    assert listed == [
        (2, "gradient"), (2, "dose"), (4, "gradient"), (4, "dose"), (5, "gradient"), (5, "dose"),
        (8, ""), (9, ""), (10, "gradient"), (10, "dose"),
    ]  # fmt: skip
    assert all("\n" not in problem.sentence and problem.sentence.endswith(".") for problem in found.problems)
    assert str(found.problems[6]).startswith("Row 8: the same lesion at the same time point is in row 6")
    known = np.isfinite(found.column("gradient_whole_radial_mean"))
    assert known.tolist() == [False, True, False, False, True, True, False, False, False]
    assert found.reasons[3, "dose_mean"] == "no dose is given for this row"
    assert found.reasons[2, "dose_mean"] == found.reasons[4, "gradient_whole_radial_mean"]
    assert "row,feature,reason" in found.reasons_as_csv()
    lines = found.reasons_as_csv().splitlines()[1:]
    assert lines.count("3,dose_*,no dose is given for this row") == 1
    told = [(line.split(",")[0], line.split(",")[1].split("_")[0]) for line in lines]
    for row, group in listed:  # its real reason, and nothing more
        assert told.count((str(row), group or "all")) == 1
    assert len([row for row, _ in told if row in ("8", "9")]) == 2


def test_an_unexpected_fault_of_one_lesion_stops_no_other(cohort, tmp_path, monkeypatch):
    compute = feature_work._Mri.compute

    def faulty(self, group, work):
        if work.row.row == 3:
            raise ZeroDivisionError("of a library")
        return compute(self, group, work)

    monkeypatch.setattr(feature_work._Mri, "compute", faulty)
    found = compute_features(cohort, ("gradient",), folder=tmp_path)
    assert [problem.row for problem in found.problems] == [3]
    assert "ZeroDivisionError: of a library" in str(found.problems[0])


def test_nobody_is_named_in_the_folder_of_finished_lesions(cohort, tmp_path):
    compute_features(cohort, FAST, folder=tmp_path)
    files = list(tmp_path.iterdir())
    assert len(files) == 12
    for file in files:
        text = file.name + file.read_text(encoding="utf-8")
        for name in ("Doe", "Roe", "L1", ".nrrd", "cohort", "lung"):
            assert name not in text
        assert set(json.loads(file.read_text())) == {"format", "key", "values", "reasons"}


def test_rows_that_are_not_asked_for_are_neighbours_only(cohort, computed, tmp_path, calls):
    some = compute_features(cohort, ("gradient", "dose"), folder=tmp_path, only={2, 7})
    assert [row for row, _ in calls] == [2, 2, 7, 7]
    assert some.rows.tolist() == [2, 7]
    assert some.lesions.tolist() == [0, 3]
    at = [computed.names.index(name) for name in some.names]
    np.testing.assert_array_equal(some.values, computed.values[[0, 5]][:, at])


@pytest.mark.slow
def test_two_processes_give_what_one_gives(cohort, computed, tmp_path):
    assert same(compute_features(cohort, FAST, folder=tmp_path, jobs=2), computed)


def test_another_engine_of_joblib_gives_the_same(cohort, computed, tmp_path):
    from joblib import parallel_config

    with parallel_config("threading"):
        assert same(compute_features(cohort, FAST, folder=tmp_path, jobs=-1), computed)


def test_a_table_comes_back_from_its_file(computed, tmp_path):
    table = with_delta(computed)
    again = read_features(table.save(tmp_path / "features.csv"))
    assert same(replace(again, reasons=table.reasons, problems=table.problems), table)
    people = {row: (f"P{row}", "GTV, left") for row in table.rows.tolist()}
    own = table.save(tmp_path / "own.csv", people=people)
    with own.open(encoding="utf-8", newline="") as file:
        head, first, *_ = csv.reader(file)
    assert head[:5] == ["row", "patient", "lesion", "lesion_number", "time_point"]
    assert first[:5] == ["2", "P2", "GTV, left", "0", "baseline"]
    assert same(read_features(own), again)


@pytest.mark.parametrize(
    "text",
    ["", "row,time_point\n2,baseline\n", "row,lesion_number,time_point,shoe_size\n2,0,baseline,44\n",
     "row,lesion_number,time_point,dose_max\n2,0,baseline,x\n", "row,lesion_number,time_point,dose_max\n2,0,now,1\n"],
)  # fmt: skip
def test_what_is_no_table_of_features_is_refused(tmp_path, text):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InputError):
        read_features(tmp_path / "x.csv")


def a_table(**columns):
    points = ("baseline", "baseline", "second", "second", "second")
    values = np.array(list(columns.values()), dtype=float).T
    names = tuple(columns)
    return FeatureTable(np.arange(2, 7), np.array([0, 1, 0, 1, 2]), points, names, values)


def test_changes_stand_in_the_rows_of_the_second_mri():
    table = a_table(dose_mean=[10, 20, 15, 10, 5], gradient_x=[-1, 2, 3, np.nan, 4], clinical_age=[60, 61, 62, 63, 64])
    found = with_delta(table)
    assert found.names[3:] == ("delta_dose_mean", "delta_gradient_x", "delta_dose_mean_relative")
    nan = np.nan
    np.testing.assert_array_equal(found.column("delta_dose_mean"), [nan, nan, 5, -10, nan])
    np.testing.assert_array_equal(found.column("delta_dose_mean_relative"), [nan, nan, 0.5, -0.5, nan])
    np.testing.assert_array_equal(found.column("delta_gradient_x"), [nan, nan, 4, nan, nan])
    assert found.reasons[2, "delta_dose_mean"] == NO_CHANGE_YET
    assert found.reasons[6, "delta_dose_mean"] == NO_PAIR
    assert "both MRIs" in found.reasons[5, "delta_gradient_x"]
    assert group_of("delta_dose_mean_relative") == "dose"
    assert same(with_delta(found), found)


def test_changes_without_a_second_mri_are_all_unknown():
    table = a_table(dose_mean=[1, 2, 3, 4, 5])
    found = with_delta(replace(table, time_points=("baseline",) * 5))
    assert found.names == ("dose_mean", "delta_dose_mean")
    assert np.isnan(found.column("delta_dose_mean")).all()


def test_a_lesion_with_a_slow_fall_off_is_excluded_with_all_its_rows():
    table = a_table(dose_gradient_index=[3.0, 4.0, 4.5, np.nan, np.nan])
    assert excluded_by_gradient_index(table).tolist() == [True, False, True, False, False]
    assert excluded_by_gradient_index(table, limit=3.5).tolist() == [True, True, True, True, False]
    with pytest.raises(InputError, match="dose_gradient_index"):
        excluded_by_gradient_index(a_table(dose_mean=[1, 2, 3, 4, 5]))


def test_reasons_of_a_whole_group_are_said_once():
    table = a_table(dose_mean=[1] * 5, dose_max=[1] * 5, gradient_x=[1] * 5)
    reasons = {(2, "dose_mean"): "a", (2, "dose_max"): "a", (3, "dose_mean"): "a", (4, "gradient_x"): "b"}
    table = replace(table, reasons=reasons, problems=(Problem(6, "dose", "broken."),))
    assert table.reasons_as_csv().splitlines()[1:] == [
        "6,dose_*,broken.",
        "2,dose_*,a",
        "3,dose_mean,a",
        "4,gradient_x,b",
    ]


def test_settings_come_back_from_their_file_and_unknown_ones_are_refused(tmp_path):
    path = tmp_path / "settings.json"
    chosen = FeatureSettings(gradient=GradientSettings(margin_mm=3))
    path.write_text(chosen.as_json(("gradient", "dose", "radiomics")))
    assert read_feature_settings(path) == chosen
    content = json.loads(path.read_text())
    assert {"pulsarcam", "mirp"} <= set(content["versions"])
    content["settings"] = {"dose": {"thresholds_gy": [12]}}
    path.write_text(json.dumps(content))
    assert read_feature_settings(path).dose.thresholds_gy == (12.0,)
    for wrong in ({"dose": {"threshold": 1}}, {"cake": {}}, {"gradient": {"margin_mm": "x"}}, {"dose": 3}, None):
        path.write_text(json.dumps(content | {"settings": wrong}))
        with pytest.raises(InputError):
            read_feature_settings(path)


def test_unknown_groups_are_refused(cohort, tmp_path):
    with pytest.raises(InputError, match="shape"):
        compute_features(cohort, ("shape",), folder=tmp_path)
