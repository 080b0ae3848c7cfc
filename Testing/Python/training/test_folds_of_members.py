"""Members that leave out a part of the patients each."""

import numpy as np
import pytest
from making_volumes import BLOCK, blocks

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.training.units.holdout import folds_of_members


def test_every_patient_is_left_out_once_and_by_nobody_who_learns_from_them():
    samples = blocks(20)
    folds = folds_of_members(samples, 5, seed=3, task=BLOCK.task)
    left_out = np.concatenate([aside.patients for _, aside in folds])
    assert sorted(left_out) == sorted(samples.patients)
    for known, aside in folds:
        assert not set(known.patients) & set(aside.patients)
        assert len(known) + len(aside) == 20
        assert 1 <= (aside.labels == 1).sum() <= 2, "of 7, alike in every part"
    again = folds_of_members(samples, 5, seed=3, task=BLOCK.task)
    assert all((a.patients == b.patients).all() for (_, a), (_, b) in zip(folds, again, strict=True))


@pytest.mark.parametrize("members", [1, 21])
def test_too_few_members_or_patients_are_refused(members):
    with pytest.raises(InputError, match="cannot each leave out a part of 20 patients"):
        folds_of_members(blocks(20), members, seed=0, task=BLOCK.task)


def test_a_part_that_takes_the_last_of_a_class_is_refused():
    with pytest.raises(InputError, match="choose fewer members"):
        folds_of_members(blocks(3), 2, seed=0, task=BLOCK.task)
