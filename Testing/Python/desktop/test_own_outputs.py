"""Selectors of inputs hide what PulsarCAM made, never while they change: a running Slicer crashed when it closed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer

from PulsarCAMLib.scene.writing.provenance import new_output


class Selector:
    """As ``qMRMLNodeComboBox``: its filter, once changed, may choose another node, which refreshes the panel."""

    def __init__(self) -> None:
        self.currentNodeID, self.refresh = "", lambda: None
        self._hidden, self._changing = (), False

    def sortFilterProxyModel(self):
        return self

    @property
    def hiddenNodeIDs(self):
        return self._hidden

    @hiddenNodeIDs.setter
    def hiddenNodeIDs(self, ids):
        assert not self._changing, "Qt's filter is changed while it changes"
        self._changing, self._hidden = True, tuple(ids)
        self.refresh()
        self._changing = False


@pytest.fixture
def section(a_scene):
    from PulsarCAMLib.desktop.inputs.own_outputs import OwnOutputs

    ui = SimpleNamespace(inputVolumeSelector=Selector(), inputSegmentationSelector=Selector())
    made = OwnOutputs(SimpleNamespace(ui=ui, logic=None))
    for selector in vars(ui).values():
        selector.refresh = made.refresh
    return made


def test_a_filter_is_not_changed_while_it_changes(section):
    first, second = section.ui.inputVolumeSelector, section.ui.inputSegmentationSelector
    node = new_output("vtkMRMLSegmentationNode", "sub-regions")
    section.refresh()
    assert first.hiddenNodeIDs == second.hiddenNodeIDs == (node.GetID(),)
    section.show_all()
    assert first.hiddenNodeIDs == second.hiddenNodeIDs == ()


def test_what_is_chosen_meanwhile_is_seen_at_the_end(section):
    first, second = section.ui.inputVolumeSelector, section.ui.inputSegmentationSelector
    node = new_output("vtkMRMLSegmentationNode", "sub-regions")

    def choose_it() -> None:
        first.currentNodeID = node.GetID()
        section.refresh()

    second.refresh = choose_it
    section.refresh()
    assert first.hiddenNodeIDs == (), "an old scene's choice stays and is refused"
    assert second.hiddenNodeIDs == (node.GetID(),)
    slicer.mrmlScene.RemoveNode(node)
