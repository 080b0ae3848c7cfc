import itertools
from dataclasses import replace

import numpy as np
import pytest
from making_models import random_bundle

from PulsarCAMLib.core.display import Threshold
from PulsarCAMLib.core.errors import Cancelled, InputError
from PulsarCAMLib.core.geometry.upsampling import upsample
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.core.vocabulary import NORMALISATIONS, STATISTICS
from PulsarCAMLib.explanation.explain import explain_scan
from PulsarCAMLib.explanation.tables import core_of, depth_mm, sample_table, unit_table
from PulsarCAMLib.lesions.from_labels import lesions_from_labels
from PulsarCAMLib.systems.autoencoder.maps.closed_form import SIGNED
from PulsarCAMLib.systems.autoencoder.samples.patches import extract_patches
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER

EVERY_METHOD = tuple(method.name for method in AUTOENCODER.maps if not method.signed)
TARGETS = AUTOENCODER.task.targets
GEOMETRY = VolumeGeometry((10, 90, 90), (1.0, 1.0, 3.0), (-40, 20, 5), np.diag([1.0, -1, 1]))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return random_bundle(tmp_path_factory.mktemp("models") / "random", count=3)


@pytest.fixture(scope="module")
def labels():
    found = np.zeros(GEOMETRY.shape, np.uint8)
    k, j, i = np.indices(GEOMETRY.shape)
    found[(k - 5) ** 2 * 9 + (j - 30) ** 2 + (i - 30) ** 2 < 144] = 1
    found[(k - 4) ** 2 * 9 + (j - 65) ** 2 + (i - 60) ** 2 < 64] = 2
    found[5, 30, 42:50] = 3
    return found


@pytest.fixture(scope="module")
def volume():
    return np.random.default_rng(5).normal(300, 60, GEOMETRY.shape).astype(np.float32)


@pytest.fixture(scope="module")
def result(bundle, labels, volume):
    return explain_scan(volume, GEOMETRY, lesions_from_labels(labels)[0], bundle, methods=EVERY_METHOD)


def test_every_lesion_gets_an_answer_with_its_spread(result):
    for lesion in result.lesions:
        p = 1 / (1 + np.exp(-lesion.logits[:, lesion.main].astype(float)))
        assert lesion.probability == pytest.approx(p.mean())
        assert lesion.spread == pytest.approx(p.std())
        assert lesion.predicted_class == ("response" if p.mean() >= 0.5 else "non-response")


def test_the_volume_that_is_told_is_the_drawn_one(bundle, labels, volume):
    """Of a contour on another grid; what is active in it stays what the network saw."""
    lesion = lesions_from_labels(labels)[0][1]
    tables = []
    for drawn in (None, 1234.5):
        found = explain_scan(volume, GEOMETRY, [replace(lesion, drawn_mm3=drawn)], bundle)
        tables.append(unit_table(found)[0])
    assert [row.pop("volume_cm3") for row in tables] == [lesion.voxels * 3.0 / 1000, 1.2345]
    assert tables[0] == tables[1]


def test_temperature_and_threshold_come_from_the_card(tmp_path, labels, volume):
    lesions = lesions_from_labels(labels)[0]
    cold = random_bundle(tmp_path / "cold", decision={"threshold": 0.001, "temperature": 4.0})
    found = explain_scan(volume, GEOMETRY, lesions, cold)
    logits = found.lesions[0].logits[:, found.lesions[0].main].astype(float)
    assert found.lesions[0].probability == pytest.approx((1 / (1 + np.exp(-logits / 4))).mean())
    assert {lesion.predicted_class for lesion in found.lesions} == {"response"}


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("method", EVERY_METHOD)
def test_the_heat_map_is_on_the_mris_grid_and_inside_the_lesions(result, labels, method, statistic):
    for target, normalisation in itertools.product(TARGETS, NORMALISATIONS):
        values = result.heat_map(method, target, statistic, normalisation)
        assert values.dtype == np.float32
        assert values.shape == GEOMETRY.shape
        assert (values >= 0).all()
        assert not values[labels == 0].any()


