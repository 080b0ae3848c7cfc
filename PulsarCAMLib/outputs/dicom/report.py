"""Results as a structured report: one measurement group a lesion and one an activated sub-region. highdicom writes it.

Source: DICOM PS3.16 TID 1500 (measurement report), TID 1411 (volumetric ROI measurements), TID 300, CID 7464.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ... import __version__
from .maker import MAKER, NOTE, Maker, private, short
from .segmentation import codes_of
from .source import SourceSeries
from .tracking import site_of, tracked

UNIT_CODES = {"mm3": ("mm3", "cubic millimeter"), "1": ("1", "no units"), "mm": ("mm", "millimeter")}


@dataclass(frozen=True)
class Figure:
    """One number.

    Attributes:
        code: short name, at most 16 characters; "volume" is the standard's.
        meaning: what it is, in words.
        value: the number.
        unit: of :data:`UNIT_CODES`.
        derivation: "mean", "spread", "maximum", or "" where it is none of these.
    """

    code: str
    meaning: str
    value: float
    unit: str = "1"
    derivation: str = ""


@dataclass(frozen=True)
class Group:
    """What is told of one region.

    Attributes:
        name: of the lesion, patient or visit.
        activated: whether the region is the activated sub-region; else it is the unit itself.
        segmentation, segment: SEG object and number of the segment in it.
        figures: numbers.
        answers: question to answer, each a code of at most 16 characters and words.
    """

    name: str
    activated: bool
    segmentation: Any
    segment: int
    figures: Sequence[Figure]
    answers: Mapping[tuple[str, str], tuple[str, str]]


def report_of(groups: Sequence[Group], source: SourceSeries, maker: Maker, unit: str, maps: Sequence[Any]) -> Any:
    """The object, not yet written.

    Args:
        groups: at least one.
        source: the MRI.
        maker: of the result.
        unit: what a group belongs to: a lesion, patient or visit.
        maps: parametric maps of the result, which are named as evidence.
    """
    import highdicom as hd
    from pydicom.sr.codedict import codes

    observer = hd.sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=hd.UID(), name=MAKER, manufacturer_name=MAKER, model_name=maker.software[0]
        ),
    )
    alike = _Alike.of(source, maker)
    measured = [_group(each, source, unit, alike) for each in groups]

    def content(measurements: list[Any]) -> Any:
        return hd.sr.MeasurementReport(
            observation_context=hd.sr.ObservationContext(observer_device_context=observer),
            procedure_reported=codes.cid100.MRIUnspecifiedBodyRegion,
            imaging_measurements=measurements,
            title=codes.DCM.ImagingMeasurementReport,
        )

    seen = {id(each.segmentation): each.segmentation for each in groups}
    made = hd.sr.Comprehensive3DSR(
        evidence=[*source.headers, *seen.values(), *maps],
        content=content(measured[:1]),
        is_complete=True,
        is_final=False,
        is_verified=False,
        record_evidence=True,
        **maker.common("measurements of lesions and sub-regions"),
    )
    # highdicom copies what it is given and searches it twice, which takes seconds where there are twenty lesions; all
    # objects that groups refer to are among the evidence
    made.ContentSequence = content(measured)[0].ContentSequence
    return made


@dataclass(frozen=True)
class _Alike:
    """What all groups say alike."""

    sites: list[Any]
    algorithm: Any
    series: Any
    use: Any

    @classmethod
    def of(cls, source: SourceSeries, maker: Maker) -> _Alike:
        import highdicom as hd

        return cls(
            [hd.sr.FindingSite(anatomic_location=site_of(source))],
            hd.sr.AlgorithmIdentification(
                name=MAKER,
                version=__version__,
                parameters=[f"{key}={value}" for key, value in maker.parameters.items()],
            ),
            hd.sr.SourceSeriesForSegmentation(source.first.SeriesInstanceUID),
            hd.sr.QualitativeEvaluation(private("use", "Intended use"), private("research", NOTE)),
        )


def _group(group: Group, source: SourceSeries, unit: str, alike: _Alike) -> Any:
    import highdicom as hd

    category, kind = codes_of(unit, group.activated)
    uid, identifier = tracked(source, group.name, group.activated)
    return hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid=uid, identifier=identifier),
        referenced_segment=hd.sr.ReferencedSegment(
            sop_class_uid=group.segmentation.SOPClassUID,
            sop_instance_uid=group.segmentation.SOPInstanceUID,
            segment_number=group.segment,
            source_series=alike.series,
        ),
        finding_type=kind,
        finding_category=category,
        finding_sites=alike.sites,
        algorithm_id=alike.algorithm,
        measurements=[_measurement(each) for each in group.figures],
        qualitative_evaluations=[
            *(
                hd.sr.QualitativeEvaluation(private(*question), private(*answer))
                for question, answer in group.answers.items()
            ),
            alike.use,
        ],
    )


def _measurement(figure: Figure) -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    value, meaning = UNIT_CODES[figure.unit]
    derivations = {
        "mean": codes.SCT.Mean,
        "spread": codes.SCT.StandardDeviation,
        "maximum": codes.SCT.Maximum,
    }
    name = codes.SCT.Volume if figure.code == "volume" else private(figure.code, short(figure.meaning))
    return hd.sr.Measurement(
        name=name,
        value=figure.value,
        unit=Code(value, "UCUM", meaning),
        derivation=derivations.get(figure.derivation),
    )
