"""Draws the icon: a brain seen in an axial slice, one contoured lesion, and the heat spot inside it.

Run ``python Resources/draw_icon.py``; it writes the extension's icon and the module's.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle, PathPatch
from matplotlib.path import Path as Outline
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
TARGETS = (ROOT / "Resources/PulsarCAM.png", ROOT / "PulsarCAM/Resources/Icons/PulsarCAM.png")
PIXELS = 128
OVERSAMPLING = 8
CORTEX, WHITE_MATTER, LINE, CONTOUR = "#aebccb", "#dfe6ee", "#34495e", "#16202b"
LESION_CENTRE, LESION_RADIUS = (0.34, -0.27), 0.36


def closed(radius: np.ndarray, angle: np.ndarray, width: float, height: float) -> Outline:
    """Returns a closed outline from polar coordinates, stretched to an ellipse of the given half axes."""
    points = np.column_stack([width * radius * np.cos(angle), height * radius * np.sin(angle)])
    return Outline(np.vstack([points, points[:1]]), closed=True)


def brain(scale: float, folds: float) -> Outline:
    """Returns the cortex: an ellipse with gyri as scallops, notched at the front and the back of the midline."""
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    gyri = folds * np.abs(np.sin(7.5 * (angle - np.pi / 2)))
    notch = 0.10 * np.exp(-((np.abs(np.cos(angle)) / 0.07) ** 2))
    return closed(scale * (0.93 + gyri - notch), angle, 0.90, 0.98)


def draw_brain(axes: plt.Axes) -> None:
    """Draws cortex, white matter, the midline and the two ventricles."""
    axes.add_patch(PathPatch(brain(1.0, 0.075), facecolor=CORTEX, edgecolor=LINE, linewidth=4.2, joinstyle="round"))
    axes.add_patch(PathPatch(brain(0.80, -0.09), facecolor=WHITE_MATTER, edgecolor="none"))
    axes.plot([0, 0], [-0.80, 0.80], color=LINE, linewidth=3.0, solid_capstyle="round")
    height = np.linspace(-0.26, 0.40, 60)
    for side in (-1, 1):
        bow = side * (0.10 + 0.55 * (height - 0.05) ** 2)
        axes.plot(bow, height, color=LINE, linewidth=5.2, solid_capstyle="round")


def draw_lesion(axes: plt.Axes) -> None:
    """Draws the lesion's contour and, off its centre, the heat that fades towards the contour."""
    x, y = LESION_CENTRE
    grid = np.linspace(-1, 1, 400)
    across, up = np.meshgrid(grid, grid)
    inside = Circle((x, y), LESION_RADIUS, facecolor="#2b0b3f", edgecolor="none", zorder=3)
    axes.add_patch(inside)
    heat = np.exp(-((across - 0.16) ** 2 + (up - 0.12) ** 2) / 0.38)
    extent = (x - LESION_RADIUS, x + LESION_RADIUS, y - LESION_RADIUS, y + LESION_RADIUS)
    picture = axes.imshow(heat, extent=extent, origin="lower", cmap="inferno", vmin=0.0, vmax=1.04, zorder=4)
    picture.set_clip_path(inside)
    axes.add_patch(Circle((x, y), LESION_RADIUS, facecolor="none", edgecolor="white", linewidth=7.0, zorder=5))
    axes.add_patch(Circle((x, y), LESION_RADIUS + 0.035, facecolor="none", edgecolor=CONTOUR, linewidth=2.6, zorder=6))


def main() -> None:
    """Writes the icon to both places."""
    figure = plt.figure(figsize=(2, 2), dpi=PIXELS * OVERSAMPLING / 2)
    axes = figure.add_axes((0, 0, 1, 1))
    draw_brain(axes)
    draw_lesion(axes)
    axes.set_xlim(-1.03, 1.03)
    axes.set_ylim(-1.03, 1.03)
    axes.set_axis_off()
    figure.patch.set_alpha(0.0)
    figure.canvas.draw()
    large = Image.fromarray(np.asarray(figure.canvas.buffer_rgba()))
    small = large.resize((PIXELS, PIXELS), Image.Resampling.LANCZOS)
    for target in TARGETS:
        target.parent.mkdir(parents=True, exist_ok=True)
        small.save(target, optimize=True)


if __name__ == "__main__":
    main()
