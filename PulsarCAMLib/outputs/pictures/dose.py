"""Cumulative dose-volume curves: a panel for each lesion with the lesion, its activated part and the rest of it."""

from __future__ import annotations

import math

import numpy as np

from ...core.display import DisplaySettings
from ...dose.case import ACTIVATED, REST, WHOLE, CaseDose
from .answers import sides
from .canvas import INK, Canvas, Frame, ticks

COLUMNS, MOST_PANELS = 3, 24
PANEL_INCHES, DOTS_PER_INCH = (4.1, 2.9), 100
LEFT_INCHES, GAP_INCHES, ABOVE_INCHES, BELOW_INCHES = 0.75, 0.25, 0.35, 0.4
"""Left of the panels, right of each, and of each panel what its title and its numbers take."""

LEGEND_INCHES, FOOT_INCHES = 0.4, 0.35
GRID = "#3a3e45"
LINES = {
    WHOLE: ("lesion", "#8a8f98", (), 2.6),
    ACTIVATED: ("activated part", "#e8743b", (), 1.8),
    REST: ("rest of it", "#3b8ee8", (6.0, 3.0), 1.8),
}
"""Region to its words, colour, dashes (points drawn and left out; none: one line) and width in points."""

PRESCRIBED = ("prescribed", INK, (1.0, 2.0), 0.9)
HIGHEST = 102.0
"""Per cent at the upper edge of a panel, so that a line at 100 is seen whole."""


def draw_dose(found: CaseDose, shown: DisplaySettings) -> Canvas:
    """The sheet.

    Args:
        found: what the lesions get.
        shown: the map whose parts are drawn.
    """
    curves = _curves(found, shown)
    names = list(curves)[:MOST_PANELS]
    rows, columns = max(math.ceil(len(names) / COLUMNS), 1), min(COLUMNS, max(len(names), 1))
    width, height = PANEL_INCHES[0] * columns + LEFT_INCHES, PANEL_INCHES[1] * rows + LEGEND_INCHES + FOOT_INCHES
    canvas = Canvas((width, height), DOTS_PER_INCH)
    prescribed = found.settings.prescription_gy
    most = max((dose[-1] for name in names for dose, _ in curves[name].values()), default=1.0)
    most = 1.02 * max(most, prescribed or 0.0)
    for n, name in enumerate(names):
        left = LEFT_INCHES + n % columns * PANEL_INCHES[0]
        bottom = height - LEGEND_INCHES - (n // columns + 1) * PANEL_INCHES[1] + BELOW_INCHES
        size = PANEL_INCHES[0] - GAP_INCHES, PANEL_INCHES[1] - ABOVE_INCHES - BELOW_INCHES
        place = left / width, bottom / height, size[0] / width, size[1] / height
        frame = canvas.frame(place, (0.0, most), (0.0, HIGHEST))
        _panel(canvas, frame, name[1], curves[name], prescribed, first=n % columns == 0)
    told = [LINES[region] for region in LINES if any(region in curves[name] for name in names)]
    _legend(canvas, [*told, *([PRESCRIBED] if prescribed else [])])
    words, foot = f"dose, {found.settings.words}", canvas.height - FOOT_INCHES / 2 * DOTS_PER_INCH
    canvas.text((canvas.width / 2, foot), words, 10, anchor="mm")
    canvas.turned_text((0.15 * DOTS_PER_INCH, canvas.height / 2), "volume that gets at least this, %", 10)
    return canvas


def _panel(
    canvas: Canvas,
    frame: Frame,
    name: str,
    curves: dict[str, tuple[list, list]],
    prescribed: float | None,
    first: bool,
) -> None:
    """One lesion's curves; only the first of a row has numbers at its side."""
    below, beside = ticks(0, frame.across[1], 9), ticks(0, 100, 6)
    for x in below[0]:
        column = float(frame.at(x, 0)[0])
        canvas.box((column - 0.5, frame.top, column + 0.5, frame.bottom), GRID)
    for y in beside[0]:
        row = float(frame.at(0, y)[1])
        canvas.box((frame.left, row - 0.5, frame.right, row + 0.5), GRID)
    for region, (dose, percent) in curves.items():
        _, color, dashes, width = LINES[region]
        canvas.lines(_dashed(frame.at(dose, percent), dashes, canvas), color, width, within=frame)
    if prescribed:
        _, color, dashes, width = PRESCRIBED
        ends = frame.at([prescribed] * 2, frame.up)
        canvas.lines(_dashed(ends, dashes, canvas), color, width, within=frame)
    sides(canvas, frame, below, (beside[0], beside[1] if first else [""] * len(beside[0])), "", "")
    middle = (frame.left + frame.right) / 2
    canvas.text((middle, frame.top - 7 * canvas.dots_per_point), _fitting(canvas, name, frame), 10, anchor="ms")


def _fitting(canvas: Canvas, name: str, frame: Frame) -> str:
    """A name that is no wider than its panel."""
    shown = name
    while len(shown) > 2 and canvas.text_width(shown, 10) > frame.right - frame.left:
        shown = f"{shown[:-2]}…"
    return shown


def _dashed(points: np.ndarray, dashes: tuple[float, ...], canvas: Canvas) -> list[np.ndarray]:
    """A line ``[n, 2]`` in pixels as the pieces of it that are drawn."""
    if not dashes or len(points) < 2:
        return [points]
    drawn, left_out = (each * canvas.dots_per_point for each in dashes)
    along = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
    pieces = []
    for start in np.arange(0.0, along[-1], drawn + left_out):
        end = min(start + drawn, along[-1])
        at = np.unique(np.concatenate([[start, end], along[(along > start) & (along < end)]]))
        pieces.append(np.stack([np.interp(at, along, points[:, axis]) for axis in (0, 1)], axis=1))
    return pieces


def _legend(canvas: Canvas, entries: list[tuple[str, str, tuple[float, ...], float]]) -> None:
    """One line above the panels, with a sign before each word."""
    point = canvas.dots_per_point
    widths = [canvas.text_width(words, 9) + 46 * point for words, *_ in entries]
    row, x = LEGEND_INCHES / 2 * DOTS_PER_INCH, (canvas.width - sum(widths)) / 2
    for (words, color, dashes, width), room in zip(entries, widths, strict=True):
        canvas.lines(_dashed(np.array([[x, row], [x + 26 * point, row]]), dashes, canvas), color, width)
        canvas.text((x + 31 * point, row), words, 9)
        x += room


def _curves(found: CaseDose, shown: DisplaySettings) -> dict[tuple[int, str], dict[str, tuple[list, list]]]:
    """Number and name of a lesion, to region, to doses and shares; names may be there twice."""
    curves: dict[tuple[int, str], dict[str, tuple[list, list]]] = {}
    lesion = (0, "")
    before = ("", "")
    for row in found.curves:
        if (row["lesion"], row["region"]) != before and row["region"] == WHOLE:
            lesion = (lesion[0] + 1, row["lesion"])
        before = (row["lesion"], row["region"])
        if row["region"] == WHOLE or (row["map_method"], row["map_input"]) == (shown.method, shown.input):
            dose, percent = curves.setdefault(lesion, {}).setdefault(row["region"], ([], []))
            if not dose or row["dose_gy"] > dose[-1]:  # of several classes the first
                dose.append(row["dose_gy"])
                percent.append(row["volume_percent"])
    return curves
