"""A system that nobody knows (3D, three classes, no lesion) from the table over its training to maps of a case."""

import csv
import io
import json

import numpy as np
import pytest
from making_files import files_in, written
from stranger import STRANGER

from PulsarCAMLib.cli import main
from PulsarCAMLib.cohort.checks import check_cohort
from PulsarCAMLib.cohort.findings import errors_in
from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.tables.table import read_cohort, save_cohort_table
from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.explanation.explain import explain_case
from PulsarCAMLib.systems.bundles.bundle import load_bundle
from PulsarCAMLib.systems.learning.plain_settings import PlainSettings
from PulsarCAMLib.systems.registry import register, settings_from_card, unregister
from PulsarCAMLib.training.units.cohort_cases import cohort_cases, inputs_digest, usable_rows
from PulsarCAMLib.training.units.samples import MOST_NAMED, collect_samples, told_once

GRID = VolumeGeometry((8, 20, 18), (1.0, 1.0, 2.0), (5.0, -7.0, 3.0))
DOSE_GRID = VolumeGeometry((6, 12, 12), (2.0, 2.0, 3.0), (2.0, -9.0, 2.0))
QUICK = ("--system", "stranger", "--epochs", "3", "--batch-size", "4", "--learning-rate", "0.02", "--protocols", "none")


@pytest.fixture(autouse=True)
def stranger():
    register(STRANGER)
    yield STRANGER
    unregister(STRANGER.name)


def brain(label, seed):
    """What is bright is larger, the larger the class."""
    voxels = np.random.default_rng(seed).normal(100, 5, GRID.shape)
    voxels[2:6, 4 : 8 + 4 * label, 4 : 8 + 3 * label] += 200
    return voxels.astype(np.float32)


def rows_of(folder, count=18):
    rows = []
    for n in range(count):
        written(folder / f"flair{n}.nrrd", brain(n % 3, n), GRID)
        row = {"patient": f"P{n:02d}", "flair": f"flair{n}.nrrd", "size": STRANGER.task.names[n % 3]}
        if n % 4:
            dose = np.random.default_rng(n).uniform(1, 20, DOSE_GRID.shape).astype(np.float32)
            written(folder / f"dose{n}.nrrd", dose, DOSE_GRID)
            row["rtdose"] = f"dose{n}.nrrd"
        rows.append(row)
    rows[0]["size"] = "0"
    return rows


def table_of(folder, rows, name="cohort.csv"):
    text = io.StringIO()
    table = csv.DictWriter(text, ["patient", "flair", "rtdose", "size"])
    table.writeheader()
    table.writerows(rows)
    (folder / name).write_text(text.getvalue())
    return folder / name


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stranger")
    return table_of(folder, rows_of(folder))


@pytest.fixture(scope="module")
def bundle(cohort, tmp_path_factory):
    register(STRANGER)
    out = tmp_path_factory.mktemp("model") / "sizes"
    assert main(["train", str(cohort), "-o", str(out), "--members", "2", "--quiet", *QUICK]) == 0
    return load_bundle(out)


def found(folder, change, **options):
    rows = [dict(row) for row in csv.DictReader((folder / "cohort.csv").open())]
    change(rows)
    return check_cohort(read_cohort(table_of(folder, rows, "changed.csv"), STRANGER), system=STRANGER, **options)


def test_a_good_table_is_read_checked_and_labelled(cohort, capsys):
    table = read_cohort(cohort, STRANGER)
    assert table.rows[1].value("flair") == cohort.parent / "flair1.nrrd"
    assert check_cohort(table, system=STRANGER) == []
    assert [label.response for label in label_cohort(table, system=STRANGER)] == [0, 1, 2] * 6
    assert main(["cohort", "check", str(cohort), "--system", "stranger", "--quiet"]) == 0
    assert main(["cohort", "check", str(cohort), "--system", "stranger"]) == 0
    assert "18 patients in 18 rows: no errors, no warnings." in capsys.readouterr().out
    again = save_cohort_table(table, cohort.parent / "again.csv", overwrite=True)
    assert [row.extra for row in read_cohort(again, STRANGER).rows] == [row.extra for row in table.rows]


