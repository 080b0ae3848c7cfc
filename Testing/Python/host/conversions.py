"""What PythonQt does with values on their way between Python and C++."""

from __future__ import annotations

import enum
import inspect
import os
import types
import typing

from PySide6 import QtCore
from shibokensupport.signature import get_signature

from .wrapping import unwrap, wrap


def as_property(value, kind: str, is_enum: bool):
    """A Python value for a property of this C++ type; conversions are as loose as PythonQt's.

    Raises:
        AttributeError: the value cannot become this type.
    """
    try:
        if kind == "QString":
            return str(value)
        if kind == "bool":
            return bool(value)
        if kind == "QStringList":
            return [str(v) for v in ([value] if isinstance(value, str) else value)]
        if is_enum or kind in ("int", "uint", "qlonglong"):
            return int(value)
        if kind in ("double", "float"):
            return float(value)
    except (TypeError, ValueError) as error:
        raise AttributeError(f"a property of type {kind} does not accept {value!r}") from error
    return unwrap(value)


def invoke(found, args: tuple):
    """Call a C++ or stand-in function as PythonQt does: enums are ints, results are wrapped.

    Raises:
        ValueError: no overload takes these arguments.
    """
    plain = [unwrap(a) for a in args]
    if isinstance(found, (types.MethodType, types.FunctionType)):
        return wrap(found(*plain))
    try:
        return wrap(found(*plain))
    except TypeError as refused:
        for candidate in _overloads(found, plain):
            try:
                return wrap(found(*candidate))
            except TypeError:
                continue
        raise ValueError(f"Could not find matching overload for given arguments: {args}") from refused


def _overloads(found, args: list):
    """The arguments as each overload would like them."""
    for signature in _signatures(found):
        hints = [p.annotation for p in signature.parameters.values() if p.name != "self"]
        if len(hints) >= len(args):
            yield [_as_hint(a, hint) for a, hint in zip(args, hints, strict=False)]


def _signatures(found) -> list:
    """What the binding says of a function, which it knows only on the class that has it."""
    owners = [
        vars(kind)[found.__name__]
        for kind in type(getattr(found, "__self__", None)).__mro__
        if found.__name__ in vars(kind)
    ]
    for function in (found, *owners):
        try:
            signatures = get_signature(function)
        except Exception:
            continue
        if signatures is not None:
            return signatures if isinstance(signatures, list) else [signatures]
    return []


def _as_hint(value, hint):
    for kind in typing.get_args(hint) or (hint,):
        if inspect.isclass(kind):
            if isinstance(value, kind):
                return value
            if issubclass(kind, enum.Enum) and isinstance(value, int):
                return kind(value)
            if kind is str and (value is None or isinstance(value, (os.PathLike, int, float))):
                return str(value)
            if kind in (int, float) and hasattr(value, "__float__"):
                return kind(value)
            if kind is QtCore.QUrl and isinstance(value, str):
                return QtCore.QUrl(value)
    return value
