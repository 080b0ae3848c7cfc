"""The IBSI's digital phantom: published consensus values of all radiomics features that are computed."""

from __future__ import annotations

from math import floor, log10

import numpy as np
import pytest

from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.features.radiomics.extraction import radiomics_features
from PulsarCAMLib.features.radiomics.names import FEATURES
from PulsarCAMLib.features.radiomics.settings import RadiomicsSettings

OUT = 0
PHANTOM = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [OUT, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, OUT, OUT], [1, 1, 1, 1, 1], [1, 1, OUT, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, OUT, OUT], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ]
)
"""Zwanenburg et al., Radiology 2020;295:328, and arXiv:1612.07003, chapter 5: 74 voxels of 2 mm within the mask."""

PUBLISHED = {
    "firstorder": {
        "mean": 2.15,
        "variance": 3.05,
        "skewness": 1.08,
        "kurtosis": -0.355,
        "median": 1,
        "minimum": 1,
        "percentile_10": 1,
        "percentile_90": 4,
        "maximum": 6,
        "interquartile_range": 3,
        "range": 5,
        "mean_absolute_deviation": 1.55,
        "robust_mean_absolute_deviation": 1.11,
        "median_absolute_deviation": 1.15,
        "coefficient_of_variation": 0.812,
        "quartile_coefficient_of_dispersion": 0.6,
        "energy": 567,
        "root_mean_square": 2.77,
        "histogram_entropy": 1.27,
        "histogram_uniformity": 0.512,
    },
    "shape": {
        "volume": (556, 4),
        "approximate_volume": (592, 4),
        "surface_area": (388, 3),
        "surface_to_volume_ratio": (0.698, 0.004),
        "compactness_1": (0.0411, 3e-04),
        "compactness_2": (0.599, 0.004),
        "spherical_disproportion": (1.19, 0.01),
        "sphericity": (0.843, 0.005),
        "asphericity": (0.186, 0.001),
        "maximum_3d_diameter": (13.1, 0.1),
        "convex_hull_volume_density": (0.961, 0.006),
        "convex_hull_area_density": (1.03, 0.01),
        "major_axis_length": (11.4, 0.1),
        "minor_axis_length": (9.31, 0.06),
        "shortest_axis_length": (8.54, 0.05),
        "elongation": (0.816, 0.005),
        "flatness": (0.749, 0.005),
        "approximate_enclosing_ellipsoid_volume_density": (1.17, 0.01),
        "approximate_enclosing_ellipsoid_area_density": (1.36, 0.01),
    },
    "glcm": {
        "joint_maximum": (0.509, 0.503),
        "joint_average": (2.15, 2.14),
        "joint_variance": (3.13, 3.1),
        "joint_entropy": (2.57, 2.4),
        "difference_average": (1.38, 1.43),
        "difference_variance": (3.21, 3.06),
        "difference_entropy": (1.64, 1.56),
        "sum_average": (4.3, 4.29),
        "sum_variance": (7.41, 7.07),
        "sum_entropy": (2.11, 1.92),
        "angular_second_moment": (0.291, 0.303),
        "contrast": (5.12, 5.32),
        "dissimilarity": (1.38, 1.43),
        "inverse_difference": (0.688, 0.677),
        "normalized_inverse_difference": (0.856, 0.851),
        "inverse_difference_moment": (0.631, 0.618),
        "normalized_inverse_difference_moment": (0.902, 0.898),
        "inverse_variance": (0.0574, 0.0604),
        "correlation": (0.183, 0.157),
        "autocorrelation": (5.19, 5.06),
        "cluster_tendency": (7.41, 7.07),
        "cluster_shade": (17.4, 16.6),
        "cluster_prominence": (147, 145),
        "first_measure_of_information_correlation": (-0.0288, -0.157),
        "second_measure_of_information_correlation": (0.269, 0.52),
    },
    "glrlm": {
        "short_runs_emphasis": (0.729, 0.705),
        "long_runs_emphasis": (2.76, 3.06),
        "low_gray_level_run_emphasis": (0.607, 0.603),
        "high_gray_level_run_emphasis": (9.64, 9.7),
        "short_run_low_gray_level_emphasis": (0.372, 0.352),
        "short_run_high_gray_level_emphasis": (8.67, 8.54),
        "long_run_low_gray_level_emphasis": (2.16, 2.39),
        "long_run_high_gray_level_emphasis": (15.6, 17.6),
        "gray_level_nonuniformity": (281, 21.8),
        "normalized_gray_level_nonuniformity": (0.43, 0.43),
        "run_length_nonuniformity": (328, 26.9),
        "normalized_run_length_nonuniformity": (0.501, 0.513),
        "run_percentage": (0.68, 0.68),
        "gray_level_variance": (3.48, 3.46),
        "run_length_variance": (0.598, 0.574),
        "run_entropy": (2.62, 2.43),
    },
    "glszm": {
        "small_zone_emphasis": 0.255,
        "large_zone_emphasis": 550,
        "low_gray_level_zone_emphasis": 0.253,
        "high_gray_level_zone_emphasis": 15.6,
        "small_zone_low_gray_level_emphasis": 0.0256,
        "small_zone_high_gray_level_emphasis": 2.76,
        "large_zone_low_gray_level_emphasis": 503,
        "large_zone_high_gray_level_emphasis": 1490,
        "gray_level_nonuniformity": 1.4,
        "normalized_gray_level_nonuniformity": 0.28,
        "zone_size_nonuniformity": 1,
        "normalized_zone_size_nonuniformity": 0.2,
        "zone_percentage": 0.0676,
        "gray_level_variance": 2.64,
        "zone_size_variance": 331,
        "zone_size_entropy": 2.32,
    },
    "gldm": {
        "low_dependence_emphasis": 0.045,
        "high_dependence_emphasis": 109,
        "low_gray_level_count_emphasis": 0.693,
        "high_gray_level_count_emphasis": 7.66,
        "low_dependence_low_gray_level_emphasis": 0.00963,
        "low_dependence_high_gray_level_emphasis": 0.736,
        "high_dependence_low_gray_level_emphasis": 102,
        "high_dependence_high_gray_level_emphasis": 235,
        "gray_level_nonuniformity": 37.9,
        "normalized_gray_level_nonuniformity": 0.512,
        "dependence_count_nonuniformity": 4.86,
        "normalized_dependence_count_nonuniformity": 0.0657,
        "dependence_count_percentage": 1,
        "gray_level_variance": 3.05,
        "dependence_count_variance": 22.1,
        "dependence_count_entropy": 4.4,
        "dependence_count_energy": 0.0533,
    },
    "ngtdm": {
        "coarseness": 0.0296,
        "contrast": 0.584,
        "busyness": 6.54,
        "complexity": 13.5,
        "strength": 0.763,
    },
}
"""Value, value and tolerance (shape), or the values of merged and of averaged directions (GLCM, GLRLM)."""


