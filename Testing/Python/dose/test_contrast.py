"""Does the activated part get less: found where it is so, and not found in fields that know nothing of each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from PulsarCAMLib.agreement.spatial import Places
from PulsarCAMLib.dose.contrast import LESS, MORE, OPEN, difference
from PulsarCAMLib.dose.over_patients import over_patients
from PulsarCAMLib.lesions.distances import depth_of

SHAPE, SPACING = (17, 17, 17), (1.0, 1.0, 1.0)
BALL = sum((g - 8.0) ** 2 for g in np.meshgrid(*[np.arange(17)] * 3, indexing="ij")) <= 64
DEPTH = depth_of(np.pad(BALL, 1), SPACING)[1:-1, 1:-1, 1:-1][BALL]


def field(seed, sigma=2.0):
    noise = np.random.default_rng(seed).normal(size=(37, 37, 37))
    found = ndimage.gaussian_filter(noise, sigma)[10:27, 10:27, 10:27]
    return (found / found.std())[BALL]


def test_independent_smooth_fields_are_not_told_apart_more_often_than_the_level_says():
    wrong = naive = 0
    for seed in range(60):
        dose, activated = field(2 * seed), field(2 * seed + 1) > 0.5
        found = difference(dose, activated, Places(BALL, SPACING))
        wrong += found.answer != OPEN
        r = np.corrcoef(dose, activated)[0, 1]
        naive += abs(r) * np.sqrt((len(dose) - 2) / (1 - r**2)) > 1.96
    assert wrong <= 8  # of 60 at 5 %
    assert naive > 30  # what counting voxels would call a difference


def test_a_difference_that_is_there_is_found_with_its_sign():
    activated = field(3) > 0.5
    dose = 20 + 0.3 * field(4, sigma=1.0)
    less = difference(dose - 2 * activated, activated, Places(BALL, SPACING))
    assert less.answer == LESS
    assert less.gy == pytest.approx(-2, abs=0.3)
    assert less.low < -2 < less.high or abs(less.gy + 2) < 0.3
    assert difference(dose + 2 * activated, activated, Places(BALL, SPACING)).answer == MORE
    few = difference(dose - 2 * activated, activated, Places(BALL, SPACING), cells=4)
    assert few.low is None
    assert few.answer == OPEN
    assert "independent places" in few.reason


def test_what_only_depth_explains_is_gone_at_equal_depth():
    dose = 20 + DEPTH + 0.05 * field(5, sigma=1.0)
    activated = DEPTH + field(6) < 2.5
    plain, level = (difference(dose, activated, Places(BALL, SPACING), depth=d) for d in (None, DEPTH))
    assert plain.gy < -1
    assert abs(level.gy) < 0.1
    shells = difference(dose, DEPTH < 2, Places(BALL, SPACING), depth=DEPTH)
    assert shells.gy is not None  # depth and its square do not explain a step wholly


def test_the_interval_moves_with_finer_means():
    found = difference(field(7), field(8) > 0, Places(BALL, SPACING))
    moved = found.moved_to(1.5)
    assert moved.gy == 1.5
    assert moved.high - moved.low == pytest.approx(found.high - found.low)


def test_over_patients_each_patient_counts_once():
    def row(gy, lesion="a", method="m"):
        return {"lesion": lesion, "map_method": method, "map_class": "x", "map_input": "", "quantity": "Gy",
                "difference_gy": gy, "difference_at_equal_depth_gy": gy, "answer": "not shown"}  # fmt: skip

    patients = {"A": [row(-3.0)] * 9 + [row(None)], "B": [row(-1.0)], "C": [row(-2.0)], "D": [row(None)]}
    (found,) = over_patients(patients)
    assert found["patients"] == 3
    assert found["lesions"] == 11
    assert found["difference_gy"] == pytest.approx(-2)
    assert found["difference_low_gy"] == pytest.approx(-2 - 4.3027 / np.sqrt(3), abs=1e-3)
    assert found["patients_with_less"] == 3
    assert found["answer"] == OPEN
    (one,) = over_patients({"A": [row(-3.0)]})
    assert one["difference_low_gy"] is None
