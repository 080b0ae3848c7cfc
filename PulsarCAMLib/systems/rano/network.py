"""The 3D DenseNet of MONAI with the weights' start that the paper names."""

from __future__ import annotations

from torch import Tensor, nn

from ...core.requirements import FOR_3D, require
from .architecture import DenseNetSizes

FIRST_BIAS = 1.0
"""Of every layer that has one, with Xavier normal weights (the authors' code)."""


class RanoNetwork(nn.Module):
    """Logits ``[n, classes]`` of images ``[n, channels, k, j, i]``.

    Args:
        channels: of the images.
        classes: how many.
        sizes: of the network.

    Raises:
        DependencyError: MONAI is not installed.
    """

    def __init__(self, channels: int, classes: int, sizes: DenseNetSizes) -> None:
        super().__init__()
        require(FOR_3D, extra="models3d")
        from monai.networks.nets.densenet import DenseNet

        self.densenet = DenseNet(
            spatial_dims=3,
            in_channels=channels,
            out_channels=classes,
            init_features=sizes.first_features,
            growth_rate=sizes.growth,
            block_config=sizes.blocks,
            dropout_prob=sizes.dropout,
        )
        for module in self.densenet.modules():
            if isinstance(module, (nn.Conv3d, nn.Linear)):
                nn.init.xavier_normal_(module.weight)
                if module.bias is not None:
                    nn.init.constant_(module.bias, FIRST_BIAS)

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """Logits; the mask, which says where maps are looked at, is not seen."""
        found: Tensor = self.densenet(images)
        return found

    @property
    def blocks(self) -> list[nn.Module]:
        """Dense blocks, the first one first."""
        named = self.densenet.features.named_children()
        return [module for name, module in named if name.startswith("denseblock")]
