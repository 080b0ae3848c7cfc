"""Synthetic cohorts on disk, each made once for all tests of all workers."""

from __future__ import annotations

import hashlib
from pathlib import Path

from filelock import FileLock

from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.cohort.synthetic.store import TABLE, write_cohort


def kept_cohort(shared: Path, settings: CohortSettings, **options) -> Path:
    """Table of a cohort in the workers' shared folder; whoever comes first makes it, the others wait.

    Many tests read it, so nobody changes or adds a file in its folder: who wants to writes a cohort of his own.
    """
    recipe = repr((settings, sorted(options.items())))
    folder = shared / "cohorts" / hashlib.sha256(recipe.encode()).hexdigest()[:16]
    folder.parent.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():  # it appears when it is complete
            write_cohort(folder, settings, **options)
    return folder / TABLE