def phantom_row(**more):
    """The phantom's features; six gray levels from 1 to 6 leave its intensities as they are."""
    volume = np.pad(PHANTOM.astype(float), 3, constant_values=77.0)
    lesion = Lesion.from_mask("phantom", np.pad(PHANTOM != OUT, 3))
    plain = {"images": ("original",), "spacing_mm": None, "bins": 6, "normalization": "none"}
    geometry = VolumeGeometry(volume.shape, (2.0, 2.0, 2.0), (-40.0, 12.0, 5.0))
    return radiomics_features(volume, geometry, lesion, RadiomicsSettings(**{**plain, **more}))


def rounded(value: float) -> float:
    """To the three significant digits that are published."""
    return round(value, 2 - floor(log10(abs(value)))) if value else 0.0


def test_every_feature_that_is_computed_has_a_published_value():
    assert {family: set(values) for family, values in PUBLISHED.items()} == {
        family: {name for name, _ in features.values()} for family, features in FEATURES.items()
    }


@pytest.mark.parametrize("aggregation", ["merged", "averaged"])
def test_the_phantom_has_the_published_values(aggregation):
    row = phantom_row(aggregation=aggregation)
    assert not row.reasons
    wrong = {}
    for family, values in PUBLISHED.items():
        for name, value in values.items():
            published, tolerance = value if family == "shape" else (value, 0.0)
            if family in ("glcm", "glrlm"):
                published = value[("merged", "averaged").index(aggregation)]
            found = rounded(row[f"radiomics_original_{family}_{name}"])
            if abs(found - published) > tolerance + 1e-12:
                wrong[family, name] = (found, value)
    assert not wrong


def test_kurtosis_is_excess_kurtosis_and_low_gray_level_zones_are_found():
    row = phantom_row()
    assert row["radiomics_original_firstorder_kurtosis"] == pytest.approx(-0.355, abs=5e-4)
    assert row["radiomics_original_glszm_low_gray_level_zone_emphasis"] == pytest.approx(0.253, abs=5e-4)


def test_the_same_gray_levels_by_their_width_give_the_same_texture():
    by_number, by_width = phantom_row(), phantom_row(bins=None, bin_width=1.0)
    for name, value in by_number.items():
        assert by_width[name] == pytest.approx(value, rel=1e-12), name
