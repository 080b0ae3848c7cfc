"""Volumes on exactly the reference image's grid, or an input's own: NRRD with their origin in the header, or NIfTI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.display import DisplaySettings
from ..core.geometry.volume import VolumeGeometry
from ..core.progress import IsCancelled, OnProgress, silent
from ..core.vocabulary import IMAGE_FORMATS, STATISTICS
from ..explanation.result import CaseResult
from ..explanation.tables import cells_text
from ..io.headers import MADE_HERE
from .contract import Content

KEY_PREFIX = "PulsarCAM."


def write_volume(path: Path, values: np.ndarray, geometry: VolumeGeometry, facts: Mapping[str, object]) -> None:
    """A volume ``[k, j, i]``, compressed.

    Args:
        path: its ending, of :data:`..core.vocabulary.IMAGE_FORMATS`, says the format.
        values: any type that SimpleITK stores.
        geometry: its place.
        facts: provenance, kept as key/value pairs of an NRRD's header.

    Raises:
        OSError: it cannot be written.
    """
    import SimpleITK as sitk

    image = geometry.to_sitk(values)
    for key, value in facts.items():
        image.SetMetaData(KEY_PREFIX + key, one_line(value))
    for key in MADE_HERE:
        if (told := facts.get(key.removeprefix(KEY_PREFIX))) is not None:  # NIfTI keeps 79 bytes, and no pairs
            notes = f"{key}={one_line(told)}".encode()[:79].decode(errors="ignore")
            image.SetMetaData("ITK_FileNotes", notes)
            break
    try:
        sitk.WriteImage(image, str(path), True)
    except RuntimeError as error:
        raise OSError(f"{path.name} could not be written; is the disk full?") from error


def one_line(value: object) -> str:
    """As a value of an NRRD's header."""
    return " ".join(str(value).replace("\\", "\\\\").split())


@dataclass(frozen=True)
class HeatMaps:
    """Mean and standard deviation over the ensemble of every map that is shown.

    Attributes:
        format: of :data:`..core.vocabulary.IMAGE_FORMATS`.
    """

    format: str = IMAGE_FORMATS[0]
    title = "writing maps"

    def names(self, content: Content) -> list[str]:
        """See :class:`.contract.Output`."""
        return [f"{content.stem(shown)}_{each}.{self.format}" for shown in content.maps for each in STATISTICS]

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """See :class:`.contract.Output`."""
        result = content.result
        for n, shown in enumerate(content.maps):
            on_progress(n / len(content.maps), f"Writing {shown.method}")
            facts = dict(content.facts) | {
                "method": shown.method,
                "class": "both" if content.signed(shown) else shown.target,
                "units": unit_text(content, shown.method, shown.normalisation),
                "normalisation": shown.normalisation,
                **map_facts(result, shown),
            }
            how = (shown.normalisation, shown.restrict, shown.input)
            for each in STATISTICS:
                values = result.heat_map(shown.method, shown.target, each, *how)
                path = folder / f"{content.stem(shown)}_{each}.{self.format}"
                write_volume(path, values, result.geometry_of(shown.input), facts | {"statistic": each})


def map_facts(result: CaseResult, shown: DisplaySettings) -> dict[str, object]:
    """What a map's header says besides: its input where it is that of one alone, what it is relative to, and its cells
    where it is a volume's.

    The cells are the method's; the voxels of the file are the image's, and what lies between cells is interpolation.
    """
    found: dict[str, object] = {"input": shown.input} if shown.input else {}
    found |= {"made": made} if (made := result.made_with(shown.method)) else {}
    cells = cells_text(result.units[0], shown.method)
    return found | ({"cells": cells} if cells else {})


def unit_text(content: Content, method: str, normalisation: str) -> str:
    """Unit of a map's values."""
    if normalisation == "none":
        return content.result.method(method).unit
    return f"share of the {normalisation} maximum"


@dataclass(frozen=True)
class GradientMaps:
    """Gradient magnitude and radial gradient of the image, where a comparison made them."""

    format: str = IMAGE_FORMATS[0]
    title = "writing gradient maps"

    def names(self, content: Content) -> list[str]:
        """See :class:`.contract.Output`."""
        from ..agreement.map_comparison import MEASURES

        return [f"{content.prefix}{name}.{self.format}" for name in MEASURES] if content.comparison else []

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """See :class:`.contract.Output`."""
        from ..agreement.map_comparison import MEASURES

        compared = content.comparison
        if compared is None:
            return
        on_progress(0, "Writing gradient maps")
        for (name, measure), values in zip(MEASURES.items(), (compared.magnitude, compared.radial), strict=True):
            facts = {"measure": measure, "sigma_mm": compared.settings.sigma_mm}
            write_volume(folder / f"{content.prefix}{name}.{self.format}", values, content.result.geometry, facts)
