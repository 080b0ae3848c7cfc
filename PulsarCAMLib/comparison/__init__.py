"""Comparison models: features a radiologist understands, to set beside the network and its heat maps."""

from .features import FeatureRow
from .gradient_table import GRADIENT_MEASURES, REGIONS, describe_gradient_feature, gradient_features
from .gradients import DEFAULT_SIGMA_MM, GradientMaps, gradient_maps

__all__ = [
    "DEFAULT_SIGMA_MM",
    "GRADIENT_MEASURES",
    "REGIONS",
    "FeatureRow",
    "GradientMaps",
    "describe_gradient_feature",
    "gradient_features",
    "gradient_maps",
]
