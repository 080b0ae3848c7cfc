"""Patches and the way back, on grids that are awkward on purpose."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from PulsarCAMLib.core.errors import BundleError, InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.lesions.from_labels import lesions_from_labels
from PulsarCAMLib.systems.autoencoder.samples.patches import extract_patches, paste_maps
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing

TURNED = Rotation.from_euler("xyz", [8, -12, 27], degrees=True).as_matrix()
GRIDS = {
    "plain": VolumeGeometry((12, 96, 96)),
    "flipped j, thick slices": VolumeGeometry((12, 96, 96), (0.78, 0.78, 6.5), (-99, 99, -77), np.diag([1.0, -1, 1])),
    "left-handed": VolumeGeometry((12, 96, 96), (0.9, 0.9, 2.0), (5, 6, 7), np.diag([-1.0, 1, 1])),
    "oblique": VolumeGeometry((12, 96, 96), (0.8, 0.9, 3.0), (-40, 30, 10), TURNED),
    "oblique, left-handed": VolumeGeometry((12, 96, 96), (0.8, 0.9, 3.0), (-40, 30, 10), TURNED @ np.diag([1, -1, 1])),
    "sagittal slices": VolumeGeometry((12, 96, 96), (0.8, 0.8, 2.0), (1, 2, 3), [[0, 0, 1.0], [1, 0, 0], [0, -1, 0]]),
    "coronal slices": VolumeGeometry((12, 96, 96), (0.8, 0.8, 2.0), (1, 2, 3), [[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
}


def ball(geometry, centre_kji, radius_mm):
    index = np.indices(geometry.shape).reshape(3, -1).T[:, ::-1]
    distance = np.linalg.norm(geometry.to_lps(index) - geometry.to_lps(np.array(centre_kji)[::-1]), axis=1)
    return (distance <= radius_mm).reshape(geometry.shape)


def noise(shape, seed=3):
    return np.random.default_rng(seed).normal(100, 20, shape).astype(np.float32)


@pytest.mark.parametrize("plane", ["volume", "axial", "coronal", "sagittal"])
@pytest.mark.parametrize("name", GRIDS)
def test_a_smooth_mark_in_a_patch_comes_back_at_its_millimetres(name, plane):
    """A blob's centre of mass on the MRI is where the patch says it is, within half a voxel along every axis."""
    geometry = GRIDS[name]
    lesion = Lesion.from_mask("GTV", ball(geometry, (6, 50, 44), 14))
    patches = extract_patches(noise(geometry.shape), geometry, lesion, Preprocessing(plane=plane))
    row, column = np.argwhere(patches.masks[patches.main, 0]).mean(axis=0) + np.array([2.3, -1.6])
    wanted = patches.patch_to_lps(patches.main, row, column)
    rows, columns = np.indices((64, 64))
    in_plane = np.hypot(rows - row, columns - column)
    along = (patches.slices - patches.slices[patches.main]) * patches.grid.spacing[2]
    marks = np.exp(-(in_plane[None] ** 2 + along[:, None, None] ** 2) / (2 * 2.5**2)).astype(np.float32)
    pasted = paste_maps(patches, marks, geometry, restrict=False)
    kji = np.argwhere(pasted.values > 0.05)
    weights = pasted.values[tuple(kji.T)]
    found = (kji * weights[:, None]).sum(axis=0) / weights.sum() + pasted.offset
    assert np.abs(found[::-1] - geometry.to_ijk(wanted)).max() < 0.5


