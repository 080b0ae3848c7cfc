"""Where pixels lie among voxels: by no last digit of a header; and as before for bundles that were trained so."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from making_files import written
from systems.autoencoder.test_patches import GRIDS, TURNED, ball, noise

from PulsarCAMLib.core.errors import BundleError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.explanation.explain import explain_scan
from PulsarCAMLib.lesions.from_labels import lesions_from_labels
from PulsarCAMLib.systems.autoencoder.samples.patches import extract_patches, paste_maps
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import AS_BEFORE, BY_INDEX, Preprocessing
from PulsarCAMLib.systems.autoencoder.samples.sections import widest
from PulsarCAMLib.systems.autoencoder.samples.working_grid import pixel_size, working_axes
from PulsarCAMLib.systems.bundles.bundle import find_bundle

STRAIGHT = np.eye(3)
RULES = {rule: Preprocessing(lattice=rule) for rule in (BY_INDEX, AS_BEFORE)}


@pytest.fixture(scope="module")
def models():
    """The shipped members behind cards of both rules."""
    shipped = find_bundle("synthetic-demo")
    cards = {
        rule: type(shipped.card).from_fields(dict(shipped.card.fields) | {"preprocessing": each.to_card()})
        for rule, each in RULES.items()
    }
    return {rule: replace(shipped, card=card) for rule, card in cards.items()}


def p_of(model, volume, geometry, lesion):
    """Probability of response of the answering slice alone."""
    import torch

    cut = extract_patches(volume, geometry, lesion, model.card.preprocessing, only_main=True)
    with torch.inference_mode():
        logits = model.ensemble.logits(torch.from_numpy(cut.images), torch.from_numpy(cut.masks))
    return float(torch.sigmoid(logits / model.card.temperature).mean())


def a_patient(seed, spacing, direction=STRAIGHT):
    """A smooth bright lesion of uneven outline in smooth surroundings, on voxels of this size."""
    random = np.random.default_rng(seed)
    shape = (5, round(84 / spacing[1]), round(84 / spacing[0]))
    geometry = VolumeGeometry(shape, spacing, tuple(random.uniform(-90, 90, 3)), direction)
    k, j, i = np.indices(shape)
    x, y, z = (i - shape[2] / 2) * spacing[0], (j - shape[1] / 2) * spacing[1], (k - 2) * spacing[2]
    x, y = x - random.uniform(-3, 3), y - random.uniform(-3, 3)
    angle, turn = np.arctan2(y, x), random.uniform(0, 6, 2)
    radius = random.uniform(6, 13) * (1 + 0.15 * np.cos(2 * angle + turn[0]) + 0.1 * np.cos(3 * angle + turn[1]))
    depth = radius - np.sqrt(x**2 + y**2 + z**2)
    waves = sum(np.cos(random.uniform(0.05, 0.2) * x + random.uniform(0.05, 0.2) * y + n) for n in range(4))
    volume = 300 + 30 * waves + 250 / (1 + np.exp(-depth / 1.5)) - 150 / (1 + np.exp(-(depth - 5) / 1.5))
    return volume.astype(np.float32), geometry, Lesion.from_mask("GTV", depth > 0)


def nudged(geometry, random, mm):
    """The same header with every number a little off."""
    turn = sitk.VersorTransform()
    turn.SetRotation(tuple(random.normal(size=3)), mm / 100)
    return replace(
        geometry,
        spacing=tuple(np.array(geometry.spacing) + random.uniform(-mm, mm, 3)),
        origin=tuple(np.array(geometry.origin) + random.uniform(-mm, mm, 3)),
        direction=np.reshape(turn.GetMatrix(), (3, 3)) @ np.array(geometry.direction),
    )


BEFORE = {
    ("plain", "volume", "scale"): (12, 6, 6936, 1.0, [13.0, 19.0, 6.0], 0.5035913, 0.2116242),
    ("plain", "axial", "scale"): (12, 6, 6936, 1.0, [13.0, 19.0, 6.0], 0.5035913, 0.2116242),
    ("plain", "volume", "fill"): (12, 6, 29936, 0.483333333, [28.775, 34.775, 6.0], 0.5037811, 0.2036335),
    ("flipped j, thick slices", "volume", "scale"): (5, 2, 1736, 1.0, [-96.18, 28.5, -38.0], 0.4918486, 0.2026836),
    ("flipped j, thick slices", "axial", "scale"): (5, 2, 1736, 1.0, [-96.18, 28.5, -38.0], 0.4918486, 0.2026836),
    ("flipped j, thick slices", "volume", "fill"): (
        5,
        2,
        8568,
        0.451111111,
        [-78.89, 45.79, -38.0],
        0.5046544,
        0.2017747,
    ),
    ("left-handed", "volume", "scale"): (12, 6, 5484, 1.0, [-66.1, 19.5, 19.0], 0.5116257, 0.2037354),
    ("left-handed", "axial", "scale"): (12, 6, 5484, 1.0, [-66.1, 19.5, 19.0], 0.5116257, 0.2037354),
    ("left-handed", "volume", "fill"): (12, 6, 25344, 0.466666667, [-49.3, 36.3, 19.0], 0.5078898, 0.2056022),
    ("oblique", "volume", "scale"): (9, 4, 3778, 1.0, [-45.355245, 39.466763, 30.043542], 0.4948948, 0.205113),
    ("oblique", "axial", "scale"): (10, 4, 3838, 1.0, [-64.375521, 49.334721, 39.380913], 0.4893678, 0.1961663),
    ("oblique", "volume", "fill"): (9, 4, 17612, 0.466666667, [-38.699392, 61.529674, 35.823473], 0.5011262, 0.2036754),
    ("oblique, left-handed", "volume", "scale"): (
        9,
        4,
        3778,
        1.0,
        [-2.577599, -38.769287, 17.789319],
        0.4947844,
        0.2047455,
    ),
    ("oblique, left-handed", "axial", "scale"): (
        10,
        4,
        3838,
        1.0,
        [-21.597876, -28.90133, 27.12669],
        0.4766933,
        0.1966944,
    ),
    ("oblique, left-handed", "volume", "fill"): (
        9,
        4,
        17612,
        0.466666667,
        [4.078253, -16.706376, 23.56925],
        0.5032836,
        0.2034356,
    ),
    ("sagittal slices", "volume", "scale"): (12, 6, 5566, 1.0, [13.0, 5.702377, -5.4936], 0.48763, 0.2075076),
    ("sagittal slices", "axial", "scale"): (35, 17, 13940, 1.0, [-19.846971, 5.702377, -37.0], 0.4650174, 0.2057255),
    ("sagittal slices", "volume", "fill"): (
        12,
        6,
        25794,
        0.466666667,
        [13.0, 22.502377, -22.2936],
        0.4994402,
        0.2038578,
    ),
    ("coronal slices", "volume", "scale"): (12, 6, 5566, 1.0, [4.702377, 14.0, -5.4936], 0.48763, 0.2075076),
    ("coronal slices", "axial", "scale"): (35, 17, 13940, 1.0, [4.702377, -18.846971, -37.0], 0.4650174, 0.2057255),
    ("coronal slices", "volume", "fill"): (
        12,
        6,
        25794,
        0.466666667,
        [21.502377, 14.0, -22.2936],
        0.4994402,
        0.2038578,
    ),
}
"""By grid, plane and rule of size: slices, which answers, pixels inside, scale, LPS mm of its first pixel, mean of the
answering patch, standard deviation of all."""

USUAL = (0.5, 0.78125, 0.9, 0.9766, 1.0, 1.0, 1.1, 1.5, 2.0)


def a_nudge(seed, mm):
    """A patient on voxels of any size, and the same with a header that is a little off."""
    random = np.random.default_rng(100 + seed)
    side = random.choice(USUAL) if seed % 3 else random.uniform(0.5, 2)
    turned = TURNED if seed % 4 == 0 else STRAIGHT
    volume, geometry, lesion = a_patient(seed, (side, side, random.uniform(1, 5)), turned)
    return volume, lesion, (geometry, nudged(geometry, random, mm))


@pytest.mark.parametrize(("mm", "moves"), [(1e-7, 1e-5), (1e-3, 1e-3)])
def test_a_header_that_is_a_little_off_moves_p_as_little(models, mm, moves):
    moved = {rule: [] for rule in models}
    for seed in range(30, 42):
        volume, lesion, headers = a_nudge(seed, mm)
        for rule, model in models.items():
            moved[rule].append(np.ptp([p_of(model, volume, header, lesion) for header in headers]))
    assert max(moved[BY_INDEX]) < moves
    assert max(moved[AS_BEFORE]) > 20 * moves  # what this is about


def test_a_pixel_of_the_mask_that_crosses_one_half_moves_p_no_more(models):
    """Masks are inside or not: one of ten such headers takes a pixel across; the cells of 4 mm hardly notice."""
    volume, lesion, headers = a_nudge(4, 1e-3)
    one, other = (extract_patches(volume, header, lesion, RULES[BY_INDEX], only_main=True) for header in headers)
    assert (one.masks != other.masks).sum() == 1
    assert np.ptp([p_of(models[BY_INDEX], volume, header, lesion) for header in headers]) < 1e-3


def test_origin_and_direction_move_nothing_at_all_on_the_mris_own_slices(models):
    """All that decides is among the indices: a header that says another place shows the same patch."""
    volume, geometry, lesion = a_patient(3, (0.8, 0.8, 3.0), TURNED)
    away = replace(nudged(geometry, np.random.default_rng(1), 1e-2), spacing=geometry.spacing)
    here, there = (extract_patches(volume, each, lesion, RULES[BY_INDEX]) for each in (geometry, away))
    np.testing.assert_array_equal(here.masks, there.masks)
    np.testing.assert_allclose(here.images, there.images, atol=1e-5)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 3.0), (1.0, 1.1, 3.0)])
def test_the_last_digit_of_a_spacing_changes_no_map(models, tmp_path, spacing):
    """From files, as they come: spacing 1.0000001 mm instead of 1 (case 27), with the way back."""
    volume, geometry, lesion = a_patient(8, spacing)
    labels = lesion.full_mask(geometry.shape).astype(np.uint8)
    results = {}
    for name, x in (("said", spacing[0]), ("rounded", spacing[0] + 1e-7)):
        put = replace(geometry, spacing=(x, spacing[1] + x - spacing[0], spacing[2]))
        files = [
            written(tmp_path / f"{name}-{kind}.nrrd", each, put) for kind, each in (("mri", volume), ("mask", labels))
        ]
        image, mask = (sitk.ReadImage(str(file)) for file in files)
        lesions, _ = lesions_from_labels(sitk.GetArrayFromImage(mask))
        results[name] = {
            rule: explain_scan(sitk.GetArrayFromImage(image), VolumeGeometry.from_sitk(image), lesions, model)
            for rule, model in models.items()
        }
    said, rounded = (results[name][BY_INDEX] for name in ("said", "rounded"))
    assert rounded.units[0].probability == pytest.approx(said.units[0].probability, abs=1e-5)
    top = said.heat_map().max()
    np.testing.assert_allclose(rounded.heat_map(), said.heat_map(), atol=1e-4 * top)
    before = [results[name][AS_BEFORE].units[0].probability for name in ("said", "rounded")]
    assert abs(before[1] - before[0]) > 1e-3


def test_case_27(models, shared_data):
    cases = shared_data.parent / "cases" / "input"
    if not cases.is_dir():
        pytest.skip("the small inputs are not there")
    found = {}
    for folder in ("_good", "27-spacing-rounding"):
        image, mask = (sitk.ReadImage(str(cases / folder / f"{name}.nrrd")) for name in ("mri", "mask"))
        lesions, _ = lesions_from_labels(sitk.GetArrayFromImage(mask))
        geometry = VolumeGeometry.from_sitk(image)
        found[folder] = explain_scan(sitk.GetArrayFromImage(image), geometry, lesions, models[BY_INDEX])
    good, rounded = found.values()
    for one, other in zip(good.units, rounded.units, strict=True):
        assert other.probability == pytest.approx(one.probability, abs=1e-5)
    np.testing.assert_allclose(rounded.heat_map(), good.heat_map(), atol=1e-4 * good.heat_map().max())


def test_the_real_lesion_whose_answer_jumped_stays(models, shared_data):
    folder = shared_data / "tcga_fg_6692"
    image = sitk.ReadImage(str(folder / "OtherEXampleFromTCIA_t1c_bet.nii.gz"))
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "mav.nii.gz")))
    lesions, _ = lesions_from_labels(labels, values=[4], parts="separate")
    lesion = max(lesions, key=lambda each: each.voxels)
    volume, geometry = sitk.GetArrayFromImage(image), VolumeGeometry.from_sitk(image)
    off = {mm: replace(geometry, spacing=(1 + mm, 1 + mm, 1.0)) for mm in (0, 1e-7, 1e-3)}
    p = {rule: [p_of(model, volume, each, lesion) for each in off.values()] for rule, model in models.items()}
    assert p[BY_INDEX] == pytest.approx([0.5415] * 3, abs=1e-4)
    assert np.ptp(p[BY_INDEX]) < 1e-5
    assert p[AS_BEFORE][:2] == pytest.approx([0.5415, 0.7555], abs=1e-4)


@pytest.mark.parametrize("side", [0.5, 0.75, 1.0, 1.1, 1.5, 2.0])
def test_pixels_half_way_between_voxels_are_decided_by_no_last_digit(side):
    """2 mm voxels under 1 mm pixels: contours lie exactly half way."""
    volume, geometry, lesion = a_patient(2, (side, side, 3.0))
    cut = extract_patches(volume, geometry, lesion)
    for off in (-1e-3, -1e-5, -1e-7, 1e-7, 1e-5, 1e-3):
        other = extract_patches(volume, replace(geometry, spacing=(side + off, side + off, 3.0)), lesion)
        assert (other.masks != cut.masks).sum() <= (2 if abs(off) > 1e-5 else 0)
        np.testing.assert_array_equal(other.corners, cut.corners)
    wanted = lesion.voxels * side**2
    assert cut.masks.sum() == pytest.approx(wanted, rel=0.03)  # ties that all count as inside: 8 % more at 2 mm


@pytest.mark.parametrize("seed", range(4))
def test_the_middle_of_the_patch_is_the_lesions_or_pixels_lie_on_voxels(seed):
    for side, off in ((0.6, 0), (1.3, 0), (2.0, 0), (0.9766, 0.5), (1.0, 0.5), (1.004, 0.5)):
        volume, geometry, lesion = a_patient(seed, (side, side, 3.0), TURNED)
        cut = extract_patches(volume, geometry, lesion)
        at = int(np.argmax(lesion.mask.sum(axis=(1, 2))))
        centre = np.array([at, *np.argwhere(lesion.mask[at]).mean(axis=0)]) + lesion.offset
        middle = geometry.to_ijk(cut.patch_to_lps(cut.main, 31.5, 31.5))
        assert np.abs(centre[::-1] - middle).max() <= off + 1e-6
        if side in (1.0, 1.004):
            first = geometry.to_ijk(cut.patch_to_lps(cut.main, 0, 0))
            assert np.abs(first - np.rint(first)).max() < 1e-6
            assert cut.grid.spacing[:2] == pytest.approx((side, side), abs=1e-9)


def test_pixels_grow_with_the_lesion_and_by_no_step():
    """Wider than the patch by a thousandth of a millimetre is no reason to shrink it by 8 %."""
    mask = np.zeros((3, 160, 160), bool)
    mask[1, 40:104, 60:120] = True
    lesion, found = Lesion.from_mask("wide", mask), []
    for spacing in np.linspace(0.95, 1.15, 41):
        cut = extract_patches(noise(mask.shape), VolumeGeometry(mask.shape, (spacing, spacing, 3)), lesion)
        found.append(cut.scale * cut.patch_size / 64)
        pasted = paste_maps(cut, np.ones((1, 64, 64), np.float32), VolumeGeometry(mask.shape, (spacing, spacing, 3)))
        assert pasted.values.all()  # nothing lies off the patch
    assert found[0] == 1
    assert found[-1] == pytest.approx(64 * 1.15 / 60)
    assert np.abs(np.diff(found)).max() < 0.02


def test_the_size_of_pixels_jumps_nowhere():
    voxels = np.linspace(0.9, 1.1, 2001)
    sizes = np.array([pixel_size(voxel, 1.0) for voxel in voxels])
    assert np.abs(np.diff(sizes)).max() <= 1.001 * (voxels[1] - voxels[0])
    near = np.abs(voxels - 1) < 0.005
    np.testing.assert_array_equal(sizes[near], voxels[near])
    np.testing.assert_array_equal(sizes[np.abs(voxels - 1) > 0.055], 1.0)


def test_turned_copies_are_those_of_before():
    volume, geometry, lesion = a_patient(4, (0.8, 0.8, 3.0))
    for angle in (20, 90):
        one, other = (
            extract_patches(volume, geometry, lesion, each, rotation_deg=angle, only_main=True)
            for each in RULES.values()
        )
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.masks, other.masks)


def test_on_voxels_of_the_models_own_size_both_rules_cut_the_same():
    """So that what was trained on them was trained by either rule."""
    for seed in range(6):
        volume, geometry, lesion = a_patient(seed, (1.0, 1.0, 3.0))
        one, other = (extract_patches(volume, geometry, lesion, each) for each in RULES.values())
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.masks, other.masks)
        np.testing.assert_array_equal(one.corners, other.corners)


@pytest.mark.parametrize(("name", "plane", "size"), BEFORE)
def test_models_of_version_0_1_see_what_they_saw(name, plane, size):
    """Numbers written down by version 0.1."""
    geometry = GRIDS[name]
    lesion = Lesion.from_mask("GTV", ball(geometry, (6, 50, 44), 14))
    settings = Preprocessing(plane=plane, large_lesion=size, lattice=AS_BEFORE)
    cut = extract_patches(noise(geometry.shape), geometry, lesion, settings)
    slices, main, inside, scale, first, mean, deviation = BEFORE[name, plane, size]
    assert (len(cut), cut.main, int(cut.masks.sum())) == (slices, main, inside)
    assert cut.scale == pytest.approx(scale, abs=1e-8)
    assert cut.patch_to_lps(main, 0, 0) == pytest.approx(first, abs=1e-5)
    assert cut.images[main].astype(float).mean() == pytest.approx(mean, abs=1e-6)
    assert cut.images.astype(float).std() == pytest.approx(deviation, abs=1e-6)


def test_a_card_that_names_no_rule_means_the_one_of_before():
    old = {name: value for name, value in Preprocessing().to_card().items() if name != "lattice"}
    assert Preprocessing.from_card(old) == Preprocessing(lattice=AS_BEFORE)
    assert Preprocessing.from_card(old).to_card() == old
    assert Preprocessing().to_card()["lattice"] == BY_INDEX
    assert Preprocessing.from_card(Preprocessing().to_card()) == Preprocessing()
    with pytest.raises(BundleError, match=r"\(by-index, as-before\)"):
        Preprocessing(lattice="elsewhere")


@pytest.mark.parametrize("angle", [0, 30, 75])
def test_the_width_is_that_of_all_corners_of_all_voxels(angle):
    k, j, i = np.indices((5, 41, 17))
    diamond = (np.abs(j - 20) / 20 + np.abs(i - 8) / 8 <= 1) & (np.abs(j - 20) + np.abs(i - 8) > 3) & (k > 0)
    geometry = VolumeGeometry((30, 80, 80), (0.7, 0.9, 2.0), (-20.0, -30.0, 10.0))
    lesion = Lesion("diamond with a hole", diamond, (10, 20, 30))
    axes = working_axes(geometry, lesion, RULES[BY_INDEX], rotation_deg=angle)
    corners = [
        np.argwhere(diamond)[:, ::-1] + lesion.offset[::-1] + np.array(each) - 0.5 for each in np.ndindex(2, 2, 2)
    ]
    at = axes.coordinates(geometry.to_lps(np.concatenate(corners)))
    assert widest(axes, geometry, lesion) == pytest.approx(np.ptp(at, axis=0)[:2].max(), abs=1e-9)
