"""The report of ``pulsarcam agreement``: what heat maps go with over a cohort, on one page."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from ... import __version__
from ...agreement.folder import AgreementTables
from ...agreement.voxel_measures import QUANTITY_TITLES
from ...core.pluralize import pluralize
from ...io.atomic import write_whole
from .agreement_narrative import LEVEL, map_title, maps_of, outcome_title, rows_of, sentences, verdict_of_model
from .templating import number, percent, render

SHOWN = 20
"""So many features are drawn and listed; all are in the table beside the page."""

TITLE = "What the heat maps go with, over a cohort"


def write_agreement_report(tables: AgreementTables, path: Path, *, overwrite: bool = False) -> Path:
    """Write the page; the file appears whole or not at all.

    Args:
        tables: what was found.
        path: of the HTML file.
        overwrite: replace a file that is already there.

    Raises:
        OutputError: the file exists and may not be replaced, or its place cannot be written.
    """
    return write_whole(path, agreement_html(tables).encode("utf-8"), overwrite=overwrite)


def agreement_html(tables: AgreementTables, made_at: datetime | None = None) -> str:
    """The page as text.

    Args:
        tables: what was found.
        made_at: the time to print (default: now).
    """
    facts, made_at = tables.facts, made_at or datetime.now().astimezone()
    about = f"{pluralize(int(facts['lesions']), 'lesion')} of {pluralize(int(facts['patients']), 'patient')}"
    return render(
        "cohort_agreement.html",
        title=TITLE,
        about=f"{about}, made by PulsarCAM {__version__} on {made_at:%Y-%m-%d %H:%M}",
        verdict=verdict_of_model(tables),
        model=f"Model: {facts['model']['origin']}",
        said=sentences(tables),
        maps=[_map(tables, *each) for each in maps_of(tables.summary)],
        features=_features(tables),
        words=_words(tables),
        settings=_settings(tables),
    )


def _map(tables: AgreementTables, method: str, target: str) -> dict[str, Any]:
    from ..pictures.cohort_agreement import draw_over_patients
    from ..pictures.inspection import png_bytes

    summary, depths = (rows_of(rows, method, target) for rows in (tables.summary, tables.depths))
    return {
        "title": map_title(method, target),
        "png": png_bytes(draw_over_patients(tables, method, target)),
        "about": "Left: mean partial rank correlation over the patients, with its 95 % interval; dots are patients' "
        "lesions. Right: concentration of the heat map by depth (1: as much as the volume there), with its 95 % "
        "interval.",
        "summary": [
            {
                "quantity": QUANTITY_TITLES[row["quantity"]],
                "partial": _strong(row["mean_partial"], row["p_adjusted"]),
                "interval": _interval(row["low"], row["high"]),
                "p": _p(row["p_adjusted"], row["undefined"]),
                "positive": f"{row['positive_patients']} of {row['patients']}",
            }
            for row in summary
        ],
        "depths": [
            {
                "place": _place(row),
                "activation": _percent(row["activation_share"]),
                "volume": _percent(row["volume_share"]),
                "concentration": _number(row["concentration"]),
                "interval": _interval(row["low"], row["high"]),
                "patients": row["patients"],
            }
            for row in depths
        ],
    }


def _features(tables: AgreementTables) -> dict[str, Any] | None:
    if not tables.features:
        return None
    from ..pictures.cohort_agreement import draw_features
    from ..pictures.inspection import png_bytes

    rows = tables.features[:SHOWN]
    outcome = outcome_title(str(tables.facts["options"]["outcome"]))
    return {
        "title": f"Features beside the {outcome}",
        "png": png_bytes(draw_features(rows)),
        "about": f"Rank correlation of features with the {outcome}, 95 % intervals: full, beyond what the lesion's "
        f"volume explains; hollow, plain. The {len(rows)} with the strongest evidence beyond volume; there are "
        f"{len(tables.features)}.",
        "rows": [
            {
                "name": row["feature"],
                "beyond": _strong(row["partial"], row["partial_p_adjusted"]),
                "beyond_interval": _interval(row["partial_low"], row["partial_high"]),
                "beyond_p": _p(row["partial_p_adjusted"], row["undefined"]),
                "plain": _strong(row["spearman"], row["p_adjusted"]),
                "plain_interval": _interval(row["low"], row["high"]),
                "plain_p": _p(row["p_adjusted"], row["undefined"]),
            }
            for row in rows
        ],
    }


def _place(row: dict) -> str:
    if row["region"] == "core":
        return f"core: deeper than {row['from_mm']:g} mm"
    name = "margin" if row["region"] == "margin" else "shell"
    return f"{name}: {row['from_mm']:g} to {row['to_mm']:g} mm"


def _number(value: float | None) -> str:
    return "–" if value is None else number(value)


def _percent(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _strong(value: float | None, p: float | None) -> dict[str, Any]:
    return {"value": _number(value), "is_strong": p is not None and p < LEVEL}


def _interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{number(low)} to {number(high)}"


def _p(value: float | None, why: str) -> dict[str, str]:
    if value is None:
        return {"value": "–", "why": why}
    return {"value": "< 0.001" if value < 0.001 else f"{value:.3f}", "why": ""}


def _words(tables: AgreementTables) -> list[tuple[str, str]]:
    words = [
        (
            "Partial correlation",
            "Spearman's, inside each lesion, after taking out what a map with the same value in every cell would show: "
            "interpolation alone lets any map of this resolution fall towards the border.",
        ),
        (
            "Over the patients",
            "Patients are the samples: each counts once, by the mean of its lesions. Intervals draw patients with "
            "replacement, p-values flip the signs of whole patients, adjusted for their number (Benjamini, Hochberg).",
        ),
        ("Concentration", "Share of the activation over share of the volume: 1 where the map is as high as elsewhere."),
    ]
    if tables.features:
        words.append(
            (
                "Beyond volume",
                "Large lesions differ from small ones in most features, and often in their maps. This is the rank "
                "correlation that is left when the ranks of the lesion's volume are taken out of both; a feature that "
                "is only another name for size has none.",
            )
        )
    return [*words, ("What it does not say", "That two things go together does not say why the model answered so.")]


def _settings(tables: AgreementTables) -> list[tuple[str, object]]:
    options, model = tables.facts["options"], tables.facts["model"]
    return [
        ("Heat map", map_title(str(options["method"]), str(options["target"]))),
        ("MRI", options["time_point"]),
        ("Margin, shells, gradient scale", f"{options['margin_mm']:g} mm, {options['shell_mm']:g} mm, "
         f"{options['sigma_mm']:g} mm"),
        ("Model", f"{model['name']}, weights {str(model['sha256'])[:16]}…"),
        ("PulsarCAM", tables.facts["pulsarcam"]),
        ("Privacy", "Lesions are row numbers of the cohort table, patients are numbers; no name is on this page."),
    ]  # fmt: skip
