"""A first try without data: one synthetic patient, made on the spot and put into the scene.

The category "PulsarCAM" of Slicer's Sample Data module offers it; scripts call :func:`make_sample`. Nothing is
downloaded, and nothing heavy is imported before somebody asks for it.
"""

from __future__ import annotations

from pathlib import Path

CATEGORY = "PulsarCAM"
NAME = "SyntheticMetastases"
THUMBNAIL = f"SampleData/{NAME}.png"

SEED = 11
"""The patient that ``pulsarcam demo`` shows too; the demonstration model has not seen it."""

LESIONS = 4

TRUTH_TAG = "PulsarCAM.truth"
"""Segment tag with the name of the lesion's true class."""


def register_sample_data(resources_folder: str | Path) -> None:
    """Offer the synthetic patient in Slicer's Sample Data module; a second call replaces the first.

    Args:
        resources_folder: the module's ``Resources`` folder, which holds the thumbnail.
    """
    import SampleData

    sources = SampleData.SampleDataLogic.sampleDataSourcesByCategory(CATEGORY)
    for source in [source for source in sources if source.sampleName == NAME]:
        sources.remove(source)
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=NAME,
        uris="",  # not None: Slicer counts them
        fileNames=NAME,
        nodeNames=NAME,
        customDownloader=_on_button,
        thumbnailFileName=str(Path(resources_folder) / THUMBNAIL),
    )


def make_sample(seed: int = SEED, lesions: int = LESIONS, truth: bool = False, show: bool = True) -> list:
    """Generate a synthetic patient and put the baseline MRI and its contoured lesions into the scene.

    Args:
        seed: which patient; the same seed always gives the same one.
        lesions: how many lesions (1 to 6).
        truth: also add a segmentation of the tissue that will not shrink, which a good heat map should find.
        show: put the MRI into the slice views.

    Returns:
        The nodes: MRI (``vtkMRMLScalarVolumeNode``), lesions (``vtkMRMLSegmentationNode``, one named segment each, with
        its true class in the tag :data:`TRUTH_TAG`) and, if asked for, the truth (``vtkMRMLSegmentationNode``).

    Raises:
        InputError: seed or number of lesions out of range.
    """
    import slicer

    from ..cohort.synthetic.patients import generate_patient
    from ..cohort.synthetic.settings import CohortSettings
    from ..scene.writing.transaction import SceneTransaction

    settings = CohortSettings(seed=seed, lesions=(lesions, lesions))
    patient = generate_patient(settings, 0, images=("baseline",))
    scan = patient.scans["baseline"]
    with SceneTransaction():
        volume = slicer.util.addVolumeFromArray(
            scan.image, ijkToRAS=scan.geometry.ijk_to_ras, name=_unique("Synthetic MRI")
        )
        nodes = [volume, _segmentation("Synthetic lesions", patient, scan.lesions, volume)]
        if truth:
            nodes.append(_segmentation("Synthetic truth: will not shrink", patient, scan.planted, volume))
            nodes[-1].GetDisplayNode().SetVisibility(False)
        for node in nodes:
            node.SetAttribute("PulsarCAM.synthetic", "true")
            node.SetAttribute("PulsarCAM.seed", str(seed))
    if show:
        slicer.util.setSliceViewerLayers(background=volume, fit=True)
    return nodes


def _on_button(_source) -> list:
    """What the Sample Data module calls; an error that left it would only be printed."""
    import slicer
    from slicer.i18n import tr as _

    with slicer.util.tryWithErrorDisplay(_("The synthetic patient could not be made."), waitCursor=True):
        return make_sample()


def _segmentation(name: str, patient, labels, volume):
    """Segmentation node with one segment for each lesion that has voxels in ``labels``, drawn as outlines."""
    import slicer

    from ..scene.showing.colors import SEGMENT_COLORS
    from ..scene.showing.display import show_as_outline
    from ..systems.registry import system_of

    classes = system_of().task.names
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", _unique(name))
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    show_as_outline(node)
    for index, lesion in enumerate(patient.lesions):
        mask = (labels == lesion.label).astype("uint8")
        if not mask.any():
            continue
        color = SEGMENT_COLORS[index % len(SEGMENT_COLORS)]
        segment_id = node.GetSegmentation().AddEmptySegment("", lesion.name, color)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment_id, volume)
        node.GetSegmentation().GetSegment(segment_id).SetTag(TRUTH_TAG, classes[lesion.response])
    return node


def _unique(name: str) -> str:
    import slicer

    return slicer.mrmlScene.GenerateUniqueName(name)
