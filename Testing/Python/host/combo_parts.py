"""Parts of the selectors of nodes."""

from __future__ import annotations

from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property


def flag(name: str, default: bool, on_change: str = ""):
    """A property that is on or off, and a method to call when it changes."""
    key = f"_{name}"

    def put(self, value):
        if getattr(self, key, default) != bool(value):
            setattr(self, key, bool(value))
            if on_change:
                getattr(self, on_change)()

    return Property(bool, lambda self: getattr(self, key, default), put)


def held(kind, name: str, default, on_change: str = ""):
    """A property that holds a value, and a method to call when it is set."""
    key = f"_{name}"

    def put(self, value):
        setattr(self, key, value)
        if on_change:
            getattr(self, on_change)()

    return Property(kind, lambda self: getattr(self, key, default), put)


class qMRMLSortFilterProxyModel(QtCore.QSortFilterProxyModel):  # noqa: N801 - Slicer's name
    """Of a selector: which nodes it may show beyond what it says itself."""

    changed = QtCore.Signal()
    HIDDEN = ("changed",)

    hiddenNodeIDs = held("QStringList", "hiddenNodeIDs", (), "_tell")

    def _tell(self):
        self.changed.emit()


class Elided(QtWidgets.QComboBox):
    """Wide enough for what it says without a node, as in Slicer; longer names are shortened and widen no panel."""

    def minimumSizeHint(self):
        option = QtWidgets.QStyleOptionComboBox()
        self.initStyleOption(option)
        text = QtCore.QSize(self.fontMetrics().horizontalAdvance(self.itemText(0)), self.iconSize().height())
        made = self.style().sizeFromContents(QtWidgets.QStyle.CT_ComboBox, option, text, self)
        return QtCore.QSize(made.width(), super().minimumSizeHint().height())

    sizeHint = minimumSizeHint
