"""Known volumes and doses: balls of 3 to 20 mm, Nelms' cylinder and cone, gaps, single planes, masks of voxels."""

from __future__ import annotations

import numpy as np
import pytest
from making_doses import HEIGHT, PRESCRIBED, Ball, circle, rod, rod_mm3, rod_share_above

from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.dose.histogram import Histogram
from PulsarCAMLib.dose.sampling import dose_at, share_outside
from PulsarCAMLib.dose.solids import of_contours, of_voxels, solid_of


def histogram(ball, lesion, grid=None):
    dose_grid = ball.grid()
    solid = solid_of(lesion, grid or dose_grid)
    return solid, Histogram.of(dose_at(ball.dose_on(dose_grid), dose_grid, solid.points), solid.mm3)


@pytest.mark.parametrize("diameter", [3, 5, 8, 20])
@pytest.mark.parametrize("centre", [(0, 0, 0), (0.3, -0.4, 0.5), (0.1, 0.2, 0.23)])
def test_a_ball_of_contours_is_right_within_two_per_cent_and_its_d98_within_one(diameter, centre):
    ball = Ball(diameter, centre)
    solid, found = histogram(ball, ball.by_contours())
    assert solid.made_of == "contours"
    assert solid.volume_mm3 == pytest.approx(ball.mm3, rel=0.02)
    assert abs(found.d(98) - ball.d(98)) < 0.01 * PRESCRIBED
    assert abs(found.d(50) - ball.d(50)) < 0.01 * PRESCRIBED
    assert found.v(PRESCRIBED) > 0.97
    np.testing.assert_allclose((solid.points * solid.mm3[:, None]).sum(axis=0) / solid.volume_mm3, centre, atol=0.03)


def test_contours_on_planes_of_two_and_three_mm_still_make_a_ball():
    for step, diameter in ((2, 10), (3, 15)):
        ball = Ball(diameter, (0, 0, 0.4))
        assert of_contours(ball.contours(step), 1.0).volume_mm3 == pytest.approx(ball.mm3, rel=0.02)


@pytest.mark.parametrize("along", [0, 1, 2])
@pytest.mark.parametrize("step", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("kind", ["cylinder", "cone"])
def test_cylinder_and_cone_of_nelms_in_a_linear_dose(kind, step, along):
    solid = of_contours(rod(kind, step, along), step)
    assert solid.volume_mm3 == pytest.approx(rod_mm3(kind), rel=0.02 if step < 3 else 0.04)
    dose_grid = VolumeGeometry((25, 25, 25), (step,) * 3, (-12 * step,) * 3)
    centres = dose_grid.to_lps(np.stack(np.meshgrid(*[np.arange(25)] * 3, indexing="ij"), -1)[..., ::-1])
    dose = (16 + centres[..., along]).astype(np.float32)  # 1 Gy / mm along the axis: 4 to 28 Gy
    found = Histogram.of(dose_at(dose, dose_grid, solid.points), solid.mm3)
    for t in np.linspace(-HEIGHT / 2, HEIGHT / 2, 9)[1:-1]:
        assert found.v(16 + t) == pytest.approx(rod_share_above(kind, t), abs=0.02)
    assert found.least == pytest.approx(4, abs=0.6)
    assert found.mean == pytest.approx(16 if kind == "cylinder" else 10, abs=0.25)


def test_planes_that_are_missing_leave_a_gap_and_a_single_plane_is_as_thick_as_a_slice():
    two = [circle(5, (0, 0, z)) for z in (0, 1, 2, 9, 10, 11)]
    assert of_contours(two, 1.0).volume_mm3 == pytest.approx(6 * np.pi * 25, rel=0.01)
    assert of_contours(two[:1], 3.0).volume_mm3 == pytest.approx(3 * np.pi * 25, rel=0.12)


def test_a_hole_stays_a_hole_and_turned_planes_turn_the_solid():
    ring = [circle(r, (0, 0, z)) for z in range(6) for r in (6, 3)]
    solid = of_contours(ring, 1.0)
    assert np.hypot(*solid.points[:, :2].T).min() > 2.6
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = of_contours([points @ turn.T + [5, 6, 7] for points in ring], 1.0)
    assert turned.volume_mm3 == pytest.approx(solid.volume_mm3, rel=0.01)
    middle, there = ((s.points * s.mm3[:, None]).sum(axis=0) / s.volume_mm3 for s in (solid, turned))
    np.testing.assert_allclose(there, turn @ middle + [5, 6, 7], atol=0.05)


@pytest.mark.parametrize("spacing", [(1, 1, 1), (0.5, 0.5, 3), (2, 1, 0.7)])
def test_a_mask_keeps_its_volume_and_its_place_and_a_rounded_surface_errs_less_than_corners(spacing):
    ball = Ball(8, (0.3, -0.2, 0.1))
    shape = tuple(int(40 / s) + 1 for s in spacing[::-1])
    grid = VolumeGeometry(shape, spacing, (-20, -20, -20))
    lesion = ball.by_voxels(grid)
    solid = of_voxels(lesion, grid)
    assert solid.volume_mm3 == pytest.approx(lesion.voxels * grid.voxel_volume_mm3, rel=1e-9)
    centre = (solid.points * solid.mm3[:, None]).sum(axis=0) / solid.volume_mm3
    np.testing.assert_allclose(centre, lesion.centroid_lps(grid), atol=0.05 * max(spacing))
    if spacing == (1, 1, 1):
        _, found = histogram(ball, lesion, grid)
        kji = np.argwhere(lesion.mask) + lesion.offset
        corners = np.concatenate([kji + np.array(s) * 0.4 for s in np.ndindex(2, 2, 2)]) - 0.2
        plain = Histogram.of(
            ball.dose(np.linalg.norm(grid.to_lps(corners[:, ::-1]) - ball.centre, axis=1)), np.ones(len(corners))
        )
        assert abs(found.d(98) - ball.d(98)) < 0.5 * abs(plain.d(98) - ball.d(98))


def test_a_mask_that_was_drawn_on_another_grid_has_the_volume_that_was_drawn():
    grid = Ball(8).grid()
    lesion = Ball(8).by_voxels(grid)
    assert of_voxels(Lesion("a", lesion.mask, lesion.offset, drawn_mm3=300.0), grid).volume_mm3 == pytest.approx(300)
    single = Lesion.from_mask("one", np.pad(np.ones((1, 1, 1), bool), 9))
    assert of_voxels(single, VolumeGeometry((19, 19, 19))).volume_mm3 == pytest.approx(1)


def test_splines_find_the_top_between_voxels_and_points_outside_are_counted():
    ball = Ball(5, (0.5, 0.5, 0.5))
    grid = ball.grid()
    assert dose_at(ball.dose_on(grid), grid, np.array([[0.5, 0.5, 0.5]]))[0] == pytest.approx(2 * PRESCRIBED, rel=0.003)
    edge = grid.origin[0]
    points = np.array([[edge - 0.4, 0, 0], [edge - 0.6, 0, 0], [0, 0, 0], [0, 0, -edge + 0.4]])
    assert share_outside(grid, points) == pytest.approx(0.25)
