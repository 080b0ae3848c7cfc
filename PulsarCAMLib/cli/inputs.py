"""The files that ``pulsarcam explain`` takes, by the roles of the systems' inputs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import InputError
from ..core.inputs import MASK, InputRole
from ..core.progress import OnProgress
from ..core.vocabulary import PARTS
from ..io.plain_files import is_same, shown_path
from .places import InputPath

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from ..core.case import Case, Image
    from ..core.lesion import Lesion
    from ..systems.card import ModelCard
    from ..systems.contract import System
    from .explain import Job

DESTINATION = "inputs"


@dataclass(frozen=True, eq=False)
class DicomFrames:
    """How the files of a DICOM folder lie to each other.

    Attributes:
        registration: 4x4, rigid, LPS millimetres of the contours' frame of reference to those of the images'; None:
            it is one.
        files: read for that.
    """

    registration: np.ndarray | None = None
    files: tuple[Path, ...] = ()


def extra_roles(system: System) -> tuple[InputRole, ...]:
    """Roles of a system besides its first image and its lesions, those of lesions of other time points last."""
    return system.beside_the_first


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Options for what any known system takes besides an image and lesions, each named after its role."""
    from ..systems.registry import systems

    parser.set_defaults(**{DESTINATION: {}})
    roles: dict[str, list[tuple[System, InputRole]]] = {}
    for system in systems():
        for role in extra_roles(system):
            roles.setdefault(role.name, []).append((system, role))
    if not roles:
        return
    group = parser.add_argument_group("further inputs, where the model takes them")
    for name, users in roles.items():
        told = "; ".join(f"{_about(role)} ({system.title})" for system, role in users)
        group.add_argument(
            f"--{name}", action=_Input, type=InputPath, metavar="FILE", dest=DESTINATION, help=told.replace("%", "%%")
        )
    group.add_argument(
        "--transform", action="append", type=_named_transform, metavar="NAME=FILE", default=[],
        help="ITK transform (.tfm, .txt, .h5; rigid or affine) from a common space to the image of that name, instead "
        "of registering; may be given for several",
    )  # fmt: skip
    group.add_argument("--aligned", action="store_true", help="all images lie right as they are: register nothing")


def add_safe_reading(parser) -> None:
    """The option for files of people whom one does not know."""
    parser.add_argument(
        "--safe-reading",
        action="store_true",
        help="read images, masks and doses in a process of its own: a file that crashes its reader is then one "
        "sentence (costs half a second)",
    )


def _named_transform(text: str) -> tuple[str, InputPath]:
    name, sign, path = text.partition("=")
    if not (name and sign and path):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FILE, such as t1=visit2.tfm")
    return name, InputPath(path)


