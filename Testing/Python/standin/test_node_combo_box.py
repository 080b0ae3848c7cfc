"""Selectors of nodes behave as in Slicer while nodes come, go and change their names."""

from __future__ import annotations

import pytest

slicer = pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from host.making import GRIDS, a_label_map, an_mri, box  # noqa: E402


@pytest.fixture
def selector(a_desktop):
    made = slicer.qMRMLNodeComboBox()
    made.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    made.setMRMLScene(slicer.mrmlScene)
    return made


@pytest.fixture
def heard(selector):
    seen = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: seen.append(node and node.GetName()))
    return seen


def test_it_begins_without_a_scene_and_with_slicers_defaults(a_desktop):
    made = slicer.qMRMLNodeComboBox()
    assert made.mrmlScene() is None
    assert not made.enabled
    assert (made.noneEnabled, made.addEnabled, made.removeEnabled, made.renameEnabled) == (False, True, True, False)
    assert made.currentNode() is None
    assert made.currentNodeID == ""
    assert made.nodeCount() == 0


def test_a_node_asked_for_before_the_scene_is_there_is_chosen_with_it(a_desktop):
    an_mri("first")
    second = an_mri("second")
    made = slicer.qMRMLNodeComboBox()
    made.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    made.setCurrentNode(second)
    made.setMRMLScene(slicer.mrmlScene)
    assert made.enabled
    assert made.currentNode() is second


def test_the_current_node_is_the_very_same_object(selector):
    mri = an_mri()
    selector.setCurrentNode(mri)
    assert selector.currentNode() is mri
    assert selector.currentNodeID == mri.GetID()


def test_a_node_of_another_class_becomes_none_and_no_node_is_a_type_error(selector):
    selector.noneEnabled = True
    selector.setCurrentNode(an_mri())
    selector.setCurrentNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode"))
    assert selector.currentNode() is None
    with pytest.raises(TypeError):
        selector.setCurrentNode("vtkMRMLScalarVolumeNode1")


def test_all_signals_come_with_a_change_from_code(selector):
    seen = []
    mri = an_mri()
    selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: seen.append(node))
    selector.connect("currentNodeChanged(bool)", lambda valid: seen.append(valid))
    selector.connect("currentNodeIDChanged(QString)", lambda node_id: seen.append(node_id))
    selector.setCurrentNode(mri)
    selector.setCurrentNode(mri)
    assert seen == [mri, True, mri.GetID()]
    assert selector.connect("currentNodeChanged(int)", print) is False
    selector.currentNodeChanged.connect(seen.append)
    selector.setCurrentNode(None)
    assert seen[3:] == [None, None, False, ""]


def test_a_new_node_is_offered_but_not_chosen(selector, heard):
    first = an_mri("first")
    assert selector.currentNode() is None
    selector.setCurrentNode(first)
    an_mri("second")
    assert selector.nodeCount() == 2
    assert selector.currentNode() is first
    assert heard == ["first"]


def test_without_actions_the_only_node_is_chosen_by_itself(a_desktop):
    made = slicer.qMRMLNodeComboBox()
    made.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    made.addEnabled = made.removeEnabled = False
    made.setMRMLScene(slicer.mrmlScene)
    seen = []
    made.connect("currentNodeChanged(vtkMRMLNode*)", seen.append)
    mri = an_mri()
    assert made.currentNode() is mri
    assert seen == [mri]


def test_removing_the_chosen_node_moves_the_choice_to_its_neighbour(selector, heard):
    first, second, third = (an_mri(name) for name in ("first", "second", "third"))
    selector.noneEnabled = True
    selector.setCurrentNode(second)
    slicer.mrmlScene.RemoveNode(second)
    assert selector.currentNode() is third
    slicer.mrmlScene.RemoveNode(third)
    assert selector.currentNode() is first
    slicer.mrmlScene.RemoveNode(first)
    assert selector.currentNode() is None
    assert heard == ["second", "third", "first", None]


