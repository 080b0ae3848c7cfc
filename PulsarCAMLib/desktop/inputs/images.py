"""Section: which images the chosen model takes, by role, and masks of other visits; one selector for each."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from ...core.inputs import MASK, InputRole
from ..section import Section, slot_with_value

REFERENCE = "inputImage."
"""Begins the node reference of the parameter node that holds an image beside the first, followed by its role."""

ROW_BELOW_FIRST = 2
"""Of the form in the ``.ui`` file: its first rows are the sample data and the first image."""

MASK_TYPES = ["vtkMRMLSegmentationNode", "vtkMRMLLabelMapVolumeNode"]

LONGEST = 18
"""Letters of a title that a selector repeats; longer ones would widen the panel, and stand before it anyway."""

MASK_WIDGETS = (
    "inputSegmentationSelectorLabel",
    "inputSegmentationSelector",
    "partsComboBoxLabel",
    "partsComboBox",
    "allSegmentsButton",
    "noSegmentsButton",
    "showSegmentButton",
)


class OtherImages(Section):
    """The first image and the mask have selectors of their own; others get theirs when a model first asks for them."""

    def set_up(self) -> None:
        """Selectors by system and role, made when they are needed."""
        self._rows, self._shown = {}, None
        for label in (self.ui.inputVolumeSelectorLabel, self.ui.inputSegmentationSelectorLabel):
            label.wordWrap = True  # a long title must not widen the panel

    @property
    def roles(self) -> tuple[InputRole, ...]:
        """Of the images beside the first, and of masks of other visits than the one that is asked about."""
        return self.panel.models.system().beside_the_first

    def selector(self, role: InputRole):
        """The selector of an image, or of another visit's mask, beside the first."""
        return self._row(self.panel.models.system(), role)[1]

    def node_of(self, role: InputRole):
        """What is chosen for a role of the chosen model's system, or None."""
        if role not in self.roles:
            return self.state.inputSegmentation if role.kind == MASK else self.state.inputVolume
        return self.state.parameterNode.GetNodeReference(REFERENCE + role.name)

    def chosen(self) -> dict:
        """Role to node, of what is chosen beside the first image and its lesions."""
        found = {role.name: self.node_of(role) for role in self.roles}
        return {name: node for name, node in found.items() if node is not None}

    def mask(self):
        """The mask's node, if the chosen model has a use for it."""
        role = self.panel.models.system().role(MASK)
        return self.node_of(role) if role is not None else None

    def references_to(self, node) -> list[str]:
        """Node references of the parameter node that are to this node."""
        names = []
        self.state.parameterNode.GetNodeReferenceRoles(names)
        mine = [name for name in names if name.startswith(REFERENCE)]
        return [name for name in mine if self.state.parameterNode.GetNodeReference(name) is node]

    def choose(self, reference: str, node) -> None:
        """Note in the parameter node what is chosen."""
        parameters = self.state.parameterNode
        if parameters.GetNodeReference(reference) is not node or (node is None and self._holds(reference)):
            parameters.SetNodeReferenceID(reference, node.GetID() if node is not None else None)
            parameters.Modified()

    def refresh(self) -> None:
        """Show the selectors that the chosen model asks for, and what is chosen in them."""
        system = self.panel.models.system()
        if self._shown is not system:
            self._shown = system
            self._show_rows(system)
        for role in self.roles:
            selector, node = self.selector(role), self.node_of(role)
            if selector.currentNode() is not node:
                was_blocked = selector.blockSignals(True)
                selector.setCurrentNode(node)
                selector.blockSignals(was_blocked)

    def _holds(self, reference: str) -> bool:
        return bool(self.state.parameterNode.GetNodeReferenceID(reference))

    def _show_rows(self, system) -> None:
        first = system.image_inputs[0]
        _name(self.ui.inputVolumeSelectorLabel, self.ui.inputVolumeSelector, first)
        mask = system.role(MASK)
        for name in MASK_WIDGETS:
            getattr(self.ui, name).visible = mask is not None
        if mask is not None:
            self.ui.inputSegmentationSelectorLabel.text = _label(mask)
            self.ui.inputSegmentationSelector.noneDisplay = _none(mask.title.lower())
        wanted = [self._row(system, role) for role in system.beside_the_first]
        for row in self._rows.values():
            for widget in row:
                widget.visible = row in wanted

    def _row(self, system, role: InputRole) -> tuple:
        key = system.name, role.name
        if key not in self._rows:
            label, selector = qt.QLabel(), slicer.qMRMLNodeComboBox()
            label.wordWrap = True
            selector.nodeTypes = MASK_TYPES if role.kind == MASK else ["vtkMRMLScalarVolumeNode"]
            selector.noneEnabled, selector.addEnabled, selector.removeEnabled = True, False, False
            selector.showChildNodeTypes = False
            selector.setMRMLScene(slicer.mrmlScene)
            selector.setCurrentNode(None)
            self.panel.ownOutputs.add_selector(selector)
            _name(label, selector, role)
            row = ROW_BELOW_FIRST + len(self._rows)
            self.ui.inputsCollapsibleButton.layout().insertRow(row, label, selector)
            selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: self.on_chosen((key, node)))
            self._rows[key] = label, selector
        return self._rows[key]

    @slot_with_value
    def on_chosen(self, choice: tuple) -> None:
        """The user chose an image; what selectors of other systems show is nobody's choice."""
        (system, role), node = choice
        if self.state is None or self.panel.isRunning or slicer.mrmlScene.IsClosing():
            return
        if system == self.panel.models.system().name:
            self.choose(REFERENCE + role, node)


def _name(label, selector, role: InputRole) -> None:
    """In the words of the role."""
    about = role.about or role.title
    tip = _("{about}. Its own voxels are used; nothing is resampled in the scene.")
    if role.kind == MASK:
        tip = _("{about}. All its segments count; the volume of that visit says where they lie.")
    label.text = _label(role)
    selector.noneDisplay = _none(role.title)
    label.toolTip = selector.toolTip = tip.format(about=about[:1].upper() + about[1:])


def _none(title: str) -> str:
    """What a selector says that has nothing chosen; it is as wide as this."""
    return _("Select the {image}").format(image=title) if len(title) <= LONGEST else _("Select one")


def _label(role: InputRole) -> str:
    text = _("{image}:") if role.needed else _("{image} (optional):")
    return text.format(image=role.title)
