"""Fixtures for all tests: a scene on slicer-core, volumes made on the spot, the folder of real test images."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
for folder in (str(ROOT), str(HERE), str(ROOT / "Testing")):
    if folder not in sys.path:
        sys.path.insert(0, folder)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real test images (``PULSARCAM_TEST_DATA``, else ``../shared/data`` beside the checkout)."""
    folder = Path(os.environ.get("PULSARCAM_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "t1c_brain1").is_dir():
        pytest.skip(f"the real test images are not in {folder}")
    return folder


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """Folder of small wrong inputs (``PULSARCAM_TEST_CASES``, else ``../shared/cases`` beside the checkout)."""
    folder = Path(os.environ.get("PULSARCAM_TEST_CASES", ROOT.parent / "shared" / "cases"))
    if not (folder / "input").is_dir():
        pytest.skip(f"the small wrong inputs are not in {folder}")
    return folder


@pytest.fixture
def a_scene():
    """An empty scene as in a freshly started Slicer: ``slicer.mrmlScene``, module logics, ``slicer.app``."""
    pytest.importorskip("slicer", reason="the slicer-core package is not installed")
    from PulsarCAMLib.scene.headless import HeadlessSlicer

    with HeadlessSlicer() as host:
        yield host


@pytest.fixture
def a_desktop():
    """The desktop stand-in with the scripted module loaded; panels need PySide6, the logic does not."""
    pytest.importorskip("slicer", reason="the slicer-core package is not installed")
    import importlib.util

    from host.desktop import Desktop

    with Desktop(with_qt=importlib.util.find_spec("PySide6") is not None) as desktop:
        yield desktop


@pytest.fixture
def a_model(tmp_path_factory, monkeypatch):
    """An installed model called synthetic-demo: the one that ships, else an untrained one of the same shape."""
    from PulsarCAMLib.systems.bundle import installed_bundles

    if "synthetic-demo" not in installed_bundles():
        from host.making import untrained_bundle

        folder = tmp_path_factory.mktemp("models")
        untrained_bundle(folder / "synthetic-demo")
        monkeypatch.setenv("PULSARCAM_MODELS", str(folder))
    return "synthetic-demo"
