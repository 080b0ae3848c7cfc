"""The extension as a package: what is listed, what is described, what an import costs."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SUB_PACKAGES = sorted(path.parent.name for path in (ROOT / "PulsarCAMLib").glob("*/__init__.py"))

FAKE_SLICER = """
macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(ARG "WITH_SUBDIR;WITH_GENERIC_TESTS" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "unknown arguments: ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  foreach(file ${ARG_SCRIPTS} ${ARG_RESOURCES})
    if(NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
      message(FATAL_ERROR "${ARG_NAME} lists ${file}, which is not there")
    endif()
  endforeach()
  message(STATUS "module ${ARG_NAME} subdir ${ARG_WITH_SUBDIR} generic ${ARG_WITH_GENERIC_TESTS}")
endmacro()
macro(slicer_add_python_unittest)
  cmake_parse_arguments(ARG "" "SCRIPT" "SLICER_ARGS" ${ARGN})
  message(STATUS "unittest ${ARG_SCRIPT}")
endmacro()
set(Slicer_USE_FILE "${CMAKE_CURRENT_LIST_DIR}/empty.cmake")
set(Slicer_EXTENSION_GENERATE_CONFIG "${CMAKE_CURRENT_LIST_DIR}/empty.cmake")
set(Slicer_EXTENSION_CPACK "${CMAKE_CURRENT_LIST_DIR}/empty.cmake")
"""

LOAD_MODULE = """
import types, slicer
sys.path.append({host!r})
from host import parameter_node, scripted
for name in ("ctk", "qt"):
    sys.modules[name] = types.ModuleType(name)
for name in ("slicer.i18n", "slicer.ScriptedLoadableModule"):
    sys.modules[name] = scripted
sys.modules["slicer.parameterNodeWrapper"] = parameter_node
import PulsarCAM, PulsarCAMLib
print(PulsarCAM.__file__)
print(PulsarCAMLib.__file__)
print("torch" in sys.modules)
from PulsarCAMLib.systems import installed_bundles
print(*installed_bundles().values(), sep="\\n")
"""


def load_list_tool():
    """Returns Testing/update_cmake_lists.py as a module."""
    spec = importlib.util.spec_from_file_location("update_cmake_lists", ROOT / "Testing/update_cmake_lists.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def extension_field(name: str) -> str:
    """Returns an EXTENSION_ field as the index check reads it, by regular expression."""
    values = re.findall(rf'set\s*\(EXTENSION_{name}\s*"([^"]+)"\)', CMAKE)
    assert len(values) == 1, name
    return values[0]


def requirement_lines(path: Path) -> list[str]:
    """Returns the requirements of a file without comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def lay_out(folder: Path, installed: bool) -> Path:
    """Copies what the CMake lists name as the build does, or as a checkout has it; returns the module's folder."""
    module = folder if installed else folder / "PulsarCAM"
    for name, target in (("PulsarCAM", module), ("PulsarCAMLib", folder / "PulsarCAMLib")):
        lists = load_list_tool().files_to_install(ROOT / name)
        for file in lists["SCRIPTS"] + lists["RESOURCES"]:
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name / file, target / file)
    return module


def run_fresh(code: str, folder: Path = ROOT) -> list[str]:
    """Runs code in a fresh interpreter that finds modules in `folder` first; returns the lines that it printed."""
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"
    environment = {name: value for name, value in os.environ.items() if name != "PULSARCAM_MODELS"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_cmake_lists_name_exactly_the_files_that_are_there():
    wrong = [str(path.relative_to(ROOT)) for path in load_list_tool().untrue_lists(ROOT)]
    assert wrong == [], "run: python Testing/update_cmake_lists.py"


def test_the_list_tool_finds_scripts_and_resources_and_nothing_else(tmp_path):
    for name in (
        "a.py",
        "sub/b.py",
        "Resources/c.json",
        "Resources/d.py",
        "__pycache__/a.pyc",
        ".hidden.py",
        "note.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    lists = load_list_tool().files_to_install(tmp_path)
    assert lists == {"SCRIPTS": ["a.py", "sub/b.py"], "RESOURCES": ["Resources/c.json", "Resources/d.py"]}


def test_the_list_tool_replaces_a_list_and_refuses_a_file_without_one():
    tool = load_list_tool()
    lists = {"SCRIPTS": ["b.py"]}
    assert tool.with_lists("set(X_PYTHON_SCRIPTS\n  a.py\n  )\n", "X", lists) == "set(X_PYTHON_SCRIPTS\n  b.py\n  )\n"
    with pytest.raises(ValueError, match="0 times"):
        tool.with_lists("set(Y_PYTHON_SCRIPTS a.py)", "X", lists)


def test_cmake_configures_the_extension_with_both_modules(tmp_path):
    if not shutil.which("cmake") or not (shutil.which("cc") and shutil.which("c++")):
        pytest.skip("cmake or a compiler is not installed")
    (tmp_path / "SlicerConfig.cmake").write_text(FAKE_SLICER, encoding="utf-8")
    (tmp_path / "empty.cmake").touch()
    command = ["cmake", "-S", ROOT, "-B", tmp_path / "build", f"-DSlicer_DIR={tmp_path}", "-DBUILD_TESTING=ON"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "module PulsarCAM subdir FALSE generic TRUE" in done.stdout
    assert "module PulsarCAMLib subdir TRUE generic FALSE" in done.stdout
    assert "unittest PulsarCAM.py" in done.stdout


def test_the_module_folder_holds_one_script_and_is_no_package():
    assert {path.name for path in (ROOT / "PulsarCAM").rglob("*.py")} == {"PulsarCAM.py"}


def test_the_project_is_named_as_the_index_entry():
    assert re.findall(r"project\s*\(\s*([^\s\)\n\r]+)", CMAKE)[0] == "PulsarCAM"
    assert (ROOT / "PulsarCAM.json").is_file()


def test_the_extension_describes_itself():
    assert extension_field("HOMEPAGE").startswith("https://")
    assert extension_field("CONTRIBUTORS") == "PulsarCAM contributors"
    assert "research use only" in extension_field("DESCRIPTION")
    assert extension_field("DEPENDS") == "PyTorch"


def test_icon_and_screenshot_links_lead_to_pictures_of_this_repository():
    for link in [extension_field("ICONURL"), *extension_field("SCREENSHOTURLS").split()]:
        owner_and_file = re.fullmatch(r"https://raw\.githubusercontent\.com/PulsarCAM/SlicerPulsarCAM/main/(.+)", link)
        with Image.open(ROOT / owner_and_file[1]) as picture:
            assert picture.format in ("PNG", "JPEG", "GIF")


def test_the_icon_has_the_size_that_slicer_wants_and_the_module_shows_the_same():
    icon = ROOT / "Resources/PulsarCAM.png"
    with Image.open(icon) as picture:
        assert picture.size == (128, 128)
    assert (ROOT / "PulsarCAM/Resources/Icons/PulsarCAM.png").read_bytes() == icon.read_bytes()


def test_the_index_entry_follows_the_schema_and_the_checks_of_the_index():
    content = (ROOT / "PulsarCAM.json").read_bytes()
    entry = json.loads(content)
    kinds = {"tier": int, "build_dependencies": list, "enabled": bool}
    allowed = {"$schema", "category", "scm_url", "scm_revision", "scm_type", "build_subdirectory", "dicom_support_rule"}
    assert b"\r" not in content
    assert {"$schema", "category", "scm_url"} <= set(entry) <= allowed | set(kinds)
    assert all(isinstance(value, kinds.get(key, str)) for key, value in entry.items())
    assert entry["$schema"].endswith("slicer-extension-catalog-entry-schema-v1.0.2.json#")
    assert entry["category"] == "Quantification"
    assert re.fullmatch(r"https://[^/]+/[^/]+/Slicer\w+\.git", entry["scm_url"])
    assert entry["build_dependencies"] == extension_field("DEPENDS").split()
    assert 1 <= entry["tier"] <= 5


def test_the_licence_is_the_full_apache_text():
    text = (ROOT / "LICENSE.txt").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_slicer_is_asked_for_lower_bounds_only_and_never_for_what_it_brings_itself():
    files = (ROOT / "PulsarCAM/Resources").glob("requirements*.txt")
    requirements = [Requirement(line) for path in files for line in requirement_lines(path)]
    assert all(specifier.operator == ">=" for item in requirements for specifier in item.specifier)
    assert not {item.name.lower() for item in requirements} & {"torch", "torchvision", "simpleitk", "numpy", "vtk"}
    extras = PROJECT["optional-dependencies"]
    asked_of_pip = {Requirement(line).name for line in [*PROJECT["dependencies"], *extras["train"], *extras["compare"]]}
    assert {item.name for item in requirements} <= asked_of_pip


def test_the_lock_pins_every_direct_dependency_within_its_range():
    files = ("requirements-lock.txt", "requirements-bench.txt", "requirements-brain.txt")
    lock = [line.partition(";")[0] for name in files for line in requirement_lines(ROOT / name)]  # ; says where
    pins = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in (line.split("==") for line in lock)}
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *(line for name in extras for line in extras[name])]
    for item in map(Requirement, wanted):
        name = item.name.lower()
        assert name == "pulsarcam" or item.specifier.contains(pins.get(name, "0")), item


def test_no_package_can_bring_another_torch_than_the_locked_one():
    assert "torch==2.13.0" in requirement_lines(ROOT / "requirements-lock.txt")
    assert not [
        line for line in requirement_lines(ROOT / "requirements-lock.txt") if re.match("torchvision|nvidia|cuda", line)
    ]


@pytest.mark.parametrize("name", ["PulsarCAMLib", *(f"PulsarCAMLib.{name}" for name in SUB_PACKAGES)])
def test_importing_a_package_does_not_import_torch(name):
    code = f"import {name}\nprint([m for m in sys.modules if m.split('.')[0] in ('torch', 'monai', 'qt', 'ctk')])"
    assert run_fresh(code) == ["[]"]


@pytest.mark.parametrize(
    ("place", "installed"),
    [
        ("build/lib/Slicer-5.13/qt-scripted-modules", True),
        ("Extensions/PulsarCAM/lib/Slicer-5.13/qt-scripted-modules", True),
        ("SlicerPulsarCAM", False),
    ],
    ids=["build tree", "installed extension", "additional module path"],
)
def test_the_module_finds_its_own_library_and_resources(tmp_path, place, installed):
    pytest.importorskip("slicer", reason="the slicer-core package is not installed")
    folder = tmp_path / place
    module = lay_out(folder, installed)
    loaded, library, torch, *models = run_fresh(LOAD_MODULE.format(host=str(ROOT / "Testing/Python")), folder=module)
    assert Path(loaded) == module / "PulsarCAM.py"
    assert Path(library) == folder / "PulsarCAMLib/__init__.py"
    assert torch == "False"
    shipped = [file for file in load_list_tool().files_to_install(ROOT / "PulsarCAMLib")["RESOURCES"] if "card" in file]
    assert sorted(filter(None, models)) == [str((folder / "PulsarCAMLib" / card).parent) for card in shipped]


def test_a_wheel_holds_all_scripts_and_resources_of_the_library(tmp_path):
    shutil.copytree(ROOT / "PulsarCAMLib", tmp_path / "PulsarCAMLib", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE.txt", "README.md"):
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, tmp_path)
    command = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", "out", "."]
    subprocess.run([sys.executable, *command], cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = (tmp_path / "out").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    lists = load_list_tool().files_to_install(ROOT / "PulsarCAMLib")
    assert {f"PulsarCAMLib/{file}" for file in lists["SCRIPTS"] + lists["RESOURCES"]} <= names
