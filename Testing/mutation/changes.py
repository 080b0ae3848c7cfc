"""The changes that are tried: comparisons, arithmetic, and/or, not, numbers, truth values, conditions."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LIBRARY = "PulsarCAMLib"

COMPARED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div}
JOINED = {ast.And: ast.Or, ast.Or: ast.And}


@dataclass(frozen=True)
class Mutant:
    """One change: the ``number``-th that :func:`changes` finds in a file.

    Attributes:
        file: relative to the checkout.
        text: of the file it was found in, hashed: what was found out about it holds as long as the file stays.
        lines: of the statement that holds the change; a test that runs none of them cannot see it.
    """

    file: str
    text: str
    number: int
    line: int
    lines: tuple[int, ...]
    what: str

    @property
    def key(self) -> str:
        return f"{self.file}:{self.text}:{self.number}"


def changes(tree: ast.AST) -> Iterator[tuple[ast.AST, str, object]]:
    """Node, words, and a function that makes the change in the tree; texts and annotations are left alone."""
    decorators = {
        id(each) for node in ast.walk(tree) for top in getattr(node, "decorator_list", ()) for each in ast.walk(top)
    }
    for node in ast.walk(tree):
        if id(node) in decorators:
            continue
        if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
            old, new = type(node.ops[0]), COMPARED[type(node.ops[0])]
            yield node, f"{old.__name__} -> {new.__name__}", lambda n=node, o=new: n.ops.__setitem__(0, o())
        elif isinstance(node, ast.BinOp) and type(node.op) in COMPUTED and not _is_text(node):
            new = COMPUTED[type(node.op)]
            yield node, f"{type(node.op).__name__} -> {new.__name__}", lambda n=node, o=new: setattr(n, "op", o())
        elif isinstance(node, ast.BoolOp):
            new = JOINED[type(node.op)]
            yield node, f"{type(node.op).__name__} -> {new.__name__}", lambda n=node, o=new: setattr(n, "op", o())
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node, "not removed", lambda n=node: setattr(n, "op", ast.UAdd())
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield node, f"{node.value} -> {not node.value}", lambda n=node: setattr(n, "value", not n.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            yield node, f"{node.value} -> {node.value + 1}", lambda n=node: setattr(n, "value", n.value + 1)
        elif isinstance(node, ast.If):
            yield node, "if -> if not", lambda n=node: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(
        isinstance(s, ast.JoinedStr) or (isinstance(s, ast.Constant) and isinstance(s.value, str)) for s in sides
    )


def all_mutants(checkout: Path, rooms: list[str]) -> list[Mutant]:
    """Every mutant of these rooms, in the order of rooms, files and lines."""
    return [
        each
        for room in rooms
        for file in sorted((checkout / LIBRARY / room).rglob("*.py"))
        for each in mutants_of(file.read_text(encoding="utf-8"), file.relative_to(checkout).as_posix())
    ]


def mutants_of(source: str, file: str) -> list[Mutant]:
    """Every mutant of one file's text."""
    tree = ast.parse(source)
    text = hashlib.sha256(source.encode()).hexdigest()[:12]
    spans = [
        (node.lineno, _end_of_head(node))
        for node in ast.walk(tree)
        if isinstance(node, (ast.stmt, ast.ExceptHandler, ast.comprehension)) and hasattr(node, "lineno")
    ]
    found = []
    for number, (node, what, _) in enumerate(changes(tree)):
        around = [span for span in spans if span[0] <= node.lineno <= span[1]]
        first, last = max(around, default=(node.lineno, node.lineno))
        found.append(Mutant(file, text, number, node.lineno, tuple(range(first, last + 1)), what))
    return found


def _end_of_head(node: ast.AST) -> int:
    """The last line of a statement without the block below it."""
    body = getattr(node, "body", None)
    return body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno


def mutated(source: str, number: int) -> str:
    """The file's text with its ``number``-th change made."""
    tree = ast.parse(source)
    _, _, change = list(changes(tree))[number]
    change()
    return ast.unparse(ast.fix_missing_locations(tree))
