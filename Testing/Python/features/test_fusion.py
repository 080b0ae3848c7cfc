"""Late fusion: a mean, and who is answered when a member is silent."""

from __future__ import annotations

import numpy as np
import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.features.models.fusion import fused

GAP = np.nan
MEMBERS = [np.array([0.2, 0.9, GAP, GAP]), np.array([0.4, GAP, 0.7, GAP]), np.array([0.9, 0.1, 0.5, GAP])]


def test_a_lesion_gets_the_mean_of_the_members():
    assert fused(MEMBERS)[0] == pytest.approx(0.5)
    np.testing.assert_array_equal(fused(MEMBERS[:1]), MEMBERS[0])


def test_one_silent_member_silences_the_fusion_unless_any_is_enough():
    np.testing.assert_allclose(fused(MEMBERS), [0.5, GAP, GAP, GAP])
    np.testing.assert_allclose(fused(MEMBERS, needs="any"), [0.5, 0.5, 0.6, GAP])


def test_the_order_of_the_members_does_not_matter():
    np.testing.assert_allclose(fused(MEMBERS, "any"), fused(MEMBERS[::-1], "any"))


def test_no_lesion_gives_no_answer():
    assert fused([np.empty(0), np.empty(0)]).shape == (0,)


@pytest.mark.parametrize(
    ("members", "needs"),
    [([], "all"), ([np.zeros(2), np.zeros(3)], "all"), ([np.zeros(2)], "most"), ([np.zeros((2, 2))], "all")],
)
def test_members_that_do_not_belong_together_are_refused(members, needs):
    with pytest.raises(InputError):
        fused(members, needs)
