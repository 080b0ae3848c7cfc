"""Small volumes and a small 3D network, made on the spot."""

import numpy as np

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.inputs import MRI, InputRole
from PulsarCAMLib.core.task import GIVEN, PATIENT, LabelRule, Task, TaskClass
from PulsarCAMLib.systems.contract import LabelledUnit
from PulsarCAMLib.systems.maps.gradients import SALIENCY
from PulsarCAMLib.systems.volumes.preprocessing import VolumePreprocessing
from PulsarCAMLib.systems.volumes.system import VolumeSystem
from PulsarCAMLib.training.units.samples import TrainingSamples

SIZE = (8, 8, 8)
GRID = VolumeGeometry((10, 12, 12), (1.0, 1.0, 1.0))


def Block():
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), nn.BatchNorm3d(4), nn.ReLU())
            self.head = nn.Linear(4, 2)

        def forward(self, images, masks):
            return self.head(self.features(images).mean(dim=(2, 3, 4)))

    return Net()


class BlockSystem(VolumeSystem):
    """Is there a bright block?"""

    name = "block"
    title = "Block"
    task = Task(
        name="block", title="A bright block", positive="there", explained="there", unit=PATIENT,
        classes=(TaskClass("none", "without", "no block", "#1b9e77"), TaskClass("there", "with", "a block", "#d95f02")),
        label=LabelRule(GIVEN, "block"),
    )  # fmt: skip
    inputs = (InputRole("t1", "T1", MRI, "T1 MRI", column="t1"),)
    maps = (SALIENCY,)

    def training_settings(self, **given):
        return super().training_settings(**{"preprocessing": VolumePreprocessing(SIZE)} | given)

    def network(self, architecture, preprocessing):
        return Block()

    def unit(self, n):
        """The n-th patient."""
        voxels = np.random.default_rng(n).normal(100, 5, GRID.shape).astype(np.float32)
        voxels[3:7, 3:7, 3:7] += 40 * (n % 2)
        return LabelledUnit(f"P{n}", Case({"t1": Image(voxels, GRID)}, (), "t1"), f"P{n}", n % 2)


BLOCK = BlockSystem()


def blocks(count=11, seed=0):
    """Volumes, every third with a bright block."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 3 == 0).astype(np.int64)
    images = rng.normal(size=(count, 1, *SIZE)).astype(np.float32)
    images[labels == 1, :, 2:6, 2:6, 2:6] += 1
    names = np.array([f"P{n}" for n in range(count)])
    return TrainingSamples(images, np.ones(images.shape, dtype=bool), labels, names, names, np.zeros(count))
