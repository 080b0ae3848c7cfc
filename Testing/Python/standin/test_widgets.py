"""The other stand-in widgets, the application and the dialogs of ``slicer.util``."""

from __future__ import annotations

import pytest

slicer = pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from host.making import a_segmentation, an_mri, box  # noqa: E402

MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}


@pytest.fixture
def ctk(a_desktop):
    import ctk

    return ctk


def test_a_slider_clamps_and_has_one_value_signal(ctk):
    slider, seen = ctk.ctkSliderWidget(), []
    slider.minimum, slider.maximum, slider.singleStep, slider.decimals = 0, 1, 0.05, 2
    slider.connect("valueChanged(double)", seen.append)
    slider.value = 7
    assert slider.value == 1
    assert seen == [1.0]
    assert slider.connect("valueChanged(int)", print) is False


def test_a_slider_without_tracking_waits_until_the_mouse_is_let_go(ctk):
    from host.wrapping import unwrap

    slider, seen = ctk.ctkSliderWidget(), []
    slider.maximum, slider.tracking = 100, False
    slider.connect("valueChanged(double)", seen.append)
    handle = unwrap(slider)._slider
    handle.setSliderDown(True)
    handle.setSliderPosition(500)
    assert seen == []
    handle.setSliderDown(False)
    assert seen == [50.0]


def test_a_collapsed_section_hides_its_contents(ctk):
    import qt

    section = ctk.ctkCollapsibleButton()
    section.text = "Advanced"
    inner = qt.QLabel("x", section)
    section.collapsed = True
    assert inner.isHidden()
    section.collapsed = False
    assert not inner.isHidden()


def test_a_section_is_as_wide_as_its_contents_would_like_to_be(ctk):
    import qt

    panel, section, label = qt.QWidget(), ctk.ctkCollapsibleButton(), qt.QLabel()
    panel.setLayout(qt.QVBoxLayout())
    panel.layout().addWidget(section)
    section.setLayout(qt.QVBoxLayout())
    section.layout().addWidget(label)
    section.text, label.wordWrap = "Train", True
    panel.show()  # layouts of what is not shown rest

    def width():
        for _ in range(3):
            slicer.app.processEvents()
        return panel.minimumSizeHint.width()

    policy = section.sizePolicy
    assert policy.horizontalPolicy() == qt.QSizePolicy.Minimum
    assert policy.verticalPolicy() == qt.QSizePolicy.Preferred
    narrow = width()
    label.text = "A model was trained on forty patients, and this sentence tells of it. " * 4
    assert label.sizeHint.width() > 200
    assert width() > label.sizeHint.width()
    label.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)
    assert width() == narrow
    label.setSizePolicy(qt.QSizePolicy.Preferred, qt.QSizePolicy.Preferred)
    section.collapsed = True
    assert width() == narrow


def test_a_segments_table_follows_the_segmentation(a_desktop):
    node = a_segmentation(MASKS, an_mri())
    view = slicer.qMRMLSegmentsTableView()
    assert view.segmentationNode() is None
    view.setSegmentationNode(node)
    assert view.segmentCount == 2
    first = node.GetSegmentation().GetNthSegmentID(0)
    view.setSelectedSegmentIDs([first])
    assert view.selectedSegmentIDs() == (first,)
    node.GetSegmentation().RemoveSegment(first)
    assert view.segmentCount == 1
    assert view.selectedSegmentIDs() == ()


def test_a_segment_selector_has_methods_where_others_have_properties(a_desktop):
    selector = slicer.qMRMLSegmentSelectorWidget()
    selector.setMRMLScene(slicer.mrmlScene)
    assert selector.currentSegmentID() == ""
    node = a_segmentation(MASKS, an_mri())
    selector.setCurrentNode(node)
    assert selector.currentNode() is node
    assert selector.currentNodeID() == node.GetID()
    second = node.GetSegmentation().GetNthSegmentID(1)
    selector.setCurrentSegmentID(second)
    assert selector.currentSegmentID() == second


def test_a_table_view_shows_the_table_and_its_changes(a_desktop):
    import numpy as np

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode")
    slicer.util.updateTableFromArray(node, np.arange(6).reshape(3, 2), ["a", "b"])
    view = slicer.qMRMLTableView()
    view.setMRMLTableNode(node)
    assert view.mrmlTableNode() is node
    assert view.model().rowCount() == 3
    slicer.util.updateTableFromArray(node, np.arange(4).reshape(2, 2), ["a", "b"])
    assert view.model().rowCount() == 2
    view.setMRMLTableNode(None)
    assert view.mrmlTableNode() is None


