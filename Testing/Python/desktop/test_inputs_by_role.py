"""The panel's selectors follow the input roles of the chosen model's system."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

import slicer
from host.making import GRIDS, MASKS, a_label_map, a_segmentation, an_mri
from PulsarCAMScenarios.looking import tip_of
from PulsarCAMScenarios.stranger import Stranger

from PulsarCAMLib.core.inputs import DOSE, MASK, InputRole
from PulsarCAMLib.core.task import LESION


class Lesions(Stranger):
    """Needs a dose, can do without lesions."""

    name = "lesions"
    task = replace(Stranger.task, unit=LESION)
    inputs = (
        InputRole("t1", "T1 MRI", about="before contrast"),
        InputRole("plan", "Dose", DOSE, "planned dose in Gy"),
        InputRole("targets", "Targets", MASK, needed=False),
    )


@pytest.fixture
def panel(a_desktop, a_model):
    return a_desktop.open_panel()


def use(panel, system):
    """As if the chosen model were one of this system."""
    panel.models._system = panel.state.model, system
    panel.refresh()


def test_apply_says_what_is_missing_in_the_words_of_the_roles(panel):
    use(panel, Lesions())
    ui = panel.ui
    assert tip_of(ui.applyButton) == "Choose the T1 MRI first"
    ui.inputVolumeSelector.setCurrentNode(an_mri())
    assert tip_of(ui.applyButton) == "Choose the Dose first"
    selector = panel.images.selector(panel.images.roles[0])
    assert selector.noneDisplay == "Select the Dose"
    assert tip_of(selector) == "Planned dose in Gy. Its own voxels are used; nothing is resampled in the scene."
    selector.setCurrentNode(an_mri("plan"))
    assert ui.applyButton.enabled
    assert tip_of(ui.applyButton) == "Predict and explain every lesion"


def test_the_rows_stand_between_image_and_lesions_and_optional_ones_say_so(panel):
    use(panel, Lesions())
    import qt

    layout = panel.ui.inputsCollapsibleButton.layout()
    dose = panel.images.selector(panel.images.roles[0])
    rows = [layout.itemAt(row, qt.QFormLayout.FieldRole) for row in range(1, 4)]
    assert [row.widget() for row in rows] == [
        panel.ui.inputVolumeSelector,
        dose,
        panel.ui.inputSegmentationSelector,
    ]
    assert layout.labelForField(dose).text == "Dose:"
    assert panel.ui.inputSegmentationSelectorLabel.text == "Targets (optional):"
    assert panel.ui.inputSegmentationSelector.noneDisplay == "Select the targets"
    assert tip_of(panel.ui.inputSegmentationSelector).startswith("Targets. Its geometry and transform may differ")


class TwoVisits(Lesions):
    """Can be told of the lesions of the visit before, too."""

    name = "two visits"
    inputs = (
        *Lesions.inputs[:1],
        InputRole("t1-before", "T1 before", time_point="before", needed=False),
        Lesions.inputs[2],
        InputRole("targets-before", "Targets before", MASK, time_point="before", needed=False),
    )


def test_lesions_of_another_visit_have_a_selector_of_masks(panel):
    use(panel, TwoVisits())
    mri, before = an_mri(), an_mri("before")
    mask, labels = a_segmentation(MASKS, mri), a_label_map(MASKS["left"], GRIDS["axial"])
    image, other = (panel.images.selector(role) for role in panel.images.roles)
    assert (image.nodeCount(), other.nodeCount()) == (2, 2)
    assert panel.ui.inputsCollapsibleButton.layout().labelForField(other).text == "Targets before (optional):"
    assert "All its segments count" in tip_of(other)
    other.setCurrentNode(labels)
    image.setCurrentNode(before)
    assert panel.images.chosen() == {"t1-before": before, "targets-before": labels}
    panel.ui.inputSegmentationSelector.setCurrentNode(mask)
    assert panel.images.mask() is mask
    assert panel.images.chosen()["targets-before"] is labels, "each visit has its own"


def test_only_scalar_volumes_can_be_chosen_for_an_image(panel):
    use(panel, Lesions())
    mri = an_mri()
    a_label_map(MASKS["left"], GRIDS["axial"])
    a_segmentation(MASKS, mri)
    assert panel.images.selector(panel.images.roles[0]).nodeCount() == 1


def test_another_model_hides_what_it_does_not_take_and_the_choice_stays(panel):
    usual = panel.models.system()
    use(panel, Lesions())
    plan = an_mri("plan")
    dose = panel.images.selector(panel.images.roles[0])
    dose.setCurrentNode(plan)
    use(panel, usual)
    assert dose.isHidden()
    assert panel.images.chosen() == {}
    assert panel.ui.inputVolumeSelectorLabel.text == "MRI:"
    assert panel.ui.inputSegmentationSelectorLabel.text == "Lesions:"
    panel.ui.inputSegmentationSelector.setCurrentNode(a_segmentation(MASKS, an_mri("mri")))
    assert not panel.ui.segmentsTable.isHidden()
    use(panel, Lesions())
    assert panel.images.chosen() == {"plan": plan}


def test_each_parameter_set_has_its_own_images(panel):
    use(panel, Lesions())
    plan = an_mri("plan")
    dose = panel.images.selector(panel.images.roles[0])
    dose.setCurrentNode(plan)
    first = panel.state.parameterNode
    panel.ui.parameterSetSelector.addNode()
    use(panel, panel.models.system() if isinstance(panel.models.system(), Lesions) else Lesions())
    assert panel.images.chosen() == {}
    assert panel.images.selector(panel.images.roles[0]).currentNode() is None
    panel.setParameterNode(panel.logic.wrap(first))
    use(panel, Lesions())
    assert panel.images.chosen() == {"plan": plan}


def test_a_deleted_image_leaves_its_selector_empty(panel):
    use(panel, Lesions())
    plan, _other = an_mri("plan"), an_mri("other")
    dose = panel.images.selector(panel.images.roles[0])
    dose.setCurrentNode(plan)
    slicer.mrmlScene.RemoveNode(plan)
    assert dose.currentNode() is None
    assert panel.images.chosen() == {}


def test_the_first_rows_are_those_of_today(panel):
    ui = panel.ui
    assert tip_of(ui.inputVolumeSelectorLabel) == (
        "Contrast-enhanced T1 MRI. Its own voxels are used; nothing is resampled in the scene."
    )
    assert ui.inputVolumeSelector.noneDisplay == "Select the MRI"
    assert ui.inputSegmentationSelector.noneDisplay == "Select the lesions"
    headings = [ui.resultsTable.horizontalHeaderItem(n).text() for n in range(ui.resultsTable.columnCount)]
    assert headings == ["Lesion", "Answer", "P(response)", "cm³"]
