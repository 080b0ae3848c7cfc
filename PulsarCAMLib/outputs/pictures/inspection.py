"""One slice opened up, as one picture: input, reconstruction, features, gradients, maps (paper, figures 4 and 5).

Of systems that can be inspected; what is particular to one is told by what its ``inspect`` gives.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ...io.atomic import write_whole
from ...systems.registry import method_title
from .canvas import FAINT, INK, PAPER
from .colors import heat_colors
from .content import edge_letters
from .overlay import CONTOUR

SIZE_INCHES, SCREEN_DPI, FILE_DPI = (9.6, 7.8), 100, 200
"""960 x 780 pixels on the screen; twice that in a file."""

MOST_METHODS = 3
"""Whose maps have room in the picture."""

SMALLEST_VIEW_MM = 20.0
VIEW_MARGIN = 1.25
"""The close-up is this much larger than the GTV."""

NOTES_INCHES = 0.62
"""What the picture is lower without its notes."""

LONGEST_TITLE = 24
"""Letters of a usual size above one panel."""

_LEFT, _TINY, _SMALL, _USUAL = 0.62, 7.6, 8.3, 9.3


@dataclass(frozen=True)
class Colors:
    """Of a picture.

    Attributes:
        ink, paper, faint: of text, of what lies behind it, and of what is less important.
        hidden: where the mask hides the features.
    """

    ink: str
    paper: str
    faint: str
    hidden: str


DARK = Colors(INK, PAPER, FAINT, "#24272d")
LIGHT = Colors("#1b1d21", "#ffffff", "#5a616b", "#d3d7dd")

Seen = Any
"""What :meth:`~PulsarCAMLib.systems.contract.System.inspect` gives, such as a ``SliceInspection``."""


def save_inspection(
    seen: Seen, path: str | Path, *, methods: Sequence[str] | None = None, overwrite: bool = False
) -> Figure:
    """Draw and write a PNG; it appears whole or not at all.

    Raises:
        OutputError: the file exists and may not be replaced, or its place cannot be written.
    """
    figure = draw_inspection(seen, methods)
    write_whole(path, png_bytes(figure, FILE_DPI), overwrite=overwrite)
    return figure


def methods_to_draw(seen: Seen, chosen: str = "") -> tuple[str, ...]:
    """The first :data:`MOST_METHODS` usual ones; a chosen one that is not among them takes the last one's place."""
    usual = tuple(seen.usual_methods[:MOST_METHODS])
    return usual if chosen in usual or chosen not in seen.methods else (*usual[: MOST_METHODS - 1], chosen)


def png_bytes(figure: Figure, dpi: float | None = None) -> bytes:
    """A figure as PNG, for a file, a web page or Qt's ``QPixmap.loadFromData``; ``dpi`` None keeps the figure's own."""
    made = io.BytesIO()
    figure.savefig(made, format="png", dpi=dpi or figure.dpi, metadata={"Software": "PulsarCAM"})
    return made.getvalue()


def notes_of(seen: Seen) -> str:
    """What is to be known of the picture, and where the model comes from."""
    return "\n".join((" ".join((seen.about, *seen.notes)), seen.footer))


def draw_inspection(
    seen: Seen, methods: Sequence[str] | None = None, *, colors: Colors = DARK, notes: bool = True
) -> Figure:
    """The figure, on an Agg canvas.

    Args:
        seen: one slice.
        methods: whose maps are drawn, three at most; those that were not computed are left out (default: the first
            usual ones).
        colors: of the picture.
        notes: whether it has its notes; who shows them beside it leaves them out.
    """
    width, height = SIZE_INCHES
    cut = 0.0 if notes else NOTES_INCHES
    figure = Figure(figsize=(width, height - cut), dpi=SCREEN_DPI, facecolor=colors.paper)
    FigureCanvasAgg(figure)
    sheet = _Sheet(figure, seen, colors, cut)
    sheet.texts()
    if notes:
        sheet.notes()
    sheet.input_row(5.5, 1.38)
    features, gradients = seen.masked, seen.gradients
    top = float(features.max()) or 1.0
    sheet.cell_row(3.94, 1.18, "features A", features, "viridis", Normalize(0, top), seen.feature_names, None)
    reach = float(np.abs(gradients).max()) or 1.0
    labels = [seen.weight_words(k) for k in range(len(features))]
    sheet.cell_row(2.6, 1.18, "gradients ds/dA", gradients, "coolwarm", Normalize(-reach, reach), None, labels)
    sheet.map_row(0.77, 1.17, [m for m in methods or seen.usual_methods if m in seen.methods][:MOST_METHODS])
    return figure


