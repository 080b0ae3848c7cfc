"""Qt as Slicer's Python sees it (PythonQt), over PySide6: properties are attributes, signals connect by signature.

Only what a panel can notice; ``standin/test_pythonqt.py`` has a test for each behaviour.
"""

from __future__ import annotations

import enum
import inspect
import traceback
import types
from functools import cache
from typing import NamedTuple

import shiboken6
from PySide6 import QtCore, QtGui, QtWidgets

from . import names
from .conversions import as_property, invoke
from .dialogs import DIALOGS, REPLACED
from .tool_tips import as_kept
from .wrapping import class_for, forget_all, is_qt, remember, unwrap, wrap

__all__ = ["Wrapper", "class_for", "find_qt", "forget_all", "unwrap", "wrap"]

_CONNECTIONS: dict[int, dict] = {}
_NEVER_CALLABLE = {"primaryScreen"}
_TRUTH = (("isEmpty", False), ("isValid", True), ("isNull", False))
"""What PythonQt's generator makes the truth value of: the first of these that a class has, and what it says then."""


class PythonQtType(type):
    """Type of the classes in ``qt``: static members and enums are attributes, enum values are ints."""

    def __getattr__(cls, name: str):
        if name.startswith("__") or not hasattr(cls, "qclass"):
            raise AttributeError(name)
        if name in _NEVER_CALLABLE:
            return None
        replaced = REPLACED.get((cls.qclass.__name__, name))
        return replaced if replaced is not None else _static(cls.qclass, name)

    def is_plain(cls) -> bool:
        """Whether this is Qt's class itself and not one that Python derived from it."""
        return "qclass" in vars(cls)


