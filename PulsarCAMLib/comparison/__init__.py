"""Comparison models: features a radiologist understands, to set beside the network and its heat maps."""

from .agreement import agreement_table
from .compared import ComparisonSettings, MapComparison, compare_maps
from .feature_agreement import feature_agreement
from .features import FeatureRow
from .gradient_table import GRADIENT_MEASURES, REGIONS, describe_gradient_feature, gradient_features
from .gradients import DEFAULT_SIGMA_MM, GradientMaps, gradient_maps
from .quantities import QUANTITIES, QUANTITY_TITLES, quantity_maps
from .radiomics import radiomics_features
from .radiomics_names import describe_radiomics_feature, radiomics_feature_names
from .radiomics_settings import RadiomicsSettings, read_radiomics_settings, write_radiomics_settings
from .shells import DEFAULT_THICKNESS_MM, shell_table

__all__ = [
    "DEFAULT_SIGMA_MM",
    "DEFAULT_THICKNESS_MM",
    "GRADIENT_MEASURES",
    "QUANTITIES",
    "QUANTITY_TITLES",
    "REGIONS",
    "ComparisonSettings",
    "FeatureRow",
    "GradientMaps",
    "MapComparison",
    "RadiomicsSettings",
    "agreement_table",
    "compare_maps",
    "describe_gradient_feature",
    "describe_radiomics_feature",
    "feature_agreement",
    "gradient_features",
    "gradient_maps",
    "quantity_maps",
    "radiomics_feature_names",
    "radiomics_features",
    "read_radiomics_settings",
    "shell_table",
    "write_radiomics_settings",
]
