"""What a person sees in a slice view: the heat map at its place, the MRI where the map is clear, outline and legend."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

from host.making import GRIDS, a_result, a_segmentation, an_mri, box

MASKS = {"lesion": box((4, 12, 14), (9, 30, 36))}


@pytest.fixture(scope="session")
def drawing() -> None:
    """Skips where no picture can be drawn; VTK ends the process there, so another process tries."""
    code = "import vtk; w = vtk.vtkRenderWindow(); w.SetOffScreenRendering(1); w.Render()"
    if subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode:
        pytest.skip("VTK cannot draw here: install libegl1 and libgl1-mesa-dri")


@pytest.mark.parametrize("grid", ["axial", "oblique", "flipped"])
def test_the_overlay_is_colored_where_the_map_is_and_grey_elsewhere(a_scene, drawing, grid, tmp_path):
    from host.views import SliceView

    from PulsarCAMLib.scene.showing.display import add_legend
    from PulsarCAMLib.scene.writing.outputs import write_result

    mri = an_mri(ijk_to_ras=GRIDS[grid])
    mask = a_segmentation(MASKS, mri)
    mask.GetDisplayNode().SetVisibility(False)
    result = a_result(mri, MASKS)
    made = write_result(result, mri, mask)
    view = SliceView(size=(500, 500))
    view.show(mri, made.heat_map)
    add_legend(made.heat_map, "Non-response")
    heat = result.heat_map()
    peak = np.unravel_index(heat.argmax(), heat.shape)
    inside = (GRIDS[grid] @ [*peak[::-1], 1.0])[:3]
    view.jump_to(inside, 60)
    pixels = view.pixels().astype(int)
    row, column = view.pixel_of(inside)
    red, _, blue = pixels[row - 1 : row + 2, column - 1 : column + 2].reshape(-1, 3).mean(axis=0)
    assert red > blue + 40
    outside = (GRIDS[grid] @ [peak[2], 2, peak[0], 1.0])[:3]
    view.jump_to(outside, 60)
    pixels = view.pixels().astype(int)
    row, column = view.pixel_of(outside)
    assert np.ptp(pixels[row, column]) <= 3
    assert (np.ptp(pixels[:, 440:], axis=2) > 60).sum() > 200  # the legend's colors
    view.save(tmp_path / "view.png")
    assert (tmp_path / "view.png").stat().st_size > 5000


@pytest.mark.parametrize("size", [(784, 460), (480, 330)])
def test_the_legend_leaves_most_of_the_view_to_the_image(a_scene, drawing, size):
    from host.views import SliceView

    from PulsarCAMLib.scene.showing.display import add_legend
    from PulsarCAMLib.scene.writing.outputs import write_result

    mri = an_mri(ijk_to_ras=GRIDS["axial"])
    made = write_result(a_result(mri, MASKS), mri, None)
    view = SliceView(size=size)
    view.show(mri, made.heat_map)
    view.node.SetSliceOffset(-900.0)  # beside the image: nothing but the legend is drawn
    add_legend(made.heat_map, "Evidence for non-response\nPixel-wise CAM\n(contribution to the logit)")
    for _ in range(3):  # its sizes follow those drawn last
        pixels = view.pixels()
    rows, columns = np.nonzero(pixels.max(axis=2) > 60)
    assert np.ptp(columns) < 0.4 * size[0], "title and numbers"
    bar = np.nonzero((np.ptp(pixels.astype(int), axis=2) > 60).any(axis=1))[0]
    assert np.ptp(bar) > 0.4 * np.ptp(rows), "the title takes no more room than the bar"
