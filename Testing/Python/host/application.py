"""``slicer.app`` with what a desktop adds: a main window, slice views, settings, dialogs, the list of modules."""

from __future__ import annotations

from pathlib import Path

import slicer
from PySide6 import QtCore, QtWidgets

from PulsarCAMLib.scene.headless import HeadlessApplication, HeadlessModule

from .dialogs import DIALOGS
from .wrapping import wrap

SLICE_VIEWS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}
_LAYOUTS = 60
_MORE_MODULES = {"Markups": "vtkSlicerMarkupsLogic", "Plots": "vtkSlicerPlotsLogic"}


class DesktopApplication(HeadlessApplication):
    """The application of a desktop; events are processed for real, and :attr:`on_events` plays an impatient person."""

    applicationVersion = "5.12.4"
    majorVersion, minorVersion = 5, 12

    def __init__(self, scene, application_logic, modules, temporary_path: str) -> None:
        super().__init__(scene, application_logic, modules, temporary_path)
        self._testing = False
        self._on_events = None
        self._started = []
        self._application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["PulsarCAM"])
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

    def openUrl(self, url) -> None:
        DIALOGS.shown.append(str(url))


class LayoutManager:
    """Three slice views with real slice logics (nothing is drawn), and the layout's number."""

    def __init__(self, scene, application_logic) -> None:
        self._node = slicer.vtkMRMLLayoutNode()
        scene.AddNode(self._node)
        for number in range(_LAYOUTS):
            self._node.AddLayoutDescription(number, "<layout/>")
        self._node.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        self._logics = application_logic.GetSliceLogics()
        self._slices = {}
        for name, orientation in SLICE_VIEWS.items():
            logic = slicer.vtkMRMLSliceLogic()
            logic.SetMRMLApplicationLogic(application_logic)
            self._logics.AddItem(logic)
            logic.SetMRMLScene(scene)
            logic.AddSliceNode(name).SetOrientation(orientation)
            logic.ResizeSliceNode(400, 400)
            self._slices[name] = SliceWidget(logic)

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
        return self._node.GetViewArrangement()

    @layout.setter
    def layout(self, number):
        self._node.SetViewArrangement(int(number))

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
