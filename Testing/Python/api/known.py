"""What exists: Slicer's widgets and Python layer from the two lists, MRML and VTK from the packages, Qt from both."""

from __future__ import annotations

import json
from functools import cache, cached_property
from pathlib import Path

from .plain_qt import pyside_class, pyside_member, pyside_signals
from .signatures import Arity, Member, normalised, parsed_cpp, parsed_signature, vtk_member

HERE = Path(__file__).resolve().parent

PYTHONQT = {
    "connect": Member("method", (Arity(2, 4),)),
    "disconnect": Member("method", (Arity(0, 4),)),
    "className": Member("method", (Arity(0, 0),)),
    "inherits": Member("method", (Arity(1, 1),)),
    "delete": Member("method", (Arity(0, 0),)),
}
"""What PythonQt gives to every object, whatever Qt itself has under that name."""


class Known:
    """The names of a whole Slicer."""

    def __init__(self) -> None:
        self.api = json.loads((HERE / "slicer-api.json").read_text(encoding="utf-8"))
        self.observed = json.loads((HERE / "slicer-observed.json").read_text(encoding="utf-8"))
        self.classes = self.api["classes"]
        self.layers = self.api["python"]

    def has_qt_class(self, name: str) -> bool:
        """Whether the lists tell the members of this Qt, CTK or Slicer widget class."""
        return name in self.classes or name in self.observed["qt"]

    def qt_members(self, name: str) -> dict[str, Member]:
        """All that Python reaches of a Qt class, properties before methods."""
        return self._qt_members(name)

    @cache  # noqa: B019 - one instance, made by a test session
    def _qt_members(self, name: str) -> dict[str, Member]:
        chain = self.classes[name]["mro"] if name in self.classes else [name]
        found: dict[str, Member] = {}
        for each in [*chain, "QWidget", "QObject"] if self._is_widget(chain) else [*chain, "QObject"]:
            more = self._declared(each) if each in self.classes else self._plain_qt(each)
            found = more | found
        for each in chain:  # a property hides a method of any class above or below
            found |= {n: m for n, m in self._declared(each).items() if m.kind in ("property", "constant")}
            found |= {n: Member("value") for n in self.observed["extra"].get(each, ()) if n not in found}
        found |= {n: m for n, m in PYTHONQT.items() if n in found}
        if "qSlicerApplication" in chain:
            found = {n: Member("value") for n in self.observed["objects"]["slicer.app"]} | found
        if "qSlicerLayoutManager" in chain:
            found = {n: Member("value") for n in self.observed["objects"]["layoutManager"]} | found
        return found

    def _is_widget(self, chain: list[str]) -> bool:
        last = chain[-1]
        if last in ("QObject", "QApplication"):
            return False
        names = self._observed_names(last) if last in self.observed["qt"] else set()
        return last in self.classes or last == "QWidget" or bool(pyside_class(last, "QWidget")) or "setToolTip" in names

    def _declared(self, name: str) -> dict[str, Member]:
        if name not in self.classes:
            return {}
        cls = self.classes[name]
        found: dict[str, Member] = {value: Member("value") for value in cls.get("enums", ())}
        for signature in cls.get("methods", ()):
            method, arity, gives = parsed_cpp(signature.removesuffix(" [static]"))
            before = found.get(method, Member("method"))
            found[method] = Member("method", (*before.arities, arity), gives or before.gives)
        found |= {parsed_cpp(s)[0]: Member("signal") for s in cls.get("signals", ())}
        return found | {
            n: Member("constant" if kind.endswith(" const") else "property")
            for n, kind in cls.get("properties", {}).items()
        }

    def _observed_names(self, name: str | None) -> set[str]:
        if name not in self.observed["qt"]:
            return set()
        return set(self.observed["qt"][name]) | self._observed_names(self.observed["qt_bases"].get(name))

    def _plain_qt(self, name: str) -> dict[str, Member]:
        return {member: pyside_member(name, member) for member in self._observed_names(name)}

    def signals(self, name: str) -> set[str]:
        """Signatures of the signals of a Qt class, normalised: "currentNodeChanged(vtkMRMLNode*)"."""
        chain = self.classes[name]["mro"] if name in self.classes else [name]
        own = {normalised(s) for each in chain if each in self.classes for s in self.classes[each].get("signals", ())}
        return own | pyside_signals(chain[-1] if chain[-1] not in self.classes else "QWidget")

    def layer_member(self, module: str, name: str) -> Member | None:
        """A name of one of Slicer's Python modules."""
        layer = self.layers[module]
        if name in layer["functions"]:
            return Member("method", (parsed_signature(layer["functions"][name]),))
        if name in layer["classes"]:
            made = layer["classes"][name]["methods"].get("__init__")
            return Member("class", (parsed_signature(made),) if made else (), name)
        return Member("value") if name in layer["constants"] else None

    def layer_class_members(self, module: str, name: str) -> dict[str, Member]:
        """Members of a class of Slicer's Python layer, without those of bases that are not listed."""
        cls = self.layers[module]["classes"].get(name)
        if cls is None:
            return {}
        found = {n: Member("value") for n in cls["attributes"]}
        for base in cls["bases"]:
            found |= self.layer_class_members(module, base)
        for method, signature in cls["methods"].items():
            kind = "constant" if "@property" in signature else "method"
            found[method] = Member(kind, (parsed_signature(signature),) if kind == "method" else ())
        return found

    @cached_property
    def vtk_classes(self) -> dict[str, type]:
        """MRML and VTK classes by name."""
        import slicer
        import vtk

        found = {n: c for n, c in vars(vtk).items() if isinstance(c, type)}
        return found | {n: c for n in dir(slicer) if n.startswith("vtk") and isinstance(c := getattr(slicer, n), type)}

    @cached_property
    def _vtk_owners(self) -> dict[str, list[type]]:
        owners: dict[str, list[type]] = {}
        for base in {base for cls in self.vtk_classes.values() for base in cls.__mro__}:
            for name in vars(base):
                owners.setdefault(name, []).append(base)
        return owners

    def vtk_definitions(self, name: str) -> list[Member]:
        """Members of that name over all MRML and VTK classes."""
        members = [vtk_member(cls, name) for cls in self._vtk_owners.get(name, [])]
        return [m for m in members if m is not None]

    def has_vtk_member(self, name: str) -> bool:
        """Whether some MRML or VTK class has a member of that name."""
        return name in self._vtk_owners

    @cached_property
    def layer_names(self) -> set[str]:
        """Every function, class and member of Slicer's Python layer."""
        names = {part for module in self.layers for part in module.split(".")}
        for layer in self.layers.values():
            names |= {*layer["functions"], *layer["classes"], *layer["constants"]}
            for cls in layer["classes"].values():
                names |= {*cls["methods"], *cls["attributes"]}
        return names

    @cached_property
    def all_qt_names(self) -> set[str]:
        """Every name that some listed Qt, CTK or Slicer class has."""
        names = {n for cls in [*self.classes, *self.observed["qt"]] for n in self.qt_members(cls)}
        return names.union(*self.observed["objects"].values(), self.classes, self.observed["qt"])
