"""Scores of a cohort in tables: which map finds the planted tissue, and does it beat the trivial ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..evaluation.discrimination import Discrimination, discrimination, paired_difference
from .localisation import TRIVIAL
from .maps import METHODS, SIGNED, TITLES
from .synthetic_scores import MAPS, SPACES, LesionScore

MEASURES = ("auroc", "dice", "pointing")

TRIVIAL_TITLES = {
    "intensity": "image intensity",
    "intensity reversed": "image intensity, reversed",
    "near the centre": "nearness to the centre",
    "near the margin": "nearness to the margin",
    "uniform": "uniform (chance)",
}


def prediction_summary(rows: Sequence[LesionScore], **options) -> Discrimination:
    """AUC of response over all lesions."""
    return discrimination(*prediction_columns(rows), **options)


def prediction_columns(rows: Sequence[LesionScore]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities of response and patients, ``[N]`` each."""
    columns = zip(*((row.response, row.probability, row.patient) for row in rows), strict=True)
    return tuple(map(np.array, columns))


def map_summary(rows: Sequence[LesionScore], resamples: int = 2000) -> dict:
    """Means of each map's scores, and of the differences between each method and the best trivial map.

    Returns:
        JSON values: per space ``lesions`` (scored), ``undefined`` (reasons and counts), ``maps`` (per map the means and
        their 95 % intervals over patients) and ``against_trivial`` (per method and measure the trivial map that does
        best on these lesions, the mean difference and its interval, and whether the method is clearly better).
    """
    scored = [row for row in rows if row.maps]
    return {space: _space_summary(scored, space, resamples) for space in SPACES}


def _space_summary(scored: Sequence[LesionScore], space: str, resamples: int) -> dict:
    reasons = [row.maps[space, MAPS[0]].undefined for row in scored]
    rows = [row for row, reason in zip(scored, reasons, strict=True) if not reason]
    patients = np.array([row.patient for row in rows])
    values = {
        (name, measure): np.array([getattr(row.maps[space, name], measure) for row in rows])
        for name in MAPS
        for measure in MEASURES
    }
    zero = np.zeros(len(rows))
    maps: dict[str, dict] = {name: {} for name in MAPS}
    for (name, measure), column in values.items():
        mean = paired_difference(column, zero, patients, resamples=resamples)
        maps[name][measure] = {"mean": mean.mean, "low": mean.low, "high": mean.high}
    return {
        "lesions": len(rows),
        "patients": len(np.unique(patients)),
        "undefined": {reason: reasons.count(reason) for reason in sorted(set(reasons)) if reason},
        "empty_maps": {name: sum(name in row.empty for row in scored) for name in METHODS},
        "maps": maps,
        "against_trivial": {
            name: {measure: _against_trivial(values, name, measure, patients, resamples) for measure in MEASURES}
            for name in (*METHODS, SIGNED)
        },
    }


def _against_trivial(values: dict, name: str, measure: str, patients: np.ndarray, resamples: int) -> dict:
    best = max(TRIVIAL, key=lambda trivial: values[trivial, measure].mean())
    gain = paired_difference(values[name, measure], values[best, measure], patients, resamples=resamples)
    return {"trivial": best, "mean": gain.mean, "low": gain.low, "high": gain.high, "better": gain.better}


def map_rows(summary: dict, space: str) -> list[list[str]]:
    """One row per map of one space of :func:`map_summary`, the headings first."""
    part = summary[space]
    rows = [["map", "AUROC in the GTV", "Dice of the top fraction", "pointing game", "better than every trivial map"]]
    for name in MAPS:
        cells = [_interval(part["maps"][name][measure]) for measure in MEASURES]
        rows.append([TITLES.get(name) or TRIVIAL_TITLES[name], *cells, _verdict(part, name)])
    return rows


def map_table(summary: dict, space: str) -> str:
    """The same as a Markdown table."""
    heads, *rows = map_rows(summary, space)
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))


def _verdict(part: dict, name: str) -> str:
    if name in TRIVIAL:
        return ""
    gains = part["against_trivial"][name]
    words = {"auroc": "AUROC", "dice": "Dice", "pointing": "pointing"}
    yes = [words[m] for m in MEASURES if gains[m]["better"]]
    no = [words[m] for m in MEASURES if not gains[m]["better"]]
    if not no:
        return "yes, in all three"
    return f"{'only in ' + ', '.join(yes) if yes else 'no'} (not in {', '.join(no)})"


def _interval(value: dict) -> str:
    return f"{value['mean']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
