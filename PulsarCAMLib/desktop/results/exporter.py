"""Section: files to take away."""

from __future__ import annotations

from slicer.i18n import tr as _

from ...core.errors import Cancelled
from ..section import Section, set_enabled, slot


class Exporter(Section):
    """What is written, and the button that asks where."""

    def set_up(self) -> None:
        """Connect the button."""
        self._folder = ""
        self.ui.exportButton.connect("clicked(bool)", self.on_export)

    def refresh(self) -> None:
        """Export says why it cannot be pressed."""
        chosen = self.files()
        nothing = "" if any(value is True for value in chosen.values()) else _("Tick at least one kind of file first")
        tip = _("Choose a folder and write the files ticked above into it")
        set_enabled(self.ui.exportButton, self.panel.whyNoResult() or nothing, tip)

    def files(self) -> dict[str, object]:
        """What is ticked, as the logic's export takes it."""
        return {
            "images": self.state.exportFormat.value,
            "heat_map": self.state.exportHeatMap,
            "sub_regions": self.state.exportSubRegions,
            "tables": self.state.exportTables,
            "report": self.state.exportReport,
        }

    @slot
    def on_export(self) -> None:
        """Ask where, and before files are replaced."""
        folder = self.panel.dialogs.folder(_("Export into this folder"), self._folder)
        if not folder:
            return
        there = self.logic.existingFiles(
            self.panel.result(), folder, self.panel.compare.current(), settings=self.panel.settings(), **self.files()
        )
        question = _("These files are there already and will be replaced:\n{names}").format(names="\n".join(there))
        if there and not self.panel.dialogs.agree(question, _("PulsarCAM - export")):
            return
        self._folder = folder
        self.export(folder, overwrite=bool(there))

    def export(self, folder: str, overwrite: bool = False) -> None:
        """Write the files."""
        if self.state.exportReport:
            self.logic.ensureDependencies(needed=("matplotlib", "jinja2"), onProgress=self.panel.apply.show_step)
        result, settings, files = self.panel.result(), self.panel.settings(), self.files()
        with self.panel.running():
            try:
                paths = self.logic.export(
                    result,
                    folder,
                    settings=settings,
                    **files,
                    comparison=self.panel.compare.current(),
                    overwrite=overwrite,
                    progress=self.panel.apply.on_progress,
                    cancelled=lambda: self.panel.cancelRequested,
                )
            except Cancelled:
                self.panel.say(_("Stopped; nothing was written."))
                return
        self.panel.say(_("{count} files written to {folder}").format(count=len(paths), folder=folder))
