"""Slicer's scene without Slicer's desktop: what the ``slicer-core`` package leaves out, for scripts and tests.

``slicer-core`` brings the real MRML classes and the real ``slicer.util``; the application around them (a scene, the
module logics, the reader and writer of files) is made here, so that code written for Slicer runs unchanged::

    with HeadlessSlicer():
        volume = slicer.util.loadVolume("t1c.nrrd", properties={})

Never used inside the Slicer application, which has all of this itself.
"""

from __future__ import annotations

import colorsys
import importlib.util
import shutil
import sys
import tempfile
import types
from pathlib import Path

from ...core.errors import OutputError, PulsarCAMError
from .files import IOManager

_MODULES = {
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Models": "vtkSlicerModelsLogic",
    "Tables": "vtkSlicerTablesLogic",
    "CropVolume": "vtkSlicerCropVolumeLogic",
}
_SET_ON_SLICER = ("app", "mrmlScene", "modules", "qSlicerScriptedLoadableModule")


class HeadlessModule:
    """What ``slicer.modules.<name>`` offers of a module without a panel."""

    def __init__(self, name: str, logic) -> None:
        self.name = name
        self.title = name
        self.path = ""
        self._logic = logic

    def logic(self):
        """The module's VTK logic."""
        return self._logic


class HeadlessApplication:
    """What ``slicer.app`` offers without a desktop."""

    applicationName = "PulsarCAM"  # noqa: N815 - Slicer's names from here on

    def __init__(self, scene, application_logic, modules: types.SimpleNamespace, temporary_path: str) -> None:
        self._scene = scene
        self._application_logic = application_logic
        self._modules = modules
        self._io = IOManager(scene, modules)
        self.temporaryPath = temporary_path

    def applicationLogic(self):  # noqa: N802
        return self._application_logic

    def mrmlScene(self):  # noqa: N802
        return self._scene

    def layoutManager(self):  # noqa: N802
        return None

    def testingEnabled(self) -> bool:  # noqa: N802
        return True

    def coreIOManager(self) -> IOManager:  # noqa: N802
        return self._io

    def moduleManager(self):  # noqa: N802
        return self

    def module(self, name: str):
        """The module of that name or None (the module manager is the application itself here)."""
        return getattr(self._modules, name.lower(), None)

    def processEvents(self) -> None:  # noqa: N802
        pass

    def pauseRender(self) -> None:  # noqa: N802
        pass

    def resumeRender(self) -> None:  # noqa: N802
        pass

    def setOverrideCursor(self, _cursor) -> None:  # noqa: N802
        pass

    def restoreOverrideCursor(self) -> None:  # noqa: N802
        pass


