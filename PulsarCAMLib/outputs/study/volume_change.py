"""The volume change as a number in a study's report: sentences, table, plot, file."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ...core.pluralize import capital
from ...study.figures.entries import HONEST
from . import plots
from .tables import as_csv

HEADINGS = ("protocol", "model", "time_point", "lesion", "measured_percent", "predicted_percent")

FIGURES = {
    "r2": "R2 of the logarithm",
    "mean_absolute_error": "mean error, % of the first volume",
    "spearman": "correlation of ranks",
    "slope": "slope (1: it means what it says)",
}

ABOUT = (
    "How much of its volume a lesion keeps at follow-up, predicted for lesions that the split holds out, by ridge "
    "regression on what each model learns from; mean of the trials that held a lesion out; 95 % intervals: bootstrap "
    "over patients. R2 is the share of the variance that is explained: 0 is no better than telling everybody the mean. "
    "In brackets the control: changes dealt out anew among the lesions."
)


def section(summary: dict[str, Any]) -> dict[str, Any] | None:
    """For the page; None where the study does not ask for it."""
    entries = summary.get("volume_change")
    if not entries:
        return None
    titles = {protocol["name"]: protocol["title"] for protocol in summary["protocols"]}
    names = {model["name"]: model["title"] for model in summary["models"]}
    rows = [
        [titles[each["protocol"]], names[each["model"]], str(each["lesions"]), *(_cell(each, name) for name in FIGURES)]
        for each in entries
    ]
    panels = []
    for protocol in titles:
        own = [each for each in entries if each["protocol"] == protocol]
        if own:
            figure = scatter(own, names, titles[protocol])
            panels.append(plots.svg(figure, f"volume-change-{protocol}", f"Predicted volume: {titles[protocol]}"))
    heads = ("Protocol", "Model", "Lesions", *map(capital, FIGURES.values()))
    return {"about": ABOUT, "said": sentences(summary), "heads": heads, "rows": rows, "panels": panels}


def sentences(summary: dict[str, Any]) -> list[str]:
    """What the figures say of new patients, one sentence a model."""
    names = {model["name"]: model["title"] for model in summary["models"]}
    said = []
    for each in summary.get("volume_change") or ():
        if each["protocol"] not in HONEST:
            continue
        r2, error = each["figures"]["r2"], each["figures"]["mean_absolute_error"]
        if r2["value"] is None:
            said.append(f"{names[each['model']]}: too few lesions to say anything of the volume change.")
            continue
        if r2["low"] is None:
            how = "whether it is better than the mean cannot be said with so few patients"
        elif r2["low"] > 0:
            how = "better than telling everybody the mean"
        else:
            how = "not distinguishable from telling everybody the mean"
        said.append(
            f"{names[each['model']]}: for new patients the volume change is predicted {how} "
            f"(R2 {_amount(r2, 2)}; off by {_amount(error, 0)} % of the first volume on average)."
            if r2["low"] is not None
            else f"{names[each['model']]}: {how} (R2 {r2['value']:.2f})."
        )
    return said


def lines(summary: dict[str, Any]) -> list[str]:
    """For the command line."""
    said = sentences(summary)
    return ["", "Volume at follow-up", *said] if said else []


def table(summary: dict[str, Any]) -> str:
    """``volume_change.csv``: every held-out lesion, measured and predicted, in percent of its first volume."""
    rows = []
    for each in summary["volume_change"]:
        points = each["points"]
        head = (each["protocol"], each["model"], each["time_point"])
        rows += [(*head, *values) for values in zip(*points.values(), strict=True)]
    return as_csv(HEADINGS, rows)


def scatter(entries: list[dict[str, Any]], names: dict[str, str], title: str) -> Figure:
    """Predicted against measured volume in percent of the first, both on logarithmic axes; the line is equality."""
    figure, axes = plots.panel(title, "measured, % of first volume", "predicted, % of first volume")
    every = [entry["points"][key] for entry in entries for key in ("measured_percent", "predicted_percent")]
    low, high = (float(f(np.concatenate(every))) for f in (np.min, np.max))
    ends = low / 1.15, high * 1.15
    axes.plot(ends, ends, color=plots.FAINT, linewidth=0.8, linestyle=":")
    for n, entry in enumerate(entries):
        x, y = (entry["points"][key] for key in ("measured_percent", "predicted_percent"))
        color = plots.COLORS[n % len(plots.COLORS)]
        axes.plot(x, y, "o", color=color, markersize=3.5, alpha=0.7, linewidth=0, label=names[entry["model"]])
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends, aspect="equal")
    ticks = [value for value in (5, 10, 20, 50, 100, 200, 500, 1000, 2000) if ends[0] <= value <= ends[1]]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [str(value) for value in ticks])
        axis.set_ticks([], minor=True)
    plots.legend(axes)
    return figure


def _cell(entry: dict[str, Any], name: str) -> str:
    digits = 0 if name == "mean_absolute_error" else 2
    control = (entry["control"] or {}).get(name)
    told = f" [{control['value']:.{digits}f}]" if control and control["value"] is not None else ""
    return _amount(entry["figures"][name], digits) + told


def _amount(amount: dict[str, Any], digits: int) -> str:
    if amount["value"] is None:
        return "–"
    text = f"{amount['value']:.{digits}f}"
    return text if amount["low"] is None else f"{text} ({amount['low']:.{digits}f} to {amount['high']:.{digits}f})"
