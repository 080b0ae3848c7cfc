"""Further maps beside heat maps: known values on other grids, known overlaps, and what is refused or told in place."""

from __future__ import annotations

import numpy as np
import pytest
from making_files import OBLIQUE, PLAIN
from making_models import random_bundle

from PulsarCAMLib.agreement.map_comparison import compare_maps
from PulsarCAMLib.agreement.other_maps import FEWEST_VOXELS, OtherMap, in_lesion, placed_maps
from PulsarCAMLib.agreement.settings import ComparisonSettings
from PulsarCAMLib.core.case import Image
from PulsarCAMLib.core.display import Threshold
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.explanation.explain import explain_scan

GEOMETRY = VolumeGeometry((12, 48, 48), (1.0, 1.0, 2.0), (-24, 20, 5), np.diag([1.0, -1, 1]))
MATRIX = np.array([[1, 0, 0, 3.0], [0, np.cos(0.1), -np.sin(0.1), -2], [0, np.sin(0.1), np.cos(0.1), 1], [0, 0, 0, 1]])


def a_box(low=(3, 12, 12), high=(9, 30, 32), name="one"):
    mask = np.zeros(GEOMETRY.shape, bool)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return Lesion.from_mask(name, mask)


LESION = a_box()


def noise(geometry=GEOMETRY, seed=1):
    return np.random.default_rng(seed).normal(100, 20, geometry.shape).astype(np.float32)


def a_ramp(lps):
    return lps @ [0.5, -1.0, 2.0] + 300


def points(geometry):
    k, j, i = np.indices(geometry.shape)
    return geometry.to_lps(np.stack([i, j, k], axis=-1))


def elsewhere(spacing=(3.1, 2.7, 4.3), turn=OBLIQUE.direction):
    """A coarser grid, turned, around the whole MRI."""
    shape = tuple(int(120 / s) for s in spacing[::-1])
    middle = GEOMETRY.to_lps((np.array(GEOMETRY.shape[::-1]) - 1) / 2)
    there = VolumeGeometry(shape, spacing, (0, 0, 0), turn)
    return VolumeGeometry(shape, spacing, middle - there.to_lps((np.array(shape[::-1]) - 1) / 2), turn)


@pytest.mark.parametrize("matrix", [None, MATRIX])
def test_a_linear_field_is_known_exactly_whatever_the_maps_grid(matrix):
    grid = elsewhere()
    other = OtherMap("field", Image(a_ramp(points(grid)), grid), matrix)
    found = in_lesion(other, GEOMETRY, LESION)
    lps = points(GEOMETRY)[LESION.box]
    wanted = a_ramp(lps if matrix is None else lps @ matrix[:3, :3].T + matrix[:3, 3])
    assert not found.undefined
    assert np.abs(found.values - wanted)[LESION.mask].max() < 1e-3
    assert np.isnan(found.values[~LESION.mask]).all()
    assert found.voxels == pytest.approx(LESION.voxels * 2.0 / (3.1 * 2.7 * 4.3))
    assert found.limit == pytest.approx(np.percentile(wanted[LESION.mask], 75), abs=1e-3)


def test_a_voxel_beside_one_without_a_value_has_none():
    values = noise()
    values[5, 20, 20] = np.nan
    same = in_lesion(OtherMap("m", Image(values, GEOMETRY)), GEOMETRY, LESION).values
    assert np.isnan(same[LESION.mask]).sum() == 1
    half = VolumeGeometry(GEOMETRY.shape, GEOMETRY.spacing, GEOMETRY.to_lps([0.5, 0, 0]), GEOMETRY.direction)
    found = in_lesion(OtherMap("m", Image(values, half)), GEOMETRY, LESION).values
    assert np.argwhere(np.isnan(found)).tolist() == [[2, 8, 8], [2, 8, 9]]  # both voxels between which it lies


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    bundle = random_bundle(tmp_path_factory.mktemp("models") / "random", count=2)
    lesions = [LESION, a_box((2, 34, 34), (5, 44, 44), "two")]
    return explain_scan(noise(seed=3), GEOMETRY, lesions, bundle)


def compared(result, *others, **more):
    settings = ComparisonSettings(("gradcam", "pixelwise-signed"), ("response",))
    return compare_maps(result, noise(seed=3), settings, others=others, **more)


