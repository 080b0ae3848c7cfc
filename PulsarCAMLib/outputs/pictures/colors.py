"""Colours of heat maps, in pictures and in 3D Slicer: tables that need no plotting library."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...core.display import CLEAR_UNTIL

if TYPE_CHECKING:
    from matplotlib.colors import ListedColormap

_FILE = Path(__file__).resolve().parents[2] / "Resources" / "colors.json"

BLUE, RED, BETWEEN = (0.129, 0.400, 0.674), (0.698, 0.094, 0.168), 0.85
"""Ends of signed maps, and the grey between them."""

_DARK_END = 0.12
"""Share of inferno that pictures leave out."""

_FULL_OPACITY = 0.85


@cache
def rising(name: str, left_out: float = 0.0, count: int = 256) -> np.ndarray:
    """Colours 0..1 ``[count, 3]`` of ``"inferno"`` or ``"viridis"`` from a share ``left_out`` of them on."""
    rows = json.loads(_FILE.read_text(encoding="utf-8"))[name].split()
    table = np.array([[int(row[at : at + 2], 16) / 255 for at in (0, 2, 4)] for row in rows])
    places = np.linspace(left_out * (len(table) - 1), len(table) - 1, count)
    return np.stack([np.interp(places, range(len(table)), channel) for channel in table.T], axis=-1)


@cache
def signed(count: int = 256) -> np.ndarray:
    """Colours 0..1 ``[count, 3]`` from blue for -1 to red for 1."""
    places = np.linspace(-1.0, 1.0, count)[:, None]
    return np.where(places > 0, RED, BLUE) * np.abs(places) + BETWEEN * (1 - np.abs(places))


@cache
def heat_table() -> np.ndarray:
    """uint8 ``[256, 4]``: inferno, clear at zero."""
    return _with_opacity(rising("inferno", _DARK_END), np.linspace(0, 1, 256))


@cache
def signed_table() -> np.ndarray:
    """uint8 ``[256, 4]``: red for the positive class, blue for the other, clear at zero."""
    return _with_opacity(signed(), np.abs(np.linspace(-1, 1, 256)))


def _with_opacity(colors: np.ndarray, strength: np.ndarray) -> np.ndarray:
    opacity = _FULL_OPACITY * np.clip(strength / CLEAR_UNTIL, 0, 1)
    return np.round(np.column_stack([colors, opacity]) * 255).astype(np.uint8)


def heat_colors() -> ListedColormap:
    """:func:`heat_table` for Matplotlib."""
    from matplotlib.colors import ListedColormap

    return ListedColormap(heat_table() / 255, name="pulsarcam-heat")
