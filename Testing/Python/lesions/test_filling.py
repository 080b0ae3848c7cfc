"""A mask of another grid keeps its volume and its place on the MRI's, and is itself on the MRI's own voxels."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from making_files import OBLIQUE, two_boxes, written
from scipy.spatial.transform import Rotation

from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.lesions.filling import fill, filled_shares, fullest
from PulsarCAMLib.lesions.from_files import read_lesions

FEW = settings(max_examples=20, deadline=None, derandomize=True)
MRI = VolumeGeometry((20, 48, 44), (1.0, 1.1, 3.0), (-20.0, -26.0, 5.0))


def ball(geometry, radius_mm=9.0, centre=None, squash=(1.0, 1.0, 1.0)):
    """An ellipsoid about the middle of a volume."""
    middle = geometry.to_lps((np.array(geometry.shape[::-1]) - 1) / 2) if centre is None else centre
    k, j, i = np.indices(geometry.shape)
    away = (geometry.to_lps(np.stack([i, j, k], -1).reshape(-1, 3)) - middle) / np.array(squash)
    return Lesion.from_mask("GTV", (np.linalg.norm(away, axis=1) <= radius_mm).reshape(geometry.shape))


def moved(geometry, shift_voxels=(0, 0, 0), turn=(0, 0, 0), spacing=None):
    """A grid of another place about the middle of the first, with at least its field of view."""
    spacing = geometry.spacing if spacing is None else spacing
    shape = [
        int(np.ceil(n * a / b)) for n, a, b in zip(geometry.shape, geometry.spacing[::-1], spacing[::-1], strict=True)
    ]
    axes = Rotation.from_euler("xyz", turn, degrees=True).as_matrix() @ np.array(geometry.direction)
    still = VolumeGeometry(tuple(shape), spacing, (0, 0, 0), axes)
    middle = geometry.to_lps((np.array(geometry.shape[::-1]) - 1) / 2 + shift_voxels)
    return replace(still, origin=tuple(middle - still.to_lps((np.array(shape[::-1]) - 1) / 2)))


def check(lesion, own, geometry):
    """Volume within half a voxel of the MRI, centre of mass within half a voxel along each axis."""
    filled = fill(lesion, own, geometry)
    wanted = lesion.voxels * own.voxel_volume_mm3 / geometry.voxel_volume_mm3
    assert abs(filled.mask.sum() - wanted) <= 0.5 + 1e-9
    there = Lesion("GTV", filled.mask, tuple(filled.offset))
    away = geometry.to_ijk(there.centroid_lps(geometry)) - geometry.to_ijk(lesion.centroid_lps(own))
    assert np.abs(away).max() <= 0.501
    return filled


parts = st.floats(-0.5, 0.5)
degrees = st.floats(-180, 180)


@FEW
@given(st.tuples(parts, parts, parts))
def test_a_sub_voxel_shift_keeps_the_volume(shift):
    own = moved(MRI, shift)
    check(ball(own), own, MRI)


@FEW
@given(st.tuples(degrees, degrees, degrees), st.tuples(parts, parts, parts))
def test_a_turn_keeps_the_volume(turn, shift):
    own = moved(MRI, shift, turn)
    check(ball(own), own, MRI)


@FEW
@given(
    st.tuples(*[st.floats(0.6, 4.0)] * 3), st.tuples(parts, parts, parts), st.sampled_from([(0, 0, 0), (7, -11, 30)])
)
def test_other_voxels_keep_the_volume(spacing, shift, turn):
    own = moved(MRI, shift, turn, spacing)
    check(ball(own), own, MRI)


@FEW
@given(
    st.integers(0, 2**32 - 1), st.permutations([0, 1, 2]), st.lists(st.sampled_from([-1, 1]), min_size=3, max_size=3)
)
def test_on_the_mris_own_voxels_a_mask_is_itself_bit_for_bit(seed, order, signs):
    """Holes and specks too, whatever way the axes run, though the header be off by a little."""
    rng = np.random.default_rng(seed)
    mask = rng.random((6, 7, 8)) < rng.uniform(0.02, 0.9)
    if not mask.any():
        return
    whole = np.zeros(MRI.shape, bool)
    whole[5:11, 20:27, 9:17] = mask
    ends = [n - 1 if s < 0 else 0 for n, s in zip(MRI.shape[::-1], signs, strict=True)]
    axes = (np.array(MRI.direction) * signs)[:, order]
    shape = np.array(MRI.shape[::-1])[order][::-1]
    off = rng.uniform(-1, 1, 3) * 0.009 * np.array(MRI.spacing)
    own = VolumeGeometry(tuple(shape), np.array(MRI.spacing)[order], MRI.to_lps(ends) + off, axes)
    flipped = whole.transpose(2, 1, 0)[tuple(slice(None, None, s) for s in signs)].transpose(order)
    lesion = Lesion.from_mask("GTV", flipped.transpose(2, 1, 0))
    filled = fill(lesion, own, MRI)
    there = np.zeros(MRI.shape, bool)
    there[tuple(slice(o, o + n) for o, n in zip(filled.offset, filled.mask.shape, strict=True))] = filled.mask
    np.testing.assert_array_equal(there, whole)


@pytest.mark.parametrize("shift", [(0.5, 0, 0), (0, 0.5, 0), (0.5, 0.5, 0), (0.5, 0.5, 0.5), (-0.5, 0.5, -0.5)])
def test_half_a_voxel_makes_no_lesion_larger_and_does_not_drag_it_to_a_side(shift):
    own = moved(MRI, shift)
    box = np.zeros(MRI.shape, bool)
    box[6:12, 14:26, 12:27] = True
    for lesion in (Lesion.from_mask("box", box), ball(own)):
        filled = check(lesion, own, MRI)
        there = Lesion("GTV", filled.mask, tuple(filled.offset))
        away = MRI.to_ijk(there.centroid_lps(MRI)) - MRI.to_ijk(lesion.centroid_lps(own))
        assert np.abs(away).max() < 0.02


def test_little_changes_at_once_when_a_mask_moves():
    """In steps of a fiftieth of a voxel; nearest neighbours would give up a whole side (some 200 voxels) at once."""
    before, steps, total = None, [], 0
    for shift in np.linspace(0, 1, 51):
        own = moved(MRI, (shift, shift / 3, 0))
        filled = fill(ball(MRI), own, MRI)
        now = np.zeros(MRI.shape, bool)
        now[tuple(slice(o, o + n) for o, n in zip(filled.offset, filled.mask.shape, strict=True))] = filled.mask
        if before is not None:
            steps.append(int((now ^ before).sum()))
        before, total = now, int(now.sum())
    assert max(steps) < 0.1 * total
    assert sum(steps) > 50


def test_the_shares_of_parallel_axes_are_exact():
    own = VolumeGeometry((2, 3, 4), (2.0, 1.0, 1.5), (2.3, 2.0, 2.0))
    mri = VolumeGeometry((8, 8, 12), (1.0, 1.0, 1.0))
    first, shares, is_whole = filled_shares(np.ones(own.shape, bool), own, mri)
    assert first.tolist() == [1, 2, 1]
    assert is_whole
    along = {2: [0.2, *[1] * 7, 0.8], 1: [1, 1, 1], 0: [0.25, 1, 1, 0.75]}
    for axis, wanted in along.items():
        np.testing.assert_allclose(shares.max(axis=tuple({0, 1, 2} - {axis})), wanted, atol=1e-6)
    assert shares.sum() == pytest.approx(2 * 3 * 4 * own.voxel_volume_mm3)
    _, shares, is_whole = filled_shares(np.ones(own.shape, bool), own, replace(mri, shape=(8, 8, 6)))
    assert not is_whole
    np.testing.assert_allclose(shares.max(axis=(0, 1)), [0.2, 1, 1, 1, 1], atol=1e-6)


def test_the_shares_of_turned_axes_are_close_to_a_fine_count():
    own = moved(MRI, turn=(8, -15, 25))
    lesion = ball(own, 7.0)
    source = own.cropped(lesion.offset, lesion.mask.shape)
    _, shares, _ = filled_shares(lesion.mask, source, MRI)
    assert shares.sum() * MRI.voxel_volume_mm3 == pytest.approx(lesion.voxels * own.voxel_volume_mm3, rel=0.01)
    assert 0 < shares[shares > 0].min() < 0.1
    assert shares.max() == 1


@pytest.mark.parametrize("turn", [(0, 0, 0), (8, -15, 25)])
@pytest.mark.parametrize("spacing", [(0.1, 0.1, 0.1), (0.1, 0.1, 4.0)])
def test_a_mask_much_finer_than_the_mri_is_not_missed(turn, spacing):
    """Points within the MRI's voxels could pass by it."""
    own = replace(moved(MRI, (0.2, 0.3, -0.1), turn), shape=(60, 90, 80), spacing=spacing)
    dot, bar = np.zeros(own.shape, bool), np.zeros(own.shape, bool)
    dot[30, 50, 40] = True
    bar[24:36, 10:80, 10:70] = True
    for mask in (dot, bar):
        lesion = Lesion.from_mask("GTV", mask)
        centred = replace(
            own, origin=tuple(MRI.to_lps([21.6, 23.7, 9.8]) - lesion.centroid_lps(replace(own, origin=(0, 0, 0))))
        )
        filled = fill(lesion, centred, MRI)
        wanted = lesion.voxels * own.voxel_volume_mm3 / MRI.voxel_volume_mm3
        assert filled.kept == (wanted >= 0.5)
        assert abs(filled.mask.sum() - max(wanted, 1)) <= 0.5
        there = Lesion("GTV", filled.mask, tuple(filled.offset))
        assert np.abs(MRI.to_ijk(there.centroid_lps(MRI)) - [21.6, 23.7, 9.8]).max() <= 0.5


