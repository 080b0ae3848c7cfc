"""What a folder of DICOM files holds, however nested and mixed: by headers only, and nothing in it is fatal.

Patients, series, objects and frames of reference get numbers and letters here; their names and UIDs are for pairing,
and names for the terminal, where the user asks for them.
"""

from __future__ import annotations

import filecmp
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.visible import visible
from ..plain_files import is_folder, shown_path
from .files import NOT_IMAGES, is_dicom, names_of, numbers_of, quiet, text_of
from .identity import patient_of
from .own import COPY, RESULT, own_kind

MOST_FILES = 200_000
"""Files of a folder that are looked at: some hundred studies."""

DIRECTORY = "1.2.840.10008.1.3.10"
"""SOP class of a DICOMDIR, which lists files and is none of them."""

MR, STRUCTURES, SEGMENTATION, DOSE, REGISTRATION = "MR", "RTSTRUCT", "SEG", "RTDOSE", "REG"

OWN_RESULTS = "of PulsarCAM's own results"
"""Among :attr:`Inventory.others`; also copies of structure sets that are there themselves."""

_SAYING = (0x0020, 0x0028, 0x0062, 0x0070, 0x3004, 0x3006, 0x5200, 0x7FE0)
"""Groups of elements on places, pixels, segments, registrations, doses, structures and frames."""

OTHERWISE = "another file has its instance and says something else; keep the right one of the two"
"""Of files that stand for one object and are none."""

_TAGS = (
    "SpecificCharacterSet", "Modality", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
    "FrameOfReferenceUID", "PatientID", "PatientName", "IssuerOfPatientID", "SeriesNumber", "SeriesDescription",
    "StudyDate", "Rows", "NumberOfFrames", "ReferencedFrameOfReferenceSequence", "ReferencedSeriesSequence",
    "StructureSetROISequence", "SegmentSequence", "RegistrationSequence", "Manufacturer", "DoseComment",
)  # fmt: skip


@dataclass(frozen=True)
class Instance:
    """One file.

    Attributes:
        path: of the file.
        modality: DICOM modality.
        sop_class, uid, study, series: UIDs.
        frames_of_reference: UIDs of the frames that it lies in, or that it brings together.
        patient: what tells patients apart, for nothing but that.
        name: of the patient, for nothing but to see whether there are two under one ID.
        referenced: UIDs of the series that it refers to.
        count: frames of an image; structures or segments of other objects.
        own: whether it is a result of PulsarCAM's, see :func:`.own.own_kind`.
        identity: what the header says of patient and series, for the terminal only.
    """

    path: Path
    modality: str
    sop_class: str
    uid: str
    study: str
    series: str
    frames_of_reference: tuple[str, ...]
    patient: str = field(repr=False)
    name: str = field(repr=False)
    referenced: tuple[str, ...]
    count: int
    identity: str = field(repr=False)
    own: str = ""


@dataclass(frozen=True)
class Item:
    """An image series, or another object.

    Attributes:
        number: from 1, among those of its kind.
        instances: its files; of an image series all, of another object one.
        patient: number of the patient, from 1.
    """

    number: int
    instances: tuple[Instance, ...]
    patient: int

    @property
    def first(self) -> Instance:
        """Of its files."""
        return self.instances[0]

    @property
    def modality(self) -> str:
        """Of its files."""
        return self.first.modality

    @property
    def count(self) -> int:
        """Slices of an image, structures or segments of another object."""
        return sum(each.count for each in self.instances)

    @property
    def frames(self) -> tuple[str, ...]:
        """UIDs of the frames of reference of all its files."""
        return tuple(dict.fromkeys(uid for each in self.instances for uid in each.frames_of_reference))

    @property
    def folder(self) -> Path:
        """That holds all its files, perhaps in folders of its own."""
        paths = [each.path.parent for each in self.instances]
        return next(at for at in (paths[0], *paths[0].parents) if all(each.is_relative_to(at) for each in paths))


