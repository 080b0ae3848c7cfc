"""What the panel does, for scripts too; ``PulsarCAM.PulsarCAMLogic`` is this with Slicer's own base class.

Names follow Slicer's style, as those who write scripts for Slicer expect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from slicer import (
    vtkMRMLLabelMapVolumeNode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLSegmentationNode,
    vtkMRMLTableNode,
)
from slicer.i18n import tr as _

from .compare.logic import CompareLogic, PulsarCAMComparison

DEFAULT_MODEL = "synthetic-demo"


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
    model: str = DEFAULT_MODEL


class ConsoleLogic(CompareLogic):
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

    def ensureDependencies(self, needed: Sequence[str] | None = None, ask: bool = True, tell=None) -> None:
        """Install what is missing, after one question.

        :param needed: names of packages ("torch", "safetensors", "matplotlib"); None: all.
        :raises PulsarCAMLib.core.errors.DependencyError: one sentence that says what to do.
        """
        from .dependencies import ensure_dependencies

        ensure_dependencies(self.requirementsPath, ask=ask, needed=needed, tell=tell)

    def ensureTrainingDependencies(self, needed: Sequence[str] | None = None, ask: bool = True, tell=None) -> None:
        """Likewise for ``pulsarcam train``."""
        from .dependencies import ensure_dependencies

        path = self.requirementsPath.replace("requirements.txt", "requirements-train.txt")
        ensure_dependencies(path, ask=ask, needed=needed, tell=tell)

    def ensureComparisonDependencies(self, ask: bool = True, tell=None) -> None:
        """Likewise for radiomics features."""
        from ..features.radiomics.extraction import EXTRA, IN_SLICER
        from .dependencies import ensure_dependencies

        path = self.requirementsPath.replace("requirements.txt", "requirements-compare.txt")
        ensure_dependencies(path, ask=ask, needed=("mirp",), tell=tell, extra=EXTRA, in_slicer=IN_SLICER)

    def makeSample(self) -> list:
        """Put a synthetic patient into the scene: nodes of the MRI and of its lesions."""
        from .sample_data import make_sample

        return make_sample()

    def modelNames(self) -> list[str]:
        """Names of the installed model bundles, the one that comes with PulsarCAM first."""
        from ..systems.bundle import installed_bundles

        return sorted(installed_bundles(), key=lambda name: (name != DEFAULT_MODEL, name))

    def modelCard(self, name: str):
        """The card of a model: ``card.title``, ``card.origin``, ``card.fields``.

        :raises PulsarCAMLib.core.errors.BundleError: there is no such model, or its card is wrong.
        """
        from ..systems.bundle import find_card

        return find_card(name)

    def modelOrigin(self, name: str) -> str:
        """One line that says what the model was trained on and that it is for research only."""
        from ..core.errors import PulsarCAMError

        try:
            card = self.modelCard(name)
        except PulsarCAMError as error:
            return str(error)
        if card.synthetic:
            text = _("{title}: trained on synthetic lesions. Research use only, not for patients.")
            return text.format(title=card.title)
        return _("{title}. Research use only.").format(title=card.title)

    def addModel(self, path: str, overwrite: bool = False) -> str:
        """Check a model bundle (folder or zip file), copy it to the user's models, return its name."""
        from ..systems.installation import install_bundle

        return install_bundle(path, overwrite=overwrite)

    def removeModel(self, name: str) -> None:
        """Delete one of the user's own models."""
        from ..systems.installation import remove_bundle

        remove_bundle(name)

    def isModelRemovable(self, name: str) -> bool:
        """Whether a model is the user's own; those that come with PulsarCAM stay."""
        from ..systems.installation import is_removable

        return is_removable(name)

    def segments(self, segmentationNode) -> list:
        """Segments (or label values) of a node: ``id``, ``name``, ``color``, ``volume_cm3`` each."""
        from ..scene.segments import parts_of

        return parts_of(segmentationNode)

    def inputsKey(self, volumeNode, segmentationNode, segmentIDs=None, parts="auto", model=DEFAULT_MODEL):
        """A value that stays the same as long as a result of these inputs would; None if something is missing."""
        from ..scene.state import inputs_key

        return inputs_key(volumeNode, segmentationNode, segmentIDs, parts, model)

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
        restrict: bool = True,
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
        :param restrict: whether the heat map ends at the contours.
        :param parts: "auto", "together" or "separate": whether unconnected parts are lesions of their own.
        :param heatMapNode: write into this node; None makes a new one. Likewise the other nodes.
        :param progress: called with a fraction (0..1) and a text.
        :param cancelled: asked often; True stops the work.
        :raises PulsarCAMLib.core.errors.PulsarCAMError: one sentence for the user; the scene is then as it was.
        """
        from ..scene.display_settings import OutputNodes
        from ..scene.run import explain_nodes

        made = explain_nodes(
            volumeNode,
            segmentationNode,
            model=model,
            request=self._request(method, target, normalisation, threshold, restrict),
            nodes=OutputNodes(heatMapNode, spreadNode, subRegionsNode, lesionTableNode, sliceTableNode),
            segment_ids=segmentIDs,
            parts=parts,
            progress=progress,
            cancelled=cancelled,
        )
        return PulsarCAMResult(*made.nodes.all(), made.result, made.warnings, volumeNode, segmentationNode, model)

    def update(
        self,
        result: PulsarCAMResult,
        method: str = "pixelwise",
        target: str = "non-response",
        normalisation: str = "none",
        threshold: float = 0.5,
        restrict: bool = True,
        onlyThreshold: bool = False,
    ) -> None:
        """Show a result differently in its nodes, without computing anew; nodes that are None stay away.

        :param result: of :meth:`explain`; other parameters as there.
        :param onlyThreshold: only the threshold is another one: rewrite sub-regions and lesion table only.
        :raises PulsarCAMLib.core.errors.PulsarCAMError: one sentence for the user; the scene is then as it was.
        """
        from ..scene.outputs import rewrite_result

        request = self._request(method, target, normalisation, threshold, restrict)
        roles = (
            ("sub_regions", "lesion_table") if onlyThreshold else ("heat_map", "spread", "sub_regions", "lesion_table")
        )
        rewrite_result(
            result.scanResult, result.volumeNode, result.segmentationNode, request, self._nodes(result), roles
        )

    def compareMethods(
        self, result: PulsarCAMResult, target="non-response", normalisation="none", restrict=True
    ) -> list:
        """Heat map nodes of all three methods, made, or written anew where they are there."""
        from ..scene.all_methods import comparison_maps

        request = self._request("pixelwise", target, normalisation, 0.5, restrict)
        return comparison_maps(result.scanResult, result.volumeNode, result.segmentationNode, request)

    def inspectSlice(
        self, result: PulsarCAMResult, lesion: str, sliceIndex: int | None = None, member: int | None = None
    ):
        """Everything between one slice and its maps, see :mod:`PulsarCAMLib.systems.autoencoder.inspection`.

        :param lesion: name of the lesion.
        :param sliceIndex: among the lesion's slices, from 0; None: the one that answers.
        :param member: of the ensemble, from 0; None: their mean.
        """
        from ..core.errors import InputError
        from ..systems.autoencoder.inspection import inspect_slice
        from ..systems.bundle import find_bundle

        found = [each for each in result.scanResult.lesions if each.name == lesion]
        if not found:
            raise InputError(f"The result has no lesion “{lesion}”.")
        return inspect_slice(find_bundle(result.model), found[0], sliceIndex, member)

    def export(
        self,
        result: PulsarCAMResult,
        folder: str,
        method: str = "pixelwise",
        target: str = "non-response",
        normalisation: str = "none",
        threshold: float = 0.5,
        restrict: bool = True,
        comparison: PulsarCAMComparison | None = None,
        overwrite: bool = False,
        progress: Callable[[float, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        **files,
    ) -> list:
        """Write images, tables and report into a folder: all of them, or, on an error, none. Returns their paths.

        :param result: of :meth:`explain`; parameters up to restrict as there.
        :param folder: an existing folder.
        :param comparison: of :meth:`compareMaps`, to be written too.
        :param overwrite: replace files of the same names.
        :param files: fields of :class:`PulsarCAMLib.outputs.export.Export`: images="nrrd" or "nii.gz", and heat_map,
            sub_regions, tables, report, each True or False.
        """
        from ..outputs.export import Export, export_files
        from ..scene.inputs import read_volume
        from ..scene.outputs import facts_of

        request = self._request(method, target, normalisation, threshold, restrict)
        return export_files(
            result.scanResult,
            read_volume(result.volumeNode)[0],
            folder,
            result.volumeNode.GetName(),
            request,
            Export(**files, compared=comparison is not None),
            facts_of(result.scanResult, request),
            comparison=comparison and comparison.mapComparison,
            overwrite=overwrite,
            progress=progress,
            cancelled=cancelled,
        )

    def existingFiles(self, result: PulsarCAMResult, folder: str, comparison=None, **files) -> list[str]:
        """Names of the files that :meth:`export` would replace."""
        from ..io.atomic import existing
        from ..outputs.export import Export

        export = Export(**files, compared=comparison is not None)
        return existing(folder, export.names(result.volumeNode.GetName()))

    @staticmethod
    def _request(method, target, normalisation, threshold, restrict):
        from ..core.display import Threshold
        from ..scene.display_settings import Request

        return Request(method, target, normalisation, restrict, Threshold("fraction", threshold))

    @staticmethod
    def _nodes(result: PulsarCAMResult):
        from ..scene.display_settings import OutputNodes

        return OutputNodes(
            result.heatMapNode,
            result.spreadNode,
            result.subRegionsNode,
            result.lesionTableNode,
            result.sliceTableNode,
        )
