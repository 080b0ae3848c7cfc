"""What the user takes away from one scan into a folder that is there already: files of their choice, all or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..core.case import Case, DicomSource, Image
from ..core.display import DisplaySettings, Threshold
from ..core.errors import Cancelled, OutputError
from ..core.progress import IsCancelled, OnProgress
from ..core.vocabulary import IMAGE_FORMATS
from ..explanation.result import CaseResult
from ..io.atomic import FilesTogether
from ..io.names import file_name_of
from .contract import Content, Output, names_of
from .dose import DoseCurves, DoseTables
from .painting import PaintingFiles, PaintingPicture
from .segmentations import SubRegions
from .tables import ComparisonTables, InputTables, UnitTables
from .volumes import GradientMaps, HeatMaps

if TYPE_CHECKING:
    from ..agreement.map_comparison import MapComparison
    from ..dose.case import CaseDose
    from ..painting.paint import Painting


@dataclass(frozen=True)
class Export:
    """What is written.

    Attributes:
        images: file format, one of :data:`..core.vocabulary.IMAGE_FORMATS`.
        heat_map: mean and spread; of a dose painting its prescription, spread, boosts and tables.
        sub_regions: a segmentation (NRRD), or a label map (NIfTI) with values in the order of the lesion table.
        tables: lesions and slices as CSV; what was told of a planned dose.
        report: one web page, and pictures of dose and painting; needs Matplotlib.
        compared: what a comparison found, too: gradient maps with the heat map, agreement and shells with the tables,
            and a part of the report.
        more: further outputs, such as DICOM objects.
    """

    images: str = IMAGE_FORMATS[0]
    heat_map: bool = True
    sub_regions: bool = True
    tables: bool = True
    report: bool = True
    compared: bool = False
    more: tuple[Output, ...] = ()

    def outputs(self) -> list[Output]:
        """Those that are wanted."""
        from .pages.page import Report

        wanted: dict[Output, bool] = {
            HeatMaps(self.images): self.heat_map,
            GradientMaps(self.images): self.heat_map and self.compared,
            SubRegions(self.images): self.sub_regions,
            UnitTables(): self.tables,
            InputTables(): self.tables,
            ComparisonTables(): self.tables and self.compared,
            DoseTables(): self.tables,
            DoseCurves(): self.report,
            PaintingFiles(): self.heat_map,
            PaintingPicture(): self.report,
            Report(): self.report,
        }
        return [*(output for output, is_wanted in wanted.items() if is_wanted), *self.more]


@dataclass(frozen=True)
class Told:
    """What was found beside the answers, each None where it was not asked for; see :class:`.contract.Content`."""

    comparison: MapComparison | None = None
    dose: CaseDose | None = None
    painting: Painting | None = None


class Shown(Protocol):
    """How the result is shown; :class:`PulsarCAMLib.core.display.DisplaySettings` is one."""

    method: str
    target: str
    normalisation: str
    restrict: bool
    threshold: Threshold
    margin_mm: float
    input: str


def content_of(
    result: CaseResult,
    volume: np.ndarray,
    name: str,
    shown: Shown,
    facts: Mapping[str, object] | None = None,
    told: Told | None = None,
    images: Mapping[str, Image] | None = None,
    source: DicomSource | None = None,
) -> Content:
    """What an export tells; arguments as :func:`export_files`."""
    settings = DisplaySettings(
        shown.method,
        shown.target,
        normalisation=shown.normalisation,
        restrict=shown.restrict,
        threshold=shown.threshold,
        margin_mm=shown.margin_mm,
        input=shown.input,
    )
    role = result.system.inputs[0].name
    return Content(
        Case({role: Image(volume, result.geometry, source), **(images or {})}, reference=role),
        result,
        [settings],
        facts={key: value for key, value in (facts or {}).items() if value is not None},
        prefix=f"{file_name_of(name, 'scan')}_",
        **vars(told or Told()),
    )


def export_files(
    result: CaseResult,
    volume: np.ndarray,
    folder: str | Path,
    name: str,
    shown: Shown,
    export: Export,
    facts: Mapping[str, object],
    *,
    told: Told | None = None,
    images: Mapping[str, Image] | None = None,
    source: DicomSource | None = None,
    overwrite: bool = False,
    progress: OnProgress | None = None,
    cancelled: IsCancelled | None = None,
) -> list[Path]:
    """Write the chosen files; all of them appear, or none.

    Args:
        result: of the scan.
        volume: the MRI ``[k, j, i]``, for the report's pictures.
        folder: an existing folder; other files in it stay.
        name: of the scan; file names begin with it, and are those of ``pulsarcam explain`` from there on.
        shown: method, class and so on.
        export: which files.
        facts: provenance, for the headers of NRRD files.
        told: what was found beside it.
        images: further inputs by role, for the report's pictures.
        source: the DICOM series of the MRI, for DICOM objects.
        overwrite: replace files of the same names.
        progress: is told the fraction done and what is being done.
        cancelled: is asked before each picture of the report.

    Raises:
        OutputError: nothing is chosen, a file is there already, or the folder cannot be written.
        Cancelled: the user stopped the work; nothing was written.
    """
    content, outputs = content_of(result, volume, name, shown, facts, told, images, source), export.outputs()
    names = names_of(outputs, content)
    if not names:
        raise OutputError("Nothing is chosen for export; tick at least one kind of file.")
    with FilesTogether(folder, names, overwrite=overwrite) as files:
        for count, output in enumerate(outputs):
            output.write(files.made, content, _part(progress, count, len(outputs), cancelled), cancelled)
    return [Path(folder) / file for file in names]


def export_names(result: CaseResult, name: str, shown: Shown, export: Export, told: Told | None = None) -> list[str]:
    """Names of the files that :func:`export_files` would write."""
    nothing = np.zeros((1, 1, 1), dtype=np.uint8)
    return names_of(export.outputs(), content_of(result, nothing, name, shown, told=told))


def _part(progress: OnProgress | None, count: int, of: int, cancelled: IsCancelled | None) -> OnProgress:
    """Progress of one of several outputs; a cancel ends also one that does not ask itself."""

    def on_progress(fraction: float, text: str) -> None:
        if progress:
            progress((count + fraction) / of, text)
        if cancelled and cancelled():
            raise Cancelled("Stopped; nothing was written.")

    return on_progress
