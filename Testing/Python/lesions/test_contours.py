"""Contours to masks: even-odd per plane, volumes by the shoelace formula, planes beside and beyond slices, tilt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from making_structures import a_circle, a_square, on_plane, shoelace_mm2

from PulsarCAMLib.core.errors import GeometryError, InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.lesions.contours import area, drawn, enclosed
from PulsarCAMLib.lesions.on_grid import placed_on_grid

PLAIN = VolumeGeometry((9, 40, 50), (0.8, 0.8, 2.0), (-20, -16, 3))
TURN = np.linalg.qr(np.array([[1, 0.2, -0.3], [-0.1, 1, 0.25], [0.3, -0.2, 1]]))[0]
OBLIQUE = VolumeGeometry((9, 40, 50), (0.8, 0.8, 2.0), (-20, -16, 3), tuple(map(tuple, TURN)))


def on(geometry, *planes):
    """Contours from (k, points, ...) in mm from the middle of the slice."""
    return [on_plane(points, k, geometry) for k, *polygons in planes for points in polygons]


def mask_on(geometry, contours, name="GTV"):
    found = drawn(name, contours, geometry)
    (lesion,), told = placed_on_grid("The set", [(found.lesion, found.own)], geometry, False)
    return lesion, lesion.full_mask(geometry.shape), [*found.told, *told]


def by_hand(geometry, contours):
    """Voxel centres by the winding of a point against each contour, one at a time, of all planes on their slice."""
    mask = np.zeros(geometry.shape, bool)
    jj, ii = np.mgrid[: geometry.shape[1], : geometry.shape[2]]
    for points in contours:
        ijk = geometry.to_ijk(points)
        k, (x, y) = round(ijk[0, 2]), ijk[:, :2].T
        inside = np.zeros(jj.shape, bool)
        for n in range(len(x)):
            m = (n + 1) % len(x)
            over = (y[n] <= jj) != (y[m] <= jj)
            with np.errstate(all="ignore"):
                inside ^= over & (ii < x[n] + (jj - y[n]) * (x[m] - x[n]) / (y[m] - y[n]))
        mask[k] ^= inside
    return mask


def test_a_plain_structure_is_its_voxels_and_its_volume_that_of_the_polygons():
    for geometry in (PLAIN, OBLIQUE):
        contours = on(geometry, *((k, a_circle(5.3 + 0.2 * k)) for k in (2, 3, 4, 5)))
        lesion, mask, told = mask_on(geometry, contours)
        np.testing.assert_array_equal(mask, by_hand(geometry, contours))
        volume = sum(map(shoelace_mm2, contours)) * 2.0 / 1000
        assert lesion.volume_cm3(geometry) == pytest.approx(volume, rel=1e-6)
        assert lesion.voxels * geometry.voxel_volume_mm3 / 1000 == pytest.approx(volume, rel=0.03)
        assert told == []


def test_centres_on_the_line_belong_to_one_side_only():
    left, right = np.array([[1, 1], [3, 1], [3, 4], [1, 4]]), np.array([[3, 1], [6, 1], [6, 4], [3, 4]])
    both = [enclosed([each], 6, 8) for each in (left, right)]
    assert not (both[0] & both[1]).any()
    np.testing.assert_array_equal(both[0] | both[1], enclosed([np.array([[1, 1], [6, 1], [6, 4], [1, 4]])], 6, 8))
    assert [each.sum() for each in both] == [6, 9]


def holes():
    outer, inner = a_square(8), a_square(3)
    keyhole = np.concatenate([outer, outer[:1], inner[::-1][[3, 0, 1, 2, 3]]])
    return {
        "by keyhole": [keyhole],
        "as a contour of its own": [outer, inner],
        "the other way round": [outer, inner[::-1]],
    }


@pytest.mark.parametrize("how", holes())
def test_holes_are_left_out_of_mask_and_volume(how):
    contours = on(PLAIN, *((k, *holes()[how]) for k in (3, 4)))
    lesion, mask, _ = mask_on(PLAIN, contours)
    ring = by_hand(PLAIN, on(PLAIN, *((k, a_square(8), a_square(3)) for k in (3, 4))))
    np.testing.assert_array_equal(mask, ring)
    assert not mask[3, 20, 25]
    assert lesion.volume_cm3(PLAIN) == pytest.approx(2 * 2.0 * (16**2 - 6**2) / 1000)


def test_several_contours_on_a_plane_and_an_island_in_a_hole():
    planes = (4, a_square(9), a_square(6), a_circle(3), a_square(2, (14, 0)))
    lesion, mask, _ = mask_on(PLAIN, on(PLAIN, planes))
    assert mask[4, 20, 25]
    assert not mask[4, 20, 25 + round(5 / 0.8)]
    assert mask[4, 20, 25 + round(14 / 0.8)]
    circle = shoelace_mm2(on_plane(a_circle(3), 0, PLAIN))
    assert lesion.volume_cm3(PLAIN) == pytest.approx(2.0 * (18**2 - 12**2 + circle + 16) / 1000)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0.5, 30), st.floats(0.5, 30)), min_size=3, max_size=12, unique=True))
def test_any_polygon_is_filled_as_by_hand(points):
    polygon = np.round(np.array(points), 3)
    geometry = VolumeGeometry((1, 32, 32))
    found = enclosed([polygon], 32, 32)
    lps = np.column_stack([polygon, np.zeros(len(polygon))])
    differing = np.argwhere(found != by_hand(geometry, [lps])[0])[:, ::-1]
    for centre in differing:  # only where the centre lies on the line, within rounding
        ends = np.roll(polygon, -1, axis=0) - polygon
        long = np.maximum((ends**2).sum(axis=1), 1e-30)
        share = np.clip(((centre - polygon) * ends).sum(axis=1) / long, 0, 1)
        assert np.linalg.norm(polygon + share[:, None] * ends - centre, axis=1).min() < 1e-5


def test_area_of_a_bow_tie_is_that_of_both_halves_and_a_line_has_none():
    tie = np.array([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0], [4.0, 0.0], [2.0, 2.0], [0.0, 4.0]])
    assert area([tie]) == pytest.approx(8)
    assert area([np.array([[0.0, 1.0], [5.0, 1.0], [2.0, 1.0]])]) == 0


def test_contours_between_slices_go_to_the_nearest_one():
    lesion, mask, told = mask_on(PLAIN, on(PLAIN, *((k + 0.35, a_square(4)) for k in (2, 3, 4))))
    assert sorted(set(np.argwhere(mask)[:, 0])) == [2, 3, 4]
    assert lesion.volume_cm3(PLAIN) == pytest.approx(3 * 2 * 64 / 1000)
    assert "not on every slice" in told[0]


def test_contours_of_a_finer_series_are_not_added_up_on_one_slice():
    heights = np.arange(2, 5, 0.25)  # four planes a slice, each even: together they would cancel
    lesion, mask, _ = mask_on(PLAIN, on(PLAIN, *((k, a_square(4)) for k in heights)))
    assert mask[3, 20, 25]
    assert lesion.volume_cm3(PLAIN) == pytest.approx(12 * 0.5 * 64 / 1000)
    assert lesion.voxels * PLAIN.voxel_volume_mm3 == pytest.approx(384, rel=0.1)


def test_contours_on_every_second_slice_stand_for_two():
    lesion, mask, told = mask_on(PLAIN, on(PLAIN, *((k, a_square(4)) for k in (1, 3, 5))))
    assert mask[1:6, 20, 25].all()
    assert lesion.volume_cm3(PLAIN) == pytest.approx(3 * 4 * 64 / 1000)
    assert "4.00 mm apart" in told[0]


def test_a_missing_slice_is_left_empty_and_told():
    _, mask, told = mask_on(PLAIN, on(PLAIN, *((k, a_square(4)) for k in (1, 2, 5, 6))))
    assert not mask[3:5].any()
    assert "no contour on 2 slices" in told[0]


def test_uneven_planes_go_to_the_nearest_slice_and_the_nearer_one_wins():
    planes = ((2, a_square(4)), (3.1, a_square(4)), (3.4, a_square(9)), (5, a_square(4)))
    _, mask, told = mask_on(PLAIN, on(PLAIN, *planes))
    assert sorted(set(np.argwhere(mask)[:, 0])) == [2, 3, 5]
    assert mask[3].sum() == mask[2].sum()
    assert any("1 contour planes" in text and "left out" in text for text in told)
    assert any("nearest one (up to 0.80 mm" in text for text in told)


def test_a_structure_smaller_than_a_pixel_is_one_voxel_with_its_own_volume():
    lesion, mask, told = mask_on(PLAIN, on(PLAIN, (4, a_square(0.15))))
    assert mask.sum() == 1
    assert lesion.volume_cm3(PLAIN) == pytest.approx(0.3**2 * 2 / 1000)
    assert "smaller than a voxel" in told[0]


@pytest.mark.parametrize("degrees", [0.3, 12.0])
def test_planes_that_are_turned_are_refused_with_the_angle(degrees):
    turn = np.radians(degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    (flat,) = on(OBLIQUE, (4, a_square(8)))
    middle = flat.mean(axis=0)
    frame = np.asarray(OBLIQUE.direction)
    turned = (flat - middle) @ (frame @ about_x @ frame.T).T + middle
    if degrees < 0.5:
        assert mask_on(OBLIQUE, [turned])[1][4].any()
    else:
        with pytest.raises(GeometryError, match=r"turned by 12\.0 degrees against the slices"):
            drawn("GTV", [turned], OBLIQUE)


def test_what_is_not_planar_or_encloses_nothing_is_refused():
    (bent,) = on(PLAIN, (4, a_square(8)))
    bent[0, 2] += 3
    with pytest.raises(GeometryError, match=r"not planar \(its points lie up to 0\.\d mm"):
        drawn("GTV", [bent], PLAIN)
    with pytest.raises(InputError, match="enclose nothing"):
        drawn("GTV", on(PLAIN, (4, np.array([[0, 0], [5, 0], [9, 0]]))), PLAIN)
    with pytest.raises(InputError, match="reach over 80002 x 80002 mm, which no lesion does"):
        drawn("GTV", on(PLAIN, (4, a_square(40_000))), PLAIN)


def test_what_reaches_out_of_the_mri_keeps_its_volume():
    lesion, mask, told = mask_on(PLAIN, on(PLAIN, *((k, a_square(4)) for k in (7, 8, 9))))
    assert sorted(set(np.argwhere(mask)[:, 0])) == [7, 8]
    assert lesion.volume_cm3(PLAIN) == pytest.approx(3 * 2 * 64 / 1000)
    assert "33.3 % of “GTV” lies outside the MRI" in told[0]


def test_planes_that_are_left_out_have_no_volume():
    """Six uneven planes of 100 mm² for four slices of 3 mm: what stays is 1200 mm³, not 1800."""
    geometry = VolumeGeometry((9, 40, 50), (0.8, 0.8, 3.0), (-20, -16, 0))
    heights = (6.6, 7.7, 9.9, 12.3, 13.4, 16.1)
    contours = on(geometry, *((mm / 3.0, a_square(5)) for mm in heights))
    found = drawn("GTV", contours, geometry)
    slices = np.count_nonzero(found.lesion.mask.any(axis=(1, 2)))
    assert any("another one fills" in each for each in found.told)
    assert found.lesion.drawn_mm3 == pytest.approx(slices * 100 * 3.0, rel=1e-6)
    assert slices < len(heights)


def test_a_contour_that_is_there_twice_counts_once_however_it_runs_and_is_told():
    """By the even-odd rule it would erase itself, and its slice with it."""
    once = on(PLAIN, *((k, a_circle(5)) for k in (2, 3, 4, 5)), (3, a_square(1)))  # with a hole, which stays
    _, mask, told = mask_on(PLAIN, once)
    assert told == []
    again = [once[1][::-1], np.roll(once[2], 7, axis=0), once[2] + [1e-3, 0, 0]]
    _, found, said = mask_on(PLAIN, [*once, *again])
    np.testing.assert_array_equal(found, mask)
    assert said == ["3 contours of “GTV” are there more than once and count once."]
    assert mask_on(PLAIN, [*once, *once])[2] == ["5 contours of “GTV” are there more than once and count once."]


def test_contours_that_cross_are_told_and_those_beside_or_within_each_other_are_not():
    beside, within, across = (8.0, 0.0), (1.0, 0.0), (2.0, 0.0)
    for at, half, crosses in ((beside, 4, False), (within, 2, False), (across, 4, True)):
        _, _, told = mask_on(PLAIN, on(PLAIN, *((k, a_square(4), a_square(half, at)) for k in (3, 4))))
        assert any("cross each other on 2 planes" in text for text in told) is crosses


def test_a_slice_within_a_structure_whose_contours_enclose_no_voxel_is_told():
    sliver = np.array([[-4, 0.1], [4, 0.1], [4, 0.2], [-4, 0.2]])
    planes = [(k, a_square(4)) for k in (2, 3, 5, 6)]
    _, mask, told = mask_on(PLAIN, on(PLAIN, *planes, (4, sliver)))
    assert not mask[4].any()
    assert told == [
        "The contours of “GTV” on 1 slice between its first and its last enclose no voxel, so nothing is filled there; "
        "look at them."
    ]
    assert mask_on(PLAIN, on(PLAIN, *planes[:2], (4, sliver)))[2] == []  # where it ends, it may be as thin as it is