@dataclass(frozen=True)
class Inventory:
    """What a folder holds.

    Attributes:
        folder: that was looked at.
        series: image series of any modality.
        structure_sets: RTSTRUCT and SEG objects.
        doses, registrations: RTDOSE and REG objects.
        others: modality of further DICOM objects, to their number.
        no_dicom: names of files that are no DICOM, below the folder.
        directories: number of DICOMDIR files.
        copies: number of files that hold an instance that another file holds, too.
        damaged: names of DICOM files that cannot be read, to why.
    """

    folder: Path
    series: tuple[Item, ...]
    structure_sets: tuple[Item, ...]
    doses: tuple[Item, ...]
    registrations: tuple[Item, ...]
    others: dict[str, int]
    no_dicom: tuple[str, ...]
    directories: int
    copies: int
    damaged: dict[str, str]

    @cached_property
    def letters(self) -> dict[str, str]:
        """Frame of reference to a letter, in the order in which they come."""
        every = [*self.series, *self.structure_sets, *self.doses, *self.registrations]
        uids = dict.fromkeys(uid for item in every for uid in item.frames if uid)
        return {uid: _letter(n) for n, uid in enumerate(uids)}

    @property
    def patients(self) -> tuple[int, ...]:
        """Numbers of all patients."""
        every = (*self.series, *self.structure_sets, *self.doses, *self.registrations)
        return tuple(sorted({item.patient for item in every}))

    def of_patient(self, number: int) -> Inventory:
        """What there is of one patient, under the numbers that it has here; without what is none of it."""

        def own(items: tuple[Item, ...]) -> tuple[Item, ...]:
            return tuple(item for item in items if item.patient == number)

        kinds = own(self.series), own(self.structure_sets), own(self.doses), own(self.registrations)
        return Inventory(self.folder, *kinds, {}, (), 0, 0, {})

    @property
    def renamed(self) -> dict[int, int]:
        """Patients whose files bear several names, by their number, to how many."""
        names: dict[int, list[str]] = {}
        for item in (*self.series, *self.structure_sets, *self.doses, *self.registrations):
            names.setdefault(item.patient, []).extend(each.name for each in item.instances)
        counts = {patient: len(names_of(texts)) for patient, texts in sorted(names.items())}
        return {patient: count for patient, count in counts.items() if count > 1}

    @property
    def is_dicom(self) -> bool:
        """Whether there is any DICOM object that matters here."""
        return bool(self.series or self.structure_sets or self.doses or self.registrations)


def take_stock(folder: str | Path, on_file: Callable[[int], None] = lambda count: None) -> Inventory:
    """What a folder holds; folders in it are looked into, links to folders are not.

    Args:
        folder: of any nesting.
        on_file: told the number of files so far; may raise to stop.

    Raises:
        InputError: it cannot be opened, or holds more files than are looked at.
    """
    folder = Path(folder)
    if not is_folder(folder):
        raise InputError(f"{shown_path(folder)} is no folder; give the one with the DICOM files.")
    found: dict[str, Instance] = {}
    doubtful: set[str] = set()
    others, no_dicom, damaged = Counter[str](), [], {}
    directories = copies = 0
    for n, path in enumerate(_files_below(folder)):
        if n >= MOST_FILES:
            raise InputError(f"The folder {shown_path(folder)} holds more than {MOST_FILES} files; give a smaller one.")
        on_file(n + 1)
        name = _told(folder, path)
        if not is_dicom(path):
            no_dicom.append(name)
            continue
        try:
            each = _instance(path)
        except Exception as error:  # pydicom raises many kinds for damaged files
            damaged[name] = f"its elements cannot be read ({type(error).__name__})"
            continue
        if each.sop_class == DIRECTORY or path.name.upper() == "DICOMDIR":
            directories += 1
        elif not each.uid or not each.series:
            damaged[name] = "it says no instance or series"
        elif each.uid in found and (_is_image(each) or _says_the_same(found[each.uid].path, path)):
            copies += 1
        elif each.uid in found or each.uid in doubtful:
            first = found.pop(each.uid, None)
            doubtful.add(each.uid)
            damaged |= dict.fromkeys([*([_told(folder, first.path)] if first else []), name], OTHERWISE)
        elif each.own == RESULT:
            others[OWN_RESULTS] += 1
        elif each.modality in (STRUCTURES, SEGMENTATION, DOSE, REGISTRATION) or _is_image(each):
            found[each.uid] = each
        else:
            others[visible(each.modality) or "?"] += 1
    inputs = list(_without_copies(found.values()))
    others[OWN_RESULTS] += len(found) - len(inputs)
    return _sorted(folder, inputs, dict(+others), tuple(no_dicom), directories, copies, damaged)


def _told(folder: Path, path: Path) -> str:
    return visible(os.fspath(path.relative_to(folder)))


def _says_the_same(one: Path, other: Path) -> bool:
    """Whether two files of one instance, no images of a series, say the same of what is read of them.

    Archives write names, institutions and times of their own into copies; these do not matter.
    """
    import pydicom

    if filecmp.cmp(one, other, shallow=False):
        return True
    try:
        with quiet():
            first, second = (
                {each.tag: each for each in pydicom.dcmread(path, force=True) if each.tag.group in _SAYING}
                for path in (one, other)
            )
            return first == second
    except Exception:  # pydicom raises many kinds for damaged files
        return False


