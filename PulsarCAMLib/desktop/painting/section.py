"""Section: from the heat map to a prescription and boost contours. Research use only, not a plan."""

from __future__ import annotations

import json

import qt
import slicer
from slicer.i18n import tr as _

from ...core.errors import Cancelled, InputError
from ...core.pluralize import capital, pluralize
from ...core.task import LESION
from ...painting.settings import LABEL
from ...scene.reading.segments import content_key, image_key, parts_of
from ...scene.showing import views
from ...scene.state import rows_of
from ...scene.writing.painting import NOTES
from ...scene.writing.provenance import PREFIX
from ..dose.curve_plot import Curve, CurveLabel
from ..lesion_table import LesionTable
from ..section import set_enabled, slot
from ..widgets.tables import fit_height, set_up_table
from .narrative import cells_of, details_text, headings, is_painted
from .parameters import OF_RULES, PAINTING_OUTPUTS, settings_of

NARROWEST_COLUMN = 44
MOST_ROWS = 6
Q_COLUMN = "q"

WIDGETS = {
    "paintRange": "paintRangeComboBox",
    "paintMidpoint": "paintMidpointSpinBox",
    "paintSteepness": "paintSteepnessSpinBox",
    "paintLeast": "paintLeastSpinBox",
    "paintParts": "paintPartsSpinBox",
    "paintMargin": "paintMarginSpinBox",
    "paintBeyond": "paintBeyondCheckBox",
}
"""Parameter of some rules only to its control."""


