"""Evaluation: does a model tell lesions apart, and do its heat maps find tissue that is known voxel by voxel."""

from .discrimination import Difference, Discrimination, discrimination, paired_difference
from .localisation import TRIVIAL, Localisation, localisation, trivial_maps

__all__ = [
    "TRIVIAL",
    "Difference",
    "Discrimination",
    "Localisation",
    "discrimination",
    "localisation",
    "paired_difference",
    "trivial_maps",
]
