"""Section: which segments (or label values) are lesions."""

from __future__ import annotations

import json

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from ...core.pluralize import pluralize
from ...core.task import LESION
from ...io.plain_files import json_value
from ...scene.reading.segments import centre_of, list_key, pieces_of
from ...scene.showing.views import jump_to
from ..section import Section, set_enabled, slot
from ..widgets.tables import fit_height

ICON_SIZE = 12
MOST_ROWS = 6
"""Of contours shown at once."""
MOST_NAMED = 2
"""Of contours that become several lesions."""


class LesionList(Section):
    """The table of segments, and the inputs around it."""

    def set_up(self) -> None:
        """Prepare the table."""
        self._parts, self._key, self._node_id, self._watched = [], None, "", []
        table = self.ui.segmentsTable
        table.setHorizontalHeaderLabels([_("Lesion"), _("Volume (cm³)")])
        table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
        table.horizontalHeader().setSectionResizeMode(1, qt.QHeaderView.ResizeToContents)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.connect("itemChanged(QTableWidgetItem*)", self.on_ticked)
        table.connect("itemSelectionChanged()", self.show_buttons)
        table.connect("cellDoubleClicked(int,int)", self.on_show)
        self.ui.allSegmentsButton.connect("clicked(bool)", self.on_all)
        self.ui.noSegmentsButton.connect("clicked(bool)", self.on_none)
        self.ui.showSegmentButton.connect("clicked(bool)", self.on_show)
        self.ui.sampleDataButton.connect("clicked(bool)", self.on_sample)

    def chosen_ids(self) -> list[str] | None:
        """IDs of the ticked segments; None when all are."""
        left_out = self._left_out()
        if not left_out & {part.id for part in self._parts}:
            return None
        return [part.id for part in self._parts if part.id not in left_out]

    def refresh(self) -> None:
        """Show the segments of the chosen node."""
        self.ui.sampleDataButton.visible = self.ui.inputVolumeSelector.nodeCount() == 0
        node = self.panel.images.mask()
        self._watch(node)
        if self._node_id and node is not None and node.GetID() != self._node_id and self._left_out():
            self._node_id = ""  # IDs such as Segment_1 are not those of the other segmentation
            self.state.leftOutSegments = "[]"
            return
        self._node_id = node.GetID() if node is not None else ""
        key = (list_key(node), self.state.leftOutSegments, self.state.parts)
        if key != self._key:
            self._parts, self._key = self.logic.segments(node), key
            self._fill()
            self._say_what_they_become(node)
        self.ui.segmentsTable.visible = bool(self._parts)
        self._show_buttons()

    def forget(self) -> None:
        """Stop watching the segmentation."""
        self._watch(None)
        self._key, self._node_id = None, ""

    @slot
    def on_ticked(self) -> None:
        """The user ticked a segment or took its tick away."""
        table = self.ui.segmentsTable
        ticked = [table.item(row, 0).checkState() == qt.Qt.Checked for row in range(len(self._parts))]
        self._leave_out([part.id for part, yes in zip(self._parts, ticked, strict=True) if not yes])

    @slot
    def on_all(self) -> None:
        """Tick all."""
        self._leave_out([])

    @slot
    def on_none(self) -> None:
        """Tick none."""
        self._leave_out([part.id for part in self._parts])

    @slot
    def on_show(self) -> None:
        """Show the chosen segment in all slice views."""
        row = self.ui.segmentsTable.currentRow()
        if not 0 <= row < len(self._parts):
            return
        place = centre_of(self.state.inputSegmentation, self._parts[row].id)
        if place is None:
            self.panel.say(_("“{name}” is empty.").format(name=self._parts[row].name))
        else:
            jump_to(place)

    @slot
    def on_sample(self) -> None:
        """Make the synthetic patient and choose it."""
        self.panel.say(_("Making a synthetic patient..."))
        slicer.app.processEvents()
        with slicer.util.WaitCursor():
            volume, lesions = self.logic.makeSample()[:2]
        self.state.inputVolume = volume
        self.state.inputSegmentation = lesions
        self.panel.say(_("A synthetic patient: press Apply."))

    @slot
    def show_buttons(self) -> None:
        """Enable what can be pressed."""
        self._show_buttons()

    def on_segmentation_changed(self, _caller=None, _event=None) -> None:
        """Segments were added, removed, renamed or painted."""
        if self.state is not None and not self.panel.isRunning:
            self.panel.refresh()

    def _left_out(self) -> set[str]:
        try:
            return set(json_value(self.state.leftOutSegments))
        except (ValueError, TypeError):
            return set()

    def _leave_out(self, ids: list[str]) -> None:
        if set(ids) != self._left_out():
            self.state.leftOutSegments = json.dumps(ids)

    def _fill(self) -> None:
        table, left_out = self.ui.segmentsTable, self._left_out()
        chosen = table.currentRow()
        was_blocked = table.blockSignals(True)
        table.setRowCount(len(self._parts))
        for row, part in enumerate(self._parts):
            table.setItem(row, 0, _name_item(part, part.id not in left_out))
            table.setItem(row, 1, _volume_item(part))
        if 0 <= chosen < len(self._parts):
            table.setCurrentCell(chosen, 0)
        table.blockSignals(was_blocked)
        fit_height(table, MOST_ROWS)

    def _say_what_they_become(self, node) -> None:
        """Where a contour is several lesions, or some are left out, say so before Apply."""
        left_out = self._left_out()
        ticked = [part for part in self._parts if part.id not in left_out]
        said = []
        if len(ticked) < len(self._parts):
            said.append(_("{n} of {all} ticked.").format(n=len(ticked), all=len(self._parts)))
        by_lesion = self.panel.models.system().task.unit == LESION  # else all that is contoured counts together
        pieces = pieces_of(node, [part.id for part in ticked], self.state.parts.value) if by_lesion else {}
        split = {part.name: pieces[part.id] for part in ticked if pieces.get(part.id, 1) > 1}
        for name, count in list(split.items())[:MOST_NAMED]:
            text = _("“{name}” has {n} pieces that do not touch: each is a lesion, “{name} (1)” to “{name} ({n})”.")
            said.append(text.format(name=name, n=count))
        if split:
            total = sum(pieces.get(part.id, 1) for part in ticked)
            text = _("That makes {lesions}; “Pieces” under “Advanced” changes it.")
            said.append(text.format(lesions=pluralize(total, "lesion")))
        self.ui.segmentsLabel.text = " ".join(said)
        self.ui.segmentsLabel.visible = bool(said)

    def _show_buttons(self) -> None:
        none = "" if self._parts else _("Choose a segmentation or label map that has lesions first")
        left = len(self._left_out() & {part.id for part in self._parts})
        set_enabled(
            self.ui.segmentsTable, none, _("Tick the lesions. Double-click a row to see it in the slice views.")
        )
        all_ticked = none or ("" if left else _("All segments are ticked"))
        set_enabled(self.ui.allSegmentsButton, all_ticked, _("Tick all segments"))
        none_ticked = none or (_("No segment is ticked") if left == len(self._parts) else "")
        set_enabled(self.ui.noSegmentsButton, none_ticked, _("Take all ticks away"))
        no_row = none or ("" if self.ui.segmentsTable.currentRow() >= 0 else _("Choose a row of the table first"))
        set_enabled(self.ui.showSegmentButton, no_row, _("Show the chosen segment in all slice views"))

    def _watch(self, node) -> None:
        """Observe a segmentation or label map in place of the one before."""
        if self._watched and self._watched[0][0] is node:
            return
        for watched, event in self._watched:
            self.panel.removeObserver(watched, event, self.on_segmentation_changed)
        self._watched = []
        if node is None:
            return
        kind = slicer.vtkSegmentation
        self._watched = [(node, vtk.vtkCommand.ModifiedEvent)]
        if node.IsA("vtkMRMLSegmentationNode"):
            events = (
                kind.SegmentAdded,
                kind.SegmentRemoved,
                kind.SegmentModified,
                kind.SourceRepresentationModified,
            )
            self._watched += [(node.GetSegmentation(), event) for event in events]
        else:
            self._watched.append((node, slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent))
        self._watched.append((node, slicer.vtkMRMLTransformableNode.TransformModifiedEvent))
        for watched, event in self._watched:
            self.panel.addObserver(watched, event, self.on_segmentation_changed)


def _name_item(part, ticked: bool):
    item = qt.QTableWidgetItem(part.name)
    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable | qt.Qt.ItemIsUserCheckable)
    item.setCheckState(qt.Qt.Checked if ticked else qt.Qt.Unchecked)
    square = qt.QPixmap(ICON_SIZE, ICON_SIZE)
    square.fill(qt.QColor(*(round(255 * c) for c in part.color)))
    item.setIcon(qt.QIcon(square))
    item.setToolTip(part.name)
    return item


def _volume_item(part):
    known = part.volume_cm3 is not None
    item = qt.QTableWidgetItem(f"{part.volume_cm3:.2f}" if known else "-")
    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    if not known:
        item.setToolTip(_("Known after the contours were converted, which Apply does"))
    elif not part.volume_cm3:
        item.setToolTip(_("Empty: outline the lesion or take its tick away"))
    return item
