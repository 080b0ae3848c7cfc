"""MONAI's 3D ResNet on one to three channels."""

from __future__ import annotations

from torch import Tensor, nn

from ...core.requirements import FOR_3D, require
from .architecture import ResNetSizes


class RiceNetwork(nn.Module):
    """Logits ``[n, classes]`` of images ``[n, channels, k, j, i]``, early concatenation.

    Args:
        channels: of the images.
        classes: how many.
        sizes: of the network.

    Raises:
        DependencyError: MONAI is not installed.
    """

    def __init__(self, channels: int, classes: int, sizes: ResNetSizes) -> None:
        super().__init__()
        require(FOR_3D, extra="models3d")
        from monai.networks.nets.resnet import ResNet

        self.resnet = ResNet(
            "basic",
            list(sizes.blocks),
            list(sizes.widths),
            spatial_dims=3,
            n_input_channels=channels,
            num_classes=classes,
        )

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """Logits; the mask, which says where maps are looked at, is not seen."""
        found: Tensor = self.resnet(images)
        return found

    @property
    def layers(self) -> list[nn.Module]:
        """The four layers, the one nearest to the image first."""
        net = self.resnet
        return [net.layer1, net.layer2, net.layer3, net.layer4]
