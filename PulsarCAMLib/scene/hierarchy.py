"""Where results stand in the subject hierarchy: in a folder beside the MRI."""

from __future__ import annotations

from collections.abc import Sequence

import slicer

from .provenance import INPUT_VOLUME


def place_beside(volume_node, nodes: Sequence) -> None:
    """Put new result nodes into the folder of results that stands beside the MRI; it is made if it is not there."""
    if not nodes:
        return
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    folder = _folder(hierarchy, volume_node)
    for node in nodes:
        hierarchy.CreateItem(folder, node)


def _folder(hierarchy, volume_node) -> int:
    import vtk

    item = hierarchy.GetItemByDataNode(volume_node)
    parent = hierarchy.GetItemParent(item) if item else hierarchy.GetSceneItemID()
    children = vtk.vtkIdList()
    hierarchy.GetItemChildren(parent, children, False)
    for index in range(children.GetNumberOfIds()):
        if hierarchy.GetItemAttribute(children.GetId(index), INPUT_VOLUME) == volume_node.GetID():
            return children.GetId(index)
    folder = hierarchy.CreateFolderItem(parent, f"{volume_node.GetName()} PulsarCAM")
    hierarchy.SetItemAttribute(folder, INPUT_VOLUME, volume_node.GetID())
    return folder
