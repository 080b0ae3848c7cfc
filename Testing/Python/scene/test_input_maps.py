"""Maps of every image alone as nodes: on its own voxels, found again, and nothing is left of what failed."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from making_cases import METHODS, TwoMaps, a_bundle, a_case

from PulsarCAMLib.core.display import DisplaySettings
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.explanation import explain_case
from PulsarCAMLib.scene.writing.input_maps import maps_of_inputs
from PulsarCAMLib.scene.writing.output_nodes import OutputNodes
from PulsarCAMLib.scene.writing.outputs import write_result
from PulsarCAMLib.systems.registry import register, unregister


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    register(TwoMaps())
    yield explain_case(a_case(), a_bundle(tmp_path_factory.mktemp("model") / "model"), methods=METHODS)
    unregister("two-maps")


@pytest.fixture
def nodes(a_scene):
    """Role to volume node."""
    return {
        role: slicer.util.addVolumeFromArray(image.voxels, ijkToRAS=image.geometry.ijk_to_ras, name=role)
        for role, image in a_case().images.items()
    }


def shown(**more):
    return DisplaySettings(**{"method": "saliency", "target": "large"} | more)


def test_every_image_has_its_map_on_its_own_voxels(result, nodes):
    made = maps_of_inputs(result, nodes["flair"], None, {"rtdose": nodes["rtdose"]}, shown())
    assert list(made) == ["flair", "rtdose"]
    for role, node in made.items():
        np.testing.assert_array_equal(
            slicer.util.arrayFromVolume(node), result.heat_map("saliency", "large", input=role)
        )
        assert node.GetNodeReference("PulsarCAM.inputVolume") is nodes[role]
        assert node.GetAttribute("PulsarCAM.input") == role
        assert "the patient spans" in node.GetAttribute("PulsarCAM.cells")
        matrices = [slicer.util.vtkMatrixFromArray(np.eye(4)) for _ in range(2)]
        node.GetIJKToRASMatrix(matrices[0])
        nodes[role].GetIJKToRASMatrix(matrices[1])
        np.testing.assert_allclose(*map(slicer.util.arrayFromVTKMatrix, matrices))


def test_they_are_written_anew_and_not_made_twice(result, nodes):
    others = {"rtdose": nodes["rtdose"]}
    made = maps_of_inputs(result, nodes["flair"], None, others, shown())
    again = maps_of_inputs(result, nodes["flair"], None, others, shown(target="small"))
    assert list(again.values()) == list(made.values())
    assert again["rtdose"].GetAttribute("PulsarCAM.target") == "small"
    spread = maps_of_inputs(result, nodes["flair"], None, others, shown(statistic="std"))
    assert not set(spread.values()) & set(made.values())
    values = slicer.util.arrayFromVolume(spread["rtdose"])
    np.testing.assert_array_equal(values, result.heat_map("saliency", "large", "std", input="rtdose"))


def test_a_method_with_one_map_of_all_has_none(result, nodes):
    assert maps_of_inputs(result, nodes["flair"], None, {"rtdose": nodes["rtdose"]}, shown(method="gradcam")) == {}


def test_an_image_that_is_gone_has_no_map_and_cannot_be_asked_for(result, nodes):
    assert list(maps_of_inputs(result, nodes["flair"], None, {}, shown())) == ["flair"]
    count = slicer.mrmlScene.GetNumberOfNodes()
    with pytest.raises(InputError, match="The image of the rtdose is not there to lay its map over"):
        write_result(result, nodes["flair"], None, shown(input="rtdose"))
    into_the_dose, others = OutputNodes(heat_map=nodes["rtdose"]), {"rtdose": nodes["rtdose"]}
    with pytest.raises(InputError, match="is an input and would be overwritten"):
        write_result(result, nodes["flair"], None, shown(), into_the_dose, images=others)
    assert slicer.mrmlScene.GetNumberOfNodes() == count
