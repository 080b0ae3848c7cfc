"""Thresholds, divisors and ranges by which maps are shown, against numbers worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from PulsarCAMLib.core.display import Threshold
from PulsarCAMLib.explanation.result import CaseResult


def a_unit(top, by_input=0.0):
    mask = np.array([[[True, True], [True, False]]])
    return SimpleNamespace(
        lesion=SimpleNamespace(mask=mask),
        joint_maximum=lambda method, input="": by_input if input else top,
        inputs_of=lambda method: ("flair",) if method == "saliency" else (),
    )


def a_result(*units, signed=False):
    found = SimpleNamespace(units=units, method=lambda name: SimpleNamespace(signed=signed))
    found.divisor = lambda *given: CaseResult._divisor(found, *given)
    return found


VALUES = np.array([[[-4.0, -2.0], [6.0, 100.0]]])
"""The last voxel lies outside the mask."""


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("value", 0.3, 0.3),
        ("value", 0.0, 0.0),
        ("percentile", 100, 6.0),
        ("percentile", 75, 2.0),  # halfway from the middle one, -2, to the largest
        ("percentile", 50, 0.0),  # never below zero
        ("fraction", 0.25, 2.0),
        ("fraction", 1.0, 8.0),
    ],
)
def test_a_threshold_is_taken_inside_the_mask_and_never_below_zero(kind, value, expected):
    assert CaseResult.threshold_value(None, a_unit(8.0), "m", VALUES, Threshold(kind, value)) == pytest.approx(expected)


def test_a_fraction_is_of_the_maximum_of_the_input_that_is_shown():
    one = a_unit(8.0, by_input=2.0)
    assert CaseResult.threshold_value(None, one, "m", VALUES, Threshold("fraction", 0.5), "flair") == 1.0


def test_values_are_divided_by_the_units_own_maximum_or_by_the_largest_of_all():
    small, large, nothing = a_unit(2.0), a_unit(8.0), a_unit(0.0)
    found = a_result(small, large)
    assert [found.divisor(small, "m", how, "") for how in ("none", "lesion", "scan")] == [1.0, 2.0, 8.0]
    assert found.divisor(large, "m", "lesion", "") == 8.0
    assert a_result(nothing).divisor(nothing, "m", "lesion", "") == 1.0, "an empty map stays empty"


@pytest.mark.parametrize(
    ("signed", "how", "expected"),
    [(False, "none", (0, 8)), (True, "none", (-8, 8)), (False, "scan", (0, 1)), (True, "lesion", (-1, 1))],
)
def test_a_display_spans_to_the_largest_of_all_units_or_to_one(signed, how, expected):
    assert CaseResult.display_range(a_result(a_unit(2.0), a_unit(8.0), signed=signed), "m", how) == expected
    assert CaseResult.display_range(a_result(a_unit(0.0), signed=signed), "m", "none")[1] == 1.0


def test_inputs_with_maps_of_their_own_are_those_of_the_only_unit():
    assert CaseResult.inputs_of(a_result(a_unit(1.0)), "saliency") == ("flair",)
    assert CaseResult.inputs_of(a_result(a_unit(1.0)), "gradcam") == ()
