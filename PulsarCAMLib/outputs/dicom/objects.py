"""All DICOM objects of one result, into a folder ``dicom`` within that of the results.

They carry the patient that they belong to; nothing else that is written does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.display import DisplaySettings
from ...core.lesion import Lesion
from ...core.progress import IsCancelled, OnProgress, silent
from ...core.task import LESION
from ...core.vocabulary import STATISTICS
from ...io.dicom import modality
from ...io.dicom.files import quiet
from ...io.dicom.structures import read_structures
from ..contract import Content
from ..volumes import unit_text
from .figures import answers_of, figures_of_region, figures_of_unit
from .maker import Maker
from .painting import of_painting
from .parametric_map import parametric_map_of
from .report import Group, report_of
from .saving import save
from .segmentation import segmentation_of
from .source import SourceSeries, read_source
from .structure_set import Region, structure_set_of

FOLDER = "dicom"
STRUCTURES, REPORT = f"{FOLDER}/structures.dcm", f"{FOLDER}/report_sr.dcm"
STATISTIC_WORDS = {"mean": "mean of the ensemble", "std": "spread of the ensemble"}


@dataclass(frozen=True)
class DicomObjects:
    """Structure set, segmentations, parametric maps and report.

    Attributes:
        places: role of an image to the folder or file of its DICOM series, or to all its files; that of the reference
            image is needed, and those of inputs that have maps of their own.
        structures: the user's structure set, which sub-regions are appended to; None, or one that was drawn in another
            frame of reference: a new one is made.
    """

    places: Mapping[str, Path | Sequence[Path]]
    structures: Path | None = None
    title = "writing DICOM"

    def names(self, content: Content) -> list[str]:
        """See :class:`..contract.Output`."""
        activated = [
            _regions_name(content, shown)
            for shown in content.measured
            if any(region.mask.any() for region in _regions(content, shown))
        ]
        found = activated
        if any(region.mask.any() for region in _units(content)):
            drawn = [STRUCTURES] if content.result.task.unit == LESION or activated else []
            found = [_units_name(content), *drawn, REPORT, *activated]
        if content.painting is not None:
            found.append(_dose_name(content))
        return [*found, *(_map_name(content, shown, each) for shown in content.maps for each in STATISTICS)]

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """See :class:`..contract.Output`."""
        with quiet():  # libraries warn of what the source has, such as names without a caret
            self._write(folder, content, on_progress)

    def _write(self, folder: Path, content: Content, on_progress: OnProgress) -> None:
        case, result = content.case, content.result
        first = case.reference or next(iter(case.images))
        source = read_source(case.images[first], self.places[first])
        maker, task = Maker(result.card), result.task
        (folder / FOLDER).mkdir(exist_ok=True)
        on_progress(0.05, "Writing DICOM segmentations")
        units = _units(content)
        title = "lesions" if task.unit == LESION else f"what the model saw of the {task.unit}"
        lesions = segmentation_of(units, source, maker, task.unit, title, activated=False)
        groups, regions = [], []
        if lesions is not None:
            save(lesions, folder / _units_name(content))
            groups += [
                Group(unit.name, False, lesions, number, figures_of_unit(result, unit), answers_of(result, unit))
                for number, unit in enumerate(result.units, start=1)
            ]
        for shown in content.measured:
            found = _regions(content, shown)
            words = _words(content, shown)
            made = segmentation_of(found, source, maker, task.unit, f"activated, {words}", activated=True)
            if made is None:
                continue
            save(made, folder / _regions_name(content, shown))
            about = f"Voxels {shown.threshold.in_words(task)}; map: {words}."
            regions += [Region(region, about) for region in found]
            kept = [pair for pair in zip(result.units, found, strict=True) if pair[1].mask.any()]
            for number, (unit, region) in enumerate(kept, start=1):
                groups.append(Group(unit.name, True, made, number, figures_of_region(result, unit, region, shown), {}))
        on_progress(0.3, "Writing DICOM parametric maps")
        maps = [
            made
            for n, shown in enumerate(content.maps)
            for made in self._maps(folder, content, shown, source, maker)
            if on_progress(0.3 + 0.4 * n / len(content.maps), "Writing DICOM parametric maps") is None
        ]
        if content.painting is not None:
            dose, boosts = of_painting(content.painting, source, maker)
            save(dose, folder / _dose_name(content))
            regions += boosts
        on_progress(0.7, "Writing the DICOM structure set")
        if lesions is not None:
            if STRUCTURES in self.names(content):
                old = self._old(source)
                # what a model of patients or visits saw is a box or a brain: never a target for a planning system
                drawn = [Region(each, "As it was explained.", "GTV", activated=False) for each in units]
                drawn = drawn if old is None and task.unit == LESION else []
                save(structure_set_of([*drawn, *regions], source, maker, old), folder / STRUCTURES)
            on_progress(0.9, "Writing the DICOM report")
            save(report_of(groups, source, maker, task.unit, maps), folder / REPORT)

    def _maps(
        self, folder: Path, content: Content, shown: DisplaySettings, source: SourceSeries, maker: Maker
    ) -> list[Any]:
        """Mean and spread of one map, written; without their voxels, as evidence for the report."""
        result = content.result
        if result.own_grid(shown.input):
            source = read_source(content.case.images[shown.input], self.places[shown.input], shown.input)
        method = result.method(shown.method)
        _, top = result.display_range(shown.method, shown.normalisation, shown.input)
        made = []
        for statistic in STATISTICS:
            values = result.heat_map(
                shown.method, shown.target, statistic, shown.normalisation, shown.restrict, shown.input
            )
            used = np.flatnonzero(values.any(axis=(1, 2)))
            inside = (int(used[0]) - 1, int(used[-1]) + 2) if used.size else (0, 2)
            low = -top if method.signed and statistic == STATISTICS[0] else 0.0
            each = parametric_map_of(
                values,
                source,
                maker,
                f"{_words(content, shown)}, {STATISTIC_WORDS[statistic]}",
                (shown.method[:16], f"{method.title}, {STATISTIC_WORDS[statistic]}"),
                unit_text(content, shown.method, shown.normalisation),
                (low, top),
                inside,
            )
            save(each, folder / _map_name(content, shown, statistic))
            del each.FloatPixelData
            made.append(each)
        return made

    def _old(self, source: SourceSeries) -> Path | None:
        """The user's structure set, where it can be appended to: it lies in the MRI's frame of reference."""
        if self.structures is None or modality(self.structures) != "RTSTRUCT":
            return None
        frames = {each.frame for each in read_structures(self.structures).structures}
        return self.structures if frames == {str(source.first.FrameOfReferenceUID)} else None


def _units(content: Content) -> list[Lesion]:
    return [unit.lesion for unit in content.result.units]


def _regions(content: Content, shown: DisplaySettings) -> list[Lesion]:
    return content.result.sub_regions(shown.method, shown.target, shown.threshold, shown.input)


def _words(content: Content, shown: DisplaySettings) -> str:
    """A map in a few words: method, class and input."""
    target = "" if content.signed(shown) else shown.target
    return ", ".join(part for part in (shown.method, target, shown.input) if part)


def _units_name(content: Content) -> str:
    """Of the segments that the model looked at: lesions, or the patient's or visit's head."""
    return f"{FOLDER}/{content.result.task.unit}{'s' * (content.result.task.unit == LESION)}_seg.dcm"


def _regions_name(content: Content, shown: DisplaySettings) -> str:
    return f"{FOLDER}/{content.stem(shown)}_regions_seg.dcm"


def _dose_name(content: Content) -> str:
    assert content.painting is not None
    return f"{FOLDER}/{content.prefix}{content.painting.settings.stem}_rtdose.dcm"


def _map_name(content: Content, shown: DisplaySettings, statistic: str) -> str:
    return f"{FOLDER}/{content.stem(shown)}_{statistic}_pm.dcm"
