"""How well two images lie on each other, for the eye: a checkerboard of both, as headers place them and as used."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...core.case import Image
from ...core.geometry.volume import VolumeGeometry, moved
from ...lesions.resampling import image_around, resample
from ...systems.volumes.quality import Quality, foreground, head_points
from ...systems.volumes.space import Space, inverse
from .canvas import FAINT, INK, PAPER
from .overlay import DOTS_PER_INCH

FIELD_MM = 20.0
"""Side of a field of the checkerboard."""

PIXEL_MM = 1.0

PLANES = ("axial", "coronal", "sagittal")
_AXIS = {"axial": 2, "coronal": 1, "sagittal": 0}


def draw_registration(images: Mapping[str, Image], space: Space, quality: Quality, titles: Mapping[str, str]) -> Figure:
    """Two rows of three planes through the middle of the head, on an Agg canvas.

    Args:
        images: of the case, by role; both of the registration are there.
        space: of the case.
        quality: of the registration that is shown.
        titles: role to its name for people.
    """
    fixed, moving = images[quality.fixed], images[quality.moving]
    own = space.way(quality.fixed)
    box = moved(head_points(fixed), inverse(own))
    figure = Figure(figsize=(9.6, 7.0), dpi=DOTS_PER_INCH, facecolor=PAPER)
    FigureCanvasAgg(figure)
    rows = (
        ("As the headers place them", own, quality.before),
        ("As they are used", space.way(quality.moving), quality.after),
    )
    for row, (heading, way, told) in enumerate(rows):
        for column, plane in enumerate(PLANES):
            axes = figure.add_subplot(2, 3, 3 * row + column + 1)
            grid = _plane(plane, box.min(axis=0), box.max(axis=0))
            axes.imshow(_checkerboard(plane, grid, (fixed, own), (moving, way)), cmap="gray", vmin=0, vmax=1)
            axes.set_axis_off()
            if column == 0:
                figures = f"correlation {told.correlation:.2f}, mutual information {told.information:.3f}"
                axes.set_title(f"{heading}: {figures}", loc="left", size=9, color=INK)
    both = f"{titles.get(quality.fixed, quality.fixed)} and {titles.get(quality.moving, quality.moving)}"
    figure.text(0.02, 0.97, both, size=13, weight="bold", color=INK, parse_math=False)
    about = f"Fields of {FIELD_MM:g} mm in turns from both: edges go on from field to field where they lie right."
    figure.text(0.02, 0.02, about, size=8, color=FAINT)
    figure.subplots_adjust(left=0.02, right=0.98, top=0.91, bottom=0.05, wspace=0.03, hspace=0.12)
    return figure


def _plane(plane: str, low: np.ndarray, high: np.ndarray) -> VolumeGeometry:
    """One slice along the patient's axes through the middle of a box, in the common space."""
    across = _AXIS[plane]
    size = np.maximum(1, np.ceil((high - low) / PIXEL_MM)).astype(int)
    first = low.copy()
    size[across], first[across] = 1, (low[across] + high[across]) / 2
    i, j, k = (int(n) for n in size)
    return VolumeGeometry((k, j, i), (PIXEL_MM,) * 3, tuple(first))


def _checkerboard(
    plane: str,
    grid: VolumeGeometry,
    one: tuple[Image, np.ndarray | None],
    other: tuple[Image, np.ndarray | None],
) -> np.ndarray:
    """Grey values 0 to 1 ``[rows, columns]``: anterior and superior above, the patient's right on the left."""
    a, b = (_brightness(grid, *each) for each in (one, other))
    fields = (np.indices(grid.shape) // round(FIELD_MM / PIXEL_MM)).sum(axis=0) % 2
    shown = np.squeeze(np.where(fields == 0, a, b), axis=2 - _AXIS[plane])
    return shown if plane == "axial" else shown[::-1]


def _brightness(grid: VolumeGeometry, image: Image, way: np.ndarray | None) -> np.ndarray:
    head = image.voxels[foreground(image.voxels)]
    low, high = np.percentile(head, (1, 99)) if head.size else (0.0, 1.0)
    values = resample(image_around(image.voxels, image.geometry, grid, way), grid, matrix=way)
    return np.clip((values - low) / ((high - low) or 1.0), 0, 1)
