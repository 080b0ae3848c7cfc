"""The nodes that hold one result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .node_set import NodeSet

CLASSES = {
    "heat_map": "vtkMRMLScalarVolumeNode",
    "spread": "vtkMRMLScalarVolumeNode",
    "sub_regions": "vtkMRMLSegmentationNode",
    "lesion_table": "vtkMRMLTableNode",
    "slice_table": "vtkMRMLTableNode",
}
"""Output to class of its node, in the order of :class:`OutputNodes`."""

ALL = tuple(CLASSES)
MAPS = ("heat_map", "spread")
"""Those that lie on an input's own voxels where they are its alone."""


@dataclass
class OutputNodes(NodeSet):
    """The nodes of one result; as an argument, existing nodes to write into (None: make a new one).

    Attributes:
        heat_map: ``vtkMRMLScalarVolumeNode``, mean over the ensemble.
        spread: ``vtkMRMLScalarVolumeNode``, standard deviation over the ensemble.
        sub_regions: ``vtkMRMLSegmentationNode``, one segment per lesion.
        lesion_table: ``vtkMRMLTableNode``, one row per lesion, or whatever the task's unit is.
        slice_table: ``vtkMRMLTableNode``, one row per slice of each lesion, or whatever a sample is.
    """

    heat_map: Any = None
    spread: Any = None
    sub_regions: Any = None
    lesion_table: Any = None
    slice_table: Any = None
