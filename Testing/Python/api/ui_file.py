"""A Qt Designer file, held to what the real widgets have."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from .known import Known
from .signatures import normalised

DYNAMIC = {"SlicerParameterName", "SlicerPackParameterName"}
"""Properties that Slicer's parameter nodes look for; any widget may carry them."""


class UiFile:
    """What a .ui file holds.

    Attributes:
        widgets: name to class, of widgets, layouts and actions.
        root: class of the outermost widget.
    """

    def __init__(self, path: Path) -> None:
        self._tree = ET.parse(path).getroot()
        named = [e for e in self._tree.iter() if e.tag in ("widget", "layout") and e.get("name")]
        self.widgets = {e.get("name"): e.get("class") for e in named}
        self.widgets |= {e.get("name"): "QAction" for e in self._tree.iter("action")}
        self.root = self._tree.find("widget").get("class")

    def violations(self, known: Known) -> list[str]:
        """Classes, properties, signals and slots that do not exist."""
        return [*self._wrong_widgets(known), *self._wrong_connections(known)]

    def bound(self) -> dict[str, str]:
        """Name of a parameter to the class of the control that is bound to it."""
        found = {}
        for widget in self._tree.iter("widget"):
            for prop in widget.findall("property"):
                if prop.get("name") == "SlicerParameterName":
                    found[prop.findtext("string")] = widget.get("class")
        return found

    def _wrong_widgets(self, known: Known) -> list[str]:
        wrong = []
        for element in self._tree.iter("widget"):
            kind, name = element.get("class"), element.get("name")
            if not known.has_qt_class(kind):
                wrong.append(f"{name}: no class {kind} in the trimmed list")
                continue
            members = known.qt_members(kind)
            for prop in element.findall("property"):
                found = members.get(prop.get("name"))
                if prop.get("name") not in DYNAMIC and (found is None or found.kind not in ("property", "value")):
                    wrong.append(f"{name}: {kind} has no property {prop.get('name')} that can be set")
        return wrong

    def _wrong_connections(self, known: Known) -> list[str]:
        wrong = []
        for connection in self._tree.iter("connection"):
            sender, signal, receiver, slot = (
                connection.findtext(tag) for tag in ("sender", "signal", "receiver", "slot")
            )
            if normalised(signal) not in known.signals(self.widgets[sender]):
                wrong.append(f"{sender}: {self.widgets[sender]} has no signal {signal}")
            if slot.split("(")[0] not in known.qt_members(self.widgets[receiver]):
                wrong.append(f"{receiver}: {self.widgets[receiver]} has no slot {slot}")
        return wrong
