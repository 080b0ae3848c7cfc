"""Fixtures for all tests: a scene on slicer-core, volumes made on the spot, the folder of real test images."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
for folder in (str(ROOT), str(HERE)):
    if folder not in sys.path:
        sys.path.insert(0, folder)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real test images (``PULSARCAM_TEST_DATA``, else ``../shared/data`` beside the checkout)."""
    folder = Path(os.environ.get("PULSARCAM_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "t1c_brain1").is_dir():
        pytest.skip(f"the real test images are not in {folder}")
    return folder


@pytest.fixture
def a_scene():
    """An empty scene as in a freshly started Slicer: ``slicer.mrmlScene``, module logics, ``slicer.app``."""
    pytest.importorskip("slicer", reason="the slicer-core package is not installed")
    from PulsarCAMLib.scene.headless import HeadlessSlicer

    with HeadlessSlicer() as host:
        yield host
