"""Perpendicular diameters and volumes from masks, against brute force and known bodies."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from making_files import ROTATION, written

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.systems.rano.measurements import TARGETS, axial_axis, measure_file, measure_mask

TILT = ((1.0, 0.0, 0.0), (0.0, np.cos(0.3), -np.sin(0.3)), (0.0, np.sin(0.3), np.cos(0.3)))


def brute_force(section, spacing):
    """Longest distance of the edges' middles, and the longest chord across it, by trying places along it."""
    steps = np.array([[0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]])
    points = (np.argwhere(section)[:, None] + steps).reshape(-1, 2) * spacing
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    first, second = np.unravel_index(apart.argmax(), apart.shape)
    along = (points[second] - points[first]) / apart.max()
    u, v = points @ along, points @ np.array([-along[1], along[0]])
    longest = 0.0
    for place in np.linspace(u.min(), u.max(), 1501):
        before, after = u <= place + 1e-9, u >= place - 1e-9
        reach = (place - u[before][:, None]) / np.maximum(u[after][None] - u[before][:, None], 1e-12)
        across = v[before][:, None] + np.clip(reach, 0, 1) * (v[after][None] - v[before][:, None])
        longest = max(longest, across.max() - across.min())
    return apart.max(), longest


def a_blob(seed, shape=(24, 26)):
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 3)
    numbered, _ = ndimage.label(smooth > np.quantile(smooth, 0.7), np.ones((3, 3)))
    return numbered == np.argmax(np.bincount(numbered.ravel())[1:]) + 1


@pytest.mark.parametrize("seed", range(4))
def test_diameters_are_those_of_brute_force(seed):
    mask = np.zeros((3, 24, 26), bool)
    mask[1] = a_blob(seed)
    geometry = VolumeGeometry(mask.shape, (0.9, 1.3, 4.0))
    (lesion,) = measure_mask(mask, geometry).lesions
    longest, across = brute_force(mask[1], np.array([1.3, 0.9]))
    assert lesion.longest_mm == pytest.approx(longest)
    assert lesion.perpendicular_mm == pytest.approx(across, rel=2e-3)
    assert lesion.perpendicular_mm >= across - 1e-9
    ends = lesion.ends_lps
    assert np.linalg.norm(ends[0, 1] - ends[0, 0]) == pytest.approx(lesion.longest_mm)
    assert np.dot(ends[0, 1] - ends[0, 0], ends[1, 1] - ends[1, 0]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("direction", [np.eye(3), TILT])
def test_an_ellipsoid_has_its_axes_in_mm(direction):
    geometry = VolumeGeometry((30, 60, 64), (0.8, 0.9, 2.0), (-20.0, 31.0, 8.0), direction)
    kji = np.moveaxis(np.indices(geometry.shape), 0, -1)
    offset = (kji - [15, 30, 32]) * [2.0, 0.9, 0.8]
    mask = ((offset / [20.0, 10.0, 16.0]) ** 2).sum(-1) <= 1
    found = measure_mask(mask, geometry)
    assert found.lesions[0].longest_mm == pytest.approx(32, abs=1.0)
    assert found.lesions[0].perpendicular_mm == pytest.approx(20, abs=1.0)
    assert found.volume_cm3 == pytest.approx(4 / 3 * np.pi * 20 * 10 * 16 / 1000, rel=0.02)
    assert found.lesions[0].slice == 15
    assert found.measurable
    assert not found.gone


def test_an_image_that_is_stored_sagittally_is_measured_on_axial_slices():
    axial = np.zeros((20, 40, 44), bool)
    axial[8:11, 10:30, 12:26] = True
    plain = VolumeGeometry(axial.shape, (1.0, 1.0, 3.0))
    sagittal = axial.transpose(2, 0, 1)  # k runs to the left, j up, i to the back
    turned = VolumeGeometry(sagittal.shape, (1.0, 3.0, 1.0), direction=((0, 0, 1), (1, 0, 0), (0, 1, 0)))
    assert (axial_axis(plain), axial_axis(turned)) == (0, 1)
    for mask, geometry in ((axial, plain), (sagittal, turned)):
        lesion = measure_mask(mask, geometry).lesions[0]
        assert lesion.product_mm2 == pytest.approx(measure_mask(axial, plain).lesions[0].product_mm2)
        assert lesion.volume_cm3 == pytest.approx(20 * 14 * 9 / 1000)


def test_the_ends_lie_in_the_patient():
    geometry = VolumeGeometry((12, 60, 64), (0.9, 1.0, 3.0), (-20.0, 31.0, 8.0), TILT)
    mask = np.zeros(geometry.shape, bool)
    mask[4, 20, 10:30] = True
    lesion = measure_mask(mask, geometry).lesions[0]
    ends = geometry.to_lps([[9.5, 20, 4], [29.5, 20, 4]])
    assert np.sort(lesion.ends_lps[0], axis=0) == pytest.approx(np.sort(ends, axis=0))
    assert lesion.longest_mm == pytest.approx(18.0)


@pytest.mark.parametrize(("width", "measurable"), [(9, False), (10, True), (11, True)])
def test_both_diameters_must_have_10_mm(width, measurable):
    mask = np.zeros((3, 40, 40), bool)
    mask[1, 5:30, 10 : 10 + width] = True
    geometry = VolumeGeometry(mask.shape)
    lesion = measure_mask(mask, geometry).lesions[0]
    assert lesion.measurable == (lesion.perpendicular_mm >= 10)
    bar = np.zeros((3, 40, 40), bool)
    bar[1, 20, 5:35] = True
    bar[1, 20 - width // 2 : 20 - width // 2 + width, 20] = True
    assert measure_mask(bar, geometry).lesions[0].measurable == measurable


def test_the_five_largest_lesions_are_added_up_and_small_ones_stay_in_the_sum():
    mask = np.zeros((3, 20, 160), bool)
    for n in range(7):
        mask[1, 3 : 4 + n, 20 * n + 2 : 20 * n + 3 + n] = True
    found = measure_mask(mask, VolumeGeometry(mask.shape))
    assert len(found.lesions) == 7
    products = sorted((lesion.product_mm2 for lesion in found.lesions), reverse=True)
    assert found.product_mm2 == pytest.approx(sum(products[:TARGETS]))
    assert not found.measurable


def test_nothing_is_gone():
    found = measure_mask(np.zeros((3, 4, 5), bool), VolumeGeometry((3, 4, 5)))
    assert (found.gone, found.product_mm2, found.volume_cm3, found.measurable) == (True, 0, 0, False)


def test_files_with_and_without_the_enhancing_label(tmp_path):
    geometry = VolumeGeometry((12, 60, 64), (0.9, 1.0, 3.0), (-20.0, 31.0, 8.0), ROTATION)
    labels = np.zeros(geometry.shape, np.uint8)
    labels[3:6, 10:24, 8:22], labels[3:6, 24:40, 8:22] = 4, 2
    path = written(tmp_path / "mask.nii.gz", labels, geometry)
    own = measure_mask(labels == 4, VolumeGeometry.from_sitk(sitk.ReadImage(str(path))))
    assert measure_file(path, 4).product_mm2 == pytest.approx(own.product_mm2, rel=1e-5)
    assert measure_file(path).volume_cm3 > measure_file(path, 4).volume_cm3
    assert measure_file(path, 1).gone
    empty = written(tmp_path / "empty.nrrd", np.zeros(geometry.shape, np.uint8), geometry)
    assert measure_file(empty).gone
    with pytest.raises(InputError, match="swapped"):
        measure_file(written(tmp_path / "mri.nrrd", np.random.default_rng(0).normal(size=geometry.shape), geometry))
