"""How something may be called, read from Python, C++ and VTK signatures."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Arity:
    """Numbers of positional arguments that a call may have, and names of arguments (None: not known)."""

    fewest: int
    most: float
    names: frozenset[str] | None = None

    def accepts(self, count: int, keywords: frozenset[str] = frozenset()) -> bool:
        """Whether a call with so many positional arguments and these keywords fits."""
        if keywords and self.names is not None and not keywords <= self.names:
            return False
        return count <= self.most and count + len(keywords) >= self.fewest


@dataclass(frozen=True)
class Member:
    """One name of a class: what it is, how it may be called, what it gives.

    Attributes:
        kind: "property", "constant" (a read-only property), "signal", "method" or "value".
        arities: of all overloads; empty: not known.
        gives: name of the class of the result, or "".
    """

    kind: str
    arities: tuple[Arity, ...] = ()
    gives: str = ""


def parsed_signature(signature: str) -> Arity:
    """Arity of a Python signature, "(self, a, b=1, **kwargs)"; ``self`` is left out."""
    arguments = ast.parse(f"def f{signature.split('  @')[0]}: pass").body[0].args
    names = [a.arg for a in arguments.posonlyargs + arguments.args]
    bound = int(names[:1] == ["self"])
    fewest = len(names) - len(arguments.defaults) - bound
    named = frozenset(names[bound:] + [a.arg for a in arguments.kwonlyargs])
    return Arity(fewest, float("inf") if arguments.vararg else len(names) - bound, None if arguments.kwarg else named)


def parsed_cpp(signature: str) -> tuple[str, Arity, str]:
    """Name, arity and class of the result of a C++ signature, "void setCurrentNode(vtkMRMLNode* node = nullptr)"."""
    head, rest = signature.split("(", 1)
    inner = split_arguments(rest[: closing(rest)])
    *result, name = head.replace("*", "* ").replace("&", "& ").split()
    gives = next((word for word in result if re.fullmatch(r"[qQ]\w+|ctk\w+|vtk\w+", word.rstrip("*& "))), "")
    return name, Arity(sum("=" not in a for a in inner), len(inner)), gives.rstrip("*& ")


def closing(text: str) -> int:
    """Index of the parenthesis that closes the one before ``text``."""
    depth = 1
    for index, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0:
            return index
    raise ValueError(text)


def split_arguments(text: str) -> list[str]:
    """Arguments, apart at the commas that are in no brackets."""
    depth, parts = 0, [""]
    for letter in text:
        depth += (letter in "([{<") - (letter in ")]}>")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def vtk_member(cls: type, name: str) -> Member | None:
    """A member of a VTK or MRML class; overloads are read from its documentation."""
    found = getattr(cls, name, None)
    if found is None:
        return None
    if not callable(found) or isinstance(found, type):
        return Member("value")
    text = getattr(found, "__doc__", None) or ""
    arities, gives = [], ""
    for match in re.finditer(rf"^{re.escape(name)}\(", text, re.MULTILINE):
        rest = text[match.end() :]
        end = closing(rest)
        arguments = [a for a in split_arguments(rest[:end].replace("\n", " ")) if a != "self"]
        arities.append(Arity(sum("=" not in a for a in arguments), len(arguments)))
        result = re.match(r"\s*->\s*(vtk\w+)", rest[end + 1 :])
        gives = gives or (result[1] if result else "")
    return Member("method", tuple(arities), gives)


def normalised(signal: str) -> str:
    """A signal's signature as ``connect`` takes it: no result, no argument names, no references."""
    name, _, _ = parsed_cpp(signature := signal if "(" in signal else f"{signal}()")
    inner = signature.split("(", 1)[1]
    kinds = []
    for argument in split_arguments(inner[: closing(inner)]):
        kind = re.sub(r"\bconst\b|&", " ", argument.split("=")[0]).replace("*", "* ").strip()
        words = kind.split()
        is_named = len(words) > 1 and re.fullmatch(r"\w+", words[-1]) and words[-1] not in ("int", "long", "char")
        kinds.append("".join(words[:-1] if is_named else words))
    return f"{name}({','.join(kinds)})"