class Wrapper:
    """One Qt object, seen through PythonQt; made through the subclasses of :func:`class_for`."""

    def __init__(self, *args, **keywords) -> None:
        if keywords:
            raise ValueError(f"{type(self).__name__} takes no keyword arguments")
        plain = type(self).is_plain()
        qclass = type(self).qclass if plain else _derived(type(self))
        try:
            made = qclass(*(unwrap(a) for a in args))
        except TypeError:
            made = unwrap(invoke(qclass, args))
        if not plain:
            made._owner = self
        remember(self, made)

    @classmethod
    def is_plain(cls) -> bool:
        """See :meth:`PythonQtType.is_plain`."""
        return PythonQtType.is_plain(cls)

    def __getattr__(self, name: str):
        if name.startswith("__") or name == "_qobject":
            raise AttributeError(name)
        target = _valid(self)
        if name in ("name", "objectName") and isinstance(target, QtCore.QObject):
            return target.objectName()
        if name == "exec_":
            name = "exec"
        if isinstance(target, QtCore.QObject):
            about = _about(target)
            is_static = name in about.properties
            if not is_static and name.encode() in [bytes(n) for n in target.dynamicPropertyNames()]:
                return wrap(target.property(name))
            if about.reachable is not None and name not in about.reachable:
                raise AttributeError(f"'{about.classes[0]}' object has no attribute '{name}'")
            if is_static:
                return wrap(_read(target, name))
        aliases = getattr(type(target), "SIGNALS", {}).items()
        name = next((inner for signature, inner in aliases if signature.split("(")[0] == name), name)
        found = getattr(target, name)
        if isinstance(found, QtCore.SignalInstance):
            return Signal(self, name)
        if isinstance(found, enum.Enum):
            return found.value
        if inspect.isclass(found):
            return _static(type(target), name)
        if not callable(found):
            raise AttributeError(name)
        if name == "exec" and isinstance(target, (QtWidgets.QDialog, QtWidgets.QMenu)):
            return lambda *_: DIALOGS.execute(self)
        return lambda *args: invoke(found, args)

    def __setattr__(self, name: str, value) -> None:
        target = object.__getattribute__(self, "__dict__").get("_qobject")
        if target is None or (not type(self).is_plain() and not _has_property(target, name)):
            object.__setattr__(self, name, value)
            return
        target = _valid(self)
        if name in ("name", "objectName") and isinstance(target, QtCore.QObject):
            target.setObjectName(str(value))
            return
        if not _has_property(target, name):
            if isinstance(target, QtCore.QObject) and name in (_about(target).reachable or ()):
                raise NotImplementedError(f"the stand-in has no {type(self).__name__}.{name}; add it")
            raise AttributeError(f"{type(self).__name__} has no property {name}")
        described = _about(target).properties[name]
        if not described.is_writable:
            raise AttributeError(f"{type(self).__name__}.{name} cannot be written")
        target.setProperty(name, as_property(value, described.type_name, described.is_enum))

    def __eq__(self, other) -> bool:
        mine, others = unwrap(self), unwrap(other)
        if not is_qt(others) or isinstance(mine, QtCore.QObject):
            return mine is others
        return type(mine) is type(others) and bool(mine == others)

    def __bool__(self) -> bool:
        target = vars(self).get("_qobject")
        if target is None or not shiboken6.isValid(target):
            return False
        told = _truth_of(type(target))
        return True if told is None else getattr(target, told[0])() is told[1]

    def __hash__(self) -> int:
        return id(unwrap(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__} (at {id(unwrap(self)):#x})"

    def className(self) -> str:
        """Name of the C++ class."""
        return _valid(self).metaObject().className() if type(self).is_plain() else type(self).qclass.__name__

    def inherits(self, name: str) -> bool:
        """Whether the C++ class is, or is derived from, the one of that name."""
        return _valid(self).inherits(name)

    def setProperty(self, name: str, value) -> bool:
        """Set a property, or make a dynamic one."""
        return _valid(self).setProperty(name, unwrap(value))

    def property(self, name: str):
        """Value of a property; None if there is none."""
        target = _valid(self)
        return wrap(as_kept(target, name, target.property(name)))

    def delete(self) -> None:
        """Destroy the C++ object at once."""
        shiboken6.delete(_valid(self))

    def findChild(self, kind, name: str = ""):
        """First descendant of a class, given as class or by its name."""
        return next(iter(self.findChildren(kind, name)), None)

    def findChildren(self, kind, name: str = "") -> tuple:
        """All descendants of a class (of C++), given as class or by its name."""
        wanted = kind if isinstance(kind, str) else kind.__name__
        everything = _valid(self).findChildren(QtCore.QObject)
        return tuple(wrap(w) for w in everything if w.inherits(wanted) and (not name or w.objectName() == name))

    def connect(self, signature: str, *receiver) -> bool:
        """Connect by signature to a callable, or to an object and its slot; an unknown one prints and returns False."""
        callback = receiver[0] if len(receiver) == 1 else getattr(receiver[0], receiver[1].split("(")[0])
        bound = _signal(_valid(self), signature)
        if bound is None:
            print(f"QObject::connect: No such signal {self.className()}::{signature}")
            return False
        slot = _slot(callback)
        _connections_of(_valid(self)).setdefault((signature, callback), []).append((bound, slot))
        bound.connect(slot)
        return True

    def disconnect(self, signature: str, callback) -> bool:
        """Undo :meth:`connect`."""
        for bound, slot in (found := _connections_of(_valid(self)).pop((signature, callback), [])):
            bound.disconnect(slot)
        return bool(found)


class Signal:
    """A signal as attribute: ``button.clicked.connect(f)``."""

    def __init__(self, owner: Wrapper, name: str) -> None:
        self._owner, self._name = owner, name

    def connect(self, callback) -> bool:
        """Connect a Python callable to the first overload."""
        return self._owner.connect(self._signature(), callback)

    def disconnect(self, callback) -> bool:
        """Undo :meth:`connect`."""
        return self._owner.disconnect(self._signature(), callback)

    def __call__(self, *args) -> None:
        getattr(_valid(self._owner), self._name).emit(*(unwrap(a) for a in args))

    emit = __call__

    def _signature(self) -> str:
        target = _valid(self._owner)
        aliases = [s for s, name in getattr(type(target), "SIGNALS", {}).items() if name == self._name]
        if aliases:
            return aliases[0]
        described = target.metaObject()
        methods = (described.method(i) for i in range(described.methodCount()))
        return next(m.methodSignature().data().decode() for m in methods if m.name() == self._name.encode())


def find_qt(name: str):
    """The member of the flat module ``qt`` of that name."""
    if not names.is_in_qt(name):
        raise AttributeError(f"module 'qt' has no attribute '{name}'")
    for module in (QtCore, QtGui, QtWidgets):
        found = getattr(module, name, None)
        if found is not None:
            return class_for(found) if inspect.isclass(found) and is_shiboken(found) else found
    if name == "Qt":
        return class_for(QtCore.Qt)
    raise AttributeError(f"the stand-in has no qt.{name}; PySide6 lacks it")


def is_shiboken(found: type) -> bool:
    """Whether a class is one of Qt's."""
    return issubclass(found, shiboken6.Object)


def _static(qclass: type, name: str):
    found = getattr(qclass, name)
    if isinstance(found, enum.Enum):
        return found.value
    if inspect.isclass(found) and issubclass(found, enum.Enum):
        members = {n: m.value for n, m in found.__members__.items()}
        return type(name, (int,), members)
    return (lambda *args: invoke(found, args)) if callable(found) else wrap(found)


def _derived(kind: type) -> type:
    """A Qt class that calls what the Python class overrides."""

    def forward(name):
        return lambda self, *args: unwrap(getattr(self._owner, name)(*(wrap(a) for a in args)))

    mine = {n for base in kind.__mro__ if issubclass(base, Wrapper) and base is not Wrapper for n in vars(base)}
    virtuals = {n: forward(n) for n in mine if not n.startswith("_") and callable(getattr(kind.qclass, n, None))}
    return type(kind.__name__, (kind.qclass,), virtuals)


def _valid(wrapper: Wrapper):
    target = object.__getattribute__(wrapper, "_qobject")
    if not shiboken6.isValid(target):
        raise ValueError(f"Trying to call '' on a destroyed {type(wrapper).__name__} object")
    return target


class _Property(NamedTuple):
    """A property of a C++ class."""

    type_name: str
    is_enum: bool
    is_writable: bool


class _About(NamedTuple):
    """What is the same for all objects of a C++ class, and asked thousands of times.

    Attributes:
        classes: its name and those of the classes that it derives from.
        properties: by name.
        reachable: see :func:`.names.reachable`.
    """

    classes: tuple[str, ...]
    properties: dict[str, _Property]
    reachable: frozenset[str] | None


_ABOUT: dict[tuple[type, str], _About] = {}


def _about(target: QtCore.QObject) -> _About:
    described = target.metaObject()
    key = type(target), described.className()
    if key not in _ABOUT:
        found, at = [], described
        while at is not None:
            found.append(at.className())
            at = at.superClass()
        members = [described.property(n) for n in range(described.propertyCount())]
        kinds = {m.name(): _Property(m.typeName(), m.isEnumType(), m.isWritable()) for m in members}
        _ABOUT[key] = _About(tuple(found), kinds, names.reachable(tuple(found)))
    return _ABOUT[key]


@cache
def _truth_of(kind: type) -> tuple[str, bool] | None:
    """Which method of a class says whether its objects are true, and what it says then."""
    return next(((name, when) for name, when in _TRUTH if hasattr(kind, name)), None)


def _has_property(target, name: str) -> bool:
    return isinstance(target, QtCore.QObject) and name in _about(target).properties


def _read(target, name: str):
    try:
        return as_kept(target, name, target.property(name))
    except RuntimeError:  # PySide6 has no converter for some enums before their first use
        return getattr(target, name)()


def _signal(target, signature: str):
    aliases = getattr(type(target), "SIGNALS", {})
    wanted = QtCore.QMetaObject.normalizedSignature(signature).data().decode()
    if signature in aliases:
        return getattr(target, aliases[signature])
    if target.metaObject().indexOfSignal(wanted) < 0:
        return None
    bound = getattr(target, signature.split("(")[0])
    kinds = wanted[wanted.index("(") + 1 : -1]
    try:
        return bound[kinds] if kinds else bound
    except (KeyError, IndexError, TypeError):
        return bound


def _connections_of(target) -> dict:
    (address,) = shiboken6.getCppPointer(target)
    if address not in _CONNECTIONS:
        _CONNECTIONS[address] = {}
        target.destroyed.connect(lambda *_: _CONNECTIONS.pop(address, None))
    return _CONNECTIONS[address]


def _slot(callback):
    """Called with as many arguments as it takes; an exception is printed, never raised to the one who clicked."""
    wanted = None
    function = getattr(callback, "__func__", callback)
    if isinstance(function, types.FunctionType) and not function.__code__.co_flags & inspect.CO_VARARGS:
        wanted = function.__code__.co_argcount - isinstance(callback, types.MethodType)

    def slot(*args) -> None:
        try:
            callback(*(wrap(a) for a in args[:wanted]))
        except Exception:
            traceback.print_exc()

    return slot
