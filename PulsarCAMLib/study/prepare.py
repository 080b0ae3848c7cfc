"""What a study needs before its first training: lesions, patches and features in its folder."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..cohort.labels.lesion_label import LesionLabel
from ..cohort.study_lesions import StudyLesions
from ..cohort.tables.table import CohortTable
from ..core.errors import InputError
from ..core.settings import what_differs
from ..core.vocabulary import BASELINE, CLINICAL, SECOND, TIME_POINTS
from ..systems.contract import System
from ..systems.registry import system_of
from .exclusion import check_dose, within_limit
from .folder import FORMAT, FORMAT_VERSION, LESIONS, SAMPLES, read_facts, write_facts, write_text
from .input_controls.unit_volumes import UnitVolumes
from .jobs import dask_workers
from .models.samples_file import save_samples
from .models.study_models import network_study_model
from .running import Running, preparing
from .settings import StudySettings, asked_twice
from .shortcuts.columns import classes_of, write_columns
from .splits import Split, protocol_splits
from .volumes import write_changes

PREPARED = "prepared"
"""Folder of samples that are too large for the memory, until they are in the study's file."""

FEATURE_STAGE = "computing features"

OTHER_STUDY = (
    "{} holds a study of other data or with other settings{}; continue that one as it was begun, or choose another "
    "folder."
)
MAY_GROW = ("models", "protocols", "trials", "paper_trials", "controls", "volume_change", "shortcuts",
            "input_controls")  # fmt: skip
