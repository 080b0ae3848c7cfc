"""Section: files to take away, and DICOM objects for planning system and archive."""

from __future__ import annotations

from slicer.i18n import tr as _

from ...core.errors import Cancelled
from ...core.pluralize import pluralize
from ...scene.reading.belonging import are_of_two_patients
from ..choices import DicomPlace
from ..section import Section, set_enabled, slot


class Exporter(Section):
    """What is written, and the button that asks where."""

    def set_up(self) -> None:
        """Connect the button."""
        self._folder = ""
        self.ui.exportButton.connect("clicked(bool)", self.on_export)

    def refresh(self) -> None:
        """Export says why it cannot be pressed, and DICOM why it cannot be ticked."""
        tip = _(
            "Structure set, segmentations, parametric maps and a structured report, and of a dose painting its RTDOSE, "
            "in the study of the MRI. Nothing else that is written carries the patient's name."
        )
        reason = self._why_no_dicom()
        wanted = self.state.exportDicom and not reason
        set_enabled(self.ui.exportDicomCheckBox, reason, tip)
        for name in ("exportDicomPlaceComboBoxLabel", "exportDicomPlaceComboBox"):
            getattr(self.ui, name).visible = wanted
        chosen = (*self.files().values(), wanted)
        nothing = "" if any(value is True for value in chosen) else _("Tick at least one kind of file first")
        tip = _("Choose a folder and write what is ticked under “What Export writes” into it")
        set_enabled(self.ui.exportButton, self.panel.whyNoResult() or nothing, tip)

    def _why_no_dicom(self) -> str:
        """Why DICOM objects cannot be made of the chosen MRI, or an empty text."""
        volume, mask = self.state.inputVolume, self.panel.images.mask()
        if volume is None:
            return _("Choose the MRI first")
        if mask is not None and are_of_two_patients(volume, mask):
            text = _("“{mask}” and “{mri}” stand under different patients: DICOM objects could be those of either")
            return text.format(mask=mask.GetName(), mri=volume.GetName())
        return self.logic.whyNoDicom(volume)

    @property
    def _wants_dicom(self) -> bool:
        return self.state.exportDicom and not self._why_no_dicom()

    def files(self) -> dict[str, object]:
        """What is ticked beside DICOM, as the logic's export takes it."""
        return {
            "images": self.state.exportFormat.value,
            "heat_map": self.state.exportHeatMap,
            "sub_regions": self.state.exportSubRegions,
            "tables": self.state.exportTables,
            "report": self.state.exportReport,
        }

    def _what(self) -> dict[str, object]:
        """All that goes into a folder, and how it is shown."""
        into_folder = self.state.exportDicomPlace == DicomPlace.FOLDER
        return self.files() | {
            "dicom": self._wants_dicom and into_folder,
            "settings": self.panel.settings(),
            "comparison": self.panel.compare.current(),
            "dose": self.panel.dose.current(),
            "painting": self.panel.painting.current(),
        }

    @slot
    def on_export(self) -> None:
        """Ask where, and before files are replaced."""
        what = self._what()
        if not any(value is True for value in what.values()):  # only DICOM, and that into the database
            self.export("", what)
            return
        if what["dicom"]:
            self.logic.ensureDicomDependencies(onProgress=self.panel.apply.show_step)
        folder = self.panel.dialogs.folder(_("Export into this folder"), self._folder)
        if not folder:
            return
        there = self.logic.existingFiles(self.panel.result(), folder, **what)
        question = _("These files are there already and will be replaced:\n{names}").format(names="\n".join(there))
        if there and not self.panel.dialogs.agree(question, _("PulsarCAM - export")):
            return
        self._folder = folder
        self.export(folder, what, overwrite=bool(there))

    def export(self, folder: str, what: dict, overwrite: bool = False) -> None:
        """Write the files, and what goes into the database.

        Args:
            folder: an existing one, or an empty text where nothing goes into a folder.
            what: arguments of the logic's export.
            overwrite: replace files of the same names.
        """
        into_database = self._wants_dicom and not what["dicom"]
        if self.state.exportReport:
            self.logic.ensureDependencies(needed=("matplotlib", "jinja2"), onProgress=self.panel.apply.show_step)
        if into_database:
            self.logic.ensureDicomDependencies(onProgress=self.panel.apply.show_step)
        result = self.panel.result()
        told = {"progress": self.panel.apply.on_progress, "cancelled": lambda: self.panel.cancelRequested}
        said = []
        with self.panel.running():
            try:
                if folder:
                    paths = self.logic.export(result, folder, overwrite=overwrite, **what, **told)
                    said.append(_("{count} files written to {folder}").format(count=len(paths), folder=folder))
                if into_database:
                    count = self.logic.addToDicomDatabase(result, what["settings"], what["painting"], **told)
                    text = _("{objects} put into Slicer's DICOM database.")
                    said.append(text.format(objects=pluralize(count, "DICOM object")))
            except Cancelled:
                said.append(_("Stopped; no more was written.") if said else _("Stopped; nothing was written."))
        self.panel.say(" ".join(said))
