"""Plots of a study as SVG that takes its ink from the page, so that it fits a dark screen and white paper alike."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .curves import GRID, MemberCurve, ModelCurves, TrainingCurve

INK, FAINT, LINE = "#0b0c0d", "#0c0d0e", "#0d0e0f"
"""Stand for the page's own colours."""

VARIABLES = {INK: "var(--ink)", FAINT: "var(--faint)", LINE: "var(--line)"}

COLORS = ("#1f8fd0", "#e07b00", "#2a9d5c", "#c2459e", "#8a6fd1", "#b59400", "#d1495b", "#5f8d9c")
"""Of the models, in their order; readable on light and dark."""

LEARNT_FROM, SET_ASIDE = COLORS[:2]

MOST_BANDS = 2
"""Models whose bands can be told apart."""

SIZE_INCHES = (3.7, 3.4)
SMALL, LINE_INCHES = 7.5, 0.15


def svg(figure: Figure, name: str, description: str) -> Markup:
    """The figure as an inline element without any reference to outside."""
    made = io.BytesIO()
    with rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(made, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = made.getvalue().decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\s(?:xmlns(?::xlink)?|version)="[^"]*"', "", text).replace("xlink:href", "href")
    # Several plots are in one page, and a name may be there once only.
    text = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    for color, variable in VARIABLES.items():
        text = text.replace(color, variable)
    head = f'<svg role="img" aria-label="{escape(description)}"'
    return Markup(re.sub(r'(width|height)="[\d.]+pt" ?', "", text, count=2).replace("<svg", head, 1).strip())


def panel(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    """An empty plot."""
    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, color=INK, fontsize=9.5)
    axes.set_xlabel(x, color=INK, fontsize=8.5)
    axes.set_ylabel(y, color=INK, fontsize=8.5)
    axes.tick_params(colors=FAINT, labelcolor=INK, labelsize=SMALL, length=3)
    axes.grid(color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_color(FAINT)
        spine.set_visible(side in ("left", "bottom"))
    return figure, axes


def legend(axes: Axes) -> None:
    """Beneath the plot, which keeps its size."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure = axes.figure
        figure.set_figheight(SIZE_INCHES[1] + LINE_INCHES * len(handles))
        style = {"fontsize": SMALL, "frameon": False, "labelcolor": INK, "handlelength": 1.6, "borderpad": 0.1}
        figure.legend(handles, labels, loc="outside lower center", **style)


def _square(axes: Axes) -> None:
    axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015), aspect="equal")
    ticks = np.linspace(0, 1, 6)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)


def roc(found: Sequence[ModelCurves], names: dict[str, str], colors: dict[str, str], title: str) -> Figure:
    """Pooled ROC curves, the trials' mean ± sd as a band, and the mean of the controls."""
    figure, axes = panel(title, "1 − specificity", "sensitivity")
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=":")
    for each in found:
        color = colors[each.results.model]
        if each.trials and each.trials.trials > 1 and len(found) <= MOST_BANDS:
            low, high = each.trials.mean - each.trials.sd, each.trials.mean + each.trials.sd
            axes.fill_between(GRID, low.clip(0, 1), high.clip(0, 1), color=color, alpha=0.16, linewidth=0)
        if each.controls:
            axes.plot(GRID, each.controls.mean, color=color, linewidth=1, linestyle="--", alpha=0.8)
        if each.roc.area is not None:
            label = f"{names[each.results.model]} {each.roc.area:.3f}"
            axes.plot(each.roc.x, each.roc.y, color=color, linewidth=1.7, label=label)
    if any(each.controls for each in found):
        axes.plot([], [], color=FAINT, linewidth=1.1, linestyle="--", label="control, mean of trials")
    _square(axes)
    legend(axes)
    return figure


