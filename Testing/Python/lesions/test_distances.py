"""Depth under a mask's surface against brute force, boxes whose depth is known, and balls."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from PulsarCAMLib.lesions import distances
from PulsarCAMLib.lesions.distances import AROUND, depth_around, depth_of

GRIDS = ((1.0, 1.0, 1.0), (3.0, 1.0, 1.0), (2.5, 0.9, 0.7), (0.6, 2.0, 1.3))
"""Spacing along k, j, i."""


def faces_of(inside: np.ndarray, spacing) -> np.ndarray:
    """Middles in millimetres ``[n, 3]`` of the faces between a voxel inside and one outside, one by one."""
    found = []
    for at in np.ndindex(inside.shape):
        for axis in range(3):
            after = tuple(n + (a == axis) for a, n in enumerate(at))
            if after[axis] < inside.shape[axis] and inside[at] != inside[after]:
                found.append((np.array(at) + after) / 2 * spacing)
    return np.array(found)


def ball(radius: float, spacing, off_centre) -> tuple[np.ndarray, np.ndarray]:
    """Voxels of a ball and the true depth of all of them in it."""
    shape = [2 * int(radius / size + 3) + 1 for size in spacing]
    places = [(np.arange(n) - n // 2 + o) * size for n, o, size in zip(shape, off_centre, spacing, strict=True)]
    depth = radius - np.sqrt(sum(place**2 for place in np.meshgrid(*places, indexing="ij")))
    return depth > 0, depth


def depth_to_whole_faces(inside: np.ndarray, spacing) -> np.ndarray:
    """Distance of the voxels inside to the nearest point of any voxel outside, edges and corners included."""
    beside = ndimage.binary_dilation(inside) & ~inside
    steps = np.maximum(np.abs(np.argwhere(inside)[:, None] - np.argwhere(beside)) - 0.5, 0) * spacing
    return np.sqrt((steps**2).sum(axis=-1).min(axis=1))


@pytest.mark.parametrize("spacing", GRIDS)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_it_is_the_distance_to_the_nearest_middle_of_a_face_on_any_mask(spacing, share):
    inside = np.random.default_rng(int(100 * share)).random((7, 9, 8)) < share
    faces = faces_of(inside, spacing)
    centres = np.indices(inside.shape).reshape(3, -1).T * spacing
    nearest = np.linalg.norm(centres[:, None] - faces, axis=-1).min(axis=1).reshape(inside.shape)
    depth = depth_of(inside, spacing)
    np.testing.assert_allclose(np.abs(depth), nearest, atol=1e-6)
    assert ((depth > 0) == inside).all()


@pytest.mark.parametrize("slice_mm", [1.0, 1.5, 3.0, 4.0])
def test_in_a_box_along_the_grid_it_is_the_distance_to_its_walls_whatever_the_slices(slice_mm):
    spacing = (slice_mm, 1.0, 1.0)
    size = (round(12 / slice_mm), 30, 30)
    inside = np.pad(np.ones(size, dtype=bool), 2)
    walls = [np.minimum(np.arange(n) + 0.5, n - np.arange(n) - 0.5) * s for n, s in zip(size, spacing, strict=True)]
    true = np.minimum.reduce(np.meshgrid(*walls, indexing="ij"))
    np.testing.assert_array_equal(depth_of(inside, spacing)[inside].reshape(size), true)
    np.testing.assert_array_equal(depth_of(inside, spacing)[:2, 10, 10], [-1.5 * slice_mm, -0.5 * slice_mm])


@pytest.mark.parametrize(
    ("spacing", "reads_less", "to_whole_faces", "core"),
    [((1.0, 1.0, 1.0), 0.09, 0.35, 0.484), ((3.0, 1.0, 1.0), 0.22, 0.45, 0.413)],
)
def test_in_a_ball_it_reads_a_little_less_and_to_whole_faces_much_less(spacing, reads_less, to_whole_faces, core):
    """A core under 2 mm is 0.512 of the ball; the figures are those of the documentation."""
    errors, cores = [], []
    for seed in range(3):
        inside, true = ball(10.0, spacing, np.random.default_rng(seed).uniform(-0.5, 0.5, 3))
        measured = depth_of(inside, spacing)[inside], depth_to_whole_faces(inside, spacing)
        errors.append([np.mean(depth - true[inside]) for depth in measured])
        cores.append([np.mean(depth > 2) for depth in (true[inside], *measured)])
    assert np.mean(errors, axis=0) == pytest.approx([-reads_less, -to_whole_faces], abs=0.02)
    true_core, own_core, core_to_whole_faces = np.mean(cores, axis=0)
    assert true_core == pytest.approx(0.8**3, abs=0.01)
    assert own_core == pytest.approx(core, abs=0.01)
    assert core_to_whole_faces < own_core - 0.02


def test_a_surface_that_is_not_there_is_infinitely_far():
    assert (depth_of(np.ones((3, 4, 5), bool), (1, 1, 1)) == np.inf).all()
    assert (depth_of(np.zeros((3, 4, 5), bool), (1, 1, 1)) == -np.inf).all()


def test_rounding_of_the_spacing_moves_no_voxel_across_a_limit():
    inside = np.pad(np.ones((7, 7, 7), dtype=bool), 1)
    for spacing in (0.8, np.nextafter(0.8, 1), np.nextafter(0.8, 0), float(np.float32(0.8))):
        assert depth_of(inside, (spacing,) * 3)[3, 4, 4] == 2.0


def test_what_is_kept_is_what_would_be_computed_and_only_for_that_mask_and_spacing():
    masks = [np.random.default_rng(seed).random((5, 6, 7)) < 0.6 for seed in range(2)]
    for mask in (*masks, *masks):
        for spacing in GRIDS[:2]:
            found = depth_around(mask, spacing)
            np.testing.assert_array_equal(found, depth_of(np.pad(mask, AROUND), spacing))
            assert found is depth_around(mask, spacing)
            with pytest.raises(ValueError, match="read-only"):
                found[0] = 0


def test_no_more_is_kept_than_the_limit_and_the_mask_that_was_asked_for_longest_ago_goes_first(monkeypatch):
    masks = [np.ones((4, 4, 4), dtype=bool) for _ in range(3)]
    one = depth_around(masks[0], (1.0, 1.0, 1.0))
    monkeypatch.setattr(distances, "_kept", type(distances._kept)())
    monkeypatch.setattr(distances, "KEPT_BYTES", 2 * one.nbytes)
    first, second = (depth_around(mask, (1.0, 1.0, 1.0)) for mask in masks[:2])
    assert depth_around(masks[0], (1.0, 1.0, 1.0)) is first
    depth_around(masks[2], (1.0, 1.0, 1.0))
    assert depth_around(masks[0], (1.0, 1.0, 1.0)) is first
    assert depth_around(masks[1], (1.0, 1.0, 1.0)) is not second
    monkeypatch.setattr(distances, "KEPT_BYTES", 1)
    assert depth_around(masks[2], (1.0, 1.0, 1.0)).shape == one.shape
    assert not distances._kept
