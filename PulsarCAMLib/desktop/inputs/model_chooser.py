"""Section: the model, its card, and installing others."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from ...core.errors import PulsarCAMError
from ...systems.registry import system_of
from ..section import Section, set_enabled, slot
from .card_page import card_page


class ModelChooser(Section):
    """Combo box of installed models by title, and the buttons under it."""

    def set_up(self) -> None:
        """List the installed models."""
        self._names, self._shown, self._card_dialog, self._system = [], None, None, None
        self._origin = None, ""
        self.ui.resultsCollapsibleButton.connect("contentsCollapsed(bool)", self.on_results_folded)
        self.ui.modelComboBox.connect("currentIndexChanged(int)", self.on_chosen)
        self.ui.modelCardButton.connect("clicked(bool)", self.on_card)
        self.ui.modelAddFolderButton.connect("clicked(bool)", self.on_add_folder)
        self.ui.modelAddZipButton.connect("clicked(bool)", self.on_add_zip)
        self.ui.modelRemoveButton.connect("clicked(bool)", self.on_remove)
        self.list_models()

    def list_models(self) -> None:
        """Read again which models are installed."""
        self._names = self.logic.modelNames()
        combo = self.ui.modelComboBox
        was_blocked = combo.blockSignals(True)
        combo.clear()
        combo.addItems([self._title(name) for name in self._names])
        combo.blockSignals(was_blocked)
        self._shown = self._system = None
        self._origin = None, ""

    def system(self):
        """That of the chosen model; the one that PulsarCAM began with where the model is gone."""
        name = self.state.model if self.state is not None else ""
        if self._system is None or self._system[0] != name:
            try:
                card = self.logic.modelCard(name)
                self._system = name, card.system, card.preprocessing
            except PulsarCAMError:
                self._system = name, system_of(), None
        return self._system[1]

    def preprocessing(self):
        """That of the chosen model's card; None where the model is gone."""
        self.system()
        return self._system[2]

    def refresh(self) -> None:
        """Show the chosen model, and where it comes from."""
        name = self.state.model
        index = self._names.index(name) if name in self._names else -1
        combo = self.ui.modelComboBox
        if combo.currentIndex != index:
            was_blocked = combo.blockSignals(True)
            combo.currentIndex = index
            combo.blockSignals(was_blocked)
        self._show_origin(name)
        if name == self._shown:
            return
        self._shown = name
        none = "" if index >= 0 else _("Choose a model first")
        set_enabled(self.ui.modelCardButton, none, _("What the model was trained on, and how good it is"))
        fixed = "" if none or self.logic.isModelRemovable(name) else _("This model comes with PulsarCAM and stays")
        set_enabled(self.ui.modelRemoveButton, none or fixed, _("Delete the chosen model from this computer"))

    def _show_origin(self, name: str) -> None:
        """What the model is worth, unless the results below say so already."""
        if self._origin[0] != name:
            self._origin = name, self.logic.modelOrigin(name)
        verdict = "" if self.ui.resultsCollapsibleButton.collapsed else self.panel.results.verdict()
        lines = self._origin[1].split("\n")
        self.ui.modelOriginLabel.text = "\n".join(line for line in lines if line != verdict)

    @slot
    def on_results_folded(self) -> None:
        """What they say stands here while they are folded."""
        if self.state is not None and not self.panel.isRunning:
            self._show_origin(self.state.model)

    @slot
    def on_chosen(self) -> None:
        """The user chose a model."""
        index = self.ui.modelComboBox.currentIndex
        if self.state is not None and index >= 0:
            self.state.model = self._names[index]

    @slot
    def on_card(self) -> None:
        """Show the card; the panel can be used meanwhile."""
        card = self.logic.modelCard(self.state.model)
        if self._card_dialog is None:
            self._card_dialog, self._card_browser = self._make_card_dialog()
        self._card_dialog.windowTitle = card.title
        self._card_browser.setHtml(card_page(card))
        self._card_dialog.show()

    @slot
    def on_add_folder(self) -> None:
        """Ask for a bundle's folder and install it."""
        self.add(self.panel.dialogs.folder(_("Folder of a model bundle")))

    @slot
    def on_add_zip(self) -> None:
        """Ask for a bundle's zip file and install it."""
        self.add(self.panel.dialogs.zip_file(_("Zip file of a model bundle")))

    def add(self, path: str) -> None:
        """Install a model and choose it; an empty path (nothing chosen) does nothing."""
        if not path:
            return
        with slicer.util.WaitCursor():
            name = self.logic.addModel(path)
        self.list_models()
        self.state.model = name
        self.panel.refresh()
        self.panel.say(_("The model “{title}” was installed.").format(title=self._title(name)))

    @slot
    def on_remove(self) -> None:
        """Delete the chosen model, after a question."""
        name = self.state.model
        question = _("Delete the model “{title}” from this computer?").format(title=self._title(name))
        if self.panel.dialogs.agree(question, _("PulsarCAM - remove a model")):
            self.remove(name)

    def remove(self, name: str) -> None:
        """Delete a model and choose another."""
        title = self._title(name)
        self.logic.removeModel(name)
        self.list_models()
        if self.state.model == name and name not in self._names:
            self.state.model = self._names[0] if self._names else ""
        self.panel.refresh()
        self.panel.say(_("The model “{title}” was removed.").format(title=title))

    def _title(self, name: str) -> str:
        try:
            title = self.logic.modelCard(name).title
        except PulsarCAMError:
            return _("{name} (damaged)").format(name=name)
        return title if [n for n in self._names if n != name and n == title] == [] else f"{title} ({name})"

    def _make_card_dialog(self):
        dialog = qt.QDialog(self.panel.parent)
        layout = qt.QVBoxLayout(dialog)
        browser = qt.QTextBrowser()
        close = qt.QPushButton(_("Close"))
        close.connect("clicked()", dialog.hide)
        row = qt.QHBoxLayout()
        row.addStretch(1)
        row.addWidget(close)
        layout.addWidget(browser)
        layout.addLayout(row)
        dialog.resize(560, 520)
        return dialog, browser
