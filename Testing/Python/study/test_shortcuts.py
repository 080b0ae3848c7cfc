"""Columns that ought to have no say: told from images and from networks, telling the class, each beside its control."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from making_files import written
from reading_reports import Page, table_of
from stranger import STRANGER

from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.study_lesions import StudyLesions
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import Cancelled, InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.outputs.study import write_study_report
from PulsarCAMLib.outputs.study.console import summary_lines
from PulsarCAMLib.outputs.study.shortcuts import lines, section
from PulsarCAMLib.study.figures.summary import summarise
from PulsarCAMLib.study.models.baselines import write_clinical
from PulsarCAMLib.study.models.learnt import KEPT
from PulsarCAMLib.study.run import open_study, run_study
from PulsarCAMLib.study.settings import StudySettings, baselines_of
from PulsarCAMLib.study.shortcuts.columns import classes_of, read_columns, write_columns
from PulsarCAMLib.study.shortcuts.probe import image_numbers, told_from
from PulsarCAMLib.study.shortcuts.tested import _dealt_out, shortcut_summary
from PulsarCAMLib.study.shortcuts.words import shortcut_sentences
from PulsarCAMLib.systems.registry import register, system_of, unregister

GRID = VolumeGeometry((6, 14, 12), (1.0, 1.0, 2.0))
CLASSES = (0, 0, 1, 2, 2, 1)
"""Small or medium at one site, large or medium at the other."""


@pytest.fixture(scope="module", autouse=True)
def stranger():
    register(STRANGER)
    yield STRANGER
    unregister(STRANGER.name)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """24 patients: one site's images have grain, and its patients other classes; a coin that says nothing."""
    folder = tmp_path_factory.mktemp("cohort")
    lines = [("patient", "flair", "size", "clinical_site", "clinical_age", "note_coin", "note_alone")]
    for n in range(24):
        rng = np.random.default_rng(n)
        rough = n % 6 > 2
        voxels = rng.normal(100, 12 if rough else 1, GRID.shape)
        voxels[2:4, 4:8, 4:8] += 200
        written(folder / f"flair{n}.nrrd", voxels.astype(np.float32), GRID)
        site = " Clinic  B" if rough else "clinic a"
        coin = "heads" if rng.random() < 0.5 else "tails"
        own = (site, 40 + n, coin, "Mr Only" if n == 3 else "others")
        lines.append((f"P{n:02d}", f"flair{n}.nrrd", STRANGER.task.names[CLASSES[n % 6]], *own))
    with (folder / "cohort.csv").open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return folder / "cohort.csv"


@pytest.fixture(scope="module")
def cohort(table):
    return read_cohort(table, STRANGER)


@pytest.fixture(scope="module")
def units(cohort):
    labels = np.array([CLASSES[n % 6] for n in range(24)])
    rows = {"baseline": np.array([row.row for row in cohort.rows]), "second": np.full(24, -1)}
    return StudyLesions(np.arange(24) + 1, labels, rows, "stranger")


@pytest.fixture(scope="module")
def settings(stranger):
    small = STRANGER.preprocessing(size=(12, 12, 12))
    training = STRANGER.training_settings(epochs=1, batch_size=8, preprocessing=small)
    own = {"models": ("stranger", "clinical"), "shortcuts": ("site", "note_coin")}
    numbers = {"trials": 3, "controls": 2, "folds": 3}
    return StudySettings(system="stranger", protocols=("patients",), training=training, **numbers, **own)