def rows_of(rows, **wanted):
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def test_a_map_that_is_the_heat_map_agrees_and_overlaps_wholly(result):
    heat = result.heat_map("gradcam", "response")
    limit = float(np.percentile(heat[LESION.box][LESION.mask], 70))
    found = compared(
        result, OtherMap("itself", Image(heat, GEOMETRY), value=limit), threshold=Threshold("percentile", 70)
    )
    own = {"lesion": "one", "map_method": "gradcam", "map_class": "response"}
    (row,) = rows_of(found.agreement, **own, quantity="itself")
    assert row["spearman"] == pytest.approx(1)
    assert row["dice"] == pytest.approx(1)
    assert row["effective_samples"] <= row["cells"]
    (row,) = rows_of(found.overlaps, **own, other_map="itself")
    active = heat[LESION.box][LESION.mask] > limit
    assert (row["voxels"], row["activated"], row["both"]) == (LESION.voxels, active.sum(), active.sum())
    assert (row["dice"], row["share_of_activated"], row["share_of_rest"]) == (1, 1, 0)
    assert row["dice_by_chance"] == pytest.approx(active.mean())
    assert found.quantities[-1] == "itself"
    assert not any(row["map_class"] == "both" for row in found.overlaps)


def test_the_overlap_is_counted_and_its_chance_is_what_shuffling_gives(result):
    values = noise(seed=9)
    found = compared(
        result, OtherMap("cells", Image(values, GEOMETRY), percentile=60), threshold=Threshold("percentile", 50)
    )
    (row,) = rows_of(found.overlaps, lesion="one", map_method="gradcam", map_class="response")
    heat = result.heat_map("gradcam", "response")[LESION.box][LESION.mask]
    active = heat > max(0, np.percentile(heat, 50))
    mine = values[LESION.box][LESION.mask]
    above = mine > np.percentile(mine.astype(float), 60)
    assert (row["activated"], row["above_voxels"]) == (active.sum(), above.sum())
    assert row["both"] == (active & above).sum()
    rng = np.random.default_rng(0)
    shuffled = [2 * (rng.permutation(active) & above).sum() / (active.sum() + above.sum()) for _ in range(400)]
    assert row["dice_by_chance"] == pytest.approx(np.mean(shuffled), abs=4 * np.std(shuffled) / 20)


def test_the_depth_profile_is_the_mean_of_every_shell(result):
    lps = points(GEOMETRY)
    values = (200 + lps[..., 0]).astype(np.float32)
    shells = rows_of(compared(result, OtherMap("PET", Image(values, GEOMETRY))).shells, map_method="PET", lesion="one")
    from PulsarCAMLib.explanation.tables import depth_mm

    depth, mine = depth_mm(LESION, GEOMETRY)[LESION.mask], values[LESION.box][LESION.mask]
    for row in shells:
        here = (depth > row["from_mm"]) & (depth <= (row["to_mm"] or 99))
        assert row["voxels"] == here.sum()
        if here.any():
            assert row["mean_value"] == pytest.approx(mine[here].mean(), rel=1e-5)
            assert row["concentration"] == pytest.approx(mine[here].mean() / mine.mean(), rel=1e-5)
    assert sum(row["activation_share"] or 0 for row in shells if row["region"] in ("core", "margin")) == pytest.approx(
        1
    )


def test_a_map_with_values_below_zero_has_means_and_no_shares(result):
    values = noise() - 100
    rows = rows_of(compared(result, OtherMap("m", Image(values, GEOMETRY))).shells, map_method="m", region="core")
    assert {row["activation_share"] for row in rows} == {None}
    assert {row["undefined"] for row in rows} == {"the map has values below zero"}
    assert all(row["mean_value"] is not None for row in rows)


def coarse():
    grid = elsewhere((12.0, 12.0, 12.0))
    return Image(noise(grid), grid)


def cropped():
    """Around the first lesion only."""
    there = GEOMETRY.cropped((0, 0, 0), (12, 33, 48))
    return Image(noise()[:, :33], there)


