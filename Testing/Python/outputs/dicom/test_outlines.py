"""Contours of masks are the border of the voxels itself, for any mask."""

import numpy as np
from making_structures import shoelace_mm2
from scipy import ndimage

from PulsarCAMLib.lesions.contours import area, enclosed
from PulsarCAMLib.outputs.dicom.outlines import outlines


def some_masks(count=150):
    """Of any size, from nearly empty to nearly full: full of holes, holes in holes, and corners that touch."""
    rng = np.random.default_rng(5)
    for _ in range(count):
        yield rng.random(rng.integers(1, 13, 2)) < rng.random()


def test_any_mask_comes_back_voxel_by_voxel_with_its_area():
    for mask in some_masks():
        polygons = [outline[:, ::-1] for outline in outlines(mask)]
        assert len(polygons) == ndimage.label(mask)[1]  # holes belong to what is around, corners hold nothing together
        if polygons:
            assert np.array_equal(enclosed(polygons, *mask.shape), mask)
            assert abs(area(polygons) - mask.sum()) < 1e-9


def test_readers_that_unite_contours_find_the_same():
    """Not all readers take the even-odd rule over the contours of a plane; by keyhole none needs to."""
    for mask in some_masks():
        each = [enclosed([outline[:, ::-1]], *mask.shape) for outline in outlines(mask)]
        assert np.array_equal(np.any(each, axis=0) if each else np.zeros_like(mask), mask)


def test_corners_are_those_of_voxels_and_straight_lines_have_two_points():
    mask = np.ones((3, 40), bool)
    (outline,) = outlines(mask)
    assert sorted(map(tuple, outline.tolist())) == [(-0.5, -0.5), (-0.5, 39.5), (2.5, -0.5), (2.5, 39.5)]
    assert shoelace_mm2(np.column_stack([outline, np.zeros(4)])) == mask.sum()
