"""Section: a model trained on the user's own lesions, in a process of its own that outlives the panel."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from ...io.progress_file import read_progress
from ...systems.contract import System
from ...systems.registry import systems
from ..jobs import Job, forget_job, latest_job, start_job
from ..section import Section, set_enabled, slot
from . import findings as findings
from .curves import CurvesLabel, read_histories
from .end import TrainEnd
from .form import TrainForm
from .parameters import (
    SYSTEM,
    arguments_of,
    check_arguments_of,
    is_unfinished,
    keep_options,
    kept_options,
    output_of,
    restore,
    run_folder_of,
    values_of,
)
from .watch import TimeLeft, in_words

POLL_MILLISECONDS = 500
STEPS = 1000
CHECK, TRAIN = "check", "train"


class Train(Section):
    """Check the table, train, stop, resume, and take the new model."""

    def set_up(self) -> None:
        """Connect the controls, and take up a job that an earlier panel, or an earlier Slicer, began."""
        self._job, self._output, self._message = None, None, ""
        self._histories, self._said_for = [], None
        self._form, self._end = TrainForm(self), TrainEnd(self)
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MILLISECONDS)
        self._timer.connect("timeout()", self.on_tick)
        ui = self.ui
        self._curves = CurvesLabel()
        self._curves.toolTip = _("Faint: each member of the ensemble; strong: their mean")
        ui.trainLayout.insertWidget(ui.trainLayout.indexOf(ui.trainResultLabel), self._curves)
        for button, act in (
            (ui.trainCheckButton, self.on_check),
            (ui.trainButton, self.on_train),
            (ui.trainResumeButton, self.on_resume),
            (ui.trainCancelButton, self.on_cancel),
        ):
            button.connect("clicked(bool)", act)
        ui.trainCollapsibleButton.connect("contentsCollapsed(bool)", self.on_opened)
        self._show_curves()
        for name in ("trainOptionsWidget", "trainButton", "trainResumeButton", "trainCancelButton", "trainProgressBar"):
            getattr(ui, name).visible = False  # until a table is chosen, or something runs
        job = latest_job()
        if job is not None:
            self._watch(job)

    def clean_up(self) -> None:
        """The panel goes; the process goes on, and the next panel takes it up."""
        self._timer.stop()

    @property
    def is_running(self) -> bool:
        """Whether a check or a training runs."""
        return self._job is not None

    def is_watching(self) -> bool:
        """Whether the timer runs."""
        return self._timer.active

    def job_folder(self) -> Path | None:
        """Folder of the job that runs."""
        return self._job.folder if self._job is not None else None

    def epochs_seen(self) -> int:
        """How many epochs the curves show."""
        return sum(map(len, self._histories))

    def arguments(self) -> list[str]:
        """Of ``pulsarcam``, for what is chosen."""
        return arguments_of(self.state, self._system())

    def refresh(self) -> None:
        """Show the parameters, and what can be pressed."""
        if self._job is not None and not self.state.trainTable:  # a new scene: what runs is still shown
            restore(self.state, self._job.facts["values"])
        if not self.is_running and self._said_for not in (None, values_of(self.state)):
            self._message, self._said_for = "", None
        self._form.refresh()
        if self.is_running or not self.ui.trainCollapsibleButton.collapsed:  # it looks at files
            self._enable()

    def _enable(self) -> None:
        ui = self.ui
        running = self.is_running
        training = running and self._job.facts["kind"] == TRAIN
        busy = (_("A training is running") if training else _("The table is being checked")) if running else ""
        reason = busy or self._form.why_not()
        self._form.lock(running)
        set_enabled(ui.trainCheckButton, busy or self._form.why_no_check(), self._form.check_tip)
        set_enabled(ui.trainButton, reason, _("Check the table, then train in a process of its own"))
        none = "" if self.state and self._can_resume() else _("There is no training of that name that was stopped")
        tip = _("Go on with the training that was stopped, with the settings with which it was begun")
        set_enabled(ui.trainResumeButton, busy or none, tip)
        tip = _("Stop; what is trained so far is kept and can be resumed")
        asked = running and self._job.was_stopped
        idle = _("It is being stopped") if asked else "" if running else _("Nothing is running")
        set_enabled(ui.trainCancelButton, idle, tip)
        chosen = bool(self.state and self.state.trainTable.strip())
        ui.trainOptionsWidget.visible = ui.trainButton.visible = chosen or running
        ui.trainResumeButton.visible = not running and not none
        ui.trainCancelButton.visible = running
        ui.trainProgressBar.visible = running
        ui.trainStatusLabel.text = self._message or ("" if running else reason)
        ui.trainStatusLabel.visible = bool(ui.trainStatusLabel.text)

    def _can_resume(self) -> bool:
        output = output_of(self.state)
        return bool(self.state.trainTable) and output is not None and is_unfinished(output)

    def _system(self, name: str = "") -> System:
        """Whose network is trained: the chosen model's system, or that of a name where it is still known."""
        known = {system.name: system for system in systems()}
        return known.get(name) or self.panel.models.system()

    @slot
    def on_opened(self) -> None:
        """Somebody opened the section: files may have changed meanwhile."""
        if self.state is not None and not self.ui.trainCollapsibleButton.collapsed:
            self.refresh()

    @slot
    def on_check(self) -> None:
        """Check the table."""
        if not self.is_running:
            self._install(findings.needed_for(self.state.trainTable))
            self._start_check(then=None)

    @slot
    def on_train(self) -> None:
        """Train; a table that nobody has checked, or that was changed since, is checked first."""
        if self.is_running or self._form.why_not():
            self.refresh()
            return
        self._install(None)
        training = self._training(self._system(), resume=False)
        if self._form.is_checked():
            self._start_training(training)
        else:
            self._start_check(then=training)

    @slot
    def on_resume(self) -> None:
        """Go on where a training was stopped, with its own settings."""
        if not self.is_running and self._can_resume():
            kept = kept_options(run_folder_of(output_of(self.state)))
            restore(self.state, kept)
            self._install(None)
            self._start_training(self._training(self._system(kept.get(SYSTEM, "")), resume=True))

    @slot
    def on_cancel(self) -> None:
        """Stop what runs."""
        if self.is_running:
            self._job.stop()
            self._say(_("Stopping..."))

    def _start_check(self, then: dict | None) -> None:
        """Check the table; ``then``, if nothing is wrong, train, even if the panel is closed meanwhile."""
        facts = {"kind": CHECK, "values": values_of(self.state), "then": then, "key": self._form.key()}
        options = check_arguments_of(self.state, self._system())
        self._form.show_findings([], "")
        self._start(lambda folder: [*options, f"--output={folder / findings.FILE}"], facts)

    def _training(self, system: System, resume: bool) -> dict:
        """What is to be trained, as JSON values."""
        values = values_of(self.state) | {SYSTEM: system.name}
        facts = {"kind": TRAIN, "values": values, "output": str(output_of(self.state))}
        return {"arguments": arguments_of(self.state, system, resume), "facts": facts}

    def _start_training(self, training: dict) -> None:
        self._histories = []
        self._show_curves()
        self._start(lambda _folder: training["arguments"], training["facts"])

    def _install(self, needed) -> None:
        """Installing lets events through: nobody shall press twice meanwhile."""
        for button in (self.ui.trainCheckButton, self.ui.trainButton, self.ui.trainResumeButton):
            button.enabled = False
        try:
            more = self._system().requirements if needed is None else ()  # a check of the table needs no network
            self.logic.ensureTrainingDependencies(needed, onProgress=self._show_step, more=more)
        finally:
            self._enable()

    def _show_step(self, text: str) -> None:
        self._say(text)
        slicer.app.processEvents()

    def _start(self, arguments, facts: dict) -> None:
        self._end.hide()
        self._watch(start_job(arguments, facts))

    def _watch(self, job: Job) -> None:
        self._job, self._time_left, self._kept = job, TimeLeft(), False
        self._output = Path(job.facts["output"]) if job.facts["kind"] == TRAIN else None
        bar = self.ui.trainProgressBar
        bar.maximum = STEPS if self._output else 0  # 0: a bar that only says that something is going on
        bar.value = 0
        self._message = _("Starting...") if self._output else _("Reading everything that the table names...")
        if self.state is not None:
            self.refresh()
        self._timer.start()

    @slot
    def on_tick(self) -> None:
        """Look how far it is."""
        job = self._job
        if job is None:
            self._timer.stop()
        elif job.poll():
            self._show_progress()
        else:
            self._timer.stop()
            self._show_progress()
            self._job, self._message = None, ""
            try:
                (self._training_ended if self._output else self._check_ended)(job)
            finally:
                forget_job(job)
                self._said_for = values_of(self.state) if self.state is not None else None
                self._show_ready()

    def _show_ready(self) -> None:
        if self.state is None:  # the user is in another module: shown when the panel is entered
            self.ui.trainProgressBar.visible = False
            return
        self._enable()
        self.panel.refresh()

    def _show_progress(self) -> None:
        if self._output is None:
            return
        run_folder = run_folder_of(self._output)
        progress = read_progress(run_folder)
        if progress is not None:
            self.ui.trainProgressBar.value = round(STEPS * progress.overall)
            if not self._kept:
                self._kept = True
                keep_options(run_folder, self._job.facts["values"])
        found = read_histories(run_folder)
        if found and found != self._histories:  # at its end a training takes its folder away: the curves stay
            self._histories = found
            self._show_curves()
        if not self._job.was_stopped:
            left = self._time_left.seconds(progress.overall) if progress else None
            other = self.state is None or self._output != output_of(self.state)
            self._say((f"“{self._output.name}”: " if other else "") + in_words(progress, left))

    def _check_ended(self, job: Job) -> None:
        found = findings.read_findings(job.folder / findings.FILE)
        if job.was_stopped:
            self._message = _("Stopped.")
        elif found is None:
            self._message = job.error()
        else:
            self._form.checked(job.facts["key"], found, job.output())
            if job.facts["then"] and not found:
                self._start_training(job.facts["then"])
            elif job.facts["then"] and not self._form.errors():
                self._message = _("Read the warnings; press Train again to train all the same.")

    def _training_ended(self, job: Job) -> None:
        if job.code == 0:
            self._message = _("The model is ready.")
            self._end.show(self._output, job.warnings())
            return
        left = is_unfinished(self._output)
        resume = _("What is trained so far is kept: press Resume to go on.") if left else ""
        said = _("Stopped.") if job.was_stopped else job.error()
        self._message = " ".join(filter(None, [said, resume]))

    def _say(self, text: str) -> None:
        self._message = text
        self.ui.trainStatusLabel.text = text
        self.ui.trainStatusLabel.visible = bool(text)
        if self.state is not None and self._job is not None and self._job.was_stopped:
            self._enable()

    def _show_curves(self) -> None:
        self._curves.histories = self._histories
        self._curves.visible = bool(self._histories)
        self._curves.draw()
