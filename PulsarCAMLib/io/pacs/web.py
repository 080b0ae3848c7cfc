"""A PACS over DICOMweb: QIDO-RS, WADO-RS and STOW-RS through dicomweb-client. Source: DICOM PS3.18.

Certificates are verified; names and passwords come from the user's .netrc, as for every program that uses requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...core.errors import Cure, InputError, OutputError
from ...core.visible import visible
from ..dicom.files import quiet
from .contract import OnCount, StudyOfPacs, Tls, check_patient

SECONDS = 60
ATTEMPTS = 2
BY_AUTHORITY = Cure("name the file of its authority", "with --ca FILE")
AT_ONCE_BYTES = 64_000_000
"""So many are sent in one request."""

ORIGINAL = ("application/dicom", "*")
"""Media type: as it is stored there, in whatever transfer syntax."""


@dataclass(frozen=True)
class WebPacs:
    """A PACS.

    Attributes:
        url: of the service, without anything behind the root.
        tls: certificates; None: those of the system are trusted.

    Raises:
        InputError: no address of that kind.
    """

    url: str
    tls: Tls | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username:
            raise InputError(
                "The DICOMweb address must be like https://pacs.example.org/dicom-web, without a name or password in "
                "it (they belong into .netrc)."
            )

    @property
    def name(self) -> str:
        """See :class:`.contract.Pacs`."""
        return f"The PACS at {visible(urlsplit(self.url).netloc)}"

    def studies(self, patient: str) -> list[StudyOfPacs]:
        """See :class:`.contract.Pacs`."""
        asked = check_patient(patient)
        with self._client("does not tell its studies", InputError) as client:
            answers = client.search_for_studies(
                search_filters={"PatientID": asked}, fields=["ModalitiesInStudy", "NumberOfStudyRelatedInstances"]
            )
        found = [_study(each) for each in answers if _value(each, "00100020") in ("", asked)]
        return sorted(found, key=lambda study: (study.date, study.uid))

    def fetch(self, study: str, folder: Path, on_count: OnCount) -> int:
        """See :class:`.contract.Pacs`."""
        count = 0
        media: Any = (ORIGINAL,)
        with self._client("does not give the study", InputError) as client, quiet():
            for series in client.search_for_series(study):
                for each in client.iter_series(study, _value(series, "0020000E"), media_types=media):
                    count += 1
                    each.save_as(folder / f"{count:05d}.dcm", enforce_file_format=True)
                    on_count(count)
        return count

    def send(self, files: Sequence[Path], on_count: OnCount) -> None:
        """See :class:`.contract.Pacs`."""
        with self._client("did not take the objects", OutputError) as client:
            sent = 0
            for some in _in_portions(files):
                on_count(sent)
                answer = client.store_instances([_read(path) for path in some])
                refused = list(answer.get("FailedSOPSequence") or [])
                if refused:
                    code = int(refused[0].get("FailureReason") or 0)
                    raise OutputError(f"{self.name} refused {len(refused)} of {len(some)} objects (reason {code:04X}).")
                sent += len(some)

    @contextmanager
    def _client(self, what: str, kind: type) -> Iterator[Any]:
        """The client; what goes wrong with it is one sentence."""
        import requests
        from dicomweb_client.api import DICOMwebClient

        session = requests.Session()
        if self.tls is not None and self.tls.authority:
            session.verify = str(self.tls.authority)
        if self.tls is not None and self.tls.certificate:
            own = str(self.tls.certificate)
            session.cert = (own, str(self.tls.key)) if self.tls.key else own
        try:
            client = DICOMwebClient(self.url, session=session, timeout=SECONDS)
            client.set_http_retry_params(retry=True, max_attempts=ATTEMPTS, wait_exponential_multiplier=200)
            yield client
        except requests.exceptions.SSLError as error:
            raise kind(f"{self.name} has a certificate that is not trusted", BY_AUTHORITY) from error
        except requests.exceptions.HTTPError as error:
            code = error.response.status_code if error.response is not None else "?"
            raise kind(f"{self.name} {what} (HTTP {code}); see the address and whether you may do that.") from error
        except requests.exceptions.RequestException as error:
            raise kind(f"{self.name} does not answer over DICOMweb; see the address.") from error
        finally:
            session.close()


def _in_portions(files: Sequence[Path]) -> Iterator[list[Path]]:
    some: list[Path] = []
    size = 0
    for path in files:
        if some and size + path.stat().st_size > AT_ONCE_BYTES:
            yield some
            some, size = [], 0
        some.append(path)
        size += path.stat().st_size
    if some:
        yield some


def _read(path: Path) -> Any:
    """A whole object.

    Raises:
        InputError: it is none.
    """
    import pydicom

    try:
        with quiet():
            return pydicom.dcmread(path)
    except Exception as error:  # pydicom raises many kinds
        raise InputError(f"{visible(path.name)} is no DICOM file that could be sent; leave it out.") from error


def _study(answer: Any) -> StudyOfPacs:
    count = _value(answer, "00201208")
    kinds = "/".join(str(each) for each in answer.get("00080061", {}).get("Value") or ())
    return StudyOfPacs(
        _value(answer, "0020000D"),
        visible(_value(answer, "00080020")),
        visible(kinds),
        int(count) if count.isdecimal() else 0,
    )


def _value(answer: Any, tag: str) -> str:
    """First value of an element of DICOM JSON as text; empty where there is none (PS3.18 F.2)."""
    values = answer.get(tag, {}).get("Value") or [""]
    return str(values[0])
