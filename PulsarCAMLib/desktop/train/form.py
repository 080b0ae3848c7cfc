"""The upper half of “Train on a cohort”: table, findings, folder, settings."""

from __future__ import annotations

import re
from pathlib import Path

import ctk
from slicer.i18n import tr as _

from ..section import slot, slot_with_value
from . import findings as findings
from .parameters import is_unfinished, output_of, what_is_wrong

PATHS = {"trainTable": "trainTablePathLineEdit", "trainFolder": "trainFolderPathLineEdit"}
LOCKED = ("trainTablePathLineEdit", "trainOptionsWidget")


class TrainForm:
    """What the parameter node's binding cannot do: paths, and what the last check found.

    Args:
        section: of the panel.
    """

    check_tip = _("Read everything that the table names and list all that is wrong with it; nothing is written")

    def __init__(self, section) -> None:
        self.panel = section.panel
        self.ui = section.ui
        self._section = section
        self._found, self._checked, self._shown = None, None, {}
        ui = self.ui
        ui.trainTablePathLineEdit.filters = ctk.ctkPathLineEdit.Files
        ui.trainTablePathLineEdit.nameFilters = [_("Cohort tables") + " (*.csv *.xlsx *.CSV *.XLSX)"]
        ui.trainFolderPathLineEdit.filters = ctk.ctkPathLineEdit.Dirs
        ui.trainTablePathLineEdit.connect("currentPathChanged(QString)", self.on_table)
        ui.trainFolderPathLineEdit.connect("currentPathChanged(QString)", self.on_folder)
        for name in PATHS.values():  # an empty field, or another ending, is no changed path to CTK
            getattr(ui, name).connect("validInputChanged(bool)", self.on_typed)
        ui.trainMoreGroupBox.collapsed = True
        findings.prepare(ui.trainFindingsTable)
        self.show_findings([], "")

    @slot_with_value
    def on_table(self, path: str) -> None:
        """The user chose a table: propose where the model is made."""
        state = self._section.state
        if state is None or path == state.trainTable:
            return
        modifying = state.StartModify()
        try:
            state.trainTable = path
            if Path(path).is_file():
                state.trainFolder = state.trainFolder or str(Path(path).resolve().parent)
                state.trainName = state.trainName or _proposed(Path(path).stem)
        finally:
            state.EndModify(modifying)

    @slot_with_value
    def on_folder(self, path: str) -> None:
        """The user chose a folder."""
        state = self._section.state
        if state is not None and path != state.trainFolder:
            state.trainFolder = path

    @slot
    def on_typed(self) -> None:
        """What stands in the fields now is what counts, not the last text that looked like a path."""
        self.on_table(self.ui.trainTablePathLineEdit.currentPath)
        self.on_folder(self.ui.trainFolderPathLineEdit.currentPath)

    def refresh(self) -> None:
        """Show the paths, and findings only as long as they are those of this table."""
        for parameter, name in PATHS.items():
            widget, path = getattr(self.ui, name), getattr(self._section.state, parameter)
            is_new, self._shown[name] = self._shown.get(name) != path, path
            if is_new and widget.currentPath != path:  # else somebody is typing what is no path yet
                was_blocked = widget.blockSignals(True)
                widget.currentPath = path
                widget.blockSignals(was_blocked)
        if self._found is not None and self._checked != self.key():
            self.show_findings([], "")

    def lock(self, running: bool) -> None:
        """What is shown while something runs is what runs."""
        for name in LOCKED:
            getattr(self.ui, name).enabled = not running

    def key(self) -> list:
        """Changes when the findings would, as far as the table itself tells."""
        state = self._section.state
        path = Path(state.trainTable.strip())
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            changed = 0
        return [str(path), changed, state.trainShrinkage, self.panel.models.system().name]

    def is_checked(self) -> bool:
        """Whether this table, as it is, was checked and has no errors."""
        return self._found is not None and self._checked == self.key() and not self.errors()

    def errors(self) -> int:
        """How many the last check found."""
        return findings.count(self._found or [], findings.ERROR)

    def why_no_check(self) -> str:
        """Why the table cannot be checked, or an empty text."""
        state = self._section.state
        there = state is not None and state.trainTable.strip() and Path(state.trainTable.strip()).is_file()
        return "" if there else _("Choose the cohort table first")

    def why_not(self) -> str:
        """Why a training cannot be begun, or an empty text."""
        state = self._section.state
        if state is None:
            return _("The panel is closed")
        reason = what_is_wrong(state)
        if reason:
            return reason
        if is_unfinished(output_of(state)):
            return _("A training of that name was stopped: press Resume, or choose another name")
        if state.trainName.strip() in self._section.logic.modelNames():
            return _("A model of that name is installed already: choose another name")
        if self._found is not None and self._checked == self.key() and self.errors():
            return _("Put right the errors in the table, then check it again")
        return ""

    def checked(self, key: list, found: list[dict[str, str]], said: str) -> None:
        """Show what a check found.

        Args:
            key: of the table that was checked.
            found: one row per finding.
            said: how many lesions there are.
        """
        self._checked = key
        self.show_findings(found, said)
        self._found = found

    def show_findings(self, found: list[dict[str, str]], text: str) -> None:
        """Fill table and label; both are there only when they say something."""
        self._found = None
        findings.show(self.ui.trainFindingsTable, found)
        self.ui.trainCheckLabel.text = text
        self.ui.trainCheckLabel.visible = bool(text)


def _proposed(stem: str) -> str:
    plain = re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-._")[:50]
    return f"{plain}-model" if plain else "my-model"
