"""A small desktop: real MRML from slicer-core, PySide6 under ``qt``, stand-ins for the widgets of CTK and Slicer."""

from __future__ import annotations

import importlib
import os
import sys
import types
import xml.etree.ElementTree as ET
from pathlib import Path

from PulsarCAMLib.scene.headless import HeadlessSlicer

MODULE_FOLDER = Path(__file__).resolve().parents[3] / "PulsarCAM"


class Desktop:
    """Context with ``qt``, ``ctk`` and the Python layer of ``slicer``; the scripted module can be imported in it.

    Attributes:
        module: the module ``PulsarCAM``, freshly imported.
        widget: its panel, once :meth:`open_panel` was called.
    """

    def __init__(self, with_qt: bool = True) -> None:
        self._with_qt = with_qt
        self._host = HeadlessSlicer()
        self._before: dict[str, object] = {}
        self._set: list[str] = []
        self.module = self.widget = None

    def __enter__(self) -> Desktop:
        self._host.__enter__()
        self._add_python_layer()
        self._add_qt()
        sys.path.insert(0, str(MODULE_FOLDER))
        self._before["PulsarCAM"] = sys.modules.pop("PulsarCAM", None)
        self.module = importlib.import_module("PulsarCAM")
        return self

    def __exit__(self, *error) -> None:
        import slicer

        if self.widget is not None:
            self.widget.cleanup()
        if self._with_qt:
            from .pythonqt import forget_all

            forget_all()
        for name in self._set:
            delattr(slicer, name)
        for name, module in self._before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
        sys.path.remove(str(MODULE_FOLDER))
        self._host.__exit__(*error)

    def open_panel(self):
        """Build the panel as Slicer does when the user opens the module; returns the widget class's instance."""
        import qt
        import slicer

        from .pythonqt import unwrap

        parent = slicer.qSlicerScriptedLoadableModuleWidget()
        parent.setLayout(qt.QVBoxLayout())
        parent.setMRMLScene(slicer.mrmlScene)
        self.widget = self.module.PulsarCAMWidget(parent)
        self.widget.setup()
        unwrap(parent)._entered = True
        self.widget.enter()
        return self.widget

    def picture(self, path: str | Path, width: int = 420) -> None:
        """Save a picture of the panel."""
        from .pythonqt import unwrap

        parent = unwrap(self.widget.parent)
        parent.resize(width, parent.sizeHint().height())
        parent.show()
        parent.grab().save(str(path))

    def _add_module(self, name: str, module: types.ModuleType) -> None:
        self._before.setdefault(name, sys.modules.get(name))
        sys.modules[name] = module

    def _add_python_layer(self) -> None:
        import slicer

        from . import scripted

        for name, members in {
            "ScriptedLoadableModule": [n for n in dir(scripted) if n.startswith("ScriptedLoadableModule")],
            "i18n": ["tr", "translate"],
            "parameterNodeWrapper": ["parameterNodeWrapper", "WithinRange"],
        }.items():
            made = types.ModuleType(f"slicer.{name}")
            for member in members:
                setattr(made, member, getattr(scripted, member))
            self._add_module(made.__name__, made)
            self._put(slicer, name, made)

    def _add_qt(self) -> None:
        qt, ctk = types.ModuleType("qt"), types.ModuleType("ctk")
        self._add_module("qt", qt)
        self._add_module("ctk", ctk)
        if not self._with_qt:
            return
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        import slicer
        from PySide6 import QtWidgets

        from . import widgets
        from .pythonqt import Class, find_qt, wrap

        self._application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["PulsarCAM"])
        qt.__getattr__ = find_qt
        qt.QUiLoader = UiLoader
        for found in widgets.CTK:
            setattr(ctk, found.__name__, Class(found))
        for found in widgets.MRML:
            self._put(slicer, found.__name__, Class(found))
        slicer.app.processEvents = lambda: wrap(self._application.processEvents())

    def _put(self, slicer, name: str, value) -> None:
        if not hasattr(slicer, name):
            self._set.append(name)
        setattr(slicer, name, value)


class UiLoader:
    """``qt.QUiLoader`` that knows the stand-in widgets and their MRML signals."""

    def load(self, file):
        """Build the widgets of a .ui file; scene connections are made here, because Qt does not know VTK types."""
        from PySide6.QtCore import QBuffer, QByteArray
        from PySide6.QtUiTools import QUiLoader

        from . import widgets
        from .pythonqt import unwrap, wrap

        tree = ET.fromstring(bytes(unwrap(file).readAll().data()))
        connections = tree.find("connections")
        wanted = [[c.findtext(tag) for tag in ("sender", "signal", "receiver", "slot")] for c in connections]
        tree.remove(connections)
        loader = QUiLoader()
        for found in (*widgets.CTK, *widgets.MRML):
            loader.registerCustomWidget(found)
        buffer = QBuffer()
        buffer.setData(QByteArray(ET.tostring(tree)))
        root = loader.load(buffer)
        everything = {root.objectName(): root} | {
            w.objectName(): w for w in root.findChildren(widgets.QtWidgets.QWidget)
        }
        for sender, signal, receiver, slot in wanted:
            source = everything[sender]
            name = type(source).SIGNALS[signal]
            getattr(source, name).connect(getattr(everything[receiver], slot.split("(")[0]))
        return wrap(root)
