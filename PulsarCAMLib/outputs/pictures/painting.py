"""A picture of a dose painting: prescription and spread over the MRI, lesion by lesion, and how a dose fits it."""

from __future__ import annotations

from textwrap import fill

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...painting.doubts import why_no_spread
from ...painting.paint import PaintedLesion, Painting
from ...painting.settings import LABEL
from .overlay import FAINT, INK, PAPER

MOST_DRAWN = 6
"""Lesions with a row each; those with the largest boost."""

SURROUNDINGS_MM = 8.0
INCHES, DOTS_PER_INCH = 3.6, 100


def draw_painting(painting: Painting, volume: np.ndarray) -> Figure:
    """The figure, on an Agg canvas.

    Args:
        painting: what would be prescribed.
        volume: the MRI ``[k, j, i]``.
    """
    shown = sorted(painting.lesions, key=lambda each: -each.boost.voxels)[:MOST_DRAWN]
    rows, columns = len(shown), 3 if painting.histogram else 2
    size = (INCHES * columns + 0.6, INCHES * rows + 0.7)
    figure = Figure(figsize=size, dpi=DOTS_PER_INCH, facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    low, high = painting.settings.levels
    for line, each in zip(axes, shown, strict=True):
        k = _slice(each)
        _over(figure, line[0], painting, volume, each, k, each.dose, (low, high), "Gy prescribed")
        unknown = why_no_spread(each.row)
        spread = np.full_like(each.spread, np.nan) if unknown else each.spread
        _over(figure, line[1], painting, volume, each, k, spread, (0, (high - low) / 2), "Gy, spread of members")
        if unknown:
            how = {"ha": "center", "va": "bottom", "fontsize": 8, "color": INK, "transform": line[1].transAxes}
            frame = {"facecolor": PAPER, "edgecolor": FAINT, "alpha": 0.85}
            line[1].text(0.5, 0.06, fill(f"No spread to show: {unknown}", 40), bbox=frame, **how)
        line[0].set_title(f"{_plain(each.name)}, slice {k}", fontsize=9, color=INK)
        line[1].set_title(_sure(each.row, each.boost.mask.any()), fontsize=9, color=INK)
        if columns > 2:
            _histogram(line[2], each)
    hidden = f"; {rows} of {len(painting.lesions)} lesions" if rows < len(painting.lesions) else ""
    title = f"{LABEL.upper()}: dose painting, {painting.settings.title}{hidden}"
    figure.suptitle(title, fontsize=10, color="#ff8a80", fontweight="bold")
    return figure


def _slice(each: PaintedLesion) -> int:
    """Slice of the image with most of the boost; without one, most of the GTV."""
    mask = each.boost if each.boost.mask.any() else each.region
    return int(mask.mask.sum(axis=(1, 2)).argmax()) + mask.offset[0]


def _sure(row: dict, has_boost: bool) -> str:
    """How sure the map is, in a line.

    Examples:
        >>> _sure({"overlap": None, "stable": True}, False)
        'no boost: no overlap of members, answer stable'
    """
    nothing = "one member" if has_boost else "no boost: no overlap of members"
    overlap = nothing if row["overlap"] is None else f"members overlap {row['overlap']:.2f}"
    stable = {None: "stability not asked", True: "answer stable", False: "ANSWER NOT STABLE"}[row["stable"]]
    return f"{overlap}, {stable}"


def _over(figure, axes, painting: Painting, volume, each: PaintedLesion, k: int, values, ends, label: str) -> None:
    spacing = painting.geometry.spacing
    reach = [int(np.ceil(SURROUNDINGS_MM / mm)) for mm in spacing[1::-1]]
    (_, j, i), (_, height, width) = each.region.offset, each.region.mask.shape
    top, left = max(0, j - reach[0]), max(0, i - reach[1])
    image = volume[k, top : j + height + reach[0], left : i + width + reach[1]].astype(float)
    whole = np.full(volume.shape[1:], np.nan)
    at, inside = k - each.region.offset[0], each.region.box[1:]
    if 0 <= at < len(each.region.mask):
        whole[inside] = np.where(each.region.mask[at], values[at], np.nan)
    over = whole[top : top + image.shape[0], left : left + image.shape[1]]
    finite = image[np.isfinite(image)]
    dark, bright = np.percentile(finite, [1, 99]) if finite.size else (0, 1)
    extent = (
        -0.5 * spacing[0],
        (image.shape[1] - 0.5) * spacing[0],
        (image.shape[0] - 0.5) * spacing[1],
        -0.5 * spacing[1],
    )
    axes.imshow(image, cmap="gray", vmin=dark, vmax=bright, extent=extent)
    drawn = axes.imshow(
        over, cmap="viridis", vmin=ends[0], vmax=ends[1], alpha=0.65, extent=extent, interpolation="nearest"
    )
    boost = np.zeros(volume.shape[1:])
    at = k - each.boost.offset[0]
    if 0 <= at < len(each.boost.mask):
        boost[each.boost.box[1:]] = each.boost.mask[at]
    cut = boost[top : top + image.shape[0], left : left + image.shape[1]]
    if cut.any() and not cut.all():
        x, y = np.arange(image.shape[1]) * spacing[0], np.arange(image.shape[0]) * spacing[1]
        axes.contour(x, y, cut, levels=[0.5], colors="white", linewidths=1.2)
    axes.set_xticks([])
    axes.set_yticks([])
    bar = figure.colorbar(drawn, ax=axes, shrink=0.8)
    bar.set_label(label, color=INK, fontsize=8)
    bar.ax.tick_params(labelsize=7, colors=INK)


def _histogram(axes, each: PaintedLesion) -> None:
    axes.set_facecolor(PAPER)
    axes.axvline(1, color=FAINT, linewidth=1, linestyle="--")
    found = each.quality
    if found is None or found.undefined:
        why = "no dose" if found is None else found.undefined
        axes.text(
            0.5, 0.5, _plain(why), ha="center", va="center", wrap=True, fontsize=8, color=INK, transform=axes.transAxes
        )
    else:
        q = np.linspace(0, 2, 401)
        axes.plot(q, 100 * found.volume_at(q), color="#1f77b4", drawstyle="steps-post")
        axes.set_title(f"quality factor {found.factor:.3f}", fontsize=9, color=INK)
    axes.set(xlim=(0, 2), ylim=(0, 105), xlabel="Q = dose / prescription", ylabel="% of the volume with at least Q")
    axes.xaxis.label.set(color=INK, fontsize=8)
    axes.yaxis.label.set(color=INK, fontsize=8)
    axes.spines[:].set_color(FAINT)
    axes.tick_params(labelsize=7, colors=INK)


def _plain(text: str) -> str:
    """A name is no formula."""
    return text.replace("$", r"\$")
