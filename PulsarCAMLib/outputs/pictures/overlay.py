"""One picture per lesion: the answering slice with heat map, the bare MRI, the other class, and the slices' answers."""

from __future__ import annotations

from textwrap import fill

import numpy as np

from .answers import draw_class_bars, draw_profile
from .canvas import FAINT, INK, PAPER, Canvas, Frame, Place, ticks
from .colors import heat_table, signed_table
from .content import Picture, Profile

CONTOUR = "#39d0ff"
MEASURED = "#8dff6a"
"""Outline of what was measured, beside that of what the model looked at."""

SIZE_INCHES, DOTS_PER_INCH = (12.4, 7.2), 110

LETTER_INCHES = 0.075
"""About the width of a letter of a small panel's heading."""


def draw(picture: Picture, dots_per_inch: float = DOTS_PER_INCH) -> Canvas:
    """The whole picture."""
    canvas = Canvas(SIZE_INCHES, dots_per_inch)
    headings = list(picture.maps)
    _texts(canvas, picture)
    mri_panel(canvas, (0.02, 0.065, 0.4529, 0.78), picture, headings[0], scale=True, size=11)
    color_bar(canvas, (0.481, 0.065, 0.012, 0.78), picture)
    for place, heading in zip(_small_places(len(headings)), [None, *headings[1:]], strict=False):
        title = heading or picture.bare_text
        if len(headings) > 2:  # else one runs into the other
            title = fill(title, int(place[2] * SIZE_INCHES[0] / LETTER_INCHES))
        mri_panel(canvas, place, picture, heading, scale=False, size=9, title=title)
    if isinstance(picture.answers, Profile):
        draw_profile(canvas, (0.605, 0.115, 0.38, 0.28), picture.answers, CONTOUR)
    else:  # names of classes need more room at the left
        draw_class_bars(canvas, (0.685, 0.115, 0.3, 0.28), picture.answers)
    return canvas


def _small_places(count: int) -> list[Place]:
    """Left, bottom, width and height of so many squares beside the large one; two at least share the room."""
    if count <= 2:
        return [(0.575, 0.4876, 0.2, 0.3444), (0.785, 0.4876, 0.2, 0.3444)]
    step = 0.41 / count
    width = step - 0.01
    height = width * SIZE_INCHES[0] / SIZE_INCHES[1]
    return [(0.575 + n * step, 0.832 - height, width, height) for n in range(count)]


def _texts(canvas: Canvas, picture: Picture) -> None:
    def literal(x: float, y: float, text: str, size: float, **style) -> None:
        canvas.text((x * canvas.width, (1 - y) * canvas.height), text, size, **style)

    literal(0.02, 0.955, _shortened(picture.title, 60), 16, bold=True)
    literal(0.02, 0.907, picture.subtitle, 11.5)
    literal(0.985, 0.955, picture.plane, 10, color=FAINT, anchor="rm")
    literal(0.02, 0.012, picture.footer, 8.5, color=FAINT, anchor="ld")


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _outline(canvas: Canvas, frame: Frame, shares: np.ndarray, color: str, width: float) -> None:
    """The border of a mask, which is given as shares 0..1 ``[p, p]``."""
    from contourpy import contour_generator

    if not shares.max() >= 0.5 > shares.min():
        return
    middles = (np.arange(len(shares)) + 0.5) / len(shares)
    found = contour_generator(middles, middles, np.asarray(shares, dtype=float)).lines(0.5)
    canvas.lines([frame.at(line[:, 0], 1 - line[:, 1]) for line in found], color, width, within=frame)


