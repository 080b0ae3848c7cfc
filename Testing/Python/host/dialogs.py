"""Dialogs that would wait for a person: answered by the test, or cancelled."""

from __future__ import annotations

from .wrapping import unwrap


class Dialogs:
    """What happens instead of a dialog that would wait for a person."""

    def __init__(self) -> None:
        self.on_exec = None
        self.files: list = []
        self.shown: list[str] = []

    def clear(self) -> None:
        """Forget everything (the end of a desktop)."""
        self.on_exec = None
        self.files.clear()
        self.shown.clear()

    def execute(self, dialog) -> int:
        """``exec()``: a hook plays the person; without one the dialog is cancelled."""
        self.shown.append(getattr(dialog, "windowTitle", "") or getattr(dialog, "text", ""))
        if self.on_exec is None:
            return 0
        unwrap(dialog).show()
        try:
            answer = self.on_exec(dialog)
            return int(unwrap(dialog).result() if answer is None else answer)
        finally:
            unwrap(dialog).hide()

    def file(self, *_args):
        """The next path of :attr:`files`; an empty text is Cancel."""
        return str(self.files.pop(0)) if self.files else ""

    def many_files(self, *_args) -> tuple[str, ...]:
        """Likewise for several files."""
        return tuple(map(str, self.files.pop(0))) if self.files else ()

    def message(self, *args) -> int:
        """A message box is noted and dismissed."""
        self.shown.append(str(args[2]) if len(args) > 2 else "")
        return 0


DIALOGS = Dialogs()
REPLACED = {
    ("QFileDialog", "getOpenFileName"): DIALOGS.file,
    ("QFileDialog", "getSaveFileName"): DIALOGS.file,
    ("QFileDialog", "getExistingDirectory"): DIALOGS.file,
    ("QFileDialog", "getOpenFileNames"): DIALOGS.many_files,
    ("QDesktopServices", "openUrl"): lambda url: bool(DIALOGS.shown.append(url.toString()) or True),
} | {("QMessageBox", name): DIALOGS.message for name in ("information", "warning", "critical", "question", "about")}