class HeadlessSlicer:
    """Context in which the ``slicer`` package has a scene, module logics and an application object.

    Attributes:
        scene: the ``vtkMRMLScene``, also ``slicer.mrmlScene``.
        application_logic: the ``vtkSlicerApplicationLogic``.

    Raises:
        PulsarCAMError: slicer-core is not installed, or this Python is a running Slicer.
    """

    def __init__(self) -> None:
        self.scene = None
        self.application_logic = None
        self._before: dict[str, object] = {}
        self._folder = ""

    def __enter__(self) -> HeadlessSlicer:
        slicer = _slicer_without_desktop()
        self._before = {name: getattr(slicer, name) for name in _SET_ON_SLICER if hasattr(slicer, name)}
        self._folder = tempfile.mkdtemp(prefix="pulsarcam-scene-")
        self.scene = self._make_scene(slicer)
        self.application_logic = self._make_application_logic(slicer)
        modules = self._make_modules(slicer)
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene, True)
        slicer.mrmlScene = self.scene
        slicer.modules = modules
        slicer.app = HeadlessApplication(self.scene, self.application_logic, modules, self._folder)
        if not hasattr(slicer, "qSlicerScriptedLoadableModule"):
            slicer.qSlicerScriptedLoadableModule = type("qSlicerScriptedLoadableModule", (), {})
        return self

    def __exit__(self, *_error) -> None:
        import slicer

        self.scene.Clear(True)
        for name in _SET_ON_SLICER:
            if name in self._before:
                setattr(slicer, name, self._before[name])
            elif hasattr(slicer, name):
                delattr(slicer, name)
        self.application_logic = self.scene = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def save(self, path: str | Path) -> Path:
        """Write the whole scene to ``path`` (``.mrb``), which is either complete afterwards or untouched.

        Raises:
            OutputError: the file cannot be written.
        """
        import slicer

        path = Path(path)
        if path.suffix != ".mrb":
            raise OutputError(f"A scene is saved as a .mrb file, not as {path.name}.")
        with tempfile.TemporaryDirectory(prefix="pulsarcam-mrb-") as folder:
            made = Path(folder) / path.name
            if not slicer.util.saveScene(str(made), properties={}):
                raise OutputError(f"The scene cannot be written to {path}; check the folder and the free space.")
            try:
                partial = path.with_name(path.name + ".partial")
                shutil.copyfile(made, partial)
                partial.replace(path)
            except OSError as error:
                partial.unlink(missing_ok=True)
                raise OutputError(f"The scene cannot be written to {path}: {error.strerror}.") from error
        return path

    def _make_scene(self, slicer):
        scene = slicer.vtkMRMLScene()
        scene.SetURL(str(Path(self._folder) / "scene.mrml"))  # without a URL, saving a bundle aborts the process
        scene.SetRootDirectory(self._folder)
        crosshair = slicer.vtkMRMLCrosshairNode()
        crosshair.SetCrosshairName("default")
        scene.AddNode(crosshair)
        return scene

    def _write_color_files(self) -> str:
        """The one colour file that Slicer's label volumes ask for; without it VTK logs errors at every load."""
        share = Path(self._folder) / "share"
        colors = share / "ColorFiles"
        colors.mkdir(parents=True)
        rows = ["0 Background 0 0 0 0"]
        for label in range(1, 65):
            red, green, blue = (round(255 * c) for c in colorsys.hsv_to_rgb(label * 0.618034 % 1.0, 0.55, 0.95))
            rows.append(f"{label} Label_{label} {red} {green} {blue} 255")
        (colors / "GenericColors.txt").write_text("# Colors of label volumes\n" + "\n".join(rows) + "\n")
        return "share"  # relative to the home directory

    def _make_application_logic(self, slicer):
        import vtk

        logic = slicer.vtkSlicerApplicationLogic()
        logic.SetMRMLScene(self.scene)
        logic.SetHomeDirectory(self._folder)
        logic.SetShareDirectory(self._write_color_files())
        logic.SetSliceLogics(vtk.vtkCollection())
        logic.SetViewLogics(vtk.vtkCollection())
        colors = slicer.vtkSlicerColorLogic()
        colors.SetMRMLApplicationLogic(logic)
        logic.SetColorLogic(colors)
        colors.SetMRMLScene(self.scene)
        colors.AddDefaultColorNodes()
        logic.SetModuleLogic("Colors", colors)
        return logic

    def _make_modules(self, slicer) -> types.SimpleNamespace:
        modules = types.SimpleNamespace(colors=HeadlessModule("Colors", self.application_logic.GetColorLogic()))
        for name, class_name in _MODULES.items():
            logic = getattr(slicer, class_name)()
            logic.SetMRMLScene(self.scene)
            logic.SetMRMLApplicationLogic(self.application_logic)
            self.application_logic.SetModuleLogic(name, logic)
            setattr(modules, name.lower(), HeadlessModule(name, logic))
        return modules


def running_in_slicer() -> bool:
    """Whether this Python is the one inside the Slicer application (or its console)."""
    slicer = sys.modules.get("slicer")
    app = getattr(slicer, "app", None)
    return app is not None and not isinstance(app, HeadlessApplication)


def _slicer_without_desktop():
    """The ``slicer`` package of slicer-core, or an error that says what to do."""
    if running_in_slicer():
        raise PulsarCAMError("This Python is a running 3D Slicer, which has a scene of its own: use slicer.mrmlScene.")
    if importlib.util.find_spec("slicer") is None:
        raise PulsarCAMError(
            "A Slicer scene needs the slicer-core package; install it with: pip install 'pulsarcam[slicer]'."
        )
    import slicer
    import slicer.util

    return slicer
