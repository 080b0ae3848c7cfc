"""The comparison of heat maps with what a radiologist sees, for scripts: a part of the module's logic."""

# ruff: noqa: N802, N803, N815 - what scripts use is named as Slicer names it

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from slicer import vtkMRMLPlotChartNode, vtkMRMLScalarVolumeNode, vtkMRMLTableNode


@dataclass
class PulsarCAMComparison:
    """What :meth:`CompareLogic.compareMaps` made.

    mapComparison holds the rows of the tables: ``mapComparison.agreement``, ``mapComparison.shells`` and, where other
    maps were compared, ``mapComparison.overlaps``; overlapTableNode is None where none were.
    """

    gradientMagnitudeNode: vtkMRMLScalarVolumeNode | None = None
    radialGradientNode: vtkMRMLScalarVolumeNode | None = None
    agreementTableNode: vtkMRMLTableNode | None = None
    shellTableNode: vtkMRMLTableNode | None = None
    profileTableNode: vtkMRMLTableNode | None = None
    profileChartNode: vtkMRMLPlotChartNode | None = None
    overlapTableNode: vtkMRMLTableNode | None = None
    mapComparison: object = None


@dataclass
class PulsarCAMCohortAgreement:
    """What :meth:`CompareLogic.loadCohortAgreement` made; the feature nodes are None where no features were compared.

    tables holds the rows: ``tables.summary``, ``tables.depths``, ``tables.features`` and, lesion by lesion,
    ``tables.agreement``, ``tables.shells`` and ``tables.lesions``.
    """

    summaryTableNode: vtkMRMLTableNode | None = None
    depthTableNode: vtkMRMLTableNode | None = None
    profileTableNode: vtkMRMLTableNode | None = None
    featureTableNode: vtkMRMLTableNode | None = None
    summaryChartNode: vtkMRMLPlotChartNode | None = None
    profileChartNode: vtkMRMLPlotChartNode | None = None
    featureChartNode: vtkMRMLPlotChartNode | None = None
    tables: object = None


