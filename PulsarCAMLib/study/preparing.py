"""What a study needs before its first training: lesions, patches and features in its folder."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..cohort.lesion_label import LesionLabel
from ..cohort.study_lesions import StudyLesions
from ..cohort.table import CohortTable
from ..core.errors import InputError
from ..core.vocabulary import BASELINE, SECOND, TIME_POINTS
from .cam import CAM, save_samples
from .folder import FORMAT, FORMAT_VERSION, LESIONS, SAMPLES, read_facts, write_facts, write_text
from .jobs import Progress, dask_workers
from .plan import cam_contender, jobs_of
from .records import read_record
from .settings import StudySettings
from .splits import protocol_splits

CUTTING, FEATURE_STAGE = "cutting patches ({})", "computing features"

OTHER_STUDY = (
    "{} holds a study of other data, or with another seed, other folds, shrinkage, limit of the gradient index or "
    "preprocessing; continue that one as it was begun, or choose another folder."
)

Stages = Callable[[str], AbstractContextManager[Progress | None]]


@dataclass(frozen=True)
class Running:
    """How a study is run, which changes nothing that comes out.

    Attributes:
        at_once, scheduler: see :func:`~.jobs.run_jobs`.
        progress: gives a context for a stage by its name.
        tell: is called with each warning.
    """

    at_once: int = 1
    scheduler: str | None = None
    progress: Stages = nullcontext
    tell: Callable[[str], None] | None = None


def study_rows(cohort: CohortTable, labels: Sequence[LesionLabel]) -> tuple[list, list]:
    """Rows with their responses: the lesions that take part on their first MRI, and those that have a second one.

    Raises:
        InputError: no lesion can take part.
    """
    from ..training.cohort_cases import usable_rows

    baseline = usable_rows(cohort, labels, BASELINE)
    known = {row.key for row, _ in baseline}
    later = any(row.time_point == SECOND for row in cohort.rows)
    second = [part for part in usable_rows(cohort, labels, SECOND) if part[0].key in known] if later else []
    return baseline, second


def check_study(cohort: CohortTable, labels: Sequence[LesionLabel], settings: StudySettings) -> StudyLesions:
    """The lesions of a study that can be run; to be asked before hours of other work.

    Raises:
        InputError: the lesions cannot be split as a protocol wants it.
    """
    return usable(StudyLesions.of(*study_rows(cohort, labels)), settings)


def usable(lesions: StudyLesions, settings: StudySettings) -> StudyLesions:
    """These lesions, unless a protocol cannot split them so that there is something to learn.

    Raises:
        InputError: they cannot be split, or a setting cannot be tuned.
    """
    for protocol in settings.protocols:
        numbers = {"trials": settings.trials_of(protocol), "controls": settings.controls}
        for split in protocol_splits(lesions, protocol, **numbers, folds=settings.folds, seed=settings.seed):
            if CAM in settings.models and len(set(split.labels[split.train].tolist())) < 2:
                raise InputError(
                    f"In {split.place} of the protocol “{protocol}” all lesions that are left to learn from have the "
                    "same response, for the others are of too few patients; leave this protocol out."
                )
    cam_contender(settings, "", Path())
    return lesions


def prepared(
    cohort,
    rows: tuple[list, list],
    lesions,
    settings: StudySettings,
    folder: Path,
    *,
    running: Running,
    left_out: dict[str, Any] | None = None,
):
    """Patches and features in the folder, and what ``study.json`` says; all that is there already is left as it is.

    ``study.json`` tells of other settings only when the trials that are there are found to go with them.

    Args:
        cohort: the table.
        rows: of :func:`study_rows`.
        lesions: that take part.
        settings: of the study.
        folder: of the study, made.
        running: how.
        left_out: see :func:`.exclusion.within_limit`.

    Raises:
        InputError: the folder holds another study, or an image or mask cannot be used.
        OutputError: the folder cannot be written.
    """
    from ..io.hashing import sha256_of
    from ..training.cohort_cases import inputs_digest

    hashes = {"table": sha256_of(cohort.path), "images_and_masks": inputs_digest([*rows[0], *rows[1]])}
    facts = read_facts(folder)
    if facts is not None:
        _check_same(facts, settings, lesions, hashes, folder)
    else:
        began = time.monotonic()
        hashes["samples"], warnings = _patches(*rows, lesions, settings, folder, running)
        write_text(folder / LESIONS, lesions.to_csv())
        facts = _facts(settings, lesions, hashes, warnings, any(row.truth for row in cohort.rows))
        facts["seconds"] = {"patches": round(time.monotonic() - began, 2)}
        write_facts(folder, facts)
    if left_out is not None:
        facts["left_out"] = left_out
    with _features_kept_if_refused(folder):
        if settings.feature_models:
            _features(cohort, lesions, settings, facts, folder, running)
        for job in jobs_of(settings, lesions, facts, folder):
            read_record(job.folder, job.identity())
    facts["settings"] = settings.to_card()
    write_facts(folder, facts)
    return facts


def _features(cohort, lesions, settings, facts, folder: Path, running: Running) -> None:
    from .features import prepare_features

    began = time.monotonic()
    spread = partial(dask_workers, running.scheduler)
    with running.progress(FEATURE_STAGE) as stage:
        own = (settings.feature_models, settings.features, folder)
        how = {"at_once": -1 if running.scheduler else running.at_once, "spread": spread, "stage": stage}
        facts["sha256"]["features"] = prepare_features(cohort, lesions, *own, tell=running.tell, **how)
    facts["seconds"]["features"] = round(facts["seconds"].get("features", 0.0) + time.monotonic() - began, 2)


@contextmanager
def _features_kept_if_refused(folder: Path) -> Iterator[None]:
    """Trials that are refused shall still find the features that they were made from."""
    from ..training.checkpoint import write_durably
    from .features import FEATURES, SETTINGS_FILE

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

    from ..systems.registry import system_of_settings
    from ..training.cohort_cases import cohort_cases
    from ..training.samples import TrainingSamples, collect_samples

    index = {point: {int(row): at for at, row in enumerate(lesions.rows[point])} for point in TIME_POINTS}
    sets, warnings = {}, []
    for point, rows in ((BASELINE, baseline), (SECOND, second)):
        if not rows:
            continue
        numbered = {row.key: index[point][row.row] for row, _ in rows}
        with running.progress(CUTTING.format(point)) as stage:
            cases = cohort_cases(rows, stage)
            system, only = system_of_settings(settings.training), {"only_original": point == SECOND}
            found = collect_samples(cases, system, settings.training, warnings.append, **only)
        pairs = zip(found.patients.tolist(), found.units.tolist(), strict=True)
        own = np.array([numbered[pair] for pair in pairs])
        order = np.lexsort((np.arange(len(own)), own))
        numbers = {**vars(found), "units": own, "patients": lesions.patients[own]}
        sets[point] = TrainingSamples(**numbers).where(order)
    for sentence in warnings if running.tell else ():
        running.tell(sentence)
    return save_samples(folder / SAMPLES, sets), len(warnings)


def _facts(settings, lesions: StudyLesions, hashes: dict, warnings: int, synthetic: bool) -> dict[str, Any]:
    from ..training.trial import software

    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "identity": settings.identity(),
        "settings": settings.to_card(),
        "synthetic": synthetic,
        "lesions": len(lesions),
        "patients": int(lesions.patients.max()),
        "responses": int(lesions.labels.sum()),
        "second_mri": int(lesions.having(SECOND).sum()),
        "slices_with_warnings": warnings,
        "sha256": hashes,
        "software": {**software(), "python": platform.python_version()},
        "machine": {"system": platform.system(), "processor": platform.machine()},
    }


def check_begun(facts: dict[str, Any] | None, settings: StudySettings, cohort: CohortTable, folder: Path) -> None:
    """Refuse a folder with another study as far as this can be told before any work, so that it is left as it is.

    Raises:
        InputError: it holds a study of another table, or with other splits or patches.
    """
    from ..io.hashing import sha256_of

    if facts and (facts["identity"] != settings.identity() or facts["sha256"].get("table") != sha256_of(cohort.path)):
        raise InputError(OTHER_STUDY.format(folder))


def _check_same(
    facts: dict[str, Any], settings: StudySettings, lesions: StudyLesions, hashes: dict[str, str], folder: Path
) -> None:
    same_data = all(facts["sha256"].get(name) == value for name, value in hashes.items())
    # Responses come from volumes at follow-up, too, which no hash is kept of.
    same_data = same_data and StudyLesions.from_csv(folder / LESIONS).to_csv() == lesions.to_csv()
    if facts["identity"] != settings.identity() or not same_data:
        raise InputError(OTHER_STUDY.format(folder))
