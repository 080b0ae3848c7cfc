"""A sheet to draw pictures of lesions on, by Pillow: a figure of a plotting library takes ten times as long for each.

Places are fractions of the sheet (left, bottom, width, height), as everywhere here; pixels are counted from the upper
left corner. Sizes of letters and lines are points.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

INK, PAPER, FAINT = "#f2f2f2", "#16181c", "#9aa0a8"

POINTS_AN_INCH = 72
FINE = 4
"""Lines are drawn so much larger, and made smaller again, so that their edges are smooth."""

Place = tuple[float, float, float, float]


@dataclass(frozen=True)
class Frame:
    """A rectangle of the sheet in pixels, and the numbers along its sides.

    Attributes:
        left, top, right, bottom: in pixels.
        across, up: the numbers at left and right, at bottom and top.
    """

    left: float
    top: float
    right: float
    bottom: float
    across: tuple[float, float] = (0.0, 1.0)
    up: tuple[float, float] = (0.0, 1.0)

    def at(self, x, y) -> np.ndarray:
        """Pixels ``[..., 2]`` of numbers along the sides."""
        (low, high), (first, last) = self.across, self.up
        columns = self.left + (np.asarray(x, dtype=float) - low) / (high - low) * (self.right - self.left)
        rows = self.bottom - (np.asarray(y, dtype=float) - first) / (last - first) * (self.bottom - self.top)
        return np.stack(np.broadcast_arrays(columns, rows), axis=-1)


class Canvas:
    """An empty sheet.

    Args:
        size_inches: width and height.
        dots_per_inch: pixels of an inch.
    """

    def __init__(self, size_inches: tuple[float, float], dots_per_inch: float) -> None:
        self.size_inches = size_inches
        self.dots_per_point = dots_per_inch / POINTS_AN_INCH
        self.width, self.height = (round(side * dots_per_inch) for side in size_inches)
        self._image = Image.new("RGB", (self.width, self.height), PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self.texts: list[str] = []
        """What was written, in its order."""

    def pixels(self) -> np.ndarray:
        """uint8 ``[height, width, 3]``."""
        return np.asarray(self._image)

    def png(self, level: int = 6) -> bytes:
        """As a file; ``level`` 1 is packed soonest, 9 smallest."""
        made, told = io.BytesIO(), PngImagePlugin.PngInfo()
        told.add_text("Software", "PulsarCAM")
        self._image.save(made, format="PNG", compress_level=level, pnginfo=told)
        return made.getvalue()

    def frame(
        self, place: Place, across: tuple[float, float] = (0.0, 1.0), up: tuple[float, float] = (0.0, 1.0)
    ) -> Frame:
        """A part of the sheet, on whole pixels."""
        left, bottom, width, height = place
        edges = left * self.width, (1 - bottom - height) * self.height, (left + width) * self.width
        return Frame(*(round(edge) for edge in (*edges, (1 - bottom) * self.height)), across, up)

    def text(
        self, at: Sequence[float], text: str, size: float, color: str = INK, anchor: str = "lm", bold: bool = False
    ) -> None:
        """Words at pixels, as they are: nothing in them is a formula.

        Args:
            at: column and row.
            text: of one line or several.
            size: of the letters in points.
            color: of the letters.
            anchor: which point of the words lies there, as Pillow names it: ``l``, ``m`` or ``r``, then ``a`` (top),
                ``m``, ``s`` (the line that letters stand on) or ``d`` (bottom).
            bold: heavy letters.
        """
        self.texts.append(text)
        font = _font(round(size * self.dots_per_point, 2), bold)
        self._draw.text(tuple(at), text, fill=color, font=font, anchor=anchor, spacing=0.3 * size * self.dots_per_point)

    def text_width(self, text: str, size: float) -> float:
        """Pixels of one line."""
        return _font(round(size * self.dots_per_point, 2), False).getlength(text)

    def turned_text(self, at: Sequence[float], text: str, size: float, color: str = INK) -> None:
        """One line that runs upwards, with its middle at pixels."""
        self.texts.append(text)
        font = _font(round(size * self.dots_per_point, 2), False)
        left, top, right, bottom = font.getbbox(text, anchor="ls")
        words = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
        ImageDraw.Draw(words).text((1 - left, 1 - top), text, fill=255, font=font, anchor="ls")
        words = words.transpose(Image.Transpose.ROTATE_90)
        corner = round(at[0] - words.width / 2), round(at[1] - words.height / 2)
        self._image.paste(color, corner, words)

    def box(self, corners: Sequence[float], color: str, opacity: float = 1.0) -> None:
        """A filled rectangle: left, top, right and bottom in pixels."""
        left, top, right, bottom = (round(each) for each in corners)
        if right > left and bottom > top:
            veil = Image.new("L", (right - left, bottom - top), round(255 * opacity))
            self._image.paste(color, (left, top), veil)

    def outline(self, frame: Frame, color: str) -> None:
        """The four sides of a frame, one pixel wide."""
        self._draw.rectangle((frame.left, frame.top, frame.right - 1, frame.bottom - 1), outline=color)

    def image(self, frame: Frame, grey: np.ndarray) -> None:
        """A grey image 0..1 ``[h, w]`` that fills a frame, interpolated linearly."""
        shown = Image.fromarray((np.clip(np.nan_to_num(grey), 0, 1) * 255).astype(np.uint8))
        self._image.paste(shown.resize(_size(frame), Image.Resampling.BILINEAR), (int(frame.left), int(frame.top)))

    def colors(self, frame: Frame, rgba: np.ndarray) -> None:
        """Colours uint8 ``[h, w, 4]`` over what is there, each pixel as it is."""
        shown = Image.fromarray(rgba).resize(_size(frame), Image.Resampling.NEAREST)
        self._image.paste(shown.convert("RGB"), (int(frame.left), int(frame.top)), shown.getchannel("A"))

    def lines(
        self, every: Iterable[np.ndarray], color: str, width: float, within: Frame | None = None, fill: bool = False
    ) -> None:
        """Lines ``[n, 2]`` in pixels with smooth edges; ``width`` in points. ``fill``: what they enclose instead."""
        every = [np.asarray(each, dtype=float) for each in every if len(each) > 1]
        if not every:
            return
        wide = width * self.dots_per_point
        points = np.concatenate(every)
        low, high = np.floor(points.min(axis=0) - wide - 1), np.ceil(points.max(axis=0) + wide + 1)
        limits = (
            (0, 0, self.width, self.height)
            if within is None
            else (within.left, within.top, within.right, within.bottom)
        )
        low, high = np.maximum(low, limits[:2]).astype(int), np.minimum(high, limits[2:]).astype(int)
        if (high <= low).any():
            return
        width_px, height_px = (int(side) for side in high - low)
        mask = Image.new("L", (width_px * FINE, height_px * FINE))
        draw = ImageDraw.Draw(mask)
        for each in every:
            # a pixel's middle is where its number says
            path = [tuple(point) for point in (each - low) * FINE]
            if fill:
                draw.polygon(path, fill=255)
            else:
                draw.line(path, fill=255, width=max(1, round(wide * FINE)), joint="curve")
        self._image.paste(color, (int(low[0]), int(low[1])), mask.reduce(FINE))

    def dot(self, at: Sequence[float], radius: float, color: str, width: float = 0.0) -> None:
        """A disc at pixels, or a ring of a ``width``; both in points."""
        angles = np.linspace(0, 2 * np.pi, 33)
        around = np.asarray(at) + radius * self.dots_per_point * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        self.lines([around], color, width, fill=not width)


def _size(frame: Frame) -> tuple[int, int]:
    return int(frame.right - frame.left), int(frame.bottom - frame.top)


@lru_cache(maxsize=64)
def _font(pixels: float, bold: bool) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Matplotlib, which knows many scripts; without it Pillow's own."""
    found = find_spec("matplotlib")
    if found is not None and found.origin:
        name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
        path = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / name
        if path.is_file():
            return ImageFont.truetype(str(path), pixels, layout_engine=ImageFont.Layout.BASIC)
    return ImageFont.load_default(pixels)


def ticks(low: float, high: float, most: int, whole: bool = False) -> tuple[list[float], list[str]]:
    """Round numbers from ``low`` to ``high``, ``most`` at most, and how they are written.

    Args:
        low, high: ends, included.
        most: ticks.
        whole: only whole numbers.
    """
    span = high - low
    if not (np.isfinite(span) and span > 0):
        return [], []
    exponent = int(np.floor(np.log10(span))) - 2
    steps = (factor * 10.0**power for power in range(exponent, exponent + 4) for factor in (1, 2, 2.5, 5))
    step = next(s for s in steps if (not whole or s == round(s) >= 1) and span / s <= most - 1 + 1e-9)
    numbers = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step
    places = next((n for n in range(7) if abs(step * 10**n - round(step * 10**n)) < 1e-6 * step * 10**n), None)
    return numbers.tolist(), [f"{n + 0.0:.1e}" if places is None else f"{n + 0.0:.{places}f}" for n in numbers]