def _without_copies(found: Collection[Instance]) -> Iterator[Instance]:
    """Without structure sets that PulsarCAM made of others that are there, too, in the same frame of reference.

    Where only its own are there the structure set is kept rather than the SEG, for both hold the same lesions.
    """
    sets = [each for each in found if each.modality in (STRUCTURES, SEGMENTATION)]

    def rank(each: Instance) -> int:
        return (each.own == COPY) * (1 + (each.modality == SEGMENTATION))

    for each in found:
        better = (
            other for other in sets
            if rank(other) < rank(each) and other.patient == each.patient
            and set(other.frames_of_reference) & set(each.frames_of_reference)
        )  # fmt: skip
        if each not in sets or not any(better):
            yield each


def _files_below(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        if error.filename is not None and Path(error.filename) == folder:
            raise InputError(
                f"The folder {shown_path(folder)} cannot be opened ({error.strerror}); choose another."
            ) from error

    for at, folders, files in os.walk(folder, onerror=refuse):
        folders.sort()
        yield from (Path(at, name) for name in sorted(files))


def _instance(path: Path) -> Instance:
    import pydicom

    with path.open("rb") as file, quiet():
        data = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(_TAGS), force=True)
        referenced, frames = _referred(data)
        names = ("PatientName", "PatientID", "StudyDate", "SeriesNumber", "SeriesDescription")
        frames_count = numbers_of(data, "NumberOfFrames", 1)
        inner = data.get("StructureSetROISequence") or data.get("SegmentSequence")
        count = len(inner) if inner else int(frames_count[0]) if frames_count and data.get("Rows") else 1
        return Instance(
            path,
            text_of(data, "Modality"),
            text_of(data, "SOPClassUID") or str(getattr(data.file_meta, "MediaStorageSOPClassUID", "")),
            text_of(data, "SOPInstanceUID"),
            text_of(data, "StudyInstanceUID"),
            text_of(data, "SeriesInstanceUID"),
            frames,
            patient_of(data) or text_of(data, "StudyInstanceUID"),
            text_of(data, "PatientName"),
            referenced,
            # an image without rows may be a damaged slice or raw data
            count if data.get("Rows") or text_of(data, "Modality") in NOT_IMAGES else 0,
            ", ".join(filter(None, (text_of(data, key) for key in names))),
            own_kind(data),
        )


def _is_image(each: Instance) -> bool:
    return each.modality not in NOT_IMAGES and each.count > 0


def _referred(data: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Series that an object refers to, and frames of reference: its own, and those that it names or brings together."""
    series = [text_of(each, "SeriesInstanceUID") for each in data.get("ReferencedSeriesSequence") or ()]
    frames = [text_of(data, "FrameOfReferenceUID")]
    for frame in data.get("ReferencedFrameOfReferenceSequence") or ():
        frames.append(text_of(frame, "FrameOfReferenceUID"))
        for study in frame.get("RTReferencedStudySequence") or ():
            series += [text_of(each, "SeriesInstanceUID") for each in study.get("RTReferencedSeriesSequence") or ()]
    for key in ("StructureSetROISequence", "RegistrationSequence"):
        for each in data.get(key) or ():
            frames += [text_of(each, "ReferencedFrameOfReferenceUID"), text_of(each, "FrameOfReferenceUID")]
    return tuple(dict.fromkeys(filter(None, series))), tuple(dict.fromkeys(filter(None, frames)))


def _sorted(folder: Path, found: list[Instance], *left_out: Any) -> Inventory:
    keys = _patients_of(found)
    numbers = {key: n for n, key in enumerate(dict.fromkeys(keys.values()), start=1)}
    patients = {name: numbers[key] for name, key in keys.items()}
    images: dict[tuple[int, str], list[Instance]] = {}
    for each in found:
        if _is_image(each):
            images.setdefault((patients[each.patient], each.series), []).append(each)
    series = tuple(
        Item(n, tuple(files), patient)
        for n, ((patient, _), files) in enumerate(sorted(images.items(), key=lambda pair: pair[0]), start=1)
    )

    def objects(*kinds: str) -> tuple[Item, ...]:
        own = sorted((patients[e.patient], e.series, e.uid, n) for n, e in enumerate(found) if e.modality in kinds)
        return tuple(Item(n, (found[at],), patient) for n, (patient, _, _, at) in enumerate(own, start=1))

    return Inventory(folder, series, objects(STRUCTURES, SEGMENTATION), objects(DOSE), objects(REGISTRATION), *left_out)


def _patients_of(found: list[Instance]) -> dict[str, str]:
    """What tells a patient apart in a file, to the same with the issuer that all other files of this ID name."""
    named = dict.fromkeys(each.patient for each in found)
    issued = {name: [other for other in named if other != name and other.startswith(name)] for name in named
              if name.endswith("\n")}  # fmt: skip
    return {name: issued[name][0] if len(issued.get(name, ())) == 1 else name for name in named}


def _letter(n: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    text = ""
    while n >= 0:
        text, n = chr(ord("A") + n % 26) + text, n // 26 - 1
    return text
