"""The choices of the panel, from the vocabulary of systems, tasks and display settings.

What a saved scene holds of a choice is its name there (``PIXELWISE``, ``NON_RESPONSE``): it stays as it is. Method and
class follow the chosen model's system, so the scene holds their names as texts, and a name that the system does not
have stands for its usual choice.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from slicer.i18n import tr as _

from ..core.inputs import InputRole
from ..core.map_method import MapMethod
from ..core.task import LESION, PREDICTED, Task
from ..core.vocabulary import NORMALISATIONS, PARTS, STATISTICS
from ..dose.settings import QUANTITIES
from ..painting.settings import JOINT, OWN, RULES
from ..systems.contract import System


@dataclass(frozen=True)
class Choice:
    """One row of a combo box.

    Attributes:
        saved: what a saved scene holds.
        value: the library's name.
        label: what the user reads.
        tip: how it differs from the others, or an empty text.
    """

    saved: str
    value: str
    label: str
    tip: str = ""


def method_choices(system: System) -> list[Choice]:
    """How the map may be computed."""
    return [
        Choice(
            method.saved_name or saved_name(method.name),
            method.name,
            _("{title} (both classes)").format(title=method.title) if method.signed else method.title,
            method_tip(method, system),
        )
        for method in system.maps
        if method.offered
    ]


def method_tip(method: MapMethod, system: System) -> str:
    """What a method is: title, how it differs, unit, equation and, where it is asked for by name, what it costs."""
    sentences = [method.title, method.lesson or method.about, _("Unit: {unit}").format(unit=method.unit)]
    sentences += [_("Equation: {equation}").format(equation=method.equation), cost_text(method, system)]
    return " ".join(text.rstrip(".") + "." for text in sentences if text)


def cost_text(method: MapMethod, system: System) -> str:
    """What a method that is not computed for every case costs, before it starts; empty for the others."""
    if method.always or not method.cost:
        return ""
    text = _("It takes about {passes:,} passes through the network for each {sample} and each member of the ensemble")
    return text.format(passes=round(method.passes(len(system.task.classes))), sample=system.samples_word)


def class_choices(task: Task) -> list[Choice]:
    """Whose evidence may be shown."""
    found = [Choice(saved_name(each.name), each.name, _class_label(task, each.name)) for each in task.classes]
    own = _("Predicted class of each lesion") if task.unit == LESION else _("Predicted class")
    return [*found, Choice(saved_name(PREDICTED), PREDICTED, own)]


def input_choices(roles: Sequence[InputRole]) -> list[Choice]:
    """Whose map may be shown: that of all inputs together, or of one alone."""
    own = _("On the voxels of this image, and over it")
    together = Choice("", "", _("All images together"), _("On the voxels of the first image"))
    return [together, *(Choice(role.name, role.name, role.title, own) for role in roles)]


def chosen(choices: Sequence[Choice], saved: str, usual: str) -> Choice:
    """The choice that a scene holds; where it holds none of these, the one whose value is ``usual``."""
    by_name = {choice.saved: choice for choice in choices}
    return by_name.get(saved) or next(choice for choice in choices if choice.value == usual)


def saved_name(name: str) -> str:
    """A name of the library as a saved scene holds it, unless it says otherwise."""
    return name.upper().replace("-", "_").replace("+", "P")


def _class_label(task: Task, name: str) -> str:
    """As "Response (shrinks)": the unit need not be named again."""
    title = name[:1].upper() + name[1:]
    about = task.of(name).about.removeprefix(f"the {task.unit} ")
    return f"{title} ({about})" if about else title


class _Labelled(enum.Enum):
    """Members by the name that a saved scene holds; the value is the library's."""

    def label(self) -> str:
        """What the user reads."""
        return _labels()[type(self).__name__].get(self.value, self.value)


Parts = _Labelled("Parts", {saved_name(value): value for value in PARTS})
"""Whether parts that do not touch are lesions of their own."""

Normalisation = _Labelled("Normalisation", {saved_name(value): value for value in NORMALISATIONS})
"""What the map is divided by."""

Statistic = _Labelled("Statistic", {{"std": "SPREAD"}.get(value, saved_name(value)): value for value in STATISTICS})
"""What of the ensemble lies over the MRI."""


DoseQuantity = _Labelled("DoseQuantity", {saved_name(value): value for value in QUANTITIES})
"""What a planned dose is told as."""


PaintRule = _Labelled("PaintRule", {saved_name(value): value for value in RULES})
"""How a heat map becomes a prescription."""

PaintRange = _Labelled("PaintRange", {saved_name(value): value for value in (JOINT, OWN)})
"""What of the map the dose levels span."""


class ColorMap(_Labelled):
    """Colors of the overlay; automatic takes those made for what is shown."""

    AUTO = "auto"
    HEAT = "PulsarCAM heat"
    VIRIDIS = "PulsarCAM spread"
    GREY = "Grey"


class ImageFormat(_Labelled):
    """File format of exported images."""

    NRRD = "nrrd"
    NIFTI = "nii.gz"


class DicomPlace(_Labelled):
    """Where exported DICOM objects go."""

    FOLDER = "folder"
    DATABASE = "database"


def _labels() -> dict[str, dict[str, str]]:
    """What the user reads of each enumeration's values; here, because translation is not ready at import."""
    return {
        "Parts": {
            "auto": _("As usual"),
            "together": _("One lesion, however many pieces"),
            "separate": _("Each piece is a lesion"),
        },
        "Normalisation": {
            "none": _("The same for all lesions"),
            "lesion": _("Each lesion its own"),
            "scan": _("The same for all of this scan"),
        },
        "Statistic": {"mean": _("Average of the networks"), "std": _("Where the networks disagree")},
        "ColorMap": {
            "auto": _("Automatic"),
            "PulsarCAM heat": _("Heat (inferno)"),
            "PulsarCAM spread": _("Green to yellow (viridis)"),
            "Grey": _("Grey"),
        },
        "DoseQuantity": {
            "physical": _("As planned (Gy)"),
            "eqd2": _("In fractions of 2 Gy (EQD2)"),
            "bed": _("Effective dose (BED)"),
        },
        "PaintRule": {
            "linear": _("By numbers, linear"),
            "sigmoid": _("By numbers, sigmoid"),
            "contours": _("By contours"),
        },
        "PaintRange": {"joint": _("Zero to the maximum of all classes"), "own": _("This map's own range")},
        "DicomPlace": {"folder": _("Into the folder"), "database": _("Into Slicer's DICOM database")},
        "ImageFormat": {"nrrd": _("NRRD (.nrrd)"), "nii.gz": _("NIfTI (.nii.gz)")},
    }
