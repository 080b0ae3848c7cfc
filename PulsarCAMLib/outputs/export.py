"""What the user takes away from one scan: images on the MRI's grid, tables, a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ..core.display import Threshold
from ..core.errors import OutputError
from ..core.map_methods import SIGNED
from ..explanation.result import CaseResult
from ..explanation.tables import sample_table, unit_table
from ..io.atomic import FilesTogether
from ..io.names import file_name_of


@dataclass(frozen=True)
class Export:
    """What is written.

    Attributes:
        images: file format, one of :data:`..core.vocabulary.IMAGE_FORMATS`.
        heat_map: mean and spread.
        sub_regions: a segmentation (NRRD), or a label map (NIfTI) with values in the order of the lesion table.
        tables: lesions and slices as CSV.
        report: one web page; needs Matplotlib.
        compared: what a comparison found, too: gradient maps with the heat map, agreement and shells with the tables,
            and a part of the report.
    """

    images: str = "nrrd"
    heat_map: bool = True
    sub_regions: bool = True
    tables: bool = True
    report: bool = True
    compared: bool = False

    def names(self, name: str) -> list[str]:
        """File names, for a scan of that name."""
        base = file_name_of(name, "scan")
        regions = "seg.nrrd" if self.images == "nrrd" else self.images
        wanted = {
            f"{base}_heat-map.{self.images}": self.heat_map,
            f"{base}_spread.{self.images}": self.heat_map,
            f"{base}_gradient-magnitude.{self.images}": self.heat_map and self.compared,
            f"{base}_radial-gradient.{self.images}": self.heat_map and self.compared,
            f"{base}_sub-regions.{regions}": self.sub_regions,
            f"{base}_lesions.csv": self.tables,
            f"{base}_slices.csv": self.tables,
            f"{base}_agreement.csv": self.tables and self.compared,
            f"{base}_shells.csv": self.tables and self.compared,
            f"{base}_report.html": self.report,
        }
        return [file for file, is_wanted in wanted.items() if is_wanted]


class Shown(Protocol):
    """How the result is shown; :class:`PulsarCAMLib.core.display.DisplaySettings` is one."""

    method: str
    target: str
    normalisation: str
    restrict: bool
    threshold: Threshold


def export_files(
    result: CaseResult,
    volume: np.ndarray,
    folder: str | Path,
    name: str,
    shown: Shown,
    export: Export,
    facts: Mapping[str, object],
    *,
    comparison=None,
    overwrite: bool = False,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Path]:
    """Write the chosen files; all of them appear, or none.

    Args:
        result: of the scan.
        volume: the MRI ``[k, j, i]``, for the report's pictures.
        folder: an existing folder; other files in it stay.
        name: of the scan; file names begin with it.
        shown: method, class and so on.
        export: which files.
        facts: provenance, for the headers of NRRD files.
        comparison: the ``MapComparison`` that ``export.compared`` asks for.
        overwrite: replace files of the same names.
        progress: is told the fraction done and what is being done.
        cancelled: is asked before each picture of the report.

    Raises:
        OutputError: nothing is chosen, a file is there already, or the folder cannot be written.
        Cancelled: the user stopped the work; nothing was written.
    """
    names = export.names(name)
    if not names:
        raise OutputError("Nothing is chosen for export; tick at least one kind of file.")
    facts = {key: value for key, value in facts.items() if value is not None}
    with FilesTogether(folder, names, overwrite=overwrite) as files:
        for count, file in enumerate(names):
            if progress:
                progress(count / len(names), f"Writing {file}")
            if not _write_compared(files.made / file, result, comparison):
                _write_one(files.made / file, result, volume, shown, facts, comparison, cancelled)
    return [Path(folder) / file for file in names]


def _write_compared(path: Path, result: CaseResult, comparison) -> bool:
    """Whether this file is one of a comparison's, and was written."""
    from ..io import writing

    what = _what(path)
    if what in ("agreement", "shells"):
        writing.write_table(path, getattr(comparison, what))
    elif what in ("gradient-magnitude", "radial-gradient"):
        from ..agreement.map_comparison import MEASURES

        values = comparison.magnitude if what == "gradient-magnitude" else comparison.radial
        facts = {"measure": MEASURES[what.replace("-", "_")], "sigma_mm": comparison.settings.sigma_mm}
        writing.write_map(path, values, result.geometry, facts)
    else:
        return False
    return True


def _what(path: Path) -> str:
    return path.name.rpartition("_")[2].split(".")[0]


def _write_one(path, result: CaseResult, volume, shown: Shown, facts: dict, comparison, cancelled) -> None:
    from ..io import writing

    what = _what(path)
    how = (shown.method, shown.target)
    if what in ("heat-map", "spread"):
        statistic = "std" if what == "spread" else "mean"
        values = result.heat_map(*how, statistic, shown.normalisation, shown.restrict)
        writing.write_map(path, values, result.geometry, facts | {"statistic": statistic})
    elif what == "sub-regions":
        regions = result.sub_regions(*how, shown.threshold)
        facts = facts | {"threshold": str(shown.threshold)}
        if path.name.endswith(".seg.nrrd"):
            writing.write_segmentation(path, regions, result.geometry, facts)
        else:
            writing.write_map(path, _label_map(result, regions), result.geometry, facts)
    elif what == "lesions":
        writing.write_table(path, unit_table(result, *how, shown.threshold))
    elif what == "slices":
        writing.write_table(path, sample_table(result))
    else:
        _write_report(path, result, volume, shown, comparison, cancelled)


def _label_map(result: CaseResult, regions) -> np.ndarray:
    labels = np.zeros(result.geometry.shape, dtype=np.uint8 if len(regions) < 256 else np.uint16)
    for value, region in enumerate(regions, start=1):
        labels[region.box][region.mask] = value
    return labels


def _write_report(path: Path, result: CaseResult, volume: np.ndarray, shown: Shown, comparison, cancelled) -> None:
    from .pages.page import write_report

    target = "predicted" if shown.method == SIGNED else shown.target
    write_report(
        result,
        volume,
        path,
        method=shown.method,
        target=target,
        threshold=shown.threshold,
        normalisation=shown.normalisation,
        comparison=comparison,
        cancelled=cancelled,
    )
