"""What is wrong with a call: the number of its arguments, its keywords, the signal that it names."""

from __future__ import annotations

import ast

from .known import Known
from .signatures import normalised
from .values import Value
from .vocabulary import Vocabulary


def arity_problems(node: ast.Call, called: Value) -> list[str]:
    """Of a call of something known."""
    counted = _counted(node)
    if counted is None:
        return []
    count, keywords = counted
    if called.kind == "class" and called.family == "qt":
        return _constructor_problems(called.name, count, keywords)
    arities = called.member.arities if called.member else ()
    if not arities or any(a.accepts(count, keywords) for a in arities):
        return []
    return [f"{called.name} does not take {count} arguments {sorted(keywords) or ''}".rstrip()]


def unknown_call_problems(node: ast.Call, known: Known, vocabulary: Vocabulary) -> list[str]:
    """On an object of unknown class: some MRML or VTK class must take so many arguments."""
    counted = _counted(node)
    if not isinstance(node.func, ast.Attribute) or counted is None or node.func.attr in vocabulary.plain:
        return []
    arities = [a for m in known.vtk_definitions(node.func.attr) for a in m.arities]
    if not arities or any(a.accepts(*counted) for a in arities):
        return []
    return [f"no {node.func.attr} of any MRML or VTK class takes {counted[0]} arguments"]


def signal_problems(node: ast.Call, owner: Value | None, known: Known) -> list[str]:
    """Of ``connect("signature", f)`` on a control that is known."""
    is_connecting = isinstance(node.func, ast.Attribute) and node.func.attr in ("connect", "disconnect")
    signature = node.args[0] if node.args else None
    if not is_connecting or owner is None or owner.family != "qt" or not isinstance(signature, ast.Constant):
        return []
    if not isinstance(signature.value, str) or "(" not in signature.value:
        return []
    wanted, signals = normalised(signature.value), known.signals(owner.name)
    if wanted in signals or any(_shorter(wanted, signal) for signal in signals):
        return []
    return [f"{owner.name} has no signal {signature.value}"]


def _constructor_problems(name: str, count: int, keywords: frozenset[str]) -> list[str]:
    problems = [f"{name} takes no keyword arguments in PythonQt"] if keywords else []
    if not name.startswith("Q") and count > 1:
        problems.append(f"{name} is made with no argument or its parent only")
    return problems


def _counted(node: ast.Call) -> tuple[int, frozenset[str]] | None:
    """Positional arguments and keywords; None where a star hides how many there are."""
    if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
        return None
    return len(node.args), frozenset(k.arg for k in node.keywords)


def _shorter(wanted: str, signal: str) -> bool:
    """Whether a signal has a default argument that ``wanted`` leaves out: ``clicked()`` for ``clicked(bool)``."""
    return wanted.endswith("()") and signal == f"{wanted[:-2]}(bool)"
