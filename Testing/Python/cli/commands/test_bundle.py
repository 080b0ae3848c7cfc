"""``pulsarcam bundle show`` and ``pulsarcam bundle check``."""

import json
import subprocess

import pytest
from making_models import random_bundle

from PulsarCAMLib.cli import main


@pytest.fixture
def folder(tmp_path):
    performance = {"about": "on nobody", "validation": {"text": "AUC 0.500"}}
    return random_bundle(tmp_path / "random", performance=performance).folder


def test_show_prints_the_whole_card_for_people(folder, capsys):
    assert main(["bundle", "show", str(folder)]) == 0
    said = capsys.readouterr().out
    for words in ("WHAT IT IS", "3 x autoencoder-classifier", "validation: AUC 0.500.", "VERSIONS AND HASHES"):
        assert words in said
    assert json.loads((folder / "card.json").read_text())["weights"]["sha256"] in said
    assert max(map(len, said.splitlines())) <= 100


def test_the_command_that_made_it_can_be_copied_from_the_card(tmp_path, capsys):
    options = [f"--option-number-{n} {n}" for n in range(30)]
    training = {"data": "none", "command": " ".join(["pulsarcam train COHORT -o OUT", *options])}
    assert main(["bundle", "show", str(random_bundle(tmp_path / "random", training=training).folder)]) == 0
    said = capsys.readouterr().out
    begin = said.index("pulsarcam train")
    lines = said[begin:].splitlines()
    taken = [lines.pop(0)]
    while taken[-1].endswith("\\"):
        taken.append(lines.pop(0))
    assert len(taken) > 3
    printed = "printf '%s\\n' " + "\n".join(taken)
    words = subprocess.run(["sh", "-c", printed], check=True, capture_output=True, text=True).stdout.splitlines()
    assert words == training["command"].split()


def test_show_has_the_curves_of_every_member_in_short(tmp_path, capsys):
    curves = {"epoch": [1.0, 2.0], "accuracy": [0.5, 0.75], "total": [2.0, 1.5], "validation_accuracy": [None, 0.625]}
    training = {"data": "none", "curves": [curves, curves | {"total": [2.0, 1.25]}], "best_epoch": [1, 2]}
    assert main(["bundle", "show", str(random_bundle(tmp_path / "random", training=training).folder)]) == 0
    said = capsys.readouterr().out
    rows = [line.split() for line in said[said.index("member  ") :].splitlines()[:3]]
    assert rows[1] == ["1", "2", "0.750", "0.625", "1.500", "–"]
    assert rows[2] == ["2", "2", "0.750", "0.625", "1.250", "–"]


def test_show_prints_the_card_as_json(folder, capsys):
    assert main(["bundle", "show", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((folder / "card.json").read_text())


def test_check_says_that_a_bundle_is_sound_and_compares_the_probe(folder, capsys):
    assert main(["bundle", "check", str(folder)]) == 0
    assert "is sound: card, SHA-256, 3 members" in capsys.readouterr().out
    assert main(["bundle", "check", "synthetic-demo"]) == 0
    assert "answers a fixed input" in capsys.readouterr().out


def test_check_lists_every_problem_and_ends_with_the_models_exit_code(folder, capsys):
    card = json.loads((folder / "card.json").read_text())
    card["members"], card["name"] = -1, "Wrong"
    (folder / "card.json").write_text(json.dumps(card))
    assert main(["bundle", "check", str(folder)]) == 4
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3
    assert "has 3 problems, listed above; do not use it." in said.err


def test_an_unknown_model_is_one_sentence(capsys):
    assert main(["bundle", "show", "no-such"]) == 4
    assert main(["bundle", "check", "no-such"]) == 4
    assert capsys.readouterr().err.count("There is no model “no-such”") == 2
    assert main(["bundle"]) == 2


@pytest.mark.parametrize("spoil", ["weights", "nothing there"])
def test_show_and_check_say_that_weights_are_not_those_of_the_card(folder, capsys, spoil):
    weights = folder / "weights.safetensors"
    if spoil == "weights":
        held = weights.read_bytes()
        weights.write_bytes(held[:-1] + bytes([held[-1] ^ 1]))
    else:
        weights.unlink()
    assert main(["bundle", "show", str(folder)]) == 0
    said = capsys.readouterr()
    assert "WHAT IT IS" in said.out
    (line,) = said.err.splitlines()
    assert "warning: " in line
    assert main(["bundle", "check", str(folder)]) == 4
    assert line.split("warning: ")[1] in capsys.readouterr().out


@pytest.mark.parametrize("figure", [1.7, -0.1])
def test_a_figure_that_no_measurement_gives_is_refused(folder, capsys, figure):
    card = json.loads((folder / "card.json").read_text())
    card["performance"]["validation"]["metrics"] = {"auc": {"value": figure, "low": 0.4, "high": 1.2}}
    card["performance"]["against_control"] = {"auc": -0.2}
    card["protocols"] = {"text": [], "table": [{"metrics": {"accuracy": {"mean": figure}, "brier": {"mean": 1.4}}}]}
    (folder / "card.json").write_text(json.dumps(card))
    assert main(["bundle", "check", str(folder)]) == 4
    said = capsys.readouterr().out
    assert f"“performance.validation.metrics.auc.value” is {figure:g}; no AUC is below 0 or above 1." in said
    assert f"“protocols.table.metrics.accuracy.mean” is {figure:g}; no accuracy is" in said
    assert len(said.splitlines()) == 3
    assert main(["bundle", "show", str(folder)]) == 4
