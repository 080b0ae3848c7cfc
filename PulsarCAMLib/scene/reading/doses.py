"""Which volumes of the scene are planned doses, by what SlicerRT and others leave at them."""

from __future__ import annotations

from pathlib import Path

import slicer

from ...io.dose import planned_fractions as fractions_of_plan
from ..writing.provenance import is_output
from .belonging import STUDY, origin_of
from .dicom import MODALITY, header_value, open_database

DOSE_VOLUME = "DicomRtImport.DoseVolume"
"""Attribute of a volume that SlicerRT loaded as RTDOSE, or that somebody made a dose in the Data module."""

DOSE_UNIT = "DicomRtImport.DoseUnitName"
"""Attribute of the study in the subject hierarchy, of the volume in scenes of earlier versions of SlicerRT: "GY"."""

ITEM_MODALITY = "DICOM.Modality"
"""Attribute of an item of the subject hierarchy, as the DICOM module leaves it."""

GRAY, RTDOSE = "gy", "RTDOSE"


def is_dose(node) -> bool:
    """Whether a volume says that it is a dose; PulsarCAM's own prescriptions are none."""
    if is_output(node) or not node.IsA("vtkMRMLScalarVolumeNode"):
        return False
    if (node.GetAttribute(DOSE_VOLUME) or "0") not in ("0", "false") or node.GetAttribute(DOSE_UNIT):
        return True
    return _voxel_unit(node) == GRAY or RTDOSE in (header_value(node, MODALITY), _told(node, ITEM_MODALITY))


def doses_of_scene() -> list:
    """All volumes that are doses."""
    return [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if is_dose(node)]


def planned_fractions(node) -> int | None:
    """In how many fractions a dose is given, as its plan in Slicer's DICOM database says; None where nothing does."""
    database, uids = open_database(), sorted(origin_of(node).instances)
    path = database.fileForInstance(uids[0]) if database is not None and uids else ""
    return fractions_of_plan(Path(path), database.fileForInstance) if path else None


def why_not_gray(node) -> str:
    """Why a dose that says its unit cannot be told in Gy, or an empty text."""
    unit = _unit_of(node)
    if not unit or unit.lower() == GRAY:
        return ""
    return f"“{node.GetName()}” is a dose in {unit} units, not in Gy; export it in Gy from the planning system."


def _unit_of(node) -> str:
    """Of the node, else of its study: the unit of a study counts for what is a dose in it."""
    own = node.GetAttribute(DOSE_UNIT)
    return own or (_told(node, DOSE_UNIT, STUDY) if is_dose(node) else "")


def _told(node, attribute: str, level: str = "") -> str:
    """An attribute of a node's item in the subject hierarchy, or of the item above it at a level."""
    hierarchy = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSubjectHierarchyNode")
    item = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
    item = hierarchy.GetItemAncestorAtLevel(item, level) if item and level else item
    return (hierarchy.GetItemAttribute(item, attribute) or "") if item else ""


def _voxel_unit(node) -> str:
    units = node.GetVoxelValueUnits()
    return (units.GetCodeValue() or "").lower() if units is not None else ""