def test_a_lesion_that_reaches_out_keeps_what_is_inside():
    wide = replace(MRI, shape=(20, 48, 60), origin=(-30.5, -26.0, 5.0))
    box = np.zeros(wide.shape, bool)
    box[4:9, 10:20, 4:20] = True  # nine and a half of 16 columns lie on the MRI
    filled = fill(Lesion.from_mask("box", box), wide, MRI)
    assert filled.mask.sum() == 5 * 10 * 9.5
    assert filled.offset[2] == 0


def test_of_voxels_that_are_filled_alike_the_inner_ones_are_taken():
    shares = np.zeros((1, 5, 5))
    shares[0, 1:4, 1:4] = 0.5
    shares[0, 2, 2] = 1
    taken = fullest(shares, 5, (1, 1, 1))[0]
    assert taken.astype(int).tolist() == [[0, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0], [0] * 5]


def test_of_voxels_that_are_filled_alike_those_beside_the_lesion_come_first():
    """A speck between two parts is nearer to the centre of all, but has nothing around it."""
    shares = np.zeros((1, 1, 15))
    shares[0, 0, [1, 2, 3, 11, 12, 13]] = 1
    shares[0, 0, [7, 10]] = 0.5
    assert np.flatnonzero(fullest(shares, 7, (1, 1, 1))).tolist() == [1, 2, 3, 10, 11, 12, 13]


