"""The desktop's stand-in, held to the classes whose names it bears: it may offer less, never more."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from .known import Known
from .signatures import Arity, Member, normalised, parsed_signature

MANY = 12
"""More arguments than any of these methods has."""


def modules_of(package: ModuleType) -> list[ModuleType]:
    """All modules of a package, imported."""
    found = pkgutil.iter_modules(package.__path__)
    return [importlib.import_module(f"{package.__name__}.{module.name}") for module in found]


def classes_of(modules: list[ModuleType]) -> Iterator[type]:
    """Classes that these modules define."""
    for module in modules:
        yield from (c for c in vars(module).values() if isinstance(c, type) and c.__module__ == module.__name__)


def qt_violations(cls: type, known: Known, *names: str) -> list[str]:
    """What a stand-in offers beyond the Qt classes of these names (default: its own name)."""
    names = names or (cls.__name__,)
    members: dict[str, Member] = {}
    signals: set[str] = set()
    for name in names:
        members = known.qt_members(name) | members
        signals |= known.signals(name)
    wrong = []
    aliases = getattr(cls, "SIGNALS", {})
    for signature in aliases:
        if normalised(signature) not in signals:
            wrong.append(f"{cls.__name__}: no signal {signature}")
    hidden = {*getattr(cls, "HIDDEN", ()), *aliases.values()}
    for name, offered in _public(cls, hidden):
        problem = _problem(offered, members.get(name))
        if problem:
            wrong.append(f"{cls.__name__}.{name}: {problem}")
    return wrong


def layer_violations(cls: type, known: Known, module: str) -> list[str]:
    """What a stand-in offers beyond a class of Slicer's Python layer."""
    members = known.layer_class_members(module, cls.__name__)
    found = ((name, _problem(offered, members.get(name))) for name, offered in _public(cls, set()))
    return [f"{cls.__name__}.{name}: {problem}" for name, problem in found if problem]


def function_violation(function, signature: str) -> str:
    """How a stand-in's function takes arguments that the real one refuses, or ""."""
    return _arity_problem(function, (parsed_signature(signature),), bound=0)


def _public(cls: type, hidden: set[str]) -> Iterator[tuple[str, object]]:
    for name, offered in vars(cls).items():
        if not name.startswith("_") and not name.isupper() and name != "staticMetaObject" and name not in hidden:
            yield name, offered


def _problem(offered, real: Member | None) -> str:
    if real is None:
        return "Python reaches no such name of the real class"
    kind = type(offered).__name__
    if kind in ("Property", "property") and real.kind not in ("property", "constant", "value"):
        return f"a property here, really a {real.kind}"
    if kind == "Signal" and real.kind not in ("signal", "value"):
        return f"a signal here, really a {real.kind}"
    if not inspect.isfunction(offered):
        return ""
    if real.kind in ("property", "constant") and not real.arities and name_is_getter(offered, real):
        return "a method here, really a property"
    return _arity_problem(offered, real.arities, bound=1)


def name_is_getter(function, real: Member) -> bool:
    """Whether a plain function stands for a property (virtual functions of Qt such as ``sizeHint`` are both)."""
    return real.kind in ("property", "constant") and function.__name__ not in ("sizeHint", "minimumSizeHint")


def _arity_problem(function, real: tuple[Arity, ...], bound: int) -> str:
    if not real:
        return ""
    parameters = list(inspect.signature(function).parameters.values())[bound:]
    endless = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    fewest = sum(p.default is p.empty for p in positional)
    most = MANY if endless else len(positional)
    refused = [n for n in range(fewest, most + 1) if not any(a.accepts(n) for a in real)]
    return f"takes {', '.join(map(str, refused))} arguments, which the real one refuses" if refused else ""
