"""The end of “Train on a cohort”: how good the new model is, its report, and its place in the list of models."""

from __future__ import annotations

from pathlib import Path

import qt
from slicer.i18n import tr as _

from ...core.errors import PulsarCAMError
from ..section import slot
from .parameters import report_of


class TrainEnd:
    """Result, “Use this model” and “Open report”; hidden until there is something to show.

    Args:
        section: of the panel.
    """

    def __init__(self, section) -> None:
        self.panel = section.panel
        self.ui = section.ui
        self._logic = section.logic
        self._output, self._model = Path(), ""
        self.ui.trainUseButton.connect("clicked(bool)", self.on_use)
        self.ui.trainReportButton.connect("clicked(bool)", self.on_report)
        self._show("")

    def hide(self) -> None:
        """Something new begins."""
        self._show("")

    def show(self, output: Path, warnings: list[str]) -> None:
        """A model is ready: the verdict in a sentence, a small table, and what the training warned of.

        Args:
            output: folder of the bundle.
            warnings: of the training.
        """
        from ...outputs.training_end import as_html, end_rows

        self._output = output
        self._model, where = self._register()
        rows = []
        try:
            card = self._logic.modelCard(str(output))
        except PulsarCAMError as error:
            first = str(error)
        else:
            first, rows = card.verdict.sentence, end_rows(card)
        self._show(as_html(first, rows, [note for note in (*warnings, where) if note != first]))

    def _show(self, text: str) -> None:
        ui = self.ui
        ui.trainResultLabel.text = text
        ui.trainResultLabel.visible = bool(text)
        ui.trainUseButton.visible = bool(text and self._model)
        ui.trainReportButton.visible = bool(text) and report_of(self._output).is_file()

    def _register(self) -> tuple[str, str]:
        """Copy the bundle to the user's models, for its folder may be moved or deleted; its name, and a sentence."""
        try:
            card = self._logic.modelCard(str(self._output))
            there = card.name in self._logic.modelNames() and self._logic.modelCard(card.name).sha256 == card.sha256
            name = card.name if there else self._logic.addModel(str(self._output))
        except PulsarCAMError as error:
            return "", str(error)
        self.panel.models.list_models()
        return name, _("The model is in the list of models under “Inputs”.")

    @slot
    def on_use(self) -> None:
        """Choose the new model."""
        self.panel.state.model = self._model
        self.panel.refresh()

    @slot
    def on_report(self) -> None:
        """Show the report in the browser."""
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(report_of(self._output))))
