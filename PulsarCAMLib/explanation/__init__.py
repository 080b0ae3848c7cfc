"""Explanation: which part of the lesion says so.

Importing this package does not import torch; it is imported when a scan is explained.
"""

from ..core.map_methods import (
    CLASSES,
    METHODS,
    NORMALISATIONS,
    SIGNED,
    STATISTICS,
    TARGETS,
    TITLES,
    VARIANTS,
    Threshold,
)
from .result import LesionResult, ScanResult
from .scan import explain_scan
from .tables import DEFAULT_MARGIN_MM, lesion_table, slice_table

__all__ = [
    "CLASSES",
    "DEFAULT_MARGIN_MM",
    "METHODS",
    "NORMALISATIONS",
    "SIGNED",
    "STATISTICS",
    "TARGETS",
    "TITLES",
    "VARIANTS",
    "LesionResult",
    "ScanResult",
    "Threshold",
    "explain_scan",
    "lesion_table",
    "slice_table",
]