@pytest.mark.parametrize("name", GRIDS)
def test_native_voxels_come_and_go_unchanged(name):
    """On the MRI's own slices and pixels every patch pixel is a voxel: values in, values out."""
    geometry = GRIDS[name]
    volume = noise(geometry.shape)
    lesion = Lesion.from_mask("GTV", ball(geometry, (6, 50, 44), 12))
    settings = Preprocessing(in_plane_spacing_mm=None, percentiles=(0, 100))
    patches = extract_patches(volume, geometry, lesion, settings)
    assert patches.masks.sum() == lesion.voxels
    rows, columns = np.indices((64, 64))
    for n in range(len(patches)):
        points = patches.patch_to_lps(n, 0, 0) + np.stack([rows, columns], -1) @ np.array(
            [patches.patch_to_lps(n, *step) - patches.patch_to_lps(n, 0, 0) for step in ((1, 0), (0, 1))]
        )
        index = np.rint(geometry.to_ijk(points)).astype(int)
        assert np.abs(geometry.to_ijk(points) - index).max() < 1e-6
        i, j, k = np.clip(index, 0, np.array(geometry.shape)[::-1] - 1).transpose(2, 0, 1)
        voxels = volume[k, j, i]
        np.testing.assert_allclose(patches.images[n, 0], (voxels - voxels.min()) / np.ptp(voxels), atol=1e-5)
    values = np.random.default_rng(0).random((len(patches), 64, 64), dtype=np.float32)
    pasted = paste_maps(patches, values, geometry)
    inside = np.sort(pasted.values[lesion.mask])
    np.testing.assert_allclose(inside, np.sort(values[patches.masks[:, 0]]), atol=1e-5)


def test_the_patch_does_not_depend_on_how_the_volume_is_stored():
    """Flipping arrays and header together describes the same body, so the patch is the same."""
    geometry = VolumeGeometry((12, 96, 96), (0.8, 0.8, 3.0), (-40, 30, 10))
    volume, mask = noise(geometry.shape), ball(geometry, (6, 50, 44), 14)
    image = geometry.to_sitk(volume)
    stored = {"as is": image, "LAS": sitk.DICOMOrient(image, "LAS"), "RPI": sitk.DICOMOrient(image, "RPI")}
    patches = {}
    for name, each in stored.items():
        labels = sitk.DICOMOrient(geometry.to_sitk(mask.astype(np.uint8)), name if name != "as is" else "LPS")
        lesion = Lesion.from_mask("GTV", sitk.GetArrayFromImage(labels))
        patches[name] = extract_patches(sitk.GetArrayFromImage(each), VolumeGeometry.from_sitk(each), lesion)
    for name in ("LAS", "RPI"):
        np.testing.assert_allclose(patches[name].images, patches["as is"].images, atol=2e-5)
        np.testing.assert_array_equal(patches[name].masks, patches["as is"].masks)


def test_the_patch_does_not_depend_on_where_the_volume_is_cropped():
    geometry = VolumeGeometry((12, 120, 120), (0.7, 0.7, 3.0), (-40, 30, 10), TURNED)
    volume, mask = noise(geometry.shape), ball(geometry, (6, 60, 64), 9)
    small = geometry.cropped((1, 8, 9), (10, 107, 105))
    part = (slice(1, 11), slice(8, 115), slice(9, 114))
    whole = extract_patches(volume, geometry, Lesion.from_mask("GTV", mask))
    cropped = extract_patches(volume[part], small, Lesion.from_mask("GTV", mask[part]))
    np.testing.assert_allclose(cropped.images, whole.images, atol=2e-5)


def test_the_patch_agrees_with_an_independent_interpolation():
    from scipy.ndimage import map_coordinates

    geometry = GRIDS["oblique"]
    volume = noise(geometry.shape)
    lesion = Lesion.from_mask("GTV", ball(geometry, (6, 50, 44), 10))
    patches = extract_patches(volume, geometry, lesion, Preprocessing(percentiles=(0, 100)))
    n = patches.main
    rows, columns = np.meshgrid(np.arange(64), np.arange(64), indexing="ij")
    points = np.array([patches.patch_to_lps(n, r, c) for r, c in zip(rows.ravel(), columns.ravel(), strict=True)])
    expected = map_coordinates(volume, geometry.to_ijk(points).T[::-1], order=1, mode="nearest").reshape(64, 64)
    expected = (expected - expected.min()) / np.ptp(expected)
    np.testing.assert_allclose(patches.images[n, 0], expected, atol=1e-4)


