"""Explanation: which part of the lesion says so.

Importing this package does not import torch; it is imported when a case is explained.
"""

from ..core.display import Threshold
from ..core.vocabulary import DEFAULT_MARGIN_MM, NORMALISATIONS, STATISTICS
from .explain import explain_case, explain_scan
from .result import CaseResult, UnitResult
from .tables import sample_table, unit_table

__all__ = [
    "DEFAULT_MARGIN_MM",
    "NORMALISATIONS",
    "STATISTICS",
    "CaseResult",
    "Threshold",
    "UnitResult",
    "explain_case",
    "explain_scan",
    "sample_table",
    "unit_table",
]
