"""Slicer's Python layer that the slicer-core wheel lacks: scripted module classes, translation, parameter nodes."""

from __future__ import annotations

import enum
import importlib
import pathlib
import typing
import unittest

import slicer
import vtk


def tr(text: str) -> str:
    """Translation into the language of the application, here none."""
    return text


def translate(_context: str, text: str) -> str:
    """Translation within a context."""
    return text


class ScriptedLoadableModule:
    def __init__(self, parent):
        self.parent = parent
        self.moduleName = type(self).__name__

    def resourcePath(self, filename):
        return _resource(self.moduleName, filename)


class ScriptedLoadableModuleWidget:
    def __init__(self, parent=None):
        import qt

        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = False
        self.parent = parent
        if parent is None:
            self.parent = slicer.qMRMLWidget()
            self.parent.setLayout(qt.QVBoxLayout())
            self.parent.setMRMLScene(slicer.mrmlScene)
        self.layout = self.parent.layout()
        if parent is None:
            self.setup()
            self.parent.show()

    def resourcePath(self, filename):
        return _resource(self.moduleName, filename)

    def setup(self):
        pass

    def cleanup(self):
        pass

    def onReload(self):
        importlib.reload(importlib.import_module(self.moduleName))


class ScriptedLoadableModuleLogic:
    def __init__(self, parent=None):
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self):
        return (
            slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
            or self.createParameterNode()
        )

    def createParameterNode(self):
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        node.SetSingletonTag(self.moduleName)
        node.SetModuleName(self.moduleName)
        return slicer.mrmlScene.AddNode(node)


class ScriptedLoadableModuleTest(unittest.TestCase):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

    def delayDisplay(self, _message, _msec=None):
        slicer.app.processEvents()

    def runTest(self):
        for name in dir(self):
            if "test" in name and name not in ("runTest", "_testMethodName"):
                getattr(self, name)()


def _resource(module: str, filename: str) -> str:
    folder = pathlib.Path(importlib.import_module(module).__file__).parent
    return str(folder / "Resources" / filename)


class WithinRange:
    def __init__(self, minimum, maximum):
        self.minimum, self.maximum = minimum, maximum

    def validate(self, value):
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"{value} is not between {self.minimum} and {self.maximum}")


def parameterNodeWrapper(cls):
    """State of a panel in a ``vtkMRMLScriptedModuleNode``: strings, and node references by name."""
    parameters = {
        name: _Parameter(name, hint, getattr(cls, name, None))
        for name, hint in typing.get_type_hints(cls, include_extras=True).items()
    }
    body = {name: property(p.read, p.write) for name, p in parameters.items()}
    return type(cls.__name__, (_Wrapped,), body | {"_parameters": parameters, "__doc__": cls.__doc__})


class _Kind:
    """How one type is kept in the node, as Slicer's serializers do."""

    def __init__(self, kind):
        self.kind = kind
        self.is_none = kind is type(None)
        self.is_node = isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)
        if not (self.is_none or self.is_node or kind in (int, float, str, bool) or self.is_enum):
            raise TypeError(f"Unable to create serializer for type: {kind}")

    @property
    def is_enum(self):
        return isinstance(self.kind, type) and issubclass(self.kind, enum.Enum)

    def default(self):
        if self.is_node or self.is_none:
            return None
        return next(iter(self.kind)) if self.is_enum else self.kind()

    def accepts(self, value):
        return isinstance(value, (int, float) if self.kind is float else self.kind)

    def write(self, node, name, value):
        if self.is_node:
            node.SetNodeReferenceID(name, value.GetID() if value is not None else None)
            node.SetParameter(name, "")
        else:
            node.SetParameter(name, str(value is None) if self.is_none else value.name if self.is_enum else str(value))

    def read(self, node, name):
        text = node.GetParameter(name)
        if self.is_node:
            return node.GetNodeReference(name)
        if self.is_none:
            return None
        if self.is_enum:
            return self.kind[text]
        return text == "True" if self.kind is bool else self.kind(text)

    def remove(self, node, name):
        node.UnsetParameter(name)
        if self.is_node:
            node.RemoveNodeReferenceIDs(name)


