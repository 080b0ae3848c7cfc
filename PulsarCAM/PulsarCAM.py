import logging
import os
import sys
from dataclasses import dataclass, field
from typing import Annotated, Union
from collections.abc import Callable, Sequence

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

from PulsarCAMLib.desktop.choices import ColorMap, ImageFormat, Method, Normalisation, Parts, Statistic, Target  # noqa: E402

DEFAULT_MODEL = "synthetic-demo"
OVERLAY_OPACITY = 0.5


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
class PulsarCAMParameterNode:
    """The state of the panel, saved with the scene.

    inputVolume - contrast-enhanced T1 MRI
    inputSegmentation - every segment (or label) is a lesion
    leftOutSegments - IDs of the segments that are not ticked, as a JSON list (so that a new segment is a lesion)
    parts - whether parts that do not touch are lesions of their own
    model - name of the model bundle
    method, target, normalisation, statistic, restrict - how the map is computed and shown
    threshold - percent of a lesion's maximum from where on a voxel belongs to its sub-region
    updateAtOnce - whether a change of these is shown without Apply
    heatMapVolume, spreadVolume, subRegions, lesionTable, sliceTable - outputs; none: new ones are made
    opacity, colorMap, legend - how the overlay looks
    exportFormat, exportHeatMap, exportSubRegions, exportTables, exportReport - what Export writes
    """

    inputVolume: vtkMRMLScalarVolumeNode
    # Slicer's wrapper does not know A | B, and without None nothing could be chosen.
    inputSegmentation: Union[vtkMRMLSegmentationNode, vtkMRMLLabelMapVolumeNode, None]  # noqa: UP007
    leftOutSegments: str = "[]"
    parts: Parts = Parts.AUTO
    model: str = DEFAULT_MODEL
    method: Method = Method.PIXELWISE
    target: Target = Target.NON_RESPONSE
    normalisation: Normalisation = Normalisation.NONE
    statistic: Statistic = Statistic.MEAN
    restrict: bool = True
    threshold: Annotated[float, WithinRange(0, 100)] = 50.0
    updateAtOnce: bool = True
    heatMapVolume: vtkMRMLScalarVolumeNode
    spreadVolume: vtkMRMLScalarVolumeNode
    subRegions: vtkMRMLSegmentationNode
    lesionTable: vtkMRMLTableNode
    sliceTable: vtkMRMLTableNode
    opacity: Annotated[float, WithinRange(0, 100)] = 50.0
    colorMap: ColorMap = ColorMap.AUTO
    legend: bool = False
    exportFormat: ImageFormat = ImageFormat.NRRD
    exportHeatMap: bool = True
    exportSubRegions: bool = True
    exportTables: bool = True
    exportReport: bool = True


#
# PulsarCAMWidget
#


class PulsarCAMWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: moves values between its controls and the logic, nothing else."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self._running = False
        self._cancelRequested = False
        self._shownModel = None

    def setup(self):
        """Called when the user opens the module the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/PulsarCAM.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = PulsarCAMLogic()

        self.ui.modelComboBox.addItems(self.logic.modelNames())
        self.ui.progressBar.visible = False
        self.ui.resultsCollapsibleButton.enabled = False

        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.applyButton.connect("clicked(bool)", self.onApplyButton)
        self.ui.modelComboBox.connect("currentTextChanged(QString)", self.onModelChanged)
        self.initializeParameterNode()

    def cleanup(self):
        """Called when the application closes and the module widget is destroyed."""
        self._cancelRequested = True
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self):
        """Called each time the user opens this module."""
        self.initializeParameterNode()

    def exit(self):
        """Called each time the user opens a different module."""
        self.setParameterNode(None)

    def onReload(self):
        """Reload the library too, not only this file."""
        for name in [m for m in sys.modules if m == "PulsarCAMLib" or m.startswith("PulsarCAMLib.")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller, event):
        """Called just before the scene is closed."""
        self._cancelRequested = True
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        """Called just after the scene is closed."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Ensure the parameter node exists and is observed."""
        if self._running:
            return
        self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.inputVolume:
            firstVolumeNode = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
            if firstVolumeNode and not firstVolumeNode.IsA("vtkMRMLLabelMapVolumeNode"):
                self._parameterNode.inputVolume = firstVolumeNode

    def setParameterNode(self, parameterNode):
        """Observe this parameter node, and connect the controls to it; None disconnects."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateFromParameterNode)
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateFromParameterNode)
            self.updateFromParameterNode()

    def updateFromParameterNode(self, caller=None, event=None):
        """What connectGui cannot do: the model, the table of results, whether Apply can be pressed."""
        if not self._parameterNode or self._running:
            return
        self.updateModel(self._parameterNode.model)
        table = self._parameterNode.lesionTable
        self.ui.resultsCollapsibleButton.enabled = table is not None
        missing = self.whatIsMissing()
        self.ui.applyButton.enabled = not missing
        self.ui.applyButton.toolTip = missing or _("Predict and explain every lesion")

    def whatIsMissing(self):
        """Why Apply cannot be pressed, or an empty text."""
        if not self._parameterNode or not self._parameterNode.inputVolume:
            return _("Choose the MRI first")
        if not self._parameterNode.inputSegmentation:
            return _("Choose the segmentation of the lesions first")
        if not self.ui.modelComboBox.count:
            return _("No model is installed")
        return ""

    def updateModel(self, name):
        """Show the chosen model and where it comes from."""
        index = self.ui.modelComboBox.findText(name)
        if index >= 0 and index != self.ui.modelComboBox.currentIndex:
            wasBlocked = self.ui.modelComboBox.blockSignals(True)
            self.ui.modelComboBox.currentIndex = index
            self.ui.modelComboBox.blockSignals(wasBlocked)
        if name != self._shownModel:
            self._shownModel = name
            self.ui.modelOriginLabel.text = self.logic.modelOrigin(name)

    def onModelChanged(self, name):
        """The user chose another model."""
        if self._parameterNode and name:
            self._parameterNode.model = name

    def onApplyButton(self, checked=False):
        """Run, or, while it runs, cancel."""
        if self._running:
            self._cancelRequested = True
            self.ui.statusLabel.text = _("Stopping...")
            self.ui.applyButton.enabled = False
            return
        self.setRunning(True)
        try:
            with slicer.util.tryWithErrorDisplay(_("PulsarCAM could not explain this scan."), waitCursor=False):
                self.explain()
        except Exception:  # shown above; an exception that leaves a slot only prints a traceback
            logging.debug("PulsarCAM stopped", exc_info=True)
        finally:
            self.setRunning(False)

    def explain(self):
        """Run the logic with what the panel shows, then show the result."""
        from PulsarCAMLib.errors import Cancelled, PulsarCAMError

        state = self._parameterNode
        try:
            result = self.logic.explain(
                state.inputVolume,
                state.inputSegmentation,
                model=state.model,
                method=state.method.value,
                target=state.target.value,
                normalisation=state.normalisation.value,
                threshold=state.threshold / 100,
                heatMapNode=state.heatMapVolume,
                spreadNode=state.spreadVolume,
                subRegionsNode=state.subRegions,
                lesionTableNode=state.lesionTable,
                sliceTableNode=state.sliceTable,
                progress=self.onProgress,
                cancelled=lambda: self._cancelRequested,
            )
        except Cancelled:
            self.ui.statusLabel.text = _("Stopped; the scene is as it was.")
            return
        except PulsarCAMError as error:
            self.ui.statusLabel.text = str(error)
            raise
        state.heatMapVolume = result.heatMapNode
        state.spreadVolume = result.spreadNode
        state.subRegions = result.subRegionsNode
        state.lesionTable = result.lesionTableNode
        state.sliceTable = result.sliceTableNode
        slicer.util.setSliceViewerLayers(
            background=state.inputVolume, foreground=result.heatMapNode, foregroundOpacity=OVERLAY_OPACITY
        )
        done = _("{count} lesions explained.").format(count=len(result.scanResult.lesions))
        self.ui.statusLabel.text = "\n".join([done, *result.warnings])

    def onProgress(self, fraction, text):
        """Show progress, and let the user press Cancel."""
        self.ui.progressBar.value = int(100 * fraction)
        self.ui.statusLabel.text = text
        slicer.app.processEvents()

    def setRunning(self, running):
        """Switch between ready and running: Apply becomes Cancel, everything else waits."""
        self._running = running
        self._cancelRequested = False
        for name in ("inputsCollapsibleButton", "explanationCollapsibleButton", "outputsCollapsibleButton"):
            getattr(self.ui, name).enabled = not running
        self.ui.progressBar.visible = running
        self.ui.progressBar.value = 0
        self.ui.applyButton.text = _("Cancel") if running else _("Apply")
        self.ui.applyButton.enabled = True
        self.ui.applyButton.toolTip = _("Stop; the scene stays as it was") if running else ""
        if not running and self._parameterNode:
            self.updateFromParameterNode()


#
# PulsarCAMLogic
#


@dataclass
class PulsarCAMResult:
    """What :meth:`PulsarCAMLogic.explain` made; nodes that were not asked for are None."""

    heatMapNode: vtkMRMLScalarVolumeNode | None = None
    spreadNode: vtkMRMLScalarVolumeNode | None = None
    subRegionsNode: vtkMRMLSegmentationNode | None = None
    lesionTableNode: vtkMRMLTableNode | None = None
    sliceTableNode: vtkMRMLTableNode | None = None
    scanResult: object = None
    warnings: tuple = field(default_factory=tuple)


class PulsarCAMLogic(ScriptedLoadableModuleLogic):
    """Everything the panel does, for scripts:

    .. code-block:: python

        import PulsarCAM
        logic = PulsarCAM.PulsarCAMLogic()
        result = logic.explain(volumeNode, segmentationNode)
    """

    def getParameterNode(self):
        """The state of the panel in the current scene."""
        return PulsarCAMParameterNode(super().getParameterNode())

    def modelNames(self) -> list:
        """Names of the installed model bundles, the one that comes with PulsarCAM first."""
        from PulsarCAMLib.models import installed_bundles

        return sorted(installed_bundles(), key=lambda name: (name != DEFAULT_MODEL, name))

    def modelOrigin(self, name: str) -> str:
        """One line that says what the model was trained on and that it is for research only."""
        from PulsarCAMLib.errors import PulsarCAMError
        from PulsarCAMLib.models import find_bundle

        try:
            card = find_bundle(name).card
        except PulsarCAMError as error:
            return str(error)
        if card.synthetic:
            text = _("{title}: trained on synthetic lesions. Research use only, not for patients.")
            return text.format(title=card.title)
        return _("{title}. Research use only.").format(title=card.title)

    def explain(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        segmentationNode: vtkMRMLSegmentationNode | vtkMRMLLabelMapVolumeNode,
        segmentIDs: Sequence[str] | None = None,
        model: str = DEFAULT_MODEL,
        method: str = "pixelwise",
        target: str = "non-response",
        normalisation: str = "none",
        threshold: float = 0.5,
        parts: str = "auto",
        heatMapNode: vtkMRMLScalarVolumeNode | None = None,
        spreadNode: vtkMRMLScalarVolumeNode | None = None,
        subRegionsNode: vtkMRMLSegmentationNode | None = None,
        lesionTableNode: vtkMRMLTableNode | None = None,
        sliceTableNode: vtkMRMLTableNode | None = None,
        progress: Callable[[float, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> PulsarCAMResult:
        """Predict the response of every lesion and explain it in the geometry of the MRI.

        :param volumeNode: contrast-enhanced T1 MRI.
        :param segmentationNode: segmentation (every segment is a lesion) or label map.
        :param segmentIDs: only these segments (IDs), or, for a label map, these label values.
        :param model: name of an installed model bundle, or the path of its folder.
        :param method: "pixelwise", "gradcam", "gradcam++", or a variant such as "pixelwise-signed".
        :param target: "non-response", "response" or "predicted".
        :param normalisation: "none" (raw values), "lesion" or "scan".
        :param threshold: share of a lesion's maximum (0..1) from where on a voxel belongs to its sub-region.
        :param parts: "auto", "together" or "separate": whether unconnected parts are lesions of their own.
        :param heatMapNode: write into this node; None makes a new one. Likewise the other nodes.
        :param progress: called with a fraction (0..1) and a text.
        :param cancelled: asked often; True stops the work.
        :raises PulsarCAMLib.errors.PulsarCAMError: one sentence for the user; the scene is then as it was.
        """
        from PulsarCAMLib.explanation import Threshold
        from PulsarCAMLib.scene.request import OutputNodes, Request
        from PulsarCAMLib.scene.run import explain_nodes

        made = explain_nodes(
            volumeNode,
            segmentationNode,
            model=model,
            request=Request(
                method=method, target=target, normalisation=normalisation, threshold=Threshold("fraction", threshold)
            ),
            nodes=OutputNodes(heatMapNode, spreadNode, subRegionsNode, lesionTableNode, sliceTableNode),
            segment_ids=segmentIDs,
            parts=parts,
            progress=progress,
            cancelled=cancelled,
        )
        nodes = made.nodes
        return PulsarCAMResult(
            heatMapNode=nodes.heat_map,
            spreadNode=nodes.spread,
            subRegionsNode=nodes.sub_regions,
            lesionTableNode=nodes.lesion_table,
            sliceTableNode=nodes.slice_table,
            scanResult=made.result,
            warnings=made.warnings,
        )


#
# PulsarCAMTest
#


class PulsarCAMTest(ScriptedLoadableModuleTest):
    """The module's own test, inside Slicer and on the stand-in."""

    def setUp(self):
        """Begin with an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """Run all scenarios."""
        self.setUp()
        self.test_ExplainsTwoLesions()

    def test_ExplainsTwoLesions(self):
        """Two segments on a made MRI give a heat map on its grid, within the lesions."""
        import numpy as np

        self.delayDisplay("Two lesions on a made MRI")
        values = np.random.default_rng(0).normal(300, 50, (10, 80, 80)).astype(np.int16)
        ijkToRAS = np.array([[0.8, 0, 0, -30], [0, 0.8, 0, -30], [0, 0, 3, -15], [0, 0, 0, 1]])
        volumeNode = slicer.util.addVolumeFromArray(values, ijkToRAS=ijkToRAS, name="MRI")
        segmentationNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "GTVs")
        segmentationNode.CreateDefaultDisplayNodes()
        segmentationNode.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        masks = np.zeros((2, *values.shape), dtype=np.uint8)
        masks[0, 3:6, 20:32, 20:34] = 1
        masks[1, 5:8, 50:60, 50:62] = 1
        for mask in masks:
            segmentID = segmentationNode.GetSegmentation().AddEmptySegment()
            slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentationNode, segmentID, volumeNode)
        result = PulsarCAMLogic().explain(volumeNode, segmentationNode)
        heatMap = slicer.util.arrayFromVolume(result.heatMapNode)
        assert heatMap.shape == values.shape
        assert not heatMap[masks.max(axis=0) == 0].any()
        assert result.lesionTableNode.GetNumberOfRows() == 2
        self.delayDisplay("Test passed")
