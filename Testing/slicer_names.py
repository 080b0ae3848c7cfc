"""Writes Testing/slicer_names.json: the names of Slicer, CTK and Qt that the panel and the stand-in for tests use.

The names come from two larger lists, one made from the headers and one seen in a running desktop::

    python Testing/slicer_names.py slicer-api.json slicer-observed.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
QT_CLASSES = (
    "QWidget",
    "QObject",
    "QComboBox",
    "QPushButton",
    "QAbstractButton",
    "QLabel",
    "QProgressBar",
    "QTableView",
)
WIDGETS = (
    "qMRMLWidget",
    "qMRMLNodeComboBox",
    "qMRMLTableView",
    "qSlicerScriptedLoadableModuleWidget",
    "ctkCollapsibleButton",
    "ctkSliderWidget",
)
APPLICATION = ("qSlicerCoreApplication", "qSlicerApplication", "qSlicerCoreIOManager", "qSlicerModuleManager")
LAYERS = ("slicer.util", "slicer.ScriptedLoadableModule", "slicer.i18n")


def names_of(signatures) -> set[str]:
    """Bare names of C++ signatures."""
    return {s.split("(")[0].split()[-1].lstrip("*&") for s in signatures}


def from_headers(api: dict, name: str) -> set[str]:
    """What Python can reach of a class and of every class above it."""
    found: set[str] = set()
    for each in [name, *api["classes"][name]["mro"]]:
        declared = api["classes"].get(each)
        if declared:
            found |= set(declared["properties"])
            found |= names_of(declared["slots"]) | names_of(declared["signals"]) | names_of(declared["invokables"])
    return found


def trimmed(api: dict, observed: dict) -> dict:
    """The part of both lists that the tests need."""
    classes = {name: sorted(observed["qt"][name]) for name in QT_CLASSES if name in observed["qt"]}
    for name in WIDGETS + APPLICATION:
        seen = observed["slicer"].get(name) or observed["ctk"].get(name) or []
        classes[name] = sorted(from_headers(api, name) | set(seen))
    signals = {name: sorted(api["classes"][name]["signals"]) for name in WIDGETS}
    layers = {layer: sorted([*api["python"][layer]["functions"], *api["python"][layer]["classes"]]) for layer in LAYERS}
    layers["slicer.parameterNodeWrapper"] = sorted(api["python"]["slicer.parameterNodeWrapper"]["exported"])
    bases = {
        name: [b for b in api["classes"][name]["mro"] if b in classes] + ["QWidget", "QObject"] for name in WIDGETS
    }
    application = sorted(
        {*observed["objects"]["slicer.app"], *classes["qSlicerCoreApplication"], *classes["qSlicerApplication"]}
    )
    return {"classes": classes, "signals": signals, "bases": bases, "python": layers, "slicer.app": application}


if __name__ == "__main__":
    lists = [json.loads(Path(p).read_text(encoding="utf-8")) for p in sys.argv[1:3]]
    (HERE / "slicer_names.json").write_text(json.dumps(trimmed(*lists), indent=0) + "\n", encoding="utf-8")
