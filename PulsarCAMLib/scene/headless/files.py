"""Reading and writing of nodes for :class:`PulsarCAMLib.scene.headless.HeadlessSlicer`.

The names are those of Slicer's ``qSlicerCoreIOManager``, because ``slicer.util.loadVolume`` and its kin call them.
"""

from __future__ import annotations

import tempfile
import types
import zipfile
from pathlib import Path

_TYPES = {
    ".seg.nrrd": "SegmentationFile",
    ".seg.nhdr": "SegmentationFile",
    ".mrb": "SceneFile",
    ".mrml": "SceneFile",
    ".tsv": "TableFile",
    ".csv": "TableFile",
    ".ctbl": "ColorTableFile",
    ".h5": "TransformFile",
    ".tfm": "TransformFile",
}
_VOLUME_FORMATS = ("NRRD (.nrrd)", "NRRD (.nhdr)", "NIFTI (.nii.gz)", "NIFTI (.nii)", "MetaImage (.mha)")
_LABEL_MAP, _SINGLE_FILE = 1, 8


class IOManager:
    """The part of ``qSlicerCoreIOManager`` that loading and saving need."""

    def __init__(self, scene, modules: types.SimpleNamespace) -> None:
        self._scene = scene
        self._modules = modules

    def fileType(self, path) -> str:  # noqa: N802
        name = str(path).lower()
        return next((kind for ending, kind in _TYPES.items() if name.endswith(ending)), "VolumeFile")

    def fileWriterFileType(self, node, _extension: str = "") -> str:  # noqa: N802
        return "SceneFile" if node.IsA("vtkMRMLScene") else f"{node.GetClassName()}File"

    def extractKnownExtension(self, path, node) -> str:  # noqa: N802
        name = str(path).lower()
        known = [kind[kind.rindex("(") + 1 : -1] for kind in self.fileWriterExtensions(node)]
        return max((e for e in known if name.endswith(e)), key=len, default=Path(path).suffix)

    def fileWriterExtensions(self, node) -> tuple[str, ...]:  # noqa: N802
        if node.IsA("vtkMRMLVolumeNode"):
            return _VOLUME_FORMATS  # slicer-core's own list of these is empty
        storage = node.CreateDefaultStorageNode()
        storage.UnRegister(None)
        kinds = storage.GetSupportedWriteFileTypes()
        return tuple(kinds.GetValue(i) for i in range(kinds.GetNumberOfValues()))

    def loadNodes(self, file_type, properties, loaded=None, messages=None) -> bool:  # noqa: N802
        path, name = str(properties["fileName"]), properties.get("name") or ""
        if not Path(path).exists():
            _add_message(messages, f"{path} does not exist")
            return False
        if file_type == "SceneFile":
            return self._load_scene(Path(path), bool(properties.get("clear", False)))
        node = self._load_node(file_type, path, name, properties)
        if node is not None and loaded is not None:
            loaded.AddItem(node)
        if node is not None and name:
            node.SetName(name)
        return node is not None

    def _load_node(self, file_type, path, name, properties):
        stem = name or Path(path).name.split(".")[0]
        if file_type == "SegmentationFile":
            return self._modules.segmentations.logic().LoadSegmentationFromFile(path, True, stem)
        if file_type == "TableFile":
            return self._modules.tables.logic().AddTable(path, stem, True)
        if file_type == "ColorTableFile":
            return self._modules.colors.logic().LoadColorFile(path, stem)
        if file_type == "TransformFile":
            return self._load_by_storage("vtkMRMLTransformStorageNode", path, stem)
        options = _LABEL_MAP * bool(properties.get("labelmap")) + _SINGLE_FILE * bool(properties.get("singleFile"))
        return self._modules.volumes.logic().AddArchetypeVolume(path, stem, options, None)

    def _load_by_storage(self, storage_class, path, name):
        node = self._scene.AddNewNodeByClass("vtkMRMLTransformNode", name)
        storage = self._scene.AddNewNodeByClass(storage_class)
        storage.SetFileName(path)
        if storage.ReadData(node):
            node.SetAndObserveStorageNodeID(storage.GetID())
            return node
        self._scene.RemoveNode(storage)
        self._scene.RemoveNode(node)
        return None

    def _load_scene(self, path: Path, clear: bool) -> bool:
        with tempfile.TemporaryDirectory(prefix="pulsarcam-mrb-") as folder:
            document = path
            if path.suffix == ".mrb":
                with zipfile.ZipFile(path) as bundle:
                    bundle.extractall(folder)
                document = next(Path(folder).glob("*/*.mrml"), None)
                if document is None:
                    return False
            url, root = self._scene.GetURL(), self._scene.GetRootDirectory()
            if clear:
                self._scene.Clear(False)
            try:
                self._scene.SetURL(str(document))
                return bool(self._scene.Import(None))
            finally:
                self._scene.SetURL(url)
                self._scene.SetRootDirectory(root)

    def saveNodes(self, file_type, properties, messages=None, _scene=None) -> bool:  # noqa: N802
        path = str(properties["fileName"])
        if file_type == "SceneFile":
            if path.endswith(".mrb"):
                return bool(self._scene.WriteToMRB(path, None))
            return bool(self._scene.Commit(path))
        node = self._scene.GetNodeByID(properties["nodeID"])
        if not node.GetStorageNode():
            node.AddDefaultStorageNode(path)
        storage = node.GetStorageNode()
        storage.SetFileName(path)
        if "useCompression" in properties:
            storage.SetUseCompression(int(properties["useCompression"]))
        done = bool(storage.WriteData(node))
        if not done:
            _add_message(messages, storage.GetUserMessages().GetAllMessagesAsString())
        return done

    def exportNodes(self, node_ids, paths, properties, harden=False, messages=None) -> bool:  # noqa: N802
        for node_id, path in zip(node_ids, paths, strict=True):
            node = self._scene.GetNodeByID(node_id)
            storage = node.CreateDefaultStorageNode()
            storage.UnRegister(None)
            storage.SetScene(self._scene)
            storage.SetFileName(str(path))
            storage.SetUseCompression(int(properties.get("useCompression", True)))
            if harden or not storage.WriteData(node):
                _add_message(messages, f"{path} cannot be exported")
                return False
        return True


def _add_message(messages, text: str) -> None:
    if messages is not None:
        import vtk

        messages.AddMessage(vtk.vtkCommand.ErrorEvent, text)
