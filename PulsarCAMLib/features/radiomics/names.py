"""The radiomics features: their names here, in the library that computes them, and in the IBSI's reference manual.

Definitions are those of the Image Biomarker Standardisation Initiative, Zwanenburg et al., Radiology 2020;295:328, and
their manual, arXiv:1612.07003. GLDM is what the IBSI calls NGLDM. Left out on purpose: what depends on how the head
lies in the scanner (boxes along the axes), what has no reference value (maximum correlation coefficient, minimum boxes
and ellipsoids), and what mixes intensities into shape or takes time with the square of the voxels (Moran, Geary).
"""

from __future__ import annotations

from ...core.errors import InputError
from .settings import RadiomicsSettings

PREFIX = "radiomics"

FEATURES = {
    "firstorder": {
        "stat_mean": ("mean", "Q4LE"),
        "stat_var": ("variance", "ECT3"),
        "stat_skew": ("skewness", "KE2A"),
        "stat_kurt": ("kurtosis", "IPH6"),
        "stat_median": ("median", "Y12H"),
        "stat_min": ("minimum", "1GSF"),
        "stat_p10": ("percentile_10", "QG58"),
        "stat_p90": ("percentile_90", "8DWT"),
        "stat_max": ("maximum", "84IY"),
        "stat_iqr": ("interquartile_range", "SALO"),
        "stat_range": ("range", "2OJQ"),
        "stat_mad": ("mean_absolute_deviation", "4FUA"),
        "stat_rmad": ("robust_mean_absolute_deviation", "1128"),
        "stat_medad": ("median_absolute_deviation", "N72L"),
        "stat_cov": ("coefficient_of_variation", "7TET"),
        "stat_qcod": ("quartile_coefficient_of_dispersion", "9S40"),
        "stat_energy": ("energy", "N8CA"),
        "stat_rms": ("root_mean_square", "5ZWQ"),
        "ih_entropy": ("histogram_entropy", "TLU2"),
        "ih_uniformity": ("histogram_uniformity", "BJ5W"),
    },
    "shape": {
        "morph_volume": ("volume", "RNU0"),
        "morph_vol_approx": ("approximate_volume", "YEKZ"),
        "morph_area_mesh": ("surface_area", "C0JK"),
        "morph_av": ("surface_to_volume_ratio", "2PR5"),
        "morph_comp_1": ("compactness_1", "SKGS"),
        "morph_comp_2": ("compactness_2", "BQWJ"),
        "morph_sph_dispr": ("spherical_disproportion", "KRCK"),
        "morph_sphericity": ("sphericity", "QCFX"),
        "morph_asphericity": ("asphericity", "25C7"),
        "morph_diam": ("maximum_3d_diameter", "L0JK"),
        "morph_vol_dens_conv_hull": ("convex_hull_volume_density", "R3ER"),
        "morph_area_dens_conv_hull": ("convex_hull_area_density", "7T7F"),
        "morph_pca_maj_axis": ("major_axis_length", "TDIC"),
        "morph_pca_min_axis": ("minor_axis_length", "P9VJ"),
        "morph_pca_least_axis": ("shortest_axis_length", "7J51"),
        "morph_pca_elongation": ("elongation", "Q3CK"),
        "morph_pca_flatness": ("flatness", "N17B"),
        "morph_vol_dens_aee": ("approximate_enclosing_ellipsoid_volume_density", "6BDE"),
        "morph_area_dens_aee": ("approximate_enclosing_ellipsoid_area_density", "RDD2"),
    },
    "glcm": {
        "cm_joint_max": ("joint_maximum", "GYBY"),
        "cm_joint_avg": ("joint_average", "60VM"),
        "cm_joint_var": ("joint_variance", "UR99"),
        "cm_joint_entr": ("joint_entropy", "TU9B"),
        "cm_diff_avg": ("difference_average", "TF7R"),
        "cm_diff_var": ("difference_variance", "D3YU"),
        "cm_diff_entr": ("difference_entropy", "NTRS"),
        "cm_sum_avg": ("sum_average", "ZGXS"),
        "cm_sum_var": ("sum_variance", "OEEB"),
        "cm_sum_entr": ("sum_entropy", "P6QZ1"),
        "cm_energy": ("angular_second_moment", "8ZQL"),
        "cm_contrast": ("contrast", "ACUI"),
        "cm_dissimilarity": ("dissimilarity", "8S9J"),
        "cm_inv_diff": ("inverse_difference", "IB1Z"),
        "cm_inv_diff_norm": ("normalized_inverse_difference", "NDRX"),
        "cm_inv_diff_mom": ("inverse_difference_moment", "WF0Z"),
        "cm_inv_diff_mom_norm": ("normalized_inverse_difference_moment", "1QCO"),
        "cm_inv_var": ("inverse_variance", "E8JP"),
        "cm_corr": ("correlation", "NI2N"),
        "cm_auto_corr": ("autocorrelation", "QWB0"),
        "cm_clust_tend": ("cluster_tendency", "DG8W"),
        "cm_clust_shade": ("cluster_shade", "7NFM"),
        "cm_clust_prom": ("cluster_prominence", "AE86"),
        "cm_info_corr1": ("first_measure_of_information_correlation", "R8DG"),
        "cm_info_corr2": ("second_measure_of_information_correlation", "JN9H"),
    },
    "glrlm": {
        "rlm_sre": ("short_runs_emphasis", "22OV"),
        "rlm_lre": ("long_runs_emphasis", "W4KF"),
        "rlm_lgre": ("low_gray_level_run_emphasis", "V3SW"),
        "rlm_hgre": ("high_gray_level_run_emphasis", "G3QZ"),
        "rlm_srlge": ("short_run_low_gray_level_emphasis", "HTZT"),
        "rlm_srhge": ("short_run_high_gray_level_emphasis", "GD3A"),
        "rlm_lrlge": ("long_run_low_gray_level_emphasis", "IVPO"),
        "rlm_lrhge": ("long_run_high_gray_level_emphasis", "3KUM"),
        "rlm_glnu": ("gray_level_nonuniformity", "R5YN"),
        "rlm_glnu_norm": ("normalized_gray_level_nonuniformity", "OVBL"),
        "rlm_rlnu": ("run_length_nonuniformity", "W92Y"),
        "rlm_rlnu_norm": ("normalized_run_length_nonuniformity", "IC23"),
        "rlm_r_perc": ("run_percentage", "9ZK5"),
        "rlm_gl_var": ("gray_level_variance", "8CE5"),
        "rlm_rl_var": ("run_length_variance", "SXLW"),
        "rlm_rl_entr": ("run_entropy", "HJ9O"),
    },
    "glszm": {
        "szm_sze": ("small_zone_emphasis", "5QRC"),
        "szm_lze": ("large_zone_emphasis", "48P8"),
        "szm_lgze": ("low_gray_level_zone_emphasis", "XMSY"),
        "szm_hgze": ("high_gray_level_zone_emphasis", "5GN9"),
        "szm_szlge": ("small_zone_low_gray_level_emphasis", "5RAI"),
        "szm_szhge": ("small_zone_high_gray_level_emphasis", "HW1V"),
        "szm_lzlge": ("large_zone_low_gray_level_emphasis", "YH51"),
        "szm_lzhge": ("large_zone_high_gray_level_emphasis", "J17V"),
        "szm_glnu": ("gray_level_nonuniformity", "JNSA"),
        "szm_glnu_norm": ("normalized_gray_level_nonuniformity", "Y1RO"),
        "szm_zsnu": ("zone_size_nonuniformity", "4JP3"),
        "szm_zsnu_norm": ("normalized_zone_size_nonuniformity", "VB3A"),
        "szm_z_perc": ("zone_percentage", "P30P"),
        "szm_gl_var": ("gray_level_variance", "BYLV"),
        "szm_zs_var": ("zone_size_variance", "3NSA"),
        "szm_zs_entr": ("zone_size_entropy", "GU8N"),
    },
    "gldm": {
        "ngl_lde": ("low_dependence_emphasis", "SODN"),
        "ngl_hde": ("high_dependence_emphasis", "IMOQ"),
        "ngl_lgce": ("low_gray_level_count_emphasis", "TL9H"),
        "ngl_hgce": ("high_gray_level_count_emphasis", "OAE7"),
        "ngl_ldlge": ("low_dependence_low_gray_level_emphasis", "EQ3F"),
        "ngl_ldhge": ("low_dependence_high_gray_level_emphasis", "JA6D"),
        "ngl_hdlge": ("high_dependence_low_gray_level_emphasis", "NBZI"),
        "ngl_hdhge": ("high_dependence_high_gray_level_emphasis", "9QMG"),
        "ngl_glnu": ("gray_level_nonuniformity", "FP8K"),
        "ngl_glnu_norm": ("normalized_gray_level_nonuniformity", "5SPA"),
        "ngl_dcnu": ("dependence_count_nonuniformity", "Z87G"),
        "ngl_dcnu_norm": ("normalized_dependence_count_nonuniformity", "OKJI"),
        "ngl_dc_perc": ("dependence_count_percentage", "6XV8"),
        "ngl_gl_var": ("gray_level_variance", "1PFV"),
        "ngl_dc_var": ("dependence_count_variance", "DNX2"),
        "ngl_dc_entr": ("dependence_count_entropy", "FCBV"),
        "ngl_dc_energy": ("dependence_count_energy", "CAS9"),
    },
    "ngtdm": {
        "ngt_coarseness": ("coarseness", "QCDE"),
        "ngt_contrast": ("contrast", "65HE"),
        "ngt_busyness": ("busyness", "NQ30"),
        "ngt_complexity": ("complexity", "HDEZ"),
        "ngt_strength": ("strength", "1X9X"),
    },
}
"""Family to the library's name of a feature to our name and the IBSI's four letters."""

