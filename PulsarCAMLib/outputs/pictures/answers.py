"""What stands beside the maps of a picture: the answers of all slices, or the probability of every class."""

from __future__ import annotations

import numpy as np

from .canvas import FAINT, INK, Canvas, Frame, Place, ticks
from .content import ClassBars, Profile

LINE, SPREAD, AREA = "#ffb454", "#a87838", "#2c3138"


def draw_class_bars(canvas: Canvas, place: Place, answers: ClassBars) -> None:
    """Probability of every class."""
    frame = canvas.frame(place, (0.0, 1.02), (len(answers.names) - 0.5, -0.5))
    rows = zip(answers.names, answers.colors, answers.probabilities, answers.spreads, strict=True)
    spread = answers.spreads.any()  # of one member, none would look like certainty
    point = canvas.dots_per_point
    for n, (name, color, p, width) in enumerate(rows):
        (left, top), (right, bottom) = frame.at(0, n - 0.3), frame.at(p, n + 0.3)
        canvas.box((left, top, right, bottom), color)
        if spread:
            _bar_with_caps(canvas, frame.at([p - width, p + width], [n, n]), INK, 1.5)
        canvas.text((frame.left - 5 * point, frame.at(0, n)[1]), name, 9, anchor="rm")
    sides(canvas, frame, ticks(0, 1, 6), ([], []), "probability ± spread" if spread else "probability", "")


def draw_profile(canvas: Canvas, place: Place, answers: Profile, contour: str) -> None:
    """Probability of the positive class on every slice, in the order of the MRI's slices."""
    order = np.argsort(answers.slices, kind="stable")
    at, p, spread = answers.slices[order], answers.probabilities[order], answers.spreads[order]
    middle, reach = (at.min() + at.max()) / 2, max(np.ptp(at) / 2 + 1.2, 4)
    frame = canvas.frame(place, (middle - reach, middle + reach), (0.0, 1.02))
    for n, share in zip(at, answers.areas_mm2[order] / answers.areas_mm2.max(), strict=True):
        (left, top), (right, bottom) = frame.at(n - 0.425, share), frame.at(n + 0.425, 0)
        canvas.box((left, top, right, bottom), AREA)
    for n, value, width in zip(at, p, spread, strict=True):
        ends = frame.at([n, n], [value - width, value + width])
        _bar_with_caps(canvas, ends.clip((0, frame.top), (np.inf, frame.bottom)), SPREAD, 1.0)
    dashes = np.arange(frame.left, frame.right, 6 * canvas.dots_per_point)
    row = float(frame.at(0, answers.threshold)[1])
    length = 3.6 * canvas.dots_per_point
    canvas.lines([np.array([[x, row], [min(x + length, frame.right), row]]) for x in dashes], FAINT, 0.9)
    canvas.lines([frame.at(at, p)], LINE, 1.2, within=frame)
    for n, value in zip(at, p, strict=True):
        canvas.dot(frame.at(n, value), 1.75, LINE)
    canvas.dot(frame.at(answers.slices[answers.main], answers.probabilities[answers.main]), 4.5, contour, 1.0)
    whole = ticks(*frame.across, 9, whole=True)
    sides(canvas, frame, whole, ticks(0, 1, 6), "MRI slice", answers.title)
    _legend(canvas, frame, f"{answers.short_title} ± spread", contour)


def _legend(canvas: Canvas, frame: Frame, title: str, contour: str) -> None:
    """One line above the frame, with a sign before each word."""
    point = canvas.dots_per_point
    words = ("area", "answering slice", "threshold", title)
    widths = [canvas.text_width(word, 8.5) + 22 * point for word in words]
    row, x = frame.top - 9 * point, (frame.left + frame.right - sum(widths) - 6 * point * (len(words) - 1)) / 2
    for word, width in zip(words, widths, strict=True):
        start, end = np.array([x, row]), np.array([x + 15 * point, row])
        if word == "area":
            canvas.box((x, row - 3 * point, x + 15 * point, row + 3 * point), AREA)
        elif word == "answering slice":
            canvas.dot((start + end) / 2, 4.0, contour, 1.0)
        elif word == "threshold":
            for share in (0.0, 0.38, 0.76):
                canvas.lines(
                    [np.array([start + share * (end - start), start + (share + 0.24) * (end - start)])], FAINT, 0.9
                )
        else:
            canvas.lines([np.array([start, end])], LINE, 1.2)
            canvas.dot((start + end) / 2, 1.75, LINE)
        canvas.text((x + 19 * point, row), word, 8.5)
        x += width + 6 * point


def _bar_with_caps(canvas: Canvas, ends: np.ndarray, color: str, width: float) -> None:
    along = ends[1] - ends[0]
    length = float(np.hypot(*along))
    caps = []
    if length > 0:
        across = 2 * canvas.dots_per_point * np.array([-along[1], along[0]]) / length
        caps = [np.array([end - across, end + across]) for end in ends]
    canvas.lines([ends, *caps], color, width)


def sides(canvas: Canvas, frame: Frame, below, beside, title_below: str, title_beside: str) -> None:
    """Frame, ticks with their numbers (of an empty one the tick alone), and titles."""
    point = canvas.dots_per_point
    canvas.outline(frame, FAINT)
    for number, text in zip(*below, strict=True):
        column = float(frame.at(number, frame.up[0])[0])
        canvas.box((column - 0.5, frame.bottom, column + 0.5, frame.bottom + 3.5 * point), INK)
        canvas.text((column, frame.bottom + 5 * point), text, 9, anchor="ma")
    for number, text in zip(*beside, strict=True):
        row = float(frame.at(frame.across[0], number)[1])
        canvas.box((frame.left - 3.5 * point, row - 0.5, frame.left, row + 0.5), INK)
        if text:
            canvas.text((frame.left - 6 * point, row), text, 9, anchor="rm")
    if title_below:
        middle = (frame.left + frame.right) / 2
        canvas.text((middle, frame.bottom + 18 * point), title_below, 9.5, anchor="ma")
    widest = max((canvas.text_width(text, 9) for text in beside[1]), default=0.0)
    if title_beside:
        across = frame.left - 14 * point - widest
        canvas.turned_text((across, (frame.top + frame.bottom) / 2), title_beside, 9.5)
