"""From Qt's objects to what Python holds, and back."""

from __future__ import annotations

import ctypes
import enum
import sys
import weakref

import shiboken6

_ALIVE: weakref.WeakValueDictionary = weakref.WeakValueDictionary()
_KEPT: dict[int, object] = {}
_TYPES: dict[type, type] = {}


def _spare_references(count: int = 3_000_000) -> None:
    """References to None, True and False that are never given back.

    PySide6 6.12 gives back one too many where Qt answers with an empty value. From Python 3.12 on these objects are
    immortal; in 3.11 the process would end sooner or later.
    """
    if sys.version_info < (3, 12):
        kept = [None, True, False] * (count // 3)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))


_spare_references()


def is_qt(value) -> bool:
    """Whether this is an object of Qt (or a stand-in made of one)."""
    return isinstance(value, shiboken6.Object)


def wrap(value):
    """What Python meets for a value that C++ hands out: wrappers, ints for enums, tuples for lists."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return tuple(wrap(v) for v in value)
    if not is_qt(value):
        return value
    known = _ALIVE.get(id(value))
    if known is not None and unwrap(known) is value:
        return known
    kind = class_for(type(value))
    made = kind.__new__(kind)
    remember(made, value)
    return made


def remember(wrapper, value) -> None:
    """Bind a wrapper to its Qt object; a wrapper of a Python subclass lives as long as the object."""
    object.__setattr__(wrapper, "_qobject", value)
    _ALIVE[id(value)] = wrapper
    if not type(wrapper).is_plain():
        _KEPT[id(value)] = wrapper


def unwrap(value):
    """The Qt object behind what Python holds."""
    kind = type(value)
    if hasattr(kind, "is_plain"):
        return object.__getattribute__(value, "_qobject")
    if isinstance(value, type) and hasattr(value, "is_plain"):
        return value.qclass
    if kind in (list, tuple):
        return [unwrap(v) for v in value]
    return value


def class_for(qclass: type) -> type:
    """The Python class of a Qt class; Python sees no inheritance between them."""
    if qclass not in _TYPES:
        from .pythonqt import PythonQtType, Wrapper

        _TYPES[qclass] = PythonQtType(qclass.__name__, (Wrapper,), {"qclass": qclass})
    return _TYPES[qclass]


def forget_all() -> None:
    """Drop all wrappers (the end of a desktop)."""
    _ALIVE.clear()
    _KEPT.clear()
