"""The files of a dose painting: prescription, its spread, boost contours, tables, and what travels with all of them.

Every name, header and table says that it is research and no plan.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..core.progress import IsCancelled, OnProgress, silent
from ..painting.paint import Painting
from ..painting.settings import LABEL
from .contract import Content
from .segmentations import write_segmentation
from .tables import write_table
from .volumes import write_volume


@dataclass(frozen=True)
class PaintingFiles:
    """All of it, where a painting was made."""

    title = "writing the dose painting"

    def names(self, content: Content) -> list[str]:
        """See :class:`.contract.Output`."""
        if content.painting is None:
            return []
        stem = content.prefix + content.painting.settings.stem
        histogram = ["_qvh.csv"] if content.painting.histogram else []
        return [f"{stem}{end}" for end in (".nrrd", "_spread.nrrd", "_boost.seg.nrrd", ".csv", ".json", *histogram)]

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """See :class:`.contract.Output`."""
        painting = content.painting
        if painting is None:
            return
        on_progress(0, "Writing the dose painting")
        dose, spread, boost, table, record, *histogram = (folder / name for name in self.names(content))
        facts = dict(content.facts) | facts_of(painting)
        own = {"measure": f"prescribed dose, {LABEL}", "units": "Gy"}
        write_volume(dose, painting.prescription, painting.geometry, facts | own)
        own = {"measure": f"spread of the prescribed dose over the members, {LABEL}", "units": "Gy"}
        write_volume(spread, painting.spread, painting.geometry, facts | own)
        write_segmentation(boost, painting.boosts, painting.geometry, facts)
        write_table(table, [{"label": LABEL} | row for row in painting.table])
        about = painting.record() | {"model": {k: v for k, v in content.facts.items() if k.startswith("model")}}
        record.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        for path in histogram:
            write_table(path, [{"label": LABEL} | row for row in painting.histogram])


@dataclass(frozen=True)
class PaintingPicture:
    """The same as a picture: dose and spread over the MRI, and the histogram."""

    title = "drawing the dose painting"

    def names(self, content: Content) -> list[str]:
        """See :class:`.contract.Output`."""
        return [f"{content.prefix}{content.painting.settings.stem}.png"] if content.painting else []

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """See :class:`.contract.Output`."""
        for name in self.names(content):
            from .pictures.inspection import png_bytes
            from .pictures.painting import draw_painting

            on_progress(0, "Drawing the dose painting")
            assert content.painting is not None
            (folder / name).write_bytes(png_bytes(draw_painting(content.painting, content.case.reference_image.voxels)))


def facts_of(painting: Painting) -> dict[str, object]:
    """Rule and parameters for headers and node attributes; keys as in node attributes."""
    return {
        "painting": LABEL,
        "paintingRule": painting.settings.in_words,
        "paintingParameters": json.dumps(painting.settings.to_card()),
        "paintingDespite": " ".join(painting.despite) or None,
        "method": painting.method,
        "class": painting.target,
    }
