import logging
import os
import sys
import traceback
from contextlib import contextmanager
from typing import Annotated, Union

import ctk  # noqa: F401 - the .ui file needs its widgets loaded
import vtk

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from slicer.util import VTKObservationMixin
from slicer import (
    vtkMRMLLabelMapVolumeNode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLSegmentationNode,
    vtkMRMLTableNode,
)


def useBundledLibrary(name="PulsarCAMLib"):
    """Make the support library importable: installed it lies beside this file, in a checkout one level up."""
    here = os.path.dirname(os.path.abspath(__file__))
    for folder in (here, os.path.dirname(here)):
        if os.path.isdir(os.path.join(folder, name)):
            if folder not in sys.path:
                sys.path.insert(0, folder)
            return


useBundledLibrary()

from PulsarCAMLib.desktop import choices  # noqa: E402
from PulsarCAMLib.desktop.compare.parameters import CompareParameters  # noqa: E402
from PulsarCAMLib.desktop.dose.parameters import DoseParameters  # noqa: E402
from PulsarCAMLib.desktop.painting.parameters import PaintingParameters  # noqa: E402
from PulsarCAMLib.desktop.logic import DEFAULT_MODEL, ConsoleLogic, PulsarCAMResult  # noqa: E402, F401
from PulsarCAMLib.desktop.self_test import find_scenarios  # noqa: E402
from PulsarCAMLib.desktop.train.parameters import TrainParameters  # noqa: E402

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


#
# PulsarCAM
#


