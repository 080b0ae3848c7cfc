"""Evaluation: how well answers tell lesions apart."""

from ..core.vocabulary import METRICS, TABLE_1
from .curves import CalibrationBin, Curve, calibration_points, precision_recall_points, roc_points
from .discrimination import Difference, Discrimination, discrimination, paired_difference
from .metrics import AcrossTrials, Evaluation, Value, across_trials, evaluate_predictions
from .model_comparison import Comparison, compare_models
from .thresholds import ChosenThreshold, choose_threshold

__all__ = [
    "METRICS",
    "TABLE_1",
    "AcrossTrials",
    "CalibrationBin",
    "ChosenThreshold",
    "Comparison",
    "Curve",
    "Difference",
    "Discrimination",
    "Evaluation",
    "Value",
    "across_trials",
    "calibration_points",
    "choose_threshold",
    "compare_models",
    "discrimination",
    "evaluate_predictions",
    "paired_difference",
    "precision_recall_points",
    "roc_points",
]
