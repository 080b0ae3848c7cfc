"""What the user asks of an explanation, and the nodes that answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from ..core.display import Threshold
from ..core.map_methods import METHODS, TARGETS
from ..core.vocabulary import DEFAULT_MARGIN_MM


@dataclass(frozen=True)
class Request:
    """How the result is to be shown.

    Attributes:
        method: one of :data:`PulsarCAMLib.core.map_methods.METHODS`, or a named variant ("gradcam++-sigmoid").
        target: one of :data:`PulsarCAMLib.core.map_methods.TARGETS`.
        normalisation: "none" (raw values), "lesion" or "scan" (joint maximum of both classes).
        restrict: whether the map ends at the border of the lesion.
        threshold: from where on a voxel belongs to a sub-region.
        margin_mm: width of the rim that the tables tell apart from the core.
        spread: whether the standard deviation over the ensemble becomes a volume too.
        sub_regions: whether the activated sub-regions become a segmentation.
        tables: whether the numbers become table nodes.
    """

    method: str = METHODS[0]
    target: str = TARGETS[0]
    normalisation: str = "none"
    restrict: bool = True
    threshold: Threshold = field(default_factory=Threshold)
    margin_mm: float = DEFAULT_MARGIN_MM
    spread: bool = True
    sub_regions: bool = True
    tables: bool = True


@dataclass
class OutputNodes:
    """The nodes of one result; as an argument, existing nodes to write into (None: make a new one).

    Attributes:
        heat_map: ``vtkMRMLScalarVolumeNode``, mean over the ensemble.
        spread: ``vtkMRMLScalarVolumeNode``, standard deviation over the ensemble.
        sub_regions: ``vtkMRMLSegmentationNode``, one segment per lesion.
        lesion_table: ``vtkMRMLTableNode``, one row per lesion.
        slice_table: ``vtkMRMLTableNode``, one row per slice of each lesion.
    """

    heat_map: Any = None
    spread: Any = None
    sub_regions: Any = None
    lesion_table: Any = None
    slice_table: Any = None

    def __iter__(self) -> Iterator[Any]:
        """The nodes that are there."""
        return iter([node for node in (getattr(self, f.name) for f in fields(self)) if node is not None])

    def all(self) -> tuple[Any, ...]:
        """All nodes in the order of the fields, None where there is none."""
        return tuple(getattr(self, f.name) for f in fields(self))
