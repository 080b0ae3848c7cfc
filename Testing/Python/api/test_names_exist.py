"""Every name of Slicer that panel, library and stand-in use exists there and takes as many arguments."""

from __future__ import annotations

import ast
import importlib.util
import unittest
from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

import host

from api import stand_in
from api.checker import check
from api.known import Known
from api.ui_file import UiFile
from api.values import Resolver
from api.vocabulary import Vocabulary

ROOT = Path(__file__).resolve().parents[3]
MODULE = ROOT / "PulsarCAM" / "PulsarCAM.py"
UI_FILES = sorted((ROOT / "PulsarCAM" / "Resources" / "UI").glob("*.ui"))
LIBRARY = sorted((ROOT / "PulsarCAMLib").rglob("*.py"))
CHECKED = [MODULE, *(p for p in LIBRARY if p.relative_to(ROOT).parts[1] in ("scene", "desktop"))]


@pytest.fixture(scope="module")
def known():
    return Known()


@pytest.fixture(scope="module")
def a_desktop_for_all():
    """The stand-in, so that the panel's own modules can be imported, whichever tests this process ran before."""
    from host.desktop import Desktop

    with Desktop(with_qt=True) as desktop:
        yield desktop


@pytest.fixture(scope="module")
def resolver(known, a_desktop_for_all):
    files = [UiFile(path) for path in UI_FILES]
    return Resolver(known, {name: kind for file in files for name, kind in file.widgets.items()}, files[0].root)


@pytest.fixture(scope="module")
def vocabulary(known):
    return Vocabulary(known, [MODULE, *LIBRARY], [unittest.TestCase])


@pytest.mark.parametrize("path", CHECKED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_name_and_number_of_arguments_exists_in_slicer(path, resolver, vocabulary):
    assert [str(v) for v in check(path.read_text(encoding="utf-8"), resolver, vocabulary)] == []


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.name)
def test_every_class_property_and_connection_of_the_ui_file_exists(path, known):
    assert UiFile(path).violations(known) == []


def test_every_parameter_bound_in_the_ui_file_is_in_the_parameter_node():
    desktop = [path for path in LIBRARY if "desktop" in path.relative_to(ROOT).parts]
    nodes = [n for path in (MODULE, *desktop) for n in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    wrappers = [n for n in nodes if isinstance(n, ast.ClassDef) and n.name.endswith(("ParameterNode", "Parameters"))]
    declared = {s.target.id for cls in wrappers for s in cls.body if isinstance(s, ast.AnnAssign)}
    bound = {name for path in UI_FILES for name in UiFile(path).bound()}
    assert bound
    assert bound <= declared


def test_no_union_of_the_parameter_node_is_spelled_with_a_bar():
    tree = ast.parse(MODULE.read_text(encoding="utf-8"))
    for cls in (n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)):
        if any(getattr(d, "id", "") == "parameterNodeWrapper" for d in cls.decorator_list):
            for statement in (s for s in cls.body if isinstance(s, ast.AnnAssign)):
                assert not any(isinstance(n, ast.BinOp) for n in ast.walk(statement.annotation)), statement.target.id


def test_the_stand_in_widgets_offer_nothing_that_the_real_ones_lack(known):
    stand_ins = [c for c in stand_in.classes_of(stand_in.modules_of(host)) if known.has_qt_class(c.__name__)]
    assert len(stand_ins) >= 5
    assert [problem for cls in stand_ins for problem in stand_in.qt_violations(cls, known)] == []


def test_the_stand_in_of_the_python_layer_takes_what_the_real_one_takes(known):
    modules = stand_in.modules_of(host)
    wrong, seen = [], 0
    for layer, content in known.layers.items():
        for cls in stand_in.classes_of(modules):
            if cls.__name__ in content["classes"]:
                seen += 1
                wrong += stand_in.layer_violations(cls, known, layer)
        for module in modules:
            for name in content["functions"].keys() & vars(module).keys():
                if getattr(vars(module)[name], "__module__", "") == module.__name__:
                    seen += 1
                    problem = stand_in.function_violation(vars(module)[name], content["functions"][name])
                    wrong += [f"{name}: {problem}"] if problem else []
    assert seen >= 7
    assert wrong == []


def test_the_headless_application_offers_nothing_that_slicer_lacks(known):
    from PulsarCAMLib.scene.headless import HeadlessApplication, HeadlessModule
    from PulsarCAMLib.scene.headless.files import IOManager

    assert stand_in.qt_violations(HeadlessApplication, known, "qSlicerApplication", "qSlicerModuleManager") == []
    assert stand_in.qt_violations(HeadlessModule, known, "qSlicerAbstractCoreModule") == []
    assert stand_in.qt_violations(IOManager, known, "qSlicerCoreIOManager") == []


def test_the_lists_are_the_newest_cut_of_the_full_ones(shared_data):
    from api import trim

    folder = shared_data.parent
    if not (folder / trim.API).is_file():
        pytest.skip("the full lists are not beside the test images")
    import json

    api, observed = (json.loads((folder / name).read_text(encoding="utf-8")) for name in (trim.API, trim.OBSERVED))
    cuts = {trim.API: trim.trimmed_api(api), trim.OBSERVED: trim.trimmed_observed(observed, api)}
    for name, cut in cuts.items():
        assert json.loads((trim.HERE / name).read_text(encoding="utf-8")) == cut, "run api/trim.py"


def test_the_checked_files_are_the_installed_ones():
    assert importlib.util.find_spec("PulsarCAMLib").origin == str(ROOT / "PulsarCAMLib" / "__init__.py")
    assert len(CHECKED) > 10