def test_rotation_turns_the_patch_about_the_lesion():
    geometry = VolumeGeometry((7, 110, 110), (0.8, 0.8, 3))
    volume, mask = noise(geometry.shape), ball(geometry, (3, 55, 55), 12.1)  # no voxel at the radius, by rounding
    straight = extract_patches(volume, geometry, Lesion.from_mask("GTV", mask), only_main=True)
    turned = extract_patches(volume, geometry, Lesion.from_mask("GTV", mask), rotation_deg=90, only_main=True)
    quarter = [np.rot90(straight.images[0, 0], k) for k in (1, 3)]
    assert min(np.abs(turned.images[0, 0] - q).max() for q in quarter) < 1e-4
    assert len(turned) == 1


def test_rotation_brings_no_black_corners():
    geometry = VolumeGeometry((5, 128, 128), (1, 1, 3))
    lesion = Lesion.from_mask("GTV", ball(geometry, (2, 64, 64), 12))
    turned = extract_patches(noise(geometry.shape), geometry, lesion, rotation_deg=45, only_main=True)
    corners = [turned.images[0, 0, r : r + 8 or None, c : c + 8 or None] for r in (0, -8) for c in (0, -8)]
    assert all(0.2 < corner.mean() < 0.8 and corner.std() > 0.1 for corner in corners)


def test_a_lesion_larger_than_the_patch_is_shrunk_whole_and_flagged():
    geometry = VolumeGeometry((5, 160, 160), (1, 1, 3))
    mask = np.zeros(geometry.shape, bool)
    mask[1:4, 40:130, 60:100] = True
    patches = extract_patches(noise(geometry.shape), geometry, Lesion.from_mask("big", mask))
    assert patches.scale == pytest.approx(90 / 60)
    extent = np.ptp(np.flatnonzero(patches.masks[0, 0].any(axis=1))) + 1
    assert 58 <= extent <= 62
    assert "does not fit" in patches.warnings[0]
    pasted = paste_maps(patches, np.ones((3, 64, 64), np.float32), geometry)
    np.testing.assert_array_equal(pasted.values > 0, np.ones_like(pasted.values, bool))


def test_a_lesion_that_just_fits_is_not_shrunk():
    geometry = VolumeGeometry((3, 160, 160))
    mask = np.zeros(geometry.shape, bool)
    mask[1, 40:104, 60:124] = True
    patches = extract_patches(noise(geometry.shape), geometry, Lesion.from_mask("64", mask))
    assert patches.scale == 1
    assert patches.masks.sum() == 64 * 64


@pytest.mark.parametrize("spacing", [(0.4, 0.4, 5.0), (0.98, 0.98, 3.0), (2.5, 2.5, 2.5)])
@pytest.mark.parametrize("plane", ["volume", "axial", "coronal", "sagittal"])
def test_a_single_voxel_is_never_lost(spacing, plane):
    geometry = VolumeGeometry((9, 50, 50), spacing, direction=TURNED)
    mask = np.zeros(geometry.shape, bool)
    mask[4, 20, 30] = True
    patches = extract_patches(
        noise(geometry.shape), geometry, Lesion.from_mask("dot", mask), Preprocessing(plane=plane)
    )
    assert len(patches) >= 1
    assert patches.masks.any(axis=(1, 2, 3)).all()
    centre = patches.centres_lps()[patches.main]
    assert np.linalg.norm(centre - geometry.to_lps([30, 20, 4])) < np.linalg.norm(geometry.spacing)
    pasted = paste_maps(patches, np.ones((len(patches), 64, 64), np.float32), geometry)
    assert pasted.values.shape == (1, 1, 1)
    assert pasted.values[0, 0, 0] == pytest.approx(1)


def test_a_lesion_at_the_border_continues_with_edge_voxels():
    geometry = VolumeGeometry((4, 70, 70))
    volume = noise(geometry.shape)
    mask = np.zeros(geometry.shape, bool)
    mask[0:2, 0:9, 61:70] = True
    patches = extract_patches(volume, geometry, Lesion.from_mask("rim", mask), Preprocessing(percentiles=(0, 100)))
    assert patches.masks.sum() == mask.sum()
    top = patches.images[0, 0]
    above = int(-patches.patch_to_lps(0, 0, 0)[1])
    assert above > 10
    np.testing.assert_allclose(top[:above], np.broadcast_to(top[above], (above, 64)), atol=1e-5)


