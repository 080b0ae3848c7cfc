"""A picture of a comparison: what the heat maps agree with, and how deep in the lesions they lie."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...agreement.map_comparison import MapComparison
from ...core.task import LESION, Task
from .canvas import FAINT, INK, PAPER

SIZE_INCHES, DOTS_PER_INCH = (12.4, 4.2), 100
LEVEL = 0.05
MOST_NAMED = 8
"""With more lesions than this their names would cover the lines."""


def draw_agreement(comparison: MapComparison, method: str, target: str, task: Task) -> Figure:
    """The figure, on an Agg canvas.

    Args:
        comparison: what was found.
        method, target: of the heat map that is drawn.
        task: what was asked.
    """
    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    names = list(dict.fromkeys(comparison.lesions))
    shades = colormaps["turbo"](np.linspace(0.15, 0.85, max(2, len(names))))
    colors = dict(zip(names, shades, strict=False))
    _correlations(left, comparison.rows_of(comparison.agreement, method, target), colors, comparison)
    _profiles(right, comparison.profile(method, target), list(colors.values()), comparison.lesions, task)
    for axes in (left, right):
        axes.set_facecolor(PAPER)
        axes.tick_params(colors=INK, labelsize=9)
        axes.spines[:].set_color(FAINT)
        axes.title.set_color(INK)
        axes.xaxis.label.set_color(INK)
        axes.yaxis.label.set_color(INK)
    return figure


def _correlations(axes, rows: list[dict], colors: dict, comparison: MapComparison) -> None:
    """One dot per lesion and quantity; full where the p-value is below the level."""
    names = comparison.quantities
    for row in rows:
        if row["partial"] is None:
            continue
        place = names.index(row["quantity"]) + 0.5 * (_rank(row["lesion"], colors) - 0.5)
        p = row["partial_p_adjusted"]
        color = colors[row["lesion"]]
        full = color if p is not None and p < LEVEL else "none"
        axes.plot(row["partial"], place, "o", markersize=6, markeredgecolor=color, markerfacecolor=full)
    axes.axvline(0, color=FAINT, linewidth=1)
    axes.set(xlim=(-1, 1), ylim=(len(names) - 0.5, -0.5), xlabel="partial rank correlation with the heat map")
    axes.set_yticks(range(len(names)), [comparison.title_of(name).replace("$", r"\$") for name in names])
    axes.set_title(f"What it goes with (full: p < {LEVEL:g}, adjusted)", fontsize=10)


def _rank(name: str, colors: dict) -> float:
    return list(colors).index(name) / max(1, len(colors) - 1) if len(colors) > 1 else 0.5


def _profiles(axes, profile: list[dict], shades: list, names: tuple[str, ...], task: Task) -> None:
    columns = [name for name in profile[0] if name != "depth_mm"] if profile else []
    for n, column in enumerate(columns):
        points = [(row["depth_mm"], row[column]) for row in profile if row[column] is not None]
        color = shades[n % len(shades)]
        axes.plot(*np.transpose(points) if points else ([], []), "-o", color=color, markersize=3.5, label=names[n])
    axes.axhline(1, color=FAINT, linewidth=1, linestyle="--")
    surface = "lesion's surface" if task.unit == LESION else f"surface of the {task.region}"
    axes.set(xlabel=f"depth under the {surface} (mm)", ylabel="concentration", xlim=(0, None), ylim=(0, None))
    axes.set_title("Where it lies (1: as much as the shell's volume)", fontsize=10)
    if 0 < len(columns) <= MOST_NAMED:
        axes.legend(fontsize=8, facecolor=PAPER, edgecolor=FAINT, labelcolor=INK)
