"""A small desktop: real MRML from slicer-core, PySide6 under ``qt``, stand-ins for the widgets of CTK and Slicer."""

from __future__ import annotations

import importlib
import os
import sys
import types
import warnings
from pathlib import Path

from PulsarCAMLib.scene.headless import HeadlessSlicer

MODULE_FOLDER = Path(__file__).resolve().parents[3] / "PulsarCAM"
_SHOWING = ("infoDisplay", "warningDisplay", "errorDisplay", "confirmOkCancelDisplay", "confirmYesNoDisplay")


class Desktop:
    """Context with ``qt``, ``ctk`` and the Python layer of ``slicer``; the scripted module can be imported in it.

    Attributes:
        module: the module ``PulsarCAM``, freshly imported.
        widget: its panel, once :meth:`open_panel` was called.
        messages: what was shown to the person, as (function, text, detailed text).
        answers: what the person answers to questions, first to last; then Cancel.
        kept: objects that must live as long as the desktop.
    """

    def __init__(self, with_qt: bool = True) -> None:
        self._with_qt = with_qt
        self._host = HeadlessSlicer()
        self._before: dict[str, object] = {}
        self._set: dict[tuple[object, str], object] = {}
        self.module = self.widget = None
        self.messages: list[tuple[str, str, str]] = []
        self.answers: list[bool] = []
        self.kept: list = []

    def __enter__(self) -> Desktop:
        self._host.__enter__()
        self._library = _library()
        self._add_python_layer()
        self._add_qt()
        self._add_module_folder()
        return self

    def __exit__(self, *error) -> None:
        import slicer

        if self.widget is not None:
            slicer.modules.PulsarCAMWidget.cleanup()
        if self._with_qt:
            from .dialogs import DIALOGS
            from .pythonqt import forget_all

            DIALOGS.clear()
            forget_all()
            slicer.app.layoutManager().take_down()
            _destroy_widgets()
        for (owner, name), before in self._set.items():
            if before is self:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
        for name, module in self._before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
        sys.path.remove(str(MODULE_FOLDER))
        self._host.__exit__(*error)
        if sys.modules.get("PulsarCAMLib") is not self._library["PulsarCAMLib"]:  # reloaded: others hold the old one
            for name in _library():
                del sys.modules[name]
            sys.modules.update(self._library)

    def open_panel(self):
        """Build the panel as Slicer does when the user opens the module; returns the widget class's instance."""
        import slicer

        slicer.modules.pulsarcam.widgetRepresentation().enter()
        self.widget = slicer.modules.PulsarCAMWidget
        return self.widget

    def start(self) -> None:
        """Make the module object and tell it that Slicer has started."""
        import slicer

        self.module.PulsarCAM(types.SimpleNamespace())
        for callback in slicer.app._started:
            callback()

    def while_running(self, person) -> None:
        """Call this whenever the panel lets events through; None ends it."""
        import slicer

        slicer.app._on_events = person

    def in_testing_mode(self, on: bool = True) -> None:
        """As when Slicer runs with ``--testing``."""
        import slicer

        slicer.app._testing = on

    def picture(self, path: str | Path, width: int = 420, height: int | None = None) -> None:
        """Save a picture of the panel."""
        from PySide6.QtWidgets import QApplication

        from .pythonqt import unwrap

        parent = unwrap(self.widget.parent)
        parent.show()
        for _ in range(8):  # texts that wrap, sections and tables that grow need as many rounds
            needed = parent.heightForWidth(width) if parent.hasHeightForWidth() else parent.sizeHint().height()
            parent.resize(width, height or needed)
            QApplication.processEvents()
        parent.grab().save(str(path))

    def _add_module_folder(self) -> None:
        import slicer

        sys.path.insert(0, str(MODULE_FOLDER))
        self._before["PulsarCAM"] = sys.modules.pop("PulsarCAM", None)
        if self._with_qt:
            from .application import ScriptedModule

            slicer.modules.pulsarcam = ScriptedModule("PulsarCAM", str(MODULE_FOLDER / "PulsarCAM.py"))
        else:
            slicer.modules.pulsarcam = types.SimpleNamespace(path=str(MODULE_FOLDER / "PulsarCAM.py"))
        self.module = importlib.import_module("PulsarCAM")

    def _add_module(self, name: str, module: types.ModuleType) -> None:
        self._before.setdefault(name, sys.modules.get(name))
        sys.modules[name] = module

    def _add_python_layer(self) -> None:
        import slicer

        from . import parameter_node, scripted

        for name, source, members in (
            ("ScriptedLoadableModule", scripted, [n for n in dir(scripted) if n.startswith("ScriptedLoadableModule")]),
            ("i18n", scripted, ["tr", "translate"]),
            ("parameterNodeWrapper", parameter_node, parameter_node.__all__),
        ):
            made = types.ModuleType(f"slicer.{name}")
            for member in members:
                setattr(made, member, getattr(source, member))
            self._add_module(made.__name__, made)
            self._put(slicer, name, made)

    def _add_qt(self) -> None:
        qt, ctk = types.ModuleType("qt"), types.ModuleType("ctk")
        self._add_module("qt", qt)
        self._add_module("ctk", ctk)
        if not self._with_qt:
            return
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        warnings.filterwarnings("ignore", "Function: .* is marked as deprecated", DeprecationWarning)
        import slicer
        import slicer.util

        from . import ui_loader, widgets
        from .application import DesktopApplication
        from .pythonqt import class_for, find_qt

        qt.__getattr__ = find_qt
        qt.QUiLoader = ui_loader.UiLoader
        for found in widgets.CTK:
            setattr(ctk, found.__name__, class_for(found))
        for found in widgets.MRML:
            self._put(slicer, found.__name__, class_for(found))
        host = self._host
        slicer.app = DesktopApplication(host.scene, host.application_logic, slicer.modules, slicer.app.temporaryPath)
        self._put(slicer.util, "messageBox", self._answer)
        for name in _SHOWING:
            self._put(slicer.util, name, self._noting(name, getattr(slicer.util, name)))

    def _noting(self, name: str, shown):
        def note(text, *args, **keywords):
            self.messages.append((name, str(text), keywords.get("detailedText", "")))
            return shown(text, *args, **keywords)

        return note

    def _answer(self, _text, **keywords) -> int:
        """In place of a message box that waits."""
        from PySide6.QtWidgets import QMessageBox

        yes = (QMessageBox.Ok.value | QMessageBox.Yes.value | QMessageBox.Retry.value) & keywords["standardButtons"]
        return yes if self.answers and self.answers.pop(0) else QMessageBox.Cancel.value

    def _put(self, owner, name: str, value) -> None:
        self._set.setdefault((owner, name), getattr(owner, name) if name in vars(owner) else self)
        setattr(owner, name, value)


def _destroy_widgets() -> None:
    """What the application does at its end; else hundreds of widgets of each desktop live as long as the process."""
    import shiboken6
    from PySide6.QtWidgets import QApplication

    for widget in QApplication.topLevelWidgets():
        if shiboken6.isValid(widget):  # it may have belonged to one before it
            shiboken6.delete(widget)


def _library() -> dict[str, types.ModuleType]:
    return {n: m for n, m in sys.modules.items() if n == "PulsarCAMLib" or n.startswith("PulsarCAMLib.")}
