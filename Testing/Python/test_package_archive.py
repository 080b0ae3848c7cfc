"""Archives for the Extensions Manager, read by Slicer's own rules (Base/QTCore/qSlicerExtensionsManagerModel.cxx)."""

from __future__ import annotations

import importlib.util
import io
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

import pytest
from test_packaging import LOAD_MODULE, ROOT, load_list_tool, run_fresh


def load_package_tool():
    """Testing/package.py as a module."""
    spec = importlib.util.spec_from_file_location("package", ROOT / "Testing/package.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


TOOL = load_package_tool()


def parsed(text: str) -> dict[str, str]:
    """As parseExtensionDescriptionFile: the first word is the key, what follows the value with single spaces."""
    found = {}
    for line in text.splitlines():
        words = line.split(" ")
        words = [word for word in words if word]
        if line.startswith("#") or not words:
            continue
        found[words[0]] = " ".join(words[1:])
    return found


class ExtensionsManager:
    """Installs from a file as Slicer does: on one system, in one version."""

    def __init__(self, folder: Path, slicer: str, revision: str = "", mac: bool = False) -> None:
        self.folder, self.slicer, self.revision, self.mac = folder, slicer, revision, mac
        folder.mkdir(parents=True)

    def install(self, archive: Path) -> tuple[str, dict[str, str], Path]:
        """The extension's name, its description and the folder of its modules.

        Raises:
            ValueError: what Slicer would refuse.
        """
        with tarfile.open(archive) as tar:
            names = tar.getnames()
            described = [name for name in names if name.endswith(".s4ext")]
            if not described:
                raise ValueError("no extension description found")
            name = PurePosixPath(described[0]).stem
            place = self.folder / name
            place.mkdir()
            tar.extractall(place, filter="data")
        first = PurePosixPath(names[0]).parent  # QFileInfo(dir, first).dir(), then up to the top folder
        if first == PurePosixPath("."):
            raise ValueError("the first entry lies in no folder")
        top = place / first.parts[0]
        source = top / f"Slicer.app/Contents/Extensions-{self.revision}" / name if self.mac else top
        if not source.is_dir():
            raise ValueError(f"failed to copy {source}")
        aside = self.folder / f"{name}-XXXXXX"
        shutil.copytree(source, aside)
        shutil.copytree(aside, place, dirs_exist_ok=True)
        shutil.rmtree(aside)
        shutil.rmtree(top)
        description = place / f"share/Slicer-{self.slicer}/{name}.s4ext"
        told = parsed(description.read_text(encoding="utf-8")) if description.exists() else {}
        return name, told, place / f"lib/Slicer-{self.slicer}/qt-scripted-modules"


@pytest.fixture(scope="module", params=[("5.12", ""), ("5.10", ""), ("5.12", "34045")], ids=["5.12", "5.10", "macOS"])
def installed(request, tmp_path_factory):
    slicer, revision = request.param
    folder = tmp_path_factory.mktemp("slicer")
    name, content = TOOL.archive(ROOT, slicer, revision or None)
    (folder / name).write_bytes(content)
    manager = ExtensionsManager(folder / "Extensions", slicer, revision, mac=bool(revision))
    return manager.install(folder / name)


def test_slicer_finds_the_extension_its_description_and_its_module(installed):
    name, told, modules = installed
    assert name == "PulsarCAM"
    assert (modules / "PulsarCAM.py").is_file()
    assert told["category"] == "Quantification"
    assert told["depends"] == "PyTorch"
    assert "research use only" in told["description"]
    assert told["iconurl"].startswith("https://")
    assert told["enabled"] == "1"
    assert not [value for value in told.values() if "\n" in value]


def test_nothing_is_missing_and_nothing_else_is_there(installed):
    _, _, modules = installed
    tool = load_list_tool()
    wanted = set()
    for library, folder in (("PulsarCAM", modules), ("PulsarCAMLib", modules / "PulsarCAMLib")):
        lists = tool.files_to_install(ROOT / library)
        for file in lists["SCRIPTS"] + lists["RESOURCES"]:
            assert (folder / file).read_bytes() == (ROOT / library / file).read_bytes()
            wanted.add((folder / file).relative_to(modules))
    assert {path.relative_to(modules) for path in modules.rglob("*") if path.is_file()} == wanted
    extension = modules.parents[2]
    assert (extension / "share" / modules.parent.name / "PulsarCAM/LICENSE.txt").is_file()


def test_the_module_is_loaded_from_there_in_a_fresh_interpreter(installed):
    pytest.importorskip("slicer", reason="the slicer-core package is not installed")
    _, _, modules = installed
    loaded, library, torch, *models = run_fresh(LOAD_MODULE.format(host=str(ROOT / "Testing/Python")), folder=modules)
    assert Path(loaded) == modules / "PulsarCAM.py"
    assert Path(library) == modules / "PulsarCAMLib/__init__.py"
    assert torch == "False"
    assert any("synthetic-demo" in model for model in models)


def test_a_slicer_of_another_version_finds_no_module(tmp_path):
    name, content = TOOL.archive(ROOT, "5.12")
    (tmp_path / name).write_bytes(content)
    assert "Slicer-5.12" in name
    _, told, modules = ExtensionsManager(tmp_path / "Extensions", "5.13").install(tmp_path / name)
    assert told == {}
    assert not modules.exists()


def test_a_mac_of_another_revision_refuses(tmp_path):
    name, content = TOOL.archive(ROOT, "5.12", "34045")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="failed to copy"):
        ExtensionsManager(tmp_path / "Extensions", "5.12", "34046", mac=True).install(tmp_path / name)


