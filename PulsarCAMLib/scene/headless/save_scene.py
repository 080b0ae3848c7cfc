"""A whole result as one ``.mrb`` scene, written without the desktop and opened by 3D Slicer with the overlay shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ...core.case import Image
from ...core.display import DisplaySettings
from ...core.geometry.volume import VolumeGeometry
from ...core.task import BOTH
from ...explanation.result import CaseResult
from . import HeadlessSlicer

VIEWS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}
VIEW_SIZE = (400, 400)


def save_scene(
    path: str | Path,
    volume: np.ndarray,
    result: CaseResult,
    shown: Sequence[DisplaySettings] = (),
    name: str = "MRI",
    *,
    comparison=None,
    painting=None,
    dose=None,
    images: Mapping[str, Image] | None = None,
) -> Path:
    """Write MRI, lesions, result and, where there is one, its comparison as a Slicer scene.

    Args:
        path: of the ``.mrb`` file; complete afterwards, or untouched.
        volume: MRI ``[k, j, i]`` on ``result.geometry``.
        result: of the case.
        shown: how; the first one's heat map is laid over the MRI. None given: as usual.
        name: what the MRI is called in the scene.
        comparison: a ``MapComparison`` of this result; its shells are plotted for the map shown first.
        painting: a ``Painting`` of this result.
        dose: a ``CaseDose`` of this result.
        images: further inputs by role, each under its title; maps of one input alone lie on its own voxels.

    Returns:
        The path.

    Raises:
        OutputError: the file cannot be written.
        PulsarCAMError: slicer-core is not installed, or this Python is a running Slicer.
    """
    with HeadlessSlicer() as host:
        from ..showing.display import overlay
        from ..writing.output_nodes import OutputNodes
        from ..writing.outputs import write_result

        mri = _volume_node(name, volume, result.geometry)
        titles = {role.name: role.title for role in result.system.image_inputs}
        others = {
            role: _volume_node(titles.get(role, role), image.voxels, image.geometry)
            for role, image in (images or {}).items()
        }
        lesions = _lesions_node(mri, result)
        first = None
        shown = shown or [result.system.display_settings()]
        for settings in shown:
            shared = OutputNodes(slice_table=first.slice_table) if first else None
            nodes = write_result(result, mri, lesions, settings, shared, images=others)
            first = first or nodes
        if comparison is not None:
            from ..writing.map_comparison import write_comparison

            # a signed map is one for both classes
            maps = [(shown[0].method, target) for target in (shown[0].target, BOTH)]
            plotted = next(filter(lambda pair: comparison.profile(*pair), maps), maps[0])
            write_comparison(comparison, mri, lesions, result.card.facts(), plotted)
        if painting is not None:
            from ..writing.painting import write_painting

            write_painting(painting, mri, lesions)
        if dose is not None:
            from ..writing.dose import write_dose

            write_dose(dose, mri, lesions, result.card.facts())
        views = [_slice_view(host, *view) for view in VIEWS.items()]
        overlay(others.get(shown[0].input, mri), first.heat_map)
        place = _most_at_risk(result)
        for view in views:
            view.FitSliceToBackground(*VIEW_SIZE)
            view.GetSliceNode().JumpSlice(*place)
        return host.save(path)


def _volume_node(name: str, voxels: np.ndarray, geometry: VolumeGeometry):
    import slicer

    from ..writing.contents import image_from

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(geometry.ijk_to_ras))
    node.SetAndObserveImageData(image_from(_storable(voxels)))
    node.CreateDefaultDisplayNodes()
    return node


def _storable(volume: np.ndarray) -> np.ndarray:
    """Voxels of a type that VTK and Slicer's volume files have."""
    if volume.dtype.kind in "iu" and volume.dtype.itemsize <= 4:
        return volume
    return volume.astype(np.float64 if volume.dtype.itemsize > 4 else np.float32)


def _lesions_node(mri, result):
    """The lesions as a segmentation, drawn as outline."""
    import slicer

    from ..reading.grids import Grid
    from ..showing.display import show_as_outline
    from ..writing.contents import fill_segmentation, segments_from

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Lesions")
    regions = [(each.name, each.lesion) for each in result.units]
    fill_segmentation(node.GetSegmentation(), segments_from(regions, Grid.of_volume(mri)))
    node.SetReferenceImageGeometryParameterFromVolumeNode(mri)
    show_as_outline(node)
    return node


def _slice_view(host: HeadlessSlicer, name: str, orientation: str):
    """Slice logic with the nodes of one of Slicer's three views, so that the scene opens with the overlay."""
    import slicer

    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(host.application_logic)
    host.application_logic.GetSliceLogics().AddItem(logic)
    logic.SetMRMLScene(host.scene)
    logic.AddSliceNode(name).SetOrientation(orientation)
    logic.ResizeSliceNode(*VIEW_SIZE)
    return logic


def _most_at_risk(result: CaseResult) -> np.ndarray:
    """RAS millimetres of the unit that is least likely to be positive."""
    lesion = min(result.units, key=lambda each: each.probability).lesion
    return lesion.centroid_lps(result.geometry) * [-1.0, -1.0, 1.0]
