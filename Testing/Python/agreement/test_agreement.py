"""Heat maps whose agreement is known: a map that IS a quantity, an even one, an empty one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from making_models import random_bundle

from PulsarCAMLib.agreement import correlations as module
from PulsarCAMLib.agreement.correlations import agreement_table, cells_of, even_map
from PulsarCAMLib.agreement.depth_profile import shell_table
from PulsarCAMLib.agreement.voxel_measures import QUANTITIES, quantity_maps
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.explanation.explain import explain_scan
from PulsarCAMLib.explanation.tables import depth_mm
from PulsarCAMLib.features.gradients import gradient_maps
from PulsarCAMLib.systems.autoencoder.maps.closed_form import SIGNED

SIDES = (("pixelwise", 4), ("gradcam", 8))
KEPT = ("cells", "spearman", "partial", "spearman_even_map", "effective_samples")

GEOMETRY = VolumeGeometry((15, 60, 60), (1.0, 1.0, 2.0), (-30, 20, 5), np.diag([1.0, -1, 1]))


@pytest.fixture(scope="module")
def lesion():
    k, j, i = np.indices(GEOMETRY.shape)
    return Lesion.from_mask("one", (k - 7) ** 2 * 4 + (j - 30) ** 2 + (i - 28) ** 2 < 100)


@pytest.fixture(scope="module")
def volume():
    from scipy import ndimage

    noise = np.random.default_rng(5).normal(0, 300, GEOMETRY.shape)
    return (500 + ndimage.gaussian_filter(noise, (0.7, 1.5, 1.5))).astype(np.float32)


@pytest.fixture(scope="module")
def result(tmp_path_factory, lesion, volume):
    bundle = random_bundle(tmp_path_factory.mktemp("models") / "random", count=2)
    return explain_scan(volume, GEOMETRY, [lesion], bundle)


def with_heat(monkeypatch, heat):
    """Puts an array in the place of every heat map."""
    monkeypatch.setattr(module, "heat_map_in", lambda *_: heat)


def row_of(rows, quantity):
    return next(row for row in rows if row["quantity"] == quantity)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_heat_map_that_is_a_quantity_agrees_wholly_with_it(monkeypatch, result, volume, lesion, quantity):
    maps = quantity_maps(volume, GEOMETRY, lesion)
    with_heat(monkeypatch, np.nan_to_num(maps[quantity]))
    row = row_of(agreement_table(result, volume, GEOMETRY, methods=["gradcam"], targets=["response"]), quantity)
    assert row["spearman"] == pytest.approx(1.0)
    assert row["partial"] == pytest.approx(1.0)
    assert row["dice"] == row["jaccard"] == 1.0
    with_heat(monkeypatch, -np.nan_to_num(maps[quantity]))
    row = row_of(agreement_table(result, volume, GEOMETRY, methods=["gradcam"], targets=["response"]), quantity)
    assert row["spearman"] == pytest.approx(-1.0)


def test_a_map_that_rises_towards_the_border_goes_against_the_distance_to_it(monkeypatch, result, volume, lesion):
    with_heat(monkeypatch, np.exp(-depth_mm(lesion, GEOMETRY)))
    rows = agreement_table(result, volume, GEOMETRY)
    assert row_of(rows, "border_distance")["spearman"] == pytest.approx(-1.0)


def test_the_even_map_says_no_more_than_itself(monkeypatch, result, volume):
    even = even_map(result, result.lesions[0], "gradcam")
    with_heat(monkeypatch, even)
    for row in agreement_table(result, volume, GEOMETRY, methods=["gradcam"]):
        assert row["spearman"] == pytest.approx(row["spearman_even_map"])
        assert row["partial"] is None
        assert "no more than the even map" in row["undefined"]
    # This is why it is shown: interpolation alone makes every map fall towards the border.
    assert row_of(agreement_table(result, volume, GEOMETRY), "border_distance")["spearman_even_map"] > 0.3


def test_an_empty_map_has_no_numbers_but_the_reason(monkeypatch, result, volume, lesion):
    with_heat(monkeypatch, np.zeros(lesion.mask.shape, np.float32))
    rows = agreement_table(result, volume, GEOMETRY)
    for name in ("spearman", "p_value", "p_adjusted", "partial", "partial_p_value", "dice", "jaccard"):
        assert {row[name] for row in rows} == {None}
    assert {row["undefined"] for row in rows} == {"the heat map is zero everywhere in the lesion"}
    monkeypatch.setattr("PulsarCAMLib.agreement.depth_profile.heat_map_in", lambda *_: np.zeros(lesion.mask.shape))
    assert all(row["activation_share"] is None and row["undefined"] for row in shell_table(result))


def test_there_is_a_row_for_each_map_and_quantity_with_the_model_s_resolution(result, volume):
    rows = agreement_table(result, volume, GEOMETRY, methods=["pixelwise", SIGNED], targets=["response", "predicted"])
    assert len(rows) == 3 * len(QUANTITIES)  # the signed map has no class of its own
    for row in rows:
        assert row["map_class"] in ("response", "non-response", "both")
        assert row["cells"] == cells_of(result.lesions[0], row["map_method"]) < row["voxels"]
        assert row["cell_mm"] == pytest.approx(4.0)
        assert row["effective_samples"] is None or row["effective_samples"] <= row["cells"]
        assert row["p_adjusted"] is None or row["p_adjusted"] >= row["p_value"]


def test_a_map_of_other_cells_is_judged_by_its_own(result, volume):
    (lesion,) = result.lesions
    coarse = {key: maps[..., ::2, ::2] if key[0] == "gradcam" else maps for key, maps in lesion.maps.items()}
    both = replace(result, units=(replace(lesion, maps=coarse),))
    rows = {row["map_method"]: row for row in agreement_table(both, volume, GEOMETRY, targets=["response"])}
    assert rows["pixelwise"]["cell_mm"] == pytest.approx(4.0)
    assert rows["gradcam"]["cell_mm"] == pytest.approx(8.0)
    masks = lesion.samples.masks[:, 0]
    expected = {name: masks.reshape(len(masks), 64 // n, n, 64 // n, n).any(axis=(2, 4)).sum() for name, n in SIDES}
    assert {name: rows[name]["cells"] for name in expected} == expected
    alone = agreement_table(both, volume, GEOMETRY, methods=["gradcam"], targets=["response"])
    same = [
        row for row in agreement_table(both, volume, GEOMETRY, targets=["response"]) if row["map_method"] == "gradcam"
    ]
    for one, other in zip(alone, same, strict=True):
        assert {name: one[name] for name in KEPT} == {name: other[name] for name in KEPT}


def test_cells_that_a_sample_has_no_whole_number_of_hold_the_pixels_whose_centres_lie_in_them(result):
    (lesion,) = result.lesions
    uneven = replace(lesion, maps={("gradcam", "response"): np.zeros((2, len(lesion.samples), 6, 6), np.float32)})
    found = module._cell_masks(uneven, "gradcam")
    for n, j, i in np.argwhere(lesion.samples.masks[:, 0]):
        assert found[n, int((j + 0.5) * 6 / 64), int((i + 0.5) * 6 / 64)]
    assert found.sum() == len(
        {(n, int((j + 0.5) * 6 / 64), int((i + 0.5) * 6 / 64)) for n, j, i in np.argwhere(lesion.samples.masks[:, 0])}
    )


def test_gradients_that_are_there_are_not_made_again(monkeypatch, result, volume, lesion):
    there = gradient_maps(volume, GEOMETRY, lesion, sigma_mm=2.0)
    monkeypatch.setattr("PulsarCAMLib.agreement.voxel_measures.gradient_maps", None)
    assert agreement_table(result, volume, GEOMETRY, gradients=[there])


def test_only_the_lesions_asked_for_are_compared(result, volume):
    assert agreement_table(result, volume, GEOMETRY, lesions=[]) == shell_table(result, lesions=[]) == []


def test_the_local_entropy_is_zero_on_one_grey_level_and_one_bit_on_two(lesion):
    flat = np.full(GEOMETRY.shape, 7.0)
    assert not np.nanmax(quantity_maps(flat, GEOMETRY, lesion)["local_entropy"])
    checker = (np.indices(GEOMETRY.shape).sum(axis=0) % 2).astype(float)
    entropy = quantity_maps(checker, GEOMETRY, lesion)["local_entropy"]
    assert np.nanmin(entropy) > 0.99
    assert np.nanmax(entropy) <= 1.0


def test_the_local_entropy_leaves_out_what_has_no_value(lesion):
    volume = np.full(GEOMETRY.shape, 7.0)
    volume[7, 30, 28] = np.nan
    entropy = quantity_maps(volume, GEOMETRY, lesion)["local_entropy"]
    assert np.isnan(entropy).sum() == (~lesion.mask).sum() + 1
    assert np.nanmax(entropy) == 0


def test_shells_of_a_ball_hold_what_geometry_says(monkeypatch, result):
    geometry = VolumeGeometry((53, 53, 53), (1, 1, 1))
    mask = np.linalg.norm(np.indices(geometry.shape) - 26, axis=0) <= 25
    ball = replace(result.lesions[0].samples, lesion=Lesion.from_mask("ball", mask))
    fake = replace(result, geometry=geometry, units=(replace(result.lesions[0], samples=ball),))
    even = np.ones(ball.lesion.mask.shape)
    monkeypatch.setattr("PulsarCAMLib.agreement.depth_profile.heat_map_in", lambda *_: even)
    rows = shell_table(fake, methods=["gradcam"], targets=["response"], thickness_mm=5.0, margin_mm=5.0)
    shells = [row for row in rows if row["region"].startswith("shell")]
    assert len(shells) == 5
    for n, row in enumerate(shells):
        outer, inner = 25 - 5 * n, 20 - 5 * n
        # Depth is known to about half a voxel, and half a voxel at 20 mm is 0.04 of this ball.
        assert row["volume_share"] == pytest.approx((outer**3 - inner**3) / 25**3, abs=0.04)
        assert row["activation_share"] == pytest.approx(row["volume_share"])
        assert row["concentration"] == pytest.approx(1.0)
    core, margin = rows[:2]
    assert margin["voxels"] == shells[0]["voxels"]
    assert core["activation_share"] == pytest.approx((20 / 25) ** 3, abs=0.04)


def test_shares_of_the_activation_sum_to_one(result):
    rows = shell_table(result, methods=["pixelwise", "gradcam", SIGNED], thickness_mm=1.5, margin_mm=3.0)
    for method, target in {(row["map_method"], row["map_class"]) for row in rows}:
        mine = [row for row in rows if (row["map_method"], row["map_class"]) == (method, target)]
        for kind in (("core", "margin"), tuple(r["region"] for r in mine[2:])):
            for share in ("activation_share", "volume_share"):
                assert sum(row[share] for row in mine if row["region"] in kind) == pytest.approx(1.0)


def test_a_lesion_without_a_core_says_so(result):
    row = shell_table(result, margin_mm=50.0)[0]
    assert (row["region"], row["voxels"], row["activation_share"]) == ("core", 0, 0.0)
    assert row["concentration"] is None
    assert "no voxel" in row["undefined"]


@pytest.mark.parametrize("options", [{"margin_mm": 0.0}, {"thickness_mm": -1.0}, {"thickness_mm": float("nan")}])
def test_shells_without_thickness_are_refused(result, options):
    with pytest.raises(InputError, match="thicker than zero"):
        shell_table(result, **options)


@pytest.mark.parametrize("options", [{"top_share": 1.0}, {"entropy_radius_mm": 0.0}, {"methods": ["none"]}])
def test_options_without_meaning_are_refused(result, volume, options):
    with pytest.raises(InputError):
        agreement_table(result, volume, GEOMETRY, **options)
