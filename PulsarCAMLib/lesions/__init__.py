"""Lesions: masks on the MRI's grid, from label volumes and segmentations, and whether they lie on the MRI."""

from ..core.lesion import Lesion
from .from_labels import PARTS, lesions_from_labels, lesions_from_masks

__all__ = ["PARTS", "Lesion", "lesions_from_labels", "lesions_from_masks"]
