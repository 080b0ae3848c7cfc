"""Color tables for heat maps: made once, found again by name, saved with the scene."""

from __future__ import annotations

from functools import cache

import numpy as np
import slicer

from ...core.display import CLEAR_UNTIL
from ...outputs.pictures.colors import rising, signed
from ..writing.provenance import PREFIX

HEAT = "PulsarCAM heat"
SPREAD = "PulsarCAM spread"
SIGNED = "PulsarCAM signed"

_DARK_END = 60 / 255
"""Share of inferno that is left out: over an MRI, black would hide it where there is hardly any evidence."""

_CLEAR_BAND = CLEAR_UNTIL / 2
"""A map is clear up to this share of its range, where pictures let half of the MRI through. Above, alpha rises as it
does there, but a slice view of Slicer takes every alpha above 0 for opaque (a test measures it on its pipeline)."""

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
    colors = rising("inferno", _DARK_END)
    return [(*map(float, color), _alpha(n / (len(colors) - 1))) for n, color in enumerate(colors)]


@cache
def _viridis() -> list[tuple[float, ...]]:
    return [(*map(float, color), 1.0) for color in rising("viridis")]


def _alpha(strength: float) -> float:
    """Of a share of the range."""
    return float(min(strength / CLEAR_UNTIL, 1.0)) if strength > _CLEAR_BAND else 0.0


@cache
def _signed(count: int = 256) -> list[tuple[float, ...]]:
    strengths = np.abs(np.linspace(-1.0, 1.0, count))
    return [(*map(float, color), _alpha(strength)) for color, strength in zip(signed(count), strengths, strict=True)]