class _Sheet:
    """Places panels on the figure, in inches from its lower left corner."""

    def __init__(self, figure: Figure, seen: Seen, colors: Colors, cut: float) -> None:
        self.figure, self.seen, self.colors, self.cut = figure, seen, colors, cut
        rows, columns = seen.image.shape
        self.height_mm, self.width_mm = rows * seen.spacing_mm[0], columns * seen.spacing_mm[1]
        self.extent = (0.0, self.width_mm, self.height_mm, 0.0)
        self.view = _close_up(seen)

    def texts(self) -> None:
        """Title, prediction, place."""
        seen = self.seen
        answers = " (answers for the lesion)" if seen.answers else ""
        self._text(0.15, 7.58, _shortened(seen.lesion, 48), size=13, weight="bold")
        self._text(0.15, 7.33, _prediction(seen), size=9.5)
        place = f"{seen.place or f'{seen.slices} slices'}{answers}"
        self._text(9.45, 7.58, place, size=9.5, ha="right")
        self._text(
            9.45, 7.33, f"GTV centre at {_ras_text(seen.centre_ras)}", size=_USUAL, color=self.colors.faint, ha="right"
        )

    def notes(self) -> None:
        """How it is meant, and where the model comes from."""
        seen = self.seen
        notes = _wrapped(" ".join((seen.about, *seen.notes)), 180)
        self._text(0.15, 0.74, notes, size=6.8, color=self.colors.faint, va="top", linespacing=1.25)
        self._text(0.15, 0.03, seen.footer, size=7, va="bottom", linespacing=1.15)

    def input_row(self, bottom: float, side: float) -> None:
        """Input, reconstruction, signed map, and how the logit comes about."""
        seen, letters = self.seen, edge_letters(self.seen.directions_lps)
        titles = (f"input, {self.width_mm:.0f} x {self.height_mm:.0f} mm", f"reconstruction\n{seen.member_name}")
        for n, (title, image) in enumerate(zip(titles, (seen.image, seen.reconstruction), strict=True)):
            axes = self._axes(_LEFT + n * (side + 0.45), bottom, side, side)
            self._grey(axes, image, title)
            axes.set(xlim=self.extent[:2], ylim=self.extent[2:], xticks=[], yticks=[])
            self._letters(axes, letters)
            if n == 0:
                self._millimetres(axes)
                left, right, low, high = self.view
                axes.plot(
                    [left, right, right, left, left], [low, low, high, high, low], "--", color=self.colors.faint, lw=0.8
                )
        at = _LEFT + 2 * (side + 0.45)
        axes = self._axes(at, bottom, side, side)
        reach = float(np.abs(seen.signed).max()) or 1.0
        norm = Normalize(-reach, reach)
        self._cells(axes, seen.signed, "coolwarm", norm, seen.signed_title)
        self._letters(axes, letters)
        self._color_bar(at + side + 0.07, bottom, side, "coolwarm", norm)
        self._split(self._axes(at + side + 1.1, bottom + 0.15, 9.4 - (at + side + 1.1), side - 0.15))

    def cell_row(self, bottom, side, name, values, colors, norm, titles, labels) -> None:
        """One panel for each of the values ``[F, c, c]``, on one scale."""
        self._text(0.22, bottom + side / 2, name, size=_USUAL, rotation=90, ha="center")
        count = len(values)
        room = 9.6 - _LEFT - 0.75
        side = min(side, room / count - 0.12)
        step = room / count
        for k in range(count):
            axes = self._axes(_LEFT + k * step, bottom, side, side)
            self._cells(axes, values[k], colors, norm, titles[k] if titles else None)
            if labels:
                axes.set_xlabel(labels[k], color=self.colors.ink, size=_TINY, labelpad=2)
            if titles and self.seen.dead[k]:
                axes.text(
                    0.5, 0.5, "zero in\nthis lesion", color=INK, size=_SMALL, transform=axes.transAxes,
                    ha="center", va="center",
                )  # fmt: skip
        self._color_bar(_LEFT + (count - 1) * step + side + 0.12, bottom, side, colors, norm)

    def map_row(self, bottom: float, side: float, methods: Sequence[str]) -> None:
        """Both classes of each method over the input, on one scale per method."""
        self._text(0.22, bottom + side / 2, "maps", size=_USUAL, rotation=90, ha="center")
        for n, method in enumerate(methods):
            left = _LEFT + n * 2.98
            norm = Normalize(0, self.seen.joint_maximum(method) or 1.0)
            for c, name in enumerate(self.seen.task.names):
                axes = self._axes(left + c * (side + 0.06), bottom, side, side)
                self._map(axes, self.seen.patch_map(method, name), norm, name)
            self._text(
                left + side,
                bottom + side + 0.27,
                method_title(method),
                size=_USUAL,
                weight="bold",
                ha="center",
            )
            self._color_bar(left + 2 * side + 0.12, bottom, side, heat_colors(), norm)

    def _map(self, axes: Axes, values: np.ndarray, norm: Normalize, title: str) -> None:
        self._grey(axes, self.seen.image, title)
        shown = np.ma.masked_where(~self.seen.mask, values)
        axes.imshow(shown, cmap=heat_colors(), norm=norm, extent=self.extent, interpolation="nearest")
        if not values[self.seen.mask].any():
            axes.text(0.5, 0.08, "no evidence", color=INK, size=_SMALL, transform=axes.transAxes, ha="center")
        self._zoom(axes)

    def _cells(self, axes: Axes, values: np.ndarray, colors: str, norm: Normalize, title: str | None) -> None:
        shown = np.ma.masked_where(~self.seen.cells, values)
        axes.set_facecolor(self.colors.hidden)
        axes.imshow(shown, cmap=colormaps[colors], norm=norm, extent=self.extent, interpolation="nearest")
        self._contour(axes)
        self._zoom(axes)
        if title:
            long = max(map(len, title.splitlines())) > LONGEST_TITLE
            axes.set_title(title, color=self.colors.ink, size=_TINY if long else _SMALL, pad=3)

    def _grey(self, axes: Axes, image: np.ndarray, title: str) -> None:
        axes.imshow(image, cmap="gray", vmin=0, vmax=1, extent=self.extent, interpolation="nearest")
        self._contour(axes)
        axes.set_title(title, color=self.colors.ink, size=_SMALL, pad=3)

    def _contour(self, axes: Axes) -> None:
        """Along the edges of the GTV's pixels, as the model knows it."""
        fine = np.pad(np.kron(self.seen.mask, np.ones((4, 4))), 1)
        y, x = (
            (np.arange(n) - 0.5) * size / (n - 2)
            for n, size in zip(fine.shape, (self.height_mm, self.width_mm), strict=True)
        )
        axes.contour(x, y, fine, levels=[0.5], colors=CONTOUR, linewidths=0.9)

    def _zoom(self, axes: Axes) -> None:
        left, right, low, high = self.view
        axes.set(xlim=(left, right), ylim=(high, low), xticks=[], yticks=[])

    def _millimetres(self, axes: Axes) -> None:
        ticks = np.arange(0, self.width_mm + 0.1, 20 if self.width_mm <= 100 else 50)
        axes.set(xticks=ticks, yticks=ticks[ticks <= self.height_mm])
        axes.tick_params(colors=self.colors.faint, labelsize=_TINY, length=2, pad=1.5)
        axes.set_ylabel("mm", color=self.colors.faint, size=_TINY, labelpad=1)

    def _letters(self, axes: Axes, letters: Sequence[str]) -> None:
        box = {"facecolor": self.colors.paper, "edgecolor": "none", "alpha": 0.55, "pad": 0.8}
        for letter, (x, y) in zip(letters, ((0.06, 0.5), (0.94, 0.5), (0.5, 0.93), (0.5, 0.07)), strict=True):
            axes.text(
                x, y, letter, color=self.colors.ink, size=_TINY, weight="bold", transform=axes.transAxes,
                ha="center", va="center", bbox=box,
            )  # fmt: skip

    def _split(self, axes: Axes) -> None:
        """What the cells and the rest contribute to the logit."""
        seen = self.seen
        names, values = ("cells of the GTV", "rest", "logit s"), (seen.map_sum, seen.rest, seen.logit)
        colors = [colormaps["coolwarm"](0.95 if value > 0 else 0.05) for value in values]
        axes.barh(np.arange(3) + 0.22, values, color=colors, height=0.32)
        axes.axvline(0, color=self.colors.faint, lw=0.8)
        reach = max(map(abs, values)) * 1.1 or 1.0
        axes.set(xlim=(-reach, reach), ylim=(2.5, -0.45), yticks=[])
        for n, (name, value) in enumerate(zip(names, values, strict=True)):
            axes.text(-reach, n - 0.17, f"{name}  {value:+.3g}", color=self.colors.ink, size=_SMALL, va="center")
        axes.set_facecolor(self.colors.paper)
        axes.set_title("how the logit comes about", color=self.colors.ink, size=_SMALL, pad=3, loc="left")
        axes.xaxis.get_major_locator().set_params(nbins=4)
        axes.tick_params(colors=self.colors.faint, labelsize=_TINY, length=2, pad=1.5)

    def _color_bar(self, left: float, bottom: float, height: float, colors, norm: Normalize) -> None:
        axes = self._axes(left, bottom, 0.09, height)
        axes.set_facecolor("#6e6e6e")
        ramp = np.linspace(norm.vmin, norm.vmax, 256)[:, None]
        axes.imshow(ramp, cmap=colors, norm=norm, aspect="auto", origin="lower", extent=(0, 1, norm.vmin, norm.vmax))
        axes.yaxis.tick_right()
        ticks = [norm.vmin, (norm.vmin + norm.vmax) / 2, norm.vmax]
        axes.set(xticks=[], yticks=ticks, yticklabels=[f"{t:.2g}" if t else "0" for t in ticks])
        axes.tick_params(colors=self.colors.ink, labelsize=_TINY, length=2, pad=1.5)

    def _axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        w, h = SIZE_INCHES[0], SIZE_INCHES[1] - self.cut
        axes = self.figure.add_axes((left / w, (bottom - self.cut) / h, width / w, height / h))
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes

    def _text(self, x: float, y: float, text: str, **style) -> None:
        style = {"color": self.colors.ink, "va": "center", **style}
        # A dollar sign in a lesion's name must not start a formula.
        w, h = SIZE_INCHES[0], SIZE_INCHES[1] - self.cut
        self.figure.text(x / w, (y - self.cut) / h, text, parse_math=False, **style)