class PulsarCAM(ScriptedLoadableModule):
    """Which brain metastases will not shrink, and which part of the lesion says so."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("PulsarCAM")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        self.parent.dependencies = []
        self.parent.contributors = ["PulsarCAM contributors"]
        self.parent.helpText = _(
            "Predicts from one contrast-enhanced T1 MRI which contoured brain metastases will not shrink, and shows "
            "as a heat map which part of the lesion says so. For research only. "
            'See the <a href="https://github.com/PulsarCAM/SlicerPulsarCAM#readme">documentation</a>.'
        )
        self.parent.acknowledgementText = _(
            "The autoencoder-classifier and its class activation maps follow published work; see the README."
        )
        slicer.app.connect("startupCompleted()", self.registerSampleData)

    def registerSampleData(self):
        """Offer a synthetic patient in the Sample Data module; it is generated when somebody asks for it."""
        from PulsarCAMLib.desktop.sample_data import register_sample_data

        register_sample_data(self.resourcePath(""))


#
# PulsarCAMParameterNode
#


@parameterNodeWrapper
class PulsarCAMParameterNode(TrainParameters, CompareParameters, DoseParameters, PaintingParameters):
    """The state of the panel, saved with the scene.

    inputVolume - the model's first image; others are node references, see PulsarCAMLib.desktop.inputs.images
    inputSegmentation - every segment (or label) is a lesion
    leftOutSegments - IDs of the segments that are not ticked, as a JSON list (so that a new segment is a lesion)
    parts - whether parts that do not touch are lesions of their own
    model - name of the model bundle
    method, target - names as in PulsarCAMLib.desktop.choices; one that the model does not have: its usual one
    mapInput - role of the one image whose map is shown; empty: of all together
    mapSettings - of a method that has settings, such as "block 16, fill noise"; empty: as usual
    normalisation, statistic, restrict - how the map is computed and shown
    threshold - percent of a lesion's maximum from where on a voxel belongs to its sub-region
    updateAtOnce - whether a change of these is shown without Apply
    stability - whether Apply tells how far answers move by half a voxel, where that takes no time
    heatMapVolume, spreadVolume, subRegions, lesionTable, sliceTable - outputs; none: new ones are made. These, the
        comparison's and the dose's are the chosen MRI's; those of others are references, see
        PulsarCAMLib.desktop.results.result_sets
    opacity, colorMap, legend - how the overlay looks
    exportFormat, exportHeatMap, exportSubRegions, exportTables, exportReport, exportDicom - what Export writes
    exportDicomPlace - where DICOM objects go
    train... - see TrainParameters; the comparison's - see CompareParameters; the dose's - see DoseParameters and
        PaintingParameters
    """

    inputVolume: vtkMRMLScalarVolumeNode
    # Slicer's wrapper does not know A | B, and without None nothing could be chosen.
    inputSegmentation: Union[vtkMRMLSegmentationNode, vtkMRMLLabelMapVolumeNode, None]  # noqa: UP007
    leftOutSegments: str = "[]"
    parts: choices.Parts = choices.Parts.AUTO
    model: str = DEFAULT_MODEL
    method: str = ""
    target: str = ""
    mapInput: str = ""
    mapSettings: str = ""
    normalisation: choices.Normalisation = choices.Normalisation.NONE
    statistic: choices.Statistic = choices.Statistic.MEAN
    restrict: bool = True
    threshold: Annotated[float, WithinRange(0, 100)] = 50.0
    updateAtOnce: bool = True
    stability: bool = True
    heatMapVolume: vtkMRMLScalarVolumeNode
    spreadVolume: vtkMRMLScalarVolumeNode
    subRegions: vtkMRMLSegmentationNode
    lesionTable: vtkMRMLTableNode
    sliceTable: vtkMRMLTableNode
    opacity: Annotated[float, WithinRange(0, 100)] = 50.0
    colorMap: choices.ColorMap = choices.ColorMap.AUTO
    legend: bool = True
    exportFormat: choices.ImageFormat = choices.ImageFormat.NRRD
    exportHeatMap: bool = True
    exportSubRegions: bool = True
    exportTables: bool = True
    exportReport: bool = True
    exportDicom: bool = False
    exportDicomPlace: choices.DicomPlace = choices.DicomPlace.FOLDER


#
# PulsarCAMWidget
#


class PulsarCAMWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: holds its sections together; each moves values between its controls and the logic."""

    # Its sections, see PulsarCAMLib.desktop.sections, and what they share.
    dialogs = resultCache = parameterSets = models = ownOutputs = images = fit = lesionList = apply = None
    preselect = displaySection = overlay = results = resultSets = methodViews = inputViews = None
    compare = dose = painting = exporter = train = wording = sceneWatch = None

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.sections = []
        self.isRunning = False
        self.cancelRequested = False
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self._lastSetID = ""
        self._message, self._saidFor = "", None

    def setup(self):
        """Called when the user opens the module the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        from PulsarCAMLib.desktop.scene_watch import SceneWatch
        from PulsarCAMLib.desktop.sections import make_sections

        uiWidget = slicer.util.loadUI(self.resourcePath("UI/PulsarCAM.ui"))
        for name in ("Compare", "Dose", "Train"):  # above the room that is left at the end
            section = slicer.util.loadUI(self.resourcePath(f"UI/{name}.ui"))
            uiWidget.layout().insertWidget(uiWidget.layout().count() - 1, section)
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = PulsarCAMLogic()
        self.sections = make_sections(self)
        self.sceneWatch = SceneWatch(self)
        self.initializeParameterNode()

    def cleanup(self):
        """Called when the application closes and the module widget is destroyed."""
        self.cancelRequested = True
        for section in self.sections:
            section.clean_up()
        self.setParameterNode(None)
        self.sceneWatch.removeObservers()
        self.removeObservers()

    def enter(self):
        """Called each time the user opens this module; there is a state already where the panel was just made."""
        if self._parameterNode is None:
            self.initializeParameterNode()

    def exit(self):
        """Called each time the user opens a different module."""
        if not self.isRunning:
            self.setParameterNode(None)

    def onReload(self):
        """Reload the library too, not only this file."""
        for name in [m for m in sys.modules if m == "PulsarCAMLib" or m.startswith("PulsarCAMLib.")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def forgetScene(self):
        """Called just before the scene is closed."""
        self.cancelRequested = True
        self.resultCache.forget()
        self.compare.forget_scene()
        self.dose.forget_scene()
        self.painting.forget_scene()
        self.fit.forget_answers()
        self._lastSetID = ""
        self._message = ""
        self.setParameterNode(None)
        self.ownOutputs.show_all()  # last: no parameter follows what selectors choose then

    def leaveResult(self):
        """Another MRI is chosen: what was shown of the one before goes from tables, plots and views."""
        for section in self.sections:
            section.leave()

    @property
    def state(self):
        """The parameter node in use; None while the panel is closed."""
        return self._parameterNode

    def initializeParameterNode(self):
        """Ensure that a parameter node exists and is observed: the one used last, else the module's own."""
        if self.isRunning:
            return
        last = slicer.mrmlScene.GetNodeByID(self._lastSetID) if self._lastSetID else None
        self.setParameterNode(self.logic.wrap(last) if last is not None else self.logic.getParameterNode())
        self.preselect.choose()

    def setParameterNode(self, parameterNode):
        """Observe this parameter node, and connect the controls to it; None disconnects."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.refresh)
            for section in self.sections:
                section.forget()
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._lastSetID = parameterNode.parameterNode.GetID()
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.refresh)
            self.refresh()

    def refresh(self, caller=None, event=None):
        """Show what the parameter node says wherever connectGui cannot."""
        for section in self.sections:
            if self._parameterNode is None or self.isRunning:
                return
            section.refresh()
        self.showStatus()

    def inputs(self):
        """What is explained, as the logic's explain takes it."""
        state = self._parameterNode
        return {
            "volumeNode": state.inputVolume,
            "segmentationNode": self.images.mask(),
            "segmentIDs": self.lesionList.chosen_ids(),
            "parts": state.parts.value,
            "model": state.model,
            "otherImages": self.images.chosen(),
            "mapSettings": self.displaySection.map_settings(),
        }

    def settings(self):
        """How it is shown: one value, from here to scene, export and report."""
        return self.displaySection.settings()

    def inputsKey(self):
        """Changes when a result would."""
        return self.logic.inputsKey(**self.inputs())

    def isStale(self):
        """Whether the inputs changed since the last result."""
        run = self.resultCache.of(self._parameterNode)
        return run is not None and run.key != self.inputsKey()

    def whyNoResult(self):
        """Why there is no result to change, compare or export, or an empty text."""
        if self.resultCache.of(self._parameterNode) is None:
            return _("Press Apply first: a saved scene holds maps and tables, not all that the model computed")
        return _("The inputs changed since the last result: press Apply first") if self.isStale() else ""

    def result(self):
        """The last result of this parameter set for the chosen MRI, in the nodes that are chosen now."""
        return self.resultCache.of(self._parameterNode).result

    def say(self, text):
        """Show what happened, as long as the inputs are those with which it happened."""
        self._message, self._saidFor = text, self.inputsKey() if self._parameterNode else None
        self.showStatus()

    def showStatus(self):
        """The last message, and what the user should know about the result."""
        note = ""
        if self._parameterNode and not self.isRunning:
            note = self.apply.what_is_missing() or self.displaySection.note()
            note = " ".join(filter(None, (note, self.results.whose())))
            if self._message and self._saidFor != self.inputsKey():
                self._message = ""
        self.ui.statusLabel.text = "\n".join(text for text in (self._message, note) if text)

    def showError(self, error):
        """Show an error: one sentence if it was raised on purpose, else where it came from too."""
        from PulsarCAMLib.core.errors import PulsarCAMError

        if isinstance(error, PulsarCAMError):
            error = error.told("panel")
            self.say(str(error))
            slicer.util.errorDisplay(str(error), windowTitle="PulsarCAM")
            return
        logging.error("PulsarCAM failed", exc_info=error)
        text = _("PulsarCAM met an unexpected error ({error}); the error log has the details.").format(error=error)
        self.say(text)
        details = "".join(traceback.format_exception(error))
        slicer.util.errorDisplay(text, windowTitle="PulsarCAM", detailedText=details)

    @contextmanager
    def running(self):
        """While something runs: Apply becomes Cancel, everything else waits, and no second run starts."""
        self.isRunning, self.cancelRequested = True, False
        self.apply.show_running(True)
        try:
            yield
        finally:
            self.isRunning = False
            self.apply.show_running(False)
            if not self.parent.isEntered:  # the user went to another module meanwhile
                self.setParameterNode(None)
            elif self._parameterNode:
                self.refresh()
            else:
                self.initializeParameterNode()
            self.showStatus()


