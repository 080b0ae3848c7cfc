"""Section: how the result is shown; a change is shown at once, without computing anew."""

from __future__ import annotations

from slicer.i18n import tr as _

from ..core.map_methods import SIGNED
from .section import Section, set_enabled


class LiveExplanation(Section):
    """Class, method, values, threshold: written into the nodes that are there."""

    def set_up(self) -> None:
        """Nothing is connected by hand: the parameter node binds the controls."""
        self._busy = False

    def refresh(self) -> None:
        """Rewrite the nodes if a setting changed since they were written."""
        signed = self.state.method.value == SIGNED
        both = _("The signed map shows both classes at once: positive for response, negative for non-response")
        tip = _("The class whose evidence is shown. High values speak for this class.")
        set_enabled(self.ui.targetComboBox, both if signed else "", tip)
        run = self.panel.runs.of(self.state)
        if run is None or self._busy:
            return
        if self.panel.whyNoResult():
            return
        settings = self.panel.settings()
        shown = tuple(settings.items())
        if shown == run.shown or not self.state.updateAtOnce:
            return
        self._busy = True
        before = dict(run.shown)
        run.shown = shown  # first: an error is told once, not at every further change
        try:
            only_threshold = all(before[name] == value for name, value in settings.items() if name != "threshold")
            self.logic.update(run.result, **settings, onlyThreshold=only_threshold)
            if not only_threshold:
                self.panel.results.show_look(anew=True)
                self.panel.tools.compare_anew()
        except Exception as error:
            self.panel.showError(error)
        finally:
            self._busy = False

    def note(self) -> str:
        """What the user should know about the settings, or an empty text."""
        run = self.panel.runs.of(self.state)
        if run is None:
            return ""
        if self.panel.isStale():
            return _("The inputs changed since the last result: press Apply.")
        if tuple(self.panel.settings().items()) != run.shown:
            return _("The settings changed since the last result: tick “Update at once” or press Apply.")
        return ""
