"""The report of a study: one page and every figure as JSON and CSV; nothing heavy is imported before it is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...study.run import Study


def write_study_report(
    study: Study,
    folder: str | Path,
    *,
    overwrite: bool = False,
    progress: Callable[[float, str], None] | None = None,
    **options,
) -> Path:
    """See :func:`.writing.write_study_report`."""
    from .writing import write_study_report as write

    return write(study, folder, overwrite=overwrite, progress=progress, **options)


__all__ = ["write_study_report"]
