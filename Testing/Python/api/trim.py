"""Writes the two lists of Slicer's names that the tests read, from the larger ones that they were cut from.

``slicer-api.json`` comes from Slicer's and CTK's headers (properties, slots, signals, Python functions with their
signatures), ``slicer-observed.json`` from ``dir()`` in a running desktop. Run, where both full lists are at hand::

    python Testing/Python/api/trim.py folder-of-the-full-lists
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
API, OBSERVED = "slicer-api.json", "slicer-observed.json"

LAYERS = {
    "slicer.util": "slicer.util",
    "slicer.packaging": "slicer.packaging",
    "slicer.ScriptedLoadableModule": "slicer.ScriptedLoadableModule",
    "slicer.i18n": "slicer.i18n",
    "slicer.testing": "slicer.testing",
    "slicer.parameterNodeWrapper": "slicer.parameterNodeWrapper",
    "SampleData": "SampleData",
    "PyTorchUtils (SlicerPyTorch extension)": "PyTorchUtils",
}
"""Entry of the full list to the name that Python imports."""

QT = """
QWidget QObject QAbstractButton QPushButton QToolButton QCheckBox QRadioButton QLabel QComboBox QLineEdit
QSpinBox QDoubleSpinBox QSlider QProgressBar QProgressDialog QGroupBox QFrame QScrollArea QTabWidget QStackedWidget
QSplitter
QTableWidget QTableWidgetItem QTreeWidget QTreeWidgetItem QListWidget QListWidgetItem QHeaderView QTextEdit QTextBrowser
QPlainTextEdit QDialog QDialogButtonBox QMessageBox QFileDialog QInputDialog QMenu QAction QActionGroup QButtonGroup
QVBoxLayout QHBoxLayout QGridLayout QFormLayout QLayout QSizePolicy QTimer QSettings QUrl QDesktopServices QFile
QUiLoader QPixmap QImage QIcon QColor QFont QSize QPoint QRect QApplication QCursor QThread QProcess QStandardItem
QStandardItemModel QTableView QTreeView QListView QPainter QToolBar QBuffer QByteArray QEvent QKeySequence QShortcut
QSpacerItem QModelIndex QItemSelectionModel QAbstractItemView QMainWindow QStatusBar QPalette QAbstractItemModel
QPen QBrush QPainterPath
"""
"""Qt classes that a panel may want; one more costs a few kilobytes."""

SLICERS_MODELS = ("qMRMLSortFilterProxyModel",)
"""Classes of Slicer's own that Python is handed by a widget and that the headers' list lacks."""

QT_NAMESPACE = (
    "AlignLeft AlignRight AlignTop AlignBottom AlignCenter AlignHCenter AlignVCenter Horizontal Vertical Checked "
    "Unchecked PartiallyChecked ItemIsUserCheckable ItemIsEnabled ItemIsSelectable ItemIsEditable UserRole DisplayRole "
    "CheckStateRole DecorationRole ToolTipRole WaitCursor ArrowCursor BusyCursor KeepAspectRatio SmoothTransformation "
    "RichText PlainText TextSelectableByMouse AscendingOrder DescendingOrder NoFocus StrongFocus TabFocus ClickFocus "
    "Key_Return Key_Enter Key_Escape Key_Space ScrollBarAlwaysOff ScrollBarAsNeeded ToolButtonTextBesideIcon "
    "ToolButtonIconOnly ToolButtonTextUnderIcon ElideRight ElideMiddle CustomContextMenu LeftButton white black "
    "DashLine"
)


def trimmed_layer(layer: dict) -> dict:
    """Functions, classes and constants of one Python module, with signatures but without texts."""
    found = {"functions": {}, "classes": {}, "constants": list(layer.get("constants", []))}
    for part in [layer, *layer.get("submodules", {}).values()]:
        functions = part.get("functions", {})
        found["functions"] |= {name: f["signature"] for name, f in functions.items()}
        found["constants"] += [name for name in part.get("constants", []) if name not in found["constants"]]
        for name, cls in part.get("classes", {}).items():
            attributes = [a.split(":")[0] for a in cls.get("attributes", []) + cls.get("instance_attributes", [])]
            found["classes"][name] = {"bases": cls["bases"], "methods": cls["methods"], "attributes": attributes}
    return found


def trimmed_class(cls: dict) -> dict:
    """What Python can reach of a Qt class of Slicer or CTK, without what it inherits."""
    properties = {name: p["type"] + ("" if p["writable"] else " const") for name, p in cls["properties"].items()}
    methods = sorted(cls["slots"] + cls["invokables"])
    enums = sorted({value for values in cls["enums"].values() for value in values})
    kept = {"properties": properties, "methods": methods, "signals": sorted(cls["signals"]), "enums": enums}
    return {key: value for key, value in kept.items() if value} | {"mro": cls["mro"], "new": cls["python_constructor"]}


def trimmed_api(api: dict) -> dict:
    """The list from the headers."""
    return {
        "about": "Made by trim.py. " + api["about"],
        "sources": api["sources"],
        "python": {name: trimmed_layer(api["python"][entry]) for entry, name in LAYERS.items()},
        "classes": {name: trimmed_class(cls) for name, cls in api["classes"].items()},
    }


def trimmed_observed(observed: dict, api: dict) -> dict:
    """The list from the desktop: Qt classes, and of Slicer's own only what the headers do not tell."""
    names = {name: set(observed["qt"][name]) for name in QT.split() if name in observed["qt"]}
    names |= {name: set(observed["slicer"][name]) for name in SLICERS_MODELS}
    bases = {name: _base_of(name, names) for name in names}
    qt = {name: sorted(found - names.get(bases[name], set())) for name, found in names.items()}
    qt["Qt"] = sorted(set(QT_NAMESPACE.split()) & set(observed["qt"]["Qt"]))
    inherited = names["QWidget"] | names["QObject"]
    extra = {}
    for module in ("ctk", "slicer"):
        for name in set(observed[module]) & set(api["classes"]):
            mro = api["classes"][name]["mro"]
            told = inherited.union(*(_names(api["classes"][c]) for c in mro if c in api["classes"]))
            told |= {n for base in mro for n in observed["qt"].get(base, ())}
            extra[name] = sorted(set(observed[module][name]) - told)
    objects = {name: sorted(set(names)) for name, names in observed["objects"].items() if name != "sliceWidget"}
    return {
        "about": "Made by trim.py. " + observed["about"],
        "all_qt": sorted(observed["qt"]),
        "qt_bases": {name: base for name, base in bases.items() if base},
        "qt": qt,
        "extra": {name: names for name, names in sorted(extra.items()) if names},
        "objects": objects,
    }


