"""Who is who: pseudonyms for the patients of a run, and the file in which the person may keep them."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...core.errors import InputError, OutputError
from ...core.visible import visible
from ...io.csv_files import csv_text, read_csv, records_of
from ...io.plain_files import possible_place, shown_path

HEADINGS = ("pseudonym", "patient", "about")
"""Columns of the file: what the patient is called here, what tells the patient apart, and what the source says."""

OWN = re.compile(r"P\d{3,}")
"""What pseudonyms look like."""


@dataclass
class Pseudonyms:
    """Numbers for patients, "P001", "P002", ... in the order in which they are asked for.

    Attributes:
        path: of the file that keeps them; None: they are not kept, and the order of the input decides.
    """

    path: Path | None = None
    _known: dict[str, tuple[str, str]] = field(default_factory=dict)
    _new: int = 0

    @classmethod
    def kept_in(cls, path: str | Path | None, *apart_from: Path) -> Pseudonyms:
        """Those of a file, if it is there already.

        Args:
            path: CSV; None: none are kept.
            apart_from: folders that are passed on, in which it must not lie.

        Raises:
            OutputError: it lies in one of these, cannot be written there, or another file is there.
        """
        if path is None:
            return cls()
        path = possible_place(path)
        for folder in apart_from:
            if Path(path).resolve().is_relative_to(folder.resolve()):
                raise OutputError(
                    f"{shown_path(path)} would say who is who in the folder of the results, {shown_path(folder)}; "
                    "keep the pseudonyms elsewhere."
                )
        if not path.parent.is_dir():
            raise OutputError(f"There is no folder {shown_path(path.parent)} for the pseudonyms; choose another place.")
        found = cls(path)
        if path.exists():
            found._read()
        return found

    def _read(self) -> None:
        assert self.path is not None
        try:
            headings, rows = read_csv(self.path)
            records = records_of(headings, rows)
            if tuple(headings) != HEADINGS:
                raise ValueError(headings)
        except (OSError, ValueError, csv.Error, InputError) as error:
            raise OutputError(
                f"{shown_path(self.path)} is no file of pseudonyms that PulsarCAM wrote; choose another name."
            ) from error
        for each in records:
            self._known[each["patient"]] = each["pseudonym"], each["about"]

    def of(self, patient: str, about: str = "") -> str:
        """The pseudonym of a patient, a new one where there is none yet."""
        patient, about = visible(patient), visible(about)
        if patient not in self._known:
            taken = {name for name, _ in self._known.values()}
            self._new += 1
            while f"P{self._new:03d}" in taken:
                self._new += 1
            self._known[patient] = f"P{self._new:03d}", about
        return self._known[patient][0]

    def of_all(self, patients: Sequence[str]) -> dict[str, str]:
        """Of the patients of a table; where all of them are such pseudonyms already, they stay what they are."""
        if all(OWN.fullmatch(each) for each in patients):
            return {each: each for each in patients}
        return {each: self.of(each) for each in patients}

    def save(self) -> None:
        """Write the file, for nobody else's eyes where the system knows of such; nothing where none was asked for.

        Raises:
            OutputError: it cannot be written.
        """
        if self.path is None:
            return
        from ...io.atomic import replace_file

        rows = [(name, patient, about) for patient, (name, about) in self._known.items()]
        try:
            replace_file(self.path, csv_text(HEADINGS, rows).encode(), durably=True)
        except OSError as error:
            raise OutputError(
                f"The pseudonyms cannot be written to {shown_path(self.path)} ({error.strerror}); choose another place."
            ) from error