def test_a_missing_ui_file_is_a_runtime_error(a_desktop, tmp_path):
    with pytest.raises(RuntimeError, match="file not found"):
        slicer.util.loadUI(str(tmp_path / "nothing.ui"))


def test_inner_widgets_are_variables_and_a_wrong_name_is_an_attribute_error(a_desktop):
    panel = a_desktop.open_panel()
    assert panel.ui.applyButton.className() == "QPushButton"
    with pytest.raises(AttributeError):
        print(panel.ui.aplyButton)


def test_the_layout_has_three_slice_views_that_jump(a_desktop):
    manager = slicer.app.layoutManager()
    assert set(manager.sliceViewNames()) == {"Red", "Green", "Yellow"}
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, 1.0, 2.0, 3.0)
    for name, axis, place in (("Red", 2, 3.0), ("Green", 1, 2.0), ("Yellow", 0, 1.0)):
        matrix = manager.sliceWidget(name).mrmlSliceNode().GetSliceToRAS()
        assert matrix.GetElement(axis, 3) == pytest.approx(place)
    mri = an_mri()
    slicer.util.setSliceViewerLayers(background=mri, fit=True)
    assert manager.sliceWidget("Red").sliceLogic().GetSliceCompositeNode().GetBackgroundVolumeID() == mri.GetID()


def test_a_layout_of_ones_own_makes_its_views(a_desktop):
    manager = slicer.app.layoutManager()
    before = manager.layout
    view = '<item><view class="vtkMRMLSliceNode" singletontag="Mine"></view></item>'
    manager.layoutLogic().GetLayoutNode().AddLayoutDescription(4711, f'<layout type="horizontal">{view}</layout>')
    manager.setLayout(4711)
    assert manager.layout == 4711
    assert manager.sliceWidget("Mine").mrmlSliceCompositeNode().GetLayoutName() == "Mine"
    manager.setLayout(before)


def test_new_views_fit_themselves_when_events_are_processed_and_not_again(a_desktop):
    manager, mri, place = slicer.app.layoutManager(), an_mri(), (1.0, 40.0, 5.0)
    before, bounds = manager.layout, [0.0] * 6
    mri.GetRASBounds(bounds)
    view = '<item><view class="vtkMRMLSliceNode" singletontag="New"></view></item>'
    manager.layoutLogic().GetLayoutNode().AddLayoutDescription(4711, f'<layout type="horizontal">{view}</layout>')
    manager.setLayout(4711)
    widget, red = manager.sliceWidget("New"), manager.sliceWidget("Red")
    node = widget.mrmlSliceNode()
    for shown in (widget, red):
        shown.mrmlSliceCompositeNode().SetBackgroundVolumeID(mri.GetID())
        shown.mrmlSliceNode().JumpSliceByCentering(*place)
    slicer.app.processEvents()
    assert abs(node.GetSliceOffset() - (bounds[4] + bounds[5]) / 2) <= mri.GetSpacing()[2] / 2
    assert node.GetFieldOfView()[0] == pytest.approx(max(bounds[1] - bounds[0], bounds[3] - bounds[2]))
    assert red.mrmlSliceNode().GetSliceOffset() == 5.0
    node.JumpSliceByCentering(*place)
    for layout in (before, 4711):
        manager.setLayout(layout)
        slicer.app.processEvents()
    assert node.GetSliceOffset() == 5.0


@pytest.mark.parametrize("close", [False, True], ids=["removed", "closed"])
def test_the_display_node_goes_within_the_removal_of_its_node(a_desktop, close):
    import vtk

    scene, seen = slicer.mrmlScene, []

    def note(word):
        @vtk.calldata_type(vtk.VTK_OBJECT)
        def heard(_scene, _event, node):
            seen.append((word, node.GetID()))

        return heard

    mri = an_mri()
    other, shared = an_mri("other"), an_mri("shared")
    shared.SetAndObserveDisplayNodeID(other.GetDisplayNodeID())
    volume, display, kept = mri.GetID(), mri.GetDisplayNodeID(), other.GetDisplayNodeID()
    for event, word in ((scene.NodeAboutToBeRemovedEvent, "goes"), (scene.NodeRemovedEvent, "gone")):
        scene.AddObserver(event, note(word))
    if close:
        scene.Clear(False)
        at = seen.index(("goes", volume))
        assert seen[at + 1] == ("gone", volume)
        return
    scene.RemoveNode(mri)
    assert seen == [("goes", volume), ("goes", display), ("gone", display), ("gone", volume)]
    scene.RemoveNode(shared)
    assert scene.GetNodeByID(kept) is other.GetDisplayNode() is not None