def test_the_ensembles_mean_and_spread_are_those_of_its_members_maps(result):
    for lesion in result.lesions:
        members = np.stack([lesion.sample_maps("gradcam++", "response", member=k) for k in range(3)])
        np.testing.assert_allclose(lesion.sample_maps("gradcam++", "response"), members.mean(0), atol=1e-6)
        np.testing.assert_allclose(lesion.sample_maps("gradcam++", "response", "std"), members.std(0), atol=1e-6)


def test_a_scan_gives_each_lesion_the_result_it_has_alone(result, bundle, labels, volume):
    for lesion in result.lesions:
        alone = explain_scan(volume, GEOMETRY, [lesion.lesion], bundle).lesions[0]
        np.testing.assert_allclose(alone.logits, lesion.logits, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(alone.maps[SIGNED, ""], lesion.maps[SIGNED, ""], rtol=1e-3, atol=1e-6)


def test_raw_maps_are_the_members_mean_without_any_scaling(result):
    lesion = result.lesions[0]
    wanted = upsample(lesion.maps["pixelwise", "response"].mean(axis=0), 64)
    np.testing.assert_array_equal(lesion.sample_maps("pixelwise", "response"), wanted)


def test_normalisation_divides_both_classes_by_one_number(result):
    raw = {t: result.heat_map("gradcam", t) for t in ("response", "non-response")}
    for normalisation in ("lesion", "scan"):
        shown = {t: result.heat_map("gradcam", t, normalisation=normalisation) for t in raw}
        for lesion in result.lesions:
            box, mask = lesion.lesion.box, lesion.lesion.mask
            ratios = [
                raw[t][box][mask][shown[t][box][mask] > 0] / shown[t][box][mask][shown[t][box][mask] > 0] for t in raw
            ]
            ratios = np.concatenate(ratios)
            np.testing.assert_allclose(ratios, ratios[0], rtol=1e-4)
        assert max(values.max() for values in shown.values()) <= 1 + 1e-6


def test_each_normalised_lesion_reaches_almost_one_in_one_class(result):
    for lesion in result.lesions:
        top = max(result.pasted(lesion, "gradcam", t, normalisation="lesion").values.max() for t in TARGETS)
        assert 0.8 < top <= 1 + 1e-6


def test_one_number_for_the_scan_keeps_lesions_comparable_and_each_lesions_own_does_not(result):
    """The divisors themselves: of "scan" the largest joint maximum for all lesions, of "lesion" each one's own."""
    own = [lesion.joint_maximum("gradcam") for lesion in result.lesions]
    assert min(own) < 0.99 * max(own)
    for lesion, mine in zip(result.lesions, own, strict=True):
        raw = result.pasted(lesion, "gradcam", "response").values
        for normalisation, divisor in (("none", 1.0), ("lesion", mine), ("scan", max(own))):
            shown = result.pasted(lesion, "gradcam", "response", normalisation=normalisation).values
            np.testing.assert_allclose(shown * divisor, raw, rtol=1e-5, atol=1e-9 * max(own))


def test_the_predicted_class_is_each_lesions_own(result):
    predicted = result.heat_map("pixelwise", "predicted")
    for lesion in result.lesions:
        own = result.heat_map("pixelwise", lesion.predicted_class)
        inside = lesion.lesion.full_mask(GEOMETRY.shape)
        np.testing.assert_array_equal(predicted[inside], own[inside])


def test_the_signed_map_holds_both_classes(result):
    signed = result.heat_map(SIGNED)
    assert signed.min() < 0 < signed.max() or (signed != 0).any()
    low, high = result.display_range(SIGNED)
    assert low == -high


def test_the_unrestricted_map_is_the_restricted_one_inside(result):
    inside = result.heat_map("gradcam", "response")
    whole = result.heat_map("gradcam", "response", restrict=False)
    alone = result.lesions[1].lesion.full_mask(GEOMETRY.shape)
    np.testing.assert_allclose(whole[alone], inside[alone], atol=1e-6)
    assert np.count_nonzero(whole) > np.count_nonzero(inside)


def test_sub_regions_follow_their_threshold(result):
    volume = [sum(r.voxels for r in result.sub_regions(threshold=Threshold("fraction", f))) for f in (0.1, 0.5, 0.9)]
    assert volume[0] > volume[1] > volume[2]
    for lesion, region in zip(
        result.lesions, result.sub_regions("gradcam", "response", Threshold("value", 0.0)), strict=True
    ):
        values = result.pasted(lesion, "gradcam", "response").values
        np.testing.assert_array_equal(region.mask, values > 0)


def test_a_percentile_threshold_takes_that_share_of_the_lesion(result):
    name = "response" if result.heat_map("gradcam++", "response").any() else "non-response"
    for lesion, region in zip(
        result.lesions, result.sub_regions("gradcam++", name, Threshold("percentile", 80)), strict=True
    ):
        if lesion.lesion.voxels > 100:
            assert region.voxels / lesion.lesion.voxels <= 0.2 + 1e-2


@pytest.mark.parametrize(
    ("kind", "value"), [("fraction", 1.5), ("percentile", -1), ("half", 0.5), ("value", float("nan"))]
)
def test_a_threshold_out_of_range_is_refused(kind, value):
    with pytest.raises(InputError):
        Threshold(kind, value)


def test_the_lesion_table_counts_what_the_maps_show(result):
    threshold = Threshold("fraction", 0.3)
    rows = unit_table(result, "gradcam", "predicted", threshold)
    regions = result.sub_regions("gradcam", "predicted", threshold)
    for row, lesion, region in zip(rows, result.lesions, regions, strict=True):
        assert row["volume_cm3"] == pytest.approx(lesion.lesion.voxels * 3 / 1000)
        assert row["activated_volume_cm3"] == pytest.approx(region.voxels * 3 / 1000)
        assert row["activated_core_cm3"] + row["activated_margin_cm3"] == pytest.approx(row["activated_volume_cm3"])
        assert row["logit_map_sum"] + row["logit_rest"] == pytest.approx(row["logit"], abs=1e-5)
        assert row["map_class"] == row["predicted_class"]
        j, i = np.argwhere(lesion.lesion.mask).mean(axis=0)[1:] + lesion.lesion.offset[1:]
        assert row["centroid_r_mm"] == pytest.approx(40 - i)
        assert row["centroid_a_mm"] == pytest.approx(-(20 - j))


def test_the_slice_table_names_the_mris_slices(result, labels):
    rows = sample_table(result)
    for value, lesion in enumerate(result.lesions, start=1):
        mine = [row for row in rows if row["lesion"] == lesion.name]
        assert [row["mri_slice"] for row in mine] == np.flatnonzero((labels == value).any(axis=(1, 2))).tolist()
        assert [row["slice"] for row in mine if row["answers"]] == [lesion.main]
        assert [row["area_mm2"] for row in mine] == [(labels[row["mri_slice"]] == value).sum() for row in mine]


def test_core_is_deeper_than_the_margin():
    k, j, i = np.indices((21, 21, 21))
    ball = Lesion.from_mask("ball", (k - 10) ** 2 + (j - 10) ** 2 + (i - 10) ** 2 <= 81)
    depth = core_of(ball, VolumeGeometry((21, 21, 21)), 3.0).sum()
    assert depth == pytest.approx(4 / 3 * np.pi * 6.0**3, rel=0.2)
    assert core_of(ball, VolumeGeometry((21, 21, 21)), 0.0).sum() == ball.voxels


@pytest.mark.parametrize(
    ("slice_mm", "share"), [(1, 26 * 26 * 8 / 10800), (3, 26 * 26 * 2 / 3600), (4, 26 * 26 / 2700)]
)
def test_the_core_of_a_box_has_the_voxels_that_lie_deep_enough_in_millimetres(slice_mm, share):
    """30 x 30 x 12 mm: the outer slices of 3 mm are in the middle 1.5 mm deep, so all of them is margin."""
    mask = np.ones((12 // slice_mm, 30, 30), dtype=bool)
    for place in ((0, 0, 0), (3, 4, 5)):  # at the MRI's corner, and within
        whole = np.pad(mask, [(n, 2) for n in place]) if any(place) else mask
        box = Lesion.from_mask("box", whole)
        geometry = VolumeGeometry(whole.shape, (1, 1, slice_mm))
        assert core_of(box, geometry, 2.0).mean() == pytest.approx(share)
        assert depth_mm(box, geometry)[:, 15, 15].tolist()[:2] == [slice_mm / 2, slice_mm * 1.5]


def test_progress_rises_to_one(bundle, labels, volume):
    seen = []
    explain_scan(volume, GEOMETRY, lesions_from_labels(labels)[0], bundle, progress=lambda f, text: seen.append(f))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.parametrize("after", [0, 2, 4])
def test_it_stops_when_told(bundle, labels, volume, after):
    calls = itertools.count()
    with pytest.raises(Cancelled):
        explain_scan(volume, GEOMETRY, lesions_from_labels(labels)[0], bundle, cancelled=lambda: next(calls) >= after)


def test_no_lesion_and_unknown_methods_are_refused(bundle, labels, volume):
    with pytest.raises(InputError, match="no lesion"):
        explain_scan(volume, GEOMETRY, [], bundle)
    lesions = lesions_from_labels(labels)[0]
    with pytest.raises(InputError, match="scorecam"):
        explain_scan(volume, GEOMETRY, lesions, bundle, methods=["scorecam"])
    plain = explain_scan(volume, GEOMETRY, lesions, bundle)
    with pytest.raises(InputError, match="was not computed"):
        plain.heat_map("gradcam++-sigmoid")


def test_warnings_reach_the_result(bundle, labels, volume):
    broken = volume.copy()
    broken[5, 30, 30] = np.nan
    found = explain_scan(broken, GEOMETRY, lesions_from_labels(labels)[0], bundle, warnings=["from reading"])
    assert found.warnings[0] == "from reading"
    assert any("NaN" in warning for warning in found.warnings)


def test_an_empty_map_of_the_predicted_class_is_told(result):
    for method in EVERY_METHOD:
        empty = [lesion.name for lesion in result.lesions if lesion.is_empty(method, "predicted")]
        told = [warning for warning in result.warnings if warning.startswith(f"{method}:")]
        assert bool(empty) == bool(told)


def test_negative_intensities_are_ordinary(shared_data, bundle):
    import SimpleITK as sitk

    folder = shared_data / "tcga_fg_6692"
    image = sitk.ReadImage(str(folder / "OtherEXampleFromTCIA_t1c_bet.nii.gz"))
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "mav.nii.gz")))
    volume, geometry = sitk.GetArrayFromImage(image), VolumeGeometry.from_sitk(image)
    assert volume.min() < 0
    lesions, _ = lesions_from_labels((labels > 0).astype(np.uint8))
    assert [lesion.voxels for lesion in lesions] == [29717, 407, 38, 13, 4]
    found = explain_scan(volume, geometry, lesions, bundle)
    heat = found.heat_map("gradcam++")
    assert not heat[labels == 0].any()
    # The whole tumour is 88 mm long in plane, so it is shrunk and says so.
    big = extract_patches(volume, geometry, lesions[0])
    assert (big.scale > 1) == any("does not fit" in warning for warning in found.warnings)


def test_a_normalised_map_is_shown_from_nothing_to_one_and_a_raw_one_to_its_maximum(result):
    for method in ("pixelwise", "gradcam"):
        assert result.display_range(method, "lesion") == result.display_range(method, "scan") == (0.0, 1.0)
        assert result.display_range(method) == (0.0, max(unit.joint_maximum(method) for unit in result.units))
    assert result.display_range(SIGNED, "scan") == (-1.0, 1.0)
