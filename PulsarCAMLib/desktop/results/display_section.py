"""Section: how the result is shown; a change is shown at once, without computing anew."""

from __future__ import annotations

from dataclasses import fields

import qt
from slicer.i18n import tr as _

from ...cli.explain.map_choices import told
from ...core.display import DisplaySettings, Threshold
from ...core.task import Task
from ..choices import Choice, chosen, class_choices, cost_text, input_choices, method_choices
from ..section import Section, set_enabled, slot_with_value

WRITTEN_ALWAYS = "statistic"
"""Mean and spread are both in the scene: which of them lies over the image changes no node."""


class DisplaySection(Section):
    """Class, method, values, threshold: written into the nodes that are there."""

    def set_up(self) -> None:
        """Method and class follow the chosen model; the parameter node binds the other controls."""
        self._busy, self._system, self._methods, self._classes, self._inputs = False, None, [], [], []
        self.ui.methodComboBox.connect("currentIndexChanged(int)", self.on_method)
        self.ui.targetComboBox.connect("currentIndexChanged(int)", self.on_class)
        self.ui.mapInputComboBox.connect("currentIndexChanged(int)", self.on_input)

    def method(self) -> Choice:
        """The method that is chosen."""
        self._follow_model()
        return chosen(self._methods, self.state.method, self._system.usual_maps[0])

    def target(self) -> Choice:
        """The class that is chosen."""
        self._follow_model()
        return chosen(self._classes, self.state.target, self._system.task.explained)

    def map_input(self) -> Choice:
        """The input whose map alone is chosen; all together where the method, or what is chosen, has one map only."""
        system = self.panel.models.system()
        there = [role.name for role in system.image_inputs if self.panel.images.node_of(role)]
        able = system.method(self.method().value).by_input
        self._inputs = input_choices(system.mapped_inputs(self.panel.models.preprocessing(), there) if able else ())
        return chosen(self._inputs, self.state.mapInput, "")

    def map_settings(self) -> str:
        """What is written of the chosen method's settings; nothing where it has none."""
        has_some = self.panel.models.system().method(self.method().value).choices is not None
        return self.state.mapSettings if has_some else ""

    def settings(self) -> DisplaySettings:
        """All that the panel says of how a result is shown; the one place where per cent become a threshold."""
        state = self.state
        return DisplaySettings(
            method=self.method().value,
            target=self.target().value,
            statistic=state.statistic.value,
            normalisation=state.normalisation.value,
            restrict=state.restrict,
            threshold=Threshold("fraction", state.threshold / 100),
            input=self.map_input().value,
        )

    @slot_with_value
    def on_method(self, index: int) -> None:
        """The user chose a method."""
        if self.state is not None and 0 <= index < len(self._methods):
            self.state.method = self._methods[index].saved

    @slot_with_value
    def on_class(self, index: int) -> None:
        """The user chose a class."""
        if self.state is not None and 0 <= index < len(self._classes):
            self.state.target = self._classes[index].saved

    @slot_with_value
    def on_input(self, index: int) -> None:
        """The user chose whose map."""
        if self.state is not None and 0 <= index < len(self._inputs):
            self.state.mapInput = self._inputs[index].saved

    def refresh(self) -> None:
        """Rewrite the nodes if a setting changed since they were written."""
        self._show_choices()
        run = self.panel.resultCache.of(self.state)
        if run is None or self._busy or self.panel.whyNoResult():
            return
        settings = self.panel.settings()
        changed = _changed(run.shown, settings)
        if not changed or not self.state.updateAtOnce or self._not_computed(run):
            return
        self._busy = True
        run.shown = settings  # first: an error is told once, not at every further change
        try:
            only_threshold = changed == {"threshold"}
            self.logic.update(run.result, settings=settings, onlyThreshold=only_threshold)
            if not only_threshold:
                self.panel.overlay.show_look(anew=True)
                self.panel.methodViews.compare_anew()
        except Exception as error:
            self.panel.showError(error)
        finally:
            self._busy = False

    def note(self) -> str:
        """What the user should know about the settings, or an empty text."""
        run = self.panel.resultCache.of(self.state)
        if run is None:
            return self._cost()
        if self.panel.isStale():
            return _("The inputs changed since the last result: press Apply.")
        if not _changed(run.shown, self.panel.settings()):
            return ""
        if self._not_computed(run):
            said = _("{method} is computed when it is asked for: press Apply.").format(method=self.method().label)
            return " ".join(filter(None, (said, self._cost())))
        return _("The settings changed since the last result: tick “Show changes at once” or press Apply.")

    def _cost(self) -> str:
        """What the chosen method costs, where that is worth a thought before Apply."""
        text = cost_text(self._system.method(self.method().value), self._system)
        return f"{text}." if text else ""

    def _not_computed(self, run) -> bool:
        """Whether the chosen method takes another pass of the model."""
        return self.method().value not in run.result.scanResult.units[0].methods

    def _follow_model(self) -> None:
        system = self.panel.models.system()
        if self._system is not system:
            self._system = system
            self._methods, self._classes = method_choices(system), class_choices(system.task)

    def _show_choices(self) -> None:
        method, target, of_input = self.method(), self.target(), self.map_input()
        for box, choices, choice in (
            (self.ui.methodComboBox, self._methods, method),
            (self.ui.targetComboBox, self._classes, target),
            (self.ui.mapInputComboBox, self._inputs, of_input),
        ):
            was_blocked = box.blockSignals(True)
            if [box.itemText(n) for n in range(box.count)] != [each.label for each in choices]:
                box.clear()
                box.addItems([each.label for each in choices])
                for row, each in enumerate(choices):
                    box.setItemData(row, each.tip, qt.Qt.ToolTipRole)
            box.currentIndex = choices.index(choice)
            box.blockSignals(was_blocked)
        for widget in (self.ui.mapInputComboBoxLabel, self.ui.mapInputComboBox):
            widget.visible = len(self._inputs) > 1
        own = told(self._system.method(method.value))
        for widget in (self.ui.mapSettingsLineEditLabel, self.ui.mapSettingsLineEdit):
            widget.visible, widget.toolTip = bool(own), own or _("How the method is made; empty: as usual.")
        self.ui.methodComboBox.toolTip = self.ui.methodComboBoxLabel.toolTip = method.tip
        signed = self._system.method(method.value).signed
        tip = _("The class whose evidence is shown. High values speak for this class.")
        set_enabled(self.ui.targetComboBox, _both_classes(self._system.task) if signed else "", tip)


def _changed(before: DisplaySettings, after: DisplaySettings) -> set[str]:
    """Names of the settings that change what nodes hold."""
    names = {field.name for field in fields(after) if getattr(before, field.name) != getattr(after, field.name)}
    return names - {WRITTEN_ALWAYS}


def _both_classes(task: Task) -> str:
    """Why a signed map needs no class."""
    others = " ".join(name for name in task.names if name != task.positive)
    text = _("The signed map shows both classes at once: positive for {positive}, negative for {negative}")
    return text.format(positive=task.positive, negative=others)
