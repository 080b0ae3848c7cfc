"""Qt as Slicer's Python sees it (PythonQt), over PySide6: properties are attributes, signals connect by signature.

Only what a panel can notice: see the tests beside it for each behaviour.
"""

from __future__ import annotations

import inspect
import traceback

import shiboken6
from PySide6 import QtCore, QtGui, QtWidgets

_ALIVE: dict[int, tuple[object, Wrapper]] = {}


def wrap(value):
    """What Python meets for a value that C++ hands out."""
    if isinstance(value, QtCore.QObject):
        known = _ALIVE.get(id(value))
        if known is None:
            known = _ALIVE[id(value)] = (value, Wrapper(value))
        return known[1]
    if isinstance(value, (list, tuple)):
        return tuple(wrap(v) for v in value)
    return value


def unwrap(value):
    """The Qt object behind what Python holds."""
    if isinstance(value, Wrapper):
        return object.__getattribute__(value, "_qobject")
    if isinstance(value, (list, tuple)):
        return [unwrap(v) for v in value]
    return value


def forget_all() -> None:
    """Drop all wrappers (the end of a desktop)."""
    _ALIVE.clear()


class Wrapper:
    """One Qt object, seen through PythonQt."""

    def __init__(self, qobject: QtCore.QObject) -> None:
        object.__setattr__(self, "_qobject", qobject)

    def __getattr__(self, name: str):
        target = _valid(self)
        if name in ("name", "objectName"):
            return target.objectName()
        if target.metaObject().indexOfProperty(name) >= 0 or name.encode() in _dynamic(target):
            return wrap(target.property(name))
        if name.startswith("_") or name in getattr(type(target), "HIDDEN", ()):
            raise AttributeError(name)
        found = getattr(target, name)
        if isinstance(found, QtCore.SignalInstance):
            return Signal(self, name)
        if not callable(found):
            raise AttributeError(name)
        return lambda *args: wrap(found(*(unwrap(a) for a in args)))

    def __setattr__(self, name: str, value) -> None:
        target = _valid(self)
        if name in ("name", "objectName"):
            target.setObjectName(str(value))
            return
        index = target.metaObject().indexOfProperty(name)
        if index < 0:
            raise AttributeError(f"{target.metaObject().className()} has no property {name}")
        target.setProperty(name, _as_type(value, target.metaObject().property(index).typeName()))

    def __eq__(self, other) -> bool:
        return isinstance(other, Wrapper) and unwrap(self) is unwrap(other)

    def __hash__(self) -> int:
        return id(unwrap(self))

    def className(self) -> str:
        """Name of the C++ class."""
        return _valid(self).metaObject().className()

    def connect(self, signature: str, callback) -> bool:
        """Connect by signature; an unknown one prints a message and returns False."""
        target = _valid(self)
        aliases = getattr(type(target), "SIGNALS", {})
        name = aliases.get(signature, signature.split("(")[0])
        bound = getattr(target, name, None)
        known = (
            target.metaObject().indexOfSignal(QtCore.QMetaObject.normalizedSignature(signature).data().decode()) >= 0
        )
        if not isinstance(bound, QtCore.SignalInstance) or not (known or signature in aliases):
            print(f"connect: no signal {signature} in {self.className()}")
            return False
        connections = target.__dict__.setdefault("_connections", {})
        slot = _slot(callback)
        connections[signature, callback] = (bound, slot)
        bound.connect(slot)
        return True

    def disconnect(self, signature: str, callback) -> bool:
        """Undo :meth:`connect`."""
        bound, slot = _valid(self).__dict__.get("_connections", {}).pop((signature, callback), (None, None))
        if bound is None:
            return False
        bound.disconnect(slot)
        return True


class Signal:
    """A signal as attribute: ``button.clicked.connect(f)``."""

    def __init__(self, owner: Wrapper, name: str) -> None:
        self._owner, self._name = owner, name

    def connect(self, callback) -> bool:
        """Connect a Python callable."""
        getattr(_valid(self._owner), self._name).connect(_slot(callback))
        return True


def _valid(wrapper: Wrapper):
    target = object.__getattribute__(wrapper, "_qobject")
    if not shiboken6.isValid(target):
        raise ValueError("Trying to use a Qt object that was deleted")
    return target


def _dynamic(target) -> list[bytes]:
    return [bytes(name) for name in target.dynamicPropertyNames()]


def _slot(callback):
    """Called with as many arguments as it takes; an exception is printed, never raised to the one who clicked."""
    parameters = inspect.signature(callback).parameters.values()
    wanted = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    endless = any(p.kind is p.VAR_POSITIONAL for p in parameters)

    def slot(*args) -> None:
        try:
            callback(*(wrap(a) for a in (args if endless else args[:wanted])))
        except Exception:
            traceback.print_exc()

    return slot


def _as_type(value, kind: str):
    if kind == "QString":
        return str(value)
    if kind == "bool":
        return bool(value)
    if kind == "int":
        return int(value)
    if kind in ("double", "float"):
        if value is None:
            raise AttributeError("None is no number")
        return float(value)
    return unwrap(value)


class Class:
    """A Qt class as Python sees it: called to construct; its static members are attributes."""

    def __init__(self, qclass) -> None:
        self._qclass = qclass

    def __call__(self, *args):
        return wrap(self._qclass(*(unwrap(a) for a in args)))

    def __getattr__(self, name: str):
        found = getattr(self._qclass, name)
        return (
            (lambda *args: wrap(found(*(unwrap(a) for a in args)))) if callable(found) and name[0].islower() else found
        )

    def __instancecheck__(self, instance) -> bool:
        return isinstance(instance, Wrapper) and type(unwrap(instance)) is self._qclass


def find_qt(name: str):
    """The member of the flat module ``qt`` of that name."""
    for module in (QtCore, QtGui, QtWidgets):
        found = getattr(module, name, None)
        if found is not None:
            return Class(found) if isinstance(found, type) and issubclass(found, QtCore.QObject) else found
    raise AttributeError(name)