def mri_panel(
    canvas: Canvas, place: Place, picture: Picture, heading: str | None, scale: bool, size: float, title: str = ""
) -> None:
    """A square panel: MRI, contour, letters, and where a heading names one, the heat map."""
    frame = canvas.frame(place)
    middle = (frame.left + frame.right) / 2
    canvas.image(frame, picture.grey)
    if heading is not None:
        canvas.colors(frame, _colored(picture, heading))
        if not picture.maps[heading].any():
            canvas.text(frame.at(0.5, 0.09), "no evidence on this slice", size, anchor="mm")
    _outline(canvas, frame, picture.mask, CONTOUR, 1.1 if scale else 0.9)
    if picture.measured is not None:
        _outline(canvas, frame, picture.measured, MEASURED, 1.1)
    above = frame.top - 0.012 * (frame.bottom - frame.top)
    canvas.text((middle, above), title or heading or picture.bare_text, size, anchor="md")
    _edge_letters(canvas, frame, picture.letters, size)
    if scale:
        _scale_bar(canvas, frame, picture.side_mm / 2)


def _colored(picture: Picture, heading: str) -> np.ndarray:
    """Colours uint8 ``[p, p, 4]`` of a map, clear outside the contour."""
    table, values = signed_table() if picture.signed else heat_table(), picture.maps[heading]
    low = -picture.top if picture.signed else 0.0
    share = np.clip((values - low) / (picture.top - low), 0, 1) if picture.top > low else np.zeros(values.shape)
    colors = table[np.minimum((share * len(table)).astype(int), len(table) - 1)]
    colors[picture.mask < 0.5, 3] = 0
    return colors


def _edge_letters(canvas: Canvas, frame: Frame, letters: tuple[str, str, str, str], size: float) -> None:
    """Anatomical directions at the left, right, top and bottom edge, on a veil."""
    places = ((0.025, 0.5), (0.975, 0.5), (0.5, 0.965), (0.5, 0.035))
    for letter, (x, y) in zip(letters, places, strict=True):
        column, row = frame.at(x, y)
        half = canvas.text_width(letter, size) * 0.6 + 1.5 * canvas.dots_per_point
        high = 0.6 * size * canvas.dots_per_point
        canvas.box((column - half, row - high, column + half, row + high), PAPER, 0.55)
        canvas.text((column, row), letter, size, anchor="mm", bold=True)


def _scale_bar(canvas: Canvas, frame: Frame, half_mm: float) -> None:
    length = max(n for n in (5, 10, 20, 50) if n <= half_mm / 1.5)
    share = length / (2 * half_mm)
    (left, top), (right, bottom) = frame.at(0.015, 0.085), frame.at(0.035 + share, 0.015)
    canvas.box((left, top, right, bottom), PAPER, 0.55)
    (left, top), (right, bottom) = frame.at(0.025, 0.035), frame.at(0.025 + share, 0.024)
    canvas.box((left, top, right, max(bottom, top + 2)), INK)
    canvas.text(((left + right) / 2, top - 2 * canvas.dots_per_point), f"{length} mm", 10, anchor="ms")


def color_bar(canvas: Canvas, place: Place, picture: Picture) -> None:
    """What the colours mean, with its numbers at the right."""
    low = -picture.top if picture.signed else 0.0
    frame = canvas.frame(place, up=(low, picture.top) if picture.top > low else (0.0, 1.0))
    canvas.box((frame.left, frame.top, frame.right, frame.bottom), "#6e6e6e")
    ramp = (signed_table() if picture.signed else heat_table())[::-1, None]
    canvas.colors(frame, np.ascontiguousarray(ramp))
    canvas.outline(frame, FAINT)
    point = canvas.dots_per_point
    numbers, written = ticks(low, picture.top, 9)
    for number, text in zip(numbers, written, strict=True):
        row = float(frame.at(0.5, number)[1])
        canvas.box((frame.right, row - 0.5, frame.right + 3 * point, row + 0.5), INK)
        canvas.text((frame.right + 6 * point, row), text, 9)
    widest = max((canvas.text_width(text, 9) for text in written), default=0.0)
    middle = (frame.top + frame.bottom) / 2
    canvas.turned_text((frame.right + 16 * point + widest, middle), picture.scale_text, 9.5)
