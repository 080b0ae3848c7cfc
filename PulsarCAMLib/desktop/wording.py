"""Section: the panel's fixed texts in the words of the chosen model's task.

The ``.ui`` files say what the system says that PulsarCAM began with; with its models they stay exactly as they are.
"""

from __future__ import annotations

from slicer.i18n import tr as _

from ..core.inputs import MASK
from ..core.task import LESION
from ..systems.contract import System
from ..systems.registry import system_of
from .choices import Normalisation
from .section import Section, set_enabled
from .train.parameters import CONTROLS, asked_of


def words_of(system: System) -> dict[str, str]:
    """What the texts of this file and of other sections are filled with."""
    task = system.task
    by_lesion = task.unit == LESION
    columns = [role.table_column for role in system.needed_inputs]
    role = system.role(MASK)
    mask = "" if role is None else role.about or role.title
    return {
        "system": system.title,
        "unit": task.unit,
        "units": f"{task.unit}s",
        "Unit": task.unit.capitalize(),
        "Units": f"{task.unit.capitalize()}s",
        "region": _("the lesion") if by_lesion else _("what the model looks at"),
        "inside": _("inside the contours") if by_lesion else _("where the model looks"),
        "surface": _("the lesion's surface") if by_lesion else _("the surface of what the model looks at"),
        "every": task.every_class,
        "positive": task.positive,
        "sample": system.samples_word,
        "Sample": system.samples_word.capitalize(),
        "mask": mask[:1].upper() + mask[1:],
        "columns": ", ".join(dict.fromkeys((*columns, task.label.column))),
    }


def tips() -> dict[str, str]:
    """Control to its tool tip; a label in front of it has the same."""
    return {
        "inputSegmentationSelector": _("{mask}. Its geometry and transform may differ from those of the images."),
        "normalisationComboBox": _(
            "The same for all (raw values): colors can be compared between {units} of one model. Otherwise values are "
            "divided by the joint maximum of {every} (normalisation), of each {unit} or of all."
        ),
        "thresholdSliderWidget": _(
            "A voxel belongs to the activated sub-region where the map reaches this percentage of the {unit}'s maximum "
            "over {every}."
        ),
        "restrictCheckBox": _(
            "Cut the heat map at the border of {region}. Off: also what interpolation carries a little beyond it."
        ),
        "subRegionsSelector": _(
            "Activated part of each {unit}, one segment per {unit}. Leave it to make a new segmentation."
        ),
        "lesionTableSelector": _(
            "One row per {unit}: volume, probabilities of the classes, spread over the ensemble, activated share. "
            "Leave it to make a new table."
        ),
        "sliceTableSelector": _(
            "One row per {sample} of every {unit}, with its own probabilities. Leave it to make a new table."
        ),
        "resultsTable": _(
            "{Units} with the probabilities of the classes. Choose a row to see the {unit} in all slice views; click a "
            "heading to sort."
        ),
        "lesionLabel": _("The chosen {unit}"),
        "slicePlotLabel": _(
            "Probability of {positive} of each {sample} of the chosen {unit}, with the spread over the ensemble. The "
            "filled dot is the {sample} that answers for the {unit}; the dashed line is the model's threshold."
        ),
        "exportTablesCheckBox": _("Two CSV files: one row per {unit}, one row per {sample}."),
        "doseLabel": _("Whether the activated part of each {unit} gets less dose than the rest of it"),
        "doseResultsTable": _(
            "Doses of each {unit}, of its activated part, and of the rest of it. Choose a row to see its curves."
        ),
        "compareMarginSliderWidget": _(
            "Thickness of the margin under {surface}; the remainder is the core."
        ),
        "shellThicknessSliderWidget": _(
            "Thickness of the shells under {surface}. Not finer than the voxels, or shells stay empty."
        ),
        "compareWithSelector": _(
            "Another map of the {units} that the heat maps are compared with: ADC, perfusion, spectroscopy, PET, dose, "
            "cell density. It may have any grid; transforms of the scene count."
        ),
        "compareChosenOnlyCheckBox": _(
            "Compare only the {unit} that is chosen in the table of results, not all of them."
        ),
        "compareLesionComboBox": _(
            "The {unit} whose numbers are shown. All of them are in the tables “agreement” and “shell” of the scene."
        ),
        "agreementResultsTable": _(
            "How the heat map that is shown agrees with what one sees in the MRI, inside {region}"
        ),
        "compareLabel": _("Where the heat map that is shown lies in {region}, and how fine it is"),
        "trainTablePathLineEdit": _(
            "Table of {units}, CSV or Excel: one row per {unit} with patient, {columns}. “pulsarcam cohort columns” "
            "describes every column."
        ),
        "trainProtocols": _(
            "How the model is judged, beside the model itself: each protocol trains models of its own and tests them "
            "on {units} that they have not seen. None ticked: only the validation patients."
        ),
        "trainLesionsCheckBox": _("{Units} of one patient may be on both sides, which flatters the model."),
        "trainPaperCheckBox": _(
            "Trained on the first MRI of all {units}, tested on their second. It flatters the model."
        ),
        "trainEpochsSpinBox": _("Passes over all {units}."),
        "trainShrinkageSpinBox": _(
            "A {unit} that has lost more than this share of its volume at follow-up counts as {positive}."
        ),
        "trainBalanceComboBox": _(
            "What is done where a class is much rarer, or much more frequent, than the others."
        ),
    }  # fmt: skip