class _Parameter:
    """One member: a type, or a ``typing.Union`` of types, each of which has a name of its own in the node.

    ``A | B`` is refused: Slicer asks for ``typing.Union`` and does not know the other spelling.
    """

    def __init__(self, name, hint, default):
        self.name = name
        self.validators = []
        if typing.get_origin(hint) is typing.Annotated:
            hint, *self.validators = typing.get_args(hint)
        self.is_union = typing.get_origin(hint) is typing.Union
        kinds = [_Kind(k) for k in (typing.get_args(hint) if self.is_union else (hint,))]
        self.places = [(f"{name}_{i}" if self.is_union else name, kind) for i, kind in enumerate(kinds)]
        self.kinds = tuple(kind.kind for kind in kinds)
        self.is_node = all(kind.is_node or kind.is_none for kind in kinds)
        self.default = kinds[0].default() if default is None else default

    def is_in(self, node):
        return any(node.HasParameter(place) for place, _ in self.places)

    def read(self, state):
        node = state.parameterNode
        for place, kind in self.places:
            if node.HasParameter(place):
                return kind.read(node, place)
        return self.default

    def write(self, state, value):
        place, kind = self._place_for(value)
        for validator in self.validators:
            validator.validate(value)
        node = state.parameterNode
        modifying = node.StartModify()
        for other, kind_there in self.places if self.is_union else ():
            kind_there.remove(node, other)
        kind.write(node, place, value)
        node.EndModify(modifying)

    def _place_for(self, value):
        for place, kind in self.places:
            if kind.accepts(value) or (value is None and kind.is_node and not self.is_union):
                return place, kind
        raise TypeError(f"{self.name}: unable to write {value!r} of type {type(value).__name__}")


class _Wrapped:
    _parameters: typing.ClassVar = {}

    def __init__(self, parameterNode):
        self.parameterNode = parameterNode
        self._tags = {}
        for parameter in self._parameters.values():
            if not parameter.is_in(parameterNode):
                parameter.write(self, parameter.default)

    def AddObserver(self, event, callback, *priority):
        return self.parameterNode.AddObserver(event, callback, *priority)

    def RemoveObserver(self, tag):
        self.parameterNode.RemoveObserver(tag)

    def connectGui(self, ui):
        pairs = []
        for widget in vars(ui).values():
            name = widget.property("SlicerParameterName") if hasattr(widget, "property") else None
            if name:
                pairs.append(_Connector(widget, self, self._parameters[name]))
        for pair in pairs:
            pair.show()

        def changed(*_):
            for pair in pairs:
                pair.show()

        tag = self.parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent, changed)
        self._tags[tag] = pairs
        return tag

    def disconnectGui(self, tag):
        self.parameterNode.RemoveObserver(tag)
        for pair in self._tags.pop(tag):
            pair.end()


class _Connector:
    """One control and one parameter."""

    SIGNALS: typing.ClassVar = {
        "QComboBox": "currentIndexChanged(int)",
        "ctkSliderWidget": "valueChanged(double)",
        "qMRMLNodeComboBox": "currentNodeChanged(vtkMRMLNode*)",
        "QCheckBox": "toggled(bool)",
    }

    def __init__(self, widget, state, parameter):
        self.widget, self.state, self.parameter = widget, state, parameter
        self.kind = widget.className()
        self.enum = None if parameter.is_node else parameter.kinds[0]
        if self.kind == "QComboBox":
            widget.blockSignals(True)
            widget.clear()
            widget.addItems([e.label() if hasattr(e, "label") else e.name for e in self.enum])
            widget.blockSignals(False)
        elif self.kind == "qMRMLNodeComboBox":
            widget.nodeTypes = [kind.__name__ for kind in parameter.kinds if kind is not type(None)]
        elif self.kind == "ctkSliderWidget":
            (bounds,) = [v for v in parameter.validators if isinstance(v, WithinRange)]
            widget.minimum, widget.maximum = bounds.minimum, bounds.maximum
        self.slot = lambda *_: self.store()
        if not widget.connect(self.SIGNALS[self.kind], self.slot):
            raise RuntimeError(self.kind)

    def end(self):
        self.widget.disconnect(self.SIGNALS[self.kind], self.slot)

    def store(self):
        if self.kind == "QComboBox":
            value = list(self.enum)[self.widget.currentIndex]
        elif self.kind == "qMRMLNodeComboBox":
            value = self.widget.currentNode()
        else:
            value = self.widget.checked if self.kind == "QCheckBox" else self.widget.value
        if value != self.parameter.read(self.state):
            self.parameter.write(self.state, value)

    def show(self):
        value = self.parameter.read(self.state)
        if self.kind == "QComboBox":
            self.widget.currentIndex = list(self.enum).index(value)
        elif self.kind == "qMRMLNodeComboBox":
            self.widget.setCurrentNode(value)
        elif self.kind == "QCheckBox":
            self.widget.checked = value
        else:
            self.widget.value = value