@pytest.mark.parametrize(
    ("change", "kind", "what"),
    [
        (lambda rows: rows[2].update(flair=""), "missing value", "The column flair is empty"),
        (lambda rows: rows[2].update(flair="gone.nrrd"), "missing file", "gone.nrrd (flair)"),
        (lambda rows: rows[2].update(size="huge"), "unreadable cell", "“huge” in the column size cannot be read"),
        (lambda rows: rows[2].update(size="3"), "unreadable cell", "“3” in the column size"),
        (lambda rows: rows[2].update(size=""), "no label", "The patient has no size"),
        (lambda rows: rows[2].update(flair="flair1.nrrd"), "patients mixed", "The flair is that of another patient"),
        (lambda rows: rows[2].update(patient="P01"), "duplicate lesion", "MRI of this patient is in row 3 already"),
        (lambda rows: rows[1].update(rtdose="cohort.csv"), "unusable image", "cohort.csv"),
        (lambda rows: [row.update(size="small") for row in rows], "one class only", "All patients with a known size"),
        (lambda rows: [row.update(size="") for row in rows], "nothing to learn", "No patient has a known size"),
        (lambda rows: [row.update(flair="") for row in rows], "no images", "The table names no image"),
    ],
)
def test_what_is_wrong_is_found(cohort, change, kind, what):
    assert any(each.kind == kind and what in each.what for each in found(cohort.parent, change))


def test_labels_may_be_numbers_and_a_missing_dose_is_no_error(cohort):
    def change(rows):
        for row in rows:
            row.update(rtdose="", size=str(STRANGER.task.names.index(row["size"]) if row["size"] != "0" else 0))

    assert errors_in(found(cohort.parent, change)) == []


def test_what_is_missing_of_many_patients_is_one_sentence_with_their_number(cohort):
    table = read_cohort(cohort, STRANGER)
    rows = usable_rows(table, label_cohort(table, system=STRANGER), system=STRANGER)
    told = []
    collect_samples(cohort_cases(rows, system=STRANGER), STRANGER, STRANGER.training_settings(), told.append)
    assert all(sentence.startswith("“P") for sentence in told)
    no_dose = [sentence for sentence in told if "no planned dose" in sentence]
    assert len(no_dose) == 5
    said = "“P00”, “P04”, “P08” and 2 more: there is no planned dose; the model answers without it."
    assert [sentence for sentence in told_once(told) if "no planned dose" in sentence] == [said]
    assert told_once(no_dose[:MOST_NAMED]) == no_dose[:MOST_NAMED]
    assert told_once([*no_dose, "“P01”: it is flat."]) == [said, "“P01”: it is flat."]


def test_warnings_that_differ_in_their_numbers_are_told_once():
    told = [f"“P{n}”: It hardly lies there (correlation 0.{60 + n}), so look." for n in range(6)]
    (said,) = told_once(told)
    assert said.startswith("“P0”, “P1”, “P2” and 3 more: It hardly lies there (correlation 0.60), so look.")
    assert said.endswith("(Numbers are of the first.)")
    assert told_once(told[:MOST_NAMED]) == told[:MOST_NAMED]


def test_every_image_is_read_once_and_a_missing_dose_is_absent(cohort, monkeypatch):
    table = read_cohort(cohort, STRANGER)
    rows = usable_rows(table, label_cohort(table, system=STRANGER), system=STRANGER)
    units = list(cohort_cases(rows, system=STRANGER))
    assert [unit.label for unit in units] == [0, 1, 2] * 6
    assert [sorted(unit.case.images) for unit in units[:2]] == [["flair"], ["flair", "rtdose"]]
    assert units[1].case.images["rtdose"].geometry.same_grid(DOSE_GRID)
    assert units[3].name == units[3].patient == "P03"
    fewer = [(row, label) for row, label in rows if row.patient != "P01"]
    assert inputs_digest(rows, STRANGER) != inputs_digest(fewer, STRANGER)


def test_settings_come_back_from_their_card_and_decide_the_identity():
    settings = STRANGER.training_settings(epochs=3, seed=4)
    again = settings_from_card(json.loads(json.dumps(settings.to_card())))
    assert isinstance(again, PlainSettings)
    assert again == settings
    assert again.identity() == settings.identity() != settings.with_seed(5).identity()
    with pytest.raises(InputError):
        settings_from_card({**settings.to_card(), "surprise": 1})


def test_the_card_tells_three_classes_and_no_word_of_another_system(bundle):
    card = bundle.card
    assert card.system is STRANGER
    told = {**card.fields, "performance": card.fields["performance"]["validation"]["text"]}
    assert "respon" not in json.dumps(told)
    assert card.fields["classes"] == ["small", "medium", "large"]
    assert card.fields["training"]["counts"]["training"]["classes"].keys() == {"small", "medium", "large"}
    assert set(card.fields["training"]["size_from"]) == {"typed"}
    assert "patients (" in card.fields["training"]["data"]
    assert "set aside for validation" in card.fields["training"]["data"]
    measured = card.fields["performance"]["validation"]
    assert 0 <= measured["metrics"]["balanced_accuracy"]["value"] <= 1
    assert np.shape(measured["confusion"]) == (3, 3)
    assert card.fields["probe"]["logits"]
    assert np.shape(card.fields["probe"]["logits"]) == (2, 3, 3)


