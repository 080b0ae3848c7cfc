"""Sorted weighted samples, and doses of several courses as one."""

from __future__ import annotations

import numpy as np
import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.dose.courses import Course, biological, planned
from PulsarCAMLib.dose.histogram import Histogram, levels_up_to
from PulsarCAMLib.dose.settings import DoseTold

GRID = VolumeGeometry((12, 14, 16), (2.0, 2.0, 2.0), (-15.0, -13.0, -11.0))


def ramp(grid, gy_per_mm=0.1):
    kji = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), -1)
    return (10 + gy_per_mm * grid.to_lps(kji[..., ::-1])[..., 0]).astype(np.float32)


def test_weights_count_and_order_does_not():
    doses, mm3 = np.array([3.0, 1.0, 2.0]), np.array([1.0, 8.0, 1.0])
    found = Histogram.of(doses, mm3)
    assert (found.least, found.most, found.volume_mm3) == (1, 3, 10)
    assert found.mean == pytest.approx(1.3)
    assert found.v(1.5) == pytest.approx(0.2)
    assert found.v(3) == pytest.approx(0.1)
    assert found.v(3.01) == 0
    np.testing.assert_allclose(found.curve(np.array([0, 1, 1.5, 2.5, 4])), [1, 1, 0.2, 0.1, 0])


def test_d_of_evenly_spread_doses_is_exact():
    found = Histogram.of(np.random.default_rng(0).permutation((np.arange(1000) + 0.5) / 10), np.full(1000, 0.3))
    for percent in (98, 50, 2):
        assert found.d(percent) == pytest.approx(100 - percent, abs=1e-9)


@pytest.mark.parametrize(("most", "step"), [(22.1, 0.2), (1.4, 0.01), (60.0, 0.5), (0.0, 5e-6)])
def test_levels_are_round_and_end_beyond_the_largest_dose(most, step):
    levels = levels_up_to(most)
    assert levels[0] == 0
    assert levels[1] == pytest.approx(step)
    assert levels[-1] > most


def test_eqd2_and_bed_of_the_linear_quadratic_model():
    eqd2, bed = (DoseTold(quantity=q, alpha_beta_gy=3) for q in ("eqd2", "bed"))
    assert biological(np.array(18.0), 1, bed) == pytest.approx(18 * (1 + 18 / 3))
    assert biological(np.array(18.0), 1, eqd2) == pytest.approx(18 * (18 + 3) / (2 + 3))
    assert biological(np.array(30.0), 15, eqd2) == pytest.approx(30)  # 2 Gy a fraction are what they are


def test_courses_are_turned_into_the_quantity_before_they_are_added():
    six = [Course(np.full(GRID.shape, 6.0, np.float32), GRID, 1) for _ in range(3)]
    assert planned(six, DoseTold()).dose.max() == pytest.approx(18)
    assert planned(six, DoseTold(quantity="bed")).dose.max() == pytest.approx(3 * 6 * 1.6)


def test_a_sum_lies_on_the_finest_grid_wherever_the_others_are_and_however_turned():
    a = np.radians(20)
    turned = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    fine = VolumeGeometry((10, 10, 10), (1.0, 1.0, 1.0), (-4.0, -5.0, -4.0), tuple(map(tuple, turned)))
    total = planned([Course(ramp(GRID), GRID), Course(ramp(fine), fine)], DoseTold())
    assert total.geometry.same_grid(fine)
    np.testing.assert_allclose(total.dose, 2 * ramp(fine), atol=0.02)
    assert total.voxel_mm3 == 8
    far = VolumeGeometry((4, 4, 4), (9.0, 9.0, 9.0), (500, 0, 0))
    with pytest.raises(InputError, match="lies elsewhere"):
        planned([Course(ramp(GRID), GRID), Course(np.ones(far.shape, np.float32), far)], DoseTold())


@pytest.mark.parametrize("count", [0, -3, 2.5])
def test_numbers_of_fractions_that_are_none_are_refused(count):
    with pytest.raises(InputError, match="whole number of fractions"):
        planned([Course(ramp(GRID), GRID, count)], DoseTold(quantity="bed"))


def test_without_a_number_of_fractions_there_is_no_biological_dose():
    with pytest.raises(InputError, match=r"Dose 2 does not say in how many fractions .*--fractions"):
        planned([Course(ramp(GRID), GRID, 5), Course(ramp(GRID), GRID)], DoseTold(quantity="eqd2"))
    named = [Course(ramp(GRID), GRID, 5, file="first.dcm"), Course(ramp(GRID), GRID, file="boost.dcm")]
    with pytest.raises(InputError, match=r"Dose 2 \(boost\.dcm\) does not say"):
        planned(named, DoseTold(quantity="eqd2"))
    assert "boost" not in named[1].told(2)  # that goes into results