def test_a_ring_and_a_lesion_of_several_parts_keep_their_shape():
    geometry = VolumeGeometry((5, 90, 90))
    ring = ball(geometry, (2, 45, 45), 12) & ~ball(geometry, (2, 45, 45), 7)
    parts = ring | ball(geometry, (2, 20, 60), 3)
    lesion = Lesion.from_mask("ring and satellite", parts)
    patches = extract_patches(noise(geometry.shape), geometry, lesion)
    pasted = paste_maps(patches, patches.masks[:, 0].astype(np.float32), geometry)
    assert pasted.values.sum() == pytest.approx(parts.sum(), rel=0.15)
    assert not pasted.values[~lesion.mask].any()


def test_slices_between_two_parts_are_left_out():
    geometry = VolumeGeometry((12, 64, 64))
    mask = np.zeros(geometry.shape, bool)
    mask[2:4, 30:34, 30:34] = mask[8:10, 30:40, 30:40] = True
    patches = extract_patches(noise(geometry.shape), geometry, Lesion.from_mask("two", mask))
    assert patches.slices.tolist() == [0, 1, 6, 7]
    assert patches.areas_mm2.tolist() == [16, 16, 100, 100]
    assert patches.main == 2


def test_the_answering_slice_is_the_largest_and_ties_go_to_the_middle():
    geometry = VolumeGeometry((9, 64, 64))
    mask = np.zeros(geometry.shape, bool)
    mask[1:8, 30:36, 30:36] = True
    assert extract_patches(noise(geometry.shape), geometry, Lesion.from_mask("bar", mask)).main == 3
    mask[6, 30:37, 30:36] = True
    assert extract_patches(noise(geometry.shape), geometry, Lesion.from_mask("bar", mask)).main == 5


def test_the_middle_slice_answers_if_asked_and_of_two_the_larger():
    geometry = VolumeGeometry((9, 64, 64))
    mask = np.zeros(geometry.shape, bool)
    mask[1:6, 30:36, 30:36] = True
    mask[5, 25:40, 25:40] = True
    rules = {rule: Preprocessing(answering_slice=rule) for rule in ("largest-area", "middle")}

    def main(rule):
        patches = extract_patches(noise(geometry.shape), geometry, Lesion.from_mask("cone", mask), rules[rule])
        alone = extract_patches(noise(geometry.shape), geometry, patches.lesion, rules[rule], only_main=True)
        np.testing.assert_array_equal(alone.masks[0], patches.masks[patches.main])
        return patches.main

    assert (main("largest-area"), main("middle")) == (4, 2)
    mask[6, 30:37, 30:36] = True
    mask[4, 30:37, 30:36] = True
    assert (main("largest-area"), main("middle")) == (4, 3)


@pytest.mark.parametrize("side", [1, 3, 20, 50, 90])
@pytest.mark.parametrize("spacing", [(0.4, 0.4, 3.0), (1.0, 1.0, 3.0)])
def test_every_lesion_can_be_made_to_fill_the_patch(side, spacing):
    """A square of n voxels becomes 60 pixels wide, whatever n; the image comes along, and the way back is exact."""
    geometry = VolumeGeometry((3, 160, 160), spacing)
    mask = np.zeros(geometry.shape, bool)
    mask[1, 40 : 40 + side, 60 : 60 + side] = True
    volume = np.where(mask, 100.0, 10.0)
    patches = extract_patches(volume, geometry, Lesion.from_mask("square", mask), Preprocessing(large_lesion="fill"))
    for axis in (0, 1):
        assert np.ptp(np.flatnonzero(patches.masks[0, 0].any(axis=axis))) + 1 == pytest.approx(60, abs=1)
    assert patches.scale == pytest.approx(side * spacing[0] / 60, rel=0.02)
    assert patches.images[0, 0, 31, 31] == 1
    assert patches.warnings == ()
    pasted = paste_maps(patches, np.ones((1, 64, 64), np.float32), geometry)
    np.testing.assert_array_equal(pasted.values, np.ones((1, side, side), np.float32))


