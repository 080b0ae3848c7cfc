"""Color tables for heat maps: made once, found again by name, saved with the scene."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import slicer

from ...core.display import CLEAR_UNTIL
from ..writing.provenance import PREFIX

HEAT = "PulsarCAM heat"
SPREAD = "PulsarCAM spread"
SIGNED = "PulsarCAM signed"

_FILE = Path(__file__).resolve().parents[2] / "Resources" / "colors.json"
_DARK_END = 60
"""So many of inferno's 256 colors are left out: over an MRI, black would hide it where there is hardly any evidence."""

_CLEAR_BAND = CLEAR_UNTIL / 2
"""A map is clear up to this share of its range, where pictures let half of the MRI through. Above, alpha rises as it
does there, but a slice view of Slicer takes every alpha above 0 for opaque (a test measures it on its pipeline)."""

_BLUE, _RED = (0.129, 0.400, 0.674), (0.698, 0.094, 0.168)

SEGMENT_COLORS = (
    (0.902, 0.624, 0.000),
    (0.337, 0.706, 0.914),
    (0.000, 0.620, 0.451),
    (0.941, 0.894, 0.259),
    (0.835, 0.369, 0.000),
    (0.800, 0.475, 0.655),
    (0.000, 0.447, 0.698),
)
"""Colors that stay apart for color-blind readers (Okabe and Ito, 2008)."""


def color_node(name: str):
    """The color table node of that name, made if the scene lacks it.

    Args:
        name: :data:`HEAT` (inferno without its darkest part, clear where the map says little), :data:`SPREAD`
            (viridis) or :data:`SIGNED` (blue for negative values, red for positive ones, clear around zero).
    """
    for node in slicer.util.getNodesByClass("vtkMRMLColorTableNode"):
        if node.GetName() == name and node.GetAttribute(f"{PREFIX}colors") == name:
            return node
    node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLColorTableNode")
    node.UnRegister(None)
    node.SetName(name)
    node.SetTypeToUser()
    node.SetHideFromEditors(False)  # hidden color nodes are not saved with the scene
    node.SetAttribute("Category", "PulsarCAM")
    node.SetAttribute(f"{PREFIX}colors", name)
    colors = {SIGNED: _signed, SPREAD: _viridis}.get(name, _inferno)()
    node.SetNumberOfColors(len(colors))
    for index, color in enumerate(colors):
        node.SetColor(index, f"{index}", *color)
    return slicer.mrmlScene.AddNode(node)


@cache
def _inferno() -> list[tuple[float, ...]]:
    colors = _rising("inferno", _DARK_END)
    return [(*color[:3], _alpha(n / (len(colors) - 1))) for n, color in enumerate(colors)]


@cache
def _viridis() -> list[tuple[float, ...]]:
    return _rising("viridis", 0)


def _alpha(strength: float) -> float:
    """Of a share of the range."""
    return float(min(strength / CLEAR_UNTIL, 1.0)) if strength > _CLEAR_BAND else 0.0


def _rising(name: str, left_out: int, count: int = 256) -> list[tuple[float, ...]]:
    rows = json.loads(_FILE.read_text(encoding="utf-8"))[name].split()
    table = np.array([[int(row[at : at + 2], 16) / 255 for at in (0, 2, 4)] for row in rows])
    places = np.linspace(left_out, len(table) - 1, count)
    colors = [np.interp(places, range(len(table)), channel) for channel in table.T]
    return [(*(float(c) for c in color), 1.0) for color in zip(*colors, strict=True)]


@cache
def _signed(count: int = 256) -> list[tuple[float, ...]]:
    colors = []
    for place in np.linspace(-1.0, 1.0, count):
        far, strength = np.array(_RED if place > 0 else _BLUE), abs(place)
        colors.append((*(float(c) for c in far * strength + 0.85 * (1 - strength)), _alpha(strength)))
    return colors
