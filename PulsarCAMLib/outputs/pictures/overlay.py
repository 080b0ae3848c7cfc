"""One picture per lesion: the answering slice with heat map, the bare MRI, the other class, and the slices' answers."""

from __future__ import annotations

from textwrap import fill

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ...core.display import CLEAR_UNTIL
from .content import ClassBars, Picture, Profile

INK, PAPER, FAINT = "#f2f2f2", "#16181c", "#9aa0a8"
CONTOUR = "#39d0ff"
MEASURED = "#8dff6a"
"""Outline of what was measured, beside that of what the model looked at."""

SIZE_INCHES, DOTS_PER_INCH = (12.4, 7.2), 110

LETTER_INCHES = 0.075
"""About the width of a letter of a small panel's heading."""

_FULL_OPACITY = 0.85


def heat_colors() -> ListedColormap:
    """Inferno, clear at zero."""
    colors = colormaps["inferno"](np.linspace(0.12, 1, 256))
    colors[:, 3] = _FULL_OPACITY * np.clip(np.linspace(0, 1, 256) / CLEAR_UNTIL, 0, 1)
    return ListedColormap(colors, name="pulsarcam-heat")


def signed_colors() -> ListedColormap:
    """Red for the positive class, blue for the other, clear at zero."""
    at = np.linspace(-1, 1, 256)
    colors = colormaps["coolwarm"](np.linspace(0, 1, 256))
    colors[:, 3] = _FULL_OPACITY * np.clip(np.abs(at) / CLEAR_UNTIL, 0, 1)
    return ListedColormap(colors, name="pulsarcam-signed")


def draw(picture: Picture) -> Figure:
    """The figure, on an Agg canvas."""
    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, facecolor=PAPER)
    FigureCanvasAgg(figure)
    colors = signed_colors() if picture.signed else heat_colors()
    norm = Normalize(-picture.top if picture.signed else 0.0, picture.top)
    headings = list(picture.maps)
    _texts(figure, picture)
    large = figure.add_axes((0.02, 0.065, 0.4529, 0.78))
    mri_panel(large, picture, headings[0], colors, norm, scale=True, size=11)
    color_bar(figure, (0.481, 0.065, 0.012, 0.78), picture, colors, norm)
    for place, heading in zip(_small_places(len(headings)), [None, *headings[1:]], strict=False):
        title = heading or picture.bare_text
        if len(headings) > 2:  # else one runs into the other
            title = fill(title, int(place[2] * SIZE_INCHES[0] / LETTER_INCHES))
        mri_panel(figure.add_axes(place), picture, heading, colors, norm, scale=False, size=9, title=title)
    if isinstance(picture.answers, Profile):
        _profile(figure.add_axes((0.605, 0.115, 0.38, 0.28)), picture.answers)
    else:  # names of classes need more room at the left
        _class_bars(figure.add_axes((0.685, 0.115, 0.3, 0.28)), picture.answers)
    return figure


def _small_places(count: int) -> list[tuple[float, float, float, float]]:
    """Left, bottom, width and height of so many squares beside the large one; two at least share the room."""
    if count <= 2:
        return [(0.575, 0.4876, 0.2, 0.3444), (0.785, 0.4876, 0.2, 0.3444)]
    step = 0.41 / count
    width = step - 0.01
    height = width * SIZE_INCHES[0] / SIZE_INCHES[1]
    return [(0.575 + n * step, 0.832 - height, width, height) for n in range(count)]


def _class_bars(axes, answers: ClassBars) -> None:
    """Probability of every class."""
    axes.set_facecolor(PAPER)
    spread = answers.spreads if answers.spreads.any() else None  # of one member, none would look like certainty
    axes.barh(
        range(len(answers.names)), answers.probabilities, xerr=spread, color=answers.colors, ecolor=INK,
        capsize=3, height=0.6,
    )  # fmt: skip
    axes.set(xlim=(0, 1.02), ylim=(len(answers.names) - 0.5, -0.5))
    axes.set_yticks(range(len(answers.names)), answers.names, parse_math=False)
    axes.set_xlabel("probability" if spread is None else "probability ± spread", color=INK, size=9.5)
    axes.tick_params(colors=INK, labelsize=9)
    for spine in axes.spines.values():
        spine.set_color(FAINT)


