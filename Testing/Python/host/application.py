"""``slicer.app`` with what a desktop adds: a main window, slice views, settings, dialogs, the list of modules."""

from __future__ import annotations

from pathlib import Path

import slicer
from PySide6 import QtCore, QtWidgets

from PulsarCAMLib.scene.headless import HeadlessApplication, HeadlessModule

from .dialogs import DIALOGS
from .wrapping import wrap

_MORE_MODULES = {
    "Data": "vtkSlicerDataModuleLogic",  # removes the display and storage nodes of removed nodes
    "Markups": "vtkSlicerMarkupsLogic",
    "Plots": "vtkSlicerPlotsLogic",
}


def _make_application() -> QtWidgets.QApplication:
    """Qt's application, of which a process has one; its style is set once, for that polishes every widget there is."""
    made = QtWidgets.QApplication(["PulsarCAM"])
    made.setStyle("Fusion")  # beneath Slicer's own style
    return made


class DesktopApplication(HeadlessApplication):
    """The application of a desktop; events are processed for real, and :attr:`on_events` plays an impatient person."""

    applicationVersion = "5.12.4"
    majorVersion, minorVersion = 5, 12

    def __init__(self, scene, application_logic, modules, temporary_path: str) -> None:
        super().__init__(scene, application_logic, modules, temporary_path)
        self._testing = False
        self._on_events = None
        self._started = []
        self._application = QtWidgets.QApplication.instance() or _make_application()
        self._settings = QtCore.QSettings(str(Path(temporary_path) / "Slicer.ini"), QtCore.QSettings.IniFormat)
        QtCore.QCoreApplication.setOrganizationName("NA-MIC")
        QtCore.QCoreApplication.setApplicationName("Slicer")
        QtCore.QSettings.setDefaultFormat(QtCore.QSettings.IniFormat)
        QtCore.QSettings.setPath(QtCore.QSettings.IniFormat, QtCore.QSettings.UserScope, temporary_path)
        self._window = QtWidgets.QMainWindow()
        self._window.setObjectName("qSlicerMainWindow")
        self._layout_manager = LayoutManager(scene, application_logic)
        for name, class_name in _MORE_MODULES.items():
            logic = getattr(slicer, class_name)()
            logic.SetMRMLScene(scene)
            application_logic.SetModuleLogic(name, logic)
            setattr(modules, name.lower(), HeadlessModule(name, logic))

    def connect(self, signature: str, callback) -> bool:
        if signature == "startupCompleted()":
            self._started.append(callback)
        return True

    def disconnect(self, *_args) -> bool:
        return True

    def testingEnabled(self) -> bool:
        return self._testing

    def layoutManager(self):
        return self._layout_manager

    def topLevelWidgets(self):
        return (wrap(self._window),)

    def settings(self):
        return wrap(self._settings)

    def userSettings(self):
        return wrap(self._settings)

    def revisionUserSettings(self):
        return wrap(self._settings)

    def palette(self):
        return wrap(self._application.palette())

    def processEvents(self, *_args) -> None:
        if self._on_events is not None:
            self._on_events()
        self._application.processEvents()

    def translate(self, _context: str, text: str) -> str:
        return text

    def openUrl(self, url) -> None:
        DIALOGS.shown.append(str(url))


class LayoutManager:
    """Views as Slicer's own layout logic makes them, with real slice logics; nothing is drawn.

    Views that a layout adds fit themselves to their background when events are processed the next time.
    """

    def __init__(self, scene, application_logic) -> None:
        self._scene, self._application_logic = scene, application_logic
        self._layout = slicer.vtkMRMLLayoutLogic()
        self._layout.SetMRMLScene(scene)
        self._logics = application_logic.GetSliceLogics()
        self._slices, self._unfitted = {}, []
        self._timer = QtCore.QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._fit_new)
        node = self._layout.GetLayoutNode()
        self._tag = node.AddObserver("ModifiedEvent", lambda *_: self._add_views())
        node.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        self._add_views()
        self._fit_new()  # these views have been there since the application started

    def _add_views(self) -> None:
        for node in slicer.util.getNodesByClass("vtkMRMLSliceNode", self._scene):
            name = node.GetLayoutName()
            if name not in self._slices:
                logic = slicer.vtkMRMLSliceLogic()
                logic.SetMRMLApplicationLogic(self._application_logic)
                self._logics.AddItem(logic)
                logic.SetMRMLScene(self._scene)
                logic.SetSliceNode(node)
                logic.ResizeSliceNode(400, 400)
                self._slices[name] = SliceWidget(logic)
                self._unfitted.append(self._slices[name])
                self._timer.start(0)

    def _fit_new(self) -> None:
        self._timer.stop()
        new, self._unfitted = self._unfitted, []
        for widget in new:
            widget.fitSliceToBackground()

    def take_down(self) -> None:
        """Let go of the scene, which would otherwise call destroyed logics."""
        self._timer.stop()
        self._layout.GetLayoutNode().RemoveObserver(self._tag)
        for widget in self._slices.values():
            widget.sliceLogic().SetMRMLScene(None)
        self._logics.RemoveAllItems()
        self._layout.SetMRMLScene(None)

    def layoutLogic(self):
        return self._layout

    def sliceViewNames(self):
        return tuple(self._slices)

    def sliceWidget(self, name):
        return self._slices.get(name)

    def mrmlSliceLogics(self):
        return self._logics

    def resetSliceViews(self):
        for widget in self._slices.values():
            widget.fitSliceToBackground()

    @property
    def layout(self):
        return self._layout.GetLayoutNode().GetViewArrangement()

    @layout.setter
    def layout(self, number):
        self._layout.GetLayoutNode().SetViewArrangement(int(number))

    def setLayout(self, number):
        self.layout = number

    @property
    def threeDViewCount(self):
        return 0

    @property
    def plotViewCount(self):
        return 0

    @property
    def tableViewCount(self):
        return 0

    def plotWidget(self, _index):
        return None


class SliceWidget:
    """``qMRMLSliceWidget`` without pixels."""

    def __init__(self, logic) -> None:
        self._logic = logic

    def sliceLogic(self):
        return self._logic

    def mrmlSliceNode(self):
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self):
        return self._logic.GetSliceCompositeNode()

    def fitSliceToBackground(self):
        self._logic.FitSliceToBackground()


class ScriptedModule:
    """``slicer.modules.<name>`` of a scripted module: makes its panel when somebody asks for it."""

    def __init__(self, name: str, path: str) -> None:
        self.name = self.title = name
        self.path = path
        self._parent = None

    def widgetRepresentation(self):
        if self._parent is None:
            import qt

            self._parent = slicer.qSlicerScriptedLoadableModuleWidget()
            self._parent.setLayout(qt.QVBoxLayout())
            self._parent.setMRMLScene(slicer.mrmlScene)
            self._parent.reload()
        return self._parent

    def logic(self):
        return slicer.vtkMRMLAbstractLogic()
