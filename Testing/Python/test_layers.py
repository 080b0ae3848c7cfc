"""The rooms of the house: who may import whom, no circles, and nothing heavy at the door."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

grimp = pytest.importorskip("grimp", reason="import-linter is not installed")


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("PulsarCAMLib", exclude_type_checking_imports=True, cache_dir=None)


def layers() -> list[str]:
    """Rooms, lowest first."""
    (contract,) = PROJECT["tool"]["importlinter"]["contracts"]
    return contract["layers"][::-1]


def test_a_room_imports_only_from_rooms_before_it(graph):
    order = {f"PulsarCAMLib.{room}": n for n, room in enumerate(layers())}

    def room_of(module: str) -> str:
        return ".".join(module.split(".")[:2])

    upward = [
        f"{module} -> {imported}"
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if order.get(room_of(imported), -1) > order.get(room_of(module), len(order))
    ]
    assert upward == []


def test_every_folder_is_a_room():
    folders = {path.name for path in (ROOT / "PulsarCAMLib").iterdir() if (path / "__init__.py").exists()}
    assert folders == set(layers())


def test_no_files_import_each_other_in_a_circle(graph):
    networkx = pytest.importorskip("networkx")
    arrows = networkx.DiGraph(
        (module, imported) for module in graph.modules for imported in graph.find_modules_directly_imported_by(module)
    )
    assert [sorted(part) for part in networkx.strongly_connected_components(arrows) if len(part) > 1] == []


def test_the_linter_of_layers_agrees():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_order_of_rooms_is_told_alike_in_the_library_and_to_contributors():
    named = re.findall(r"[a-z]+", re.search(r"core ->.*?``|core ->.*?\"\"\"", _init(), re.DOTALL).group())
    assert [word for word in named if word in layers()] == layers()


def _init() -> str:
    return (ROOT / "PulsarCAMLib" / "__init__.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("module", ["PulsarCAMLib", "PulsarCAMLib.core.task", "PulsarCAMLib.systems.registry"])
def test_names_are_there_without_numpy_or_torch(module):
    code = f"import sys, {module}; sys.exit(bool({{'numpy', 'torch'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