def test_the_volume_that_is_told_is_the_drawn_one(tmp_path):
    """The case of half a voxel, and a finer grid: lesions.csv, page and panel take it from the lesion."""
    half = moved(OBLIQUE, (0.5, 0.5, 0.5))
    boxes = two_boxes(second=2)
    lesions, warnings = read_lesions(written(tmp_path / "half.nrrd", boxes, half), OBLIQUE)
    for lesion, value in zip(lesions, (1, 2), strict=True):
        drawn = int((boxes == value).sum())
        assert lesion.voxels == drawn
        assert lesion.volume_cm3(OBLIQUE) == drawn * OBLIQUE.voxel_volume_mm3 / 1000
    assert "another grid" in warnings[1]
    fine = moved(OBLIQUE, spacing=(0.4, 0.45, 1.0))
    box = np.zeros(fine.shape, np.uint8)
    box[9:28, 30:80, 40:90] = 1
    (lesion,), _ = read_lesions(written(tmp_path / "fine.nrrd", box, fine), OBLIQUE)
    assert lesion.volume_cm3(OBLIQUE) == pytest.approx(box.sum() * 0.18 / 1000, rel=1e-12)
    assert lesion.voxels * OBLIQUE.voxel_volume_mm3 == pytest.approx(box.sum() * 0.18, rel=0.002)
    (lesion, _), _ = read_lesions(written(tmp_path / "same.nrrd", boxes, OBLIQUE), OBLIQUE)
    assert lesion.drawn_mm3 is None