class _Input(argparse.Action):
    """Collects files by role."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        given = dict(getattr(namespace, self.dest) or {})
        given[(option_string or "").lstrip("-")] = values
        setattr(namespace, self.dest, given)


def _about(role: InputRole) -> str:
    return role.about or role.title


def refuse_roles(job: Job, card: ModelCard) -> None:
    """Whether the files that are named are those that the model takes; asked before anything is loaded.

    Raises:
        InputError: a needed file was not named, or the model does not take one that was.
    """
    for problem in _problems(job, card):
        raise InputError(problem)


def read_case(job: Job, card: ModelCard, on_progress: OnProgress) -> Case:
    """Images by role and lesions on the grid of the first, from files.

    Raises:
        InputError: files are not those of :func:`refuse_roles`, or one cannot be used.
        GeometryError: a file's place cannot be used.
    """
    refuse_roles(job, card)
    from ..core.case import Case
    from ..io.inputs import read_input

    system = card.system
    first = system.inputs[0]
    on_progress(0, f"Reading the {first.title}")
    images: dict[str, Image] = {first.name: read_input(job.volume, first, job.series)}
    for role in extra_roles(system):
        if role.name in job.inputs and role.kind != MASK:
            on_progress(0.3, f"Reading the {role.title}")
            images[role.name] = read_input(job.inputs[role.name], role)
    transforms = _transforms(job, images)
    on_progress(0.5, "Reading the lesions")
    masks = {role: job.inputs[role.name] for role in system.other_masks if role.name in job.inputs}
    outlined, notes = {}, []
    for role, path in masks.items():
        lead = system.lead_of(role)
        found, told = _lesions_of(path, images[lead.name], job)
        outlined[role.name] = tuple(found)
        notes += [f"{role.title}: {text}" for text in told]
    own = {"transforms": transforms, "outlined": outlined}
    if job.segmentation is None:
        return Case(images, (), first.name, tuple(notes), **own)
    lesions, told = _read(job.segmentation, images[first.name], job)
    return Case(images, tuple(lesions), first.name, (*told, *notes), **own)


def _read(path: Path, image: Image, job: Job) -> tuple[list[Lesion], list[str]]:
    """Lesions of a file on the grid of an image, as the command chose them."""
    from ..lesions.from_files import read_lesions

    frame = image.source.frame_of_reference_uid if image.source else ""
    return read_lesions(
        path, image.geometry, job.parts, job.labels, job.segments, frame=frame, registration=job.frames.registration
    )


def _lesions_of(path: Path, image: Image, job: Job) -> tuple[list[Lesion], list[str]]:
    """Of another time point, chosen as those of the segmentation are; none where the mask is empty.

    Raises:
        InputError: it is no mask, or lies elsewhere.
    """
    from ..lesions.from_files import is_empty

    if all(is_empty(path, value) for value in job.labels or (None,)):
        return [], []
    return _read(path, image, job)


def _transforms(job: Job, images: Mapping[str, Image]) -> dict[str, np.ndarray]:
    """Role to its matrix, as they were given.

    Raises:
        InputError: a name that no image has, or a file that is no linear transform.
    """
    import numpy as np

    from ..io.transforms import read_transform

    found = {name: np.eye(4) for name in images} if job.aligned else {}
    for name, path in job.transforms:
        if name not in images:
            raise InputError(f"--transform {name}=… names no image that is given; there are {', '.join(images)}.")
        found[name] = read_transform(path)
    return found


def _problems(job: Job, card: ModelCard) -> Iterator[str]:
    system = card.system
    known = {role.name: role for role in extra_roles(system)}
    for name in job.inputs:
        if name not in known:
            yield f"The model “{card.name}” takes no {name}; leave out --{name}."
    for name in system.unused_inputs(card.preprocessing):
        if name in job.inputs:
            yield f"The model “{card.name}” uses no {known[name].title}; leave out --{name}."
    for name, role in known.items():
        if role.needed and name not in job.inputs:
            yield f"The model “{card.name}” needs {_about(role)}; give it with --{name} FILE."
    mask = system.role(MASK)
    if job.segmentation is None and mask and mask.needed:
        yield f"The model “{card.name}” needs {_about(mask)}; name it after the image."
    if job.segmentation is not None and mask is None:
        yield f"The model “{card.name}” takes no lesions; leave out the segmentation."
    for name, path in {system.inputs[0].name: job.volume, **job.inputs}.items():
        if job.segmentation is not None and is_same(path, job.segmentation):
            yield f"The segmentation is the file of the {name}, {shown_path(path)}; give each its own file."
    chosen = [name for name, is_said in _of_lesions(job).items() if is_said]
    if chosen and job.segmentation is None and not any(role.name in job.inputs for role in system.other_masks):
        why = "takes no lesions" if mask is None else "was given no segmentation"
        yield f"The model “{card.name}” {why}, so there is nothing to choose from; leave out {' and '.join(chosen)}."


def _of_lesions(job: Job) -> dict[str, bool]:
    """Options that choose among a segmentation's lesions, and whether they were given."""
    return {"--labels": bool(job.labels), "--segments": bool(job.segments), "--parts": job.parts != PARTS[0]}