"""Settings of which a study that is there may get more."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Lesions of a cohort that a study can be run on; nothing of it is written down yet.

    Attributes:
        cohort: the table.
        rows: with their classes, of the first MRI and of the second; see :func:`study_rows`.
        lesions: the same as numbers.
        splits: of every protocol, in its order.
        shares: baseline row to the share of its volume that a lesion keeps, where both volumes are known.
    """

    cohort: CohortTable
    rows: tuple[list, list]
    lesions: StudyLesions
    splits: tuple[Split, ...]
    shares: dict[int, float]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A study's folder with everything that its trainings need.

    Attributes:
        folder: of the study.
        settings: of the study.
        lesions: that take part.
        splits: of every protocol, in its order.
        facts: the whole of ``study.json``, which may still tell of the settings of an earlier call.
    """

    folder: Path
    settings: StudySettings
    lesions: StudyLesions
    splits: tuple[Split, ...]
    facts: dict[str, Any]


def study_rows(cohort: CohortTable, labels: Sequence[LesionLabel], system: System) -> tuple[list, list]:
    """Rows with their classes: the units that take part on their first MRI, and those that have a second one.

    There is no second one for a system that needs the MRIs of several time points for one answer.

    Raises:
        InputError: no lesion can take part.
    """
    from ..training.units.cohort_cases import usable_rows

    baseline = usable_rows(cohort, labels, BASELINE, system)
    known = {row.key for row, _ in baseline}
    if not asked_twice(system) or not any(row.time_point == SECOND for row in cohort.rows):
        return baseline, []
    return baseline, [part for part in usable_rows(cohort, labels, SECOND, system) if part[0].key in known]


def check_study(cohort: CohortTable, labels: Sequence[LesionLabel], settings: StudySettings) -> Candidates:
    """The lesions of a study that can be run; to be asked before hours of other work.

    Raises:
        InputError: the lesions cannot be split as a protocol wants it, or a setting cannot be tuned.
    """
    shares = {row: 1 + each.change for each in labels if each.change is not None for row in each.rows}
    found = _candidates(cohort, study_rows(cohort, labels, system_of(settings.system)), settings, shares)
    network_study_model(settings, "", Path())
    for name in settings.shortcuts:
        classes_of(cohort, found.lesions, name)
    check_dose(cohort, settings)
    return found


def _candidates(
    cohort: CohortTable, rows: tuple[list, list], settings: StudySettings, shares: dict[int, float]
) -> Candidates:
    lesions = StudyLesions.of(*rows, system=settings.system)
    splits = splits_of(settings, lesions)
    for split in splits if settings.networks else ():
        if len(set(split.labels[split.train].tolist())) < 2:
            raise InputError(
                f"In {split.place} of the protocol “{split.protocol}” all {settings.task.unit}s that are left to learn "
                f"from have the same {settings.task.label.column}, for the others are of too few patients; leave this "
                "protocol out."
            )
    return Candidates(cohort, rows, lesions, splits, shares)


def splits_of(settings: StudySettings, lesions: StudyLesions) -> tuple[Split, ...]:
    """Of all protocols in their order.

    Raises:
        InputError: a protocol cannot split these lesions.
    """
    own = {"controls": settings.controls, "folds": settings.folds, "seed": settings.seed}
    return tuple(
        split
        for protocol in settings.protocols
        for split in protocol_splits(lesions, protocol, trials=settings.trials_of(protocol), **own)
    )


def prepare_study(found: Candidates, settings: StudySettings, folder: Path, running: Running) -> Prepared:
    """Patches and features in the folder; all that is there already is left as it is.

    Args:
        found: of :func:`check_study`.
        settings: of the study.
        folder: of the study, made, and written to by nobody else.
        running: how.

    Raises:
        InputError: the folder holds another study, or an image or mask cannot be used.
        OutputError: the folder cannot be written.
    """
    from ..io.hashing import sha256_of
    from ..training.units.cohort_cases import inputs_digest

    facts, hashes = read_facts(folder), {"table": sha256_of(found.cohort.path)}
    if facts and facts["identity"] != settings.identity():
        raise other_study(folder, facts, settings) or InputError(OTHER_STUDY.format(folder, ""))
    if facts and facts["sha256"].get("table") != hashes["table"]:
        raise InputError(OTHER_STUDY.format(folder, ""))  # as far as this can be told before any work
    rows, left_out = within_limit(found.cohort, found.rows, settings, folder, running)
    if left_out is not None:
        found = _candidates(found.cohort, rows, settings, found.shares)
    hashes["images_and_masks"] = inputs_digest([*rows[0], *rows[1]], system_of(settings.system))
    if facts is not None:
        _check_same(facts, found.lesions, hashes, folder)
    else:
        facts = _begun(found, settings, hashes, folder, running)
    if left_out is not None:
        facts["left_out"] = left_out
    if settings.volume_change:
        write_changes(folder, found.shares, found.lesions.rows[BASELINE])
    if settings.shortcuts:
        facts["sha256"]["shortcuts"] = write_columns(found.cohort, found.lesions, settings.shortcuts, folder)
    if settings.needs_numbers:
        from .models.baselines import NUMBERS, write_numbers

        facts["sha256"]["numbers"] = write_numbers(
            found.cohort, found.lesions, system_of(settings.system), folder / NUMBERS
        )
    if CLINICAL in settings.baselines:
        from .models.baselines import CLINICAL_NUMBERS, write_clinical

        written = write_clinical(found.cohort, found.lesions, folder / CLINICAL_NUMBERS, running.on_warning)
        facts["sha256"][Path(CLINICAL_NUMBERS).stem] = written
    if settings.feature_models:
        _features(found.cohort, found.lesions, settings, facts, folder, running)
    return Prepared(folder, settings, found.lesions, found.splits, facts)


def other_study(folder: Path, facts: dict[str, Any], settings: StudySettings) -> InputError | None:
    """The error for a folder whose study cannot go on with these settings: which differ, and how; None: none does."""
    others = what_differs(facts["settings"], settings.to_card(), MAY_GROW)
    return None if not others else InputError(OTHER_STUDY.format(folder, f" ({others})"))


def opened(folder: Path) -> Prepared:
    """What an earlier call of :func:`prepare_study` left in a folder.

    Raises:
        InputError: there is no study, or it is damaged.
    """
    facts = read_facts(folder)
    if facts is None:
        raise InputError(f"There is no study in {folder}; run one with: pulsarcam study COHORT -o {folder.name}")
    settings = StudySettings.from_card(facts["settings"])
    lesions = StudyLesions.from_csv(folder / LESIONS, settings.system)
    return Prepared(folder, settings, lesions, splits_of(settings, lesions), facts)


def _begun(
    found: Candidates, settings: StudySettings, hashes: dict[str, str], folder: Path, running: Running
) -> dict[str, Any]:
    """Patches, lesions and description of a new study."""
    began = time.monotonic()
    hashes["samples"], warnings = _patches(*found.rows, found.lesions, settings, folder, running)
    write_text(folder / LESIONS, found.lesions.to_csv())
    facts = _facts(settings, found.lesions, hashes, warnings, any(row.truth for row in found.cohort.rows))
    facts["seconds"] = {"patches": round(time.monotonic() - began, 2)}
    write_facts(folder, facts)
    return facts


def _features(cohort, lesions, settings, facts, folder: Path, running: Running) -> None:
    from .models.features import prepare_features

    began = time.monotonic()
    spread = partial(dask_workers, running.scheduler)
    with running.progress(FEATURE_STAGE) as stage:
        own = (settings.feature_models, settings.features, folder)
        how = {"at_once": -1 if running.scheduler else running.at_once, "spread": spread, "on_progress": stage}
        facts["sha256"]["features"] = prepare_features(cohort, lesions, *own, on_warning=running.on_warning, **how)
    facts["seconds"]["features"] = round(facts["seconds"].get("features", 0.0) + time.monotonic() - began, 2)


@contextmanager
def features_kept_if_refused(folder: Path) -> Iterator[None]:
    """Trials that are refused shall still find the features that they were made from."""
    from ..io.atomic import write_durably
    from .models.features import FEATURES, SETTINGS_FILE

    paths = [path for name in (FEATURES, SETTINGS_FILE) if (path := folder / name).is_file()]
    before = {path: path.read_bytes() for path in paths}
    try:
        yield
    except InputError:
        for path, content in before.items():
            write_durably(path, content)
        raise


def _patches(baseline, second, lesions: StudyLesions, settings: StudySettings, folder: Path, running: Running):
    import numpy as np

    from ..training.units.cohort_cases import cohort_cases, unit_name
    from ..training.units.samples import TrainingSamples, collect_samples, told_once

    index = {point: {int(row): at for at, row in enumerate(lesions.rows[point])} for point in TIME_POINTS}
    sets, warnings, system, held = {}, [], system_of(settings.system), folder / PREPARED
    volumes = UnitVolumes()
    for point, rows in ((BASELINE, baseline), (SECOND, second)):
        if not rows:
            continue
        numbered = {(row.patient, unit_name(row, system.task)): index[point][row.row] for row, _ in rows}
        with running.progress(f"{preparing(system)} ({point})") as stage:
            units = volumes.told(cohort_cases(rows, stage, system), numbered, point)
            only: dict[str, Any] = {"only_original": point == SECOND}
            with dask_workers(running.scheduler if system.slow_to_prepare(settings.training) else None):
                only["at_once"] = -1 if running.scheduler else running.at_once
                found = collect_samples(units, system, settings.training, warnings.append, store=held / point, **only)
        pairs = zip(found.patients.tolist(), found.units.tolist(), strict=True)
        own = np.array([numbered[pair] for pair in pairs])
        order = np.lexsort((np.arange(len(own)), own))
        numbers = {**vars(found), "units": own, "patients": lesions.patients[own]}
        sets[point] = TrainingSamples(**numbers).where(order)
    for sentence in told_once(warnings) if running.on_warning else ():
        running.on_warning(sentence)
    volumes.write(folder)
    digest = save_samples(folder / SAMPLES, sets)
    shutil.rmtree(held, ignore_errors=True)
    return digest, len(warnings)


def _facts(settings, lesions: StudyLesions, hashes: dict, warnings: int, synthetic: bool) -> dict[str, Any]:
    from ..training.trial import software

    task = lesions.task
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "identity": settings.identity(),
        "settings": settings.to_card(),
        "synthetic": synthetic,
        "lesions": len(lesions),
        "patients": int(lesions.patients.max()),
        "responses": int((lesions.labels == task.index(task.positive)).sum()),
        "second_mri": int(lesions.having(SECOND).sum()),
        "slices_with_warnings": warnings,
        "sha256": hashes,
        "software": {**software(), "python": platform.python_version()},
        "machine": {"system": platform.system(), "processor": platform.machine()},
    }


def _check_same(facts: dict[str, Any], lesions: StudyLesions, hashes: dict[str, str], folder: Path) -> None:
    same_data = all(facts["sha256"].get(name) == value for name, value in hashes.items())
    # Responses come from volumes at follow-up, too, which no hash is kept of.
    if not same_data or StudyLesions.from_csv(folder / LESIONS, lesions.system).to_csv() != lesions.to_csv():
        raise InputError(OTHER_STUDY.format(folder, ""))
