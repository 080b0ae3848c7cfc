"""Overlay pictures as PNG files: one per unit and method."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core.display import DisplaySettings
from ...core.progress import IsCancelled, OnProgress, silent
from ...io.names import file_name_of
from ..contract import Content
from .inputs_content import inputs_of

FOLDER = "pictures"


@dataclass(frozen=True)
class Pictures:
    """One picture per unit and method; where there are several inputs one of all.

    :meth:`..contract.Content.large` says whose map is the large one.

    Attributes:
        threads: processor cores to use; None: all.
    """

    threads: int | None = None
    title = "drawing"

    def names(self, content: Content) -> list[str]:
        """See :class:`..contract.Output`."""
        kinds = ("", "_inputs") if inputs_of(content.result, content.case.images) else ("",)
        return [
            f"{content.prefix}{FOLDER}/{_file(n, unit.name, shown.method + kind)}"
            for n, unit in enumerate(content.result.units, start=1)
            for shown in _by_method(content)
            for kind in kinds
        ]

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """See :class:`..contract.Output`."""
        from ...core.errors import Cancelled
        from .content import picture_of
        from .drawing import drawing_pool
        from .inputs_content import inputs_picture_of

        names, done = self.names(content), 0
        (folder / names[0]).parent.mkdir()
        with drawing_pool(len(names), self.threads) as draw:
            for unit in content.result.units:
                for shown in _by_method(content):
                    if is_cancelled and is_cancelled():
                        raise Cancelled("Stopped; nothing was written.")
                    on_progress(done / len(names), f"Drawing {unit.name}")
                    image = content.case.reference_image.voxels
                    of_map = (shown.method, content.large(shown))
                    picture = picture_of(content.result, unit, image, *of_map, shown.normalisation)
                    draw(picture, folder / names[done])
                    done += 1
                    if inputs_of(content.result, content.case.images):
                        whole = inputs_picture_of(content.result, unit, content.case.images, *of_map)
                        draw(whole, folder / names[done])
                        done += 1


def _by_method(content: Content) -> list[DisplaySettings]:
    """The first settings of every method."""
    first: dict[str, DisplaySettings] = {}
    for shown in content.maps:
        first.setdefault(shown.method, shown)
    return list(first.values())


def _file(n: int, unit: str, method: str) -> str:
    return f"{n:02d}-{file_name_of(unit)}_{method}.png"
