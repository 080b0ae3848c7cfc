"""Section: Apply, its progress, and Cancel."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from ..core.errors import Cancelled
from .result_cache import OUTPUTS, Run
from .section import Section, set_enabled, slot

LOCKED = (
    "parameterSetSelector",
    "inputsCollapsibleButton",
    "explanationCollapsibleButton",
    "outputsCollapsibleButton",
    "resultsCollapsibleButton",
    "compareCollapsibleButton",
    "exportCollapsibleButton",
    "trainCollapsibleButton",
)


class Apply(Section):
    """The button that runs, and, while it runs, cancels."""

    def set_up(self) -> None:
        """Connect the button."""
        self.ui.progressBar.visible = False
        self.ui.applyButton.connect("clicked(bool)", self.on_apply)

    def refresh(self) -> None:
        """Apply says what is missing."""
        set_enabled(self.ui.applyButton, self.what_is_missing(), _("Predict and explain every lesion"))

    def what_is_missing(self) -> str:
        """Why Apply cannot be pressed, or an empty text."""
        if self.state is None or not self.state.inputVolume:
            return _("Choose the MRI first")
        if not self.state.inputSegmentation:
            return _("Choose the segmentation of the lesions first")
        chosen = self.panel.lesionList.chosen_ids()
        if chosen is not None and not chosen:
            return _("Tick at least one lesion first")
        if self.ui.modelComboBox.currentIndex < 0:
            return _("Choose a model first")
        return ""

    @slot
    def on_apply(self) -> None:
        """Run, or, while it runs, cancel."""
        if self.panel.isRunning:
            self.panel.cancelRequested = True
            self.panel.say(_("Stopping..."))
            self.ui.applyButton.enabled = False
            return
        if self.what_is_missing():
            self.panel.refresh()
            return
        with self.panel.running():
            self._run()

    def _run(self) -> None:
        state = self.state
        try:
            self.logic.ensureDependencies(needed=("torch", "safetensors"), tell=self.tell)
            key = self.panel.inputsKey()
            result = self.logic.explain(
                **self.panel.inputs(),
                **self.panel.settings(),
                **{name: getattr(state, parameter) for parameter, name in OUTPUTS.items()},
                progress=self.on_progress,
                cancelled=lambda: self.panel.cancelRequested,
            )
        except Cancelled:
            self.panel.say(_("Stopped; the scene is as it was."))
            return
        settings = tuple(self.panel.settings().items())
        for parameter, name in OUTPUTS.items():
            setattr(state, parameter, getattr(result, name))
        self.panel.runs.keep(state, Run(result, key, settings))
        self.panel.results.show_new(result)
        self.panel.say("\n".join([self._done(result), *result.warnings]))

    def _done(self, result) -> str:
        count = len(result.scanResult.lesions)
        return _("1 lesion explained.") if count == 1 else _("{count} lesions explained.").format(count=count)

    def tell(self, text: str) -> None:
        """Show what is being done."""
        self.panel.say(text)
        slicer.app.processEvents()

    def on_progress(self, fraction: float, text: str) -> None:
        """Show progress, and let the user press Cancel."""
        self.ui.progressBar.value = int(100 * fraction)
        self.tell(text)

    def show_running(self, running: bool) -> None:
        """Switch between ready and running: Apply becomes Cancel, everything else waits."""
        for name in LOCKED:
            getattr(self.ui, name).enabled = not running
        self.ui.progressBar.visible = running
        self.ui.progressBar.value = 0
        self.ui.applyButton.text = _("Cancel") if running else _("Apply")
        self.ui.applyButton.enabled = True
        self.ui.applyButton.toolTip = _("Stop; the scene stays as it was") if running else ""