def test_a_lesion_that_fills_the_patch_fills_it_when_turned():
    geometry = VolumeGeometry((3, 160, 160))
    mask = np.zeros(geometry.shape, bool)
    mask[1, 60:80, 60:80] = True
    lesion, fill = Lesion.from_mask("square", mask), Preprocessing(large_lesion="fill")
    turned = extract_patches(noise(geometry.shape), geometry, lesion, fill, rotation_deg=45, only_main=True)
    assert np.ptp(np.flatnonzero(turned.masks[0, 0].any(axis=0))) + 1 == pytest.approx(60, abs=2)
    assert turned.scale == pytest.approx(20 * 2**0.5 / 60, rel=0.05)


def test_in_words_it_says_what_was_chosen():
    assert Preprocessing().in_words() == (
        "64 x 64 pixels of 1 mm, plane: volume, percentiles 1 to 99 become 0 to 1; a bottleneck cell is on if any of "
        "its pixels is in the GTV; answering slice: largest area; lattice: by index; mask edges: shares"
    )
    assert Preprocessing(
        percentiles=(0.5, 100),
        mask_rule="half",
        large_lesion="fill",
        answering_slice="middle",
        lattice="as-before",
        mask_edges="sharp",
    ).in_words() == (
        "64 x 64 pixels that every lesion is scaled to fill, plane: volume, percentiles 0.5 to 100 become 0 to 1; a "
        "bottleneck cell is on if at least half of its pixels are in the GTV; answering slice: middle; lattice: as "
        "before; mask edges: sharp"
    )
    assert "pixels of the MRI's own size" in Preprocessing(in_plane_spacing_mm=None).in_words()


@pytest.mark.parametrize("wrong", [{"mask_rule": "most"}, {"large_lesion": "crop"}, {"answering_slice": "first"}])
def test_unknown_rules_are_refused_with_what_is_known(wrong):
    with pytest.raises(BundleError, match=r"\(any, half\)|\(scale, fill\)|\(largest-area, middle\)"):
        Preprocessing(**wrong)


def test_other_percentiles_stretch_the_crop_otherwise():
    geometry = VolumeGeometry((1, 64, 64))
    ramp = np.arange(4096, dtype=np.int16).reshape(1, 64, 64)
    mask = np.zeros(geometry.shape, bool)
    mask[0, 31:33, 31:33] = True
    dot = Lesion.from_mask("dot", mask)
    patch = extract_patches(ramp, geometry, dot, Preprocessing(percentiles=(25, 75))).images[0, 0]
    np.testing.assert_allclose(patch, np.clip((ramp[0] - 1023.75) / 2047.5, 0, 1), atol=1e-5)


def test_intensities_become_percentiles_of_the_crop():
    geometry = VolumeGeometry((1, 64, 64))
    ramp = np.arange(4096, dtype=np.int16).reshape(1, 64, 64)
    mask = np.zeros(geometry.shape, bool)
    mask[0, 31:33, 31:33] = True
    patch = extract_patches(ramp, geometry, Lesion.from_mask("dot", mask)).images[0, 0]
    low, high = np.percentile(ramp, [1, 99])
    np.testing.assert_allclose(patch, np.clip((ramp[0] - low) / (high - low), 0, 1), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.uint16, np.int32, np.float64])
def test_any_numeric_type_gives_the_same_patch(dtype):
    geometry = VolumeGeometry((3, 64, 64))
    volume = np.random.default_rng(1).integers(0, 200, geometry.shape)
    lesion = Lesion.from_mask("GTV", ball(geometry, (1, 30, 30), 5))
    wanted = extract_patches(volume.astype(np.float32), geometry, lesion).images
    np.testing.assert_array_equal(extract_patches(volume.astype(dtype), geometry, lesion).images, wanted)