RATIO_SCALE_ONLY = ("stat_cov", "stat_qcod")
"""Ratios to the mean: without sense where 0 is arbitrary, as after normalization or in a filtered image."""

ON_LEVELS = ("ih_entropy", "ih_uniformity")
"""First-order features of gray levels instead of intensities."""

TEXTURE = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")

_TITLES = {
    "firstorder": "first order",
    "shape": "shape",
    "glcm": "gray level co-occurrence matrix",
    "glrlm": "gray level run length matrix",
    "glszm": "gray level size zone matrix",
    "gldm": "gray level dependence matrix",
    "ngtdm": "neighborhood gray tone difference matrix",
}

_NOTES = {
    "kurtosis": "excess kurtosis, 0 for a normal distribution; PyRadiomics gives 3 more",
    "volume": "of the mesh, in cubic millimetres",
    "approximate_volume": "voxel count times voxel volume, in cubic millimetres",
    "surface_area": "of the mesh, in square millimetres",
    "variance": "divided by n",
}


def features_of(image: str, settings: RadiomicsSettings) -> list[tuple[str, str]]:
    """Family and the library's name of all features of one image ("original", "wavelet-llh", "log-2mm")."""
    families = [family for family in settings.families if family != "shape" or image == "original"]
    ratio_scale = image == "original" and settings.normalization == "none"
    return [
        (family, stem)
        for family in families
        for stem in FEATURES[family]
        if ratio_scale or stem not in RATIO_SCALE_ONLY
    ]


def name_of(image: str, family: str, stem: str) -> str:
    """Name of a feature: ``radiomics_<image>_<family>_<feature>``."""
    return "_".join((PREFIX, image, family, FEATURES[family][stem][0]))


def radiomics_feature_names(settings: RadiomicsSettings) -> list[str]:
    """All names that the settings give, in the order of a row; nothing is computed."""
    return [name_of(image, *feature) for image in settings.image_names() for feature in features_of(image, settings)]


def describe_radiomics_feature(name: str) -> str:
    """One line on a feature: image, family, what it is, and its IBSI code.

    Raises:
        InputError: there is no such feature.
    """
    parts = name.split("_", 3)
    known = dict(FEATURES.get(parts[2], {}).values()) if len(parts) == 4 else {}
    if parts[0] != PREFIX or parts[-1] not in known:
        raise InputError(f"There is no radiomics feature called {name!r}.")
    _, image, family, feature = parts
    note = f" ({_NOTES[feature]})" if feature in _NOTES and family in ("firstorder", "shape") else ""
    return f"{image} image, {_TITLES[family]}: {feature.replace('_', ' ')}{note}, IBSI {known[feature]}"
