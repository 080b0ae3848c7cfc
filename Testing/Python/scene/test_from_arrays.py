"""A result as one .mrb file, and the host that writes it without the desktop."""

from __future__ import annotations

import types

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from host.making import GRIDS, a_result, an_mri, box, ijk_to_ras_of, shown_as

from PulsarCAMLib.core.errors import OutputError, PulsarCAMError

MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}


@pytest.fixture
def a_made_result(a_scene):
    mri = an_mri(ijk_to_ras=GRIDS["oblique"])
    return slicer.util.arrayFromVolume(mri).copy(), a_result(mri, MASKS)


def test_the_scene_opens_with_mri_lesions_and_overlay(a_made_result, tmp_path):
    from PulsarCAMLib.scene.headless import HeadlessSlicer
    from PulsarCAMLib.scene.headless.save_scene import save_scene

    volume, result = a_made_result
    path = save_scene(tmp_path / "case.mrb", volume, result, name="t1c")
    assert [p.name for p in tmp_path.iterdir()] == ["case.mrb"]
    with HeadlessSlicer():
        slicer.util.loadScene(str(path), properties={})
        mri, heat = slicer.util.getNode("t1c"), slicer.util.getNode("t1c heat map non-response pixelwise")
        assert np.array_equal(slicer.util.arrayFromVolume(mri), volume)
        assert np.allclose(ijk_to_ras_of(heat), GRIDS["oblique"])
        lesions = slicer.util.getNode("Lesions")
        for name, mask in MASKS.items():
            segment = lesions.GetSegmentation().GetSegmentIdBySegmentName(name)
            assert np.array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(lesions, segment, mri) > 0, mask > 0)
        for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            assert composite.GetBackgroundVolumeID() == mri.GetID()
            assert composite.GetForegroundVolumeID() == heat.GetID()
        assert {n.GetLayoutName() for n in slicer.util.getNodesByClass("vtkMRMLSliceNode")} == {
            "Red",
            "Green",
            "Yellow",
        }


@pytest.mark.parametrize("dtype", [np.int64, np.float16, np.uint8, np.float64, bool])
def test_every_type_of_voxel_can_be_saved(a_made_result, tmp_path, dtype):
    from PulsarCAMLib.scene.headless.save_scene import save_scene

    volume, result = a_made_result
    save_scene(tmp_path / "case.mrb", (volume % 200).astype(dtype), result)
    assert (tmp_path / "case.mrb").stat().st_size > 1000


def test_a_scene_that_cannot_be_written_leaves_nothing(a_made_result, tmp_path):
    from PulsarCAMLib.scene.headless.save_scene import save_scene

    volume, result = a_made_result
    with pytest.raises(OutputError, match="cannot be written"):
        save_scene(tmp_path / "missing" / "case.mrb", volume, result)
    with pytest.raises(OutputError, match=r"saved as a \.mrb file"):
        save_scene(tmp_path / "case.zip", volume, result)
    assert list(tmp_path.iterdir()) == []


def test_the_host_gives_back_what_it_found(a_scene):
    from PulsarCAMLib.scene.headless import HeadlessSlicer

    outer = slicer.mrmlScene
    with HeadlessSlicer() as inner:
        assert slicer.mrmlScene is inner.scene is not outer
    assert slicer.mrmlScene is outer


def test_the_host_refuses_to_run_inside_slicer(a_scene, monkeypatch):
    from PulsarCAMLib.scene.headless import HeadlessSlicer

    monkeypatch.setattr(slicer, "app", types.SimpleNamespace())
    with pytest.raises(PulsarCAMError, match="running 3D Slicer"), HeadlessSlicer():
        pass


def test_slicers_own_readers_and_writers_work_on_the_host(a_scene, tmp_path):
    mri = an_mri(ijk_to_ras=GRIDS["oblique"])
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "numbers")
    slicer.util.updateTableFromArray(table, [np.array([1.0, 2.0])], ["x"])
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "shift")
    assert slicer.util.saveNode(mri, str(tmp_path / "mri.nrrd"), properties={})
    assert slicer.util.saveNode(table, str(tmp_path / "numbers.tsv"), properties={})
    assert slicer.util.saveNode(transform, str(tmp_path / "shift.h5"), properties={})
    slicer.util.exportNode(mri, str(tmp_path / "mri.nii.gz"), properties={})
    for name in ("mri.nrrd", "mri.nii.gz"):
        again = slicer.util.loadVolume(str(tmp_path / name), properties={"name": "again"})
        assert np.array_equal(slicer.util.arrayFromVolume(again), slicer.util.arrayFromVolume(mri))
        assert np.allclose(ijk_to_ras_of(again), GRIDS["oblique"], atol=1e-4)
    assert slicer.util.loadTable(str(tmp_path / "numbers.tsv")).GetTable().GetNumberOfRows() == 2
    assert slicer.util.loadTransform(str(tmp_path / "shift.h5")).IsA("vtkMRMLTransformNode")
    with pytest.raises(RuntimeError, match="does not exist"):
        slicer.util.loadVolume(str(tmp_path / "nothing.nrrd"), properties={})
    assert slicer.util.getModuleLogic("Volumes") is slicer.modules.volumes.logic()


def test_several_maps_go_into_one_scene_with_one_slice_table(a_made_result, tmp_path):
    from PulsarCAMLib.scene.headless import HeadlessSlicer
    from PulsarCAMLib.scene.headless.save_scene import save_scene

    volume, result = a_made_result
    settings = [
        shown_as(method="gradcam"),
        shown_as(method="gradcam", target="response"),
        shown_as(method="pixelwise-signed"),
    ]
    path = save_scene(tmp_path / "case.mrb", volume, result, settings)
    with HeadlessSlicer():
        slicer.util.loadScene(str(path), properties={})
        names = [n.GetName() for n in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")]
        assert [n for n in names if "heat map" in n] == [
            "MRI heat map non-response gradcam",
            "MRI heat map response gradcam",
            "MRI heat map pixelwise-signed",
        ]
        tables = [n.GetName() for n in slicer.util.getNodesByClass("vtkMRMLTableNode")]
        assert tables.count("MRI slices") == 1
        assert len(tables) == 4
