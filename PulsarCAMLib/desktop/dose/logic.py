"""What lesions and their activated parts get of a planned dose, for scripts: a part of the module's logic."""

# ruff: noqa: N802, N803, N815 - what scripts use is named as Slicer names it

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slicer import vtkMRMLPlotChartNode, vtkMRMLScalarVolumeNode, vtkMRMLTableNode


@dataclass
class PulsarCAMDose:
    """What :meth:`DoseLogic.tellDose` made.

    caseDose holds the rows of the tables (``caseDose.rows``, ``caseDose.contrasts``, ``caseDose.curves``) and
    ``caseDose.notes``, sentences for the user; sentences are the answers, one for each lesion and map.
    """

    doseTableNode: vtkMRMLTableNode | None = None
    contrastTableNode: vtkMRMLTableNode | None = None
    curveTableNode: vtkMRMLTableNode | None = None
    curveChartNode: vtkMRMLPlotChartNode | None = None
    caseDose: object = None
    sentences: tuple[str, ...] = ()


class DoseLogic:
    """Mixed into the logic."""

    def tellDose(
        self,
        result,
        doseNodes: vtkMRMLScalarVolumeNode | Sequence[vtkMRMLScalarVolumeNode],
        fractions: int | Sequence[int | None] | None = None,
        prescription: float | None = None,
        quantity: str = "physical",
        alphaBeta: float = 10.0,
        method: str | None = None,
        target: str | None = None,
        threshold: float = 0.5,
        doseTableNode: vtkMRMLTableNode | None = None,
        contrastTableNode: vtkMRMLTableNode | None = None,
        curveTableNode: vtkMRMLTableNode | None = None,
        curveChartNode: vtkMRMLPlotChartNode | None = None,
        progress: Callable[[float, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        **parameters,
    ) -> PulsarCAMDose:
        """Whether the region that does not respond gets less dose: tables, and dose-volume curves as a plot.

        :param result: of :meth:`explain`.
        :param doseNodes: planned dose in Gy (as SlicerRT loads an RTDOSE), or several, which are added up. They may
            have any grid; transforms of the scene count.
        :param fractions: equal fractions that each is given in; needed for "eqd2" and "bed".
        :param prescription: prescribed dose in Gy of the quantity; None: no conformity and no gradient index.
        :param quantity: "physical", "eqd2" or "bed"; alphaBeta (Gy) is for the latter two.
        :param method, target: of the heat map whose activated parts are told of, see :meth:`explain`.
        :param threshold: share of a lesion's maximum (0..1) from where on a voxel is activated.
        :param doseTableNode: write into this node; None makes a new one. Likewise the other nodes.
        :param parameters: further ones of :class:`PulsarCAMLib.dose.settings.DoseTold`, such as thresholds_gy.
        :param progress: called with a fraction (0..1) and a text.
        :param cancelled: asked often; True stops the work.
        :raises PulsarCAMLib.core.errors.PulsarCAMError: one sentence for the user; the scene is then as it was.
        """
        from dataclasses import replace

        from ...core.display import Threshold
        from ...core.errors import InputError
        from ...core.settings import typed
        from ...dose.case import dose_of_case, sentence_of
        from ...dose.courses import Course
        from ...dose.settings import DoseTold
        from ...io.dose import checked_dose
        from ...scene.reading.inputs import image_beside
        from ...scene.writing.dose import DoseNodes, write_dose
        from ...scene.writing.transaction import checkpoint_of

        checkpoint = checkpoint_of(cancelled, result.volumeNode)

        settings = DoseTold(
            prescription_gy=prescription,
            quantity=quantity,
            alpha_beta_gy=alphaBeta,
            **typed(DoseTold, parameters, "Dose"),
        )
        volume = result.volumeNode
        given = list(doseNodes) if isinstance(doseNodes, (list, tuple)) else [doseNodes]
        counts = list(fractions) if isinstance(fractions, (list, tuple)) else [fractions] * len(given)
        if len(counts) != len(given):
            raise InputError(f"There are {len(counts)} numbers of fractions and {len(given)} doses; give one for each.")
        courses = []
        for node, count in zip(given, counts, strict=True):
            if node is None or node is volume:
                raise InputError("The dose is missing, or the MRI itself; choose the dose volume.")
            image = image_beside(volume, node, "dose")
            dose = checked_dose(f"The dose “{node.GetName()}”", image.voxels.astype("float32"))
            courses.append(Course(dose, image.geometry, count, "given" if count else ""))
        scan = result.scanResult
        shown = replace(
            scan.system.display_settings(method=method, target=target), threshold=Threshold("fraction", threshold)
        )
        told = {"cancelled": cancelled} | ({"progress": progress} if progress else {})
        found = dose_of_case(scan, courses, [shown], settings, **told)
        into = DoseNodes(doseTableNode, contrastTableNode, curveTableNode, curveChartNode)
        facts = {**scan.card.facts(), "method": shown.method, "target": shown.target}
        inputs = [*given, volume, result.segmentationNode]
        nodes = write_dose(found, volume, result.segmentationNode, facts, into, inputs, checkpoint)
        return PulsarCAMDose(*nodes.all(), found, tuple(map(sentence_of, found.contrasts)))
