"""A study as it lies in its folder: what takes part, and the trials that are finished."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cohort.study_lesions import StudyLesions
from .records import TrialRecord, trial_folder
from .settings import StudySettings


@dataclass(frozen=True, eq=False)
class Study:
    """A study that was run, or is being run, in a folder.

    Attributes:
        folder: of the study.
        settings: of the study.
        lesions: that take part.
        facts: the whole of ``study.json``: hashes, versions, seconds, warnings, whether the lesions are generated.
        records: finished trials in the order of models, protocols, trials, controls.
        missing: how many trials are not finished.
    """

    folder: Path
    settings: StudySettings
    lesions: StudyLesions
    facts: dict[str, Any]
    records: tuple[TrialRecord, ...]
    missing: int = 0

    def of(self, model: str, protocol: str, control: bool = False) -> list[TrialRecord]:
        """The trials, or the controls, of a model under a protocol."""
        return [r for r in self.records if (r.model, r.protocol, r.control) == (model, protocol, control)]

    def folder_of(self, record: TrialRecord) -> Path:
        """Where a trial is kept."""
        return trial_folder(self.folder, record.model, record)
