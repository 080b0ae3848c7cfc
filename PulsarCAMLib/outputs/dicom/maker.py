"""Who made an object, and what all objects of one result say alike: equipment, algorithm, label, new UIDs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ... import __version__
from ...io.dicom.own import MAKER, NOTE
from ...systems.bundles.card import ModelCard
from .source import UTF_8, SourceSeries

LABEL = "RESEARCH_ONLY"
"""Content Label of every object (CS, at most 16 characters)."""

SCHEME = "99PULSARCAM"
"""Designator of codes that the standard has none for (DICOM PS3.16, 8: begins with 99)."""

FIRST_SERIES = 9001
"""Number of the first series: behind those of scanners."""


@dataclass
class Maker:
    """Makes objects of one result.

    Attributes:
        card: of the model; None: no model was asked, as for a synthetic study.
        numbers: of series yet to come.
    """

    card: ModelCard | None
    numbers: Iterator[int] = field(default_factory=lambda: count(FIRST_SERIES))

    @property
    def software(self) -> tuple[str, ...]:
        """PulsarCAM and the model, each with its version."""
        own = f"{MAKER} {__version__}"
        return (own,) if self.card is None else (own, short(f"model {self.card.name} {self.card.fields['version']}"))

    @property
    def parameters(self) -> dict[str, str]:
        """What identifies the model beyond doubt."""
        card = self.card
        if card is None:
            return {}
        return {"model": card.name, "model version": str(card.fields["version"]), "model sha256": card.sha256}

    def algorithm(self) -> Any:
        """Algorithm Identification Sequence (PS3.3 10.16): name, version, and the model with its hash."""
        import highdicom as hd
        from pydicom.sr.codedict import codes

        return hd.AlgorithmIdentificationSequence(
            name=MAKER,
            family=codes.DCM.ArtificialIntelligence,
            version=__version__,
            source=MAKER,
            parameters=self.parameters,
        )

    def common(self, description: str) -> dict[str, Any]:
        """Arguments that every object of highdicom takes: new UIDs, equipment, series.

        The serial number of the "device" is the model's hash, which tells one model from another as no name does.
        """
        import highdicom as hd
        from highdicom.coding_schemes import CodingSchemeIdentificationItem

        return {
            "series_instance_uid": hd.UID(),
            "sop_instance_uid": hd.UID(),
            "series_number": next(self.numbers),
            "instance_number": 1,
            "manufacturer": MAKER,
            "manufacturer_model_name": MAKER,
            "software_versions": list(self.software),
            "device_serial_number": self.card.sha256 if self.card else "none",
            "series_description": short(f"{NOTE}: {description}"),
            "specific_character_set": UTF_8,
            "coding_schemes": [
                CodingSchemeIdentificationItem(SCHEME, f"{MAKER} codes", responsible_organization=MAKER)
            ],
        }

    def content(self, description: str) -> dict[str, Any]:
        """Arguments that say what an object holds."""
        return {
            "content_label": LABEL,
            "content_description": short(f"{NOTE}: {description}"),
            "content_creator_name": f"{MAKER}^",
        }

    def plain_object(self, source: SourceSeries, sop_class: str, modality: str, description: str) -> Any:
        """An object of a class that highdicom does not make, with patient, study, series and equipment.

        Implicit VR, for the numbers of one contour may take more bytes than explicit VR can count (PS3.5 7.1.2).
        """
        import highdicom as hd
        from pydicom.uid import ImplicitVRLittleEndian

        src = source.first
        made = hd.base.SOPClass(
            study_instance_uid=src.StudyInstanceUID,
            sop_class_uid=sop_class,
            modality=modality,
            transfer_syntax_uid=ImplicitVRLittleEndian,
            patient_id=src.PatientID,
            patient_name=src.PatientName,
            patient_birth_date=src.PatientBirthDate,
            patient_sex=src.PatientSex,
            accession_number=src.AccessionNumber,
            study_id=src.StudyID,
            study_date=src.StudyDate,
            study_time=src.StudyTime,
            referring_physician_name=src.ReferringPhysicianName,
            **self.common(description),
        )
        made.copy_patient_and_study_information(src)
        made.OperatorsName = ""
        made.FrameOfReferenceUID = src.FrameOfReferenceUID
        made.PositionReferenceIndicator = src.get("PositionReferenceIndicator", "")
        return made


def for_writing(kind: type, own_pixels: bool = False, **instead: Any) -> type:
    """One of highdicom's classes of images without what is made for those who read: tables of its frames.

    Args:
        kind: the class.
        own_pixels: whether the pixels are given to the object afterwards, so that none need be encoded.
        instead: further methods of the class that are done another way.
    """
    spared: dict[str, Any] = {"_build_luts": lambda self: None, **instead}
    if own_pixels:
        spared["_encode_pixels_native"] = lambda self, planes: b""
    return type(kind.__name__, (kind,), spared)


def short(text: str, longest: int = 64) -> str:
    """Text for an element of the kind LO: one line, no backslash (which divides), and cut where it is too long.

    The standard counts characters, many readers count bytes: what is short enough in bytes is so for both.
    """
    line = " ".join(text.replace("\\", "_").split())
    if len(line.encode()) <= longest:
        return line
    return line.encode()[: longest - 3].decode(errors="ignore").rstrip() + "..."


def private(value: str, meaning: str) -> Any:
    """A code of our own, where the standard has none: value of at most 16 characters."""
    from pydicom.sr.coding import Code

    return Code(value, SCHEME, short(meaning))
