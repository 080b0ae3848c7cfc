"""Pictures of a cohort's agreement: what the maps go with, how deep they lie, which features go with them."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...agreement.folder import AgreementTables
from ...agreement.voxel_measures import QUANTITIES, QUANTITY_TITLES
from .agreement import DOTS_PER_INCH, LEVEL, SIZE_INCHES
from .canvas import FAINT, INK, PAPER

BRIGHT, SECOND = "#4aa8dd", "#ffb454"
BAND = 0.5
"""Height of the band in which a quantity's lesions are scattered."""

LINE_INCHES, PAD_INCHES = 0.3, 0.1
LONGEST_NAME = 60


def draw_over_patients(tables: AgreementTables, method: str, target: str) -> Figure:
    """Correlations and depths of one heat map over the patients, on an Agg canvas."""
    figure = _figure(SIZE_INCHES)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    own = [
        [row for row in rows if (row["map_method"], row["map_class"]) == (method, target)]
        for rows in (tables.agreement, tables.summary, tables.depths)
    ]
    _correlations(left, own[0], own[1])
    _depths(right, [row for row in own[2] if row["region"].startswith("shell") and row["concentration"] is not None])
    for axes in (left, right):
        _ink(axes)
    return figure


def draw_features(rows: list[dict]) -> Figure:
    """Correlations of features, plain and beyond volume, each with its interval; on an Agg canvas.

    Args:
        rows: of :func:`...agreement.features`, with ``partial``, from above.
    """
    figure = _figure((SIZE_INCHES[0], 1.1 + LINE_INCHES * len(rows)))
    axes = figure.subplots()
    for what, names, color, shift in (
        ("beyond the lesion's volume", ("partial", "partial_low", "partial_high"), BRIGHT, -0.14),
        ("plain", ("spearman", "low", "high"), SECOND, 0.14),
    ):
        label = what
        for place, row in enumerate(rows):
            value, low, high = (row[name] for name in names)
            if value is None:
                continue
            if low is not None and high is not None:
                axes.plot((low, high), (place + shift,) * 2, color=color, linewidth=1.4)
            face = color if what != "plain" else PAPER
            axes.plot(value, place + shift, "o", color=color, markerfacecolor=face, markersize=5.5, label=label)
            label = None
    axes.set(xlim=(-1, 1), ylim=(len(rows) - 0.4, -0.6), xlabel="rank correlation")
    axes.set_yticks(range(len(rows)), [_short(row["feature"]) for row in rows])
    axes.axvline(0, color=FAINT, linewidth=1)
    _ink(axes)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            fontsize=8.5, facecolor=PAPER, edgecolor=FAINT, labelcolor=INK, ncols=2, loc="lower right",
            bbox_to_anchor=(1, 1),
        )  # fmt: skip
    return figure


def _figure(size: tuple[float, float]) -> Figure:
    figure = Figure(figsize=size, dpi=DOTS_PER_INCH, facecolor=PAPER, layout="constrained")
    figure.get_layout_engine().set(w_pad=PAD_INCHES, h_pad=PAD_INCHES)
    FigureCanvasAgg(figure)
    return figure


def _correlations(axes, lesions: list[dict], summary: list[dict]) -> None:
    for name in QUANTITIES:
        place = QUANTITIES.index(name)
        values = [row["partial"] for row in lesions if row["quantity"] == name and row["partial"] is not None]
        spread = BAND * (np.linspace(0, 1, len(values)) - 0.5) if len(values) > 1 else np.zeros(len(values))
        axes.plot(values, place + spread, ".", color=FAINT, markersize=3.5, alpha=0.6)
    for row in summary:
        if row["mean_partial"] is None:
            continue
        place = QUANTITIES.index(row["quantity"])
        clear = row["p_adjusted"] is not None and row["p_adjusted"] < LEVEL
        if row["low"] is not None:
            axes.plot((row["low"], row["high"]), (place, place), color=BRIGHT, linewidth=2.4)
        axes.plot(
            row["mean_partial"], place, "o", markersize=8, markeredgecolor=BRIGHT,
            markerfacecolor=BRIGHT if clear else PAPER, markeredgewidth=1.6,
        )  # fmt: skip
    axes.axvline(0, color=FAINT, linewidth=1)
    axes.set(xlim=(-1, 1), ylim=(len(QUANTITIES) - 0.5, -0.5), xlabel="partial rank correlation with the heat map")
    axes.set_yticks(range(len(QUANTITIES)), [QUANTITY_TITLES[name] for name in QUANTITIES])
    axes.set_title(f"What it goes with (full: p < {LEVEL:g}, adjusted)", fontsize=10)


def _depths(axes, shells: list[dict]) -> None:
    middles = [(row["from_mm"] + row["to_mm"]) / 2 for row in shells]
    known = [(m, row) for m, row in zip(middles, shells, strict=True) if row["low"] is not None]
    axes.fill_between(
        [m for m, _ in known], [row["low"] for _, row in known], [row["high"] for _, row in known],
        color=BRIGHT, alpha=0.25, linewidth=0,
    )  # fmt: skip
    axes.plot(middles, [row["concentration"] for row in shells], "-o", color=BRIGHT, markersize=5)
    axes.axhline(1, color=FAINT, linewidth=1, linestyle="--")
    top = max((row["high"] or row["concentration"] for row in shells), default=1)
    axes.set(xlabel="depth under the lesion's surface (mm)", ylabel="concentration", xlim=(0, None))
    axes.set_ylim(0, 1.18 * max(top, 1))
    for middle, row in zip(middles, shells, strict=True):
        axes.annotate(
            str(row["patients"]), (middle, 0), xytext=(0, 3), textcoords="offset points", color=FAINT, fontsize=8,
            ha="center",
        )  # fmt: skip
    axes.set_title("Where it lies (below: patients whose lesions reach so deep)", fontsize=10)


def _short(name: str) -> str:
    name = name.removeprefix("radiomics_").replace("_", " ")
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _ink(axes) -> None:
    axes.set_facecolor(PAPER)
    axes.tick_params(colors=INK, labelsize=9)
    axes.spines[:].set_color(FAINT)
    for part in (axes.title, axes.xaxis.label, axes.yaxis.label):
        part.set_color(INK)
