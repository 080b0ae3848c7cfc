"""How large every unit of a study is on each MRI, in the study's folder: what one of the controls answers by.

Numbers only, no name; a study that was begun before has no such file, and its control counts the samples' pixels.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from ...core.errors import InputError
from ...core.vocabulary import TIME_POINTS
from ...io.csv_files import csv_text, read_csv
from ...systems.contract import LabelledUnit
from ..folder import write_text

VOLUMES = "unit_volumes.csv"
HEADINGS = ("time_point", "unit", "volume_cm3")


class UnitVolumes:
    """Collected while units become samples."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, int, float]] = []

    def told(
        self, units: Iterable[LabelledUnit], numbers: Mapping[tuple[str, str], int], point: str
    ) -> Iterator[LabelledUnit]:
        """The units as they come, each measured where it has a lesion.

        Args:
            units: of one time point.
            numbers: patient and name to the number within the study.
            point: the time point.
        """
        for unit in units:
            if unit.case.lesions:
                volume = unit.case.lesions[0].volume_cm3(unit.case.geometry)
                self._rows.append((point, numbers[unit.patient, unit.name], volume))
            yield unit

    def write(self, folder: Path) -> None:
        """Into the study's folder, if there is anything.

        Raises:
            OutputError: the folder cannot be written.
        """
        if self._rows:
            lines = ((point, unit, f"{volume:.9g}") for point, unit, volume in sorted(self._rows))
            write_text(folder / VOLUMES, csv_text(HEADINGS, lines))


def read_volumes(path: Path) -> dict[str, dict[int, float]] | None:
    """Time point and unit to cubic centimetres; None where the study has no such file.

    Raises:
        InputError: it is damaged.
    """
    if not path.is_file():
        return None
    found: dict[str, dict[int, float]] = {point: {} for point in TIME_POINTS}
    try:
        for point, unit, volume in read_csv(path)[1]:
            found[point][int(unit)] = float(volume)
        if not all(np.isfinite(v) and v > 0 for each in found.values() for v in each.values()):
            raise ValueError("no volume")
    except (ValueError, KeyError, csv.Error, InputError) as error:
        raise InputError(f"The list of volumes {path} is damaged; run the study anew.") from error
    return found