def test_removing_another_node_keeps_the_choice(selector):
    first, second = an_mri("first"), an_mri("second")
    selector.setCurrentNode(second)
    slicer.mrmlScene.RemoveNode(first)
    assert selector.currentNode() is second


def test_a_new_name_is_shown_and_is_no_change_of_the_choice(selector, heard):
    from host.wrapping import unwrap

    mri = an_mri("before")
    selector.setCurrentNode(mri)
    mri.SetName("after")
    assert unwrap(selector)._box.currentText() == "after"
    assert heard == ["before"]


def test_child_classes_hidden_classes_and_attributes_filter(selector):
    an_mri()
    labels = a_label_map(box((4, 10, 12), (8, 22, 30)), GRIDS["axial"])
    assert selector.nodeCount() == 2
    selector.hideChildNodeTypes = ["vtkMRMLLabelMapVolumeNode"]
    assert selector.nodeCount() == 1
    selector.hideChildNodeTypes = []
    selector.showChildNodeTypes = False
    assert selector.nodeCount() == 1
    selector.showChildNodeTypes = True
    selector.addAttribute("vtkMRMLScalarVolumeNode", "PulsarCAM.method", "gradcam")
    assert selector.nodeCount() == 0
    labels.SetAttribute("PulsarCAM.method", "gradcam")
    assert selector.nodeCount() == 1


def test_a_node_hidden_from_editors_leaves_the_list(selector):
    mri = an_mri()
    selector.setCurrentNode(mri)
    mri.SetHideFromEditors(True)
    assert selector.nodeCount() == 0
    assert selector.currentNode() is None


def test_closing_the_scene_empties_it_once(selector, heard):
    selector.noneEnabled = True
    for name in ("first", "second"):
        an_mri(name)
    selector.setCurrentNodeIndex(1)
    slicer.mrmlScene.Clear(False)
    assert selector.currentNode() is None
    assert selector.nodeCount() == 0
    assert heard == ["second", None]


def test_a_person_creates_renames_and_deletes_from_the_list(selector):
    from host.dialogs import DIALOGS
    from host.wrapping import unwrap

    selector.baseName = "Heat map"
    selector.renameEnabled = True
    combo = unwrap(selector)._box

    def choose(text):
        row = next(i for i in range(combo.count()) if combo.itemText(i).startswith(text))
        combo.setCurrentIndex(row)
        combo.activated.emit(row)

    made = selector.addNode()
    assert made.GetName() == "Heat map"
    assert selector.currentNode() is made
    choose("Create new")
    assert selector.currentNode().GetName() == "Heat map_1"
    DIALOGS.files.append("Mine")
    selector.renameCurrentNode()
    assert selector.currentNode().GetName() == "Mine"
    selector.removeCurrentNode()
    assert selector.currentNode() is made


def test_a_destroyed_selector_no_longer_listens(selector, capsys):
    selector.delete()
    an_mri()
    assert capsys.readouterr().err == ""


def test_nodes_may_be_hidden_by_their_ids_and_come_back(selector, heard):
    first, second = an_mri("first"), an_mri("second")
    selector.setCurrentNode(second)
    heard.clear()
    proxy = selector.sortFilterProxyModel()
    proxy.hiddenNodeIDs = [first.GetID()]
    assert tuple(proxy.hiddenNodeIDs) == (first.GetID(),)
    assert (selector.nodeCount(), selector.currentNode()) == (1, second)
    assert set(heard) <= {"second"}
    proxy.hiddenNodeIDs = []
    assert [selector.nodeFromIndex(n) for n in range(2)] == [first, second]
    proxy.hiddenNodeIDs = [second.GetID()]
    assert selector.currentNode() is first, "hidden, its neighbour is chosen"
    assert not hasattr(proxy, "setHiddenNodeIDs"), "a property, not a slot"