def test_an_interrupted_training_is_resumed_to_the_same_weights(bundle, cohort, tmp_path, monkeypatch):
    from PulsarCAMLib.systems.learning.plain_learner import PlainLearner

    out, steps, real = tmp_path / "sizes", [], PlainLearner.backward

    def interrupted(self, index):
        steps.append(1)
        if len(steps) == 15:
            raise KeyboardInterrupt
        return real(self, index)

    command = ["train", str(cohort), "-o", str(out), "--members", "2", *QUICK]
    with monkeypatch.context() as patch:
        patch.setattr(PlainLearner, "backward", interrupted)
        assert main(command) == 130
    assert main([*command, "--resume"]) == 0
    assert load_bundle(out).card.sha256 == bundle.card.sha256
    assert files_in(tmp_path) == ["sizes/card.json", "sizes/weights.safetensors"]


def test_members_side_by_side_are_those_one_after_another(bundle, cohort, tmp_path):
    out = tmp_path / "sizes"
    assert main(["train", str(cohort), "-o", str(out), "--members", "2", "--jobs", "2", "--quiet", *QUICK]) == 0
    assert load_bundle(out).card.sha256 == bundle.card.sha256


def test_it_explains_a_case_and_its_maps_lie_on_the_image(bundle):
    case = Case({"flair": Image(brain(2, 99), GRID)}, reference="flair")
    result = explain_case(case, bundle)
    assert any("there is no planned dose" in sentence for sentence in result.warnings)
    (unit,) = result.units
    assert unit.class_probabilities.shape == (3, 2, 1)
    assert unit.class_probabilities.sum(axis=0) == pytest.approx(1)
    assert result.heat_map("saliency", "large").shape == GRID.shape
    with pytest.raises(InputError, match="The FLAIR is missing"):
        explain_case(Case({"rtdose": Image(brain(2, 99), GRID)}, reference="rtdose"), bundle)


def test_it_is_judged_on_models_trained_in_the_same_way(cohort, few_resamples, undrawn, tmp_path):
    out = tmp_path / "sizes"
    more = ("--members", "1", "--epochs", "1", "--protocols", "patients", "--trials", "1", "--controls", "1", "--quiet")
    assert main(["train", str(cohort), "-o", str(out), *QUICK, *more]) == 0
    protocols = load_bundle(out).card.fields["protocols"]
    assert protocols["text"]
    assert "respon" not in " ".join(protocols["text"])
    assert (tmp_path / "sizes.report" / "index.html").is_file()


def test_options_of_another_network_are_refused(cohort, tmp_path, capsys):
    command = ["train", str(cohort), "-o", str(tmp_path / "x"), *QUICK, "--filters", "4", "--mode", "sequential"]
    assert main(command) == 3
    assert "The system stranger has no --filters, --mode; leave it out." in capsys.readouterr().err
    assert main(["train", str(cohort), "-o", str(tmp_path / "x"), "--system", "nobody"]) == 4


def test_the_installed_model_is_listed(bundle, monkeypatch, capsys):
    monkeypatch.setenv("PULSARCAM_MODELS", str(bundle.folder.parent))
    assert main(["models"]) == 0
    assert "sizes" in capsys.readouterr().out
    assert main(["bundle", "show", str(bundle.folder)]) == 0
    assert main(["bundle", "check", str(bundle.folder)]) == 0


def test_a_class_that_is_called_by_a_number_is_meant_by_its_name():
    from dataclasses import replace

    from PulsarCAMLib.cohort.labels.given import class_number
    from PulsarCAMLib.cohort.tables.cells import Unreadable

    grades = replace(
        STRANGER.task,
        classes=tuple(replace(each, name=name) for each, name in zip(STRANGER.task.classes, "210", strict=True)),
        positive="2",
        explained="2",
    )
    assert [class_number(text, grades) for text in ("2", "1", "0")] == [0, 1, 2]
    with pytest.raises(Unreadable, match="2 or 1 or 0"):
        class_number("3", grades)


@pytest.mark.parametrize("given", [{"name": "output"}, {"name": "a b"}, {"name": "patient"}, {"kind": "weird"}])
def test_an_input_that_would_take_an_options_name_is_refused(given):
    from PulsarCAMLib.core.inputs import InputRole

    with pytest.raises(ValueError, match="small letters"):
        InputRole(**{"name": "t1", "title": "T1"} | given)
