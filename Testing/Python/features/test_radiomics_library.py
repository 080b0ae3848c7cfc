"""The radiomics library behind the features: asked for when it is missing, quiet and forgetful when it is there."""

from __future__ import annotations

import gc
import logging
import pickle
import warnings

import numpy as np
import pytest
from packaging.requirements import Requirement

from PulsarCAMLib.core import requirements
from PulsarCAMLib.core.errors import DependencyError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.features.radiomics.extraction import radiomics_features
from PulsarCAMLib.features.radiomics.settings import RadiomicsSettings

IMAGE = np.random.default_rng(3).normal(300, 40, (12, 13, 14))
GEOMETRY = VolumeGeometry(IMAGE.shape, (0.8, 1.1, 2.0))
LESION = Lesion("Anna", np.ones((3, 4, 5), dtype=bool), (4, 5, 4))
SOME = RadiomicsSettings(log_sigmas_mm=(1.0,))


def test_without_the_library_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(requirements, "look_at", lambda text: requirements.Package(text, "mirp", None, False))
    with pytest.raises(DependencyError) as caught:
        radiomics_features(IMAGE, GEOMETRY, LESION)
    assert "pip install pulsarcam[compare]" in str(caught.value)
    assert "ensureComparisonDependencies()" in str(caught.value)


def test_nothing_is_written_printed_logged_warned_of_or_kept(tmp_path, monkeypatch, capfd, caplog):
    from mirp._images.base_image import BaseImage

    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    handlers = list(logging.getLogger().handlers)
    before = IMAGE.copy()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        row = radiomics_features(IMAGE, GEOMETRY, LESION, SOME)
    gc.collect()
    assert [str(w.message) for w in said] == []
    assert capfd.readouterr() == ("", "")
    assert (list(tmp_path.iterdir()), caplog.records) == ([], [])
    assert logging.getLogger().handlers == handlers
    assert np.array_equal(IMAGE, before)
    assert not [a for a in gc.get_objects() if isinstance(a, BaseImage)]
    assert pickle.loads(pickle.dumps(row)) == row
    assert "Anna" not in str(row.reasons)


def test_slicer_is_offered_the_library_alone_without_pytorch(a_desktop, monkeypatch):
    from PulsarCAMLib.desktop import dependencies

    asked = []
    monkeypatch.setattr(dependencies, "ensure_dependencies", lambda path, **more: asked.append((path, more["needed"])))
    a_desktop.module.PulsarCAMLogic().ensureComparisonDependencies()
    ((path, needed),) = asked
    assert needed == ("mirp",)
    (listed,) = dependencies.read_requirements(path)
    assert Requirement(listed).name == Requirement(requirements.FOR_RADIOMICS[0]).name == "mirp"
    assert Requirement(listed).specifier.contains("2.7")