class CompareLogic:
    """Mixed into the logic."""

    def compareMaps(
        self,
        result,
        lesions: Sequence[str] | None = None,
        sigma: float = 1.0,
        margin: float = 2.0,
        shellThickness: float = 1.0,
        method: str | None = None,
        target: str | None = None,
        gradientMagnitudeNode: vtkMRMLScalarVolumeNode | None = None,
        radialGradientNode: vtkMRMLScalarVolumeNode | None = None,
        agreementTableNode: vtkMRMLTableNode | None = None,
        shellTableNode: vtkMRMLTableNode | None = None,
        profileTableNode: vtkMRMLTableNode | None = None,
        profileChartNode: vtkMRMLPlotChartNode | None = None,
        overlapTableNode: vtkMRMLTableNode | None = None,
        otherMaps: Mapping[str, vtkMRMLScalarVolumeNode] | Sequence[vtkMRMLScalarVolumeNode] = (),
        above: Mapping[str, float] | None = None,
        percentile: float = 75.0,
        threshold: float = 0.5,
        progress: Callable[[float, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> PulsarCAMComparison:
        """Gradient maps of the lesions, and how the heat maps of all methods agree with what one sees in the MRI.

        With otherMaps (ADC, perfusion, spectroscopy, PET, dose, cell density...) also how they agree with these.

        :param result: of :meth:`explain`.
        :param lesions: names of the lesions; None: all.
        :param sigma: scale of the gradient in millimetres.
        :param margin: thickness of the margin under the lesion's surface in millimetres.
        :param shellThickness: of the shells in millimetres.
        :param method, target: of the heat map whose shells are plotted, see :meth:`explain`; the tables have all.
        :param gradientMagnitudeNode: write into this node; None makes a new one. Likewise the other nodes.
        :param otherMaps: volumes by the names that tables give them, or a list, whose nodes' names are taken. They may
            have any grid; transforms of the scene count.
        :param above: by name: the value of such a map above which the part lies that overlaps are told with.
        :param percentile: of the lesion, instead, for maps that above does not name.
        :param threshold: share of a lesion's maximum (0..1) from where on a voxel is activated, for overlaps.
        :param progress: called with a fraction (0..1) and a text.
        :param cancelled: asked often; True stops the work.
        :raises PulsarCAMLib.core.errors.PulsarCAMError: one sentence for the user; the scene is then as it was.
        """
        from ...agreement.map_comparison import compare_maps
        from ...agreement.settings import ComparisonSettings
        from ...core.display import Threshold
        from ...scene.reading.inputs import read_volume
        from ...scene.reading.other_maps import read_other_maps
        from ...scene.writing.map_comparison import ComparisonNodes, write_comparison
        from ...scene.writing.transaction import checkpoint_of

        checkpoint = checkpoint_of(cancelled, result.volumeNode)

        scan = result.scanResult
        others = read_other_maps(result.volumeNode, otherMaps, above or {}, percentile)
        comparison = compare_maps(
            scan,
            read_volume(result.volumeNode)[0],
            ComparisonSettings(sigma_mm=sigma, margin_mm=margin, thickness_mm=shellThickness),
            lesions=lesions,
            others=others,
            threshold=Threshold("fraction", threshold),
            progress=progress,
            cancelled=cancelled,
        )
        shown = scan.system.display_settings(method=method, target=target)
        given = ComparisonNodes(
            gradientMagnitudeNode, radialGradientNode, agreementTableNode, shellTableNode, profileTableNode,
            profileChartNode, overlapTableNode,
        )  # fmt: skip
        nodes = write_comparison(
            comparison, result.volumeNode, result.segmentationNode, scan.card.facts(),
            self._profiled(comparison, shown.method, shown.target), given, checkpoint,
        )  # fmt: skip
        return PulsarCAMComparison(*nodes.all(), comparison)

    def computeFeatures(
        self,
        cohort: str,
        output: str,
        groups: Sequence[str] | None = None,
        delta: bool = False,
        settings: str | None = None,
        keep: str | None = None,
        overwrite: bool = False,
        ask: bool = True,
        progress: Callable[[float, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ):
        """Features of every lesion of a cohort, in a table beside its reasons and settings, as ``pulsarcam features``.

        :param cohort: path of the cohort table.
        :param output: path of the table to be made; ends with ".csv".
        :param groups: of "radiomics", "gradients", "dose" and "clinical"; None: all for which the cohort has columns.
        :param delta: also how features changed until the second MRI.
        :param settings: path of a file of settings, as one is written beside every table.
        :param keep: folder where finished lesions are kept for good; else until the table is there.
        :param overwrite: replace an earlier table.
        :param ask: whether the radiomics library is asked for where it is missing; else it is installed.
        :param progress: called with a fraction (0..1) and a text.
        :param cancelled: asked between lesions; True stops the work, finished lesions are kept for the next try.
        :return: the table: ``rows``, ``names``, ``values``, and ``problems`` of lesions that could not be used.
        :raises PulsarCAMLib.core.errors.PulsarCAMError: one sentence for the user; no table was written.
        """
        from ...features.files import FeatureFiles

        files = FeatureFiles(cohort, output, groups, settings, keep=keep, overwrite=overwrite)
        if "radiomics" in files.groups:
            self.ensureComparisonDependencies(ask=ask)
        return files.write(files.compute(progress=progress, cancelled=cancelled), delta)

    def loadCohortAgreement(self, folder: str) -> PulsarCAMCohortAgreement:
        """Tables and plots of what ``pulsarcam agreement`` wrote: what heat maps go with over a cohort.

        :param folder: that was written.
        :raises PulsarCAMLib.core.errors.PulsarCAMError: one sentence for the user; the scene is then as it was.
        """
        from pathlib import Path

        from ...agreement.folder import read_agreement
        from ...scene.writing.cohort_agreement import write_cohort_agreement

        tables = read_agreement(folder)
        return PulsarCAMCohortAgreement(*write_cohort_agreement(tables, Path(folder).name).all(), tables)

    def showCohortAgreement(self, agreement: PulsarCAMCohortAgreement) -> None:
        """Show the plots of :meth:`loadCohortAgreement` in a layout of their own.

        :raises PulsarCAMLib.core.errors.OutputError: there are no views.
        """
        from ...scene.writing.cohort_agreement import CohortAgreementNodes, show_cohort_agreement

        show_cohort_agreement(
            CohortAgreementNodes(
                summary_chart=agreement.summaryChartNode,
                profile_chart=agreement.profileChartNode,
                feature_chart=agreement.featureChartNode,
            )
        )

    def showSideBySide(self, result, comparison: PulsarCAMComparison, opacity: float = 0.5) -> None:
        """MRI, heat map, gradient magnitude and radial gradient in linked slice views, above the plot of the shells.

        :raises PulsarCAMLib.core.errors.OutputError: there are no slice views.
        """
        from ...scene.showing.side_by_side import show_side_by_side

        show_side_by_side(result.volumeNode, result.heatMapNode, self._comparisonNodes(comparison), opacity)

    def updateComparison(self, comparison: PulsarCAMComparison, method: str, target: str) -> None:
        """Plot the shells of another heat map, without comparing anew."""
        from ...scene.writing.map_comparison import rewrite_profile

        shown = self._profiled(comparison.mapComparison, method, target)
        rewrite_profile(comparison.mapComparison, shown, self._comparisonNodes(comparison))

    @staticmethod
    def _profiled(comparison, method: str, target: str) -> tuple[str, str]:
        """Method and class of the plotted map, which is one of those that were compared."""
        from ...core.task import BOTH

        names = [name for name, _ in comparison.maps]
        method = method if method in names else names[0]
        return method, BOTH if (method, BOTH) in comparison.maps else target

    @staticmethod
    def _comparisonNodes(comparison: PulsarCAMComparison):
        from ...scene.writing.map_comparison import ComparisonNodes

        return ComparisonNodes(
            comparison.gradientMagnitudeNode,
            comparison.radialGradientNode,
            comparison.agreementTableNode,
            comparison.shellTableNode,
            comparison.profileTableNode,
            comparison.profileChartNode,
            comparison.overlapTableNode,
        )
