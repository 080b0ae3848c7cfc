"""The rules of dose painting on maps and masks made by hand: exact values, closed forms, distances recomputed."""

from __future__ import annotations

import numpy as np
import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.lesions.distances import distance_to, grown
from PulsarCAMLib.painting.rules import boost_by_contours, dose_by_numbers, kept_parts, near_organs
from PulsarCAMLib.painting.settings import LABEL, PaintingSettings

GEOMETRY = VolumeGeometry((14, 40, 36), (0.9, 1.2, 2.5))
SPACING = np.array(GEOMETRY.spacing[::-1])


def by(rule="linear", low=12.0, high=20.0, **more):
    return PaintingSettings(rule, low, high, **more)


def test_linear_is_exact_and_stays_between_the_levels():
    values = np.array([-3.0, 0.0, 0.25, 1.0, 2.0, 9.0])
    assert dose_by_numbers(values, (0.0, 2.0), by()).tolist() == [12, 12, 13, 16, 20, 20]
    assert dose_by_numbers(values, (1.0, 2.0), by()).tolist() == [12, 12, 12, 12, 20, 20]
    assert dose_by_numbers(values, (2.0, 2.0), by()).tolist() == [12] * 6  # an empty map paints nothing


@pytest.mark.parametrize(("midpoint", "steepness"), [(0.5, 10.0), (0.3, 4.0), (0.9, 200.0)])
def test_the_sigmoid_is_its_closed_form_and_reaches_both_levels(midpoint, steepness):
    share = np.linspace(0, 1, 41)
    f = lambda s: 1 / (1 + np.exp(-steepness * (s - midpoint)))  # noqa: E731
    wanted = 12 + 8 * (f(share) - f(0)) / (f(1) - f(0))
    found = dose_by_numbers(5 + 3 * share, (5.0, 8.0), by("sigmoid", midpoint=midpoint, steepness=steepness))
    assert found == pytest.approx(wanted, abs=1e-12)
    assert (found[0], found[-1]) == (12, pytest.approx(20))
    assert (np.diff(found) >= 0).all()


def random_mask(seed=0, share=0.02):
    return np.random.default_rng(seed).random(GEOMETRY.shape) < share


def faces(mask):
    """Middles of all faces between inside and outside in mm, one by one."""
    found = []
    for at in np.argwhere(mask):
        for axis in range(3):
            for step in (-1, 1):
                other = at.copy()
                other[axis] += step
                outside = (other < 0).any() or (other >= mask.shape).any() or not mask[tuple(other)]
                if outside:
                    found.append((at + other) / 2 * SPACING)
    return np.array(found)


def distances(points_kji, mask):
    """To the nearest face of a mask, by trying all of them."""
    return np.sqrt(((points_kji[:, None] * SPACING - faces(mask)[None]) ** 2).sum(axis=2)).min(axis=1)


@pytest.mark.parametrize("margin", [0.4, 1.25, 3.0])
def test_a_margin_holds_the_voxels_whose_centre_is_no_further_from_the_surface(margin):
    mask = np.zeros((6, 9, 8), bool)
    mask[2:4, 3:6, 2:5] = True
    mask[4, 4, 6] = True
    found, reach = grown(mask, margin, tuple(SPACING))
    padded = np.pad(mask, [(n, n) for n in reach])
    apart = distances(np.argwhere(~padded), padded)
    wanted = padded.copy()
    wanted[tuple(np.argwhere(~padded)[apart <= margin + 1e-9].T)] = True
    assert np.array_equal(found, wanted)
    assert found.sum() > mask.sum() or margin < SPACING.min() / 2
    assert not found[0].any()  # nothing is cut off by the array


def test_a_ball_grows_into_a_larger_ball():
    k, j, i = np.indices((41, 41, 41)) - 20
    mask = k**2 + j**2 + i**2 <= 6**2
    found, reach = grown(mask, 4.0, (1.0, 1.0, 1.0))
    radius = (3 * found.sum() / (4 * np.pi)) ** (1 / 3)
    assert radius == pytest.approx((3 * mask.sum() / (4 * np.pi)) ** (1 / 3) + 4, abs=0.15)
    assert found.shape == tuple(41 + 2 * n for n in reach) == (51, 51, 51)


def test_distances_to_an_organ_are_those_of_every_face_and_negative_inside():
    organ = np.zeros((4, 5, 3), bool)
    organ[1:3, 1:5] = True
    at, box, shape = (3, 10, 8), (1, 8, 7), (7, 9, 6)
    found = distance_to(organ, at, tuple(SPACING), box, shape)
    whole = np.zeros(GEOMETRY.shape, bool)
    whole[3:7, 10:15, 8:11] = organ
    asked = np.argwhere(np.ones(shape, bool)) + box
    wanted = distances(asked, whole) * np.where(whole[tuple(asked.T)], -1, 1)
    assert found.ravel() == pytest.approx(wanted, abs=1e-5)


