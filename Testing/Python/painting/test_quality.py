"""Q-volume histograms of doses whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from PulsarCAMLib.core.case import Image
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.painting.quality import histogram, quality_of

GEOMETRY = VolumeGeometry((10, 30, 30), (1.0, 1.0, 2.0), (-10, 5, 3))


def a_region():
    k, j, i = np.indices(GEOMETRY.shape)
    return Lesion.from_mask("one", (2 * (k - 5)) ** 2 + (j - 15) ** 2 + (i - 14) ** 2 < 50)


def painted():
    """A prescription that differs from voxel to voxel, on the whole grid, and in the region's box."""
    whole = 12 + 8 * np.random.default_rng(0).random(GEOMETRY.shape)
    return whole, whole[a_region().box]


def of(factor=1.0, geometry=GEOMETRY, region=None):
    whole, own = painted()
    return quality_of(Image(whole * factor, geometry), GEOMETRY, own, region or a_region())


def test_a_dose_that_is_the_prescription_is_a_step_at_one():
    found = of()
    assert found.factor == 0
    q = np.array([0.0, 0.5, 0.99, 1.0, 1.01, 2.0])
    assert found.volume_at(q).tolist() == [1, 1, 1, 1, 0, 0]
    row = found.row()
    assert (row["q_mean"], row["q_98"], row["q_2"], row["q_within_5_percent"]) == (1, 1, 1, 1)
    assert (row["q_below"], row["q_above"], row["quality_undefined"]) == (0, 0, "")


@pytest.mark.parametrize(("factor", "below", "above"), [(0.9, 1, 0), (1.2, 0, 1), (0.95, 0, 0), (1.05, 0, 0)])
def test_a_dose_that_is_a_multiple_of_it_is_a_step_there(factor, below, above):
    found = of(factor)
    assert found.factor == pytest.approx(abs(factor - 1))
    assert found.volume_at(np.array([factor, factor + 1e-4])).tolist() == [1, 0]
    assert (found.row()["q_below"], found.row()["q_above"]) == (below, above)


def test_half_of_it_too_little_and_half_too_much():
    whole, own = painted()
    region = a_region()
    factor = np.where(np.arange(GEOMETRY.shape[2]) < 14, 0.8, 1.1)
    found = quality_of(Image(whole * factor, GEOMETRY), GEOMETRY, own, region)
    low = float((np.argwhere(region.mask)[:, 2] + region.offset[2] < 14).mean())
    assert found.factor == pytest.approx(0.2 * low + 0.1 * (1 - low))
    assert found.volume_at(np.array([0.8, 0.81, 1.1, 1.11])) == pytest.approx([1, 1 - low, 1 - low, 0])
    rows = histogram({"one": found})
    assert (rows[0], rows[-1]) == ({"q": 0.0, "one": 1.0}, {"q": 2.0, "one": 0.0})
    assert [row["one"] for row in rows if row["q"] == 1.0] == [pytest.approx(1 - low)]


def test_a_flat_dose_on_another_grid_is_the_inverse_of_the_prescription():
    grid = VolumeGeometry((30, 40, 40), (2.0, 2.0, 2.0), (-40, -30, -20))
    _, own = painted()
    region = a_region()
    found = quality_of(Image(np.full(grid.shape, 15.0), grid), GEOMETRY, own, region)
    assert found.q == pytest.approx(15 / own[region.mask], abs=1e-6)


def test_what_is_not_known_is_told_in_its_place():
    away = VolumeGeometry(GEOMETRY.shape, GEOMETRY.spacing, GEOMETRY.to_lps([15, 0, 0]), GEOMETRY.direction)
    assert "% of it lies outside the dose grid" in of(geometry=away).undefined
    coarse = VolumeGeometry((5, 5, 5), (20, 20, 20), (-40, -30, -20))
    _, own = painted()
    found = quality_of(Image(np.full(coarse.shape, 15.0), coarse), GEOMETRY, own, a_region())
    assert "voxels of the dose, and 8 are needed" in found.undefined
    row = found.row()
    assert set(row) == set(of().row())
    assert row["quality_factor"] is None
    assert histogram({"one": found}) == []
