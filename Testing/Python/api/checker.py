"""Walks through code and tells every use of a name, or of a number of arguments, that Slicer does not have.

Types are followed from imports, constructors, ``self.ui``, annotations and results of calls. Where they cannot be told,
a name must at least exist on something: a Slicer class, the code itself, or an ordinary Python object.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .calls import arity_problems, signal_problems, unknown_call_problems
from .values import Resolver, Unknown, Value
from .vocabulary import Vocabulary


@dataclass(frozen=True)
class Violation:
    """One wrong use."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


def check(source: str, resolver: Resolver, vocabulary: Vocabulary) -> list[Violation]:
    """All violations of a file, by line."""
    tree = ast.parse(source)
    walker = Walker(resolver, vocabulary.of(tree))
    walker.visit(tree)  # once to learn what the attributes of ``self`` are
    walker.violations.clear()
    walker.visit(tree)
    return sorted(set(walker.violations), key=lambda v: (v.line, v.text))


class Walker(ast.NodeVisitor):
    """Follows types through one file."""

    def __init__(self, resolver: Resolver, vocabulary: Vocabulary) -> None:
        self.resolver, self.vocabulary = resolver, vocabulary
        self.violations: list[Violation] = []
        self.scopes: list[dict[str, Value | None]] = [{}]
        self.classes: list[str] = []
        self.of_self: dict[tuple[str, str], Value | None] = {}

    def tell(self, node: ast.AST, text: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(node.lineno, text))

    def _tell_all(self, node: ast.AST, texts: list[str]) -> None:
        for text in texts:
            self.tell(node, text)

    # names

    def bind(self, name: str, value: Value | None) -> None:
        """A name gets a value; two different ones in a scope make it unknown."""
        scope = self.scopes[-1]
        scope[name] = value if scope.get(name, value) == value else None

    def look_up(self, name: str) -> Value | None:
        """What a name stands for here."""
        return next((scope[name] for scope in reversed(self.scopes) if name in scope), None)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            try:
                value = self.resolver.module(alias.name)
                top = alias.name.split(".")[0]
                self.bind(alias.asname or top, value if alias.asname else self.resolver.module(top))
            except Unknown as problem:
                self.tell(node, str(problem))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        owner = None
        if node.level == 0:
            try:
                owner = self.resolver.module(node.module)
            except Unknown as problem:
                self.tell(node, str(problem))
        for alias in node.names:
            value = None
            if owner is not None:
                try:
                    value = self.resolver.attribute(owner, alias.name)
                except Unknown as problem:
                    self.tell(node, str(problem))
            self.bind(alias.asname or alias.name, value)

    # scopes

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for base in [*node.bases, *node.decorator_list]:
            self.value(base)
        self.bind(node.name, None)
        self.classes.append(node.name)
        self.scopes.append({})
        for statement in node.body:
            self.visit(statement)
        self.scopes.pop()
        self.classes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for decorator in node.decorator_list:
            self.value(decorator)
        for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.value(default)
        self.bind(node.name, None)
        self._function(node.args, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def _function(self, arguments: ast.arguments, body: list[ast.stmt]) -> None:
        scope: dict[str, Value | None] = {}
        every = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
        for argument in [*every, *filter(None, [arguments.vararg, arguments.kwarg])]:
            scope[argument.arg] = self._annotated(argument.annotation)
        self.scopes.append(scope)
        for statement in body:
            self.visit(statement)
        self.scopes.pop()

    def _annotated(self, annotation: ast.expr | None) -> Value | None:
        """The class that an annotation names; ``X | None`` is X."""
        if isinstance(annotation, ast.BinOp) and isinstance(annotation.right, ast.Constant):
            annotation = annotation.left
        found = self.value(annotation) if isinstance(annotation, (ast.Name, ast.Attribute)) else None
        return Value("object", found.name, found.family, exact=False) if found and found.kind == "class" else None

    # statements

    def visit_Assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self.store(target, value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        value = self.value(node.value) if node.value else None
        self.store(node.target, self._annotated(node.annotation) or value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.value(node.value)
        self.store(node.target, None)

    def visit_For(self, node: ast.For) -> None:
        self.value(node.iter)
        self.store(node.target, None)
        for statement in node.body + node.orelse:
            self.visit(statement)

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            self.value(item.context_expr)
            if item.optional_vars:
                self.store(item.optional_vars, None)
        for statement in node.body:
            self.visit(statement)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type:
            self.value(node.type)
        if node.name:
            self.bind(node.name, None)
        for statement in node.body:
            self.visit(statement)

    def store(self, target: ast.expr, value: Value | None) -> None:
        """An assignment to a name, an attribute or several of them."""
        if isinstance(target, ast.Name):
            self.bind(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for each in target.elts:
                self.store(each, None)
        elif isinstance(target, ast.Starred):
            self.store(target.value, None)
        elif isinstance(target, ast.Attribute):
            self._store_attribute(target, value)
        else:
            self.value(target)

    def _store_attribute(self, target: ast.Attribute, value: Value | None) -> None:
        if self._is_self(target.value):
            key = (self.classes[-1], target.attr)
            same = self.of_self.get(key, value) == value or self.of_self[key] is None
            self.of_self[key] = value if same and value is not None else self.of_self.get(key) if same else None
            return
        owner = self.value(target.value)
        if owner is None and target.attr not in self.vocabulary:
            self.tell(target, f"nothing has the name {target.attr}")
        if owner is None or owner.kind != "object" or owner.family != "qt":
            return
        try:
            kind = self.resolver.member(owner, target.attr).kind
        except Unknown as problem:
            self.tell(target, str(problem))
            return
        if kind == "constant":
            self.tell(target, f"the property {target.attr} of {owner.name} cannot be set")
        elif kind not in ("property", "value"):
            self.tell(target, f"{target.attr} of {owner.name} is a {kind}, not a property")

    def _is_self(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == "self" and bool(self.classes)

    # expressions

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.expr):
            self.value(node)
        else:
            super().generic_visit(node)

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.expr):
            self.value(node)
        else:
            super().visit(node)

    def value(self, node: ast.expr) -> Value | None:
        """What an expression stands for; everything within is checked."""
        if isinstance(node, ast.Name):
            return self.look_up(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Lambda):
            self._function(node.args, [ast.Expr(node.body)])
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            self._comprehension(node)
        elif isinstance(node, ast.NamedExpr):
            self.store(node.target, found := self.value(node.value))
            return found
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.value(child)
        return None

    def _comprehension(self, node: ast.expr) -> None:
        self.scopes.append({})
        for part in node.generators:
            self.value(part.iter)
            self.store(part.target, None)
            for condition in part.ifs:
                self.value(condition)
        for name in ("elt", "key", "value"):
            if hasattr(node, name):
                self.value(getattr(node, name))
        self.scopes.pop()

    def _attribute(self, node: ast.Attribute) -> Value | None:
        if self._is_self(node.value) and (self.classes[-1], node.attr) in self.of_self:
            return self.of_self[self.classes[-1], node.attr]
        owner = self.value(node.value)
        if owner is None and node.attr == "ui":  # the sections of the panel share its controls
            return Value("ui")
        if owner is None or (owner.kind == "property"):
            if node.attr not in self.vocabulary:
                self.tell(node, f"nothing has the name {node.attr}")
            return None
        try:
            return self.resolver.attribute(owner, node.attr)
        except Unknown as problem:
            self.tell(node, str(problem))
            return None

    def _call(self, node: ast.Call) -> Value | None:
        called = self.value(node.func)
        for argument in [*node.args, *(k.value for k in node.keywords)]:
            self.value(argument)
        if called is None:
            self._tell_all(node, unknown_call_problems(node, self.resolver.known, self.vocabulary))
            return None
        if called.kind in ("property", "signal"):
            self.tell(node, f"{called.name} is a {called.kind}: write it without ()")
            return None
        if called.kind not in ("function", "class"):
            return None
        self._tell_all(node, arity_problems(node, called))
        self._tell_all(node, signal_problems(node, self._receiver(node), self.resolver.known))
        literals = [a.value if isinstance(a, ast.Constant) and isinstance(a.value, str) else None for a in node.args]
        try:
            return self.resolver.result(called, literals)
        except Unknown as problem:
            self.tell(node, str(problem))
            return None

    def _receiver(self, node: ast.Call) -> Value | None:
        """The object whose method is called; looked at again without telling anything twice."""
        if not isinstance(node.func, ast.Attribute):
            return None
        mark = len(self.violations)
        owner = self.value(node.func.value)
        del self.violations[mark:]
        return owner
