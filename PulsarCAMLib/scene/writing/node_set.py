"""What all sets of output nodes have in common: their order, and whether given nodes can be written into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import slicer

from ...core.errors import InputError, OutputError


class NodeSet:
    """Base of dataclasses whose fields are nodes, or None."""

    def __iter__(self) -> Iterator[Any]:
        """The nodes that are there."""
        return iter([node for node in self.all() if node is not None])

    def all(self) -> tuple[Any, ...]:
        """All nodes in the order of the fields, None where there is none."""
        return tuple(getattr(self, f.name) for f in fields(self))  # type: ignore[arg-type]


def check_given(nodes: NodeSet, classes: Mapping[str, str], words: Mapping[str, str], inputs: Sequence[Any]) -> None:
    """Whether given nodes can take what is written into them.

    Args:
        nodes: given ones, others are None.
        classes, words: field to class of its node, and to what it is called.
        inputs: nodes that must not be written into.

    Raises:
        InputError: an output is an input.
        OutputError: an output node is of the wrong kind or not in the scene.
    """
    for role, class_name in classes.items():
        node = getattr(nodes, role)
        if node is None:
            continue
        if not node.IsA(class_name) or node.IsA("vtkMRMLLabelMapVolumeNode") or node.GetScene() is not slicer.mrmlScene:
            raise OutputError(f"“{node.GetName()}” cannot take the {words[role]}; let a new one be made.")
        if any(node is each for each in inputs):
            raise InputError(f"“{node.GetName()}” is an input and would be overwritten; let a new node be made.")
