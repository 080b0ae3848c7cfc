"""Names that may stand after a dot where the class before it cannot be told."""

from __future__ import annotations

import argparse
import ast
import collections
import dataclasses
import enum
import inspect
import os
import pathlib
import queue
import subprocess
import tempfile
import threading
import types
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .known import Known

PLAIN = (
    str, bytes, int, float, list, tuple, dict, set, frozenset, Exception, OSError, ImportError, type, property,
    slice, types.ModuleType, types.FunctionType, types.MethodType, pathlib.Path, enum.Enum, np.ndarray, np.generic,
    np.dtype, np.random.Generator, np.flatiter, type(np.zeros(1).flags), threading.Thread, threading.Event, queue.Queue,
    subprocess.Popen, subprocess.CompletedProcess,
    subprocess.CalledProcessError, os.stat_result, zipfile.ZipFile, tempfile.TemporaryDirectory,
    argparse.ArgumentParser, argparse.Namespace, collections.deque, dataclasses.Field, inspect.Signature,
    inspect.Parameter, types.SimpleNamespace,
)  # fmt: skip
"""Ordinary Python objects that the checked code handles."""


PARAMETER_NODE = frozenset(
    {
        "parameterNode",
        "allParameters",
        "default",
        "isCached",
        "dataType",
        "getValue",
        "setValue",
        "connectGui",
        "connectParametersToGui",
        "disconnectGui",
        "StartModify",
        "EndModify",
        "AddObserver",
        "RemoveObserver",
        "Modified",
    }
)
"""What the class decorator ``parameterNodeWrapper`` gives to a class."""


class Vocabulary:
    """All names that exist on something.

    Args:
        known: Slicer's names.
        own: files whose functions, classes, attributes and arguments are our own.
        more: classes of other packages whose members may be used.
    """

    def __init__(self, known: Known, own: Iterable[Path] = (), more: Iterable[type] = ()) -> None:
        self._known = known
        self.plain = {name for cls in (*PLAIN, *more) for name in dir(cls)} | PARAMETER_NODE
        for path in own:
            self.plain |= own_names(ast.parse(path.read_text(encoding="utf-8")))

    def of(self, tree: ast.AST) -> Vocabulary:
        """This vocabulary with the names that a file defines itself."""
        copy = Vocabulary.__new__(Vocabulary)
        copy._known, copy.plain = self._known, self.plain | own_names(tree)
        return copy

    def __contains__(self, name: str) -> bool:
        known = self._known
        names = (self.plain, known.all_qt_names, known.layer_names, known.vtk_classes)
        return any(name in group for group in names) or known.has_vtk_member(name)


def own_names(tree: ast.AST) -> set[str]:
    """Names that a file defines: functions, classes, class attributes, attributes of ``self``, fields."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in [each for t in targets for each in (t.elts if isinstance(t, ast.Tuple) else [t])]:
                if isinstance(target, ast.Name):
                    found.add(target.id)
                elif isinstance(target, ast.Attribute) and getattr(target.value, "id", "") in ("self", "cls"):
                    found.add(target.attr)
    return found
