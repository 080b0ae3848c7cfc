"""The report of one scan: a single HTML file with its pictures inside, without scripts and without a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from ... import __version__
from ...core.display import Threshold, check_choice
from ...core.map_methods import METHODS, TARGETS
from ...core.pluralize import pluralize
from ...core.vocabulary import DEFAULT_MARGIN_MM, NORMALISATIONS
from ...explanation.result import CaseResult
from ...io.atomic import check_place, write_whole
from . import markup, sections
from .glossary import definitions_of
from .markup import text

RESEARCH_ONLY = "Research use only: not a medical device, not for diagnosis or treatment decisions."

Progress = Callable[[float, str], None]


def write_report(
    result: CaseResult,
    volume: np.ndarray,
    path: str | Path,
    *,
    method: str = METHODS[0],
    target: str = TARGETS[0],
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
        method: a computed method or ``"pixelwise-signed"``.
        target: ``"non-response"``, ``"response"`` or ``"predicted"``.
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
    method: str = METHODS[0],
    target: str = TARGETS[0],
    threshold: Threshold | None = None,
    title: str | None = None,
    normalisation: str = "none",
    margin_mm: float = DEFAULT_MARGIN_MM,
    comparison=None,
    private: Sequence[str] = (),
    made_at: datetime | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> str:
    """The page as text; arguments as :func:`write_report`, and:

    Args:
        normalisation: of the pictures: ``"none"``, ``"lesion"`` or ``"scan"``.
        margin_mm: thickness of the shell that is called margin.
        comparison: a ``MapComparison`` of the result, for a section of its own.
        private: texts that warnings may hold and the page must not, such as names of the input's nodes.
        made_at: the time to print (default: now).
        progress: is told the fraction done and what is being done.
        cancelled: is asked before each picture; True ends the work.
    """
    check_choice("method", method, result.lesions[0].methods)
    check_choice("class", target, TARGETS)
    check_choice("normalisation", normalisation, NORMALISATIONS)
    threshold = threshold or Threshold()
    lesions = sorted(result.lesions, key=lambda lesion: lesion.probability)
    title = title or "Response of brain metastases: prediction and explanation"
    words = definitions_of(result.card, method, threshold, margin_mm)
    parts = [
        sections.warnings(result.warnings, private),
        sections.table(result, lesions, method, target, threshold, margin_mm),
        sections.pictures(result, lesions, volume, (method, target, normalisation), progress, cancelled),
        _compared(comparison, method, target),
        sections.model(result),
        sections.settings(result, method, target, threshold, normalisation, margin_mm),
        markup.section("What the words mean", markup.definitions(words)),
        sections.provenance(result),
    ]
    made_at = made_at or datetime.now().astimezone()
    model = f"Model: {result.card.origin}"
    return markup.page(
        title,
        f"{pluralize(len(lesions), 'lesion')}, made by PulsarCAM {__version__} on {made_at:%Y-%m-%d %H:%M}",
        f'<p class="origin"><strong>{text(RESEARCH_ONLY)}</strong><br>{text(model)}</p>',
        parts,
        f"{RESEARCH_ONLY} {model}.",
    )


def _compared(comparison, method: str, target: str) -> str:
    if comparison is None:
        return ""
    from .map_comparison import section

    return section(comparison, method, target)
