"""The command that prints the tables of the results page."""

import json

import pytest

from PulsarCAMLib.cli import evaluate_demo as demo
from PulsarCAMLib.systems.bundles.bundle import installed_bundles

pytestmark = pytest.mark.skipif("synthetic-demo" not in installed_bundles(), reason="no bundle is shipped")

FEW = ["--patients", "6", "--resamples", "40", "--seed", "8101"]


def test_the_command_prints_tables_and_writes_the_same_numbers(tmp_path, capsys):
    assert demo.main([*FEW, "-o", str(tmp_path / "numbers.json")]) == 0
    printed = capsys.readouterr().out
    result = json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))
    assert result["synthetic"] is True
    assert demo.report(result) in printed
    assert printed.count("| Pixel-wise CAM |") == 2
    held = result["sets"]["standard"]
    assert held["patients"] == 6
    assert f"all lesions of {held['covered']} of 6 patients" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["numbers.json"]


def test_an_existing_file_is_kept(tmp_path, capsys):
    kept = tmp_path / "numbers.json"
    kept.write_text("mine")
    with pytest.raises(SystemExit):
        demo.main([*FEW, "-o", str(kept)])
    assert "exists already" in capsys.readouterr().err
    assert kept.read_text() == "mine"


def test_an_unknown_model_ends_with_one_sentence(capsys):
    assert demo.main([*FEW, "--model", "no-such-model"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_patients_the_model_was_trained_on_are_refused(capsys):
    assert demo.main(["--patients", "1", "--seed", "1000"]) == 1
    assert "trained or tuned" in capsys.readouterr().err
