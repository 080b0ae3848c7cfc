"""The process: help, usage, models, demo, interruption."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from making_files import a_scan, files_in
from making_models import random_bundle

from PulsarCAMLib.cli import main


def test_help_shows_examples_exit_codes_and_needs_no_heavy_import():
    code = (
        "import sys; from PulsarCAMLib.cli import main; main(['explain', '--help']);"
        "print('heavy:', [m for m in ('torch', 'numpy', 'SimpleITK', 'matplotlib', 'slicer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "examples:" in done.stdout
    assert "exit codes: 0 done" in done.stdout
    assert "heavy: []" in done.stdout


def test_wrong_usage_ends_with_two(capsys):
    assert main([]) == 2
    assert main(["explain", "only-one"]) == 2
    assert "usage: pulsarcam" in capsys.readouterr().err
    assert main(["--version"]) == 0


def test_the_module_runs_as_a_program_and_a_kill_leaves_nothing(tmp_path, model):
    volume, labels = a_scan(tmp_path)
    before = files_in(tmp_path)
    code = (
        "import sys, time; from PulsarCAMLib.cli import main; import PulsarCAMLib.outputs.tables as f;"
        "f.write_table = lambda *a: (print('writing', flush=True), time.sleep(60));"
        f"sys.exit(main(['explain', {str(volume)!r}, {str(labels)!r}, '-o', {str(tmp_path / 'out')!r},"
        f"'--model', {model!r}]))"
    )
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "writing\n"
    assert len(files_in(tmp_path)) > len(before)
    running.send_signal(signal.SIGTERM)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err == "pulsarcam: error: interrupted; nothing was written.\n"
    assert files_in(tmp_path) == before


def test_models_lists_the_cards(tmp_path, monkeypatch, capsys):
    measured = {"about": "on nobody", "prediction": {"standard": {"auc": 0.5, "text": "AUC 0.500"}}}
    random_bundle(tmp_path / "random", performance=measured)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "card.json").write_text("{}")
    monkeypatch.setenv("PULSARCAM_MODELS", str(tmp_path))
    assert main(["models"]) == 0
    said = capsys.readouterr()
    assert "Random weights for tests 1 (trained on SYNTHETIC lesions, not for patients)" in said.out
    assert "on nobody; standard: AUC 0.500" in said.out
    assert "Model “broken” is not usable" in said.err


def test_the_demo_explains_a_generated_scan_and_says_where_to_look(tmp_path, pulsarcam):
    out = tmp_path / "demo"
    code, said, _ = pulsarcam("demo", "-o", out, "--no-scene")
    assert code == 0
    assert "Where to look:" in said
    assert "truth" in said
    assert len(list((out / "result" / "pictures").glob("*.png"))) == 4
    assert (out / "scan" / "mri.nrrd").is_file()
    told = [line.split("  ")[1] for line in said.split("Where to look:")[1].strip("\n").splitlines()]
    assert len(told) == 4
    assert all(Path(each.strip()).exists() for each in told)
    assert pulsarcam("demo", "-o", out, "--no-scene", "--seed", "5")[0] == 5, "an earlier demo is not replaced unasked"
    again = ("--no-scene", "--seed", "5", "--overwrite")
    pytest.importorskip("highdicom", reason="highdicom (extra dicom) is not installed")
    code, said, _ = pulsarcam("demo", "-o", out, *again, "--dicom")
    assert code == 0, "an earlier demo is replaced when asked for"
    assert "structure set 1 (RTSTRUCT, 4 structures)  A      series 1 (refers to it)" in said
    assert len(list((out / "scan" / "dicom").rglob("*.dcm"))) > 20
    assert len(list((out / "result" / "dicom").glob("*.dcm"))) == 6


def test_the_demo_never_replaces_a_folder_of_somebody_else(tmp_path, pulsarcam):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "mine.txt").write_text("x")
    code, _, err = pulsarcam("demo", "-o", tmp_path / "demo")
    assert (code, files_in(tmp_path)) == (5, ["demo/mine.txt"])
    assert "never replaced" in err


def test_the_demo_explains_real_images_too(shared_data, tmp_path, pulsarcam):
    code, said, _ = pulsarcam("demo", "-o", tmp_path / "demo", "--no-scene", "--images", shared_data)
    assert code == 0
    assert "t1c_brain1:" in said
    assert (tmp_path / "demo" / "t1c_brain1" / "lesions.csv").is_file()


@pytest.mark.parametrize("arguments", [["--margin-mm", "-1"], ["--threads", "0"], ["--labels", "a,b"]])
def test_numbers_out_of_range_are_wrong_usage(arguments, capsys):
    assert main(["explain", "a", "b", "-o", "c", *arguments]) == 2
    assert "error: argument" in capsys.readouterr().err
