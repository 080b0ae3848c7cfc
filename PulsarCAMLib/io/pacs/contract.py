"""What is asked of a PACS, whichever protocol it speaks, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...core.errors import Cure, InputError

BY_STUDY = Cure("choose one", "with --study NUMBER")

OnCount = Callable[[int], None]
"""Is told how many objects have come or gone; may raise to stop."""

WILDCARDS = "*?\\"
"""Of a PACS's matching (DICOM PS3.4 C.2.2.2.4): one patient is asked for, never several."""


@dataclass(frozen=True)
class Tls:
    """How a connection is encrypted; the other side's certificate is always verified.

    Attributes:
        authority: file of the certificates that are trusted (PEM); None: those of the system.
        certificate, key: files of our own, where the PACS asks for them.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class StudyOfPacs:
    """A study that a PACS has of the patient.

    Attributes:
        uid: Study Instance UID.
        date: as the PACS says it; for the terminal only.
        modalities: of its series.
        instances: number of objects; 0 where the PACS does not say it.
    """

    uid: str
    date: str
    modalities: str
    instances: int


class Pacs(Protocol):
    """A PACS.

    Attributes:
        name: for sentences, as "The PACS at 127.0.0.1:4242".
    """

    name: str

    def studies(self, patient: str) -> list[StudyOfPacs]:
        """Studies of a patient, by the exact ID.

        Raises:
            InputError: it does not answer, or refuses.
        """

    def fetch(self, study: str, folder: Path, on_count: OnCount) -> int:
        """Write the objects of a study into a folder, one file each; how many.

        Raises:
            InputError: it does not answer, or some objects did not come.
        """

    def send(self, files: Sequence[Path], on_count: OnCount) -> None:
        """Store files.

        Raises:
            OutputError: it does not answer, or refuses one of them.
        """


def chosen_study(name: str, studies: Sequence[StudyOfPacs], wanted: str | None) -> StudyOfPacs:
    """The one study that is meant.

    Args:
        name: of the PACS.
        studies: of the patient.
        wanted: number in the list, from 1, or UID; None: there must be one only.

    Raises:
        InputError: there is none, several without a choice, or no such one.
    """
    if not studies:
        raise InputError(f"{name} has no study of that patient; see the patient ID, which must be exact.")
    if wanted is None and len(studies) == 1:
        return studies[0]
    for n, study in enumerate(studies, start=1):
        if wanted in (str(n), study.uid):
            return study
    listed = "; ".join(
        f"{n}: {study.date or 'no date'}, {study.modalities or '?'}, {study.instances or '?'} objects"
        for n, study in enumerate(studies, start=1)
    )
    what = f"{name} has {len(studies)} studies of that patient ({listed})"
    if wanted is None:
        raise InputError(what, BY_STUDY)
    raise InputError(f"{what}, but no {wanted!r}.")


def check_patient(patient: str) -> str:
    """A patient ID that stands for one patient.

    Raises:
        InputError: it is empty or holds wildcards.
    """
    patient = patient.strip()
    if not patient or any(each in patient for each in WILDCARDS) or not patient.isprintable():
        raise InputError("The patient ID must be that of one patient, without * or ?; give it as the PACS shows it.")
    return patient
