"""Questions to the person, in one place, so that scripts and tests can answer them."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _


class Dialogs:
    """Every method returns "" or False where the person gives up.

    Args:
        parent: the widget that the dialogs belong to.
    """

    def __init__(self, parent) -> None:
        self._parent = parent

    def folder(self, title: str, start: str = "") -> str:
        """An existing folder."""
        return qt.QFileDialog.getExistingDirectory(self._parent, title, start)

    def zip_file(self, title: str) -> str:
        """An existing zip file."""
        return qt.QFileDialog.getOpenFileName(self._parent, title, "", _("Zip file") + " (*.zip)")

    def new_picture(self, title: str) -> str:
        """A PNG file to write; the dialog asks before one is replaced."""
        return qt.QFileDialog.getSaveFileName(self._parent, title, "", _("PNG picture") + " (*.png)")

    def agree(self, question: str, title: str) -> bool:
        """Whether something may be done that cannot be undone."""
        return slicer.util.confirmOkCancelDisplay(question, title)