@pytest.fixture(scope="module")
def study(cohort, settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("studies") / "run"
    return run_study(cohort, label_cohort(cohort, system=STRANGER), settings, folder)


@pytest.fixture(scope="module")
def summary(study):
    return summarise(study, 100)


def test_words_of_a_column_are_its_classes_and_numbers_are_cut_at_their_median(cohort, units):
    site = classes_of(cohort, units, "site")
    assert (site.words, site.title) == (("clinic a", "clinic b"), "site")
    assert site.classes.tolist() == [int(n % 6 > 2) for n in range(24)]
    age = classes_of(cohort, units, "clinical_age")
    assert age.words == ("up to 51.5", "above 51.5")
    assert age.classes.tolist() == [0] * 12 + [1] * 12


def test_what_only_one_patient_has_is_left_out_and_written_nowhere(cohort, units, tmp_path):
    with pytest.raises(InputError, match="fewer than two values that two patients share"):
        classes_of(cohort, units, "alone")
    rows = list(cohort.rows)
    rows[0] = replace(rows[0], note={**rows[0].note, "coin": "Mr Only"})
    changed = replace(cohort, rows=tuple(rows))
    write_columns(changed, units, ("coin", "site"), tmp_path)
    assert "only" not in (tmp_path / "shortcuts.csv").read_text().lower()
    coin, site = read_columns(tmp_path, 24)
    assert (coin.classes[0], coin.words) == (-1, ("heads", "tails"))
    assert site.classes.tolist() == classes_of(cohort, units, "site").classes.tolist()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("scanner", "has no column “scanner” that could be a shortcut; it has clinical_age, clinical_site, note_alone"),
        ("size", "is the answer itself"),
        ("flair", "is no fact"),
        ("patient", "names the patient"),
    ],
)
def test_columns_that_can_be_no_shortcut_are_refused(cohort, units, name, says):
    with pytest.raises(InputError, match=says):
        classes_of(cohort, units, name)


def test_a_study_with_such_a_column_is_refused_before_any_work(cohort, settings, tmp_path):
    wrong = replace(settings, shortcuts=("size",))
    with pytest.raises(InputError, match="is the answer itself"):
        run_study(cohort, label_cohort(cohort, system=STRANGER), wrong, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match="patients that were not learnt from"):
        StudySettings(protocols=("lesions",), shortcuts=("site",))


def test_images_with_more_grain_have_other_numbers():
    rng = np.random.default_rng(0)
    smooth = np.cumsum(rng.normal(size=(2, 2, 6, 7, 8)), axis=-1)
    found = image_numbers(smooth)
    assert found.shape == (2, 2, 7 + 3 + 3 + 27)
    assert found[0, 1, 0] == pytest.approx(np.quantile(smooth[0, 1], 0.01))
    rough = image_numbers(smooth + rng.normal(0, 10, smooth.shape))
    assert (rough[..., 12] > 1.5 * found[..., 12]).all()
    assert np.isfinite(image_numbers(np.zeros((1, 1, 2, 2)))).all()


def test_a_class_is_told_from_numbers_that_hold_it_and_from_no_others():
    rng = np.random.default_rng(1)
    classes = np.arange(60) % 3
    numbers = rng.normal(size=(60, 8))
    numbers[np.arange(60), classes] += 5
    numbers[5, 7] = np.nan
    train, asked = np.arange(40), np.arange(40, 60)
    found = told_from(numbers, classes, 3, train, asked, 0)
    assert found.sum(axis=1) == pytest.approx(np.ones(20))
    assert (found.argmax(axis=1) == classes[asked]).mean() > 0.85
    assert told_from(numbers, np.zeros(60, int), 2, train, asked, 0).tolist() == [[1, 0]] * 20


def test_values_are_dealt_out_among_patients_where_patients_have_one_value_each():
    patients, rng = np.repeat(np.arange(20), 3), np.random.default_rng(0)
    classes = np.repeat(np.arange(20) % 2, 3)
    classes[-3:] = -1
    dealt = classes[_dealt_out(classes, patients, rng)]
    assert all(len(set(dealt[patients == p])) == 1 for p in range(20))
    assert (dealt != classes).any()
    assert dealt[-3:].tolist() == [-1] * 3
    within = np.arange(60) % 2
    assert len({int(v) for v in within[_dealt_out(within, patients, rng)][:3]}) == 2


