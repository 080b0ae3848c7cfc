"""Dose painting for scripts: a part of the module's logic. Research use only, not a plan."""

# ruff: noqa: N802, N803, N815 - what scripts use is named as Slicer names it

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTableNode


@dataclass
class PulsarCAMPainting:
    """What :meth:`PaintingLogic.paintDose` made.

    painting holds the numbers: ``painting.table``, ``painting.histogram`` and ``painting.warnings``; histogramTableNode
    is None where no dose was given.
    """

    prescriptionNode: vtkMRMLScalarVolumeNode | None = None
    spreadNode: vtkMRMLScalarVolumeNode | None = None
    boostNode: vtkMRMLSegmentationNode | None = None
    tableNode: vtkMRMLTableNode | None = None
    histogramTableNode: vtkMRMLTableNode | None = None
    painting: object = None


class PaintingLogic:
    """Mixed into the logic."""

    def paintDose(
        self,
        result,
        rule: str,
        low: float,
        high: float,
        method: str | None = None,
        target: str | None = None,
        threshold: float = 0.5,
        doseNode: vtkMRMLScalarVolumeNode | None = None,
        organsNode: vtkMRMLSegmentationNode | None = None,
        organIDs: Sequence[str] | None = None,
        anyway: bool = False,
        prescriptionNode: vtkMRMLScalarVolumeNode | None = None,
        spreadNode: vtkMRMLScalarVolumeNode | None = None,
        boostNode: vtkMRMLSegmentationNode | None = None,
        tableNode: vtkMRMLTableNode | None = None,
        histogramTableNode: vtkMRMLTableNode | None = None,
        progress: Callable[[float, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        **parameters,
    ) -> PulsarCAMPainting:
        """A prescription in Gy, its spread over the ensemble and boost contours. Research use only, not a plan.

        :param result: of :meth:`explain`.
        :param rule: "linear" or "sigmoid" (by numbers), or "contours".
        :param low, high: dose levels in Gy, of the whole course.
        :param method, target: of the heat map, see :meth:`explain`.
        :param threshold: share of a lesion's maximum (0..1) from where on a voxel is activated.
        :param doseNode: a dose in Gy of the same course, to be set beside the prescription.
        :param organsNode: segmentation (or label map) of organs that the boost is kept away from.
        :param organIDs: only these segments (IDs).
        :param anyway: paint in spite of a model or map that may not be believed, or an unstable answer.
        :param prescriptionNode: write into this node; None makes a new one. Likewise the other nodes.
        :param parameters: further ones of :class:`PulsarCAMLib.painting.settings.PaintingSettings`, such as margin_mm.
        :param progress: called with a fraction (0..1) and a text.
        :param cancelled: asked often; True stops the work.
        :raises PulsarCAMLib.core.errors.PulsarCAMError: one sentence for the user; the scene is then as it was.
        """
        from ...core.display import Threshold
        from ...core.errors import InputError
        from ...core.settings import typed
        from ...painting.paint import paint
        from ...painting.settings import PaintingSettings
        from ...scene.reading.inputs import image_beside, read_inputs
        from ...scene.writing.painting import PaintingNodes, write_painting
        from ...scene.writing.transaction import checkpoint_of

        checkpoint = checkpoint_of(cancelled, result.volumeNode)

        levels = {"rule": rule, "low_gy": low, "high_gy": high, "anyway": anyway}
        settings = PaintingSettings(**typed(PaintingSettings, parameters, "Dose painting"), **levels)
        volume = result.volumeNode
        if doseNode is not None and doseNode is volume:
            raise InputError(f"“{volume.GetName()}” is the MRI itself; choose the dose.")
        organs = () if organsNode is None else read_inputs(volume, organsNode, organIDs, "together").lesions
        found = paint(
            result.scanResult,
            settings,
            method=method,
            target=target,
            threshold=Threshold("fraction", threshold),
            dose=None if doseNode is None else image_beside(volume, doseNode, "dose"),
            organs=organs,
            progress=progress,
            cancelled=cancelled,
        )
        given = PaintingNodes(prescriptionNode, spreadNode, boostNode, tableNode, histogramTableNode)
        inputs = (volume, result.segmentationNode, doseNode, organsNode)
        nodes = write_painting(found, volume, result.segmentationNode, given, inputs, checkpoint)
        return PulsarCAMPainting(*nodes.all(), found)