def _close_up(seen: Seen) -> tuple[float, float, float, float]:
    """Left, right, top and bottom in millimetres of the square that the small panels show."""
    rows, columns = np.nonzero(seen.mask)
    dy, dx = seen.spacing_mm
    spans = [(columns.min() * dx, (columns.max() + 1) * dx), (rows.min() * dy, (rows.max() + 1) * dy)]
    patch = (seen.image.shape[1] * dx, seen.image.shape[0] * dy)
    side = min(max(SMALLEST_VIEW_MM, VIEW_MARGIN * max(high - low for low, high in spans)), *patch)
    starts = [
        np.clip((low + high - side) / 2, 0, whole - side) for (low, high), whole in zip(spans, patch, strict=True)
    ]
    return starts[0], starts[0] + side, starts[1], starts[1] + side


def _prediction(seen: Seen) -> str:
    spread = f" ± {seen.spread:.2f}" if seen.member is None and seen.members > 1 else ""
    return f"{seen.task.probability_title()} {seen.probability:.2f}{spread} ({seen.member_name})"


def _ras_text(ras: np.ndarray) -> str:
    pairs = zip(("RL", "AP", "SI"), ras, strict=True)
    return ", ".join(f"{names[int(value < 0)]} {abs(value):.1f}" for names, value in pairs) + " mm"


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _wrapped(text: str, width: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, width))
