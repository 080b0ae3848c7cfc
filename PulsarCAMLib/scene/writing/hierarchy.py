"""Where results stand in the subject hierarchy: in a folder beside the MRI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import slicer

from .provenance import INPUT_VOLUME, OWN_FOLDER


def place_beside(volume_node, nodes: Sequence) -> None:
    """Put new result nodes into the folder of results that stands beside the MRI; it is made if it is not there."""
    if not nodes:
        return
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    folder = _folder(hierarchy, volume_node)
    for node in nodes:
        hierarchy.CreateItem(folder, node)


def place_in_folder(name: str, nodes: Iterable) -> None:
    """Put new result nodes that belong to no MRI into a folder of this name; it is made if it is not there."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    scene = hierarchy.GetSceneItemID()
    folder = next(
        (each for each in _children(hierarchy, scene) if hierarchy.GetItemAttribute(each, OWN_FOLDER) == name), 0
    )
    if not folder:
        folder = hierarchy.CreateFolderItem(scene, name)
        hierarchy.SetItemAttribute(folder, OWN_FOLDER, name)
    for node in nodes:
        hierarchy.CreateItem(folder, node)


def _children(hierarchy, parent: int) -> list[int]:
    import vtk

    ids = vtk.vtkIdList()
    hierarchy.GetItemChildren(parent, ids, False)
    return [ids.GetId(index) for index in range(ids.GetNumberOfIds())]


def _folder(hierarchy, volume_node) -> int:
    item = hierarchy.GetItemByDataNode(volume_node)
    parent = hierarchy.GetItemParent(item) if item else hierarchy.GetSceneItemID()
    for child in _children(hierarchy, parent):
        if hierarchy.GetItemAttribute(child, INPUT_VOLUME) == volume_node.GetID():
            return child
    folder = hierarchy.CreateFolderItem(parent, f"{volume_node.GetName()} PulsarCAM")
    hierarchy.SetItemAttribute(folder, INPUT_VOLUME, volume_node.GetID())
    return folder
