"""Section: what the lesions get of a planned dose, and whether the part that does not respond gets less of it."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from ...core.errors import Cancelled
from ...core.pluralize import capital, pluralize
from ...dose.case import ACTIVATED, REST
from ...dose.settings import PHYSICAL
from ...scene.reading.doses import planned_fractions, why_not_gray
from ...scene.reading.segments import image_key
from ...scene.showing import curve_view, views
from ...scene.showing.way_back import WayBack
from ...scene.state import rows_of
from ...scene.writing.dose import NOTES, X_COLUMN
from ...scene.writing.provenance import PREFIX
from ..lesion_table import LesionTable
from ..section import set_enabled, slot
from ..widgets.tables import set_up_table
from .curve_plot import Curve, CurveLabel
from .narrative import COLUMNS, answers_text, details_text, gray_text, headings, known_contrast, region_text, unit_text
from .parameters import DOSE_OUTPUTS, DOSES, MOST_FRACTIONS, NUMBERS

NARROWEST_COLUMN = 44


class Dose(LesionTable):
    """The planned dose of lesions and their activated parts."""

    TABLE, MOST_ROWS = "doseResultsTable", 12

    def set_up(self) -> None:
        """Prepare table and plot, connect the controls."""
        super().set_up()
        self._contrasts, self._curves = [], []
        self._way_back, self._looked_up = WayBack(curve_view.LAYOUT), set()
        for number in NUMBERS:
            selector = getattr(self.ui, f"doseSelector{number}")
            selector.setMRMLScene(slicer.mrmlScene)
            self.panel.ownOutputs.add_selector(selector)
        texts, tips = zip(*headings(), strict=True)
        set_up_table(self.table, texts, tips, NARROWEST_COLUMN)
        self.plot = CurveLabel()
        self.plot.toolTip = _("Per cent of the volume that gets at least so much dose, of the chosen lesion")
        self.ui.doseCurvesWidget.layout().addWidget(self.plot)
        self.ui.tellDoseButton.connect("clicked(bool)", self.on_tell)
        self.ui.doseCurvesButton.connect("clicked(bool)", self.on_curves)

    @property
    def chosen(self) -> list:
        """The doses that are chosen."""
        return [node for node in (getattr(self.state, name) for name in DOSES) if node is not None]

    @property
    def fractions(self) -> list[int | None]:
        """Of each of these, None where they are not told."""
        asked = [number for number in NUMBERS if getattr(self.state, f"doseVolume{number}") is not None]
        return [getattr(self.state, f"doseFractions{number}") or None for number in asked]

    def forget(self) -> None:
        """Another parameter set has other doses."""
        self._key = None

    def forget_scene(self) -> None:
        """The next scene gives the same IDs to other nodes."""
        super().forget_scene()
        self._looked_up.clear()

    def leave(self) -> None:
        """The curves of another patient go."""
        self._way_back.go()
        self.forget()

    def refresh(self) -> None:
        """Show the tables of the parameter set."""
        state = self.state
        nodes = (state.doseTable, state.doseContrastTable, state.doseCurveTable)
        key = tuple((n.GetID(), n.GetTable().GetMTime()) for n in nodes if n is not None and n.GetTable())
        if key != self._key:
            self._key = key
            self._rows = [row for row in rows_of(nodes[0]) if "region" in row and "d98_gy" in row]
            self._contrasts = [known_contrast(row) for row in rows_of(nodes[1]) if "answer_at_equal_depth" in row]
            self._curves = [row for row in rows_of(nodes[2]) if X_COLUMN in row]
            self.fill()
        unit = self.panel.models.system().task.unit
        self.table.horizontalHeaderItem(0).setText(capital(unit))
        self._look_up_fractions()
        self._show_what_is_asked()
        self.show()
        self._enable()

    def _look_up_fractions(self) -> None:
        """As the plan of a newly chosen dose has them; once, for a number that is taken away stays away."""
        for number in NUMBERS:
            node, name = getattr(self.state, f"doseVolume{number}"), f"doseFractions{number}"
            if node is None or node.GetID() in self._looked_up:
                continue
            self._looked_up.add(node.GetID())
            if not getattr(self.state, name):
                setattr(self.state, name, min(planned_fractions(node) or 0, MOST_FRACTIONS))

    def _show_what_is_asked(self) -> None:
        """A further dose is asked for when the one before is chosen; alpha/beta where it counts."""
        was_chosen = True
        for number in NUMBERS:
            is_chosen = getattr(self.state, f"doseVolume{number}") is not None
            for name in ("doseSelector{}Label", "doseRowWidget{}"):
                getattr(self.ui, name.format(number)).visible = is_chosen or was_chosen
            was_chosen = is_chosen
        for name in ("alphaBetaSpinBoxLabel", "alphaBetaSpinBox"):
            getattr(self.ui, name).visible = self.state.doseQuantity.value != PHYSICAL

    def why_no_dose(self) -> str:
        """Why the chosen doses cannot be used, or an empty text."""
        doses = self.chosen
        if not doses:
            return _("Choose the planned dose first")
        if any(node is self.state.inputVolume for node in doses):
            text = _("“{name}” is the MRI itself: choose the planned dose")
            return text.format(name=self.state.inputVolume.GetName())
        if twice := next((n for n, node in enumerate(doses) if node in doses[:n]), None):
            text = _("“{name}” is chosen twice: each dose counts once")
            return text.format(name=doses[twice].GetName())
        return next(filter(None, map(why_not_gray, doses)), "")

    def _why_not(self) -> str:
        reason = self.panel.whyNoResult() or self.why_no_dose()
        if reason or self.state.doseQuantity.value == PHYSICAL or all(self.fractions):
            return reason
        return _("Say in how many fractions each dose is given: EQD2 and BED depend on it")

    def _enable(self) -> None:
        tip = _("What every lesion, its activated part and the rest of it get, and whether these differ")
        set_enabled(self.ui.tellDoseButton, self._why_not(), tip)
        self._refresh_views_button()

    def _refresh_views_button(self) -> None:
        button = self.ui.doseCurvesButton
        if self._way_back.is_open:
            button.text = _("Earlier views")
            set_enabled(button, "", _("Go back to the views as they were before"))
            return
        button.text = _("Curves beside slices")
        tip = _("Show the dose-volume curves of all lesions in a plot view below the slice views")
        missing = "" if self._rows and self.state.doseCurveChart is not None else _("Press “Tell the dose” first")
        no_views = "" if views.current_layout() is not None else _("There are no views to show curves in")
        set_enabled(button, missing or no_views, tip)

    @slot
    def on_tell(self) -> None:
        """Tell the dose, and show what was found."""
        if self.panel.isRunning or self._why_not():
            return
        if not self.panel.fit.agreed(doses=True):
            self.panel.say(_("Nothing was changed."))
            return
        with self.panel.running():
            self._tell()

    def _tell(self) -> None:
        state, result, key = self.state, self.panel.result(), self.asked()
        shown = self.panel.settings()
        try:
            made = self.logic.tellDose(
                result,
                self.chosen,
                self.fractions,
                prescription=state.prescription or None,
                quantity=state.doseQuantity.value,
                alphaBeta=state.alphaBeta,
                method=shown.method,
                target=shown.target,
                threshold=state.threshold / 100,
                **{name: getattr(state, parameter) for parameter, name in DOSE_OUTPUTS.items()},
                progress=self.panel.apply.on_progress,
                cancelled=lambda: self.panel.cancelRequested,
            )
        except Cancelled:
            self.panel.say(_("Stopped; the scene is as it was."))
            return
        for parameter, name in DOSE_OUTPUTS.items():
            setattr(state, parameter, getattr(made, name))
        self.panel.resultSets.keep()
        self._answers.keep(made, key)
        units = pluralize(len(result.scanResult.units), result.scanResult.task.unit)
        self.panel.say(_("Dose of {units} told.").format(units=units))

    def asked(self) -> tuple:
        """Changes when what is told would."""
        state, shown = self.state, self.panel.settings()
        doses = [(node.GetID(), image_key(node)) for node in self.chosen]
        quantity = (state.doseQuantity.value, state.doseQuantity.value != PHYSICAL and state.alphaBeta)
        return (*doses, *self.fractions, state.prescription, *quantity, shown.method, shown.target, state.threshold)

    def old(self) -> str:
        """That the doses belong to what was chosen before."""
        return _("These doses belong to what was chosen before: press “Tell the dose”.")

    @slot
    def on_curves(self) -> None:
        """Show the curves in a view, or go back."""
        if not self._way_back.go():
            before = views.current_layout()
            curve_view.show_curves(self.state.doseCurveChart)
            self._way_back.remember(before)
        self._refresh_views_button()
        self.panel.compare.refresh()
        self.panel.methodViews.refresh()

    def cells(self, row: dict) -> tuple[str, ...]:
        """Region, and its doses."""
        return region_text(row), *(gray_text(row[name]) for name in COLUMNS)

    def details(self, row: dict) -> str:
        """Further measures, or why there are none."""
        return details_text(row)

    def show(self) -> None:
        """Words, table and curves of the chosen lesion."""
        table = self.state.doseTable
        notes = (table.GetAttribute(PREFIX + NOTES) or "") if self._rows and table is not None else ""
        self.table.visible = bool(self._rows)
        said = (self.stale(), answers_text(self._contrasts, self._lesion))
        self.ui.doseLabel.text = "\n".join(filter(None, said))
        self.ui.doseLabel.visible = bool(self.ui.doseLabel.text)
        self.ui.doseNotesLabel.text = "\n".join(filter(None, (unit_text(self._rows), notes)))
        self.ui.doseNotesLabel.visible = bool(self.ui.doseNotesLabel.text)
        names = {self._lesion: self._lesion or "", ACTIVATED: _("activated"), REST: _("rest")}
        columns = (self._lesion, *(f"{self._lesion}, {region}" for region in (ACTIVATED, REST)))
        there = [(c, name) for c, name in zip(columns, names.values(), strict=True) if c in (self._curves or [{}])[0]]
        axis = _("Dose (Gy)") if not self._rows else _("Dose ({unit})").format(unit=self._rows[0]["quantity"])
        at = [row[X_COLUMN] for row in self._curves]
        self.plot.show_curves(axis, at, [Curve(name, tuple(row[c] for row in self._curves)) for c, name in there])
