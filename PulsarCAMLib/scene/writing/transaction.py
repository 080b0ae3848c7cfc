"""All or nothing: after an error or a cancel the scene is as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import slicer

from ...core.errors import Cancelled, InputError
from .provenance import INPUT_VOLUME, OWN_FOLDER


def checkpoint_of(cancelled: Callable[[], bool] | None, volume_node=None) -> Callable[[], None]:
    """A function that ends the work.

    It raises :class:`...core.errors.Cancelled` once ``cancelled`` says so, and :class:`...core.errors.InputError` when
    the MRI that results are written for, if it is given, has left the scene.
    """

    def checkpoint() -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped; the scene is as it was.")
        if volume_node is not None and volume_node.GetScene() is None:
            raise InputError(f"“{volume_node.GetName()}” was removed meanwhile; nothing was written.")

    return checkpoint


class SceneTransaction:
    """Context around a change of the scene that is undone when it does not reach its end.

    New nodes and subject-hierarchy items are removed again, and the nodes named in ``reused`` get their content back.
    Images and tables must be exchanged as a whole (a new ``vtkImageData``, ``vtkTable``), not edited in place, because
    the memory of the old state is a shallow copy; segments may be added and removed.

    Args:
        reused: existing nodes that will be written; their display nodes are remembered too.
        batch: whether everything that watches the scene waits for the end: right where nodes come and go, too slow
            and restless where only the content of nodes changes while a slider is moved.
    """

    def __init__(self, reused: Iterable = (), batch: bool = True) -> None:
        self._scene = slicer.mrmlScene
        self._batch = batch
        self._reused = [node for node in reused if node is not None]

    def __enter__(self) -> SceneTransaction:
        scene = self._scene
        self._ids = {scene.GetNthNode(i).GetID() for i in range(scene.GetNumberOfNodes())}
        hierarchy = _existing_hierarchy(scene)
        self._items = set(_items(hierarchy))
        self._parents = {}
        self._memory, self._segments = [], []
        for node in self._reused:
            item = hierarchy.GetItemByDataNode(node) if hierarchy else 0
            if item:
                self._parents[item] = hierarchy.GetItemParent(item)
            displays = [node.GetNthDisplayNode(i) for i in range(_display_count(node))]
            self._memory += [(n, _copy_of(n)) for n in [node, *displays] if n is not None]
            if node.IsA("vtkMRMLSegmentationNode"):
                copy = slicer.vtkSegmentation()
                copy.DeepCopy(node.GetSegmentation())
                self._segments.append((node.GetSegmentation(), copy))
        if self._batch:
            scene.StartState(scene.BatchProcessState)
        return self

    def __exit__(self, kind, *_error) -> None:
        try:
            if kind is not None:
                self._undo()
        finally:
            if self._batch:
                self._scene.EndState(self._scene.BatchProcessState)
            self._memory, self._segments = [], []

    def _undo(self) -> None:
        scene = self._scene
        for node, copy in self._memory:
            node.Copy(copy)
        for segmentation, copy in self._segments:
            _restore_segments(segmentation, copy)
        hierarchy = _existing_hierarchy(scene)
        for item, parent in self._parents.items():
            hierarchy.SetItemParent(item, parent)
        for item in _items(hierarchy):
            data = hierarchy.GetItemDataNode(item)
            marks = [hierarchy.GetItemAttribute(item, name) for name in (INPUT_VOLUME, OWN_FOLDER)]
            is_ours = data.GetID() not in self._ids if data else any(marks)
            if item not in self._items and is_ours:
                hierarchy.RemoveItem(item, False, False)
        new = [scene.GetNthNode(i) for i in range(scene.GetNumberOfNodes())]
        for node in reversed([n for n in new if n.GetID() not in self._ids]):
            scene.RemoveNode(node)


def _existing_hierarchy(scene):
    """The subject hierarchy, without making one where there is none."""
    return scene.GetFirstNodeByClass("vtkMRMLSubjectHierarchyNode")


def _items(hierarchy) -> list[int]:
    if hierarchy is None:
        return []
    import vtk

    ids = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), ids, True)
    return [ids.GetId(i) for i in range(ids.GetNumberOfIds())]


def _restore_segments(segmentation, copy) -> None:
    """Segment by segment, so that everything that watches the segmentation follows."""
    segmentation.RemoveAllSegments()
    segmentation.SetSourceRepresentationName(copy.GetSourceRepresentationName())
    segmentation.CopyConversionParameters(copy)
    for index in range(copy.GetNumberOfSegments()):
        segmentation.CopySegmentFromSegmentation(copy, copy.GetNthSegmentID(index))


def _display_count(node) -> int:
    return node.GetNumberOfDisplayNodes() if hasattr(node, "GetNumberOfDisplayNodes") else 0


def _copy_of(node):
    copy = node.CreateNodeInstance()
    copy.UnRegister(None)
    copy.Copy(node)
    return copy
