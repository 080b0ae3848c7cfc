"""Pictures of the panel beside slice views show what is there, at its place."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from host.making import a_segmentation, an_mri, box, ijk_to_ras_of


def pixels_of(image) -> np.ndarray:
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return rows[:, : image.width(), 2::-1].astype(int)


def to_ras(node, ijk) -> tuple[float, ...]:
    return tuple((ijk_to_ras_of(node) @ (*ijk, 1))[:3])


def test_the_window_shows_panel_mri_and_heat_map_at_their_places(a_desktop, a_model, tmp_path):
    from host.screen import BAR, GAP, PANEL_WIDTH, Screen, save_small
    from PIL import Image

    panel = a_desktop.open_panel()
    mri = an_mri()
    panel.ui.inputVolumeSelector.setCurrentNode(mri)
    panel.ui.inputSegmentationSelector.setCurrentNode(a_segmentation({"GTV": box((4, 10, 12), (8, 22, 30))}, mri))
    panel.ui.applyButton.click()
    panel.ui.resultsTable.setCurrentCell(0, 0)
    screen = Screen(a_desktop, (900, 500))
    screen.zoom(60)
    taken = {}
    for opacity in (0, 100):
        panel.ui.opacitySliderWidget.value = opacity
        image = screen.image()
        taken[opacity] = pixels_of(image)
    pixels = taken[100]
    assert (image.width(), image.height()) == (900, 500)
    assert pixels[:, :PANEL_WIDTH].std() > 10
    red = screen.views[0]
    left, top = PANEL_WIDTH + GAP, BAR
    shown = np.abs(pixels - taken[0]).max(axis=-1)[top : top + red.size[1], left : left + red.size[0]] > 20
    corners = [red.pixel_of(to_ras(mri, (i, j, 6))) for i, j in ((12, 10), (30, 22))]
    (low_row, high_row), (low_column, high_column) = (sorted(pair) for pair in zip(*corners, strict=True))
    rows, columns = np.nonzero(shown)
    assert len(rows) > 50
    assert low_row - 9 <= rows.min() <= rows.max() <= high_row + 9
    assert low_column - 9 <= columns.min() <= columns.max() <= high_column + 9
    save_small(image, tmp_path / "window.png")
    saved = np.asarray(Image.open(tmp_path / "window.png")).astype(int)
    assert np.abs(saved - pixels).max() <= 5
