"""What binds a control to a parameter, for the exact classes that Slicer's ``connectGui`` knows, and no others."""

from __future__ import annotations

import enum
import pathlib
import typing

import slicer

from .serializers import Choice


class Connector:
    """A control whose property is the value."""

    def __init__(self, widget, parameter, signal: str, name: str, convert=lambda v: v) -> None:
        self.widget, self.parameter, self.signal, self.name, self.convert = widget, parameter, signal, name, convert
        self._slot = self.state = None

    def connect(self, callback) -> None:
        """Call back when a person, or code, changes the control."""
        self._slot = lambda *_: callback()
        if self.signal and not self.widget.connect(self.signal, self._slot):
            raise RuntimeError(f"{self.widget.className()} has no signal {self.signal}")

    def disconnect(self) -> None:
        """Undo :meth:`connect`."""
        if self.signal:
            self.widget.disconnect(self.signal, self._slot)
        self._slot = self.state = None  # Qt lets go of slots late, and the state is read anew at every change

    def read(self):
        """The control's value."""
        return self.convert(getattr(self.widget, self.name))

    def write(self, value) -> None:
        """Show a value."""
        setattr(self.widget, self.name, value)


class NodeConnector(Connector):
    """A selector of nodes; its list of types follows the parameter."""

    def __init__(self, widget, parameter) -> None:
        super().__init__(widget, parameter, "currentNodeChanged(vtkMRMLNode*)", "")
        kinds = typing.get_args(parameter.kind) if parameter.is_union else (parameter.kind,)
        widget.nodeTypes = [kind.__name__ for kind in kinds if kind is not type(None)]

    def read(self):
        return self.widget.currentNode()

    def write(self, value) -> None:
        self.widget.setCurrentNode(value)


class RowConnector(Connector):
    """A combo box; its rows are the members of an Enum (by ``label()`` or name) or the choices."""

    def __init__(self, widget, parameter) -> None:
        super().__init__(widget, parameter, "currentIndexChanged(int)", "currentIndex")
        if _is_enum(parameter.kind):
            self.values = list(parameter.kind)
            texts = [v.label() if hasattr(v, "label") else v.name for v in self.values]
        else:
            choices = [v for v in parameter.validators if isinstance(v, Choice)]
            if not choices:
                raise RuntimeError("ComboBoxToStringableConnector requires the Choice annotation to be used.")
            self.values = list(choices[0].choices)
            texts = [str(v) for v in self.values]
        widget.clear()
        for text in texts:
            widget.addItem(text)

    def read(self):
        return self.values[self.widget.currentIndex]

    def write(self, value) -> None:
        self.widget.currentIndex = self.values.index(value)


class NumberConnector(Connector):
    """A slider or spin box; its range follows the parameter's."""

    def __init__(self, widget, parameter) -> None:
        name = widget.className()
        signal = "valueChanged(int)" if name in ("QSlider", "QSpinBox") else "valueChanged(double)"
        super().__init__(widget, parameter, signal, "value", int if parameter.kind is int else float)
        limits = {}
        for validator in parameter.validators:
            limits |= {k: v for k, v in vars(validator).items() if k in ("minimum", "maximum")}
        if len(limits) < 2 and name in ("QSlider", "ctkSliderWidget", "qMRMLSliderWidget"):
            raise RuntimeError(f"Cannot have a connection to {name} where the type is unbounded.")
        for limit, value in limits.items():
            setattr(widget, limit, value)


def connector_for(widget, parameter):
    """The connector of a control.

    Raises:
        RuntimeError: Slicer has none for this class of control and this type.
    """
    name, kind = widget.className(), parameter.kind
    rows = name in ("QComboBox", "ctkComboBox")
    if name == "qMRMLNodeComboBox" and _is_nodes(parameter):
        return NodeConnector(widget, parameter)
    if rows and (_is_enum(kind) or kind in (int, float, str, bool)):
        return RowConnector(widget, parameter)
    if (name in _INTEGERS and kind is int) or (name in _NUMBERS and kind in (int, float)):
        return NumberConnector(widget, parameter)
    for names, kinds, signal, attribute, convert in _PLAIN:
        if name in names and kind in kinds:
            return Connector(widget, parameter, signal, attribute, convert)
    raise RuntimeError(f"Unable to create GUI connector from datatype {kind} to widget type {name}")


_INTEGERS = ("QSlider", "QSpinBox")
_NUMBERS = (
    *("QDoubleSpinBox", "ctkSliderWidget", "qMRMLSliderWidget"),
    *("ctkDoubleSlider", "ctkDoubleSpinBox", "qMRMLSpinBox"),
)
_PATHS = (pathlib.Path, pathlib.PosixPath, pathlib.PurePath)
_PLAIN = (
    (("QCheckBox", "ctkCheckBox"), (bool,), "toggled(bool)", "checked", bool),
    (("QPushButton", "ctkCheckablePushButton"), (bool,), "toggled(bool)", "checked", bool),
    (("QLineEdit",), (str,), "textChanged(QString)", "text", str),
    (("QLabel",), (str,), "", "text", str),
    (("QTextEdit",), (str,), "textChanged()", "plainText", str),
    (("ctkPathLineEdit",), _PATHS, "currentPathChanged(QString)", "currentPath", pathlib.Path),
    (("ctkDirectoryButton",), _PATHS, "directoryChanged(QString)", "directory", pathlib.Path),
)


def _is_enum(kind) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _is_nodes(parameter) -> bool:
    kinds = typing.get_args(parameter.kind) if parameter.is_union else (parameter.kind,)
    nodes = [k for k in kinds if isinstance(k, type) and issubclass(k, slicer.vtkMRMLNode)]
    return bool(nodes) and all(k in nodes or k is type(None) for k in kinds)
