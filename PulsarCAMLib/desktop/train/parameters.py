"""What the section “Train on a cohort” asks for, and the command line that it means."""

# ruff: noqa: N815 - parameters are named as Slicer names them

from __future__ import annotations

import enum
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Annotated

from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import WithinRange

from ...cli.train.run_folder import REPORT_SUFFIX, SUFFIX, is_run
from ...core.errors import OutputError
from ...core.task import PATIENT, SHRINKAGE
from ...core.vocabulary import LEAVE_ONE_OUT, LESIONS, PAPER, PATIENTS
from ...io.atomic import write_whole
from ...io.plain_files import read_json
from ...systems.bundles.bundle import CARD_FILE
from ...systems.contract import System
from ...systems.registry import DEFAULT

OPTIONS = "panel.json"
"""In the run's folder: the options with which the panel began it; no path, no name of a file."""
PLACES = ("trainTable", "trainFolder", "trainName")
SYSTEM = "system"
"""Beside the parameters: whose network is trained."""


class Balance(enum.Enum):
    """What is done about a class that is rare."""

    NONE = "none"
    WEIGHTED = "weighted"
    BALANCED = "balanced"

    def label(self) -> str:
        """What the user reads."""
        return {
            "none": _("As they are (the paper)"),
            "weighted": _("Weighted loss"),
            "balanced": _("Drawn equally often"),
        }[self.value]


class Device(enum.Enum):
    """What computes."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"

    def label(self) -> str:
        """What the user reads."""
        return {"auto": _("Graphics card if any"), "cpu": _("Processor"), "cuda": _("Graphics card")}[self.value]


class TrainParameters:
    """A part of the panel's parameter node.

    trainTable - the cohort table
    trainFolder, trainName - where the bundle is made, and its name
    trainTitle - the model's name for people
    trainPaper, trainLesions, trainPatients, trainLeaveOneOut - protocols by which the model is judged
    trainSanity - whether its heat maps are checked, too
    trainTrials, trainControls - repetitions of each protocol, and how many more with shuffled labels
    the others - as the options of ``pulsarcam train``; shares in percent
    """

    trainTable: str = ""
    trainFolder: str = ""
    trainName: str = ""
    trainTitle: str = ""
    trainPaper: bool = False
    trainLesions: bool = False
    trainPatients: bool = True
    trainLeaveOneOut: bool = False
    trainSanity: bool = False
    trainTrials: Annotated[int, WithinRange(1, 1000)] = 10
    trainControls: Annotated[int, WithinRange(0, 1000)] = 5
    trainMembers: Annotated[int, WithinRange(1, 50)] = 5
    trainEpochs: Annotated[int, WithinRange(1, 10000)] = 150
    trainShrinkage: Annotated[float, WithinRange(1, 99)] = 20.0
    trainValidation: Annotated[float, WithinRange(0, 90)] = 20.0
    trainFilters: Annotated[int, WithinRange(1, 64)] = 16
    trainBalance: Balance = Balance.NONE
    trainPatience: Annotated[int, WithinRange(0, 10000)] = 0
    trainDevice: Device = Device.AUTO
    trainJobs: Annotated[int, WithinRange(1, 256)] = 1
    trainSeed: Annotated[int, WithinRange(0, 1000000)] = 0


PROTOCOLS = {
    "trainPaper": PAPER,
    "trainLesions": LESIONS,
    "trainPatients": PATIENTS,
    "trainLeaveOneOut": LEAVE_ONE_OUT,
}
NAMES = tuple(TrainParameters.__annotations__)
CONTROLS = {
    "trainShrinkage": "trainShrinkageSpinBox",
    "trainFilters": "trainFiltersSpinBox",
    "trainBalance": "trainBalanceComboBox",
    "trainLesions": "trainLesionsCheckBox",
}
"""Parameter to control, where not every system asks for it."""
OPTIONAL = {"trainShrinkage": "--shrinkage", "trainFilters": "--filters", "trainBalance": "--imbalance"}
"""Parameter to option, where not every system has it."""


def output_of(state) -> Path | None:
    """Folder of the bundle to be made; None until folder and name are given."""
    folder, name = state.trainFolder.strip(), state.trainName.strip()
    return Path(folder) / name if folder and name else None


def run_folder_of(output: Path) -> Path:
    """Where a training keeps what can be resumed."""
    return output.with_name(output.name + SUFFIX)


def report_of(output: Path) -> Path:
    """The page with the figures of the protocols."""
    return output.with_name(output.name + REPORT_SUFFIX) / "index.html"


def is_unfinished(output: Path) -> bool:
    """Whether a training was begun there and no model made."""
    return is_run(run_folder_of(output)) and not (output / CARD_FILE).exists()


def what_is_wrong(state) -> str:
    """Why table, folder or name cannot be used, or an empty text."""
    if not state.trainTable.strip():
        return _("Choose the cohort table first")
    if not Path(state.trainTable).is_file():
        return _("The cohort table is not there any more")
    output = output_of(state)
    if output is None:
        return _("Choose a folder and a name for the model first")
    if not output.parent.is_dir():
        return _("The folder for the model is not there")
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", output.name):
        return _("The name may have only small letters, digits, “.”, “_” and “-”")
    if output.exists():
        return _("The folder has something of that name already: choose another name")
    return ""


def asked_of(system: System) -> set[str]:
    """Parameters that mean something for a training of a system's network; the panel locks the others."""
    known = {field.name for kind in (system.settings, system.architecture) for field in fields(kind)}
    asked = {
        "trainShrinkage": system.task.label.kind == SHRINKAGE,
        "trainFilters": "filters" in known,
        "trainBalance": "imbalance" in known,
        "trainLesions": system.task.unit != PATIENT,  # other patients are the same there
    }
    return {name for name in NAMES if asked.get(name, True)}


