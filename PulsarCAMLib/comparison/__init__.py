"""Comparison models: features a radiologist understands, to set beside the network and its heat maps."""

from .features import FeatureRow
from .gradient_table import GRADIENT_MEASURES, REGIONS, describe_gradient_feature, gradient_features
from .gradients import DEFAULT_SIGMA_MM, GradientMaps, gradient_maps
from .radiomics import radiomics_features
from .radiomics_names import describe_radiomics_feature, radiomics_feature_names
from .radiomics_settings import RadiomicsSettings, read_radiomics_settings, write_radiomics_settings

__all__ = [
    "DEFAULT_SIGMA_MM",
    "GRADIENT_MEASURES",
    "REGIONS",
    "FeatureRow",
    "GradientMaps",
    "RadiomicsSettings",
    "describe_gradient_feature",
    "describe_radiomics_feature",
    "gradient_features",
    "gradient_maps",
    "radiomics_feature_names",
    "radiomics_features",
    "read_radiomics_settings",
    "write_radiomics_settings",
]
