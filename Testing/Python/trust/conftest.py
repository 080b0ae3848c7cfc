"""Hand-made models beside the tests, and lesions without an MRI."""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from PulsarCAMLib.systems.registry import system_of

HERE = str(Path(__file__).resolve().parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)


@dataclass
class FewPatches:
    """What the checks read of patches: one slice."""

    images: np.ndarray
    masks: np.ndarray
    main: int = 0
    patch_size: int = 64
    name: str = "A"


@pytest.fixture
def lesions():
    """Eight lesions with random tissue, in eight patients, half of them responding."""
    from PulsarCAMLib.trust.subjects import subject_from_samples

    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[:64, :64]
    subjects = []
    for n in range(8):
        image = np.kron(rng.random((16, 16)), np.ones((4, 4))) * 0.8 + 0.2 * rng.random((64, 64))
        mask = (rows - 30) ** 2 + (columns - 33) ** 2 < (10 + n) ** 2
        patches = FewPatches(image.astype(np.float32)[None, None], mask[None, None])
        subjects.append(subject_from_samples(f"P{n}", patches, label=n % 2))
    return subjects


@pytest.fixture
def as_bundle():
    """Makes what the checks read of a bundle out of an ensemble."""

    def made(ensemble):
        card = SimpleNamespace(
            temperature=1.0, decision_threshold=0.5, preprocessing=None, system=system_of(), ensemble_rule="mean"
        )
        return SimpleNamespace(ensemble=ensemble, card=card)

    return made
