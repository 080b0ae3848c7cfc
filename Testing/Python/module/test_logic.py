"""PulsarCAMLogic on slicer-core, unchanged: three lines in a console, and what goes wrong."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from host.making import GRIDS, a_label_map, a_segmentation, an_mri, box, ijk_to_ras_of, state_of_scene

from PulsarCAMLib.core.errors import Cancelled, GeometryError, InputError, PulsarCAMError

MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}


@pytest.fixture
def logic(a_desktop, a_model):
    return a_desktop.module.PulsarCAMLogic()


def a_case(grid="oblique"):
    mri = an_mri(ijk_to_ras=GRIDS[grid])
    return mri, a_segmentation(MASKS, mri)


def test_three_lines_in_the_console_explain_a_scan(a_desktop, a_model):
    volumeNode, segmentationNode = a_case()
    import PulsarCAM

    logic = PulsarCAM.PulsarCAMLogic()
    result = logic.explain(volumeNode, segmentationNode)
    heat = slicer.util.arrayFromVolume(result.heatMapNode)
    assert np.array_equal(ijk_to_ras_of(result.heatMapNode), ijk_to_ras_of(volumeNode))
    assert heat.max() > 0
    assert not heat[(MASKS["left"] + MASKS["right"]) == 0].any()
    assert result.lesionTableNode.GetTable().GetNumberOfRows() == 2
    assert result.heatMapNode.GetAttribute("PulsarCAM.modelName") == "synthetic-demo"


def test_every_method_class_and_kind_of_mask_works(logic):
    mri, segmentation = a_case("axial")
    labels = a_label_map(MASKS["left"] + 2 * MASKS["right"], GRIDS["axial"])
    for method in ("pixelwise", "gradcam", "gradcam++", "pixelwise-signed", "gradcam++-sigmoid"):
        for target in ("non-response", "response", "predicted"):
            result = logic.explain(mri, segmentation, method=method, target=target)
            again = logic.explain(mri, labels, method=method, target=target, heatMapNode=result.heatMapNode)
            assert again.heatMapNode is result.heatMapNode
            assert [x.name for x in again.scanResult.lesions] == ["Lesion 1", "Lesion 2"]


def test_chosen_segments_only(logic):
    mri, segmentation = a_case()
    chosen = segmentation.GetSegmentation().GetSegmentIdBySegmentName("right")
    result = logic.explain(mri, segmentation, segmentIDs=[chosen])
    assert [x.name for x in result.scanResult.lesions] == ["right"]
    assert not slicer.util.arrayFromVolume(result.heatMapNode)[MASKS["right"] == 0].any()


def test_progress_rises_to_one(logic):
    told = []
    logic.explain(*a_case(), progress=lambda fraction, text: told.append((fraction, text)))
    fractions = [f for f, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert all(text for _, text in told)


def test_a_cancel_at_any_time_leaves_the_scene_as_it_was(logic):
    mri, segmentation = a_case()
    before = state_of_scene()
    for patience in range(40):
        left = [patience]

        def cancelled(left=left):
            left[0] -= 1
            return left[0] < 0

        try:
            logic.explain(mri, segmentation, cancelled=cancelled)
        except Cancelled:
            assert state_of_scene() == before
        else:
            assert patience > 5
            return
    raise AssertionError("never reached the end")


def test_errors_are_one_sentence_and_change_nothing(logic):
    mri, segmentation = a_case()
    away = a_label_map(MASKS["left"], GRIDS["axial"] + np.diag([0, 0, 0, 0]) + np.eye(4, k=3) * 900)
    before = state_of_scene()
    with pytest.raises(GeometryError, match="lies outside the MRI"):
        logic.explain(mri, away)
    with pytest.raises(PulsarCAMError, match="no model “nothing”"):
        logic.explain(mri, segmentation, model="nothing")
    with pytest.raises(PulsarCAMError, match="Choose the MRI"):
        logic.explain(None, segmentation)
    with pytest.raises(PulsarCAMError, match="takes no image “flair” beside the first"):
        logic.explain(mri, segmentation, otherImages={"flair": mri})
    assert logic.inputsKey(mri, segmentation) is not None
    assert logic.inputsKey(mri, segmentation, model="nothing") is None
    assert logic.inputsKey(None, segmentation) is None
    assert logic.inputsKey(mri, None) is None
    assert state_of_scene() == before


def test_what_was_made_is_refused_as_an_image(logic):
    mri, segmentation = a_case()
    heat_map = logic.explain(mri, segmentation).heatMapNode
    before = state_of_scene()
    said = f"“{heat_map.GetName()}” is a result that PulsarCAM wrote, not an image; choose “t1c”"
    with pytest.raises(InputError, match=said):
        logic.explain(heat_map, segmentation)
    assert state_of_scene() == before
    slicer.mrmlScene.RemoveNode(mri)
    with pytest.raises(InputError, match="not an image; choose the MRI"):
        logic.explain(heat_map, segmentation)


def test_missing_torch_is_told_with_what_to_do(logic, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(PulsarCAMError, match="install the PyTorch extension from the Extensions Manager"):
        logic.explain(*a_case())


def test_loading_the_module_imports_no_torch_and_needs_no_qt_to_compute():
    code = (
        "import sys; from host.desktop import Desktop\n"
        "with Desktop(with_qt=False) as desktop:\n"
        "    desktop.module.PulsarCAMLogic()\n"
        "    found = {'torch', 'PySide6', 'pandas', 'matplotlib'} & set(sys.modules)\n"
        "    sys.exit(f'imported: {found}' if found else 0)\n"
    )
    paths = [p for p in sys.path if p]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_modules_own_test_runs_every_scenario_between_set_up_and_tear_down(a_desktop, a_model, monkeypatch):
    """Each is only noted here: on one panel, as in Slicer, they run in ``test_scenarios``."""
    kind = a_desktop.module.PulsarCAMTest
    names = [name for name in dir(kind) if name.startswith("test_")]
    assert len(names) > 40
    run = []
    begin, end = kind.setUp, kind.tearDown
    real = names[:3]  # the others only note it, each real one empties the scene
    monkeypatch.setattr(kind, "setUp", lambda self: (run.append("set up"), len(run) > 3 * len(real) or begin(self)))
    monkeypatch.setattr(kind, "tearDown", lambda self: (run.append("tear down"), len(run) > 3 * len(real) or end(self)))
    for name in names:
        monkeypatch.setattr(kind, name, lambda self, name=name: run.append(name))
    failing = names[1]

    def fail(_self):
        run.append(failing)
        raise AssertionError(failing)

    kind().runTest()
    assert run == [what for name in names for what in ("set up", name, "tear down")]
    run.clear()
    monkeypatch.setattr(kind, failing, fail)
    with pytest.raises(AssertionError, match=failing):
        kind().runTest()
    assert run[-2:] == [failing, "tear down"]


def test_a_real_scan_with_two_lesions_in_one_label(logic, shared_data):
    folder = shared_data / "t1c_brain1"
    mri = slicer.util.loadVolume(str(folder / "brain1_image.nrrd"), properties={})
    labels = slicer.util.loadLabelVolume(str(folder / "brain1_label.nrrd"), properties={})
    result = logic.explain(mri, labels)
    heat = slicer.util.arrayFromVolume(result.heatMapNode)
    assert result.lesionTableNode.GetTable().GetNumberOfRows() == 2
    assert heat.any()
    assert not heat[slicer.util.arrayFromVolume(labels) == 0].any()
    assert np.array_equal(ijk_to_ras_of(result.heatMapNode), ijk_to_ras_of(mri))
