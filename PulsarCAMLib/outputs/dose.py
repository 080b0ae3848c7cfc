"""What the lesions get of a planned dose: tables, and the curves as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..core.progress import IsCancelled, OnProgress, silent
from .contract import Content
from .tables import write_table


@dataclass(frozen=True)
class DoseTables:
    """What each lesion and each part of it gets, whether the parts differ, and the curves as numbers."""

    title = "telling the dose"

    def names(self, content: Content) -> list[str]:
        """See :class:`.contract.Output`."""
        return [f"{content.prefix}dose{each}.csv" for each in ("", "_contrast", "_curves")] if content.dose else []

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """See :class:`.contract.Output`."""
        if content.dose is None:
            return
        on_progress(0, "Writing tables")
        found = content.dose
        for name, rows in zip(self.names(content), (found.rows, found.contrasts, found.curves), strict=True):
            write_table(folder / name, rows)


@dataclass(frozen=True)
class DoseCurves:
    """The cumulative curves of the first map's parts, as a PNG."""

    title = "telling the dose"

    def names(self, content: Content) -> list[str]:
        """See :class:`.contract.Output`."""
        return [f"{content.prefix}dose_curves.png"] if content.dose and content.dose.curves else []

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """See :class:`.contract.Output`."""
        if content.dose is None:
            return
        from .pictures.dose import draw_dose

        for name in self.names(content):
            on_progress(0, "Drawing the dose")
            (folder / name).write_bytes(draw_dose(content.dose, content.measured[0]).png())
