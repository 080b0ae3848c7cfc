"""The report of ``pulsarcam agreement``: what heat maps go with over a cohort, on one page."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ... import __version__
from ...agreement.folder import AgreementTables
from ...agreement.voxel_measures import QUANTITY_TITLES
from ...core.pluralize import pluralize
from ...io.atomic import write_whole
from . import markup
from .agreement_narrative import LEVEL, OUTCOME_TITLES, map_title, maps_of, rows_of, sentences
from .markup import number, text
from .page import RESEARCH_ONLY

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
    model = f"Model: {facts['model']['origin']}"
    return markup.page(
        TITLE,
        f"{about}, made by PulsarCAM {__version__} on {made_at:%Y-%m-%d %H:%M}",
        f'<p class="origin"><strong>{text(RESEARCH_ONLY)}</strong><br>{text(model)}</p>',
        [
            markup.section("In words", markup.paragraphs(sentences(tables))),
            *(_map(tables, *each) for each in maps_of(tables.summary)),
            _features(tables),
            markup.section("What the words mean", markup.definitions(_words(tables))),
            markup.section("Settings", markup.definitions(_settings(tables))),
        ],
        f"{RESEARCH_ONLY} {model}.",
    )


def _map(tables: AgreementTables, method: str, target: str) -> str:
    from ..pictures.cohort_agreement import draw_over_patients

    summary, depths = (rows_of(rows, method, target) for rows in (tables.summary, tables.depths))
    heads = ("The heat map and", "Partial correlation", "95 % interval", "Adjusted p", "Patients above 0")
    cells = [
        [
            text(QUANTITY_TITLES[row["quantity"]]),
            _strong(row["mean_partial"], row["p_adjusted"]),
            _interval(row["low"], row["high"]),
            _p(row["p_adjusted"], row["undefined"]),
            f"{row['positive_patients']} of {row['patients']}",
        ]
        for row in summary
    ]
    places = ("Where", "Share of the activation", "Share of the volume", "Concentration", "95 % interval", "Patients")
    lying = [
        [
            text(_place(row)),
            _percent(row["activation_share"]),
            _percent(row["volume_share"]),
            _number(row["concentration"]),
            _interval(row["low"], row["high"]),
            str(row["patients"]),
        ]
        for row in depths
    ]
    about = (
        "Left: mean partial rank correlation over the patients, with its 95 % interval; dots are patients' lesions. "
        "Right: concentration of the heat map by depth (1: as much as the volume there), with its 95 % interval."
    )
    return markup.section(
        map_title(method, target),
        _figure(draw_over_patients(tables, method, target), about),
        f'<div class="scroll">{markup.table(heads, cells)}</div>',
        '<p class="sub">Where it lies, each patient counting once:</p>',
        f'<div class="scroll">{markup.table(places, lying)}</div>',
    )


def _features(tables: AgreementTables) -> str:
    if not tables.features:
        return ""
    from ..pictures.cohort_agreement import draw_features

    rows = tables.features[:SHOWN]
    heads = ("Feature", "Beyond volume", "95 % interval", "Adjusted p", "Plain", "95 % interval", "Adjusted p")
    cells = [
        [
            text(row["feature"]).replace("_", "_<wbr>"),
            _strong(row["partial"], row["partial_p_adjusted"]),
            _interval(row["partial_low"], row["partial_high"]),
            _p(row["partial_p_adjusted"], row["undefined"]),
            _strong(row["spearman"], row["p_adjusted"]),
            _interval(row["low"], row["high"]),
            _p(row["p_adjusted"], row["undefined"]),
        ]
        for row in rows
    ]
    outcome = OUTCOME_TITLES[str(tables.facts["options"]["outcome"])]
    about = (
        f"Rank correlation of features with the {outcome}, 95 % intervals: full, beyond what the lesion's volume "
        f"explains; hollow, plain. The {len(rows)} with the strongest evidence beyond volume; there are "
        f"{len(tables.features)}."
    )
    return markup.section(
        f"Features beside the {outcome}",
        _figure(draw_features(rows), about),
        f'<div class="scroll">{markup.table(heads, cells)}</div>',
    )


def _figure(figure, about: str) -> str:
    from ..pictures.inspection import png_bytes

    return f"<figure>{markup.image(png_bytes(figure), about)}<figcaption>{text(about)}</figcaption></figure>"


def _place(row: dict) -> str:
    if row["region"] == "core":
        return f"core: deeper than {row['from_mm']:g} mm"
    name = "margin" if row["region"] == "margin" else "shell"
    return f"{name}: {row['from_mm']:g} to {row['to_mm']:g} mm"


def _number(value: float | None) -> str:
    return "–" if value is None else number(value)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _strong(value: float | None, p: float | None) -> str:
    return f"<strong>{_number(value)}</strong>" if p is not None and p < LEVEL else _number(value)


def _interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{number(low)} to {number(high)}"


def _p(value: float | None, why: str) -> str:
    if value is None:
        return f"<small>{text(why)}</small>" if why else "–"
    return "&lt; 0.001" if value < 0.001 else f"{value:.3f}"


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