def test_slice_views_stay_when_the_scene_is_closed(a_desktop):
    slicer.mrmlScene.Clear(False)
    assert slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().GetScene() is slicer.mrmlScene


def test_settings_last_within_a_desktop_and_not_beyond(a_desktop):
    import qt

    assert slicer.util.settingsValue("PulsarCAM/Folder", "none") == "none"
    qt.QSettings().setValue("PulsarCAM/Folder", "here")
    assert slicer.util.settingsValue("PulsarCAM/Folder", "none") == "here"


def test_settings_of_another_desktop_are_not_seen(a_desktop):
    assert slicer.util.settingsValue("PulsarCAM/Folder", "none") == "none"


def test_what_a_person_is_shown_is_noted_and_answered(a_desktop):
    slicer.util.errorDisplay("No lesion.", detailedText="Traceback")
    assert a_desktop.messages == [("errorDisplay", "No lesion.", "Traceback")]
    a_desktop.answers += [True, False]
    assert slicer.util.confirmOkCancelDisplay("Install?") is True
    assert slicer.util.confirmOkCancelDisplay("Install?") is False
    assert slicer.util.confirmOkCancelDisplay("Install?") is False


def test_in_testing_mode_questions_are_answered_no_and_errors_in_blocks_are_not_shown(a_desktop):
    a_desktop.in_testing_mode()
    a_desktop.answers.append(True)
    assert slicer.util.confirmOkCancelDisplay("Install?") is False
    with pytest.raises(RuntimeError), slicer.util.tryWithErrorDisplay("Failed."):
        raise RuntimeError("why")
    assert [name for name, *_ in a_desktop.messages] == ["confirmOkCancelDisplay"]


def test_there_is_a_main_window_to_be_the_parent_of_dialogs(a_desktop):
    assert slicer.util.mainWindow().inherits("QWidget")


def test_the_panel_says_when_it_is_entered_and_reload_makes_it_anew(a_desktop, a_model):
    first = a_desktop.open_panel()
    assert first.parent.isEntered
    first.onReload()
    second = slicer.modules.PulsarCAMWidget
    assert second is not first
    assert type(second) is not type(first)
    assert second.ui.applyButton.text == first.ui.applyButton.text


def test_a_reload_within_a_desktop_leaves_the_library_of_others_alone(a_model):
    import sys

    from host.desktop import Desktop

    import PulsarCAMLib.core.errors

    with Desktop() as desktop:
        desktop.open_panel().onReload()
        assert sys.modules["PulsarCAMLib.core.errors"] is not PulsarCAMLib.core.errors
    assert sys.modules["PulsarCAMLib.core.errors"] is PulsarCAMLib.core.errors


def test_a_table_is_as_high_as_its_rows_and_no_higher_than_the_most(a_desktop):
    import qt

    from PulsarCAMLib.desktop.widgets.tables import fit_height

    table, heights = qt.QTableWidget(), []
    table.setColumnCount(1)
    for count in (1, 3, 6, 40):
        table.setRowCount(count)
        fit_height(table, 6)
        heights.append(table.maximumHeight)
    assert heights[0] < heights[1] < heights[2] == heights[3]
    assert heights[1] - heights[0] == 2 * table.rowHeight(0)


def test_what_is_shown_or_hidden_while_a_section_is_folded_is_so_once_it_is_unfolded(a_desktop):
    import ctk
    import qt

    section = ctk.ctkCollapsibleButton()
    layout = qt.QVBoxLayout(section)
    shown, hidden, left = qt.QLabel(), qt.QLabel(), qt.QLabel()
    for label in (shown, hidden, left):
        layout.addWidget(label)
    shown.visible = False
    section.collapsed = True
    shown.visible, hidden.visible = True, False
    assert all(label.isHidden() for label in (shown, hidden, left))
    section.collapsed = False
    assert [label.isHidden() for label in (shown, hidden, left)] == [False, True, False]
    assert section.collapsedHeight == 10, "of CTK's own, which a .ui file may take away"
