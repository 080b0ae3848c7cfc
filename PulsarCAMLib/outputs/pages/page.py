"""The report of one scan: a single HTML file with its pictures inside, without scripts and without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import __version__
from ...core.case import Image
from ...core.display import Threshold, check_choice
from ...core.pluralize import pluralize
from ...core.progress import IsCancelled, OnProgress, silent
from ...core.task import PREDICTED
from ...core.vocabulary import DEFAULT_MARGIN_MM, NORMALISATIONS
from ...explanation.result import CaseResult
from ...io.atomic import check_place, write_whole
from ..contract import Content
from . import sections
from .glossary import definitions_of
from .inputs import every_input
from .registration import registration
from .templating import RESEARCH_ONLY, render

if TYPE_CHECKING:
    from ...agreement.map_comparison import MapComparison
    from ...dose.case import CaseDose
    from ...painting.paint import Painting

__all__ = ["RESEARCH_ONLY", "Report", "report_html", "write_report"]


def write_report(
    result: CaseResult,
    volume: np.ndarray,
    path: str | Path,
    *,
    method: str | None = None,
    target: str | None = None,
    threshold: Threshold | None = None,
    title: str | None = None,
    overwrite: bool = False,
    **options,
) -> Path:
    """Write the report; the file appears whole or not at all.

    Args:
        result: of the scan.
        volume: the MRI ``[k, j, i]`` it was made from.
        path: of the HTML file; its folder must exist.
        method: a computed one; None: the system's first.
        target: a class of the task or ``"predicted"``; None: the one that the task explains.
        threshold: what counts as activated (default: as everywhere).
        title: heading of the page; must not name the patient if the page is to be passed on.
        overwrite: replace a file that is already there.
        options: further ones of :func:`report_html`.

    Returns:
        The path.

    Raises:
        InputError: an unknown or uncomputed method, class or normalisation.
        OutputError: the file exists and may not be replaced, or its place cannot be written.
        Cancelled: the user stopped the work.
    """
    check_place(path, overwrite=overwrite)
    page = report_html(result, volume, method=method, target=target, threshold=threshold, title=title, **options)
    return write_whole(path, page.encode("utf-8"), overwrite=overwrite)


def report_html(
    result: CaseResult,
    volume: np.ndarray,
    *,
    method: str | None = None,
    target: str | None = None,
    threshold: Threshold | None = None,
    title: str | None = None,
    normalisation: str = "none",
    margin_mm: float = DEFAULT_MARGIN_MM,
    comparison: MapComparison | None = None,
    painting: Painting | None = None,
    images: Mapping[str, Image] | None = None,
    private: Sequence[str] = (),
    dose: CaseDose | None = None,
    others: Sequence[tuple[str, str]] = (),
    made_at: datetime | None = None,
    progress: OnProgress | None = None,
    cancelled: IsCancelled | None = None,
) -> str:
    """The page as text; arguments as :func:`write_report`, and:

    Args:
        normalisation: of the pictures: ``"none"``, ``"lesion"`` or ``"scan"``.
        margin_mm: thickness of the shell that is called margin.
        comparison: a ``MapComparison`` of the result, for a section of its own.
        painting: a dose painting of it, likewise.
        images: of the case, by role, to be shown side by side where there are several.
        others: method and class of maps that the page does not show and that lie beside it.
        dose: what the lesions get of a planned dose, for a section of its own.
        private: texts that warnings may hold and the page must not, such as names of the input's nodes.
        made_at: the time to print (default: now).
        progress: is told the fraction done and what is being done.
        cancelled: is asked before each picture; True ends the work.
    """
    method, target = method or result.default_method, target or result.task.explained
    check_choice("method", method, result.units[0].methods)
    check_choice("class", target, result.task.targets)
    check_choice("normalisation", normalisation, NORMALISATIONS)
    threshold = threshold or Threshold()
    units = sorted(result.units, key=lambda unit: unit.probability)
    task, made_at = result.task, made_at or datetime.now().astimezone()
    compared = _compared(comparison, result, method, target)
    return render(
        "scan_report.html",
        title=title or task.report_title or f"{task.title}: prediction and explanation",
        about=f"{pluralize(len(units), task.unit)}, made by PulsarCAM {__version__} on {made_at:%Y-%m-%d %H:%M}",
        model=f"Model: {result.card.origin}",
        verdict=result.verdict,
        unit=task.unit,
        warnings=sections.warnings(result.warnings, private),
        units=sections.table(result, units, method, target, threshold, margin_mm),
        pictures=sections.pictures(result, units, volume, (method, target, normalisation), progress, cancelled),
        inputs=every_input(result, units, images or {}, method, target, cancelled),
        registration=registration(result, images or {}, cancelled),
        compared=compared,
        dose=_dose(dose, result, method, target),
        painted=_painted(painting, volume),
        model_card=sections.model(result),
        settings=[
            *sections.settings(result, method, target, threshold, normalisation, margin_mm),
            *sections.other_maps(result, others),
        ],
        words=definitions_of(
            result.card,
            method,
            threshold,
            margin_mm,
            stability=units[0].stability is not None,
            sets=units[0].conformal is not None,
            left_out=units[0].left_out is not None,
            made=result.made_with(method),
        ),
        provenance=sections.provenance(result),
    )


def _painted(painting: Painting | None, volume: np.ndarray) -> dict[str, Any] | None:
    if painting is None:
        return None
    from .painting import values_of

    return values_of(painting, volume)


def _compared(comparison: MapComparison | None, result: CaseResult, method: str, target: str) -> dict[str, Any] | None:
    if comparison is None:
        return None
    from .map_comparison import values_of

    return values_of(comparison, result, method, target)


def _dose(dose: CaseDose | None, result: CaseResult, method: str, target: str) -> dict[str, Any] | None:
    if dose is None:
        return None
    from .dose import values_of

    return values_of(dose, result, method, target)


@dataclass(frozen=True)
class Report:
    """The page as a file, of the first settings that are measured."""

    title = "writing the report"

    def names(self, content: Content) -> list[str]:
        """See :class:`..contract.Output`."""
        return [f"{content.prefix}report.html"]

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """See :class:`..contract.Output`."""
        shown = content.measured[0]
        write_report(
            content.result,
            content.case.reference_image.voxels,
            folder / self.names(content)[0],
            method=shown.method,
            target=PREDICTED if content.signed(shown) else content.large(shown),
            threshold=shown.threshold,
            normalisation=shown.normalisation,
            margin_mm=shown.margin_mm,
            comparison=content.comparison,
            painting=content.painting,
            images=content.case.images,
            private=content.private,
            dose=content.dose,
            others=[(each.method, each.target) for each in content.maps if not content.on_page(each, shown)],
            progress=on_progress,
            cancelled=is_cancelled,
        )
