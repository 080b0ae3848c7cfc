"""How well the images of a case lie on each other, as files: one table, and a checkerboard for each registration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.case import Image
from ..core.errors import Cancelled
from ..core.progress import IsCancelled, OnProgress, silent
from ..explanation.result import CaseResult
from ..io.names import file_name_of
from ..systems.volumes.quality import Quality
from ..systems.volumes.space import Space
from .contract import Content
from .tables import write_table

FOLDER = "registration"
COLUMNS = (
    "image", "to", "kind", "correlation_before", "correlation_after", "mutual_information_before",
    "mutual_information_after", "head_in_both", "moved_mm", "turned_degrees", "directions_apart_mm", "volume_factor",
)  # fmt: skip


def space_of(result: CaseResult) -> Space | None:
    """The common space of a case whose images were registered; None where there is nothing to tell."""
    space = getattr(result.units[0].samples, "space", None) if result.units else None
    return space if isinstance(space, Space) and space.quality else None


def drawn(space: Space, images: Mapping[str, Image]) -> list[Quality]:
    """Registrations of which both images are at hand; an atlas is not."""
    return [each for each in space.quality if each.fixed in images and each.moving in images]


def row_of(quality: Quality) -> dict[str, Any]:
    """A row of the table; see :data:`COLUMNS`."""
    before, after = quality.before, quality.after
    values = (
        quality.moving, quality.fixed, quality.kind, before.correlation, after.correlation, before.information,
        after.information, after.overlap, quality.moved_mm, quality.turned_degrees, quality.apart_mm,
        quality.volume_factor,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


@dataclass(frozen=True)
class Registrations:
    """The table, and the pictures where they are wanted; nothing where nothing was registered."""

    pictures: bool = True
    title = "drawing registrations"

    def names(self, content: Content) -> list[str]:
        """See :class:`.contract.Output`."""
        space = space_of(content.result)
        if space is None:
            return []
        drawings = drawn(space, content.case.images) if self.pictures else []
        names = [f"{file_name_of(each.moving)}_to_{file_name_of(each.fixed)}.png" for each in drawings]
        return [f"{content.prefix}{FOLDER}/{name}" for name in ("registrations.csv", *names)]

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """See :class:`.contract.Output`."""
        names, space = self.names(content), space_of(content.result)
        if space is None:
            return
        (folder / names[0]).parent.mkdir(exist_ok=True)
        write_table(folder / names[0], [row_of(each) for each in space.quality])
        if not self.pictures:
            return
        from .pictures.inspection import png_bytes
        from .pictures.registration import draw_registration

        titles = {role.name: role.title for role in content.result.system.inputs}
        for n, (each, name) in enumerate(zip(drawn(space, content.case.images), names[1:], strict=True)):
            if is_cancelled and is_cancelled():
                raise Cancelled("Stopped; nothing was written.")
            on_progress(n / len(names), f"Drawing {titles.get(each.moving, each.moving)}")
            picture = draw_registration(content.case.images, space, each, titles)
            (folder / name).write_bytes(png_bytes(picture, 100))
