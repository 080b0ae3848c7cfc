"""Color tables for heat maps: made once, found again by name, saved with the scene."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import slicer

from .provenance import PREFIX

HEAT = "PulsarCAM heat"
SPREAD = "PulsarCAM spread"
SIGNED = "PulsarCAM signed"

_FILE = Path(__file__).resolve().parents[1] / "Resources" / "colors.json"
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
        name: :data:`HEAT` (inferno), :data:`SPREAD` (viridis) or :data:`SIGNED` (blue for negative values, red for
            positive ones, clear at zero: its alpha grows with the distance from the middle).
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
    colors = _signed() if name == SIGNED else _opaque("viridis" if name == SPREAD else "inferno")
    node.SetNumberOfColors(len(colors))
    for index, color in enumerate(colors):
        node.SetColor(index, f"{index}", *color)
    return slicer.mrmlScene.AddNode(node)


@cache
def _opaque(name: str) -> list[tuple[float, ...]]:
    rows = json.loads(_FILE.read_text(encoding="utf-8"))[name].split()
    return [(*(int(row[at : at + 2], 16) / 255 for at in (0, 2, 4)), 1.0) for row in rows]


@cache
def _signed(count: int = 256) -> list[tuple[float, ...]]:
    places = [2 * i / (count - 1) - 1 for i in range(count)]
    return [(*(_RED if x > 0 else _BLUE), min(1.0, 1.5 * abs(x))) for x in places]