class Painting(LesionTable):
    """A prescription map and boost contours by a named rule."""

    TABLE = "paintResultsTable"

    def set_up(self) -> None:
        """Prepare tables and plot, connect the controls."""
        super().set_up()
        self._quality, self._organs, self._organs_key, self._organs_id = [], [], None, ""
        self.ui.organsSelector.setMRMLScene(slicer.mrmlScene)
        self.panel.ownOutputs.add_selector(self.ui.organsSelector)
        texts, tips = zip(*headings(), strict=True)
        set_up_table(self.table, texts, tips, NARROWEST_COLUMN)
        set_up_table(self.ui.organsTable, (_("Segment"),), ("",), NARROWEST_COLUMN)
        self.ui.organsTable.horizontalHeader().hide()
        self.plot = CurveLabel()
        self.plot.toolTip = _("Per cent of the volume whose planned dose is at least so much of the prescription")
        self.ui.paintQualityWidget.layout().addWidget(self.plot)
        self.ui.paintDoseButton.connect("clicked(bool)", self.on_paint)
        self.ui.paintLeftOutButton.connect("clicked(bool)", self.on_paint_left_out)
        self.ui.paintShowButton.connect("clicked(bool)", self.on_show)
        self.ui.organsTable.connect("itemChanged(QTableWidgetItem*)", self.on_ticked)

    def forget(self) -> None:
        """Another parameter set has another painting."""
        self._key = self._organs_key = None
        self._organs_id = ""

    def leave(self) -> None:
        """Another patient has another painting."""
        self.forget()

    def refresh(self) -> None:
        """Show what is asked for the chosen rule, and what was painted."""
        state = self.state
        nodes = (state.paintedTable, state.paintedHistogram)
        key = tuple((n.GetID(), n.GetTable().GetMTime()) for n in nodes if n is not None and n.GetTable())
        if key != self._key:
            self._key = key
            self._rows = [row for row in rows_of(nodes[0]) if "why_not" in row and "boost_cm3" in row]
            self._quality = [row for row in rows_of(nodes[1]) if Q_COLUMN in row]
            self.fill()
        self._list_organs()
        self._show_what_is_asked()
        self.show()
        self._enable()

    def _show_what_is_asked(self) -> None:
        """Only what counts for the rule, and for organs where some are chosen."""
        asked = settings_of(self.state.paintRule.value)
        shown = {WIDGETS[parameter]: parameter in asked for parameter in OF_RULES}
        has_organs = self.state.organsSegmentation is not None
        shown |= {"organsTable": has_organs, "paintOrganSpinBox": has_organs}
        for name, visible in shown.items():
            for each in (name, f"{name}Label"):
                if each in vars(self.ui):
                    getattr(self.ui, each).visible = visible
        one = len(self.panel.dose.chosen) == 1
        tip = _(
            "How the planned dose chosen above fits the prescription, voxel by voxel (Q-volume histogram). It must be "
            "of the same course and fractions."
        )
        set_enabled(self.ui.paintQualityCheckBox, "" if one else _("Choose one planned dose above first"), tip)

    def _list_organs(self) -> None:
        """Segments of the chosen organs, without those that are lesions."""
        node, state = self.state.organsSegmentation, self.state
        node_id = node.GetID() if node is not None else ""
        if self._organs_id and node_id and node_id != self._organs_id and self._ticked():
            self._organs_id = ""  # IDs such as Segment_1 are not those of the other segmentation
            state.organIDs = "[]"
            return
        self._organs_id = node_id
        lesions = self._lesions() if node is not None and node is state.inputSegmentation else set()
        key = (node and content_key(node), tuple(sorted(lesions)), state.organIDs)
        if key == self._organs_key:
            return
        self._organs_key = key
        self._organs = [part for part in parts_of(node) if part.id not in lesions] if node is not None else []
        table, ticked = self.ui.organsTable, self._ticked()
        was_blocked = table.blockSignals(True)
        table.setRowCount(len(self._organs))
        for row, part in enumerate(self._organs):
            item = qt.QTableWidgetItem(part.name)
            item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable | qt.Qt.ItemIsUserCheckable)
            item.setCheckState(qt.Qt.Checked if part.id in ticked else qt.Qt.Unchecked)
            table.setItem(row, 0, item)
        table.blockSignals(was_blocked)
        fit_height(table, MOST_ROWS)

    def _lesions(self) -> set[str]:
        chosen = self.panel.lesionList.chosen_ids()
        return {part.id for part in parts_of(self.state.inputSegmentation)} if chosen is None else set(chosen)

    def _ticked(self) -> list[str]:
        try:
            return [each for each in json.loads(self.state.organIDs) if isinstance(each, str)]
        except (ValueError, TypeError):
            return []

    def _organ_ids(self) -> list[str]:
        """Ticked segments that are there."""
        there = {part.id for part in self._organs}
        return [each for each in self._ticked() if each in there]

    @slot
    def on_ticked(self) -> None:
        """The person ticked an organ, or took its tick away."""
        table = self.ui.organsTable
        ticked = [part.id for row, part in enumerate(self._organs) if table.item(row, 0).checkState() == qt.Qt.Checked]
        self.state.organIDs = json.dumps(ticked)

    def _why_not(self) -> str:
        state = self.state
        if reason := self.panel.whyNoResult():
            return reason
        task = self.panel.models.system().task
        if task.unit != LESION:
            text = _("The chosen model answers for {units}; painting needs answers for lesions")
            return text.format(units=f"{task.unit}s")
        if not state.paintLow or not state.paintHigh:
            return _("Give both dose levels first: there are no usual ones")
        if state.paintLow >= state.paintHigh:
            return _("The lower dose level must be below the higher one")
        if state.paintBeyond and not state.paintMargin and "paintBeyond" in settings_of(state.paintRule.value):
            return _("Nothing leaves the lesion without a margin: give one, or take the tick away")
        if state.organsSegmentation is not None and not self._organ_ids():
            return _("Tick the organs first, or choose none")
        return ""

    def _enable(self) -> None:
        tip = _("What would be prescribed by this rule if the map were right: research use only, not a plan")
        set_enabled(self.ui.paintDoseButton, self._why_not(), tip)
        left_out = bool(self._rows) and not all(map(is_painted, self._rows))
        self.ui.paintLeftOutButton.visible = left_out
        tip = _("Paint those, too, that are left out, in spite of what speaks against it")
        set_enabled(self.ui.paintLeftOutButton, self._why_not(), tip)
        shown = self.state.paintedDose
        self.ui.paintShowButton.visible = shown is not None
        is_shown = shown is not None and bool(views.composites(shown))
        self.ui.paintShowButton.text = _("Show the heat map") if is_shown else _("Show over the MRI")

    @slot
    def on_paint(self) -> None:
        """Paint; what speaks against it is a question."""
        if self.panel.isRunning or self._why_not():
            return
        with self.panel.running():
            refused = self._paint(anyway=False)
        if refused:
            self._paint_if_agreed(refused)

    @slot
    def on_paint_left_out(self) -> None:
        """Paint those that were left out, if the person knows why."""
        if self.panel.isRunning or self._why_not():
            return
        self._paint_if_agreed("\n".join(details_text(row) for row in self._rows if not is_painted(row)))

    def _paint_if_agreed(self, refused: str) -> None:
        ask = _("Paint in spite of it? Do so only if you know why; everything that is painted says so.")
        if not self.panel.dialogs.agree(f"{refused}\n\n{ask}", _("PulsarCAM - dose painting, research use only")):
            self.panel.say(_("Nothing was painted."))
            return
        with self.panel.running():
            self._paint(anyway=True)

    def _paint(self, anyway: bool) -> str:
        """Paint, and show it; why it was refused, where the person may still want it, else an empty text."""
        from ...painting.doubts import ANYWAY

        state, key = self.state, self.asked()
        try:
            made = self.logic.paintDose(
                self.panel.result(),
                **self._wishes(),
                anyway=anyway,
                **{name: getattr(state, parameter) for parameter, name in PAINTING_OUTPUTS.items()},
                progress=self.panel.apply.on_progress,
                cancelled=lambda: self.panel.cancelRequested,
            )
        except Cancelled:
            self.panel.say(_("Stopped; the scene is as it was."))
            return ""
        except InputError as error:
            if error.cure != ANYWAY or anyway:
                raise
            return f"{error.what}."
        for parameter, name in PAINTING_OUTPUTS.items():
            setattr(state, parameter, getattr(made, name))
        self.panel.resultSets.keep()
        self._answers.keep(made, key)
        units = pluralize(len(made.painting.lesions), LESION)
        self.panel.say(_("{units} painted: {label}.").format(units=units, label=LABEL))
        return ""

    def _wishes(self) -> dict:
        """As the logic's paintDose takes them."""
        state, shown = self.state, self.panel.settings()
        doses = self.panel.dose.chosen
        rule = state.paintRule.value
        asked = {name: getattr(state, parameter) for parameter, name in settings_of(rule).items()}
        asked |= {"range": asked["range"].value} if "range" in asked else {}
        organs = state.organsSegmentation
        return asked | {
            "rule": rule,
            "low": state.paintLow,
            "high": state.paintHigh,
            "method": shown.method,
            "target": shown.target,
            "threshold": state.threshold / 100,
            "doseNode": doses[0] if state.paintQuality and len(doses) == 1 else None,
            "organsNode": organs,
            "organIDs": self._organ_ids() if organs is not None else None,
            "organ_mm": state.paintOrgan if organs is not None else 0.0,
        }

    def asked(self) -> tuple:
        """Changes when what is painted would."""
        wishes = self._wishes()
        dose, organs = wishes.pop("doseNode"), wishes.pop("organsNode")
        nodes = (dose and (dose.GetID(), image_key(dose)), organs and (organs.GetID(), content_key(organs)))
        return (*nodes, *sorted((name, str(value)) for name, value in wishes.items()))

    def old(self) -> str:
        """That the painting belongs to what was chosen before."""
        return _("This painting belongs to what was chosen before: press “Paint”.")

    @slot
    def on_show(self) -> None:
        """The prescription over the MRI in place of the heat map, or the other way round."""
        state, painted = self.state, self.state.paintedDose
        is_shown = bool(views.composites(painted))
        node, before = (self.panel.overlay.shown_map(), painted) if is_shown else (painted, None)
        if node is not None and state.inputVolume is not None:
            views.show_over(state.inputVolume, node, state.opacity / 100, instead_of=[before] if before else ())
        self._enable()

    def cells(self, row: dict) -> tuple[str, ...]:
        """What was painted of a lesion."""
        return cells_of(row)

    def details(self, row: dict) -> str:
        """Further measures, or why nothing was painted."""
        return details_text(row)

    def fill(self) -> None:
        """The quality's column only where there is a planned dose."""
        super().fill()
        self.table.setColumnHidden(len(headings()) - 1, not any("quality_factor" in row for row in self._rows))

    def show(self) -> None:
        """Words, table and histogram of the chosen lesion."""
        node = self.state.paintedTable if self._rows else None
        told = [node.GetAttribute(PREFIX + name) if node is not None else "" for name in ("paintingRule", NOTES)]
        rule, notes = (text or "" for text in told)
        label = f"{capital(LABEL)}: {rule}." if node is not None else ""
        self.ui.paintLabel.text = "\n".join(filter(None, (self.stale(), label, notes)))
        self.ui.paintLabel.visible = bool(self.ui.paintLabel.text)
        self.table.visible = bool(self._rows)
        there = self._lesion is not None and self._lesion in (self._quality or [{}])[0]
        curves = [Curve(self._lesion, tuple(100 * row[self._lesion] for row in self._quality))] if there else []
        self.plot.show_curves(_("Dose / prescription"), [row[Q_COLUMN] for row in self._quality], curves)