def _base_of(name: str, names: dict[str, set[str]]) -> str | None:
    """The listed class that has most of a class's names and no others: they need not be told twice."""
    inner = [other for other, found in names.items() if found < names[name] and len(found) > 7]
    return max(inner, key=lambda other: (len(names[other]), other), default=None)


def _names(cls: dict) -> set[str]:
    signatures = cls["slots"] + cls["invokables"] + cls["signals"]
    enums = {value for values in cls["enums"].values() for value in values} | set(cls["enums"])
    return set(cls["properties"]) | {s.split("(")[0].split()[-1].lstrip("*&") for s in signatures} | enums


def write(path: Path, content: dict) -> None:
    """One entry a line, so that a change can be read."""
    parts = []
    for key, value in content.items():
        if isinstance(value, dict) and key != "sources":
            rows = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            parts.append(f" {json.dumps(key)}: {{\n{rows}\n }}")
        else:
            parts.append(f" {json.dumps(key)}: {json.dumps(value)}")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def main() -> None:
    """Runs the command line."""
    source = Path(sys.argv[1])
    api = json.loads((source / API).read_text(encoding="utf-8"))
    observed = json.loads((source / OBSERVED).read_text(encoding="utf-8"))
    write(HERE / API, trimmed_api(api))
    write(HERE / OBSERVED, trimmed_observed(observed, api))


if __name__ == "__main__":
    main()