def test_of_the_parts_the_large_enough_and_of_these_the_largest_stay():
    mask = np.zeros((3, 12, 12), bool)
    mask[0, 0:2, 0:2] = True  # 4 voxels, and one by a corner
    mask[1, 2, 2] = True
    mask[0, 6:8, 6] = True  # 2
    mask[2, 10, 10] = True  # 1
    sizes = lambda **more: int(kept_parts(mask, 2.0, by("contours", **more)).sum())  # noqa: E731
    assert sizes() == 8
    assert sizes(least_mm3=4.0) == 7
    assert sizes(least_mm3=4.1) == 5
    assert sizes(parts=1) == 5
    assert sizes(parts=2) == 7
    assert sizes(least_mm3=11) == 0


def a_lesion():
    mask = np.zeros(GEOMETRY.shape, bool)
    mask[3:10, 8:26, 6:26] = True
    return Lesion.from_mask("one", mask)


def test_a_boost_keeps_to_the_gtv_unless_its_margin_may_leave_it():
    lesion = a_lesion()
    active = np.zeros(lesion.mask.shape, bool)
    active[0:2, 0:5, 0:5] = True  # in the GTV's corner
    kept = boost_by_contours(active, lesion, GEOMETRY, (), by("contours", margin_mm=3.0))
    free = boost_by_contours(active, lesion, GEOMETRY, (), by("contours", margin_mm=3.0, beyond_gtv=True))
    gtv, whole = lesion.full_mask(GEOMETRY.shape), free.full_mask(GEOMETRY.shape)
    assert not (kept.full_mask(GEOMETRY.shape) & ~gtv).any()
    assert np.array_equal(kept.full_mask(GEOMETRY.shape), whole & gtv)
    assert (whole & ~gtv).any()


def test_a_margin_at_the_images_border_stays_on_the_image():
    mask = np.zeros(GEOMETRY.shape, bool)
    mask[0:4, 0:6, 0:6] = True
    lesion = Lesion.from_mask("corner", mask)
    found = boost_by_contours(lesion.mask, lesion, GEOMETRY, (), by("contours", margin_mm=4.0, beyond_gtv=True))
    assert found.offset == (0, 0, 0)
    assert found.full_mask(GEOMETRY.shape).sum() == found.voxels > lesion.voxels


def test_no_boost_lies_near_an_organ():
    lesion, organ_mask = a_lesion(), np.zeros(GEOMETRY.shape, bool)
    organ_mask[4:8, 10:14, 28:31] = True
    organ = Lesion.from_mask("nerve", organ_mask)
    near = near_organs([organ], GEOMETRY, lesion.offset, lesion.mask.shape, 5.0)
    apart = distances(np.argwhere(lesion.mask) + lesion.offset, organ_mask)
    assert np.array_equal(near[lesion.mask], apart <= 5.0)
    assert near.any()
    boost = boost_by_contours(lesion.mask, lesion, GEOMETRY, [organ], by("contours", organ_mm=5.0))
    assert np.array_equal(boost.full_mask(GEOMETRY.shape)[lesion.box], lesion.mask & ~near)
    within = near_organs([organ], GEOMETRY, (0, 0, 0), organ_mask.shape, 0.0)
    assert np.array_equal(within, organ_mask), "no boost lies in an organ, even where no distance is asked for"


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"low": None}, "needs two dose levels in Gy, and there are no usual ones"),
        ({"low": 20.0}, "must be below the higher one"),
        ({"high": 2000.0}, "give Gy, above 0 and up to 200"),
        ({"low": 0.0}, "give Gy"),
        ({"low": float("nan")}, "give Gy"),
        ({"rule": "cubic"}, "linear, sigmoid, contours"),
        ({"midpoint": 1.0}, "midpoint"),
        ({"steepness": 0.0}, "steepness"),
        ({"parts": -1}, "parts"),
        ({"margin_mm": 20.5}, "margin"),
        ({"beyond_gtv": True}, "without a margin"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(how, told):
    with pytest.raises(InputError, match=told):
        by(**how)


def test_rule_and_parameters_are_in_the_name_and_the_words():
    settings = by("contours", margin_mm=2.0, least_mm3=30.0, parts=2, organ_mm=4.0)
    assert settings.stem == "painting_contours_12-20Gy_research-only"
    assert LABEL == "research use only, not a plan"
    for word in (
        "20 Gy to the activated part",
        "2 largest",
        "30 mm3",
        "margin 2 mm within the GTV",
        "within 4 mm of an organ",
    ):
        assert word in settings.in_words
    assert PaintingSettings.from_card(settings.to_card()) == settings


def test_what_an_organ_cuts_in_two_keeps_only_the_larger_part_where_one_is_asked_for():
    lesion, wall = a_lesion(), np.zeros(GEOMETRY.shape, bool)
    wall[2:11, 6:28, 12] = True
    organ = Lesion.from_mask("wall", wall)
    both = boost_by_contours(lesion.mask, lesion, GEOMETRY, [organ], by("contours", organ_mm=1.0))
    one = boost_by_contours(lesion.mask, lesion, GEOMETRY, [organ], by("contours", organ_mm=1.0, parts=1))
    assert not one.mask[:, :, :6].any()
    assert np.array_equal(one.mask[:, :, 7:], both.mask[:, :, 7:])
    assert both.mask[:, :, :5].all()
