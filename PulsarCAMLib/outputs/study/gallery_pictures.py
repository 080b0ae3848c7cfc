"""Pictures of the galleries: maps as in the paper's figure 6, reconstructions as in its figure 4."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...core.task import LESION, Task
from ...study.run import Study
from ...systems.registry import method_title
from ..pictures.canvas import INK, PAPER
from ..pictures.colors import heat_colors
from ..pictures.inspection import png_bytes
from ..pictures.overlay import CONTOUR
from .gallery import Explained

DPI = 100
SIDE = 1.5
"""Inches of a panel."""

MOST_IN_A_ROW = 9
"""Panels side by side, so that a page shows them readably."""


def maps_about(study: Study) -> str:
    """What a row of :func:`maps_png` shows."""
    first, *others = _classes(study.lesions.task)
    both = "both classes from 0 to the larger maximum of the two"
    scale = both if study.lesions.task.binary else "all classes from 0 to the largest maximum"
    contour, rest = _contour(study.lesions.task), " and for ".join(others)
    return (
        f"Left to right: the slice with the contour of {contour}, then for each method (in a row of its own where "
        f"there are many) the evidence for {first} and for {rest}, on one scale for {scale}."
    )


def _classes(task: Task) -> tuple[str, ...]:
    """The positive one first."""
    return (task.positive, *(name for name in task.names if name != task.positive))


def _contour(task: Task) -> str:
    return "the GTV" if task.unit == LESION else "what is looked at"


RECONSTRUCTIONS_ABOUT = (
    "Left to right: the slice as the network sees it, what the decoder makes of the masked features, and the feature "
    "maps of the bottleneck before the mask, on one scale each row. Only what is inside the contour reaches the "
    "decoder, so the surroundings cannot be found in the reconstruction."
)


def maps_png(found: Explained) -> bytes:
    """Slice, and all classes' maps of every method: in one row, or in a row for each method where there are many."""
    methods, classes = tuple(dict.fromkeys(method for method, _ in found.maps)), _classes(found.shown.task)
    wraps = 1 + len(classes) * len(methods) > MOST_IN_A_ROW
    figure, panels = _grid(len(methods) if wraps else 1, 1 + len(classes) * (1 if wraps else len(methods)))
    for row in panels:
        _slice(row[0], found, found.title)
    for number, method in enumerate(methods):
        top = max(float(found.maps[method, name].max()) for name in classes)
        own = panels[number][1:] if wraps else panels[0][1 + len(classes) * number :]
        for axes, name in zip(own, classes, strict=False):
            values = found.maps[method, name]
            _slice(axes, found, f"{method_title(method)}\n{name}")
            shown = np.ma.masked_where(~found.mask, values)
            axes.imshow(shown, cmap=heat_colors(), vmin=0, vmax=top or 1.0, interpolation="nearest")
            if not values.any():
                box = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.6, "pad": 1.5}
                axes.text(0.5, 0.06, "no evidence", color=INK, size=7, ha="center", transform=axes.transAxes, bbox=box)
    return png_bytes(figure, DPI)


def reconstruction_png(found: Explained) -> bytes:
    """One row: slice, reconstruction, feature maps; of a network with a decoder."""
    assert found.decoded is not None
    reconstruction, features = found.decoded
    figure, panels = _row(2 + len(features))
    _slice(panels[0], found, "MRI and GTV")
    _slice(panels[1], found, "reconstruction", reconstruction)
    top = float(features.max()) or 1.0
    for number, values in enumerate(features):
        axes = panels[2 + number]
        axes.imshow(values, cmap="viridis", vmin=0, vmax=top, interpolation="nearest")
        _titled(axes, f"feature map {number + 1}")
    return png_bytes(figure, DPI)


def _row(count: int) -> tuple[Figure, list[Axes]]:
    figure, (row,) = _grid(1, count)
    return figure, row


def _grid(rows: int, count: int) -> tuple[Figure, list[list[Axes]]]:
    """Panels row by row, from the top."""
    each = SIDE + 0.42
    height = rows * each
    figure = Figure(figsize=(count * (SIDE + 0.06), height), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    width, gap = SIDE / (count * (SIDE + 0.06)), 0.03 / (count * (SIDE + 0.06))
    bottoms = [(0.03 + (rows - 1 - row) * each) / height for row in range(rows)]
    places = [[((2 * n + 1) * gap + n * width, low, width, SIDE / height) for n in range(count)] for low in bottoms]
    return figure, [[figure.add_axes(place) for place in row] for row in places]


def _slice(axes: Axes, found: Explained, title: str, image: np.ndarray | None = None) -> None:
    shown = found.image if image is None else image
    low, high = (0.0, 1.0) if found.shown.task.unit == LESION else np.percentile(shown, (0.5, 99.5))
    axes.imshow(shown, cmap="gray", vmin=low, vmax=high, interpolation="bilinear")
    if found.mask.any() and not found.mask.all():
        axes.contour(found.mask.astype(float), levels=[0.5], colors=CONTOUR, linewidths=0.9)
    _titled(axes, title)


def _titled(axes: Axes, title: str) -> None:
    axes.text(0.5, 1.02, title, color=INK, size=8, ha="center", va="bottom", transform=axes.transAxes)
    axes.set_axis_off()
