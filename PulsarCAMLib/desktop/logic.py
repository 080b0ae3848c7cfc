"""What the panel does, for scripts too; ``PulsarCAM.PulsarCAMLogic`` is this with Slicer's own base class.

Names follow Slicer's style, as those who write scripts for Slicer expect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from slicer import (
    vtkMRMLLabelMapVolumeNode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLSegmentationNode,
    vtkMRMLTableNode,
)

from .compare.logic import CompareLogic
from .dose.logic import DoseLogic
from .inputs.model_logic import DEFAULT_MODEL, ModelLogic
from .painting.logic import PaintingLogic
from .results.export_logic import ExportLogic


@dataclass
class PulsarCAMResult:
    """What :meth:`PulsarCAMLogic.explain` made; nodes that were not asked for are None.

    scanResult holds all numbers: other methods, classes and thresholds come from it without computing anew.
    """

    heatMapNode: vtkMRMLScalarVolumeNode | None = None
    spreadNode: vtkMRMLScalarVolumeNode | None = None
    subRegionsNode: vtkMRMLSegmentationNode | None = None
    lesionTableNode: vtkMRMLTableNode | None = None
    sliceTableNode: vtkMRMLTableNode | None = None
    scanResult: object = None
    warnings: tuple = field(default_factory=tuple)
    volumeNode: vtkMRMLScalarVolumeNode | None = None
    segmentationNode: vtkMRMLSegmentationNode | vtkMRMLLabelMapVolumeNode | None = None
    otherImages: dict = field(default_factory=dict)
    model: str = DEFAULT_MODEL


class ConsoleLogic(ModelLogic, CompareLogic, PaintingLogic, DoseLogic, ExportLogic):
    """Everything the panel does, for scripts:

    .. code-block:: python

        import PulsarCAM
        logic = PulsarCAM.PulsarCAMLogic()
        result = logic.explain(volumeNode, segmentationNode)
        logic.update(result, method="gradcam++", threshold=0.3)
        logic.compareMaps(result)
        logic.export(result, "/some/folder")
    """

    requirementsPath = ""
    """The module's ``Resources/requirements.txt``; beside it ``requirements-train.txt`` and
    ``requirements-compare.txt``."""

    def ensureDependencies(
        self, needed: Sequence[str] | None = None, ask: bool = True, onProgress=None, more: Sequence[str] = ()
    ) -> None:
        """Install what is missing, after one question.

        :param needed: names of packages ("torch", "safetensors", "matplotlib"); None: all.
        :param more: what a model needs besides, ``modelCard(name).system.requirements``.
        :raises PulsarCAMLib.core.errors.DependencyError: one sentence that says what to do.
        """
        from .dependencies import ensure_dependencies

        ensure_dependencies(self.requirementsPath, ask=ask, needed=needed, on_progress=onProgress, more=more)

    def ensureTrainingDependencies(
        self, needed: Sequence[str] | None = None, ask: bool = True, onProgress=None, more: Sequence[str] = ()
    ) -> None:
        """Likewise for ``pulsarcam train``."""
        from .dependencies import ensure_dependencies

        path = self.requirementsPath.replace("requirements.txt", "requirements-train.txt")
        ensure_dependencies(path, ask=ask, needed=needed, on_progress=onProgress, more=more)

    def ensureComparisonDependencies(self, ask: bool = True, onProgress=None) -> None:
        """Likewise for radiomics features."""
        from ..features.radiomics.extraction import EXTRA, IN_SLICER
        from .dependencies import ensure_dependencies

        path = self.requirementsPath.replace("requirements.txt", "requirements-compare.txt")
        ensure_dependencies(path, ask=ask, needed=("mirp",), on_progress=onProgress, extra=EXTRA, in_slicer=IN_SLICER)

    def ensureDicomDependencies(self, ask: bool = True, onProgress=None) -> None:
        """Likewise for DICOM objects."""
        from ..core.requirements import FOR_DICOM
        from .dependencies import ensure_dependencies

        ensure_dependencies(
            self.requirementsPath,
            ask=ask,
            needed=(),
            on_progress=onProgress,
            extra="dicom",
            in_slicer="tick “DICOM objects” in the module PulsarCAM and press Export, which offers to install it",
            more=FOR_DICOM,
        )

    def makeSample(self) -> list:
        """Put a synthetic patient into the scene: nodes of the MRI and of its lesions."""
        from .sample_data import make_sample

        return make_sample()

    def segments(self, segmentationNode) -> list:
        """Segments (or label values) of a node: ``id``, ``name``, ``color``, ``volume_cm3`` each."""
        from ..scene.reading.segments import parts_of

        return parts_of(segmentationNode)

    def inputsKey(
        self,
        volumeNode,
        segmentationNode=None,
        segmentIDs=None,
        parts="auto",
        model=DEFAULT_MODEL,
        otherImages=None,
        mapSettings="",
    ):
        """A value that stays the same as long as a result of these inputs would; None if something is missing."""
        from ..core.errors import PulsarCAMError
        from ..scene.state import inputs_key

        try:
            card = self.modelCard(model)
            images = self._images(card.system, volumeNode, otherImages)
        except PulsarCAMError:
            return None
        key = inputs_key(images, segmentationNode, segmentIDs, parts, card)
        return (*key, mapSettings) if key and mapSettings.strip() else key

    def explain(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        segmentationNode: vtkMRMLSegmentationNode | vtkMRMLLabelMapVolumeNode | None = None,
        segmentIDs: Sequence[str] | None = None,
        model: str = DEFAULT_MODEL,
        method: str | None = None,
        target: str | None = None,
        normalisation: str = "none",
        threshold: float = 0.5,
        restrict: bool = True,
        parts: str = "auto",
        heatMapNode: vtkMRMLScalarVolumeNode | None = None,
        spreadNode: vtkMRMLScalarVolumeNode | None = None,
        subRegionsNode: vtkMRMLSegmentationNode | None = None,
        lesionTableNode: vtkMRMLTableNode | None = None,
        sliceTableNode: vtkMRMLTableNode | None = None,
        progress: Callable[[float, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        otherImages: Mapping[str, vtkMRMLScalarVolumeNode] | None = None,
        settings=None,
        mapInput: str = "",
        mapSettings: str = "",
        stability: bool | None = None,
    ) -> PulsarCAMResult:
        """Predict the class of every lesion (or whatever the model answers for) and explain it on the MRI's grid.

        :param volumeNode: the model's first image, such as a contrast-enhanced T1 MRI.
        :param segmentationNode: segmentation (every segment is a lesion) or label map; None if the model needs none.
        :param segmentIDs: only these segments (IDs), or, for a label map, these label values.
        :param model: name of an installed model bundle, or the path of its folder.
        :param method: name of one of the model's methods, such as "gradcam"; None: its first.
        :param target: a class of the model, such as "response", or "predicted"; None: the one it is made to explain.
        :param normalisation: "none" (raw values), "lesion" or "scan".
        :param threshold: share of a lesion's maximum (0..1) from where on a voxel belongs to its sub-region.
        :param restrict: whether the heat map ends at the contours.
        :param parts: "auto", "together" or "separate": whether unconnected parts are lesions of their own.
        :param heatMapNode: write into this node; None makes a new one. Likewise the other nodes.
        :param progress: called with a fraction (0..1) and a text.
        :param cancelled: asked often; True stops the work.
        :param otherImages: further images of the model by the name of their role, such as {"flair": node}; likewise
            segmentations or label maps of other visits, such as {"tumour-before": node}.
        :param settings: method to restrict in one value, :class:`PulsarCAMLib.core.display.DisplaySettings`.
        :param mapInput: role of the one image whose map is shown, on its own voxels; "": of all images together.
        :param mapSettings: of a method that has settings, such as "block 16, stride 8, fill noise" of occlusion.
        :param stability: tell how far answers move when contour, image or grid lie half a voxel otherwise; None: where
            that takes no time, as with lesion slices.
        :raises PulsarCAMLib.core.errors.PulsarCAMError: one sentence for the user; the scene is then as it was.
        """
        from ..cli.explain.map_choices import choices_of_text
        from ..scene.run import explain_nodes
        from ..scene.writing.output_nodes import OutputNodes

        card = self.modelCard(model)
        system = card.system
        shown = settings or self._settings(system, method, target, normalisation, threshold, restrict, mapInput)
        made = explain_nodes(
            self._images(system, volumeNode, otherImages),
            segmentationNode,
            model=model,
            settings=shown,
            choices=choices_of_text(mapSettings, card, shown.method),
            nodes=OutputNodes(heatMapNode, spreadNode, subRegionsNode, lesionTableNode, sliceTableNode),
            segment_ids=segmentIDs,
            parts=parts,
            stability=stability,
            progress=progress,
            cancelled=cancelled,
        )
        return PulsarCAMResult(
            *made.nodes.all(), made.result, made.warnings, volumeNode, segmentationNode, dict(otherImages or {}), model
        )

    def update(
        self,
        result: PulsarCAMResult,
        method: str | None = None,
        target: str | None = None,
        normalisation: str = "none",
        threshold: float = 0.5,
        restrict: bool = True,
        onlyThreshold: bool = False,
        settings=None,
        mapInput: str = "",
    ) -> None:
        """Show a result differently in its nodes, without computing anew; nodes that are None stay away.

        :param result: of :meth:`explain`; other parameters as there.
        :param onlyThreshold: only the threshold is another one: rewrite sub-regions and lesion table only.
        :param settings: see :meth:`explain`.
        :raises PulsarCAMLib.core.errors.PulsarCAMError: one sentence for the user; the scene is then as it was.
        """
        from ..scene.writing.outputs import rewrite_result

        found = result.scanResult
        shown = settings or self._settings(found.system, method, target, normalisation, threshold, restrict, mapInput)
        roles = (
            ("sub_regions", "lesion_table") if onlyThreshold else ("heat_map", "spread", "sub_regions", "lesion_table")
        )
        nodes, others = self._nodes(result), result.otherImages
        rewrite_result(found, result.volumeNode, result.segmentationNode, shown, nodes, roles, others)

    def compareMethods(
        self, result: PulsarCAMResult, target=None, normalisation="none", restrict=True, settings=None
    ) -> list:
        """Heat map nodes of all of the model's methods, made, or written anew where they are there."""
        from ..scene.writing.all_methods import comparison_maps

        found = result.scanResult
        shown = settings or self._settings(found.system, None, target, normalisation, restrict=restrict)
        return comparison_maps(found, result.volumeNode, result.segmentationNode, shown)

    def mapsOfInputs(
        self, result: PulsarCAMResult, method=None, target=None, normalisation="none", restrict=True, settings=None
    ) -> dict:
        """Role to heat map node, of every image alone on its own voxels, made, or written anew where they are there.

        Empty where the method has one map of all images only.
        """
        from ..scene.writing.input_maps import maps_of_inputs

        found = result.scanResult
        shown = settings or self._settings(found.system, method, target, normalisation, restrict=restrict)
        return maps_of_inputs(found, result.volumeNode, result.segmentationNode, result.otherImages, shown)

    def inspectSlice(
        self, result: PulsarCAMResult, lesion: str, sliceIndex: int | None = None, member: int | None = None
    ):
        """Everything between one slice and its maps, for models whose system shows it.

        :param lesion: name of the lesion.
        :param sliceIndex: among the lesion's slices, from 0; None: the one that answers.
        :param member: of the ensemble, from 0; None: their mean.
        """
        from ..core.geometry.slice_place import slice_place
        from ..scene.reading.slices import place_in_scene
        from ..systems.bundles.bundle import find_bundle

        found = result.scanResult
        unit = found.unit(lesion)
        index = unit.main if sliceIndex is None else sliceIndex
        place = ""
        if 0 <= index < len(unit.samples):
            centre = unit.samples.centres_lps()[index]
            number = slice_place(found.geometry, centre).number
            place = place_in_scene(result.volumeNode, number, centre * [-1, -1, 1]).words
        return found.system.inspect(find_bundle(result.model), unit, sliceIndex, member, place)

    @staticmethod
    def _settings(system, method=None, target=None, normalisation=None, threshold=0.5, restrict=True, mapInput=""):
        """What a script says, as one value; None stands for what is usual."""
        from ..core.display import Threshold

        return system.display_settings(
            method=method,
            target=target,
            normalisation=normalisation,
            restrict=restrict,
            threshold=Threshold("fraction", threshold),
            input=mapInput,
        )

    @staticmethod
    def _images(system, volumeNode, otherImages) -> dict:
        """Role to node."""
        from ..core.errors import InputError

        first, others = system.image_inputs[0].name, [role.name for role in system.beside_the_first]
        unknown = sorted(set(otherImages or {}) - set(others))
        if unknown:
            known = ", ".join(others) or "no further image"
            raise InputError(f"The model takes no image “{unknown[0]}” beside the first; it takes {known}.")
        return {first: volumeNode, **(otherImages or {})}

    @staticmethod
    def _nodes(result: PulsarCAMResult):
        from ..scene.writing.output_nodes import OutputNodes

        return OutputNodes(
            result.heatMapNode,
            result.spreadNode,
            result.subRegionsNode,
            result.lesionTableNode,
            result.sliceTableNode,
        )
