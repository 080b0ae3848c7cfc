"""Is the explanation true? Checks that a heat map can fail.

Maps must change when the model or the image is randomised, must name the pixels that carry the prediction, must survive
perturbations that no physician would call a difference, and must find tissue that is known (``known_tissue``).

Importing this package does not import torch.
"""

from ..agreement.similarity import spearman, top_dice
from .checks import Checks, Settings, check_explanations
from .cohort_subjects import cohort_subjects
from .judging import LabelControl, card_section, judge_explanations
from .maps import map_names
from .subjects import Subject, subject_from_samples, subject_of_case, synthetic_subjects
from .summary import summarise
from .table import csv_rows, markdown

__all__ = [
    "Checks",
    "LabelControl",
    "Settings",
    "Subject",
    "card_section",
    "check_explanations",
    "cohort_subjects",
    "csv_rows",
    "judge_explanations",
    "map_names",
    "markdown",
    "spearman",
    "subject_from_samples",
    "subject_of_case",
    "summarise",
    "synthetic_subjects",
    "top_dice",
]
