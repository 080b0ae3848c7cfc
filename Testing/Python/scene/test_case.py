"""From nodes by role to a case, for any system; and its answer back into the scene."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from host.making import GRIDS, a_label_map, a_segmentation, an_mri, box, matrix
from PulsarCAMScenarios.stranger import Stranger, write_bundle

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.inputs import MASK, InputRole
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER
from PulsarCAMLib.systems.bundles.bundle import find_card
from PulsarCAMLib.systems.registry import register, unregister

pytestmark = pytest.mark.usefixtures("a_scene")

LEFT = box((4, 10, 12), (8, 22, 30))


@pytest.fixture
def stranger():
    yield register(Stranger())
    unregister(Stranger.name)


def read(*args, **kwargs):
    from PulsarCAMLib.scene.reading.inputs import read_case

    return read_case(*args, **kwargs)


def moved(node, matrix_to_parent):
    above = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    slicer.util.updateTransformMatrixFromArray(above, matrix_to_parent)
    node.SetAndObserveTransformNodeID(above.GetID())
    return above


def test_the_first_image_is_the_reference_and_others_keep_voxels_and_place(stranger):
    t1, flair = an_mri("t1", GRIDS["oblique"]), an_mri("flair", GRIDS["sagittal"], shape=(5, 6, 7))
    case = read(stranger, {"t1": t1, "flair": flair})
    assert case.reference == "t1"
    assert case.lesions == ()
    for name, node in (("t1", t1), ("flair", flair)):
        assert np.array_equal(case.images[name].voxels, slicer.util.arrayFromVolume(node))
        assert case.images[name].geometry.ijk_to_ras == pytest.approx(GRIDS["oblique" if node is t1 else "sagittal"])


def test_another_image_is_placed_in_the_space_of_the_first(stranger):
    t1, flair = an_mri("t1"), an_mri("flair")
    shift, turn = np.eye(4), matrix(np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]), (1, 1, 1), (5, 6, 7))
    shift[:3, 3] = 10, 20, 30
    moved(t1, shift)
    moved(flair, turn)
    case = read(stranger, {"t1": t1, "flair": flair})
    assert case.geometry.ijk_to_ras == pytest.approx(GRIDS["axial"])
    assert case.images["flair"].geometry.ijk_to_ras == pytest.approx(np.linalg.inv(shift) @ turn @ GRIDS["axial"])


def test_transforms_that_are_not_linear_are_one_sentence(stranger):
    t1, flair = an_mri("t1"), an_mri("flair")
    above = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode")
    flair.SetAndObserveTransformNodeID(above.GetID())
    with pytest.raises(InputError, match="harden them in the Transforms module"):
        read(stranger, {"t1": t1, "flair": flair})


def test_what_is_optional_and_missing_is_absent_and_what_is_needed_is_asked_for(stranger):
    assert set(read(stranger, {"t1": an_mri(), "flair": None}).images) == {"t1"}
    with pytest.raises(InputError, match="Choose the T1 MRI volume"):
        read(stranger, {"flair": an_mri()})
    with pytest.raises(InputError, match="not a scalar volume; choose the FLAIR MRI itself"):
        read(stranger, {"t1": an_mri(), "flair": a_label_map(LEFT, GRIDS["axial"])})
    with pytest.raises(InputError, match="outlines the lesions"):
        read(AUTOENCODER, {"t1c": an_mri()})


def test_dicom_uids_travel_with_a_volume_that_has_one_for_each_slice():
    mri = an_mri()
    masks = a_segmentation({"left": LEFT}, mri)
    uids = [f"1.2.3.{n}" for n in range(mri.GetImageData().GetDimensions()[2])]
    assert read(AUTOENCODER, {"t1c": mri}, masks).images["t1c"].source is None
    mri.SetAttribute("DICOM.instanceUIDs", " ".join(uids))
    source = read(AUTOENCODER, {"t1c": mri}, masks).images["t1c"].source
    assert source.instance_uids == tuple(uids)
    assert source.series_uid == ""
    mri.SetAttribute("DICOM.instanceUIDs", " ".join(uids[1:]))
    assert read(AUTOENCODER, {"t1c": mri}, masks).images["t1c"].source is None


def test_the_other_uids_come_from_slicers_dicom_database(monkeypatch):
    class Database:
        isOpen = True

        def instanceValue(self, uid, tag):
            return f"{tag} of {uid}"

    mri = an_mri(shape=(2, 40, 48))
    masks = a_segmentation({"left": box((0, 10, 12), (2, 22, 30), (2, 40, 48))}, mri)
    mri.SetAttribute("DICOM.instanceUIDs", "a b")
    monkeypatch.setattr(slicer, "dicomDatabase", Database(), raising=False)
    source = read(AUTOENCODER, {"t1c": mri}, masks).images["t1c"].source
    assert source.series_uid == "0020,000e of a"
    assert source.sop_class_uid == "0008,0016 of a"


def test_an_enhanced_mr_is_one_instance_of_many_slices(monkeypatch):
    from PulsarCAMLib.scene.reading.dicom import source_of

    class Database:
        isOpen, kind = True, "1.2.840.10008.5.1.4.1.1.4.1"

        def instanceValue(self, uid, tag):
            return self.kind

    monkeypatch.setattr(slicer, "dicomDatabase", Database(), raising=False)
    mri = an_mri(shape=(4, 40, 48))
    mri.SetAttribute("DICOM.instanceUIDs", "a")
    assert source_of(mri).instance_uids == ("a",)
    Database.kind = "1.2.840.10008.5.1.4.1.1.4"
    assert source_of(mri) is None


def test_a_system_that_needs_no_lesion_answers_in_the_scene(stranger, tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from PulsarCAMLib.scene.run import explain_nodes
    from PulsarCAMLib.scene.state import inputs_key, rows_of

    write_bundle(tmp_path / "stranger")
    images, model = {"t1": an_mri("t1", GRIDS["oblique"])}, str(tmp_path / "stranger")
    card = find_card(model)
    key = inputs_key(images, None, None, "auto", card)
    made = explain_nodes(images, None, model)
    assert slicer.util.arrayFromVolume(made.nodes.heat_map).any()
    assert made.nodes.heat_map.GetName() == "t1 heat map grade-4 gradcam"
    assert made.nodes.heat_map.GetAttribute("PulsarCAM.units") == "Grad-CAM weight, logit scale"
    (row,) = rows_of(made.nodes.lesion_table)
    assert sum(row[f"probability_grade_{n}"] for n in (2, 3, 4)) == pytest.approx(1)
    assert inputs_key(images, None, None, "auto", card) == key is not None
    assert inputs_key({"t1": images["t1"], "flair": an_mri("f")}, None, None, "auto", card) != key
    assert inputs_key({}, None, None, "auto", card) is None


class TwoVisits(Stranger):
    """Can be told of the lesions of two visits."""

    name = "two visits"
    inputs = (
        InputRole("t1", "T1 MRI"),
        InputRole("t1-before", "T1 before", time_point="before", needed=False),
        InputRole("targets", "Targets", MASK, needed=False),
        InputRole("targets-before", "Targets before", MASK, time_point="before", needed=False),
    )


def test_lesions_of_another_visit_lie_on_that_visits_own_voxels():
    """Each mask goes with the image of its visit, whatever lies above either."""
    small = box((4, 10, 12), (6, 14, 20))
    t1, before = an_mri("t1", GRIDS["axial"]), an_mri("before", GRIDS["oblique"])
    moved(before, matrix(np.eye(3), (1, 1, 1), (5, 6, 7)))
    now, then = a_segmentation({"left": LEFT}, t1), a_label_map(small, GRIDS["oblique"])
    then.SetAndObserveTransformNodeID(before.GetTransformNodeID())
    case = read(TwoVisits(), {"t1": t1, "t1-before": before, "targets-before": then}, now)
    assert [each.voxels for each in case.lesions] == [LEFT.sum()]
    (lesion,) = case.outlined["targets-before"]
    assert np.array_equal(lesion.full_mask(case.images["t1-before"].voxels.shape), small)
    alone = read(TwoVisits(), {"t1": t1, "t1-before": before, "targets-before": then})
    assert (alone.lesions, len(alone.outlined["targets-before"])) == ((), 1)
    with pytest.raises(InputError, match="Choose the T1 before volume"):
        read(TwoVisits(), {"t1": t1, "targets-before": then})


def test_a_mask_of_another_visit_that_changes_makes_a_result_stale():
    from PulsarCAMLib.scene.state import inputs_key

    class Card:
        system, identity = TwoVisits(), ("model",)

    t1, before = an_mri("t1"), an_mri("before")
    then = a_label_map(LEFT, GRIDS["axial"])
    images = {"t1": t1, "t1-before": before, "targets-before": then}
    kept = inputs_key(images, None, None, "auto", Card)
    assert inputs_key(images, None, None, "auto", Card) == kept
    slicer.util.arrayFromVolume(then)[4, 10, 12] = 0
    slicer.util.arrayFromVolumeModified(then)
    assert inputs_key(images, None, None, "auto", Card) != kept
    assert inputs_key({"t1": t1, "t1-before": before}, None, None, "auto", Card) != kept
