# ruff: noqa: UP007 - the two spellings of a union are what is tested here
"""The stand-in keeps a panel's state as Slicer's parameterNodeWrapper does, so that what passes here passes there."""

from __future__ import annotations

from typing import Annotated, Union

import pytest

slicer = pytest.importorskip("slicer", reason="the slicer-core package is not installed")

from host.making import GRIDS, a_label_map, a_segmentation, an_mri, box  # noqa: E402
from host.parameter_node import WithinRange, parameterNodeWrapper  # noqa: E402

MASK = box((4, 10, 12), (8, 22, 30))


def wrapped(**hints):
    """An instance of a made class with these annotations, on a node of the scene."""
    cls = parameterNodeWrapper(type("State", (), {"__annotations__": hints}))
    return cls(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))


def either():
    """A union as PulsarCAM's panel has it."""
    return Union[slicer.vtkMRMLSegmentationNode, slicer.vtkMRMLLabelMapVolumeNode, None]


def test_a_union_written_with_a_bar_is_refused(a_scene):
    with pytest.raises(TypeError, match="Unable to create serializer"):
        wrapped(mask=slicer.vtkMRMLSegmentationNode | slicer.vtkMRMLLabelMapVolumeNode)


def test_a_union_without_none_cannot_hold_nothing(a_scene):
    with pytest.raises(TypeError, match="unable to write None"):
        wrapped(mask=Union[slicer.vtkMRMLSegmentationNode, slicer.vtkMRMLLabelMapVolumeNode])


def test_each_type_of_a_union_has_a_reference_role_of_its_own(a_scene):
    mri = an_mri()
    segmentation, labels = a_segmentation({"GTV": MASK}, mri), a_label_map(MASK, GRIDS["axial"])
    state = wrapped(mask=either())
    assert state.mask is None
    for node, role, other in ((segmentation, "mask.0", "mask.1"), (labels, "mask.1", "mask.0")):
        state.mask = node
        assert state.mask is node
        assert state.parameterNode.GetNodeReference(role) is node
        assert state.parameterNode.GetNodeReferenceID(other) is None
        assert state.parameterNode.GetNodeReferenceID("mask") is None
    state.mask = None
    assert state.mask is None
    assert state.parameterNode.GetNodeReferenceID("mask.1") is None


def test_a_node_of_another_kind_is_refused_and_the_old_one_stays(a_scene):
    mri = an_mri()
    state = wrapped(mask=either())
    state.mask = segmentation = a_segmentation({"GTV": MASK}, mri)
    with pytest.raises(TypeError):
        state.mask = mri
    assert state.mask is segmentation


def test_a_single_node_type_accepts_none_and_is_kept_under_its_own_name(a_scene):
    state = wrapped(volume=slicer.vtkMRMLScalarVolumeNode)
    state.volume = mri = an_mri()
    assert state.parameterNode.GetNodeReference("volume") is mri
    state.volume = None
    assert state.volume is None
    assert state.parameterNode.GetNodeReferenceID("volume") is None


def test_all_defaults_are_in_the_node_from_the_start(a_scene):
    state = wrapped(mask=either(), share=Annotated[float, WithinRange(0, 1)], on=bool, name=str)
    assert set(state.parameterNode.GetParameterNames()) == {"mask.2", "share", "on", "name"}
    with pytest.raises(ValueError, match="within"):
        state.share = 2.0
    with pytest.raises(TypeError):
        state.on = "yes"
    with pytest.raises(ValueError, match="not be None"):
        state.name = None


def test_the_panel_can_hold_a_segmentation_a_label_map_or_nothing(a_desktop):
    state = a_desktop.module.PulsarCAMLogic().getParameterNode()
    mri = an_mri()
    assert state.inputSegmentation is None
    for node in (a_label_map(MASK, GRIDS["axial"]), a_segmentation({"GTV": MASK}, mri), None):
        state.inputSegmentation = node
        assert state.inputSegmentation is node
