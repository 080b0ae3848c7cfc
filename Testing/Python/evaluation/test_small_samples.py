"""What few right answers are worth, in words."""

import pytest

from PulsarCAMLib.evaluation.small_samples import in_words, wilson


def test_eleven_of_twelve_may_be_two_in_three():
    assert wilson(11, 12) == pytest.approx((0.646, 0.985), abs=1e-3)
    assert wilson(12, 12)[1] == 1.0
    told = in_words(11, 12, "patient")
    assert told == (
        "11 of 12 patients called correctly is an accuracy of 0.92 with a 95 % interval of 0.65 to 0.99 (Wilson); "
        "a single patient more or less is 0.08."
    )
    assert "for visits of one patient are alike" in in_words(11, 12, "visit", several=True)
