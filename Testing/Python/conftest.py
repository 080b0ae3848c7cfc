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


@pytest.fixture(scope="session")
def synthetic_cohort(tmp_path_factory):
    """Table of a synthetic cohort that is only read: ``synthetic_cohort(settings, **options of write_cohort)``."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def made(settings, **options) -> Path:
        from making_cohorts import kept_cohort

        return kept_cohort(shared, settings, **options)

    return made


@pytest.fixture(scope="module")
def few_resamples():
    """Intervals of a study's figures from 50 draws instead of 2000, where it is the figures' way that is judged."""
    from PulsarCAMLib.outputs.study.writing import write_study_report
    from PulsarCAMLib.study.figures.summary import summarise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summarise, "__defaults__", (50,))
        patch.setitem(write_study_report.__kwdefaults__, "resamples", 50)
        yield


@pytest.fixture
def undrawn(monkeypatch):
    """Galleries of a study's report without the drawing, most of their time; with it: ``test_study_report_trained``."""
    from PulsarCAMLib.outputs.study import gallery_pictures

    for name in ("maps_png", "reconstruction_png"):
        monkeypatch.setattr(gallery_pictures, name, lambda _found: b"not drawn")


@pytest.fixture
def two_ways(request, monkeypatch):
    """Explaining tells by two ways how stable answers are, not by eleven, which is most of the time of small scans.

    All of them: ``test_stability``, and tests marked ``every_way``.
    """
    if request.node.get_closest_marker("every_way"):
        return
    from itertools import islice

    from PulsarCAMLib.systems.contract import System

    every = System.perturbed
    monkeypatch.setattr(System, "perturbed", lambda self, case: islice(every(self, case), 2))


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
    from PulsarCAMLib.systems.bundles.bundle import installed_bundles

    if "synthetic-demo" not in installed_bundles():
        from host.making import untrained_bundle

        folder = tmp_path_factory.mktemp("models")
        untrained_bundle(folder / "synthetic-demo")
        monkeypatch.setenv("PULSARCAM_MODELS", str(folder))
    return "synthetic-demo"