def with_part(value, lesion):
    values = noise()
    values[lesion.box][lesion.mask] = value
    return Image(values, GEOMETRY)


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (cropped(), "lies outside it"),
        (with_part(np.nan, a_box((2, 34, 34), (5, 44, 44))), "no value of it (NaN) in 100%"),
        (with_part(7, a_box((2, 34, 34), (5, 44, 44))), "one single value of it (7)"),
        (coarse(), f"holds only about 0.3 voxels of it, and {FEWEST_VOXELS} are needed"),
    ],
)
def test_where_one_lesion_cannot_be_compared_its_row_says_why(result, image, told):
    if image.voxels.shape == coarse().voxels.shape:  # so coarse that neither lesion can be
        with pytest.raises(InputError, match=r"cannot be compared with: “one” holds only about 2\.5 voxels of it"):
            compared(result, OtherMap("m", image))
        placed = in_lesion(OtherMap("m", image), GEOMETRY, result.units[1].lesion)
        assert told in placed.undefined
        return
    found = compared(result, OtherMap("m", image))
    for rows in (
        rows_of(found.agreement, lesion="two", quantity="m"),
        rows_of(found.shells, lesion="two", map_method="m"),
        rows_of(found.overlaps, lesion="two"),
    ):
        assert rows
        assert all(told in row["undefined"] for row in rows)
    keys = {tuple(row) for row in found.agreement}
    assert len(keys) == 1, "every row has the same columns"
    assert len({tuple(row) for row in found.shells}) == 1
    assert all(row["dice"] is not None for row in rows_of(found.overlaps, lesion="one") if not row["undefined"])


def test_nothing_is_compared_with_a_map_that_lies_elsewhere(result):
    far = VolumeGeometry(GEOMETRY.shape, GEOMETRY.spacing, (500, 0, 0), GEOMETRY.direction)
    with pytest.raises(InputError, match=r"“one” lies outside it \(and none of 2 can be\).*--transform"):
        compared(result, OtherMap("m", Image(noise(), far)))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("ADC", "adc"), "Two maps are called “adc”"),
        (("intensity",), "cannot be called “intensity”"),
        (("t1c",), "cannot be called “t1c”"),
        (("gradcam",), "cannot be called “gradcam”"),
    ],
)
def test_a_name_is_one_maps_own(result, names, told):
    with pytest.raises(InputError, match=told):
        compared(result, *(OtherMap(name, Image(noise(), GEOMETRY)) for name in names))


def labels(kind=np.uint8):
    found = np.zeros(GEOMETRY.shape, kind)
    found[3:9, 12:30, 12:32] = 1
    return found


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"name": " "}, "no name for a map"),
        ({"name": "a\nb"}, "no name for a map"),
        ({"name": "x" * 41}, "no name for a map"),
        ({"percentile": 100}, "percentile"),
        ({"value": float("nan")}, "must be a number"),
        ({"image": Image(labels(), GEOMETRY)}, "it is a mask, not a map"),
        (
            {"image": Image(np.kron(np.arange(108).reshape(3, 6, 6), np.ones((4, 8, 8), int)), GEOMETRY)},
            "mask of labels",
        ),
        ({"image": Image(np.full(GEOMETRY.shape, np.nan), GEOMETRY)}, "NaN or infinite everywhere"),
        ({"image": Image(np.full(GEOMETRY.shape, 3.0), GEOMETRY)}, "one single value"),
        (
            {"image": Image(np.where(np.indices(GEOMETRY.shape)[1] < 24, 0.0, np.nan), GEOMETRY)},
            "is NaN or infinite in 50% of its voxels and 0 in all others",
        ),
    ],
)
def test_what_is_no_map_is_refused_in_one_sentence(how, told):
    with pytest.raises(InputError, match=told):
        OtherMap(**({"name": "m", "image": Image(noise(), GEOMETRY)} | how))


def test_a_raster_of_counts_that_was_made_finer_is_a_map():
    counts = np.kron(np.random.default_rng(0).integers(0, 4000, (6, 24, 24)), np.ones((2, 2, 2), int))
    assert OtherMap("cells", Image(counts, GEOMETRY)).name == "cells"


def test_a_map_that_is_mostly_without_a_value_is_one_where_it_has_some():
    values = np.full(PLAIN.shape, np.nan, np.float32)
    values[3:8, 10:24, 8:22] = np.random.default_rng(0).normal(size=(5, 14, 14))
    assert placed_maps([OtherMap("rCBV", Image(values, PLAIN))], PLAIN, []) == []
