"""Missing packages: found without importing them, asked for once, installed the way that spares Slicer's own."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
import types
from pathlib import Path

import pytest

from PulsarCAMLib.core.errors import DependencyError
from PulsarCAMLib.core.requirements import FOR_3D, FOR_EXPLAINING, TORCH, look_at, require, version_problem
from PulsarCAMLib.desktop.dependencies import (
    SLICERS_OWN,
    ensure_dependencies,
    missing_packages,
    read_requirements,
)

FILE = Path(__file__).resolve().parents[3] / "PulsarCAM" / "Resources" / "requirements.txt"
APPLY = ("torch", "safetensors")
ALL_THERE = {"torch": "2.13.0+cpu", "safetensors": "0.8.0", "matplotlib": "3.11.2"}
OWN = {"numpy": "2.4.6", "scipy": "1.17.1", "SimpleITK": "2.5.0"}


class Slicer:
    """A Slicer with these packages, an answer for every question, and a diary of what was done."""

    def __init__(self, monkeypatch, answer=True, testing=False, window=True, old=False, extension=True):
        self.there, self.log, self.constraints, self.fails = dict(OWN), [], "", False
        self.answer, self.gives_up = answer, False
        monkeypatch.setattr(importlib.metadata, "version", self.version)
        real = importlib.util.find_spec
        spec = lambda name, package=None: self.there.get(name) if name in ALL_THERE else real(name, package)  # noqa: E731
        monkeypatch.setattr(importlib.util, "find_spec", spec)
        fake = types.ModuleType("slicer")
        fake.app = types.SimpleNamespace(testingEnabled=lambda: testing)
        fake.util = types.SimpleNamespace(
            mainWindow=lambda: object() if window else None,
            confirmOkCancelDisplay=self.confirm,
            pip_install=self.pip_install,
            WaitCursor=type("", (), {"__enter__": lambda s: s, "__exit__": lambda s, *e: None}),
        )
        fake.i18n = types.ModuleType("slicer.i18n")
        fake.i18n.tr = lambda text: text
        monkeypatch.setitem(sys.modules, "slicer", fake)
        monkeypatch.setitem(sys.modules, "slicer.i18n", fake.i18n)
        monkeypatch.delitem(sys.modules, "slicer.packaging", raising=False)
        for name in ("torch", "safetensors", "matplotlib"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        if not old:
            fake.packaging = types.SimpleNamespace(pip_ensure=self.pip_ensure)
        utils = types.SimpleNamespace(PyTorchUtilsLogic=lambda: self) if extension else None
        monkeypatch.setitem(sys.modules, "PyTorchUtils", utils)

    def version(self, name):
        for known, version in self.there.items():
            if known.lower() == name.lower():
                return version
        raise importlib.metadata.PackageNotFoundError(name)

    def confirm(self, text, windowTitle=None, parent=None, **kwargs):
        self.log.append(("asked", text))
        return self.answer

    def _install(self, requirements, constraints):
        if self.fails:
            raise RuntimeError("pip failed")
        self.constraints = Path(constraints).read_text(encoding="utf-8")
        self.there |= {r.split(">=")[0]: ALL_THERE[r.split(">=")[0]] for r in requirements}

    def pip_ensure(self, requirements, constraints=None, prompt_install=True, requester=None):
        assert not prompt_install
        assert requester == "PulsarCAM"
        self.log.append(("pip_ensure", *requirements))
        self._install(requirements, constraints)

    def pip_install(self, requirements):
        assert requirements[-2] == "--constraint"
        self.log.append(("pip_install", *requirements[:-2]))
        self._install(requirements[:-2], requirements[-1])

    def installTorch(self, askConfirmation=False, torchVersionRequirement=None):
        self.log.append(("torch", torchVersionRequirement))
        if self.gives_up:
            return None
        self.there["torch"] = ALL_THERE["torch"]
        return object()

    @property
    def done(self):
        return [entry[0] for entry in self.log]


def test_slicers_own_packages_are_named_nowhere():
    names = {look_at(r).name for r in (*read_requirements(FILE), *FOR_EXPLAINING)}
    assert not names & {name.lower() for name in SLICERS_OWN}
    assert "torch" not in {look_at(r).name for r in read_requirements(FILE)}


def test_what_an_explanation_needs_is_in_the_file_that_slicer_installs_from():
    assert set(FOR_EXPLAINING) - {TORCH} <= set(read_requirements(FILE))


def test_the_supported_range_is_that_of_the_python_package():
    import tomllib

    project = tomllib.loads((FILE.parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {TORCH, *read_requirements(FILE)} <= set(project["dependencies"])


def test_what_networks_of_volumes_need_is_an_extra_of_its_own_and_asked_for_by_their_systems():
    import tomllib

    from PulsarCAMLib.systems.registry import systems

    project = tomllib.loads((FILE.parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(FOR_3D) == set(project["optional-dependencies"]["models3d"])
    assert {each for system in systems() for each in system.requirements} == set(FOR_3D)


def test_looking_imports_nothing():
    import subprocess

    code = "import sys; from PulsarCAMLib.desktop.dependencies import missing_packages as m; " + (
        f"m({str(FILE)!r}); print([n for n in ('torch', 'safetensors', 'matplotlib', 'slicer') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=FILE.parents[2])
    assert done.stdout.strip() == "[]"


def test_one_question_names_everything_and_one_click_installs_it(monkeypatch):
    slicer = Slicer(monkeypatch)
    told = []
    assert missing_packages(FILE) == (TORCH, "matplotlib>=3.8", "safetensors>=0.4")
    ensure_dependencies(FILE, needed=APPLY, on_progress=told.append)
    assert slicer.done == ["asked", "pip_ensure", "torch"]
    assert all(name in slicer.log[0][1] for name in ("PyTorch 2.2 or newer, below 3", "safetensors", "matplotlib"))
    assert slicer.log[2] == ("torch", ">=2.2,<3")
    assert told == ["Installing matplotlib and safetensors", "Installing PyTorch, which can take some minutes"]
    assert missing_packages(FILE) == ()


def test_pip_is_bound_to_the_versions_of_slicers_own_packages(monkeypatch):
    slicer = Slicer(monkeypatch)
    ensure_dependencies(FILE)
    assert slicer.constraints.splitlines() == ["numpy==2.4.6", "scipy==1.17.1", "SimpleITK==2.5.0"]


def test_a_slicer_without_the_packaging_module_installs_by_its_older_way(monkeypatch):
    slicer = Slicer(monkeypatch, old=True)
    ensure_dependencies(FILE)
    assert slicer.done == ["asked", "pip_install", "torch"]
    assert "numpy==2.4.6" in slicer.constraints


def test_where_all_is_there_nobody_is_asked(monkeypatch):
    slicer = Slicer(monkeypatch)
    slicer.there |= ALL_THERE
    ensure_dependencies(FILE)
    assert slicer.log == []


def test_only_what_the_work_at_hand_needs_is_insisted_on(monkeypatch):
    slicer = Slicer(monkeypatch)
    slicer.there |= {name: ALL_THERE[name] for name in APPLY}
    ensure_dependencies(FILE, needed=APPLY)
    assert slicer.log == []
    ensure_dependencies(FILE, needed=("matplotlib",))
    assert slicer.done == ["asked", "pip_ensure"]


def test_what_a_models_system_needs_besides_is_asked_for_with_the_rest(monkeypatch):
    slicer = Slicer(monkeypatch)
    slicer.there |= ALL_THERE
    monkeypatch.setitem(ALL_THERE, "nets3d", "1.5.0")
    ensure_dependencies(FILE, needed=APPLY)
    assert slicer.log == []
    ensure_dependencies(FILE, needed=APPLY, more=("nets3d>=1.4",))
    assert slicer.done == ["asked", "pip_ensure"]
    assert "nets3d" in slicer.log[0][1]


def test_a_picture_does_not_wait_for_pytorch(monkeypatch):
    slicer = Slicer(monkeypatch, extension=False)
    ensure_dependencies(FILE, needed=("matplotlib",))
    assert slicer.log[1] == ("pip_ensure", "matplotlib>=3.8")


def test_who_declines_is_told_and_nothing_is_done(monkeypatch):
    slicer = Slicer(monkeypatch, answer=False)
    with pytest.raises(DependencyError, match=r"^Nothing was installed, .*PyTorch and safetensors.*again"):
        ensure_dependencies(FILE, needed=APPLY)
    assert slicer.done == ["asked"]
    assert slicer.there == OWN


def test_without_the_pytorch_extension_nothing_is_asked_or_installed(monkeypatch):
    slicer = Slicer(monkeypatch, extension=False)
    with pytest.raises(DependencyError, match="Extensions Manager"):
        ensure_dependencies(FILE)
    assert slicer.log == []


def test_pytorch_declined_in_its_own_dialog_is_an_error(monkeypatch):
    slicer = Slicer(monkeypatch)
    slicer.gives_up = True
    with pytest.raises(DependencyError, match="PyTorch was not installed"):
        ensure_dependencies(FILE)


def test_a_failure_of_pip_is_one_sentence_and_pytorch_is_not_begun(monkeypatch):
    slicer = Slicer(monkeypatch)
    slicer.fails = True
    with pytest.raises(DependencyError, match="check the network"):
        ensure_dependencies(FILE)
    assert slicer.done == ["asked", "pip_ensure"]


@pytest.mark.parametrize("where", [{"testing": True}, {"window": False}], ids=["testing mode", "no main window"])
def test_where_nobody_can_answer_it_only_says_what_is_missing(monkeypatch, where):
    slicer = Slicer(monkeypatch, **where)
    with pytest.raises(DependencyError, match="needs PyTorch and safetensors, which are not installed"):
        ensure_dependencies(FILE, needed=APPLY)
    assert slicer.log == []


def test_a_script_without_a_window_can_install_without_a_question(monkeypatch):
    slicer = Slicer(monkeypatch, window=False)
    ensure_dependencies(FILE, ask=False)
    assert slicer.done == ["pip_ensure", "torch"]


def test_outside_of_slicer_it_only_says_what_is_missing(monkeypatch):
    slicer = Slicer(monkeypatch)
    monkeypatch.delitem(sys.modules, "slicer")
    with pytest.raises(DependencyError, match="pip install pulsarcam"):
        ensure_dependencies(FILE, ask=False)
    assert slicer.log == []


@pytest.mark.parametrize("version", ["1.13.1", "2.1.2+cu118", "3.0.0"])
def test_a_pytorch_outside_of_the_range_is_explained_and_left_alone(monkeypatch, version):
    slicer = Slicer(monkeypatch)
    slicer.there["torch"] = version
    with pytest.raises(DependencyError) as caught:
        ensure_dependencies(FILE, needed=APPLY)
    text = str(caught.value)
    assert text.startswith(f"PyTorch {version} is installed, but PulsarCAM works with 2.2 or newer, below 3: ")
    assert "Uninstall PyTorch" in text
    assert slicer.log == []


@pytest.mark.parametrize("version", ["2.2.0", "2.13.0+cpu", "2.9.0a0+git123", "2.8.0.dev20250601"])
def test_builds_and_previews_within_the_range_fit(monkeypatch, version):
    slicer = Slicer(monkeypatch)
    slicer.there["torch"] = version
    assert look_at(TORCH).fits


def test_a_pytorch_made_for_numpy_1_is_refused_beside_numpy_2(monkeypatch):
    slicer = Slicer(monkeypatch)
    slicer.there["torch"] = "2.2.2"
    assert "cannot exchange images with NumPy 2.4.6" in version_problem(look_at(TORCH))
    slicer.there["numpy"] = "1.26.4"
    assert version_problem(look_at(TORCH)) == ""


def test_an_old_small_package_is_updated_and_a_loaded_one_asks_for_a_restart(monkeypatch):
    slicer = Slicer(monkeypatch)
    slicer.there |= ALL_THERE | {"safetensors": "0.3.0"}
    ensure_dependencies(FILE)
    assert slicer.there["safetensors"] == "0.8.0"
    slicer.there["safetensors"] = "0.3.0"
    monkeypatch.setitem(sys.modules, "safetensors", types.ModuleType("safetensors"))
    with pytest.raises(DependencyError, match=r"safetensors was updated while in use: restart"):
        ensure_dependencies(FILE)


def test_an_explanation_without_pytorch_is_refused_in_one_sentence(monkeypatch):
    Slicer(monkeypatch)
    with pytest.raises(DependencyError, match="PulsarCAM needs PyTorch and safetensors"):
        require()
