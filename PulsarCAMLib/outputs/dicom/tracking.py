"""What stays with a lesion from visit to visit, and where it lies in the body, in codes."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID

from ...io.dicom.files import text_of
from .maker import short
from .source import SourceSeries

BRAINS = ("", "BRAIN", "HEAD", "SKULL", "HEADNECK")
"""Body Part Examined of what is taken for a brain; an MRI that does not say it is one, for that is what models see."""


def tracked(source: SourceSeries, name: str, activated: bool) -> tuple[str, str]:
    """Tracking UID and identifier of a lesion, or of its activated sub-region.

    The UID is made of the patient's ID, its issuer and the name, so that a lesion that keeps its name keeps its UID at
    every visit, on every machine (PS3.5 B.2: 2.25 and a UUID). Nobody reads the ID out of it, and it stands in objects
    of this patient only.
    """
    patient = [text_of(source.first, key) for key in ("PatientID", "IssuerOfPatientID")]
    if not patient[0]:  # nothing tells this patient from others but the study
        patient = [text_of(source.first, "StudyInstanceUID")]
    what = "activated sub-region" if activated else "lesion"
    text = "\n".join(["PulsarCAM tracking", *patient, name.strip(), what])
    uid = UUID(bytes=sha256(text.encode()).digest()[:16], version=5)
    return f"2.25.{uid.int}", short(f"{name} activated" if activated else name)


def site_of(source: SourceSeries) -> Any:
    """Code of the part of the body: the brain, unless the series names another part."""
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    if text_of(source.first, "BodyPartExamined").upper() in BRAINS:
        return codes.SCT.Brain
    return Code("38266002", "SCT", "Entire body")
