"""Comparing from a script: the same flow as the panel's."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from host.making import GRIDS, a_segmentation, an_mri, box, ijk_to_ras_of, state_of_scene
from making_files import PLAIN, a_volume, two_boxes, written

from PulsarCAMLib.agreement.voxel_measures import QUANTITIES
from PulsarCAMLib.core.errors import Cancelled, DependencyError, InputError, OutputError

MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}


@pytest.fixture
def logic(a_desktop, a_model):
    return a_desktop.module.PulsarCAMLogic()


@pytest.fixture
def result(logic):
    mri = an_mri(ijk_to_ras=GRIDS["oblique"])
    return logic.explain(mri, a_segmentation(MASKS, mri))


def test_two_lines_compare_a_result(logic, result):
    comparison = logic.compareMaps(result)
    for node in (comparison.gradientMagnitudeNode, comparison.radialGradientNode):
        assert np.array_equal(ijk_to_ras_of(node), ijk_to_ras_of(result.volumeNode))
    rows = comparison.agreementTableNode.GetTable().GetNumberOfRows()
    assert rows == len(comparison.mapComparison.agreement) == 2 * 11 * len(QUANTITIES)
    chart = comparison.profileChartNode
    assert chart.GetNumberOfPlotSeriesNodes() == 2
    logic.updateComparison(comparison, "gradcam++", "predicted")
    assert "Grad-CAM++, predicted" in chart.GetTitle()


def test_nodes_that_are_given_are_written_and_a_stop_changes_nothing(logic, result):
    first = logic.compareMaps(result, sigma=1.0)
    before = slicer.util.arrayFromVolume(first.gradientMagnitudeNode).copy()
    again = logic.compareMaps(
        result, lesions=["left"], sigma=3.0, margin=1.0, gradientMagnitudeNode=first.gradientMagnitudeNode
    )
    assert again.gradientMagnitudeNode is first.gradientMagnitudeNode
    assert not np.array_equal(slicer.util.arrayFromVolume(first.gradientMagnitudeNode), before)
    state = state_of_scene()
    for patience in range(4):
        left = [patience]

        def cancelled(left=left):
            left[0] -= 1
            return left[0] < 0

        with pytest.raises(Cancelled):
            logic.compareMaps(result, cancelled=cancelled)
        assert state_of_scene() == state


def test_wrong_wishes_are_one_sentence_and_change_nothing(logic, result):
    state = state_of_scene()
    for wrong, error in (
        ({"lesions": ["other"]}, InputError),
        ({"margin": 0.0}, InputError),
        ({"sigma": -1.0}, InputError),
        ({"shellThickness": 0.0}, InputError),
        ({"gradientMagnitudeNode": result.volumeNode}, InputError),
    ):
        with pytest.raises(error):
            logic.compareMaps(result, **wrong)
        assert state_of_scene() == state


def test_other_maps_are_compared_where_they_lie(logic, result):
    mri = result.volumeNode
    values = (slicer.util.arrayFromVolume(mri)[:, ::-1] * 2.0).astype(np.float32)
    first = slicer.util.addVolumeFromArray(values, ijkToRAS=ijk_to_ras_of(mri), name="ADC")
    shift = np.eye(4)
    shift[:3, 3] = 3, -4, 50
    moved = slicer.util.addVolumeFromArray(values, ijkToRAS=shift @ ijk_to_ras_of(mri), name="moved")
    with pytest.raises(InputError, match="lies outside it"):
        logic.compareMaps(result, otherMaps=[moved])
    back = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    back.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.linalg.inv(shift)))
    moved.SetAndObserveTransformNodeID(back.GetID())
    made = logic.compareMaps(result, otherMaps={"ADC": first, "the same": moved}, above={"ADC": 800.0})
    rows = {name: [r for r in made.mapComparison.agreement if r["quantity"] == name] for name in ("ADC", "the same")}
    assert [r["spearman"] for r in rows["ADC"]] == pytest.approx([r["spearman"] for r in rows["the same"]], abs=1e-3)
    assert made.overlapTableNode.GetName() == f"{mri.GetName()} overlap table"
    assert made.overlapTableNode.GetTable().GetNumberOfRows() == len(made.mapComparison.overlaps) > 0
    assert {r["limit"] for r in made.mapComparison.overlaps if r["other_map"] == "ADC"} == {800.0}
    state = state_of_scene()
    for wrong in ([mri], [None], [result.heatMapNode], {"intensity": first}, [first, first]):
        with pytest.raises(InputError):
            logic.compareMaps(result, otherMaps=wrong)
        assert state_of_scene() == state
    with pytest.raises(InputError, match="no such map"):
        logic.compareMaps(result, otherMaps=[first], above={"CBV": 1.0})


def test_without_a_main_window_nothing_can_be_shown_side_by_side(logic, result, monkeypatch):
    comparison = logic.compareMaps(result)
    with monkeypatch.context() as patch:
        patch.setattr(slicer.app, "layoutManager", lambda: None)
        with pytest.raises(OutputError, match="no slice views"):
            logic.showSideBySide(result, comparison)


def test_the_four_views_are_linked_and_of_one_orientation(logic, result):
    comparison = logic.compareMaps(result)
    logic.showSideBySide(result, comparison, opacity=0.7)
    composites = [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        if node.GetLayoutName().startswith("PulsarCAMSide")
    ]
    assert [node.GetForegroundOpacity() for node in composites] == [pytest.approx(0.7)] * 4
    slices = [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLSliceNode")
        if node.GetLayoutName().startswith("PulsarCAMSide")
    ]
    assert {node.GetOrientation() for node in slices} == {"Axial"}
    assert len({node.GetViewGroup() for node in slices}) == 1
    assert {node.GetLayoutLabel() for node in slices} == {"MRI", "CAM", "Grad", "Radial"}


@pytest.fixture
def cohort(tmp_path):
    """Two lesions of Mrs Doe on one MRI."""
    written(tmp_path / "mri.nrrd", a_volume(PLAIN, 1), PLAIN)
    written(tmp_path / "label.nrrd", two_boxes(PLAIN, 2), PLAIN)
    lines = ["patient,lesion,image,segmentation,label_value", *(f"Doe,GTV {n},mri.nrrd,label.nrrd,{n}" for n in (1, 2))]
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_features_are_those_of_the_command_line(logic, cohort, tmp_path):
    from PulsarCAMLib.cli import main

    table = logic.computeFeatures(str(cohort), str(tmp_path / "a.csv"), groups=["gradients"])
    assert main(["features", str(cohort), "-o", str(tmp_path / "b.csv"), "--groups", "gradients", "--quiet"]) == 0
    for end in (".csv", ".reasons.csv", ".settings.json"):
        assert (tmp_path / f"a{end}").read_bytes() == (tmp_path / f"b{end}").read_bytes()
    assert not list(tmp_path.glob("*.lesions"))
    assert table.values.shape == (2, len(table.names))
    for wrong, error in (({"groups": ["cake"]}, InputError), ({"groups": ["dose"]}, InputError), ({}, OutputError)):
        with pytest.raises(error):
            logic.computeFeatures(str(cohort), str(tmp_path / "a.csv"), **({"overwrite": bool(wrong)} | wrong))


def test_radiomics_are_offered_for_installation_when_first_needed(logic, cohort, tmp_path, monkeypatch):
    from PulsarCAMLib.core import requirements
    from PulsarCAMLib.desktop import dependencies

    look_at, asked = requirements.look_at, []

    def without_mirp(text):
        found = look_at(text)
        return requirements.Package(text, "mirp", None, False) if found.name == "mirp" else found

    def confirm(text, *_more, **_kwargs):
        asked.append(text)
        return False

    for module in (requirements, dependencies):
        monkeypatch.setattr(module, "look_at", without_mirp)
    lines = cohort.read_text(encoding="utf-8").splitlines()
    cohort.write_text("\n".join(lines[:2]) + "\n", encoding="utf-8")  # one lesion: each takes seconds
    table = str(tmp_path / "f.csv")
    monkeypatch.setattr(slicer.app, "testingEnabled", lambda: True)
    with pytest.raises(DependencyError, match=r"ensureComparisonDependencies\(\).*pip install pulsarcam\[compare\]"):
        logic.computeFeatures(str(cohort), table)  # nobody is there to be asked
    assert not asked
    monkeypatch.setattr(slicer.app, "testingEnabled", lambda: False)
    monkeypatch.setattr(slicer.util, "mainWindow", lambda *_: object())
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", confirm)
    with pytest.raises(DependencyError, match=r"Nothing was installed.*mirp"):
        logic.computeFeatures(str(cohort), table)
    assert len(asked) == 1
    assert "mirp 2.7 or newer" in asked[0]
    assert "1.5 GB" in asked[0]
    assert "PyTorch" not in asked[0]
    logic.computeFeatures(str(cohort), table, groups=["gradients"])
    assert len(asked) == 1, "gradients need no library"
    installed = []

    def install(packages, *_more):
        installed.extend(package.requirement for package in packages)
        for module in (requirements, dependencies):
            monkeypatch.setattr(module, "look_at", look_at)

    monkeypatch.setattr(dependencies, "_install", install)
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_, **__: True)
    found = logic.computeFeatures(str(cohort), table, groups=["radiomics"], overwrite=True)
    assert installed == ["mirp>=2.7"]
    assert len(found.names) == 795
