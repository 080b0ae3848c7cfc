"""Numbers that cannot be meant are refused by name, before anything is read."""

from __future__ import annotations

import pytest

from PulsarCAMLib.cli import main


@pytest.mark.parametrize(
    ("command", "option", "text", "said"),
    [
        ("train", "--learning-rate", "nan", "'nan' is no number"),
        ("train", "--learning-rate", "-0.1", "-0.1 is not above 0"),
        ("train", "--weight-decay", "much", "'much' is no number"),
        ("train", "--dropout", "1.5", "1.5 is not a share between 0 and 1"),
        ("train", "--dropout", "x", "'x' is no number"),
        ("train", "--spacing-mm", "x", "'x' is no number"),
        ("train", "--spacing-mm", "99", "99 is neither 'native' nor between 0.05 and 20 mm"),
        ("train", "--rotations", "10,inf", "'inf' is no number"),
        ("train", "--rotations", "1e9,-45", "the rotation 1e+09 is not between -360 and 360 degrees"),
        ("train", "--rotations", "-45,0", "the rotation 0 is the original"),
        ("study", "--rotations", "-45,10,315", "the rotations -45 and 315 are the same"),
        ("train", "--seed", "99999999999999999999", "99999999999999999999 is above 2147483647"),
        ("study", "--study-seed", "4294967295", "4294967295 is above 2147483647"),
        ("train", "--filters", "100000", "100000 is above 256"),
        ("study", "--feature-maps", "65", "65 is above 64"),
        ("train", "--dense-units", "0", "0 is below 1"),
        ("train", "--percentiles", "1", "'1' is not 2 numbers, such as 1,99"),
        ("study", "--percentiles", "99,1", "99,1 does not rise between 0 and 100"),
        ("train", "--percentiles", "1,nan", "'nan' is no number"),
        ("train", "--loss-weights", "0.6,0.2,0.2", "'0.6,0.2,0.2' is not 4 numbers, such as 0.6,0.2,0.2,1"),
        ("study", "--loss-weights", "0.6,0.2,0.2,-1", "The weights of the loss must be numbers from 0 on"),
        ("train", "--loss-weights", "0,0,0,0", "The weights of the loss must be numbers from 0 on, not all of them 0"),
        ("train", "--mask-rule", "most", "invalid choice: 'most'"),
        ("train", "--lesion-size", "fill", "invalid choice: 'fill'"),
        ("study", "--answering-slice", "first", "invalid choice: 'first'"),
        ("train", "--initial-weights", "zeros", "invalid choice: 'zeros'"),
        ("train", "--reconstruct", "nothing", "invalid choice: 'nothing'"),
        ("train", "--members", "1001", "1001 is above 1000"),
        ("train", "--epochs", "1.5", "invalid whole number value: '1.5'"),
        ("study", "--gi-limit", "nan", "'nan' is no number"),
        ("study", "--shrinkage", "20%", "'20%' is no number"),
        ("agreement", "--shell-mm", "101", "101 is not between 0 and 100 mm"),
    ],
)
def test_refused_with_option_and_reason(command, option, text, said, capsys):
    assert main([command, "no.csv", "-o", "no", f"{option}={text}"]) == 2
    assert f"argument {option}: {said}" in capsys.readouterr().err


@pytest.mark.parametrize("rate", ["0", "1", "1.5", "-0.1", "nan"])
def test_an_error_rate_is_a_share_whatever_the_model(rate, capsys):
    assert main(["explain", "no.nrrd", "no.nrrd", "-o", "no", f"--error-rate={rate}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("pulsarcam explain: error: argument --error-rate: ")
    assert len(said.splitlines()) == 2, "what is wrong comes first, and one line tells where to read on"
    assert said.splitlines()[1].startswith("usage: pulsarcam explain")


def test_an_option_of_another_system_is_told_as_such(capsys):
    given = ["cohort", "make-synthetic", "-o", "no", "--system", "rano", "--lesions", "1", "1", "--rule", "dark-niche"]
    assert main(given) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == (
        "pulsarcam cohort make-synthetic: error: unrecognized arguments with --system rano: --lesions --rule"
    )
    assert "pulsarcam cohort make-synthetic --system rano --help" in second
    assert main(["models", "more"]) == 2
    assert "pulsarcam models: error: unrecognized arguments: more\n" in capsys.readouterr().err
