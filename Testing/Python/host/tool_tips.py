"""Tool tips as Slicer keeps them."""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets


def as_kept(target, name: str, value):
    """The value of a property, which is another one for a widget's plain tool tip.

    The application's ``ctkToolTipTrapper`` makes rich text of it as soon as it is set, so that it wraps. Here it is
    done when it is read: Python cannot tell, and it holds for tips that .ui files, actions and Qt itself set.
    """
    if name != "toolTip" or not isinstance(target, QtWidgets.QWidget) or not value:
        return value
    if QtGui.Qt.mightBeRichText(value):
        return value
    return QtGui.Qt.convertFromPlainText(value, QtCore.Qt.WhiteSpaceNormal)
