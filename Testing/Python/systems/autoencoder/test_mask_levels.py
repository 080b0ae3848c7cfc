"""Shares of pixels: what the network is told where a contour passes between pixels, and maps that stay complete."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from making_models import random_members, random_patches
from systems.autoencoder.test_lattice import a_patient
from systems.autoencoder.test_maps import EVERY, SIGN, close, explained, features_and_score
from systems.autoencoder.test_patches import TURNED, noise

from PulsarCAMLib.core.errors import BundleError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.systems.autoencoder.maps.compute import explain_patches
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.model.ensemble import Ensemble
from PulsarCAMLib.systems.autoencoder.model.layout import cells_of
from PulsarCAMLib.systems.autoencoder.model.network import bottleneck_mask
from PulsarCAMLib.systems.autoencoder.samples.patches import extract_patches
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import SHARES, SHARP, Preprocessing

RULES = {edges: Preprocessing(mask_edges=edges) for edges in (SHARES, SHARP)}


def box(spacing, low=20, high=35, size=64):
    """A box of whole voxels on one slice of three."""
    mask = np.zeros((3, size, size), bool)
    mask[1, low:high, low:high] = True
    return noise(mask.shape), VolumeGeometry(mask.shape, (spacing, spacing, 3.0)), Lesion.from_mask("box", mask)


@pytest.mark.parametrize("seed", range(4))
def test_on_voxels_both_rules_say_the_same_and_yes_or_no(seed):
    volume, geometry, lesion = a_patient(seed, (1.0, 1.0, 3.0), TURNED)
    soft, sharp = (extract_patches(volume, geometry, lesion, each) for each in RULES.values())
    assert soft.mask_levels.dtype == bool  # the fast way through the network stays open
    np.testing.assert_array_equal(soft.mask_levels, sharp.masks)
    np.testing.assert_array_equal(soft.masks, sharp.masks)
    assert np.shares_memory(sharp.mask_levels, sharp.masks)


@pytest.mark.parametrize(("spacing", "edge"), [(2.0, 2.0), (1.5, 1.5), (0.5, 1.0)])
def test_a_straight_edge_is_a_ramp_of_one_voxel_or_one_pixel_and_keeps_the_size(spacing, edge):
    """Linear between voxel centres, or the mean over a pixel, whichever is wider: known from the box's sides."""
    volume, geometry, lesion = box(spacing)
    cut = extract_patches(volume, geometry, lesion, RULES[SHARES])
    levels = cut.mask_levels[cut.main, 0].astype(float)
    assert levels.max() == 1
    row = levels[levels.shape[0] // 2]
    assert row.sum() == pytest.approx(15 * spacing, rel=0.01)  # millimetres of the box's side
    between = np.count_nonzero((row > 0) & (row < 1))
    assert between <= 2 * np.ceil(edge + 0.75)
    assert np.abs(np.diff(row)).max() <= 1 / edge * 1.01 if edge > 1 else True
    inside = cut.masks[cut.main, 0]
    assert (levels[inside] > 0.4).all()
    assert (levels[~inside] < 0.6).all()


def test_a_contour_that_passes_a_pixel_makes_no_step():
    """With yes and no, cells of the bottleneck switch; with shares they move by as little as the contour does."""
    steps = {edges: [] for edges in RULES}
    for edges, rule in RULES.items():
        before = None
        for spacing in np.linspace(1.62, 1.72, 41):
            volume, geometry, lesion = box(spacing)
            cut = extract_patches(volume, geometry, lesion, rule, only_main=True)
            cells = cells_of(torch.from_numpy(cut.mask_levels), torch.float32).numpy()
            if before is not None:
                steps[edges].append(np.abs(cells - before).max())
            before = cells
    assert max(steps[SHARES]) < 0.02  # 0.0025 mm a step, and an edge 7.5 voxels from the middle
    assert max(steps[SHARP]) == 1


def test_a_section_smaller_than_a_pixel_counts_whole():
    mask = np.zeros((3, 200, 200), bool)
    mask[1, 101, 97] = True
    lesion = Lesion.from_mask("dot", mask)
    geometry = VolumeGeometry(mask.shape, (0.2, 0.2, 3.0))
    for shift in np.linspace(0, 0.3, 7):
        cut = extract_patches(
            noise(mask.shape), replace(geometry, spacing=(0.2 + shift, 0.2 + shift, 3)), lesion, RULES[SHARES]
        )
        assert cut.mask_levels[cut.main].max() == 1
        assert cut.masks[cut.main].sum() == 1


@pytest.mark.parametrize("edges", RULES)
def test_slices_whose_patches_lie_at_different_corners_get_their_own_part(edges):
    """The crops of a leaning lesion are those of the whole grid."""
    mask = np.zeros((4, 80, 80), bool)
    for k in range(4):
        mask[k, 20 + 6 * k : 32 + 6 * k, 25 + 3 * k : 40 + 3 * k] = True
    lesion, geometry = Lesion.from_mask("leaning", mask), VolumeGeometry(mask.shape, (1.3, 1.3, 3.0))
    cut = extract_patches(noise(mask.shape), geometry, lesion, RULES[edges])
    assert len(np.unique(cut.corners, axis=0)) > 1
    for level, inside in zip(cut.mask_levels[:, 0], cut.masks[:, 0], strict=True):
        assert ((level >= 0.5) == inside).mean() > 0.99
        assert level.sum() * 1.0 == pytest.approx(12 * 15 * 1.3**2, rel=0.01 if edges == SHARES else 0.06)


def test_cells_take_their_fullest_pixel_and_half_cells_their_eighth():
    shares = np.zeros((1, 1, 64, 64), dtype=np.float32)
    shares[0, 0, 5, 6], shares[0, 0, 40, 41], shares[0, 0, 43, 43] = 0.3, 0.8, 0.2
    for found in (
        cells_of(torch.from_numpy(shares), torch.float64),
        bottleneck_mask(torch.from_numpy(shares), torch.float64),
    ):
        assert found[0, 0, 1, 1].item() == pytest.approx(0.3)
        assert found[0, 0, 10, 10].item() == pytest.approx(0.8)
        assert torch.count_nonzero(found) == 2
    half = np.zeros((1, 1, 64, 64), dtype=np.float32)
    half[0, 0, 8:10, 8:12] = 1  # eight of sixteen
    half[0, 0, 16:18, 16:20] = 1
    half[0, 0, 17, 19] = 0.25  # seven and a quarter
    half[0, 0, 24:25, 24:28] = 1  # four
    found = bottleneck_mask(torch.from_numpy(half), torch.float64, "half")[0, 0]
    assert found[2, 2].item() == 1
    assert found[4, 4].item() == pytest.approx(0.25)
    assert found[6, 6].item() == 0


def with_soft_masks(count=5, mask_rule="any"):
    """Members in float64, images, and masks with shares between 0 and 1 along their edges."""
    ensemble = Ensemble(random_members(2, Architecture(dense_activation="relu"), 20.0, mask_rule)).to(torch.float64)
    images, masks = random_patches(count)
    shares = torch.nn.functional.avg_pool2d(masks.double(), 3, stride=1, padding=1).numpy()
    return ensemble, images.double().numpy(), shares


@pytest.mark.parametrize("mask_rule", ["any", "half"])
def test_maps_are_autograds_and_complete_where_cells_are_half_inside(mask_rule):
    ensemble, images, shares = with_soft_masks(mask_rule=mask_rule)
    found = explain_patches(ensemble, images, shares, EVERY)
    some = False
    for k, member in enumerate(ensemble.members):
        for n in range(len(images)):
            p, m, s = features_and_score(member, torch.from_numpy(images[[n]]), torch.from_numpy(shares[[n]]))
            some |= bool(((m > 0) & (m < 1)).any())
            (g,) = torch.autograd.grad(s, p)
            close(found.logits[k, n], s.item(), 1e-12)
            signed = (g * p).sum(1)[0].detach().numpy()  # ds/dA A = ds/dP P
            close(found.signed[k, n], signed, 1e-11)
            close(found.rest[k, n], s.item() - signed.sum(), 1e-10)
            for name, sign in SIGN.items():
                gradcam = torch.relu((sign * g.mean((2, 3), keepdim=True) * p * m).sum(1))[0].detach().numpy()
                close(found.maps["gradcam", name][k, n], gradcam, 1e-11)
                close(found.maps["pixelwise", name][k, n], np.maximum(sign * signed, 0), 1e-11)
    assert some


def test_shares_of_yes_and_no_give_the_very_maps():
    ensemble, images, masks, found = explained()
    other = explain_patches(ensemble, images, masks.astype(np.float64), EVERY)
    np.testing.assert_array_equal(other.logits, found.logits)
    np.testing.assert_array_equal(other.signed, found.signed)
    for key, values in found.maps.items():
        np.testing.assert_array_equal(other.maps[key], values)


def test_a_card_that_does_not_say_it_goes_on_with_sharp_edges():
    card = Preprocessing().to_card()
    assert card.pop("mask_edges") == SHARES
    assert Preprocessing.from_card(card).mask_edges == SHARP
    with pytest.raises(BundleError, match="mask edges"):
        Preprocessing.from_card(card | {"mask_edges": "blurred"})
