"""All stand-ins of CTK's and Slicer's widgets.

Names, properties, slots and signals are those of the real ones (a test holds them to Slicer's headers).
"""

from PySide6 import QtWidgets

from .ctk_widgets import CTK
from .mrml_widgets import MRML

__all__ = ["CTK", "MRML", "QtWidgets"]
