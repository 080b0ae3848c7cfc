"""``slicer.parameterNodeWrapper``: the state of a panel in a ``vtkMRMLScriptedModuleNode``, as Slicer keeps it."""

from __future__ import annotations

import typing
import weakref

import vtk

from .connectors import connector_for
from .serializers import Choice, EitherType, Maximum, Minimum, OneType, Validator, WithinRange

__all__ = ["Choice", "Maximum", "Minimum", "WithinRange", "parameterNodeWrapper"]

_RESERVED = ("parameterNode", "connectGui", "disconnectGui", "allParameters", "getValue", "setValue", "AddObserver")


def parameterNodeWrapper(cls=None):
    """Class decorator; members become properties that read and write the node given to the constructor."""
    if cls is None:
        return parameterNodeWrapper
    parameters = {}
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        if name in _RESERVED:
            raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
        parameters[name] = Parameter(name, hint, getattr(cls, name, None))
        setattr(cls, name, parameters[name].as_property())
    cls.allParameters = parameters
    for name in ("__init__", *_METHODS):
        setattr(cls, name, vars(_Wrapped)[name])
    return cls


class Parameter:
    """One member of the class."""

    def __init__(self, name: str, hint, default) -> None:
        self.name = name
        annotations = ()
        if typing.get_origin(hint) is typing.Annotated:
            hint, *annotations = typing.get_args(hint)
        self.kind = hint
        self.validators = [a for a in annotations if isinstance(a, Validator)]
        self.is_union = typing.get_origin(hint) is typing.Union
        self.serializer = EitherType(typing.get_args(hint)) if self.is_union else OneType(hint)
        self.default = self.serializer.default() if default is None else default

    def as_property(self) -> property:
        """Read and written through a cache, as in Slicer."""
        return property(lambda state: state._cache[self.name], lambda state, value: self.write(state, value))

    def write(self, state, value) -> None:
        """Checks, then writes all at once, so that observers see the new value."""
        for validator in self.validators:
            validator.validate(value)
        node = state.parameterNode
        modifying = node.StartModify()
        try:
            self.serializer.write(node, self.name, value)
            state._cache[self.name] = self.serializer.read(node, self.name)
        finally:
            node.EndModify(modifying)


class _Wrapped:
    """Methods that the decorator gives to the class."""

    def __init__(self, parameterNode, prefix=None):
        self.parameterNode = parameterNode
        self._cache, self._guis, self._next_tag, self._updating = {}, {}, 0, False
        modifying = parameterNode.StartModify()  # one event: each is told to every state that there has been
        for name, parameter in self.allParameters.items():
            if not parameter.serializer.is_in(parameterNode, name):
                parameter.serializer.write(parameterNode, name, parameter.default)
            self._cache[name] = parameter.serializer.read(parameterNode, name)
        parameterNode.EndModify(modifying)
        held = weakref.ref(self)  # one that nobody holds any more would be read anew at every change, for ever
        tag = parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: _refreshed(held()))
        weakref.finalize(self, parameterNode.RemoveObserver, tag).atexit = False

    def _refresh(self):
        for name, parameter in self.allParameters.items():
            if parameter.serializer.is_in(self.parameterNode, name):
                self._cache[name] = parameter.serializer.read(self.parameterNode, name)

    def getValue(self, name):
        return getattr(self, _checked(self, name))

    def setValue(self, name, value):
        setattr(self, _checked(self, name), value)

    def AddObserver(self, event, callback, priority=0.0):
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag):
        self.parameterNode.RemoveObserver(tag)

    def StartModify(self):
        return self.parameterNode.StartModify()

    def EndModify(self, wasModified):
        return self.parameterNode.EndModify(wasModified)

    def Modified(self):
        self.parameterNode.Modified()

    def connectGui(self, gui):
        found = gui.findChildren("QWidget") if hasattr(gui, "isWidgetType") else vars(gui).values()
        named = {w.property("SlicerParameterName"): w for w in found if w.property("SlicerParameterName")}
        return self.connectParametersToGui(named)

    def connectParametersToGui(self, mapping):
        connectors = {
            name: connector_for(widget, self.allParameters[_checked(self, name)]) for name, widget in mapping.items()
        }
        tag, self._next_tag = self._next_tag, self._next_tag + 1
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.connect(self._from_gui(name, connector))
        self._guis[tag] = connectors, self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._to_gui())
        return tag

    def disconnectGui(self, guiTag):
        connectors, observer = self._guis.pop(guiTag, ({}, None))
        for connector in connectors.values():
            connector.disconnect()
        if observer is not None:
            self.RemoveObserver(observer)

    def _from_gui(self, name, connector):
        connector.state = self

        def changed():
            state = connector.state
            modifying = state.StartModify()
            try:
                if not state._updating:
                    state.setValue(name, connector.read())
            finally:
                state.EndModify(modifying)

        return changed

    def _to_gui(self):
        if self._updating:
            return
        self._updating = True
        modifying = self.StartModify()
        try:
            for connectors, _ in list(self._guis.values()):
                for name, connector in connectors.items():
                    connector.write(self.getValue(name))
        finally:
            self._updating = False
            self.EndModify(modifying)


_METHODS = tuple(name for name, value in vars(_Wrapped).items() if callable(value) and not name.startswith("__"))


def _refreshed(state) -> None:
    if state is not None:
        state._refresh()


def _checked(state, name: str) -> str:
    if name not in state.allParameters:
        raise ValueError(f"Cannot find a param with the given name: {name}")
    return name
