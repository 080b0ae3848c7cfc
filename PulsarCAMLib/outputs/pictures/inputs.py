"""All images of a unit side by side: the same slice of each, bare and under the map."""

from __future__ import annotations

from textwrap import wrap

from .canvas import FAINT, INK, Canvas
from .inputs_content import InputsPicture
from .overlay import DOTS_PER_INCH, LETTER_INCHES, color_bar, mri_panel

PANEL, GAP, HEADING = 2.55, 0.16, 0.34
"""Inches: side of a panel, room between panels, room for the words above one."""

LEFT, RIGHT, TOP, BOTTOM = 0.25, 1.35, 0.95, 0.4

LINE = 0.18
"""Height of a line of the note, in inches."""


def draw_inputs(picture: InputsPicture, dots_per_inch: float = DOTS_PER_INCH) -> Canvas:
    """The whole picture."""
    rows, across = len(picture.rows), max(map(len, picture.rows))
    each = 2 * (PANEL + HEADING) + GAP
    width = max(LEFT + across * (PANEL + GAP) + RIGHT, 8.2)
    lines = wrap(picture.note, int((width - 2 * LEFT) / LETTER_INCHES))
    foot = BOTTOM + (0.1 + len(lines) * LINE if lines else 0)
    size = (width, TOP + rows * each + foot)
    canvas = Canvas(size, dots_per_inch)

    def literal(x: float, y: float, text: str, letters: float, **style) -> None:
        canvas.text((x * dots_per_inch, (size[1] - y) * dots_per_inch), text, letters, **style)

    literal(LEFT, size[1] - 0.32, picture.title, 14, bold=True)
    literal(LEFT, size[1] - 0.64, picture.subtitle, 10)
    literal(size[0] - 0.2, size[1] - 0.32, picture.plane, 9, color=FAINT, anchor="rm")
    literal(LEFT, 0.19, picture.footer, 7.5, color=FAINT)
    for number, line in enumerate(reversed(lines)):
        literal(LEFT, BOTTOM + 0.06 + number * LINE, line, 9, color=INK)
    places = [(row, column, n) for row, among in enumerate(picture.rows) for column, n in enumerate(among)]
    for row, column, n in places:
        panel = picture.panels[n]
        left = LEFT + column * (PANEL + GAP)
        upper = size[1] - TOP - row * each - HEADING - PANEL
        for bottom, heading in ((upper, None), (upper - HEADING - PANEL, next(iter(panel.maps)))):
            place = (left / size[0], bottom / size[1], PANEL / size[0], PANEL / size[1])
            mri_panel(canvas, place, panel, heading, scale=n == 0 and heading is None, size=9)
    bar = (LEFT + across * (PANEL + GAP) + 0.05, foot + (rows - 1) * each + GAP)
    place = (bar[0] / size[0], bar[1] / size[1], 0.14 / size[0], (2 * PANEL + HEADING - 0.1) / size[1])
    color_bar(canvas, place, picture.panels[0])
    return canvas
