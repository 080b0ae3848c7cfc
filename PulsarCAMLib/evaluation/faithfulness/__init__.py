"""Is the explanation true? Checks that a heat map can fail.

Maps must change when the model or the image is randomised, must name the pixels that carry the prediction, must survive
perturbations that no physician would call a difference, and must find planted tissue where it is known.

Importing this package does not import torch.
"""

from .checks import Checks, Settings, check_explanations
from .maps import MAPS, MODEL_MAPS
from .similarity import spearman, top_dice
from .subjects import Subject, subject_from_patches, subject_from_scan, subjects_from_cases, synthetic_subjects
from .summary import summarise
from .table import markdown

__all__ = [
    "MAPS",
    "MODEL_MAPS",
    "Checks",
    "Settings",
    "Subject",
    "check_explanations",
    "markdown",
    "spearman",
    "subject_from_patches",
    "subject_from_scan",
    "subjects_from_cases",
    "summarise",
    "synthetic_subjects",
    "top_dice",
]
