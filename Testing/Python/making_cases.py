"""Small cases with two images on two grids, and a model with random weights that explains them in several ways."""

import numpy as np
import torch
from stranger import STRANGER, Stranger

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.systems.bundles.bundle import load_bundle, save_bundle
from PulsarCAMLib.systems.maps.gradients import INTEGRATED_GRADIENTS
from PulsarCAMLib.systems.volumes.preprocessing import VolumePreprocessing

METHODS = ("saliency", "gradcam", "integrated-gradients")
GRID = VolumeGeometry((6, 12, 11), (2.0, 2.0, 4.0), (12.0, -40.0, 6.0))
DOSE_GRID = VolumeGeometry((5, 9, 9), (3.0, 3.0, 5.0), (10.0, -42.0, 5.0))
PREPROCESSING = VolumePreprocessing(size=(4, 6, 5))


class TwoMaps(Stranger):
    name, title = "two-maps", "Two maps"
    maps = (*STRANGER.maps[:2], INTEGRATED_GRADIENTS)


def a_bundle(folder, reads=(0, 1)):
    """Two members with random weights that look at some channels only."""
    torch.manual_seed(0)
    members = [TwoMaps().network(None, PREPROCESSING) for _ in range(2)]
    with torch.no_grad():
        for member in members:
            member.features[0].weight[:, [n for n in (0, 1) if n not in reads]] = 0
    fields = {
        "name": folder.name, "title": "Random", "version": "1", "synthetic": True,
        "architecture": {"name": "two-maps"}, "preprocessing": PREPROCESSING.to_card(),
        "decision": {"threshold": 0.5, "temperature": 1.0}, "training": {}, "performance": {},
        "intended_use": "tests", "licence": "Apache-2.0",
    }  # fmt: skip
    save_bundle(folder, members, fields)
    return load_bundle(folder)


def a_case(*, dose=True):
    rng = np.random.default_rng(0)
    images = {"flair": Image(rng.normal(100, 9, GRID.shape).astype(np.float32), GRID)}
    if dose:
        images["rtdose"] = Image(rng.uniform(1, 60, DOSE_GRID.shape).astype(np.float32), DOSE_GRID)
    return Case(images, (), "flair")