def arguments_of(state, system: System, resume: bool = False) -> list[str]:
    """Arguments of ``pulsarcam`` for what is chosen, for a training of a system's network."""
    asked = asked_of(system)
    named = {} if system.name == DEFAULT else {"--system": system.name}
    named |= {
        "--output": output_of(state),
        "--name": state.trainName.strip(),
        "--title": state.trainTitle.strip() or state.trainName.strip(),
        "--shrinkage": f"{state.trainShrinkage / 100:.6g}",
        "--validation-share": f"{state.trainValidation / 100:.6g}",
        "--filters": state.trainFilters,
        "--members": state.trainMembers,
        "--epochs": state.trainEpochs,
        "--imbalance": state.trainBalance.value,
        "--device": state.trainDevice.value,
        "--jobs": state.trainJobs,
        "--seed": state.trainSeed,
    }
    for parameter, name in OPTIONAL.items():
        if parameter not in asked:
            del named[name]
    if state.trainPatience:
        named["--patience"] = state.trainPatience
    chosen = [name for parameter, name in PROTOCOLS.items() if parameter in asked and getattr(state, parameter)]
    named["--protocols"] = ",".join(chosen) or "none"
    if chosen:
        named |= {"--trials": state.trainTrials, "--controls": state.trainControls}
    options = [f"{name}={value}" for name, value in named.items()]  # with "=": a value may begin with a dash
    flags = [*(["--sanity"] if state.trainSanity else []), *(["--resume"] if resume else [])]
    return ["train", state.trainTable.strip(), *options, *flags]


def check_arguments_of(state, system: System) -> list[str]:
    """Arguments of ``pulsarcam`` that check the table for such a training; the findings' file is still missing."""
    named = [] if system.name == DEFAULT else [f"--system={system.name}"]
    if "trainShrinkage" in asked_of(system):
        named.append(f"--shrinkage={state.trainShrinkage / 100:.6g}")
    return ["cohort", "check", state.trainTable.strip(), *named]


def values_of(state) -> dict:
    """All of them as JSON values."""
    values = {name: getattr(state, name) for name in NAMES}
    return {name: value.name if isinstance(value, enum.Enum) else value for name, value in values.items()}


def restore(state, values: dict) -> None:
    """Put values that :func:`values_of` gave back; what is unknown or out of range stays as it is."""
    kinds = {"trainBalance": Balance, "trainDevice": Device}
    modifying = state.StartModify()
    try:
        for name in NAMES:
            if name not in values:
                continue
            try:
                setattr(state, name, kinds[name][values[name]] if name in kinds else values[name])
            except (KeyError, TypeError, ValueError):
                continue
    finally:
        state.EndModify(modifying)


def keep_options(run_folder: Path, values: dict) -> None:
    """Put the options into the run's folder, for whoever resumes it; without them it can be resumed, too."""
    options = {name: value for name, value in values.items() if name not in PLACES}
    try:
        write_whole(run_folder / OPTIONS, (json.dumps(options, indent=1) + "\n").encode(), overwrite=True)
    except OutputError:
        return


def kept_options(run_folder: Path) -> dict:
    """The options with which a run was begun; empty where nobody kept them."""
    try:
        found = read_json(run_folder / OPTIONS)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
