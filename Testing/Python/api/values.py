"""What an expression of the checked code stands for, as far as it can be told without running it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from types import ModuleType

from .known import Known
from .signatures import Arity, Member, vtk_member


@dataclass(frozen=True)
class Value:
    """One thing.

    Attributes:
        kind: "slicer", "layer" (a Python module of Slicer), "python" (any other module), "qtmodule" (``qt``, ``ctk``),
            "modules" (``slicer.modules``), "ui" (children of a .ui file), "class", "object", "function", "signal".
        name: of the module or class.
        family: of a class or an object: "qt", "vtk", "layer" (then ``name`` is "module:class").
        exact: False where the object may be of a class derived from ``name``.
        member: of a function: how it may be called.
    """

    kind: str
    name: str = ""
    family: str = ""
    exact: bool = True
    member: Member | None = field(default=None, compare=False)


class Unknown(Exception):  # noqa: N818 - not a fault of this program
    """A name that does not exist; the message says of what."""


MODULE_LOGICS = {
    "colors": "vtkSlicerColorLogic",
    "markups": "vtkSlicerMarkupsLogic",
    "segmentations": "vtkSlicerSegmentationsModuleLogic",
    "volumes": "vtkSlicerVolumesLogic",
    "tables": "vtkSlicerTablesLogic",
}
SLICER_OBJECTS = {
    "app": Value("object", "qSlicerApplication", "qt"),
    "mrmlScene": Value("object", "vtkMRMLScene", "vtk"),
    "modules": Value("modules"),
}
MADE_BY_NAME = {
    "AddNewNodeByClass": 0,
    "CreateNodeByClass": 0,
    "GetFirstNodeByClass": 0,
    "AddNewNodeByClassWithID": 0,
    "GetSingletonNode": 1,
    "GetNthNodeByClass": 1,
}
"""Methods of the scene that take the name of a class, and which argument that is."""


class Resolver:
    """Looks names up in :class:`~api.known.Known`."""

    def __init__(self, known: Known, widgets: dict[str, str], root: str = "qMRMLWidget") -> None:
        self.known = known
        self.widgets = widgets
        self.root = root

    def module(self, name: str) -> Value | None:
        """What ``import name`` binds."""
        if name == "slicer":
            return Value("slicer")
        if name in ("qt", "ctk"):
            return Value("qtmodule", name)
        if name in self.known.layers:
            return Value("layer", name)
        if name.startswith("slicer."):
            raise Unknown(f"no Python module {name}")
        try:
            importlib.import_module(name)
        except ImportError:
            return None
        return Value("python", name)

    def attribute(self, owner: Value, name: str) -> Value | None:
        """What ``owner.name`` is; None where that cannot be told.

        Raises:
            Unknown: there is no such name.
        """
        return getattr(self, f"_of_{owner.kind}")(owner, name)

    def _of_slicer(self, _owner: Value, name: str) -> Value | None:
        if name in SLICER_OBJECTS:
            return SLICER_OBJECTS[name]
        if f"slicer.{name}" in self.known.layers:
            return Value("layer", f"slicer.{name}")
        return self.class_named(name, "slicer")

    def class_named(self, name: str, where: str) -> Value:
        """A Qt or VTK class."""
        if name.startswith("vtk"):
            if name not in self.known.vtk_classes:
                raise Unknown(f"{where} has no class {name}")
            return Value("class", name, "vtk")
        if self.known.has_qt_class(name):
            return Value("class", name, "qt")
        if name in self.known.observed["all_qt"]:
            raise Unknown(f"{name} exists, but is not in the trimmed list: add it to api/trim.py and run that")
        raise Unknown(f"{where} has no {name}")

    def _of_qtmodule(self, owner: Value, name: str) -> Value:
        if owner.name == "qt" and not (name.startswith("Q")):
            raise Unknown(f"qt has no {name}")
        if owner.name == "ctk" and not name.startswith("ctk"):
            raise Unknown(f"ctk has no {name}")
        return self.class_named(name, owner.name)

    def _of_layer(self, owner: Value, name: str) -> Value | None:
        member = self.known.layer_member(owner.name, name)
        if member is None:
            raise Unknown(f"{owner.name} has no {name}")
        if member.kind == "class":
            return Value("class", f"{owner.name}:{name}", "layer", member=member)
        return Value("function", f"{owner.name}.{name}", member=member)

    def _of_python(self, owner: Value, name: str) -> Value | None:
        module = importlib.import_module(owner.name)
        if not hasattr(module, name):
            try:
                importlib.import_module(f"{owner.name}.{name}")
            except ImportError:
                raise Unknown(f"the module {owner.name} has no {name}") from None
        found = getattr(module, name)
        if isinstance(found, ModuleType):
            return Value("python", found.__name__)
        if isinstance(found, type) and name in self.known.vtk_classes and owner.name.startswith("vtk"):
            return Value("class", name, "vtk")
        return None

    def _of_modules(self, _owner: Value, name: str) -> Value | None:
        if name not in self.known.observed["objects"]["slicer.modules"]:
            raise Unknown(f"slicer.modules has no {name}")
        return Value("module", name)

    def _of_module(self, owner: Value, name: str) -> Value | None:
        members = self.known.qt_members("qSlicerAbstractCoreModule")
        if name not in members:
            raise Unknown(f"a module has no {name}")
        if name == "logic" and MODULE_LOGICS.get(owner.name) in self.known.vtk_classes:
            logic = Member("method", (Arity(0, 0),), MODULE_LOGICS[owner.name])
            return Value("function", "logic", member=logic)
        return None

    def _of_ui(self, _owner: Value, name: str) -> Value:
        if name not in self.widgets:
            raise Unknown(f"the .ui file has no child {name}")
        return self._object_of(self.widgets[name])

    def _object_of(self, name: str) -> Value:
        found = self.class_named(name, "Slicer")
        return Value("object", found.name, found.family)

    def _of_function(self, _owner: Value, name: str) -> Value | None:
        raise Unknown(f"a function or method has no {name}; call it first")

    def _of_signal(self, _owner: Value, name: str) -> Value | None:
        if name not in ("connect", "disconnect", "emit"):
            raise Unknown(f"a signal has no {name}")
        return None

    def _of_class(self, owner: Value, name: str) -> Value | None:
        member = self.member(owner, name)
        if member.kind == "method":
            return Value("function", f"{owner.name}.{name}") if owner.family != "qt" else None
        return None

    def _of_object(self, owner: Value, name: str) -> Value | None:
        member = self.member(owner, name)
        if member.kind == "signal":
            return Value("signal", name)
        if member.kind == "method":
            return Value("function", f"{owner.name}.{name}", member=member)
        if member.kind in ("property", "constant") and owner.family == "qt":
            return Value("property", f"{owner.name}.{name}", member=member)
        return None

    def _of_property(self, _owner: Value, _name: str) -> Value | None:
        return None

    def member(self, owner: Value, name: str) -> Member:
        """A member of a class.

        Raises:
            Unknown: neither the class nor, where the object may be of a derived one, any of those has it.
        """
        if owner.family == "qt":
            found = self.known.qt_members(owner.name).get(name)
        elif owner.family == "layer":
            found = self.known.layer_class_members(*owner.name.split(":")).get(name)
        else:
            found = self._vtk_member(owner, name)
        if found is None:
            raise Unknown(f"Python reaches no {name} of {owner.name.split(':')[-1]}")
        return found

    def _vtk_member(self, owner: Value, name: str) -> Member | None:
        cls = self.known.vtk_classes[owner.name]
        found = vtk_member(cls, name)
        if found is None and not owner.exact:
            derived = [c for c in self.known.vtk_classes.values() if issubclass(c, cls)]
            members = [m for m in (vtk_member(c, name) for c in derived) if m is not None]
            arities = tuple(dict.fromkeys(a for m in members for a in m.arities))
            found = Member(members[0].kind, arities) if members else None
        return found

    def result(self, called: Value, literals: list[str | None]) -> Value | None:
        """What a call gives, as far as it is told."""
        if called.kind == "class":
            return Value("object", called.name, called.family)
        name = called.name.rsplit(".", 1)[-1]
        if called.name == "slicer.util.childWidgetVariables":
            return Value("ui")
        if called.name == "slicer.util.loadUI":
            return self._object_of(self.root)
        if called.name == "slicer.util.addVolumeFromArray":
            return Value("object", "vtkMRMLScalarVolumeNode", "vtk", exact=False)
        if name in MADE_BY_NAME and len(literals) > MADE_BY_NAME[name] and literals[MADE_BY_NAME[name]]:
            wanted = literals[MADE_BY_NAME[name]]
            return Value("object", self.class_named(wanted, "slicer").name, "vtk", exact=False)
        gives = called.member.gives if called.member else ""
        if gives in self.known.vtk_classes:
            return Value("object", gives, "vtk", exact=False)
        return Value("object", gives, "qt") if gives and self.known.has_qt_class(gives) else None
