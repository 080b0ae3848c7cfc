"""Scores of a cohort in tables: which map finds the planted tissue, and does it beat the trivial ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...core.task import LESION
from ...evaluation.discrimination import Discrimination, discrimination, paired_difference
from ...systems.registry import system_of
from ..maps import MapNames, is_trivial, map_names, map_title
from .map_scores import SPACES, MapScores
from .synthetic_scores import LesionScore

MEASURES = ("auroc", "dice", "pointing")

FEWEST_PATIENTS = 6
"""To call a map better: with five, all on one side, a sign test has p = 0.06, and an interval tells nothing."""


def prediction_summary(rows: Sequence[LesionScore], **options) -> Discrimination:
    """AUC of response over all lesions."""
    return discrimination(*prediction_columns(rows), **options)


def prediction_columns(rows: Sequence[LesionScore]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities of response and patients, ``[N]`` each."""
    columns = zip(*((row.response, row.probability, row.patient) for row in rows), strict=True)
    return tuple(map(np.array, columns))


def map_summary(rows: Sequence[LesionScore | MapScores], resamples: int = 2000, names: MapNames | None = None) -> dict:
    """Means of each map's scores, and of the differences between each method and the best trivial map.

    Args:
        rows: those without scores of maps are left out.
        resamples: bootstrap samples of patients.
        names: of the maps; None: those of the system that comes first.

    Returns:
        JSON values: per space ``lesions`` (scored), ``undefined`` (reasons and counts), ``maps`` (per map the means and
        their 95 % intervals over patients) and ``against_trivial`` (per method and measure the trivial map that does
        best on these lesions, the mean difference and its interval, and whether the method is clearly better).
    """
    names = names or map_names(system_of())
    scored = [row for row in rows if row.maps]
    spaces = [space for space in SPACES if not scored or (space, names.model[0]) in scored[0].maps]
    return {space: _space_summary(scored, space, resamples, names) for space in spaces}


def _space_summary(scored: Sequence[LesionScore | MapScores], space: str, resamples: int, names: MapNames) -> dict:
    every = (*names.model, *names.trivial)
    reasons = [row.maps[space, every[0]].undefined for row in scored]
    rows = [row for row, reason in zip(scored, reasons, strict=True) if not reason]
    patients = np.array([row.patient for row in rows])
    values = {
        (name, measure): np.array([getattr(row.maps[space, name], measure) for row in rows])
        for name in every
        for measure in MEASURES
    }
    zero = np.zeros(len(rows))
    maps: dict[str, dict] = {name: {} for name in every}
    for (name, measure), column in values.items():
        mean = paired_difference(column, zero, patients, resamples=resamples)
        maps[name][measure] = {"mean": mean.mean, "low": mean.low, "high": mean.high}
    of_class = [name for name in names.model if not names.system.method(name).signed]
    return {
        "lesions": len(rows),
        "patients": len(np.unique(patients)),
        "undefined": {reason: reasons.count(reason) for reason in sorted(set(reasons)) if reason},
        "empty_maps": {name: sum(name in row.empty for row in scored) for name in of_class},
        "maps": maps,
        "against_trivial": {
            name: {
                measure: _against_trivial(values, name, measure, patients, resamples, names.trivial)
                for measure in MEASURES
            }
            for name in names.model
        },
    }


def _against_trivial(
    values: dict, name: str, measure: str, patients: np.ndarray, resamples: int, trivial_names: Sequence[str]
) -> dict:
    best = max(trivial_names, key=lambda trivial: values[trivial, measure].mean())
    gain = paired_difference(values[name, measure], values[best, measure], patients, resamples=resamples)
    better = gain.better and len(np.unique(patients)) >= FEWEST_PATIENTS
    return {"trivial": best, "mean": gain.mean, "low": gain.low, "high": gain.high, "better": better}


def map_rows(summary: dict, space: str, unit: str = LESION) -> list[list[str]]:
    """One row per map of one space of :func:`map_summary`, the headings first; ``unit`` is whose voxels count."""
    part = summary[space]
    rows = [
        [
            "map",
            f"AUROC in the {'GTV' if unit == LESION else unit}",
            "Dice of the top fraction",
            "pointing game",
            "better than every trivial map",
        ]
    ]
    for name, scores in part["maps"].items():
        cells = [_interval(scores[measure]) for measure in MEASURES]
        rows.append([map_title(name), *cells, _verdict(part, name)])
    return rows


def map_table(summary: dict, space: str, unit: str = LESION) -> str:
    """The same as a Markdown table."""
    heads, *rows = map_rows(summary, space, unit)
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))


def _verdict(part: dict, name: str) -> str:
    if is_trivial(name):
        return ""
    if part["patients"] < FEWEST_PATIENTS:
        return "too few patients to say"
    gains = part["against_trivial"][name]
    words = {"auroc": "AUROC", "dice": "Dice", "pointing": "pointing"}
    yes = [words[m] for m in MEASURES if gains[m]["better"]]
    no = [words[m] for m in MEASURES if not gains[m]["better"]]
    if not no:
        return "yes, in all three"
    return f"{'only in ' + ', '.join(yes) if yes else 'no'} (not in {', '.join(no)})"


def _interval(value: dict) -> str:
    return f"{value['mean']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
