"""The folder of many patients: one folder each, a table and a page of all, and the mark by which it is known again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ... import __version__
from ...core.errors import OutputError
from ...io.plain_files import possible_place, read_json
from .dose_told import answer_over
from .source import One
from .work import Outcome

if TYPE_CHECKING:
    from ...systems.bundles.card import ModelCard

MARKER, FORMAT = "many.json", "PulsarCAM results of many patients"
TABLE, PAGE = "summary.csv", "report.html"


@dataclass(frozen=True)
class ManyFolder:
    """Worked in for hours, and gone on with after any end.

    Attributes:
        path: absolute.
    """

    path: Path

    def check(self) -> None:
        """Refuse now what is somebody else's.

        Raises:
            OutputError: something is there that no run like this one has made.
        """
        path = possible_place(self.path)
        if not path.exists() and not path.is_symlink():
            return
        if path.is_symlink() or not path.is_dir():
            raise OutputError(f"{path} is in the way and not a folder; choose another name.")
        if any(path.iterdir()) and not self._is_known():
            raise OutputError(
                f"{path} exists and is not a folder of many patients' results, so nothing is written there; choose "
                "another name."
            )

    def _is_known(self) -> bool:
        try:
            return read_json(self.path / MARKER)["format"] == FORMAT
        except (OSError, ValueError, KeyError, TypeError):
            return False

    @contextmanager
    def made(self) -> Iterator[None]:
        """Context with the folder and its mark; what is new and has got nothing by an error within is taken away.

        Raises:
            OutputError: it cannot be made.
        """
        from ...io.atomic import write_whole
        from ...io.locking import LOCK

        was_there = self.path.exists()
        is_new = not was_there or not any(self.path.iterdir())
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be made ({error.strerror}); choose another folder.") from error
        text = json.dumps({"format": FORMAT, "format_version": 1, "pulsarcam": __version__}, indent=1)
        write_whole(self.path / MARKER, f"{text}\n".encode(), overwrite=True)
        try:
            yield
        except BaseException:
            if is_new and {path.name for path in self.path.iterdir()} <= {MARKER, LOCK}:
                for name in (MARKER, LOCK):
                    (self.path / name).unlink(missing_ok=True)
                if not was_there:
                    shutil.rmtree(self.path, ignore_errors=True)
            raise

    def write(self, ones: Sequence[One], found: Sequence[Outcome], card: ModelCard) -> None:
        """The table and the page of all.

        Raises:
            OutputError: they cannot be written.
        """
        from ...io.atomic import write_whole
        from ...io.csv_files import csv_text
        from ...outputs.pages.many import Explained, many_html

        rows = [row for one, each in zip(ones, found, strict=True) for row in rows_of(one, each)]
        headings = list(dict.fromkeys(name for row in rows for name in row))
        text = csv_text(headings, ([row.get(name, "") for name in headings] for row in rows))
        write_whole(self.path / TABLE, text.encode(), overwrite=True)
        pages = [
            Explained(one.folder, one.patient, one.about, self._page_of(one), each.problem, each.rows, each.warnings)
            for one, each in zip(ones, found, strict=True)
        ]
        contrasts: dict[str, list] = {}
        for one, each in zip(ones, found, strict=True):
            contrasts.setdefault(one.patient, []).extend(each.contrasts)
        dose = answer_over(contrasts)
        write_whole(self.path / PAGE, many_html(pages, card, dose=dose).encode(), overwrite=True)

    def _page_of(self, one: One) -> str:
        """Where a patient's own page lies, from here; the folder's table where there is none."""
        names = ("report.html", "lesions.csv", "patients.csv", "visits.csv")
        there = (name for name in names if (self.path / one.folder / name).is_file())
        return f"{one.folder}/{next(there, '')}"


def rows_of(one: One, found: Outcome) -> list[dict[str, str]]:
    """Rows of the table of all: those of the patient's own table, or one that says why there are none."""
    first = {"patient": one.patient, "mri": one.about, "folder": "" if found.problem else one.folder}
    first |= {"rows": one.numbers, "problem": found.problem}
    own = [
        {f"{name}" if name not in first else f"own_{name}": cell for name, cell in row.items()} for row in found.rows
    ]
    return [{**first, **row} for row in own or [{}]]
