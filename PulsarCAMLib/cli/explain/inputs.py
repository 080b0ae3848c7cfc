"""The files that ``pulsarcam explain`` takes, by the roles of the systems' inputs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...core.errors import InputError
from ...core.inputs import MASK, InputRole
from ...core.progress import OnProgress
from ...core.vocabulary import PARTS
from ...io.names import unlike
from ...io.plain_files import is_same, shown_path
from ..options.numbers import names, whole_numbers
from ..options.places import InputPath

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from ...core.case import Case, Image
    from ...core.lesion import Lesion
    from ...io.dicom.identity import Identity
    from ...systems.bundles.card import ModelCard
    from ...systems.contract import System
    from .one_case import Job

DESTINATION, CHOSEN = "inputs", "chosen_of"
SEGMENTS, LABELS = "segments", "labels"


@dataclass(frozen=True, eq=False)
class DicomFrames:
    """How the files of a DICOM folder lie to each other.

    Attributes:
        registration: 4x4, rigid, LPS millimetres of the contours' frame of reference to those of the images'; None:
            it is one.
        files: read for that.
        doubts: sentences on what may not belong together, for the results.
        contours: UIDs of the frames that the contours are in.
    """

    registration: np.ndarray | None = None
    files: tuple[Path, ...] = ()
    doubts: tuple[str, ...] = ()
    contours: tuple[str, ...] = ()


def extra_roles(system: System) -> tuple[InputRole, ...]:
    """Roles of a system besides its first image and its lesions, those of lesions of other time points last."""
    return system.beside_the_first


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Options for what any known system takes besides an image and lesions, each named after its role."""
    from ...systems.registry import systems

    parser.set_defaults(**{DESTINATION: {}, CHOSEN: {}})
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
    for name in (each.name for users in roles.values() for system, each in users[:1] if each in system.other_masks):
        for what, kind, metavar in ((SEGMENTS, names, "A,B"), (LABELS, whole_numbers, "1,3")):
            text = f"only these {what} of --{name} (as --{what} says; where it has others, name them here)"
            group.add_argument(f"--{name}-{what}", action=_Chosen, type=kind, metavar=metavar, dest=CHOSEN, help=text)
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


class _Chosen(argparse.Action):
    """Collects segments or labels of another mask by its role and which they are."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        role, _, what = (option_string or "").lstrip("-").rpartition("-")
        given = dict(getattr(namespace, self.dest) or {})
        setattr(namespace, self.dest, given | {(role, what): tuple(values)})


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
    from ...core.case import Case
    from ...io.inputs import read_input

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
    somebody = somebody_of(job.volume, images[first.name])
    masks = {role: job.inputs[role.name] for role in system.other_masks if role.name in job.inputs}
    outlined, notes = {}, []
    for role, path in masks.items():
        lead = system.lead_of(role)
        found, told = _lesions_of(role, path, images[lead.name], job)
        outlined[role.name] = named_without(somebody, found)
        notes += [f"{role.title}: {somebody.kept_out(text)}" for text in told]
    own = {"transforms": transforms, "outlined": outlined}
    if job.segmentation is None:
        return Case(images, (), first.name, tuple(notes), **own)
    lesions, told = _read(job.segmentation, images[first.name], job)
    told = [somebody.kept_out(text) for text in told]
    return Case(images, named_without(somebody, lesions), first.name, (*job.frames.doubts, *told, *notes), **own)


def somebody_of(path: Path, image: Image) -> Identity:
    """Whose image it is, if it was read from DICOM; nobody where it was not."""
    from ...io.dicom.identity import Identity, identity_of

    return identity_of(path) if image.source else Identity()


def named_without(somebody: Identity, lesions: Sequence[Lesion]) -> tuple[Lesion, ...]:
    """The lesions; one that is called by its patient's name, number or birth date is called by its place."""
    taken: set[str] = set()
    names = [unlike("" if somebody.is_in(each.name) else each.name, taken, f"lesion {n}")
             for n, each in enumerate(lesions, start=1)]  # fmt: skip
    return tuple(each if each.name == name else replace(each, name=name)
                 for each, name in zip(lesions, names, strict=True))  # fmt: skip


def _read(path: Path, image: Image, job: Job) -> tuple[list[Lesion], list[str]]:
    """Lesions of a file on the grid of an image, as the command chose them."""
    from ...lesions.from_files import read_lesions

    frame = image.source.frame_of_reference_uid if image.source else ""
    return read_lesions(
        path, image.geometry, job.parts, job.labels, job.segments, frame=frame, registration=job.frames.registration
    )


def _lesions_of(role: InputRole, path: Path, image: Image, job: Job) -> tuple[list[Lesion], list[str]]:
    """Of another time point, chosen by its own options or else as those of the segmentation; none where it is empty.

    Raises:
        InputError: it is no mask, lies elsewhere, or has not what was chosen.
    """
    from ...lesions.from_files import are_empty

    own = {what: chosen for (name, what), chosen in job.chosen.items() if name == role.name}
    asked = replace(job, labels=own.get(LABELS), segments=own.get(SEGMENTS)) if own else job
    try:
        if all(are_empty(path, *(asked.labels or (None,)))):
            return [], []
        return _read(path, image, asked)
    except InputError as error:
        if own or not (job.labels or job.segments):
            raise
        way = f"--{role.name}-{SEGMENTS} or --{role.name}-{LABELS}"
        raise InputError(f"{error} For the {role.title} alone choose by {way}.") from error


def _transforms(job: Job, images: Mapping[str, Image]) -> dict[str, np.ndarray]:
    """Role to its matrix, as they were given.

    Raises:
        InputError: a name that no image has, or a file that is no linear transform.
    """
    import numpy as np

    from ...io.transforms import read_transform

    found = {name: np.eye(4) for name in images} if job.aligned else {}
    maps = [name for name, _ in job.compare_with]  # these are read, with their transforms, by comparing.py
    for name, path in job.transforms:
        if name in maps and name not in images:
            continue
        if name not in images:
            known = ", ".join((*images, *maps))
            raise InputError(f"--transform {name}=… names no image that is given; there are {known}.")
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
    for name, what in job.chosen:
        if name in known and name not in job.inputs:
            yield f"--{name}-{what} chooses in a file that was not named; give it with --{name} FILE."
        elif name not in known:
            yield f"The model “{card.name}” takes no {name}; leave out --{name}-{what}."
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