def test_nan_and_infinite_voxels_are_replaced_and_told():
    geometry = VolumeGeometry((3, 64, 64))
    volume = noise(geometry.shape)
    lesion = Lesion.from_mask("GTV", ball(geometry, (1, 30, 30), 5))
    volume[1, 28:30, 28:32] = np.nan
    volume[1, 40, 40] = np.inf
    patches = extract_patches(volume, geometry, lesion)
    assert np.isfinite(patches.images).all()
    assert "NaN" in patches.warnings[0]


def test_a_lesion_of_nan_is_refused_by_name():
    geometry = VolumeGeometry((3, 64, 64))
    lesion = Lesion.from_mask("left frontal", ball(geometry, (1, 30, 30), 5))
    with pytest.raises(InputError, match="left frontal"):
        extract_patches(np.full(geometry.shape, np.nan), geometry, lesion)


def test_a_constant_image_is_told():
    geometry = VolumeGeometry((3, 64, 64))
    lesion = Lesion.from_mask("GTV", ball(geometry, (1, 30, 30), 5))
    patches = extract_patches(np.full(geometry.shape, 7), geometry, lesion)
    assert not patches.images.any()
    assert "constant" in patches.warnings[0]


@pytest.mark.parametrize("volume", [np.zeros((3, 64, 64, 3)), np.zeros((3, 64, 64), complex), np.zeros((3, 64, 60))])
def test_what_is_no_volume_is_refused(volume):
    geometry = VolumeGeometry((3, 64, 64))
    with pytest.raises(InputError):
        extract_patches(volume, geometry, Lesion.from_mask("GTV", ball(geometry, (1, 30, 30), 5)))


def test_a_lesion_beyond_the_volume_is_refused():
    geometry = VolumeGeometry((3, 64, 64))
    lesion = Lesion("far", np.ones((1, 2, 2), bool), (5, 0, 0))
    with pytest.raises(InputError, match="outside"):
        extract_patches(np.zeros(geometry.shape), geometry, lesion)


def test_maps_of_touching_lesions_do_not_spill():
    geometry = VolumeGeometry((3, 64, 64))
    labels = np.zeros(geometry.shape, int)
    labels[1, 20:30, 20:30], labels[1, 20:30, 30:40] = 1, 2
    volume = np.zeros(geometry.shape, np.float32)
    for value, lesion in zip((1.0, 2.0), lesions_from_labels(labels)[0], strict=True):
        patches = extract_patches(noise(geometry.shape), geometry, lesion)
        paste_maps(patches, np.full((1, 64, 64), value, np.float32), geometry).add_to(volume)
    np.testing.assert_array_equal(volume, labels)


@pytest.mark.parametrize("plane", ["volume", "axial", "coronal", "sagittal"])
def test_real_lesions_go_out_and_come_back(shared_data, plane):
    """t1c_brain1: flipped j, 6.5 mm slices. A ramp in R, A, S on the patches is the same ramp on the MRI."""
    image = sitk.ReadImage(str(shared_data / "t1c_brain1" / "brain1_image.nrrd"))
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(shared_data / "t1c_brain1" / "brain1_label.nrrd")))
    geometry = VolumeGeometry.from_sitk(image)
    for lesion in lesions_from_labels(labels)[0]:
        patches = extract_patches(sitk.GetArrayFromImage(image), geometry, lesion, Preprocessing(plane=plane))
        rows, columns = np.indices((64, 64))
        for axis in range(3):
            maps = np.empty((len(patches), 64, 64), np.float32)
            for n in range(len(patches)):
                ends = [patches.patch_to_lps(n, r, c)[axis] for r, c in ((0, 0), (1, 0), (0, 1))]
                maps[n] = ends[0] + rows * (ends[1] - ends[0]) + columns * (ends[2] - ends[0])
            found = paste_maps(patches, maps, geometry)
            kji = np.argwhere(lesion.mask)
            wanted = geometry.to_lps((kji + lesion.offset)[:, ::-1])[:, axis]
            error = np.abs(found.values[tuple(kji.T)] - wanted)
            # Linear interpolation gives a ramp back exactly, except where voxels reach beyond the outermost slice.
            assert np.quantile(error, 0.9) < 1e-3
            assert error.max() <= max(geometry.spacing) / 2 + 1
