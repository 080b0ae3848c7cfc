"""Tiny 3D networks in double precision, and what map methods are asked of them."""

import torch
from torch import nn

from PulsarCAMLib.core.inputs import InputRole
from PulsarCAMLib.core.task import PATIENT, Task, TaskClass
from PulsarCAMLib.systems.answers import NetworkEvidence
from PulsarCAMLib.systems.volumes.system import VolumeSystem

SIZE = (6, 5, 7)
INPUTS = {"outer": (0, 2), "middle": (1,)}
"""Three channels: the first and the last show one input."""


class Linear(nn.Module):
    """Three classes, a weight for every voxel."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.head = nn.Linear(3 * SIZE[0] * SIZE[1] * SIZE[2], 3)
        self.double().eval()

    def forward(self, images, masks=None):
        return self.head(images.flatten(1))


class Smooth(nn.Module):
    """Convolutions and soft units, without kinks.

    Args:
        reads: channels that it looks at; None: all.
        unit: between the layers.
    """

    def __init__(self, reads=None, unit=nn.Softplus):
        super().__init__()
        torch.manual_seed(1)
        self.shallow = nn.Sequential(nn.Conv3d(3, 4, 3, padding=1), unit())
        self.deep = nn.Sequential(nn.Conv3d(4, 5, 3, stride=2, padding=1), unit())
        self.head = nn.Linear(5, 3)
        if reads is not None:
            with torch.no_grad():
                self.shallow[0].weight[:, [n for n in range(3) if n not in reads]] = 0
        self.double().eval()

    def forward(self, images, masks=None):
        return self.head(self.deep(self.shallow(images)).mean(dim=(2, 3, 4)))


def a_system(names=("one", "two", "three")):
    """A system with these classes, whose networks have the layers of :class:`Smooth`."""

    class Tiny(VolumeSystem):
        name, title = "tiny", "Tiny"
        task = Task(
            "number", "Number", tuple(TaskClass(n, n, "", "#777777") for n in names), names[-1], names[-1], PATIENT
        )
        inputs = tuple(InputRole(name, name) for name in INPUTS)
        maps = ()

        def channel_roles(self, preprocessing):
            return ("outer",), ("middle",), ("outer",)

        def explained_layers(self, network):
            return {"": network.deep, "shallow": network.shallow}

    return Tiny()


def evidence_of(*members, images=None, inputs=None, system=None):
    """Of one sample with noise in every channel, double precision."""
    drawn = torch.Generator().manual_seed(0)
    if images is None:
        images = torch.randn((1, 3, *SIZE), generator=drawn, dtype=torch.float64)
    masks = torch.ones((1, 1, *SIZE), dtype=torch.bool)
    return NetworkEvidence(system or a_system(), members, images, masks, INPUTS if inputs is None else inputs)
