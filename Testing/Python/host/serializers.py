"""How values of each type are kept in a parameter node."""

from __future__ import annotations

import enum
import pathlib
import typing

import slicer


class Validator:
    """An annotation that refuses values."""


class WithinRange(Validator):
    def __init__(self, minimum, maximum):
        self.minimum, self.maximum = minimum, maximum

    def validate(self, value):
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within [{self.minimum}, {self.maximum}], is {value}")


class Minimum(Validator):
    def __init__(self, minimum):
        self.minimum = minimum

    def validate(self, value):
        if value < self.minimum:
            raise ValueError(f"Value must be at least {self.minimum}, is {value}")


class Maximum(Validator):
    def __init__(self, maximum):
        self.maximum = maximum

    def validate(self, value):
        if value > self.maximum:
            raise ValueError(f"Value must be at most {self.maximum}, is {value}")


class Choice(Validator):
    def __init__(self, choices):
        self.choices = choices

    def validate(self, value):
        if value not in self.choices:
            raise ValueError(f"Value must be one of {self.choices}, is {value}")


class OneType:
    """One type: int, float, str, bool, an Enum, a path, a node, None, or a list of one of these.

    ``A | B`` is refused: Slicer before 5.13 asks for ``typing.Union``.
    """

    PLAIN = (int, float, str, bool)

    def __init__(self, kind) -> None:
        self.kind = type(None) if kind is None else kind
        self.item = None
        if typing.get_origin(kind) is list:
            self.item = OneType(typing.get_args(kind)[0])
            return
        self.is_none = self.kind is type(None)
        is_class = isinstance(self.kind, type)
        self.is_node = is_class and issubclass(self.kind, slicer.vtkMRMLNode)
        self.is_enum = is_class and issubclass(self.kind, enum.Enum)
        self.is_path = is_class and issubclass(self.kind, pathlib.PurePath)
        if not (self.is_none or self.is_node or self.is_enum or self.is_path or self.kind in self.PLAIN):
            raise TypeError(f"Unable to create serializer for type: {kind}")

    def default(self):
        """What a member without a default holds."""
        if self.item is not None:
            return []
        if self.is_node or self.is_none:
            return None
        return next(iter(self.kind)) if self.is_enum else self.kind()

    def accepts(self, value) -> bool:
        """Whether a value has this type; a float may be an int, a node may be None."""
        if self.item is not None:
            return isinstance(value, list) and all(self.item.accepts(v) for v in value)
        if self.is_node and value is None:
            return True
        return isinstance(value, (int, float) if self.kind is float else self.kind)

    def is_in(self, node, name: str) -> bool:
        """Whether the node holds a value."""
        return node.HasParameter(f"{name}.len" if self.item is not None else name)

    def write(self, node, name: str, value) -> None:
        """Put the value into the node.

        Raises:
            TypeError: the value has another type.
            ValueError: None for a plain value.
        """
        if value is None and not self.accepts(None):
            raise ValueError(f"{name}: Value must not be None")
        if not self.accepts(value):
            raise TypeError(f"{name}: unable to write {value!r} of type {type(value).__name__}")
        if self.item is not None:
            for index, each in enumerate(value):
                self.item.write(node, f"{name}.{index}", each)
            node.SetParameter(f"{name}.len", str(len(value)))
        elif self.is_node:
            node.SetNodeReferenceID(name, value.GetID() if value is not None else None)
            node.SetParameter(name, "")
        else:
            node.SetParameter(name, str(value is None) if self.is_none else value.name if self.is_enum else str(value))

    def read(self, node, name: str):
        """The value in the node."""
        if self.item is not None:
            return [self.item.read(node, f"{name}.{i}") for i in range(int(node.GetParameter(f"{name}.len")))]
        text = node.GetParameter(name)
        if self.is_node:
            return node.GetNodeReference(name)
        if self.is_none:
            return None
        if self.is_enum:
            return self.kind[text]
        return text == "True" if self.kind is bool else self.kind(text)

    def remove(self, node, name: str) -> None:
        """Take the value out of the node."""
        node.UnsetParameter(name)
        if self.item is None and self.is_node:
            node.RemoveNodeReferenceIDs(name)


class EitherType:
    """``typing.Union``: each type under a name of its own, ``name.0``, ``name.1``."""

    def __init__(self, kinds) -> None:
        self.parts = [OneType(kind) for kind in kinds]

    def default(self):
        """None for ``Optional``, else that of the first type."""
        optional = len(self.parts) == 2 and self.parts[1].is_none
        return None if optional else self.parts[0].default()

    def is_in(self, node, name: str) -> bool:
        """Whether the node holds a value of any type."""
        return any(part.is_in(node, f"{name}.{i}") for i, part in enumerate(self.parts))

    def write(self, node, name: str, value) -> None:
        """Put the value into the node, and those of the other types out."""
        chosen = self._index_for(name, value)
        for index, part in enumerate(self.parts):
            if index != chosen:
                part.remove(node, f"{name}.{index}")
        self.parts[chosen].write(node, f"{name}.{chosen}", value)

    def read(self, node, name: str):
        """The value in the node."""
        for index, part in enumerate(self.parts):
            if part.is_in(node, f"{name}.{index}"):
                return part.read(node, f"{name}.{index}")
        return None

    def _index_for(self, name: str, value) -> int:
        for index, part in enumerate(self.parts):
            if value is None and not part.is_none:
                continue
            if part.accepts(value):
                return index
        raise TypeError(f"{name}: unable to write {value!r} of type {type(value).__name__}")
