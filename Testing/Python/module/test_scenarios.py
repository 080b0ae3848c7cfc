"""Every scenario of the module's own test, on the stand-in: in Slicer the same ones run through ``PulsarCAMTest``.

As there, they share one panel: what a scenario leaves behind is the next one's trouble.
"""

from __future__ import annotations

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from host.desktop import Desktop
from PulsarCAMScenarios import Scenarios

NAMES = [name for name in dir(Scenarios) if name.startswith("test_")]
SLOW = "resumed"
"""In the name of those that train three times."""


def scenario(name: str):
    """A parameter of the test."""
    marks = [pytest.mark.slow] if SLOW in name else []
    return pytest.param(name, marks=marks, id=name.removeprefix("test_"))


@pytest.fixture(scope="module")
def one_desktop():
    """A desktop with an open panel, for one scenario after the other."""
    with Desktop() as desktop:
        desktop.open_panel()
        yield desktop


@pytest.mark.parametrize("name", [scenario(name) for name in NAMES])
def test_scenario(name, one_desktop, a_model, capsys):
    one_desktop.messages.clear()
    test = one_desktop.module.PulsarCAMTest(name)
    test.setUp()
    try:
        getattr(test, name)()
    finally:
        test.tearDown()
    assert "Traceback" not in capsys.readouterr().err, "an error left a slot"
    for _, text, details in one_desktop.messages:
        assert "\n" not in text.strip(), "a person reads one sentence"
        assert not details, "what a person did is no unexpected error"


def test_the_list_of_scenarios_names_what_can_happen():
    told = " ".join(NAMES)
    words = ("cancel", "closed", "deleted", "renamed", "parameter_set", "saved", "twice", "forty", "transform")
    for word in (*words, "trained", "resumed", "outlives"):
        assert word in told, word
