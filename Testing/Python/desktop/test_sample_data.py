"""The synthetic patient of the Sample Data module: registered as Slicer wants it, made without a network."""

from __future__ import annotations

import socket
import sys
import types
from pathlib import Path

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="the slicer-core package is not installed")

from host.making import state_of_scene  # noqa: E402
from PIL import Image  # noqa: E402

from PulsarCAMLib.desktop.sample_data import CATEGORY, NAME, SEED, make_sample, register_sample_data  # noqa: E402

RESOURCES = Path(__file__).resolve().parents[3] / "PulsarCAM" / "Resources"


class Source:
    """As Slicer's SampleDataSource: lists of one, of the same length, counted at construction."""

    def __init__(self, sampleName, uris, fileNames, nodeNames, customDownloader, thumbnailFileName):
        if isinstance(uris, str):
            uris, fileNames, nodeNames = [uris], [fileNames], [nodeNames]
        if not len(uris) == len(fileNames) == len(nodeNames):
            raise ValueError("All fields of sample data source must have the same length")
        self.sampleName, self.customDownloader = sampleName, customDownloader
        self.thumbnailFileName = thumbnailFileName


@pytest.fixture
def sources(monkeypatch):
    """The sources that Slicer's Sample Data module knows, by category."""
    known = {}
    made = types.ModuleType("SampleData")

    class SampleDataLogic:
        @staticmethod
        def registerCustomSampleDataSource(
            category="Custom",
            sampleName=None,
            uris=None,
            fileNames=None,
            nodeNames=None,
            customDownloader=None,
            thumbnailFileName=None,
        ):
            source = Source(sampleName, uris, fileNames, nodeNames, customDownloader, thumbnailFileName)
            known.setdefault(category, []).append(source)

        @staticmethod
        def sampleDataSourcesByCategory(category=None):
            return known.get(category, [])

    made.SampleDataLogic = SampleDataLogic
    monkeypatch.setitem(sys.modules, "SampleData", made)
    return known


@pytest.fixture
def no_network(monkeypatch):
    """Any connection fails the test."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_the_sample_is_registered_once_with_a_thumbnail_that_exists(sources):
    register_sample_data(RESOURCES)
    register_sample_data(RESOURCES)
    (source,) = sources[CATEGORY]
    assert source.sampleName == NAME
    with Image.open(source.thumbnailFileName) as picture:
        assert picture.size == (260, 280)


def test_the_button_makes_the_patient_in_the_scene_without_a_network(sources, a_desktop, no_network):
    pytest.importorskip("PySide6", reason="PySide6 is not installed")
    register_sample_data(RESOURCES)
    volume, lesions = sources[CATEGORY][0].customDownloader(sources[CATEGORY][0])
    assert volume.IsA("vtkMRMLScalarVolumeNode")
    assert lesions.IsA("vtkMRMLSegmentationNode")
    assert slicer.mrmlScene.GetNodeByID(volume.GetID()) is volume


def test_the_module_registers_the_sample_when_slicer_has_started(sources, a_desktop, monkeypatch):
    connected = {}
    connect = lambda signal, slot: connected.setdefault(signal, slot)  # noqa: E731
    monkeypatch.setattr(slicer.app, "connect", connect, raising=False)
    a_desktop.module.PulsarCAM(types.SimpleNamespace())
    assert sources == {}
    connected["startupCompleted()"]()
    assert [source.sampleName for source in sources[CATEGORY]] == [NAME]
    assert Path(sources[CATEGORY][0].thumbnailFileName).is_file()


def test_lesions_are_named_segments_on_the_grid_of_the_mri(a_scene):
    from PulsarCAMLib.cohort.synthetic.patients import generate_patient
    from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
    from PulsarCAMLib.scene.reading.inputs import read_inputs

    volume, lesions, truth = make_sample(truth=True)
    patient = generate_patient(CohortSettings(seed=SEED, lesions=(4, 4)), 0, images=("baseline",))
    scan = patient.scans["baseline"]
    inputs = read_inputs(volume, lesions)
    assert np.array_equal(inputs.volume, scan.image)
    assert inputs.geometry.same_grid(scan.geometry)
    assert [lesion.name for lesion in inputs.lesions] == [lesion.name for lesion in patient.lesions]
    for found, made in zip(inputs.lesions, patient.lesions, strict=True):
        assert np.array_equal(found.full_mask(scan.image.shape), scan.mask(made.label))
    planted = read_inputs(volume, truth).lesions
    assert sum(lesion.voxels for lesion in planted) == np.count_nonzero(scan.planted)
    assert {lesion.response for lesion in patient.lesions} == {0, 1}


def test_segments_carry_their_true_class(a_scene):
    import vtk

    from PulsarCAMLib.desktop.sample_data import TRUTH_TAG

    _, lesions = make_sample()
    classes = set()
    for index in range(lesions.GetSegmentation().GetNumberOfSegments()):
        value = vtk.reference("")
        assert lesions.GetSegmentation().GetNthSegment(index).GetTag(TRUTH_TAG, value)
        classes.add(str(value))
    assert classes == {"response", "non-response"}


def test_a_second_sample_stands_beside_the_first_and_is_the_same_patient(a_scene):
    first, second = make_sample()[0], make_sample(show=False)[0]
    assert first.GetName() != second.GetName()
    assert np.array_equal(slicer.util.arrayFromVolume(first), slicer.util.arrayFromVolume(second))


def test_a_failure_leaves_the_scene_as_it_was(a_scene, monkeypatch):
    before = state_of_scene()

    def fail(*_args):
        raise MemoryError

    monkeypatch.setattr(slicer.util, "updateSegmentBinaryLabelmapFromArray", fail)
    with pytest.raises(MemoryError):
        make_sample()
    assert state_of_scene() == before


def test_the_sample_can_be_explained(a_scene, a_model):
    from PulsarCAMLib.scene.run import explain_nodes

    volume, lesions = make_sample(lesions=1)
    made = explain_nodes({"t1c": volume}, lesions, model=a_model)
    assert slicer.util.arrayFromVolume(made.nodes.heat_map).max() > 0