def labels() -> dict[str, str]:
    """Control to its text."""
    return {
        "restrictCheckBox": _("Only {inside}"),
        "lesionTableSelectorLabel": _("{Unit} table:"),
        "sliceTableSelectorLabel": _("{Sample} table:"),
        "compareChosenOnlyCheckBox": _("Only the chosen {unit}"),
        "compareLesionComboBoxLabel": _("{Unit}:"),
        "trainCollapsibleButton": _("Train on a cohort: {system}"),
        "trainLesionsCheckBox": _("Other {units} (80/20)"),
        "trainShrinkageSpinBoxLabel": _("Volume lost from:"),
    }


class Wording(Section):
    """Follows the chosen model."""

    def set_up(self) -> None:
        """Keep what the ``.ui`` files say."""
        self._system = system_of()
        names = self._with_labels(tips() | dict.fromkeys(CONTROLS.values(), ""))
        self._tips = {name: getattr(self.ui, name).toolTip for name in names}
        self._labels = {name: getattr(self.ui, name).text for name in labels()}

    def refresh(self) -> None:
        """Say it anew when the system is another one."""
        system = self.panel.models.system()
        self._name_normalisations(system)
        if system is self._system:
            return
        self._system = system
        known = system is system_of()
        words = words_of(system)
        said = {} if known else {name: text.format(**words) for name, text in self._with_labels(tips()).items()}
        for name, text in (self._tips | said).items():
            getattr(self.ui, name).toolTip = text
        for name, text in labels().items():
            getattr(self.ui, name).text = self._labels[name] if known else text.format(**words)
        asked = asked_of(system)
        self.ui.trainLesionsCheckBox.visible = "trainLesions" in asked  # else two boxes would say the same
        for parameter, name in CONTROLS.items():
            reason = "" if parameter in asked else _("A training of “{system}” has no such choice").format(**words)
            for each in self._with_labels({name: ""}):
                widget = getattr(self.ui, each)
                set_enabled(widget, reason, widget.toolTip)

    def _with_labels(self, texts: dict[str, str]) -> dict[str, str]:
        """The same for the labels in front of the controls."""
        every = {name + end: text for name, text in texts.items() for end in ("", "Label")}
        return {name: text for name, text in every.items() if name in vars(self.ui)}

    def _name_normalisations(self, system: System) -> None:
        """Rows of a combo box that the parameter node fills anew whenever it is connected."""
        box = self.ui.normalisationComboBox
        for index, each in enumerate(Normalisation):
            text = each.label()
            if system.task.unit != LESION and each.value == "none":
                text = _("The same for all {units}").format(units=f"{system.task.unit}s")
            if system.task.unit != LESION and each.value == LESION:
                text = _("Each {unit} its own").format(unit=system.task.unit)
            if index < box.count and box.itemText(index) != text:
                box.setItemText(index, text)
