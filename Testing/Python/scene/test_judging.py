"""Whether MRI and contours belong together, before anything is computed."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from host.making import GRIDS, MASKS, SHAPE, a_label_map, a_segmentation, an_mri, segment_id

from PulsarCAMLib.scene.reading.inputs import read_inputs
from PulsarCAMLib.scene.reading.judging import Judge
from PulsarCAMLib.systems.registry import system_of

pytestmark = pytest.mark.usefixtures("a_scene")


def judged(mri, mask, chosen=None, parts="auto", judge=None):
    system = system_of()
    return (judge or Judge()).judge(system, {system.image_inputs[0].name: mri}, mask, chosen, parts)


def moved(grid: str, millimetres: float) -> np.ndarray:
    matrix = GRIDS[grid].copy()
    matrix[0, 3] += millimetres
    return matrix


@pytest.mark.parametrize("grid", GRIDS)
def test_what_was_drawn_on_the_mri_fits(grid):
    mri = an_mri(ijk_to_ras=GRIDS[grid])
    assert judged(mri, a_segmentation(MASKS, mri)).text == ""
    assert judged(mri, a_label_map(MASKS["left"], GRIDS[grid])).text == ""


def test_warnings_are_those_of_the_run_itself():
    mri, masks = an_mri(), {name: mask[:12] for name, mask in MASKS.items()}
    mask = a_segmentation(masks, an_mri("other", moved("axial", -16.0), shape=(12, *SHAPE[1:])))
    found = [text for text in read_inputs(mri, mask).warnings if "lies outside" in text]
    assert found
    assert list(judged(mri, mask).warnings) == found
    labels = a_label_map(masks["left"] + 2 * masks["right"], moved("axial", -16.0))
    assert found[0] in [text.replace("Lesion 1", "left") for text in judged(mri, labels).warnings]


def test_the_size_of_the_mri_elsewhere_is_a_question_with_the_distance():
    mri = an_mri()
    found = judged(mri, a_segmentation(MASKS, an_mri("other", moved("axial", 2.0))))
    assert not found.refused
    (question,) = found.questions
    assert question.startswith("The segmentation has the size of the MRI, but its header puts it 2.0 mm away")
    mirrored = a_segmentation({"left": MASKS["left"]}, an_mri("mirrored", GRIDS["axial"] @ mirror()))
    assert "the other way" in judged(mri, mirrored).text


def mirror() -> np.ndarray:
    """Counts the first axis from its other end."""
    matrix = np.diag([-1.0, 1, 1, 1])
    matrix[0, 3] = SHAPE[2] - 1
    return matrix


def test_only_ticked_segments_are_judged_and_placed_once(monkeypatch):
    from PulsarCAMLib.scene.reading import judging

    placed = []
    original = judging.place_segment
    monkeypatch.setattr(judging, "place_segment", lambda *arguments: (placed.append(1), original(*arguments))[1])
    mri, judge = an_mri(), Judge()
    masks = {name: mask[:12] for name, mask in MASKS.items()}
    mask = a_segmentation(masks, an_mri("other", moved("axial", -16.0), shape=(12, *SHAPE[1:])))
    both = judged(mri, mask, judge=judge)
    right = judged(mri, mask, [segment_id(mask, "right")], judge=judge)
    assert len(placed) == 2
    assert "“left”" in both.text
    assert "“left”" not in right.text


def test_a_label_map_is_placed_once_whatever_is_ticked(monkeypatch):
    from PulsarCAMLib.scene.reading import judging

    placed = []
    original = judging.place_label_map
    monkeypatch.setattr(judging, "place_label_map", lambda *arguments: (placed.append(1), original(*arguments))[1])
    values = MASKS["left"] + 2 * MASKS["right"]
    mri, judge, labels = an_mri(), Judge(), a_label_map(values, moved("axial", -16.0))
    told = [judged(mri, labels, chosen, judge=judge).text for chosen in (None, ["1"], ["2"], ["1"])]
    assert len(placed) == 1
    assert told[1] == told[3] != told[2]
    other = a_label_map(values, GRIDS["axial"], "other")
    assert judged(mri, other, judge=judge).text == ""
    assert len(placed) == 2


def test_two_patients_of_the_data_module_are_a_question():
    mri = an_mri()
    mask = a_segmentation(MASKS, mri)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    patients = [hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), name) for name in ("one", "other")]
    hierarchy.CreateItem(patients[0], mri)
    hierarchy.CreateItem(patients[0], mask)
    judge = Judge()
    assert judged(mri, mask, judge=judge).text == ""
    hierarchy.CreateItem(patients[1], mask)
    (question,) = judged(mri, mask, judge=judge).questions
    assert "stand under different patients" in question


def test_what_is_no_image_is_refused_before_a_run():
    mri = an_mri()
    mask = a_segmentation(MASKS, mri)
    mri.SetAndObserveImageData(None)
    assert judged(mri, mask).refused == "The volume “t1c” holds no image; load it again."


def test_a_label_map_that_is_an_image_is_refused_before_a_run():
    values = np.random.default_rng(0).integers(1, 900, SHAPE).astype(np.int16)
    assert "it is an image, not a mask" in judged(an_mri(), a_label_map(values, GRIDS["axial"])).refused
