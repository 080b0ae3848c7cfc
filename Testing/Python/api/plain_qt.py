"""Qt's own classes: which of their names are properties, signals and methods, as PySide6 tells."""

from __future__ import annotations

import inspect
from functools import cache

from .signatures import Arity, Member


@cache
def pyside_class(name: str, base: str = "") -> type | None:
    """The PySide6 class of that name (only if it derives from ``base``), or None."""
    try:
        from PySide6 import QtCore, QtGui, QtWidgets
    except ImportError:
        return None
    modules = (QtCore, QtGui, QtWidgets)
    found = next((getattr(m, name) for m in modules if hasattr(m, name)), None)
    wanted = next((getattr(m, base) for m in modules if base and hasattr(m, base)), None)
    if not isinstance(found, type) or (wanted is not None and not issubclass(found, wanted)):
        return None
    return found


@cache
def pyside_member(cls_name: str, name: str) -> Member:
    """What a name of a plain Qt class is; where PySide6 cannot tell, only that it exists."""
    cls = pyside_class(cls_name)
    if cls is None:
        return Member("value")
    meta = getattr(cls, "staticMetaObject", None)
    index = meta.indexOfProperty(name) if meta is not None else -1
    if index >= 0:
        return Member("property" if meta.property(index).isWritable() else "constant")
    if any(signal.split("(")[0] == name for signal in pyside_signals(cls_name)):
        return Member("signal")
    found = getattr(cls, name, None)
    if not callable(found) or isinstance(found, type):
        return Member("value")
    return Member("method", _pyside_arities(found))


@cache
def pyside_signals(name: str) -> frozenset[str]:
    """Signatures of the signals of a plain Qt class."""
    cls = pyside_class(name)
    meta = getattr(cls, "staticMetaObject", None)
    if meta is None:
        return frozenset()
    methods = [meta.method(i) for i in range(meta.methodCount())]
    return frozenset(bytes(m.methodSignature()).decode() for m in methods if m.methodType().name == "Signal")


def _pyside_arities(function) -> tuple[Arity, ...]:
    try:
        from shibokensupport.signature import get_signature
    except ImportError:
        return ()
    signatures = get_signature(function)
    return tuple(_arity(s) for s in (signatures if isinstance(signatures, list) else [signatures]) if s is not None)


def _arity(signature: inspect.Signature) -> Arity:
    parameters = [p for n, p in signature.parameters.items() if n != "self" and p.kind is not p.KEYWORD_ONLY]
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return Arity(0, float("inf"))
    return Arity(sum(p.default is p.empty for p in parameters), len(parameters))
