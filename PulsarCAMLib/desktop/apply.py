"""Section: Apply, its progress, and Cancel."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from ..core.errors import Cancelled
from ..core.inputs import MASK, InputRole
from ..core.pluralize import pluralize
from ..core.task import LESION
from .results.result_cache import OUTPUTS, CachedResult
from .section import Section, set_enabled, slot

LOCKED = (
    "inputsCollapsibleButton",
    "advancedCollapsibleButton",
    "resultsCollapsibleButton",
    "explanationCollapsibleButton",
    "compareCollapsibleButton",
    "doseCollapsibleButton",
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
        by_lesion = self.panel.models.system().task.unit == LESION
        tip = _("Predict and explain every lesion") if by_lesion else _("Predict and explain")
        set_enabled(self.ui.applyButton, self.what_is_missing(), tip)

    def what_is_missing(self) -> str:
        """Why Apply cannot be pressed, or an empty text."""
        if self.state is None:
            return _("Choose the MRI first")
        for role in self.panel.models.system().needed_inputs:
            if self.panel.images.node_of(role) is None:
                return _missing(role)
        chosen = self.panel.lesionList.chosen_ids()
        if chosen is not None and not chosen:
            return _("Tick at least one lesion first")
        if self.ui.modelComboBox.currentIndex < 0:
            return _("Choose a model first")
        return self.panel.fit.judgement().refused

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
        if not self._agreed():
            self.panel.say(_("Nothing was changed."))
            return
        with self.panel.running():
            self._run()

    def _agreed(self) -> bool:
        """Whether what would be lost may be lost."""
        taken = self.panel.resultSets.of_another()
        if taken is None:
            return self.panel.fit.agreed()
        question = _("“{output}” is a result of “{mri}” and would be overwritten. Overwrite it?")
        question = question.format(output=taken[0], mri=taken[1])
        return self.panel.dialogs.agree(question, _("PulsarCAM - Apply")) and self.panel.fit.agreed()

    def _run(self) -> None:
        state = self.state
        try:
            more = self.panel.models.system().requirements
            self.logic.ensureDependencies(needed=("torch", "safetensors"), onProgress=self.show_step, more=more)
            key = self.panel.inputsKey()
            settings = self.panel.settings()
            result = self.logic.explain(
                **self.panel.inputs(),
                settings=settings,
                stability=None if state.stability else False,
                **{name: getattr(state, parameter) for parameter, name in OUTPUTS.items()},
                progress=self.on_progress,
                cancelled=lambda: self.panel.cancelRequested,
            )
        except Cancelled:
            self.panel.say(_("Stopped; the scene is as it was."))
            return
        for parameter, name in OUTPUTS.items():
            setattr(state, parameter, getattr(result, name))
        self.panel.resultSets.keep()
        self.panel.resultCache.keep(state, CachedResult(result, key, settings))
        self.panel.overlay.show_new(result)
        self.panel.results.show_new()
        self.panel.say(
            self._done(result)
        )  # verdict and warnings stand with the results, where they do not push these away

    def _done(self, result) -> str:
        found = result.scanResult
        said = _("{units} explained.").format(units=pluralize(len(found.units), found.task.unit))
        count = len(found.warnings)
        more = _("Below the results: {remarks}.").format(remarks=pluralize(count, "warning")) if count else ""
        return " ".join(filter(None, (said, more)))

    def show_step(self, text: str) -> None:
        """Show what is being done."""
        self.panel.say(text)
        slicer.app.processEvents()

    def on_progress(self, fraction: float, text: str) -> None:
        """Show progress, and let the user press Cancel."""
        self.ui.progressBar.value = int(100 * fraction)
        self.show_step(text)

    def show_running(self, running: bool) -> None:
        """Switch between ready and running: Apply becomes Cancel, everything else waits."""
        for name in LOCKED:
            getattr(self.ui, name).enabled = not running
        self.ui.progressBar.visible = running
        self.ui.progressBar.value = 0
        self.ui.applyButton.text = _("Cancel") if running else _("Apply")
        self.ui.applyButton.enabled = True
        self.ui.applyButton.toolTip = _("Stop; the scene stays as it was") if running else ""


def _missing(role: InputRole) -> str:
    """In the words of the role."""
    if role.kind == MASK:
        return _("Choose the segmentation of the {lesions} first").format(lesions=role.title.lower())
    return _("Choose the {image} first").format(image=role.title)