def test_a_planted_shortcut_is_found_and_a_coin_is_not(study, summary):
    table = {(e["column"], e["told_from"], e["input"]): e for e in summary["shortcuts"]["table"]}
    assert set(table) == {
        (column, *rest)
        for column in ("site", "note_coin")
        for rest in (("inputs", ""), ("inputs", "flair"), ("inputs", "rtdose"), ("network", ""), ("class", ""))
    }
    site = table["site", "inputs", ""]
    assert site["balanced_accuracy"]["value"] > 0.9
    assert site["balanced_accuracy"]["low"] > 0.5 > site["control"]["balanced_accuracy"] - 0.3
    assert (site["chance"], site["units"], site["patients"], site["control"]["trials"]) == (0.5, 24, 24, 2)
    assert table["site", "inputs", "flair"]["balanced_accuracy"]["value"] > 0.9
    assert table["site", "inputs", "rtdose"]["balanced_accuracy"]["value"] < 0.8
    assert table["site", "class", ""]["balanced_accuracy"]["value"] == pytest.approx(2 / 3, abs=0.05)
    said = shortcut_sentences(summary)
    assert said[0].startswith("Site: the network may answer by it instead of by what it is asked about")
    assert "the images tell the site (balanced accuracy" in said[0].lower()
    assert "site alone tells the size" in said[0].lower()
    assert "may answer by it" not in said[1]
    assert "There are 24 patients only" in said[2]


def test_clinical_columns_alone_stand_beside_a_network_of_patients(study, summary):
    assert study.settings.baselines == ("clinical",)
    assert study.settings.feature_models == ()
    entry = next(e for e in summary["table"] if e["model"] == "clinical")
    assert entry["metrics"]["balanced_accuracy"]["mean"] > 0.5  # the site tells most of it
    assert any("clinical columns alone" in sentence for sentence in summary["sentences"]["headline"])
    assert "clinical_site=clinic b" in (study.folder / "clinical.csv").read_text()
    assert "clinical" not in baselines_of(system_of())


def test_a_table_without_clinical_columns_cannot_answer_by_them(cohort, units, tmp_path):
    bare = replace(cohort, rows=tuple(replace(row, clinical={}) for row in cohort.rows))
    with pytest.raises(InputError, match="no clinical column that could answer by itself"):
        write_clinical(bare, units, tmp_path / "clinical.csv")
    assert not list(tmp_path.iterdir())


def test_what_networks_see_is_computed_once_and_again_where_it_was_lost(study, monkeypatch):
    kept = sorted(study.folder.glob(f"trials/stranger/patients/trial-*/{KEPT}"))
    assert len(kept) == 3
    first = shortcut_summary(study, 10)
    monkeypatch.setattr(type(STRANGER), "learnt_features", lambda *_: pytest.fail("computed again"))
    assert shortcut_summary(open_study(study.folder), 10) == first
    monkeypatch.undo()
    before = kept[0].read_bytes()
    kept[0].write_bytes(b"PK damaged")
    assert shortcut_summary(open_study(study.folder), 10) == first
    assert kept[0].read_bytes()[:100] == before[:100]


def test_shortcuts_may_be_asked_for_later_and_the_work_can_be_stopped(study, cohort, settings):
    labels, trained = label_cohort(cohort, system=STRANGER), sorted(study.folder.glob("trials/**/result.json"))
    before = [path.stat().st_mtime_ns for path in trained]
    kept = sorted(study.folder.glob(f"trials/**/{KEPT}"))
    kept[-1].unlink()
    asked = iter([False] * 2 + [True] * 9)
    with pytest.raises(Cancelled):
        run_study(cohort, labels, settings, study.folder, cancelled=lambda: next(asked))
    assert not kept[-1].exists()
    run_study(cohort, labels, replace(settings, shortcuts=("site", "note_coin", "age")), study.folder)
    assert kept[-1].exists()
    assert [path.stat().st_mtime_ns for path in trained] == before
    run_study(cohort, labels, settings, study.folder)


def test_the_report_says_it_in_words_first_and_in_figures(study, summary, undrawn, tmp_path):
    page = write_study_report(study, tmp_path / "report", resamples=20)
    told = Page(page.read_text(encoding="utf-8")).text
    assert "May the network answer by a shortcut?" in told
    assert told.index("the network may answer by it") < told.index("from the image FLAIR alone")
    assert "Site, patients: clinic a 12; clinic b 12." in told
    rows = table_of(page.parent / "shortcuts.csv")
    assert {row["column"] for row in rows} == {"site", "note_coin"}
    assert [row["told"] for row in rows if row["from"] == "site"] == ["size"]
    assert "Shortcuts" in summary_lines(summary)
    plain = {name: value for name, value in summary.items() if name != "shortcuts"}
    assert (section(plain), lines(plain)) == (None, [])
