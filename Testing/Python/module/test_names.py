"""Every name of Slicer, CTK and Qt that panel and stand-in use exists in the real application."""

from __future__ import annotations

import ast
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NAMES = json.loads((ROOT / "Testing" / "slicer_names.json").read_text(encoding="utf-8"))
TREE = ast.parse((ROOT / "PulsarCAM" / "PulsarCAM.py").read_text(encoding="utf-8"))
UI = ET.parse(ROOT / "PulsarCAM" / "Resources" / "UI" / "PulsarCAM.ui").getroot()
WIDGETS = {w.get("name"): w.get("class") for w in UI.iter("widget")}
QT_BASES = {
    "QPushButton": ["QAbstractButton", "QWidget", "QObject"],
    "QComboBox": ["QWidget", "QObject"],
    "QLabel": ["QWidget", "QObject"],
    "QProgressBar": ["QWidget", "QObject"],
}
PYTHONQT = {"connect", "disconnect", "className", "inherits", "property", "setProperty", "blockSignals"}


def names_of(kind: str) -> set[str]:
    """All that Python can reach of a widget class."""
    found = set(NAMES["classes"].get(kind, ())) | PYTHONQT
    for base in NAMES["bases"].get(kind, QT_BASES.get(kind, [])):
        found |= set(NAMES["classes"].get(base, ()))
    return found


def chains() -> set[tuple[str, ...]]:
    """Attribute chains of the module file, such as ("slicer", "util", "loadUI")."""
    found = set()
    for node in ast.walk(TREE):
        parts, at = [], node
        while isinstance(at, ast.Attribute):
            parts.insert(0, at.attr)
            at = at.value
        if isinstance(at, ast.Name) and parts:
            found.add((at.id, *parts))
    return found


def test_every_function_of_slicers_python_layer_exists():
    for chain in chains():
        if chain[:2] == ("slicer", "util") and len(chain) > 2:
            assert chain[2] in NAMES["python"]["slicer.util"], chain
        if chain[:2] == ("slicer", "app") and len(chain) > 2:
            assert chain[2] in NAMES["slicer.app"], chain
    for node in ast.walk(TREE):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("slicer."):
            for alias in node.names:
                assert alias.name in NAMES["python"][node.module], (node.module, alias.name)


def test_every_mrml_name_exists():
    slicer = pytest.importorskip("slicer", reason="the slicer-core package is not installed")
    for chain in chains():
        if chain[0] == "slicer" and chain[1].startswith("vtk"):
            assert hasattr(slicer, chain[1]), chain
        if chain[:2] == ("slicer", "mrmlScene") and len(chain) > 2:
            assert hasattr(slicer.vtkMRMLScene, chain[2]), chain


def test_every_attribute_of_a_control_exists():
    used = [chain for chain in chains() if chain[:2] == ("self", "ui") and len(chain) > 2]
    assert len(used) > 10
    for chain in used:
        assert chain[2] in WIDGETS, f"no control named {chain[2]}"
        if len(chain) > 3:
            assert chain[3] in names_of(WIDGETS[chain[2]]), chain


def test_every_property_and_connection_of_the_ui_file_exists():
    for widget in UI.iter("widget"):
        if not names_of(widget.get("class")) - PYTHONQT:
            continue  # a class of Qt whose names are not listed
        for prop in widget.findall("property"):
            if prop.get("name") != "SlicerParameterName":
                assert prop.get("name") in names_of(widget.get("class")), (widget.get("name"), prop.get("name"))
    for connection in UI.iter("connection"):
        sender = WIDGETS[connection.findtext("sender")]
        signal = connection.findtext("signal")
        assert any(signal.split("(")[0] in s for s in NAMES["signals"][sender]), signal
        receiver = WIDGETS[connection.findtext("receiver")]
        assert connection.findtext("slot").split("(")[0] in names_of(receiver)


def test_parameters_bound_in_the_ui_file_exist_in_the_parameter_node():
    cls = next(n for n in ast.walk(TREE) if isinstance(n, ast.ClassDef) and n.name == "PulsarCAMParameterNode")
    declared = {n.target.id for n in cls.body if isinstance(n, ast.AnnAssign)}
    bound = {p.findtext("string") for p in UI.iter("property") if p.get("name") == "SlicerParameterName"}
    assert bound <= declared
    assert declared - bound == {"model", "leftOutSegments"}


def test_the_stand_in_offers_no_name_that_the_real_widgets_lack():
    pytest.importorskip("PySide6", reason="PySide6 is not installed")
    from host import widgets

    for kind in (*widgets.CTK, *widgets.MRML):
        offered = {n for n in vars(kind) if not n.startswith("_") and not n.isupper()} - set(
            getattr(kind, "HIDDEN", ())
        )
        events = {n for n in offered if n.endswith("Event") or n in ("sizeHint", "minimumSizeHint", "staticMetaObject")}
        assert offered - events <= names_of(kind.__name__), kind.__name__


def test_the_headless_application_offers_no_name_that_slicer_lacks():
    pytest.importorskip("slicer", reason="the slicer-core package is not installed")
    from PulsarCAMLib.scene.headless import HeadlessApplication
    from PulsarCAMLib.scene.headless_files import IOManager

    offered = {n for n in vars(HeadlessApplication) if not n.startswith("_")}
    assert offered <= set(NAMES["slicer.app"]) | set(NAMES["classes"]["qSlicerModuleManager"])
    assert {n for n in vars(IOManager) if not n.startswith("_")} <= set(NAMES["classes"]["qSlicerCoreIOManager"])
