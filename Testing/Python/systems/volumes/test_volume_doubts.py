"""Images that can hardly be what they are given as, brains given or found, and corrections: one sentence each."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from two_visits import TWO

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.systems.volumes import brain
from PulsarCAMLib.systems.volumes.intensities import bias_corrected
from PulsarCAMLib.systems.volumes.preprocessing import VolumePreprocessing

GRID = VolumeGeometry((14, 16, 15), (2.0, 2.0, 2.0))
PLAIN = VolumePreprocessing((8, 8, 8), (2.0, 2.0, 2.0), "patient")
IN_GY = replace(PLAIN, dose_scale="fixed")
INSIDE = np.zeros(GRID.shape, bool)
INSIDE[3:11, 4:12, 4:12] = True


def mri(seed=0):
    return Image(np.random.default_rng(seed).normal(300, 20, GRID.shape), GRID)


def prepared(preprocessing=PLAIN, **images):
    named = {name.replace("_", "-"): image for name, image in images.items()}
    given = {"t1-now": mri(), "t1-before": mri(1), **named}
    (found,) = TWO.prepare(Case(given, reference="t1-now"), preprocessing, lambda *_: None)
    return found


def constant(value):
    return Image(np.full(GRID.shape, float(value)), GRID)


@pytest.mark.parametrize(
    ("images", "says"),
    [
        ({"plan": constant(6000)}, r"The dose reaches 6000, and it must be in Gy: is it in cGy"),
        ({"plan": mri()}, "or was an MRI given in its place"),
        ({"plan": constant(-3)}, "values down to -3, and a dose has none below zero"),
        ({"t1_now": Image(np.ones((1, 16, 15)), VolumeGeometry((1, 16, 15)))}, r"single slice \(15 x 16 x 1 voxels\)"),
    ],
)
def test_what_cannot_be_meant_is_refused(images, says):
    with pytest.raises(InputError, match=says):
        prepared(IN_GY, **images)


def test_a_dose_of_gy_is_taken_and_a_z_score_has_no_unit():
    assert prepared(IN_GY, plan=constant(60)).images[0, 4].max() == pytest.approx(1)
    assert not prepared(PLAIN, plan=constant(6000)).images[0, 4].any()


def test_a_ct_in_place_of_an_mri_is_doubted():
    found = prepared(t1_now=Image(mri().voxels - 1300, GRID))
    assert any("T1 now has values down to -1" in w and "as a CT has" in w for w in found.warnings)


def test_one_image_for_two_roles_is_doubted():
    found = prepared(t1_before=Image(mri().voxels.copy(), GRID))
    assert "The T1 now and the T1 before are one and the same image; was one file chosen twice?" in found.warnings
    assert not [w for w in prepared().warnings if "one and the same" in w]


def test_intensities_are_judged_inside_a_given_brain_and_zero_outside():
    mask = Image(INSIDE.astype(np.uint8), GRID)
    head = Image(np.where(INSIDE, mri(1).voxels, 5000.0), GRID)
    found = prepared(replace(PLAIN, brain="given"), t1_before=head, brain_before=mask)
    before = found.images[0, 1]
    inside = before != 0
    assert before[inside].mean() == pytest.approx(0, abs=1e-5)
    assert before[inside].std() == pytest.approx(1, abs=1e-5)
    assert inside.sum() == pytest.approx(found.masks[0, 0].sum(), rel=0.01)
    assert not [w for w in found.warnings if "brain" in w]
    assert found.space.brains.keys() == {"baseline", "followup"}, "carried over to the visit without one"
    # the reference is the other visit: the unit is the brain, not all that is not zero
    assert found.lesion.voxels == INSIDE.sum()


def test_without_a_brain_mask_the_result_says_so(monkeypatch):
    assert any(w.startswith("No brain mask is given;") for w in prepared(replace(PLAIN, brain="given")).warnings)
    monkeypatch.setattr(brain, "tool_is_there", lambda: False)
    told = [w for w in prepared(replace(PLAIN, brain="tool")).warnings if "brain" in w]
    assert len(told) == 1
    assert "deepbet, which would find it, is not installed" in told[0]
    assert not [w for w in prepared().warnings if "brain" in w]


def test_an_empty_brain_mask_is_refused():
    with pytest.raises(InputError, match="The brain before is empty where its MRI is"):
        prepared(replace(PLAIN, brain="given"), brain_before=constant(0))


@pytest.mark.parametrize(
    ("voxels", "words"),
    [
        (INSIDE * 0.5, "The brain before holds fractions between 0 and 1"),
        (mri().voxels.astype(np.int16), "The brain before holds .* different values .*it is an image, not a mask"),
        (1 - INSIDE, "The brain before holds all corners of its MRI: it is no brain mask, or inside and outside"),
    ],
)
def test_what_is_no_brain_mask_is_refused_with_the_guess(voxels, words):
    with pytest.raises(InputError, match=words):
        prepared(replace(PLAIN, brain="given"), brain_before=Image(voxels, GRID))


HEAD = VolumeGeometry((24, 24, 24), (7.0, 7.0, 7.0))
BALL = sum((np.indices(HEAD.shape) - 11.5) ** 2) < 9.5**2


def head(seed=0, grid=HEAD):
    """A ball with structure of some 25 mm, zero outside, of some 1200 cm3."""
    from scipy.ndimage import gaussian_filter

    wave = gaussian_filter(np.random.default_rng(seed).normal(size=HEAD.shape), 1.5)
    return Image(np.where(BALL, 300 + 60 * wave / wave.std(), 0), grid)


def moved_by(mm, grid=HEAD):
    return VolumeGeometry(grid.shape, grid.spacing, tuple(x + mm for x in grid.origin))


def told_of(preprocessing=PLAIN, **images):
    """What the result says, and the check of a table, which must say no less."""
    named = {name.replace("_", "-"): image for name, image in images.items()}
    case = Case({"t1-now": head(), "t1-before": head(), **named}, reference="t1-now")
    (found,) = TWO.prepare(case, preprocessing, lambda *_: None)
    judged = TWO.judged(case, preprocessing)
    assert not {w for w in found.warnings if not w.startswith("“")} - set(judged)
    return judged


def noisy(image, seed=5):
    return Image(
        image.voxels + np.random.default_rng(seed).normal(0, 5, HEAD.shape) * (image.voxels > 0), image.geometry
    )


def test_another_patients_image_is_doubted_where_nothing_is_registered():
    assert told_of(t1_before=noisy(head())) == []
    (told,) = told_of(t1_before=head(3))
    assert told.startswith("The T1 now hardly lies on the T1 before (correlation")
    assert "this model registers nothing" in told
    assert not TWO.judged(
        Case({"t1-now": head(), "t1-before": head(3)}, reference="t1-now"), replace(PLAIN, registration="halfway")
    ), "headers decide nothing where the MRIs are registered"


def test_images_beside_each_other_are_refused_or_told():
    far = {"t1-now": head(), "t1-before": noisy(Image(head().voxels, moved_by(500)))}
    with pytest.raises(InputError, match=r"does not reach the place that is looked at: it lies 587 mm beside the T1 b"):
        TWO.judged(Case(far, reference="t1-now"), PLAIN)
    (told,) = TWO.judged(Case(far, reference="t1-now"), replace(PLAIN, registration="halfway"))
    assert told.startswith("The T1 now lies 587 mm beside the T1 before by their headers")


def dose(grid=HEAD):
    return Image(60 * np.exp(-sum((np.indices(HEAD.shape) - 11.5) ** 2) / 30), grid)


def test_a_dose_beside_the_head_is_doubted_or_refused():
    assert told_of(IN_GY, t1_before=noisy(head()), plan=dose()) == []
    told = told_of(IN_GY, t1_before=noisy(head()), plan=dose(moved_by(45)))
    assert any("of the high dose of the dose lies in the head on the T1" in w for w in told)
    with pytest.raises(InputError, match="The dose does not reach the place that is looked at"):
        told_of(IN_GY, t1_before=noisy(head()), plan=dose(moved_by(-800)))
    nothing = Image(np.zeros(HEAD.shape), HEAD)
    assert "The dose is 0 Gy everywhere; was the right file chosen?" in told_of(t1_before=noisy(head()), plan=nothing)


def test_one_image_as_mri_and_as_dose_is_refused_and_a_new_header_hides_nothing():
    with pytest.raises(InputError, match="The T1 now and the dose are one and the same image, and no image is both"):
        told_of(t1_now=dose(), plan=dose(moved_by(3)))
    (told,) = [w for w in told_of(t1_before=Image(head().voxels, moved_by(3))) if "one and the same" in w]
    assert told.startswith("The T1 now and the T1 before are")


def test_a_few_lost_voxels_are_counted_and_many_are_refused():
    lost = head(0).voxels.copy()
    lost[11, 11, 11:14] = np.nan
    told = told_of(t1_before=noisy(Image(lost, HEAD)))
    assert "3 voxels of the T1 before are NaN or infinite; the lowest value stands in." in told
    lost[:16] = np.inf
    with pytest.raises(InputError, match="67% of the T1 before is NaN or infinite; mend the image first"):
        told_of(t1_before=Image(lost, HEAD))


def test_what_leaves_out_a_part_of_the_head_is_told():
    part = VolumeGeometry((24, 24, 18), HEAD.spacing, HEAD.origin, HEAD.direction)
    most = Image(head().voxels[:, :, :18] + 10.0 * (head().voxels[:, :, :18] > 0), part)
    case = Case({"t1-now": head(), "t1-before": noisy(head()), "t2-before": most}, reference="t1-now")
    (told,) = TWO.judged(case, PLAIN)
    assert told.startswith("The T2 before does not cover 9% of the head on the T1 before; beyond its edge")


BRAIN = Image(BALL.astype(np.uint8), HEAD)


@pytest.mark.parametrize("voxels", [1, 5])
def test_a_mask_of_a_speck_is_no_brain(voxels):
    mask = np.zeros(HEAD.shape, np.uint8)
    mask[11, 11, 11 : 11 + voxels] = 1
    says = "The brain before has .* cm3 and the head on its MRI .* cm3, so it is no mask of the brain"
    with pytest.raises(InputError, match=says):
        told_of(replace(PLAIN, brain="given"), t1_before=noisy(head()), brain_before=Image(mask, HEAD))


def test_brain_masks_off_their_mri_or_of_a_strange_size_are_told():
    given = replace(PLAIN, brain="given")
    assert told_of(given, t1_before=noisy(head()), brain_before=BRAIN) == []
    with pytest.raises(InputError, match=r"Only \d+% of the brain before lies on its MRI"):
        told_of(given, t1_before=noisy(head()), brain_before=Image(BRAIN.voxels, moved_by(60)))
    small = Image((BALL & (np.indices(HEAD.shape)[0] < 7)).astype(np.uint8), HEAD)
    assert any("is it the mask of the whole brain?" in w for w in told_of(given, brain_before=small))
    shifted = Image(np.roll(BRAIN.voxels, 4, axis=0), HEAD)
    assert any("of the brain before; was it made on that MRI?" in w for w in told_of(given, brain_before=shifted))


def test_a_mask_that_the_model_does_not_use_is_told():
    (told,) = [w for w in told_of(t1_before=noisy(head()), brain_before=BRAIN) if "mask of the brain" in w]
    assert told == "The model uses no mask of the brain: brain before had no influence."
    assert "brain-before" in TWO.unused_inputs(PLAIN)
    assert not TWO.unused_inputs(replace(PLAIN, brain="given"))


def with_tool(monkeypatch, mask):
    """A deepbet that finds this mask, or fails."""

    def run_bet(inputs, mask_paths, no_gpu, skip_broken):
        assert no_gpu
        assert not skip_broken
        image = sitk.ReadImage(inputs[0])
        if mask is None:
            raise RuntimeError("Not enough foreground")
        made = sitk.GetImageFromArray(mask.astype(np.uint8))
        made.CopyInformation(image)
        sitk.WriteImage(made, mask_paths[0])

    monkeypatch.setitem(sys.modules, "deepbet", SimpleNamespace(run_bet=run_bet))
    monkeypatch.setattr(brain, "tool_is_there", lambda: True)


BIG = VolumeGeometry(GRID.shape, (12.0, 12.0, 12.0))


def test_the_tools_brain_is_taken(monkeypatch):
    with_tool(monkeypatch, INSIDE)
    found = brain.brain_by_tool(Image(mri().voxels, BIG))
    np.testing.assert_array_equal(found.full_mask(GRID.shape), INSIDE)


@pytest.mark.parametrize(
    ("mask", "grid", "says"),
    [
        (INSIDE, GRID, "has 4 cm3; give a mask of the brain instead"),
        (None, BIG, "deepbet cannot find the brain on the T1 now"),
    ],
)
def test_what_the_tool_cannot_mean_is_refused(monkeypatch, mask, grid, says):
    with_tool(monkeypatch, mask)
    with pytest.raises(InputError, match=says):
        brain.brain_by_tool(Image(mri().voxels, grid), "T1 now")


def test_brains_of_two_sizes_are_doubted():
    small = INSIDE.copy()
    small[:6] = False
    brains = {
        "baseline": brain._given(Image(INSIDE, GRID), GRID, ""),
        "followup": brain._given(Image(small, GRID), GRID, ""),
    }
    leads = {"baseline": "t1-before", "followup": "t1-now"}
    case = Case({"t1-now": mri(), "t1-before": mri()})
    (told,) = brain._unlike(brains, case, leads, {"t1-now": "T1 now", "t1-before": "T1 before"})
    assert told.startswith("The brain has 3 cm3 on the T1 now and 4 cm3 on the T1 before")
    assert not brain._unlike({**brains, "followup": brains["baseline"]}, case, leads, {})


def test_n4_takes_a_slow_change_of_brightness_away():
    grid = VolumeGeometry((24, 24, 24), (4.0, 4.0, 4.0))
    rng = np.random.default_rng(2)
    k, j, i = np.indices(grid.shape) / 23
    inside = (k - 0.5) ** 2 + (j - 0.5) ** 2 + (i - 0.5) ** 2 < 0.2
    true = np.where(inside, np.where(i + j > 1, 400.0, 300.0) + rng.normal(0, 3, grid.shape), 0)
    shaded = Image(true * np.exp(0.8 * (k - 0.5)), grid)
    found = bias_corrected(shaded, inside).voxels

    def slope(voxels):
        """Of the logarithm of brightness along k, in one tissue."""
        part = inside & (i + j > 1)
        return np.polyfit(k[part], np.log(voxels[part]), 1)[0]

    assert slope(shaded.voxels) == pytest.approx(0.8, abs=0.02)
    assert abs(slope(found)) < 0.2
    assert not found[~inside].any()


def test_an_image_without_a_voxel_above_zero_has_no_bias():
    with pytest.raises(InputError, match="without a voxel above zero"):
        bias_corrected(constant(-1))
