"""A PACS by DICOM's own protocol: C-FIND, C-GET and C-STORE through pynetdicom.

C-GET brings objects over the connection that asked for them, so that no port of this machine is opened, and the PACS
need not know its address. Source: DICOM PS3.4 Annex B, C; PS3.7.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import Cure, InputError, OutputError
from ...core.visible import visible
from ..dicom.files import quiet, text_of
from .contract import OnCount, StudyOfPacs, Tls, check_patient

SECONDS = 30
"""A PACS that is silent for so long does not answer."""

CLASSES = tuple(
    f"1.2.840.10008.5.1.4.1.1.{end}"
    for end in (
        "4", "4.1", "2", "2.1", "128", "481.2", "481.3", "481.5", "66.1", "66.3", "66.4", "30", "88.11", "88.22",
        "88.33", "88.34", "88.59", "7",
    )
)  # fmt: skip
"""What is fetched: MR, CT and PET images, RT dose, structure set and plan, registrations, segmentations, parametric
maps, reports, key objects, secondary captures."""

SYNTAXES = (
    "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.5",
)  # fmt: skip
"""Plain ones first, then what the decoders here know."""


TITLES = Cure("ask its administrator which ones it knows and what these may do, and give them",
              "with --called and --calling")  # fmt: skip


@dataclass(frozen=True)
class DimsePacs:
    """A PACS.

    Attributes:
        host, port: where it is.
        called: its AE title.
        calling: ours, by which it may know us.
        tls: how the connection is encrypted; None: it is not.
    """

    host: str
    port: int
    called: str = "ANY-SCP"
    calling: str = "PULSARCAM"
    tls: Tls | None = None

    @property
    def name(self) -> str:
        """See :class:`.contract.Pacs`."""
        return f"The PACS at {visible(self.host)}:{self.port}"

    @property
    def _titles(self) -> str:
        return f"AE titles {visible(self.called)} (its own) and {visible(self.calling)} (ours)"

    def studies(self, patient: str) -> list[StudyOfPacs]:
        """See :class:`.contract.Pacs`."""
        from pydicom.dataset import Dataset
        from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as Find

        asked = Dataset()
        asked.QueryRetrieveLevel, asked.PatientID = "STUDY", check_patient(patient)
        asked.StudyInstanceUID = asked.StudyDate = asked.ModalitiesInStudy = asked.NumberOfStudyRelatedInstances = ""
        found = []
        with self._connected({str(Find): ()}, InputError) as association:
            for status, answer in association.send_c_find(asked, Find):
                self._check(status, "cannot look for studies", InputError)
                if answer is not None and text_of(answer, "PatientID") in ("", asked.PatientID):
                    found.append(_study(answer))
        return sorted(found, key=lambda study: (study.date, study.uid))

    def fetch(self, study: str, folder: Path, on_count: OnCount) -> int:
        """See :class:`.contract.Pacs`."""
        from pydicom.dataset import Dataset
        from pynetdicom import build_role, evt
        from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as Get

        asked = Dataset()
        came: list[Path] = []
        faults: list[OSError] = []
        asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", study

        def store(event: Any) -> int:
            path = folder / f"{len(came) + 1:05d}.dcm"
            try:
                path.write_bytes(event.encoded_dataset())
            except OSError as error:
                faults.append(error)
                return 0xA700  # out of resources (PS3.4 B.2.3)
            came.append(path)
            return 0

        contexts = {str(Get): (), **dict.fromkeys(CLASSES, SYNTAXES)}
        roles = [build_role(uid, scp_role=True) for uid in CLASSES]
        failed = 0
        handlers = [(evt.EVT_C_STORE, store)]
        with self._connected(contexts, InputError, ext_neg=roles, evt_handlers=handlers) as association:
            if Get not in {each.abstract_syntax for each in association.accepted_contexts}:
                raise InputError(f"{self.name} gives no studies (C-GET) under {self._titles}", TITLES)
            for status, _ in association.send_c_get(asked, Get):
                if status and status.Status not in (0xB000, 0xFF00):
                    self._check(status, "does not give the study (C-GET)", InputError)
                on_count(len(came))
                failed = int((status or {}).get("NumberOfFailedSuboperations") or 0)
        if faults:
            raise faults[0]
        if failed:
            raise InputError(
                f"{self.name} could not give {failed} objects of the study besides the {len(came)} that came; they may "
                "be of kinds or compressions that are not used here. Export the study instead."
            )
        return len(came)

    def send(self, files: Sequence[Path], on_count: OnCount) -> None:
        """See :class:`.contract.Pacs`."""
        contexts: dict[str, tuple[str, ...]] = {}
        for path in files:
            sop_class, syntax = _kind(path)
            contexts[sop_class] = tuple(dict.fromkeys((*contexts.get(sop_class, ()), syntax)))
        with self._connected(contexts, OutputError) as association:
            for n, path in enumerate(files):
                on_count(n)
                try:
                    with quiet():
                        status = association.send_c_store(path)
                except ValueError as error:  # the PACS takes no such class or transfer syntax
                    raise OutputError(f"{self.name} does not take {visible(path.name)} ({error}).") from error
                self._check(status, f"did not take {visible(path.name)}", OutputError)

    def _check(self, status: Any, what: str, kind: type) -> None:
        """Refuse a status that is neither success, pending nor a warning of a stored object (PS3.7 C).

        Raises:
            PulsarCAMError: of that kind.
        """
        if not status:  # Orthanc, for one, ends the connection where a title may not do what is asked
            what = f"{what}: it ended the connection under {self._titles}, which may not be allowed to do that"
            raise kind(f"{self.name} {what}", TITLES)
        code = int(status.Status)
        if code not in (0, 0xFF00, 0xFF01, 0xB000, 0xB006, 0xB007):
            told = visible(text_of(status, "ErrorComment"))
            raise kind(f"{self.name} {what} (status {code:04X}{f': {told}' if told else ''}); ask its administrator.")

    @contextmanager
    def _connected(self, contexts: dict[str, tuple[str, ...]], kind: type, **how: Any) -> Iterator[Any]:
        """An association for some classes, each with its transfer syntaxes (none: the usual ones)."""
        from pynetdicom import AE, evt

        opened: list[Any] = []
        how["evt_handlers"] = [*how.get("evt_handlers", ()), (evt.EVT_CONN_OPEN, opened.append)]
        entity = AE(ae_title=self.calling)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = SECONDS
        for sop_class, syntaxes in contexts.items():
            entity.add_requested_context(sop_class, list(syntaxes) or None)
        if self.tls is not None:
            how["tls_args"] = (_context(self.tls), self.host)
        association = entity.associate(self.host, self.port, ae_title=self.called, **how)
        if not association.is_established:
            if association.is_rejected:
                raise kind(f"{self.name} refuses {self._titles}", TITLES)
            if association.rejected_contexts:
                raise kind(f"{self.name} allows nothing of what is asked under {self._titles}", TITLES)
            if opened and self.tls is None:
                raise kind(f"{self.name} breaks off, or is silent, when it is asked under {self._titles}", TITLES)
            over, and_ = (" over TLS", ", and whether its certificate is trusted") if self.tls else ("", "")
            raise kind(f"{self.name} does not answer as a DICOM PACS{over}; see host and port{and_}.")
        try:
            yield association
        finally:
            if association.is_established:
                association.release()
            else:
                association.abort()


def _study(answer: Any) -> StudyOfPacs:
    count = text_of(answer, "NumberOfStudyRelatedInstances")
    kinds = answer.get("ModalitiesInStudy") or ""
    return StudyOfPacs(
        text_of(answer, "StudyInstanceUID"),
        visible(text_of(answer, "StudyDate")),
        visible(kinds if isinstance(kinds, str) else "/".join(kinds)),
        int(count) if count.isdecimal() else 0,
    )


def _kind(path: Path) -> tuple[str, str]:
    """SOP class and transfer syntax of a file.

    Raises:
        InputError: it is no DICOM object.
    """
    import pydicom

    try:
        with quiet():
            meta = pydicom.dcmread(path, specific_tags=["SOPClassUID"], stop_before_pixels=True).file_meta
            return str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)
    except Exception as error:  # pydicom raises many kinds
        raise InputError(f"{visible(path.name)} is no DICOM file that could be sent; leave it out.") from error


def _context(tls: Tls) -> ssl.SSLContext:
    """Certificates are verified, and the name in them.

    Raises:
        InputError: a file with certificates cannot be read.
    """
    try:
        made = ssl.create_default_context(cafile=tls.authority)
        if tls.certificate:
            made.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise InputError("The certificates for TLS cannot be read; see the files, which must be PEM.") from error
    return made
