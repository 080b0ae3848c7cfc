"""Lesions: which slices, which patch, which mask, and the exact way back."""

from .lesion import PARTS, Lesion, lesions_from_labels, lesions_from_masks
from .patches import LesionPatches, PastedMap, extract_patches, paste_maps
from .preprocessing import PLANES, Preprocessing

__all__ = [
    "PARTS",
    "PLANES",
    "Lesion",
    "LesionPatches",
    "PastedMap",
    "Preprocessing",
    "extract_patches",
    "lesions_from_labels",
    "lesions_from_masks",
    "paste_maps",
]
