"""``pulsarcam sanity`` on a cohort table, with models of permuted labels; on synthetic patients see
``trust/test_shipped_bundle_maps.py``."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from making_models import random_bundle

from PulsarCAMLib.cli import main
from PulsarCAMLib.cli.commands.sanity import _mask_column
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.cohort.tables.table import CohortRow
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings
from PulsarCAMLib.systems.bundles.bundle import find_card
from PulsarCAMLib.systems.registry import system_of
from PulsarCAMLib.trust.known_tissue.on_mask import MaskColumn

FEW = ("--draws", "1", "--resamples", "20", "--quiet")


@pytest.fixture(scope="module")
def cohort(synthetic_cohort):
    return synthetic_cohort(CohortSettings(patients=2, seed=8301))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    settings = TrainingSettings(epochs=30, rotations=(90.0,), batch_size=8)
    folder = tmp_path_factory.mktemp("models") / "random"
    random_bundle(folder, count=2, training={"data": "none", "settings": settings.to_card()})
    return str(folder)


def test_a_cohort_is_checked_with_permuted_labels_and_written_in_three_formats(cohort, model, tmp_path, capsys):
    files = [tmp_path / f"sanity{ending}" for ending in (".json", ".csv", ".md")]
    named = [word for path in files for word in ("-o", str(path))]
    control = ("--label-control", "1", "--label-epochs", "1")
    assert main(["sanity", model, "--cohort", str(cohort), *control, *FEW, *named]) == 0
    said = capsys.readouterr().out
    result = json.loads(files[0].read_text(encoding="utf-8"))
    assert result["synthetic"] is True
    assert result["label_control"]["models"] == 1
    assert result["label_control"]["epochs_of_the_model"] == 30
    assert {"pixelwise", "gradcam", "gradcam++", "intensity", "random"} <= set(result["maps"])
    assert "labels permuted" in result["auc"]
    assert "planted tissue" not in result["not_measured"]
    assert files[2].read_text(encoding="utf-8") == said
    assert said.startswith(f"{find_card(model).verdict.sentence}\n\nModel `")
    assert result["verdict"] == find_card(model).verdict.as_dict()
    assert "| trained on permuted labels |" in said
    with files[1].open(encoding="utf-8", newline="") as file:
        assert {row["of"] for row in csv.DictReader(file)} >= {"Grad-CAM++", "uniform (chance)", "model, as trained"}
    assert "synthetic-8301" not in files[0].read_text(encoding="utf-8"), "no patient is named"
    assert str(cohort.parent) not in files[0].read_text(encoding="utf-8")


def test_a_time_point_that_the_table_lacks_is_an_error_of_input(cohort, model, capsys):
    assert main(["sanity", model, "--cohort", str(cohort), "--time-point", "second", *FEW]) == 3
    assert "time point “second”" in capsys.readouterr().err


def test_other_endings_are_wrong_usage_and_files_are_kept(model, tmp_path, capsys):
    assert main(["sanity", model, "-o", "result.html"]) == 2
    (tmp_path / "r.json").write_text("mine")
    assert main(["sanity", model, "-o", str(tmp_path / "r.json")]) == 5
    assert (tmp_path / "r.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("system", "mask", "only", "column"),
    [
        ("rano", None, None, "tumour"),
        ("rano", "note_core", None, "note_core"),
        ("autoencoder-classifier", None, None, None),
        ("autoencoder-classifier", "segmentation", ["mask"], "segmentation"),
    ],
)
def test_the_mask_that_a_system_knows_need_not_be_named_unless_it_is_the_unit_itself(system, mask, only, column):
    options = SimpleNamespace(mask=mask, only=only, cohort="cohort.csv")
    assert _mask_column(options, system_of(system)) == column


@pytest.mark.parametrize(("mask", "cohort", "says"), [(None, "c.csv", "--mask"), ("note_core", None, "--cohort")])
def test_a_mask_that_is_missing_or_without_a_table_is_said(mask, cohort, says):
    with pytest.raises(InputError, match=says):
        _mask_column(SimpleNamespace(mask=mask, only=["mask"], cohort=cohort), system_of())


def test_a_mask_may_stand_in_a_column_of_files_of_notes_or_of_truth(tmp_path):
    row = CohortRow(2, "P", "A", segmentation=Path("s.nrrd"), label_value=3, note={"core": "c.nrrd"},
                    truth={"planted_map": "t.nrrd"}, extra={"tumour": Path("u.nrrd")})  # fmt: skip
    columns = {"segmentation": Path("s.nrrd"), "tumour": Path("u.nrrd"), "note_core": tmp_path / "c.nrrd",
               "truth_planted_map": tmp_path / "t.nrrd"}  # fmt: skip
    for column, path in columns.items():
        assert MaskColumn(column, tmp_path).place(row).path == path
    assert MaskColumn("segmentation", tmp_path).place(row).label_value == 3
    assert MaskColumn("note_rim", tmp_path).place(row) is None


def test_synthetic_patients_may_be_of_another_rule(capsys):
    from argparse import Namespace

    from PulsarCAMLib.cli.commands.sanity import _Generated
    from PulsarCAMLib.systems.bundles.bundle import find_bundle

    assert main(["sanity", "synthetic-demo", "--rule", "colour"]) == 2
    capsys.readouterr()
    made = _Generated(Namespace(patients=1, seed=8201, rule="missing-rim"), find_bundle("synthetic-demo"), None)
    assert made.cohort.rule == "missing-rim"
    assert "in whom a missing part of the enhancing rim decides" in made.about["on"]
