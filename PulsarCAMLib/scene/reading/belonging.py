"""What DICOM tells of which nodes belong together: patient, study, frame of reference, and what refers to what.

Read from the subject hierarchy, as Slicer's DICOM module and SlicerRT leave it, and from Slicer's DICOM database.
Nobody's name is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import slicer

from .dicom import FRAME_OF_REFERENCE, INSTANCES, header_value

PATIENT, STUDY = "Patient", "Study"
"""Levels of items of the subject hierarchy."""

FRAME, REFERS_TO, OWN_UIDS = "DICOM.FrameOfReferenceUID", "DICOM.ReferencedInstanceUIDs", "DICOMInstanceUID"
"""Attributes of its items, and the name of a UID: apart by spaces."""


@dataclass(frozen=True)
class Origin:
    """Where a node comes from, as far as it is known.

    Attributes:
        patient, study: items of the subject hierarchy that it stands under, 0 where there is none.
        frame: UID of its frame of reference (DICOM PS3.3 C.7.4.1), or empty.
        instances, refers_to: UIDs of its own instances, and of those that it was made on.
    """

    patient: int = 0
    study: int = 0
    frame: str = ""
    instances: frozenset[str] = frozenset()
    refers_to: frozenset[str] = frozenset()

    @property
    def is_dicom(self) -> bool:
        """Whether anything of DICOM's is known of it."""
        return bool(self.frame or self.instances or self.refers_to)


def origin_of(node) -> Origin:
    """Of a volume or segmentation."""
    hierarchy = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSubjectHierarchyNode")
    item = hierarchy.GetItemByDataNode(node) if hierarchy is not None and node is not None else 0
    own = frozenset((node.GetAttribute(INSTANCES) or "").split()) if node is not None else frozenset()
    if not item:
        return Origin(frame=header_value(node, FRAME_OF_REFERENCE) if own else "", instances=own)
    frame = hierarchy.GetItemAttribute(item, FRAME) or (header_value(node, FRAME_OF_REFERENCE) if own else "")
    return Origin(
        hierarchy.GetItemAncestorAtLevel(item, PATIENT),
        hierarchy.GetItemAncestorAtLevel(item, STUDY),
        frame,
        own or frozenset((hierarchy.GetItemUID(item, OWN_UIDS) or "").split()),
        frozenset((hierarchy.GetItemAttribute(item, REFERS_TO) or "").split()),
    )


def are_of_two_patients(one, other) -> bool:
    """Whether two nodes stand under different patients of the subject hierarchy."""
    first, second = origin_of(one).patient, origin_of(other).patient
    return bool(first and second and first != second)


def belonging(volume_node, nodes: Sequence) -> tuple[list[str], list[str]]:
    """How contours and doses belong to an MRI: what is known, and what speaks against it; one sentence each.

    Nothing where none of them came from DICOM, for then only their places can tell.

    Args:
        volume_node: the MRI.
        nodes: contours and doses.
    """
    own = origin_of(volume_node)
    origins = [(node, origin_of(node)) for node in nodes]
    if not any(each.is_dicom for each in (own, *(origin for _, origin in origins))):
        return [], []
    together: dict[str, list[str]] = {}
    against = []
    for node, origin in origins:
        if doubt := next(_against(volume_node, own, node, origin), ""):
            against.append(doubt)
        else:
            together.setdefault(_link(own, origin), []).append(f"“{node.GetName()}”")
    words = {
        "made": "{} {was} made on “{mri}”",
        "frame": "{} {lies} in the frame of reference of “{mri}”",
        "study": "{} {stands} in the study of “{mri}”; whether in its space is not told",
        "patient": "{} {stands} under the patient of “{mri}”, in another study",
        "": "whether {} {belongs} to “{mri}” is not told by DICOM",
    }
    told = []
    for link, text in words.items():
        names = together.get(link, [])
        if names:
            verbs = _verbs(len(names) > 1)
            told.append(text.format(" and ".join(names), mri=volume_node.GetName(), **verbs))
    return [f"{text[:1].upper()}{text[1:]}." for text in told], against


def _link(own: Origin, other: Origin) -> str:
    if own.instances & other.refers_to:
        return "made"
    if own.frame and own.frame == other.frame:
        return "frame"
    if own.study and own.study == other.study:
        return "study"
    return "patient" if own.patient and own.patient == other.patient else ""


def _against(volume_node, own: Origin, node, other: Origin) -> Iterator[str]:
    """What speaks against a node being this MRI's; contours of another patient are a question, see :mod:`.judging`."""
    first = f"“{node.GetName()}”"
    mri = f"“{volume_node.GetName()}”"
    if node.IsA("vtkMRMLVolumeNode") and own.patient and other.patient and own.patient != other.patient:
        yield f"{first} and {mri} stand under different patients in the Data module."
    if own.frame and other.frame and own.frame != other.frame:
        is_moved = node.GetParentTransformNode() is not volume_node.GetParentTransformNode()
        alone = "nothing registers them, so it may lie elsewhere than it seems"
        how = "a transform brings it there" if is_moved else alone
        yield f"{first} has another frame of reference than {mri}, and {how}."


def _verbs(several: bool) -> dict[str, str]:
    one = {"was": "was", "lies": "lies", "stands": "stands", "belongs": "belongs"}
    return {"was": "were", "lies": "lie", "stands": "stand", "belongs": "belong"} if several else one
