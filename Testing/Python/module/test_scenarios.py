"""The module's own scenarios on the desktop stand-in; the same ones run inside Slicer."""

from __future__ import annotations

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")
pytest.importorskip("torch", reason="PyTorch is not installed")

import ast
from pathlib import Path

import PulsarCAMLib

SOURCE = Path(PulsarCAMLib.__file__).parent / "desktop" / "scenarios.py"
NAMES = sorted(
    node.name
    for node in ast.walk(ast.parse(SOURCE.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
)


@pytest.mark.parametrize("name", NAMES)
def test_scenario(name, a_desktop, a_model):
    test = a_desktop.module.PulsarCAMTest()
    test.setUp()
    getattr(test, name)()
