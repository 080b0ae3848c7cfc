"""A system that nothing else knows: 3D, three classes, an optional second image, no lesion."""

from __future__ import annotations

from dataclasses import replace

from PulsarCAMLib.core.inputs import MRI, InputRole
from PulsarCAMLib.core.task import PATIENT, Task, TaskClass
from PulsarCAMLib.systems.maps.cams import GRADCAM
from PulsarCAMLib.systems.maps.gradients import SALIENCY
from PulsarCAMLib.systems.volumes.preprocessing import VolumePreprocessing
from PulsarCAMLib.systems.volumes.system import VolumeSystem

PREPROCESSING = VolumePreprocessing(size=(8, 8, 8))
SLOW = replace(
    SALIENCY, name="slow", title="Slow saliency", saved_name="SLOW", lesson="Asks often", always=False, cost=1722.0
)


class Stranger(VolumeSystem):
    """Which grade?"""

    name, title = "grader", "Grader"
    task = Task(
        "grade",
        "Grade",
        tuple(TaskClass(f"grade-{n}", f"of grade {n}", f"the patient has grade {n}", "#777777") for n in (2, 3, 4)),
        positive="grade-4",
        explained="grade-4",
        unit=PATIENT,
    )
    inputs = (InputRole("t1", "T1 MRI"), InputRole("flair", "FLAIR MRI", MRI, "fluid is dark", needed=False))
    maps = (GRADCAM, SALIENCY, SLOW)

    def network(self, architecture, preprocessing):
        """Two channels, three classes."""
        from torch import nn

        class Network(nn.Module):
            def __init__(self):
                super().__init__()
                self.features, self.head = nn.Conv3d(2, 4, 3, padding=1), nn.Linear(4, 3)

            def forward(self, images, masks):
                return self.head(self.features(images).relu().mean(dim=(2, 3, 4)))

        return Network()

    def explained_layer(self, network):
        """The only convolution."""
        return network.features


def write_bundle(folder) -> None:
    """A model of the registered system with random weights."""
    import torch

    from PulsarCAMLib.systems.bundles.bundle import save_bundle

    fields = {
        "name": folder.name,
        "title": "A stranger with random weights",
        "version": "1",
        "synthetic": True,
        "architecture": {"name": Stranger.name},
        "preprocessing": PREPROCESSING.to_card(),
        "decision": {"threshold": 0.5, "temperature": 1.0},
        "training": {},
        "performance": {},
        "intended_use": "tests",
        "licence": "Apache-2.0",
    }
    torch.manual_seed(0)
    save_bundle(folder, [Stranger().network(None, PREPROCESSING) for _ in range(2)], fields)
