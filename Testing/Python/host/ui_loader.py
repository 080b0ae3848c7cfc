"""``qt.QUiLoader`` that knows the stand-in widgets and their MRML signals."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache

from PySide6.QtCore import QBuffer, QByteArray, QObject
from PySide6.QtUiTools import QUiLoader

from . import widgets
from .pythonqt import unwrap, wrap


@cache
def _loader() -> QUiLoader:
    """Qt's loader, one for all files: each registration lasts for the process and makes every loader slower."""
    made = QUiLoader()
    for found in (*widgets.CTK, *widgets.MRML):
        made.registerCustomWidget(found)
    return made


class UiLoader:
    """Loads ``.ui`` files; their connections are made here, because Qt does not know VTK types."""

    def load(self, file):
        """Build the widgets of an opened file."""
        plain, wanted = _split(bytes(unwrap(file.readAll()).data()))
        buffer = QBuffer()
        buffer.setData(QByteArray(plain))
        root = _loader().load(buffer)
        everything = {root.objectName(): root} | {w.objectName(): w for w in root.findChildren(QObject)}
        for sender, signal, receiver, slot in wanted:
            source = everything[sender]
            name = getattr(type(source), "SIGNALS", {}).get(signal, signal.split("(")[0])
            getattr(source, name).connect(getattr(everything[receiver], slot.split("(")[0]))
        return wrap(root)


@cache
def _split(text: bytes) -> tuple[bytes, list[list[str]]]:
    """A ``.ui`` file without its connections, and these: sender, signal, receiver and slot of each."""
    tree = ET.fromstring(text)
    connections = tree.find("connections")
    wanted = [[c.findtext(tag) for tag in ("sender", "signal", "receiver", "slot")] for c in connections or ()]
    if connections is not None:
        tree.remove(connections)
    return ET.tostring(tree), wanted