def test_entries_are_files_of_one_folder_without_owner_or_way_out():
    _, content = TOOL.archive(ROOT, "5.12")
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        members = tar.getmembers()
    assert all(each.isreg() for each in members)
    assert len({PurePosixPath(each.name).parts[0] for each in members}) == 1
    assert not [each.name for each in members if ".." in each.name or each.name.startswith("/")]
    assert {(each.uid, each.uname, each.mode) for each in members} == {(0, "", 0o644)}


def test_one_commit_gives_one_archive():
    assert TOOL.archive(ROOT, "5.12") == TOOL.archive(ROOT, "5.12")


def test_the_command_writes_one_for_each_version_and_says_what_to_do(tmp_path):
    command = [sys.executable, ROOT / "Testing/package.py", "-o", tmp_path / "made"]
    done = subprocess.run(
        [*command, "--slicer", "5.12", "--macos", "34045"], capture_output=True, text=True, check=True
    )
    assert len(list((tmp_path / "made").glob("PulsarCAM-*-Slicer-5.12.tar.gz"))) == 2
    assert "Install from file" in done.stdout
    for wrong in (["--macos", "34045"], ["--slicer", "five"], ["--slicer", "5.12", "--macos", "new"]):
        refused = subprocess.run([*command, *wrong], capture_output=True, text=True, check=False)
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path, capsys):
    (tmp_path / "there").write_text("a file")
    assert TOOL.main(["-o", str(tmp_path / "there"), "--slicer", "5.12"]) == 1
    said = capsys.readouterr().err
    assert said == f"{tmp_path / 'there'} cannot be made or written to (File exists); name a folder with -o.\n"


@pytest.mark.parametrize(
    ("field", "text"), [("HOMEPAGE", ""), ("CATEGORY", None), ("DEPENDS", 'set(EXTENSION_DEPENDS "a")\n' * 2)]
)
def test_a_checkout_whose_description_is_unclear_is_told_of(tmp_path, field, text):
    cmake = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    lines = [line for line in cmake.splitlines() if f"EXTENSION_{field} " not in line]
    (tmp_path / "CMakeLists.txt").write_text("\n".join([*lines, text or ""]), encoding="utf-8")
    shutil.copy(ROOT / "PulsarCAM.json", tmp_path)
    if text is None:  # the category is that of the entry of the index
        assert "category Quantification" in TOOL.description(tmp_path, "NA")
        return
    with pytest.raises(TOOL.OutputError, match=f"EXTENSION_{field}"):
        TOOL.description(tmp_path, "NA")
