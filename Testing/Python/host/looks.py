"""Fonts and colours of the application, as somebody may have set them."""

from __future__ import annotations

from contextlib import contextmanager


@contextmanager
def large_font(points: float = 14.0):
    """As somebody has it who sees badly, or has a large screen."""
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance()
    before, large = application.font(), application.font()
    large.setPointSizeF(points)
    application.setFont(large)
    try:
        yield
    finally:
        application.setFont(before)


@contextmanager
def dark_colors():
    """The palette of Slicer's dark style."""
    from PySide6.QtGui import QColor, QPalette
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance()
    before, dark = application.palette(), QPalette()
    for role, color in {
        **dict.fromkeys((QPalette.Window, QPalette.Button), "#353535"),
        **dict.fromkeys((QPalette.Base, QPalette.ToolTipBase), "#232323"),
        QPalette.AlternateBase: "#2c2c2c",
        **dict.fromkeys((QPalette.WindowText, QPalette.Text, QPalette.ButtonText, QPalette.ToolTipText), "#e6e6e6"),
        QPalette.Highlight: "#2a82da",
    }.items():
        dark.setColor(role, QColor(color))
    for role in (QPalette.WindowText, QPalette.Text, QPalette.ButtonText):
        dark.setColor(QPalette.Disabled, role, QColor("#808080"))
    application.setPalette(dark)
    try:
        yield
    finally:
        application.setPalette(before)