def _texts(figure: Figure, picture: Picture) -> None:
    def literal(x: float, y: float, text: str, **style) -> None:
        # A dollar sign in a lesion's name must not start a formula.
        figure.text(x, y, text, parse_math=False, **style)

    literal(0.02, 0.955, _shortened(picture.title, 60), color=INK, size=16, weight="bold", va="center")
    literal(0.02, 0.907, picture.subtitle, color=INK, size=11.5, va="center")
    literal(0.985, 0.955, picture.plane, color=FAINT, size=10, ha="right", va="center")
    literal(0.02, 0.012, picture.footer, color=FAINT, size=8.5, va="bottom", linespacing=1.25)


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def mri_panel(
    axes, picture: Picture, heading: str | None, colors, norm, scale: bool, size: float, title: str = ""
) -> None:
    """A panel: MRI, contour, letters, and where a heading names one, the heat map."""
    half = picture.side_mm / 2
    extent = (-half, half, half, -half)
    axes.imshow(picture.grey, cmap="gray", vmin=0, vmax=1, extent=extent, interpolation="bilinear")
    if heading is not None:
        values = np.ma.masked_where(picture.mask < 0.5, picture.maps[heading])
        axes.imshow(values, cmap=colors, norm=norm, extent=extent, interpolation="nearest")
        if not picture.maps[heading].any():
            axes.text(0, 0.82 * half, "no evidence on this slice", color=INK, size=size, ha="center", va="center")
    if picture.mask.max() >= 0.5 > picture.mask.min():
        at = np.linspace(-half, half, len(picture.mask) + 1)
        middles = (at[1:] + at[:-1]) / 2
        axes.contour(middles, middles, picture.mask, levels=[0.5], colors=CONTOUR, linewidths=1.1 if scale else 0.9)
    if picture.measured is not None and picture.measured.max() >= 0.5 > picture.measured.min():
        at = np.linspace(-half, half, len(picture.measured) + 1)
        middles = (at[1:] + at[:-1]) / 2
        axes.contour(middles, middles, picture.measured, levels=[0.5], colors=MEASURED, linewidths=1.1)
    # Not as the axes' title, whose search for a free place takes longer than all images.
    title = title or heading or picture.bare_text
    axes.text(0.5, 1.012, title, color=INK, size=size, ha="center", va="bottom", transform=axes.transAxes)
    axes.set(xlim=(-half, half), ylim=(half, -half))
    axes.set_axis_off()
    _edge_letters(axes, picture.letters, size)
    if scale:
        _scale_bar(axes, half)


def _edge_letters(axes, letters: tuple[str, str, str, str], size: float) -> None:
    places = ((0.025, 0.5), (0.975, 0.5), (0.5, 0.965), (0.5, 0.035))
    box = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.55, "pad": 1.5}
    for letter, (x, y) in zip(letters, places, strict=True):
        axes.text(
            x, y, letter, color=INK, size=size, weight="bold", transform=axes.transAxes, ha="center", va="center",
            bbox=box,
        )  # fmt: skip


def _scale_bar(axes, half: float) -> None:
    length = max(n for n in (5, 10, 20, 50) if n <= half / 1.5)
    left, low = -half + 0.05 * half, half - 0.07 * half
    backing = {"facecolor": PAPER, "alpha": 0.55, "edgecolor": "none"}
    axes.add_patch(Rectangle((left - 0.02 * half, low - 0.1 * half), length + 0.04 * half, 0.14 * half, **backing))
    axes.add_patch(Rectangle((left, low), length, 0.022 * half, facecolor=INK, edgecolor="none"))
    axes.text(left + length / 2, low - 0.015 * half, f"{length} mm", color=INK, size=10, ha="center", va="bottom")


def color_bar(figure: Figure, place: tuple, picture: Picture, colors, norm) -> None:
    axes = figure.add_axes(place)
    axes.set_facecolor("#6e6e6e")
    # An image instead of Matplotlib's colour bar, whose half-clear patches overlap and show stripes.
    ramp = np.linspace(norm.vmin, norm.vmax, 256)[:, None]
    axes.imshow(ramp, cmap=colors, norm=norm, aspect="auto", origin="lower", extent=(0, 1, norm.vmin, norm.vmax))
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_xticks([])
    axes.set_ylabel(picture.scale_text, color=INK, size=9.5, labelpad=4)
    axes.tick_params(colors=INK, labelsize=9, length=3)
    for spine in axes.spines.values():
        spine.set_color(FAINT)


def _profile(axes, answers: Profile) -> None:
    """Probability of the positive class on every slice, in the order of the MRI's slices."""
    order = np.argsort(answers.slices, kind="stable")
    at, p, spread = answers.slices[order], answers.probabilities[order], answers.spreads[order]
    axes.set_facecolor(PAPER)
    areas = answers.areas_mm2[order] / answers.areas_mm2.max()
    axes.bar(at, areas, width=0.85, color="#2c3138", label="area")
    axes.errorbar(
        at, p, yerr=spread, color="#ffb454", ecolor="#a87838", marker="o", markersize=3.5, linewidth=1.2,
        elinewidth=1.0, capsize=2, label=f"{answers.short_title} ± spread",
    )  # fmt: skip
    main = answers.slices[answers.main]
    axes.plot([main], [answers.probabilities[answers.main]], "o", markersize=9, markerfacecolor="none", color=CONTOUR,
              label="answering slice")  # fmt: skip
    axes.axhline(answers.threshold, color=FAINT, linewidth=0.9, linestyle="--", label="threshold")
    middle, reach = (at.min() + at.max()) / 2, max(np.ptp(at) / 2 + 1.2, 4)
    axes.set(ylim=(0, 1.02), xlim=(middle - reach, middle + reach))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("MRI slice", color=INK, size=9.5)
    axes.set_ylabel(answers.title, color=INK, size=9.5)
    axes.tick_params(colors=INK, labelsize=9)
    for spine in axes.spines.values():
        spine.set_color(FAINT)
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=4, fontsize=8.5, frameon=False, labelcolor=INK,
        columnspacing=0.9, handletextpad=0.4,
    )  # fmt: skip