def precision_recall(found: Sequence[ModelCurves], names: dict[str, str], colors: dict[str, str], title: str) -> Figure:
    """Pooled precision against recall; the dotted line is the share of the positive class, where chance lies."""
    figure, axes = panel(title, "sensitivity (recall)", "precision")
    for each in found:
        if each.precision_recall.area is None:
            continue
        label = f"{names[each.results.model]} {each.precision_recall.area:.3f}"
        # Without the point at which nothing is called, whose precision is 1 by convention only.
        curve = each.precision_recall
        axes.step(curve.x[1:], curve.y[1:], where="pre", color=colors[each.results.model], linewidth=1.7, label=label)
    for share in sorted({round(each.prevalence, 6) for each in found if np.isfinite(each.prevalence)}):
        axes.axhline(share, color=FAINT, linewidth=0.8, linestyle=":")
    _square(axes)
    legend(axes)
    return figure


def calibration(
    found: Sequence[ModelCurves], names: dict[str, str], colors: dict[str, str], title: str, did: str
) -> Figure:
    """Observed share of the positive class against the mean predicted probability, in bins of about equal counts."""
    figure, axes = panel(title, "mean predicted probability", f"share that {did}")
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=":")
    for each in found:
        x, y = [b.predicted for b in each.calibration], [b.observed for b in each.calibration]
        if x:
            color = colors[each.results.model]
            axes.plot(x, y, "o-", color=color, linewidth=1.2, markersize=4.5, label=names[each.results.model])
    _square(axes)
    legend(axes)
    return figure


def class_calibration(
    found: Sequence[ModelCurves], name: str, names: dict[str, str], colors: dict[str, str], title: str
) -> Figure:
    """Observed share of one class against its mean predicted probability; lines: 95 % intervals; how many beneath."""
    figure, axes = panel(title, f"mean predicted probability of {name}", f"share that was {name}")
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=":")
    for each in found:
        points = each.by_class.get(name, [])
        if not points:
            continue
        color, counts = colors[each.results.model], sorted({point.count for point in points})
        told = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        x, y = [point.predicted for point in points], [point.observed for point in points]
        reach = np.abs(np.array([point.interval() for point in points]).T - y)
        label = f"{names[each.results.model]} ({told} a point)"
        axes.errorbar(x, y, reach, fmt="o-", color=color, linewidth=1.2, elinewidth=0.7, markersize=4, label=label)
    _square(axes)
    legend(axes)
    return figure


def training(curves: Sequence[TrainingCurve], term: str, titles: dict[str, str], title: str) -> Figure:
    """Mean over trainings of one term, with their range; controls dashed."""
    figure, axes = panel(title, "epoch", term)
    order = list(dict.fromkeys((curve.model, curve.protocol) for curve in curves))
    for curve in curves:
        if term not in curve.terms:
            continue
        color = COLORS[order.index((curve.model, curve.protocol)) % len(COLORS)]
        mean, low, high = curve.terms[term]
        style = "--" if curve.control else "-"
        if not curve.control:
            axes.fill_between(curve.epochs, low, high, color=color, alpha=0.16, linewidth=0)
        label = titles[curve.protocol] + (", control" if curve.control else "")
        axes.plot(curve.epochs, mean, style, color=color, linewidth=1.4, label=label)
    axes.margins(x=0.01)
    legend(axes)
    return figure


def members(curves: Sequence[MemberCurve], term: str, title: str) -> Figure:
    """One term of every member: lesions learnt from, and patients set aside; a dot where its weights were taken."""
    figure, axes = panel(title, "epoch", term)
    kinds = (("training", "training", LEARNT_FROM), ("validation", "validation patients", SET_ASIDE))
    for kind, label, color in kinds:
        for each in curves:
            values = getattr(each, kind).get(term)
            if values is None:
                continue
            there = np.isfinite(values)
            axes.plot(each.epochs[there], values[there], color=color, linewidth=1.2, alpha=0.8, label=label)
            if there[each.best_epoch - 1]:
                axes.plot(each.best_epoch, values[each.best_epoch - 1], "o", color=color, markersize=3.5)
            label = None
    axes.margins(x=0.01)
    legend(axes)
    return figure
