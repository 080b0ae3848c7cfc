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
        if _is_of(hierarchy, child, volume_node):
            hierarchy.SetItemAttribute(child, INPUT_VOLUME, volume_node.GetID())
            return child
    folder = hierarchy.CreateFolderItem(parent, f"{volume_node.GetName()} PulsarCAM")
    hierarchy.SetItemAttribute(folder, INPUT_VOLUME, volume_node.GetID())
    return folder


def _is_of(hierarchy, folder: int, volume_node) -> bool:
    """Whether a folder holds the results of an MRI.

    What lies in it tells, for it refers to the MRI by a reference: the ID in the folder's own attribute stays as it is
    when a scene is added to another one, where that ID may be another patient's.
    """
    marked = hierarchy.GetItemAttribute(folder, INPUT_VOLUME)
    if not marked:
        return False
    found = [hierarchy.GetItemDataNode(each) for each in _children(hierarchy, folder)]
    inside = [node for node in found if node is not None]
    # A map of one image alone refers to that image, tables always to the first.
    tables = [node for node in inside if node.IsA("vtkMRMLTableNode")]
    own = [node for node in tables or inside if node.GetNodeReference(INPUT_VOLUME) is volume_node]
    return bool(own) if tables else marked == volume_node.GetID() and bool(own or not inside)
