"""A system that nothing else knows: 3D, three classes, an optional second image, no lesion."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from PulsarCAMLib.core.inputs import MRI, InputRole
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.core.task import PATIENT, Task, TaskClass
from PulsarCAMLib.systems.contract import NoSizes, PastedMap, System
from PulsarCAMLib.systems.network_maps import GRADCAM, SALIENCY

SIDE = 8


@dataclass(frozen=True)
class Preprocessing:
    side: int = SIDE

    def to_card(self):
        return asdict(self)

    @classmethod
    def from_card(cls, card):
        return cls(**card)


class Samples:
    main, warnings, name = 0, (), "patient"

    def __init__(self, case, roles, side):
        self.lesion = Lesion("patient", np.ones(case.geometry.shape, bool), (0, 0, 0))
        first = case.reference_image.voxels
        voxels = [case.images[role.name].voxels if role.name in case.images else first for role in roles]
        cubes = [each[np.ix_(*(np.arange(side) * n // side for n in each.shape))] for each in voxels]
        self.images = np.stack(cubes)[None].astype(np.float32) / 1000
        self.masks = np.ones((1, 1, side, side, side), bool)
        self.centre = case.geometry.to_lps(np.array(case.geometry.shape[::-1]) / 2)

    def __len__(self):
        return 1

    def paste(self, maps, geometry, restrict=True):
        places = np.ix_(*(np.arange(n) * size // n for n, size in zip(geometry.shape, maps.shape[1:], strict=True)))
        return PastedMap(maps[0][places].astype(np.float32), (0, 0, 0))

    def centres_lps(self):
        return self.centre[None]

    def facts(self):
        return {}

    def sample_facts(self, n):
        return {}

    def cell_mm(self, cells):
        return 1.0


class Stranger(System):
    name, title = "stranger", "A stranger"
    task = Task(
        "grade",
        "Grade",
        tuple(TaskClass(f"grade-{n}", f"of grade {n}", f"the patient has grade {n}", "#777777") for n in (2, 3, 4)),
        positive="grade-4",
        explained="grade-4",
        unit=PATIENT,
    )
    inputs = (InputRole("t1", "T1 MRI"), InputRole("flair", "FLAIR MRI", MRI, "fluid is dark", needed=False))
    maps = (GRADCAM, SALIENCY)
    preprocessing, architecture, settings = Preprocessing, NoSizes, NoSizes

    def prepare(self, case, preprocessing, tell):
        return [Samples(case, self.inputs, preprocessing.side)]

    def network(self, architecture, preprocessing):
        from torch import nn

        class Network(nn.Module):
            def __init__(self):
                super().__init__()
                self.architecture = architecture
                self.features, self.head = nn.Conv3d(2, 4, 3, padding=1), nn.Linear(4, 3)

            def forward(self, images, masks):
                return self.head(self.features(images).relu().mean(dim=(2, 3, 4)))

        return Network()

    def explained_layer(self, network):
        return network.features


FIELDS = {
    "name": "stranger",
    "title": "A stranger with random weights",
    "version": "1",
    "synthetic": True,
    "preprocessing": Preprocessing().to_card(),
    "decision": {"threshold": 0.5, "temperature": 1.0},
    "training": {},
    "performance": {},
    "intended_use": "tests",
    "licence": "Apache-2.0",
}


def write_bundle(folder) -> None:
    """A bundle of the registered system with random weights."""
    import torch

    from PulsarCAMLib.systems.bundle import save_bundle

    torch.manual_seed(0)
    members = [Stranger().network(NoSizes(Stranger.name), Preprocessing()) for _ in range(2)]
    save_bundle(folder, members, FIELDS)
