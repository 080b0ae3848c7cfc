"""Every scenario of the module's own test, on the stand-in: in Slicer the same ones run through ``PulsarCAMTest``."""

from __future__ import annotations

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from PulsarCAMScenarios import Scenarios

NAMES = [name for name in dir(Scenarios) if name.startswith("test_")]
SLOW = "resumed"
"""In the name of those that train three times."""


def scenario(name: str):
    """A parameter of the test."""
    marks = [pytest.mark.slow] if SLOW in name else []
    return pytest.param(name, marks=marks, id=name.removeprefix("test_"))


@pytest.mark.parametrize("name", [scenario(name) for name in NAMES])
def test_scenario(name, a_desktop, a_model, capsys):
    test = a_desktop.module.PulsarCAMTest(name)
    a_desktop.open_panel()
    test.setUp()
    try:
        getattr(test, name)()
    finally:
        test.tearDown()
    assert "Traceback" not in capsys.readouterr().err, "an error left a slot"
    for _, text, details in a_desktop.messages:
        assert "\n" not in text.strip(), "a person reads one sentence"
        assert not details, "what a person did is no unexpected error"


def test_the_list_of_scenarios_names_what_can_happen():
    told = " ".join(NAMES)
    words = ("cancel", "closed", "deleted", "renamed", "parameter_set", "saved", "twice", "forty", "transform")
    for word in (*words, "trained", "resumed", "outlives"):
        assert word in told, word
