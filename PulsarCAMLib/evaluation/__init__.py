"""Evaluation: does a model tell lesions apart, and do its heat maps find tissue that is known voxel by voxel."""

from .comparison import Comparison, compare_models
from .curves import CalibrationBin, Curve, calibration_points, precision_recall_points, roc_points
from .discrimination import Difference, Discrimination, discrimination, paired_difference
from .localisation import TRIVIAL, Localisation, localisation, trivial_maps
from .metrics import METRICS, TABLE_1, AcrossTrials, Evaluation, Value, across_trials, evaluate_predictions
from .thresholds import ChosenThreshold, choose_threshold

__all__ = [
    "METRICS",
    "TABLE_1",
    "TRIVIAL",
    "AcrossTrials",
    "CalibrationBin",
    "ChosenThreshold",
    "Comparison",
    "Curve",
    "Difference",
    "Discrimination",
    "Evaluation",
    "Localisation",
    "Value",
    "across_trials",
    "calibration_points",
    "choose_threshold",
    "compare_models",
    "discrimination",
    "evaluate_predictions",
    "localisation",
    "paired_difference",
    "precision_recall_points",
    "roc_points",
    "trivial_maps",
]