#
# PulsarCAMLogic
#


class PulsarCAMLogic(ConsoleLogic, ScriptedLoadableModuleLogic):
    __doc__ = ConsoleLogic.__doc__

    requirementsPath = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Resources", "requirements.txt")

    def getParameterNode(self):
        """The state of the panel in the current scene."""
        return self.wrap(super().getParameterNode())

    def wrap(self, node):
        """The state that a ``vtkMRMLScriptedModuleNode`` holds; it becomes one of PulsarCAM's parameter sets."""
        if node.GetAttribute("ModuleName") != self.moduleName:
            node.SetAttribute("ModuleName", self.moduleName)
        return PulsarCAMParameterNode(node)


#
# PulsarCAMTest
#


class PulsarCAMTest(find_scenarios(CHECKOUT), ScriptedLoadableModuleTest):
    """The module's own test, inside Slicer and on the stand-in: what a person does with the panel."""

    def setUp(self):
        """Begin with an empty scene and an open panel."""
        self.begin()

    def tearDown(self):
        """The panel asks the person again."""
        self.end()

    def runTest(self):
        """Run all scenarios, each in an empty scene."""
        for name in [name for name in dir(self) if name.startswith("test_")]:
            self.delayDisplay(name)
            self.setUp()
            try:
                getattr(self, name)()
            finally:
                self.tearDown()
        self.delayDisplay("Test passed")
