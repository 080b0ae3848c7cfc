"""One numbering of slices everywhere: 3D Slicer's own, with the position in millimetres."""

from __future__ import annotations

import numpy as np
import pytest

from PulsarCAMLib.core.geometry.slice_place import slice_place
from PulsarCAMLib.core.geometry.volume import VolumeGeometry


def geometry(axes, origin_ras=(0.0, 0.0, 2.0)):
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray(axes, float) * [1, 1, 3]
    matrix[:3, 3] = origin_ras
    return VolumeGeometry.from_ijk_to_ras(matrix, (25, 64, 64))


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        (np.eye(3), "S 35.0 mm, slice 12 of 25"),
        (np.diag([1, 1, -1]), "S -31.0 mm, slice 12 of 25"),
        ([[0, 0, 1], [1, 0, 0], [0, 1, 0]], "R 33.0 mm, slice 12 of 25"),
        ([[1, 0, 0], [0, 0, -1], [0, 1, 0]], "A -33.0 mm, slice 12 of 25"),
    ],
)
def test_the_first_slice_is_one_and_the_position_is_along_the_nearest_axis(axes, words):
    made = geometry(axes)
    assert slice_place(made, made.to_lps([5.0, 7.0, 11.2 - 0.2])).words == words


def test_between_two_slices_the_nearer_one_is_told_with_the_points_own_position():
    made = geometry(np.eye(3))
    place = slice_place(made, made.to_lps([5.0, 7.0, 11.4]))
    assert (place.number, place.of) == (12, 25)
    assert place.facts() == {
        "mri_slice_number": 12,
        "mri_slice_axis": "S",
        "mri_slice_position_mm": pytest.approx(36.2),
    }


def test_no_position_is_minus_zero():
    made = geometry(np.eye(3), (0.0, 0.0, -0.01))
    assert slice_place(made, made.to_lps([0.0, 0.0, 0.0])).words == "S 0.0 mm, slice 1 of 25"
